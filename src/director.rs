//! The continuity director: measures every frame of every clip.
//!
//! Watches the frames in order, before they are encoded, and keeps four of
//! them in a thinned form; its memory does not grow with the clip.

use crate::{
    frames::{
        Frame, Renderer, TILE_PX,
        contrast::fine_contrast,
        pace::{jerk, median, step},
    },
    picture::{Plane, Yuv420},
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

/// Watches one clip.
pub struct Director<'a> {
    still: &'a Yuv420,
    renderer: &'a Renderer,
    active: &'a Plane<bool>,
    first: Option<Thin>,
    second: Option<Thin>,
    previous: Option<Thin>,
    before_previous: Option<Thin>,
    steps: Vec<f32>,
    jerks: Vec<f32>,
    contrasts: Vec<f32>,
    static_leaks: u64,
    starts_with_still: bool,
}

/// Every second row of the moving tiles' luma.
type Thin = Vec<u8>;

impl<'a> Director<'a> {
    /// Watches what this renderer draws from this still.
    pub fn new(still: &'a Yuv420, renderer: &'a Renderer) -> Self {
        Self {
            still,
            renderer,
            active: renderer.active_tiles(),
            first: None,
            second: None,
            previous: None,
            before_previous: None,
            steps: Vec::new(),
            jerks: Vec::new(),
            contrasts: Vec::new(),
            static_leaks: 0,
            starts_with_still: false,
        }
    }

    /// Looks at the next frame; frames come in order.
    pub fn watch(&mut self, frame: &Frame) {
        if frame.index == 0 {
            self.starts_with_still = frame.planes == *self.still;
        }
        self.static_leaks += self.leaks(&frame.planes);
        let thin = self.thinned(&frame.planes.y);
        let tiles = self.renderer.evenly_lit_tiles();
        self.contrasts.push(fine_contrast(&frame.planes.y, tiles));
        if let Some(previous) = &self.previous {
            self.steps.push(step(previous, &thin));
            if let Some(before) = &self.before_previous {
                self.jerks.push(jerk(before, previous, &thin));
            }
        }
        match frame.index {
            0 => self.first = Some(thin.clone()),
            1 => self.second = Some(thin.clone()),
            _ => {}
        }
        self.before_previous = self.previous.replace(thin);
    }

    /// The measures of the whole loop.
    pub fn report(self) -> Report {
        let moving = self.active.samples.iter().filter(|active| **active).count();
        let moving_share = moving as f32 / self.active.samples.len() as f32;
        let mut report = Report {
            static_leaks: self.static_leaks,
            starts_with_still: self.starts_with_still,
            moving_share,
            ..Report::default()
        };
        if let (Some(first), Some(second), Some(last), Some(before_last)) = (
            &self.first,
            &self.second,
            &self.previous,
            &self.before_previous,
        ) && moving > 0
        {
            let seam = step(last, first);
            report.seam_ratio = ratio(seam, median(self.steps));
            let at_seam = jerk(before_last, last, first).max(jerk(last, first, second));
            report.seam_jerk_ratio = ratio(at_seam, median(self.jerks));
            let most = self.contrasts.iter().fold(0.0f32, |a, b| a.max(*b));
            let least = self.contrasts.iter().fold(f32::INFINITY, |a, b| a.min(*b));
            report.detail_contrast = ratio(least, most);
        }
        report
    }

    /// Samples of resting tiles that differ from the still.
    fn leaks(&self, planes: &Yuv420) -> u64 {
        [
            (&planes.y, &self.still.y, TILE_PX),
            (&planes.u, &self.still.u, TILE_PX / 2),
            (&planes.v, &self.still.v, TILE_PX / 2),
        ]
        .into_iter()
        .map(|(plane, still, tile_px)| self.plane_leaks(plane, still, tile_px))
        .sum()
    }

    fn plane_leaks(&self, plane: &Plane<u8>, still: &Plane<u8>, tile_px: usize) -> u64 {
        let mut leaks = 0;
        for y in 0..plane.height_px {
            let resting = self.active.row(y / tile_px).iter().enumerate();
            for (column, _) in resting.filter(|(_, active)| !**active) {
                let span = column * tile_px..((column + 1) * tile_px).min(plane.width_px);
                let (now, then) = (&plane.row(y)[span.clone()], &still.row(y)[span]);
                if now != then {
                    leaks += now.iter().zip(then).filter(|(a, b)| a != b).count() as u64;
                }
            }
        }
        leaks
    }

    fn thinned(&self, luma: &Plane<u8>) -> Thin {
        let mut thin = Thin::new();
        for (column, row) in self.renderer.moving_tiles() {
            self.renderer.copy_tile(column, row, luma, &mut thin);
        }
        thin
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
