//! What is seen in the levels alone: things that pass through and leave the place
//! as it was, and light that flickers.

use super::{CELL_PX, on_grid};
use crate::{
    flow::Pyramid,
    picture::{Plane, median},
};

/// A cell deviates from what it mostly shows by at least so many levels, and so many
/// standard deviations of the noise.
const DEVIATES_LEVELS: f32 = 10.0;
const DEVIATES_NOISES: f32 = 6.0;
/// It is calm within so many.
const CALM_LEVELS: f32 = 1.0;
const CALM_NOISES: f32 = 2.0;
/// What passes leaves a place calm for at least this share of the time.
const CALM_SHARE: f32 = 0.4;
/// Changes of light slower than this, in seconds, are the day's or the camera's.
const SLOW_LIGHT_S: f32 = 0.7;

/// What the levels say, on the network's grid.
pub(super) struct Seen {
    pub(super) calm: Plane<f32>,
    pub(super) passing: Plane<f32>,
    pub(super) light: Plane<f32>,
}

pub(super) fn seen(pyramids: &[Pyramid], times_s: &[f32], noise_levels: f32) -> Seen {
    let size_px = pyramids[0].size_px();
    let cells: Vec<Plane<f32>> = pyramids
        .iter()
        .map(|pyramid| on_grid(size_px, |x, y| [pyramid.at(x, y)]).map(|[level]| level))
        .collect();
    let (grid_width, grid_height) = (cells[0].width_px, cells[0].height_px);
    let of_cell = noise_levels / CELL_PX as f32;
    let count = cells.len() as f32;
    let reach = reach_of(times_s);
    let mut calm = Plane::filled(grid_width, grid_height, 0.0);
    let (mut passing, mut light) = (calm.clone(), calm.clone());
    let mut levels = Vec::with_capacity(cells.len());
    for index in 0..calm.samples.len() {
        levels.clear();
        levels.extend(cells.iter().map(|plane| plane.samples[index]));
        let usual = median(levels.clone());
        let off = |level: &&f32| (*level - usual).abs();
        let within = CALM_LEVELS + CALM_NOISES * noise_levels;
        let calm_share = levels.iter().filter(|level| off(level) < within).count() as f32 / count;
        let beyond = DEVIATES_LEVELS.max(DEVIATES_NOISES * noise_levels);
        let deviating = levels.iter().filter(|level| off(level) > beyond).count() as f32 / count;
        calm.samples[index] = calm_share;
        if calm_share >= CALM_SHARE {
            passing.samples[index] = deviating;
        }
        light.samples[index] = flicker(&levels, reach, of_cell);
    }
    Seen {
        calm,
        passing,
        light,
    }
}

/// Pictures on either side over which slow light is averaged.
fn reach_of(times_s: &[f32]) -> usize {
    let interval_s = (times_s[times_s.len() - 1] - times_s[0]) / (times_s.len() - 1) as f32;
    ((SLOW_LIGHT_S / interval_s / 2.0).round() as usize).max(1)
}

/// Amplitude of what changes faster than slow light, as a share of the level, without
/// what noise makes of it.
fn flicker(levels: &[f32], reach: usize, noise_levels: f32) -> f32 {
    let mean = levels.iter().sum::<f32>() / levels.len() as f32;
    let energy: f32 = levels
        .iter()
        .enumerate()
        .map(|(index, level)| {
            let around =
                &levels[index.saturating_sub(reach)..(index + reach + 1).min(levels.len())];
            let slow = around.iter().sum::<f32>() / around.len() as f32;
            (level - slow).powi(2)
        })
        .sum();
    let variance = (energy / levels.len() as f32 - noise_levels * noise_levels).max(0.0);
    // A wave's amplitude is the root of two times its deviation. Dark places have no
    // light to speak of.
    ((2.0 * variance).sqrt() / mean.max(16.0)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lamp_that_flickers_is_told_from_one_that_dims() {
        let of = |level: &dyn Fn(f32) -> f32| {
            let levels: Vec<f32> = (0..36).map(|index| level(index as f32 / 12.0)).collect();
            flicker(&levels, 4, 0.0)
        };
        let fire = of(&|t| 100.0 + 20.0 * (std::f32::consts::TAU * 3.0 * t).sin());
        assert!((0.15..0.25).contains(&fire), "{fire}");
        let dusk = of(&|t| 100.0 - 10.0 * t);
        assert!(dusk < 0.03, "{dusk}");
    }
}
