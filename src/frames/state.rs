//! What a node of the grid does at one moment.

/// Everything that moves at one node at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NodeState {
    /// Displacement of the first layer, in luma pixels: the pixel here shows
    /// what stood this far up the stream.
    pub near_px: [f32; 2],
    /// Displacement of the second layer, in luma pixels.
    pub far_px: [f32; 2],
    /// Share of the second layer in the base band, 0..=1; the first has the rest.
    pub far_share: f32,
    /// Weight of the first layer's detail. Both together keep the contrast.
    pub near_detail: f32,
    /// Weight of the second layer's detail.
    pub far_detail: f32,
    /// Factor on the brightness; 1 is none.
    pub light_gain: f32,
}

impl NodeState {
    /// The still itself.
    pub const RESTING: Self = Self {
        near_px: [0.0; 2],
        far_px: [0.0; 2],
        far_share: 0.0,
        near_detail: 1.0,
        far_detail: 0.0,
        light_gain: 1.0,
    };
}
