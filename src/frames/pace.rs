//! The pace of the loop: how large its steps are, and what makes the step over
//! the seam an ordinary one.
//!
//! Which moment of the motion the still shows is given, and it may be a calm or
//! a wild one. Since a frame is a function of its phase alone, the loop can run
//! a little faster or slower there and make it up elsewhere.

use std::f32::consts::TAU;

use rayon::prelude::*;

use crate::{
    frames::{TILE_PX, tiles::Run},
    picture::{Plane, median},
};

/// Moments of the loop at which steps are measured.
const MOMENTS: usize = 40;
/// Largest change of pace.
const CHANGE_MAX: f32 = 0.4;
/// Times that the effect of a change is measured and corrected.
const ROUNDS: usize = 4;
/// Share of the wanted change that is made in one round, since it overshoots.
const DAMPING: f32 = 0.6;
/// The step over the seam that is wanted, over the median: a little less than
/// ordinary, since the second difference grows with it.
const STEP_WANTED: f32 = 0.95;
/// The step over the seam is not made smaller than this share of the median.
const STEP_MIN: f32 = 0.87;
/// The second difference at the seam is to be at most this, over the median:
/// less than is allowed, since only a part of it shrinks with the pace.
const JERK_MAX: f32 = 1.05;

/// Samples that are summed in 32 bits: enough for a whole vector, too few for an
/// overflow.
const RUN: usize = 1 << 16;

/// Samples of a picture that tell a step from another; of fewer, single grey levels here
/// and there make up too much of it.
const ENOUGH: usize = 1 << 15;

/// Of so many rows of so many tiles one is looked at.
pub fn rows_apart(tiles: usize) -> usize {
    (tiles * TILE_PX * TILE_PX / ENOUGH).clamp(1, 4)
}

/// Appends one of every `rows_apart` rows of the luma of some tiles.
pub fn thin(luma: &Plane<u8>, run: &Run, rows_apart: usize, to: &mut Vec<u8>) {
    let [columns, rows] = run.samples(luma, TILE_PX);
    for y in rows.step_by(rows_apart) {
        to.extend_from_slice(&luma.row(y)[columns.clone()]);
    }
}

/// Mean absolute difference of two pictures, in grey levels.
pub fn step(from: &[u8], to: &[u8]) -> f32 {
    let of_run = |(from, to): (&[u8], &[u8])| {
        let samples = from.iter().zip(to);
        let sum: u32 = samples.map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
        u64::from(sum)
    };
    let sum: u64 = from.chunks(RUN).zip(to.chunks(RUN)).map(of_run).sum();
    sum as f32 / from.len().max(1) as f32
}

/// Mean absolute second difference of three pictures, in grey levels.
pub fn jerk(before: &[u8], now: &[u8], after: &[u8]) -> f32 {
    let of_run = |((before, now), after): ((&[u8], &[u8]), &[u8])| {
        let second_difference = |((a, b), c): ((&u8, &u8), &u8)| {
            let difference = i16::from(*a) - 2 * i16::from(*b) + i16::from(*c);
            u32::from(difference.unsigned_abs())
        };
        let sum: u32 = (before.iter().zip(now).zip(after))
            .map(second_difference)
            .sum();
        u64::from(sum)
    };
    let runs = before.chunks(RUN).zip(now.chunks(RUN));
    let sum: u64 = runs.zip(after.chunks(RUN)).map(of_run).sum();
    sum as f32 / now.len().max(1) as f32
}

/// How much faster than on average the loop runs at the seam.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace(f32);

impl Pace {
    /// The same everywhere.
    pub const EVEN: Self = Self(0.0);

    /// Finds the pace that makes the seam ordinary, given pictures of the motion
    /// at any phase; frames are `frame_turns` of the loop apart.
    pub fn measured(frame_turns: f32, picture_at: impl Fn(f32) -> Vec<u8> + Sync) -> Self {
        // The golden section: evenly spread, and in step with no harmonic. On a
        // regular grid the fast ones would all be caught at the same angle.
        let moments: Vec<f32> = (1..=MOMENTS)
            .map(|moment| (moment as f32 * 0.618_034).fract())
            .collect();
        let usual: Vec<[f32; 2]> = moments
            .par_iter()
            .map(|phase| {
                let seen = [-1.0, 0.0, 1.0].map(|frames| picture_at(phase + frames * frame_turns));
                [step(&seen[0], &seen[1]), jerk(&seen[0], &seen[1], &seen[2])]
            })
            .collect();
        let mut pace = Self::EVEN;
        for _ in 0..ROUNDS {
            let seen = [-2.0, -1.0, 0.0, 1.0]
                .map(|frames| picture_at(pace.at(1.0 + frames * frame_turns)));
            let seam = [
                step(&seen[1], &seen[2]),
                jerk(&seen[0], &seen[1], &seen[2]).max(jerk(&seen[1], &seen[2], &seen[3])),
            ];
            let rates = moments.iter().map(|phase| pace.rate(*phase));
            // A step grows with the pace, a second difference with its square.
            let [steps, jerks] = [0, 1].map(|order| {
                let of_order =
                    |(rate, usual): (f32, &[f32; 2])| usual[order] * rate.powi(order as i32 + 1);
                median(rates.clone().zip(&usual).map(of_order).collect())
            });
            pace = pace.quickened(1.0 + DAMPING * wanted_change(seam, [steps, jerks]));
        }
        pace
    }

