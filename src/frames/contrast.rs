//! The contrast of fine detail, and what keeps it even over the loop.
//!
//! Sampling, stretching and mixing layers each change the contrast a little,
//! differently at each moment; seen in a loop, that is a pulse. So the contrast
//! is measured once at a few moments, and the detail is amplified by what is
//! missing.

use std::{array, f32::consts::TAU};

use rayon::prelude::*;

use crate::{
    frames::{TILE_PX, tiles::Run},
    picture::Plane,
};

/// Less contrast than this is none.
const FLAT: f32 = 1e-3;
/// Smallest and largest amplification.
const TRIM: [f32; 2] = [0.80, 1.35];

/// Pixels between those that are compared.
const APART: usize = 3;
/// Least share in the power of all detail that moves at which the part in an even
/// light is seen by itself. Below that it is the dark around a fire, where one
/// spark that enters is a multiple of all that was there.
const SEEN_SHARE: f64 = 0.1;

/// Root mean square of the difference between pixels three apart, across and
/// down, in every second row of the given tiles; in grey levels.
pub fn fine_contrast<'a>(luma: &Plane<u8>, runs: impl IntoIterator<Item = &'a Run>) -> f32 {
    let (power, count) = power_and_count(luma, runs);
    (power / count.max(1.0)).sqrt() as f32
}

/// What the power of detail in an even light is seen against, per sample of it, in
/// squared grey levels: 0 unless it is less than a tenth of that of all that moves,
/// else so much that both together are a tenth.
pub fn backdrop(still: &Plane<u8>, moving: &[Run], evenly_lit: &[Run]) -> f32 {
    let (all, _) = power_and_count(still, moving);
    let (even, count) = power_and_count(still, evenly_lit);
    ((SEEN_SHARE * all - even).max(0.0) / count.max(1.0)) as f32
}

fn power_and_count<'a>(luma: &Plane<u8>, runs: impl IntoIterator<Item = &'a Run>) -> (f64, f64) {
    let (mut power, mut count) = (0u64, 0u64);
    for run in runs {
        let [columns, rows] = run.samples(luma, TILE_PX);
        for y in rows.step_by(2) {
            let here = &luma.row(y)[columns.clone()];
            let below = &luma.row((y + APART).min(luma.height_px - 1))[columns.clone()];
            power += fine_differences(here, below);
            count += here.len() as u64;
        }
    }
    (power as f64, count as f64)
}

/// Sum of the squared differences of samples from those below them, and from those
/// ahead in the same tile: this is what [`fine_power`] sees of them.
fn fine_differences(here: &[u8], below: &[u8]) -> u64 {
    // Sixteen sums side by side, which the compiler keeps in registers: with iterators
    // over them it takes half as long again. A row has too few samples for 32 bits to
    // overflow.
    let mut sums = [0u32; TILE_PX];
    let mut add = |some: &[u8; TILE_PX], others: &[u8; TILE_PX]| {
        for at in 0..TILE_PX {
            let difference = i16::from(some[at]) - i16::from(others[at]);
            sums[at] += (i32::from(difference) * i32::from(difference)) as u32;
        }
    };
    let (tiles, rest) = here.as_chunks::<TILE_PX>();
    let (tiles_below, rest_below) = below.as_chunks::<TILE_PX>();
    for (tile, tile_below) in tiles.iter().zip(tiles_below) {
        let has_ahead = |at: usize| at + APART < TILE_PX;
        let ahead = array::from_fn(|at| tile[if has_ahead(at) { at + APART } else { at }]);
        add(tile, &ahead);
        add(tile, tile_below);
    }
    let square = |(a, b): (&u8, &u8)| u64::from(a.abs_diff(*b)).pow(2);
    let ahead = rest.iter().zip(rest.iter().skip(APART));
    let of_rest: u64 = ahead.chain(rest.iter().zip(rest_below)).map(square).sum();
    sums.iter().map(|sum| u64::from(*sum)).sum::<u64>() + of_rest
}

