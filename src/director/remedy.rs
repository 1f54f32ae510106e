//! Where a loop that came out badly should be calmer.
//!
//! The watchers see the loop as a whole and so know that something is wrong,
//! not where. Only when it is, a few frames are drawn again and every tile is
//! looked at by itself.

use std::collections::HashSet;

use rayon::prelude::*;

use super::report::{Measure, Report};
use crate::{
    frames::{
        Frame, Renderer,
        contrast::fine_contrast,
        pace::{jerk, rows_apart, step, thin},
        tiles::Run,
    },
    picture::Plane,
};

/// Moments of the loop that are compared with its seam.
const MOMENTS: u32 = 12;
/// Least that one remedy leaves of the motion of a tile.
const FACTOR_MIN: f32 = 0.25;
/// So much is left of all motion where lowering the worst tiles is not enough.
const FACTOR_OF_ALL: f32 = 0.5;
/// A measure is brought this far into its bound, since lowering is not linear.
const MARGIN: f32 = 0.8;
/// Tiles are lowered by up to this power of their share in the fault.
const POWER_MAX: i32 = 8;

/// How one tile changes over the loop.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Pulse {
    /// Step and second difference at the seam, in grey levels.
    seam: [f32; 2],
    /// The same elsewhere, on average.
    usual: [f32; 2],
    /// Power of its detail when the picture has least of it, and most; 0 where
    /// light flickers.
    power: [f32; 2],
}

/// How much of its motion every tile may keep (0..=1), given the report of a
/// loop that this renderer drew.
pub fn motion_kept(renderer: &Renderer, report: &Report) -> Plane<f32> {
    let mut kept = renderer.active_tiles().map(|_| 1.0f32);
    let drift = report.value(Measure::ColourDrift);
    let drift_max = Measure::ColourDrift.bound().most.unwrap_or(drift);
    if drift > drift_max {
        kept.samples.fill(MARGIN * drift_max / drift);
    }
    let of_loop = [Measure::Seam, Measure::SeamJerk, Measure::DetailContrast];
    if of_loop.iter().all(|measure| report.admits(*measure)) {
        return kept;
    }
    let tiles: Vec<_> = renderer.moving_tiles().collect();
    let factors = factors(&pulses(renderer, &tiles), report);
    for ((column, row), factor) in tiles.iter().zip(factors) {
        kept.samples[row * kept.width_px + column] *= factor;
    }
    kept
}

/// The smallest power of each tile's imbalance that should bring the loop
/// measures into their bounds.
fn factors(pulses: &[Pulse], report: &Report) -> Vec<f32> {
    for power in 1..=POWER_MAX {
        let factor = |pulse: &Pulse| imbalance(pulse, report).powi(-power).max(FACTOR_MIN);
        let factors: Vec<f32> = pulses.iter().map(factor).collect();
        if is_enough(pulses, &factors, report) {
            return factors;
        }
    }
    pulses
        .iter()
        .map(|pulse| {
            let least = imbalance(pulse, report).powi(-POWER_MAX).max(FACTOR_MIN);
            FACTOR_OF_ALL * least
        })
        .collect()
}

/// How much one tile has to do with what is out of bounds: 1 not at all.
fn imbalance(pulse: &Pulse, report: &Report) -> f32 {
    let over = |a: f32, b: f32| if b > 0.0 { (a / b).max(1.0) } else { 1.0 };
    let mut worst = 1.0f32;
    if !report.admits(Measure::Seam) {
        worst = worst.max(if report.value(Measure::Seam) > 1.0 {
            over(pulse.seam[0], pulse.usual[0])
        } else {
            over(pulse.usual[0], pulse.seam[0])
        });
    }
    if !report.admits(Measure::SeamJerk) {
        worst = worst.max(over(pulse.seam[1], pulse.usual[1]));
    }
    if !report.admits(Measure::DetailContrast) {
        worst = worst.max(over(pulse.power[1], pulse.power[0]));
    }
    worst
}

/// Whether the loop measures would be well within their bounds if every tile
/// changed by its factor as much as it does.
fn is_enough(pulses: &[Pulse], factors: &[f32], report: &Report) -> bool {
    let sum = |pick: &dyn Fn(&Pulse) -> f32| pulses.iter().map(pick).sum::<f32>();
    let lowered = |pick: &dyn Fn(&Pulse) -> f32| {
        let tiles = pulses.iter().zip(factors);
        tiles
            .map(|(pulse, factor)| factor * pick(pulse))
            .sum::<f32>()
    };
    let change = |pick: &dyn Fn(&Pulse) -> f32| lowered(pick) / sum(pick).max(f32::MIN_POSITIVE);
    let of_order =
        |order: usize| change(&|pulse| pulse.seam[order]) / change(&|pulse| pulse.usual[order]);
    let gap = change(&|pulse| pulse.power[1] - pulse.power[0]);
    let contrast = 1.0 - (1.0 - report.value(Measure::DetailContrast)) * gap;
    let is_well_within = |measure: Measure, value: f32, ideal: f32| {
        measure.bound().admits(ideal + (value - ideal) / MARGIN)
    };
    is_well_within(
        Measure::Seam,
        report.value(Measure::Seam) * of_order(0),
        1.0,
    ) && is_well_within(
        Measure::SeamJerk,
        report.value(Measure::SeamJerk) * of_order(1),
        1.0,
    ) && is_well_within(Measure::DetailContrast, contrast, 1.0)
}