    /// The pace with which the loop passes the seam so many times as fast.
    pub fn quickened(self, times: f32) -> Self {
        let faster = (1.0 + self.0) * times - 1.0;
        Self(faster.clamp(-CHANGE_MAX, CHANGE_MAX))
    }

    /// How many times as fast the seam should be passed, as far as that can be, given
    /// step and second difference there over the usual ones, and what both would be.
    pub fn quickening(self, seam: [f32; 2]) -> (f32, [f32; 2]) {
        let wanted = self.quickened(1.0 + wanted_change(seam, [1.0; 2]));
        let times = (1.0 + wanted.0) / (1.0 + self.0);
        (times, [seam[0] * times, seam[1] * times * times])
    }

    /// Where in the motion the loop is at `phase`: 0 at 0, 1 at 1, monotonic.
    pub fn at(self, phase: f32) -> f32 {
        phase + self.0 * (TAU * phase).sin() / TAU
    }

    /// How fast the motion runs at `phase`, over its mean pace.
    fn rate(self, phase: f32) -> f32 {
        1.0 + self.0 * (TAU * phase).cos()
    }
}

/// How much faster the loop should be at the seam, as a share of its pace, given
/// step and second difference there and elsewhere.
fn wanted_change([seam_step, seam_jerk]: [f32; 2], [usual_step, usual_jerk]: [f32; 2]) -> f32 {
    if seam_step <= 0.0 || seam_jerk <= 0.0 {
        return 0.0;
    }
    let for_step = STEP_WANTED * usual_step / seam_step - 1.0;
    let for_jerk = (JERK_MAX * usual_jerk / seam_jerk).sqrt() - 1.0;
    let least = STEP_MIN * usual_step / seam_step - 1.0;
    for_step.min(for_jerk).max(least)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_of_a_straight_ramp_in_time_have_no_jerk() {
        assert_eq!(step(&[10, 20], &[12, 22]), 2.0);
        assert_eq!(jerk(&[10, 20], &[12, 22], &[14, 24]), 0.0);
        assert_eq!(jerk(&[10], &[20], &[10]), 20.0);
    }

    #[test]
    fn a_calm_seam_is_passed_faster_and_the_loop_still_closes() {
        // A swing that the still shows at its turning point.
        let calm = |phase: f32| vec![(128.0 + 100.0 * (TAU * phase).cos()) as u8; 4];
        let pace = Pace::measured(0.05, calm);
        assert!(pace.0 > 0.0, "{pace:?}");
        assert_eq!(pace.at(0.0), 0.0);
        assert!((pace.at(1.0) - 1.0).abs() < 1e-6);
        let phases: Vec<f32> = (0..=100).map(|at| pace.at(at as f32 / 100.0)).collect();
        assert!(phases.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(Pace::measured(0.1, |_| vec![7; 4]), Pace::EVEN);
    }

    #[test]
    fn where_little_moves_all_rows_are_looked_at() {
        assert_eq!(
            [0, 24, 128, 256, 400, 8160].map(rows_apart),
            [1, 1, 1, 2, 3, 4]
        );
    }

    #[test]
    fn a_seam_that_is_not_quite_ordinary_is_passed_at_another_speed() {
        let (times, [step, jerk]) = Pace::EVEN.quickening([1.0, 1.25]);
        assert!((0.9..1.0).contains(&times) && (0.87..1.0).contains(&step));
        assert!((jerk - JERK_MAX).abs() < 1e-5, "{jerk}");
        let (times, [step, _]) = Pace::EVEN.quickening([0.75, 0.65]);
        assert!(times > 1.2 && (step - STEP_WANTED).abs() < 1e-5, "{times}");
        // A jump stays one at any speed at which the loop still seems to run, and what
        // runs as fast as it may does not run faster.
        assert!(Pace::EVEN.quickening([1.0, 4.0]).1[1] > 3.0);
        assert_eq!(
            Pace(CHANGE_MAX).quickening([0.75, 0.65]),
            (1.0, [0.75, 0.65])
        );
        assert_eq!(Pace::EVEN.quickened(0.75), Pace(-0.25));
        assert_eq!(Pace(0.3).quickened(2.0), Pace(CHANGE_MAX));
    }
}
