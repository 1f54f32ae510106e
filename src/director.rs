//! The continuity director: measures every frame of every clip.

/// What was measured over one clip.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Report {
    /// Mean absolute difference from the last frame to the first over the
    /// median difference between neighbours; 1 is no seam at all.
    pub seam_ratio: f32,
}
