//! The continuity director: measures every frame of every clip.
//!
//! Watches the frames of each piece in order, before they are encoded, and
//! keeps four of them in a thinned form; its memory does not grow with the clip.

mod watch;

pub use watch::{Seen, Watcher};

use crate::{
    frames::{
        Renderer,
        pace::{jerk, median, step},
    },
    picture::Yuv420,
};

/// What was measured over one clip. Of a clip in which nothing moves the ratios
/// are 1.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Report {
    /// Mean absolute difference from the last frame to the first over the
    /// median difference between neighbours; 1 is no seam at all.
    pub seam_ratio: f32,
    /// The same for the second difference, at the worse of the two frames that
    /// meet at the seam.
    pub seam_jerk_ratio: f32,
    /// Smallest over largest contrast of the fine detail, over the loop, where
    /// no light flickers.
    pub detail_contrast: f32,
    /// Samples that never move and yet differ from the still, over all frames.
    pub static_leaks: u64,
    /// Whether the first frame is the still, sample by sample.
    pub starts_with_still: bool,
    /// Share of the picture that is ever drawn, 0..=1.
    pub moving_share: f32,
    /// Whether nothing was safe to move, so that it is the camera that moves.
    pub is_breath: bool,
}

impl Default for Report {
    /// The report of a clip in which nothing moves.
    fn default() -> Self {
        Self {
            seam_ratio: 1.0,
            seam_jerk_ratio: 1.0,
            detail_contrast: 1.0,
            static_leaks: 0,
            starts_with_still: true,
            moving_share: 0.0,
            is_breath: false,
        }
    }
}

/// The bounds of the loop measures.
const SEAM_RATIO: [f32; 2] = [0.8, 1.2];
const SEAM_JERK_RATIO_MAX: f32 = 1.2;
const DETAIL_CONTRAST_MIN: f32 = 0.95;

impl Report {
    /// What is out of bounds, in words; empty for a good clip.
    pub fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        let mut unless = |is_good: bool, complaint: String| {
            if !is_good {
                complaints.push(complaint);
            }
        };
        let [low, high] = SEAM_RATIO;
        unless(
            (low..=high).contains(&self.seam_ratio),
            format!("seam {:.2}, allowed are {low} to {high}", self.seam_ratio),
        );
        unless(
            self.seam_jerk_ratio <= SEAM_JERK_RATIO_MAX,
            format!(
                "seam jerk {:.2}, allowed is {SEAM_JERK_RATIO_MAX}",
                self.seam_jerk_ratio
            ),
        );
        unless(
            self.detail_contrast >= DETAIL_CONTRAST_MIN,
            format!(
                "detail contrast {:.3}, at least {DETAIL_CONTRAST_MIN} is wanted",
                self.detail_contrast
            ),
        );
        unless(
            self.static_leaks == 0,
            format!("{} static samples differ from the still", self.static_leaks),
        );
        unless(
            self.starts_with_still,
            "the first frame is not the still".to_owned(),
        );
        complaints
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_breath {
            write!(f, "nothing is safe to move, so the camera breathes")?;
        } else {
            write!(f, "{:.0} % of the picture moves", self.moving_share * 100.0)?;
        }
        write!(
            f,
            ", seam {:.2}, detail contrast {:.2}",
            self.seam_ratio, self.detail_contrast
        )?;
        for complaint in self.complaints() {
            write!(f, "; out of bounds: {complaint}")?;
        }
        Ok(())
    }
}

/// Watches one clip, piece by piece: every worker takes a [`Watcher`] for its
/// piece, and what they saw is joined in the order of the loop and judged.
pub struct Director<'a> {
    still: &'a Yuv420,
    renderer: &'a Renderer,
}

impl<'a> Director<'a> {
    /// Watches what this renderer draws from this still.
    pub fn new(still: &'a Yuv420, renderer: &'a Renderer) -> Self {
        Self { still, renderer }
    }

    /// Watches one piece.
    pub fn watcher(&self) -> Watcher<'_> {
        Watcher::new(self)
    }

    /// The measures of the whole loop, given what was seen of all its pieces.
    pub fn judge(&self, loop_seen: Seen) -> Report {
        let active = self.renderer.active_tiles();
        let moving = active.samples.iter().filter(|active| **active).count();
        let moving_share = moving as f32 / active.samples.len() as f32;
        let mut report = Report {
            static_leaks: loop_seen.static_leaks,
            starts_with_still: loop_seen.starts_with_still,
            moving_share,
            ..Report::default()
        };
        if let ([first, second], [before_last, last]) = (&loop_seen.first[..], &loop_seen.last[..])
            && moving > 0
        {
            let seam = step(last, first);
            report.seam_ratio = ratio(seam, median(loop_seen.steps));
            let at_seam = jerk(before_last, last, first).max(jerk(last, first, second));
            report.seam_jerk_ratio = ratio(at_seam, median(loop_seen.jerks));
            let contrasts = &loop_seen.contrasts;
            let most = contrasts.iter().fold(0.0f32, |a, b| a.max(*b));
            let least = contrasts.iter().fold(f32::INFINITY, |a, b| a.min(*b));
            report.detail_contrast = ratio(least, most);
        }
        report
    }
}

/// The ratio, or 1 where both are too small to be seen.
fn ratio(value: f32, reference: f32) -> f32 {
    const INVISIBLE: f32 = 1e-3;
    if reference < INVISIBLE && value < INVISIBLE {
        1.0
    } else {
        value / reference.max(INVISIBLE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Report {
        Report {
            detail_contrast: 0.98,
            moving_share: 0.3,
            ..Report::default()
        }
    }

    #[test]
    fn each_bound_has_its_complaint() {
        assert!(good().complaints().is_empty());
        let faults = [
            Report {
                seam_ratio: 1.3,
                ..good()
            },
            Report {
                seam_ratio: f32::NAN,
                ..good()
            },
            Report {
                seam_jerk_ratio: 1.5,
                ..good()
            },
            Report {
                detail_contrast: 0.7,
                ..good()
            },
            Report {
                static_leaks: 1,
                ..good()
            },
            Report {
                starts_with_still: false,
                ..good()
            },
        ];
        for fault in faults {
            assert_eq!(fault.complaints().len(), 1, "{fault}");
        }
    }
}