/// The square of the same in a tile by itself, in squared grey levels.
pub fn fine_power(tile: &[u8; TILE_PX * TILE_PX]) -> f32 {
    let (rows, _) = tile.as_chunks::<TILE_PX>();
    let power: u64 = (0..TILE_PX)
        .step_by(2)
        // What would lie below the tile is no difference.
        .map(|y| fine_differences(&rows[y], rows.get(y + APART).unwrap_or(&rows[y])))
        .sum();
    power as f32 / (TILE_PX * TILE_PX / 2) as f32
}

/// Amplification of the detail over the loop; exactly 1 at phase 0.
#[derive(Clone, Debug)]
pub struct Trim(Vec<f32>);

impl Trim {
    /// No amplification.
    pub fn none() -> Self {
        Self(vec![1.0])
    }

    /// Restores the contrast of phase 0 at so many moments, given the contrast at
    /// any phase, in whatever unit.
    pub fn measured(moments: u32, contrast_at: impl Fn(f32) -> f32 + Sync) -> Self {
        let contrasts: Vec<f32> = (0..moments)
            .into_par_iter()
            .map(|moment| contrast_at(moment as f32 / moments as f32))
            .collect();
        let [low, high] = TRIM;
        let reference = contrasts[0];
        if reference < FLAT {
            return Self::none();
        }
        let missing = |contrast: f32| (reference / contrast).clamp(low, high);
        Self(contrasts.into_iter().map(missing).collect())
    }

    /// Restores also what is missing after this amplification, given the contrast
    /// of every frame that was drawn with it, and where in the motion the loop is at
    /// any phase: 0 at 0, 1 at 1, monotonic.
    pub fn corrected(&self, contrasts: &[f32], motion_at: impl Fn(f32) -> f32) -> Self {
        let [low, high] = TRIM;
        let Some(reference) = contrasts.first().filter(|contrast| **contrast >= FLAT) else {
            return self.clone();
        };
        let count = contrasts.len();
        let phase = |index: usize| index as f32 / count as f32;
        let phases: Vec<f32> = (0..=count).map(|index| motion_at(phase(index))).collect();
        let wanted = |index: usize| {
            let amplification = self.at(phases[index]);
            (amplification * reference / contrasts[index]).clamp(low, high)
        };
        let at_moment = |moment: usize| {
            let at = phase(moment);
            // The last frame that is not later in the motion.
            let last = phases[..count].partition_point(|phase| *phase <= at).max(1) - 1;
            let between = (at - phases[last]) / (phases[last + 1] - phases[last]);
            let (from, to) = (wanted(last), wanted((last + 1) % count));
            from + (to - from) * between
        };
        Self((0..count).map(at_moment).collect())
    }

