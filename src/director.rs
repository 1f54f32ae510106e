//! The continuity director: measures every frame of every clip, calms what is
//! out of bounds, and refuses what cannot be calmed.
//!
//! What the motion does to the shape of things is known before anything is
//! drawn: [`Script::rehearse`] measures it and lowers the motion where it does
//! harm. The rest is seen in the frames: a [`Watcher`] looks at those of each
//! piece in order, before they are encoded, and keeps four of them in a thinned
//! form, so that its memory does not grow with the clip. [`Script::judge`] then
//! lets the clip pass, has it drawn again more evenly or with less motion, or refuses
//! it.
//! [`Measure`] lists what is measured and [`Measure::bound`] what is allowed.

mod mend;

mod rehearsal;

mod remedy;

mod report;

mod rest;

mod script;

mod steadiness;

mod warp;

mod watch;

pub use report::{Bound, Measure, Report, Verdict};
pub use script::{ATTEMPTS_MAX, Refusal, Script};
pub use watch::{Seen, Watcher};

use rest::Rest;
use steadiness::Ground;

use crate::{
    frames::{
        Renderer,
        pace::{jerk, rows_apart, step},
    },
    picture::{Yuv420, median},
};

/// Steps from frame to frame, the seam left out, that tell which step is usual. Of
/// fewer, in which the motion is sampled too coarsely to look like motion, each is
/// as odd as the next: there the step over the seam is to be like any of them, and
/// a second difference, of which there may be one, tells nothing.
const STEPS_MIN: usize = 6;

/// Watches one clip, piece by piece: every worker takes a [`Watcher`] for its
/// piece, and what they saw is joined in the order of the loop and judged.
pub struct Director<'a> {
    still: &'a Yuv420,
    renderer: &'a Renderer,
    ground: Ground,
    rest: Rest,
    /// Of so many rows of what moves one is looked at.
    rows_apart: usize,
}

impl<'a> Director<'a> {
    /// Watches what this renderer draws from this still.
    pub fn new(still: &'a Yuv420, renderer: &'a Renderer) -> Self {
        Self {
            still,
            renderer,
            ground: Ground::new(renderer, still),
            rest: Rest::new(renderer.active_tiles(), renderer.frame_count()),
            rows_apart: rows_apart(renderer.moving_tiles().count()),
        }
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
            moving_share,
            ..Report::default()
        };
        let misses = loop_seen.first_frame_misses;
        report.note(
            Measure::FirstFrame,
            misses.map_or(f32::NAN, |count| count as f32),
        );
        report.note(Measure::StaticLeaks, loop_seen.static_leaks as f32);
        let mut steadiness = loop_seen.steadiness;
        steadiness.close();
        report.note(Measure::Flicker, steadiness.flicker(&self.ground));
        report.note(Measure::Flash, steadiness.flash(&self.ground));
        report.note(Measure::ColourDrift, steadiness.drift());
        if let ([first, second], [before_last, last]) = (&loop_seen.first[..], &loop_seen.last[..])
            && moving > 0
        {
            let seam = step(last, first);
            let steps = loop_seen.steps;
            if steps.len() >= STEPS_MIN {
                report.note(Measure::Seam, ratio(seam, median(steps)));
                let at_seam = jerk(before_last, last, first).max(jerk(last, first, second));
                report.note(Measure::SeamJerk, ratio(at_seam, median(loop_seen.jerks)));
            } else {
                report.note(Measure::Seam, ratio(seam, nearest(seam, &steps)));
            }
            let contrasts = &loop_seen.contrasts;
            let most = contrasts.iter().fold(0.0f32, |a, b| a.max(*b));
            let least = contrasts.iter().fold(f32::INFINITY, |a, b| a.min(*b));
            report.note(Measure::DetailContrast, ratio(least, most));
        }
        report
    }
}

/// What lies nearest to the value between the least and the most of some others.
fn nearest(value: f32, others: &[f32]) -> f32 {
    let least = others.iter().copied().fold(f32::INFINITY, f32::min);
    let most = others.iter().copied().fold(0.0, f32::max);
    value.max(least).min(most)
}

/// The ratio, or 1 where both are too small to be seen: a mean difference of a
/// twentieth of a grey level is one grey level in one of twenty pixels.
fn ratio(value: f32, reference: f32) -> f32 {
    const INVISIBLE: f32 = 0.05;
    if reference < INVISIBLE && value < INVISIBLE {
        1.0
    } else {
        value / reference.max(INVISIBLE)
    }
}