/// Draws the seam and a few other moments, and looks at every tile.
fn pulses(renderer: &Renderer, tiles: &[(usize, usize)]) -> Vec<Pulse> {
    let count = renderer.frame_count();
    let evenly_lit: HashSet<_> = renderer.evenly_lit().iter().flat_map(Run::tiles).collect();
    let moment = |at: u32| (f64::from(at) * 0.618_033_988_75).fract() * f64::from(count);
    // The two frames that meet at the seam, then the others.
    let middles: Vec<u32> = [count - 1, 0]
        .into_iter()
        .chain((1..=MOMENTS).map(|at| moment(at) as u32))
        .collect();
    let seen: Vec<Vec<Glance>> = middles
        .par_iter()
        .map_init(
            || renderer.blank(),
            |frame, middle| glances(renderer, frame, tiles, &evenly_lit, *middle),
        )
        .collect();
    let (at_seam, elsewhere) = seen.split_at(2);
    let power_of = |glances: &[Glance]| glances.iter().map(|glance| glance.power).sum::<f32>();
    let mut by_power: Vec<&Vec<Glance>> = elsewhere.iter().collect();
    by_power.sort_by(|a, b| power_of(a).total_cmp(&power_of(b)));
    let ends = [by_power.first(), by_power.last()];
    (0..tiles.len())
        .map(|tile| {
            let [last, first] = [&at_seam[0][tile], &at_seam[1][tile]];
            let mean = |pick: fn(&Glance) -> f32| {
                elsewhere
                    .iter()
                    .map(|glances| pick(&glances[tile]))
                    .sum::<f32>()
                    / elsewhere.len() as f32
            };
            Pulse {
                seam: [last.step, last.jerk.max(first.jerk)],
                usual: [mean(|glance| glance.step), mean(|glance| glance.jerk)],
                power: ends.map(|end| end.map_or(0.0, |glances| glances[tile].power)),
            }
        })
        .collect()
}

/// One tile at one moment: the step to the next frame, the second difference,
/// the power of its detail where the light is even.
#[derive(Clone, Copy, Debug, Default)]
struct Glance {
    step: f32,
    jerk: f32,
    power: f32,
}

fn glances(
    renderer: &Renderer,
    frame: &mut Frame,
    tiles: &[(usize, usize)],
    evenly_lit: &HashSet<(usize, usize)>,
    middle: u32,
) -> Vec<Glance> {
    let count = renderer.frame_count();
    let mut glances = vec![Glance::default(); tiles.len()];
    let rows_apart = rows_apart(tiles.len());
    let mut drawn = [count - 1, 0, 1].map(|from_middle| {
        renderer.draw((middle + from_middle) % count, frame);
        if from_middle == 0 {
            let pairs = glances.iter_mut().zip(tiles);
            for (glance, tile) in pairs.filter(|(_, tile)| evenly_lit.contains(tile)) {
                let contrast = fine_contrast(&frame.planes.y, [&Run::of_tile(*tile)]);
                glance.power = contrast * contrast;
            }
        }
        let of_tile = |tile: &(usize, usize)| {
            let mut thinned = Vec::new();
            thin(
                &frame.planes.y,
                &Run::of_tile(*tile),
                rows_apart,
                &mut thinned,
            );
            thinned
        };
        tiles.iter().map(of_tile).collect::<Vec<_>>().into_iter()
    });
    for glance in &mut glances {
        if let [Some(before), Some(now), Some(after)] = drawn.each_mut().map(Iterator::next) {
            glance.step = step(&now, &after);
            glance.jerk = jerk(&before, &now, &after);
        }
    }
    glances
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pulse(seam: f32, usual: f32) -> Pulse {
        Pulse {
            seam: [seam, 1.0],
            usual: [usual, 1.0],
            power: [10.0, 10.0],
        }
    }

    fn report(measure: Measure, value: f32) -> Report {
        let mut report = Report::default();
        report.note(measure, value);
        report
    }

    #[test]
    fn tiles_that_jump_at_the_seam_are_calmed_and_the_others_are_not() {
        let pulses = [pulse(2.0, 1.0), pulse(1.0, 1.0), pulse(1.0, 1.0)];
        let factors = factors(&pulses, &report(Measure::Seam, 1.33));
        assert!(factors[0] < 0.6, "{factors:?}");
        assert_eq!(factors[1..], [1.0, 1.0]);
    }

    #[test]
    fn where_the_seam_is_too_calm_the_wild_tiles_are_lowered() {
        let pulses = [pulse(0.5, 2.0), pulse(1.0, 1.0), pulse(1.0, 1.0)];
        let factors = factors(&pulses, &report(Measure::Seam, 0.62));
        assert!(factors[0] < 0.5, "{factors:?}");
        assert_eq!(factors[1..], [1.0, 1.0]);
    }

    #[test]
    fn tiles_whose_detail_pulses_are_calmed() {
        let mut pulses = [pulse(1.0, 1.0); 3];
        pulses[2].power = [4.0, 16.0];
        let factors = factors(&pulses, &report(Measure::DetailContrast, 0.9));
        assert!(factors[2] < 0.5, "{factors:?}");
        assert_eq!(factors[..2], [1.0, 1.0]);
    }

    #[test]
    fn where_all_are_alike_all_are_lowered() {
        let pulses = [pulse(2.0, 1.0); 3];
        let factors = factors(&pulses, &report(Measure::Seam, 2.0));
        assert_eq!(factors, [FACTOR_OF_ALL * FACTOR_MIN; 3]);
    }
}