    /// The amplification at `phase` (0..1), smooth between the moments.
    pub fn at(&self, phase: f32) -> f32 {
        let position = phase.rem_euclid(1.0) * self.0.len() as f32;
        let (moment, rest) = (position as usize % self.0.len(), position.fract());
        let ease = 0.5 - 0.5 * (TAU / 2.0 * rest).cos();
        let (from, to) = (self.0[moment], self.0[(moment + 1) % self.0.len()]);
        from + (to - from) * ease
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_given_back_within_limits() {
        let at_half = |contrast: f32| move |phase: f32| if phase == 0.5 { contrast } else { 10.0 };
        let trim = Trim::measured(60, at_half(9.0));
        assert_eq!((trim.at(0.0), trim.at(0.25)), (1.0, 1.0));
        assert!((trim.at(0.5) - 10.0 / 9.0).abs() < 1e-6);
        assert_eq!(Trim::measured(60, at_half(1.0)).at(0.5), 1.35);
        assert_eq!(Trim::measured(60, |_| 0.0).at(0.3), 1.0);
    }

    #[test]
    fn what_is_seen_to_be_missing_still_is_given_back_too() {
        let trim = Trim::measured(4, |phase| if phase == 0.5 { 8.0 } else { 10.0 });
        let corrected = trim.corrected(&[10.0, 9.5, 8.9, 10.0], |phase| phase);
        assert_eq!((corrected.at(0.0), corrected.at(0.75)), (1.0, 1.0));
        assert!((corrected.at(0.5) - 1.25 * 10.0 / 8.9).abs() < 0.1);
        assert!((corrected.at(0.25) - 10.0 / 9.5).abs() < 1e-6);
        assert_eq!(trim.corrected(&[], |phase| phase).at(0.5), 1.25);
    }

    #[test]
    fn what_a_frame_lacks_is_given_back_where_in_the_motion_it_was_drawn() {
        // The loop dwells at its start: the fourth of eight frames shows a quarter of
        // the motion.
        let motion_at = |phase: f32| {
            if phase < 0.5 {
                phase / 2.0
            } else {
                1.5 * phase - 0.5
            }
        };
        let mut contrasts = [10.0; 8];
        contrasts[4] = 8.0;
        let corrected = Trim::none().corrected(&contrasts, motion_at);
        assert!((corrected.at(0.25) - 1.25).abs() < 1e-6, "{corrected:?}");
        assert_eq!((corrected.at(0.0), corrected.at(0.5)), (1.0, 1.0));
    }

    #[test]
    fn the_dark_beside_a_fire_is_seen_against_it_and_leaves_are_seen_by_themselves() {
        let checks = |low, high| {
            Plane::from_fn(64, 16, |x, y| match x / 16 {
                0 if (x / 3 + y / 3) % 2 == 0 => low,
                _ if x >= 16 && (x / 3 + y / 3) % 2 == 0 => high,
                _ => 0,
            })
        };
        let all = [Run {
            row: 0,
            columns: 0..4,
        }];
        let dark = [Run::of_tile((0, 0))];
        let of_dark = backdrop(&checks(1, 100), &all, &dark);
        let power = |luma: &Plane<u8>, runs: &[Run]| fine_contrast(luma, runs).powi(2);
        let wanted = 0.1 * 4.0 * power(&checks(1, 100), &all);
        assert!((of_dark + power(&checks(1, 100), &dark) - wanted).abs() < 1e-3 * wanted);
        assert_eq!(backdrop(&checks(90, 100), &all, &dark), 0.0);
    }

    #[test]
    fn differences_of_a_row_are_those_of_each_tile() {
        let mut rng = fastrand::Rng::with_seed(4);
        for count in [2, TILE_PX, 3 * TILE_PX, 4 * TILE_PX + 9] {
            let [here, below] =
                [(); 2].map(|()| (0..count).map(|_| rng.u8(..)).collect::<Vec<_>>());
            let square = |a: u8, b: u8| u64::from(a.abs_diff(b)).pow(2);
            let down = here.iter().zip(&below).map(|(a, b)| square(*a, *b));
            let across = here.chunks(TILE_PX).flat_map(|tile| {
                let ahead = tile.iter().skip(APART);
                tile.iter().zip(ahead).map(|(a, b)| square(*a, *b))
            });
            let of_each: u64 = down.chain(across).sum();
            assert_eq!(fine_differences(&here, &below), of_each, "{count}");
        }
    }

    #[test]
    fn contrast_counts_both_directions() {
        let across = Plane::from_fn(16, 16, |x, _| (10 * x) as u8);
        let down = Plane::from_fn(16, 16, |_, y| (10 * y) as u8);
        let contrast = |plane: &Plane<u8>| fine_contrast(plane, [&Run::of_tile((0, 0))]);
        assert!(contrast(&across) > 20.0 && contrast(&down) > 20.0);
        assert_eq!(contrast(&across.map(|_| 7)), 0.0);
    }
}
