//! The still without those who pass by: what the place mostly shows, where the still
//! shows something else.

use rayon::prelude::*;

use super::Observation;
use crate::picture::{Plane, Yuv420, box_mean, median, region_of, spread};

/// Levels of luma or chroma by which the still must differ from what the place mostly
/// shows, to be painted over.
const DIFFERS_LEVELS: f32 = 14.0;
/// Pictures that show the same within so many levels agree …
const AGREES_LEVELS: u8 = 8;
/// … and what this share of them agrees on is the place itself; less may be the ghost
/// of somebody who stood there.
const AGREES_SHARE: f32 = 0.35;
/// Share of a region that must be known for it to be painted over; half a person is
/// worse than a whole one.
const KNOWN_SHARE: f32 = 0.7;
/// Smaller regions are noise, in pixels of the pictures.
const REGION_PX_MIN: usize = 12;
/// A region of which so much moves by itself all the time is not painted over: it
/// differs from what it mostly shows because it moves.
const MOVES_SHARE: f32 = 0.5;
const MOVES_RATIO: f32 = 1.0;
const MOVES_ACTIVITY: f32 = 0.75;
const MOVES_CALM: f32 = 0.15;
/// Pixels of the pictures by which what is painted over reaches farther, for shadows
/// and soft edges, and over which it fades.
const REACH_PX: usize = 5;
const FADE_PX: usize = 3;

/// A still, painted.
#[derive(Clone, Debug)]
pub struct Plate {
    /// The picture.
    pub planes: Yuv420,
    /// Share of it that was painted over.
    pub painted_share: f32,
    /// Share of it that differs from the pictures, but of which they do not show
    /// either what is behind.
    pub ghost_share: f32,
}

impl Plate {
    /// Paints the still with what most of the pictures show, in their own colours.
    pub(super) fn of(still: &Yuv420, pictures: &[Yuv420], observation: &Observation) -> Self {
        let (width, height) = (pictures[0].width_px(), pictures[0].height_px());
        let usual = usual(pictures);
        let small = [&still.y, &still.u, &still.v].map(|plane| {
            let parts = still.width_px() / plane.width_px;
            plane.shrunk(width / parts, height / parts)
        });
        let gains = gains(&small, &usual);
        let differs = Plane::from_fn(width, height, |x, y| {
            let off = |plane: usize| {
                let (x, y) = if plane == 0 { (x, y) } else { (x / 2, y / 2) };
                (small[plane].at(x, y) - usual[plane].level.at(x, y) - gains[plane]).abs()
            };
            off(0).max(off(1)).max(off(2)) > DIFFERS_LEVELS
        });
        let moves = |x: usize, y: usize| {
            let grid = &observation.ratio;
            let (x, y) = (x * grid.width_px / width, y * grid.height_px / height);
            grid.at(x, y) > MOVES_RATIO
                && observation.activity.at(x, y) > MOVES_ACTIVITY
                && observation.calm.at(x, y) < MOVES_CALM
        };
        let is_known = |x: usize, y: usize| usual[0].agreeing.at(x, y) >= AGREES_SHARE;
        // Lone pixels are noise or an edge that stands a little elsewhere; a belt or a
        // shirt of the colour of the street is part of who wears it.
        let core = spread(&differs, 1, |a, b| a && b);
        let differs = spread(&core, 1, |a, b| a || b);
        let near = spread(&differs, REACH_PX, |a, b| a || b);
        let mut is_seen = near.map(|is_near| !is_near);
        let (mut painted, mut ghosts) = (near.map(|_| 0.0f32), near.map(|_| 0.0f32));
        for start in 0..near.samples.len() {
            if is_seen.samples[start] {
                continue;
            }
            let region = region_of(start, &mut is_seen);
            let core = || region.iter().filter(|at| differs.samples[**at]);
            let known = core()
                .filter(|at| is_known(**at % width, **at / width))
                .count();
            let restless = core()
                .filter(|at| moves(**at % width, **at / width))
                .count();
            let all = core().count();
            if all < REGION_PX_MIN || restless as f32 > MOVES_SHARE * all as f32 {
                continue;
            }
            let is_plain = known as f32 >= KNOWN_SHARE * all as f32;
            let into = if is_plain { &mut painted } else { &mut ghosts };
            for at in region {
                into.samples[at] = 1.0;
            }
        }
        let area = (width * height) as f32;
        let share = |cells: &Plane<f32>| cells.samples.iter().sum::<f32>() / area;
        let weight = box_mean(&painted, FADE_PX);
        let mut planes = still.clone();
        let all = [&mut planes.y, &mut planes.u, &mut planes.v];
        for (index, plane) in all.into_iter().enumerate() {
            let (wide, high) = (plane.width_px, plane.height_px);
            let weight = weight.resized(wide, high);
            let level = usual[index].level.resized(wide, high);
            for (at, sample) in plane.samples.iter_mut().enumerate() {
                let share = weight.samples[at];
                if share > 0.0 {
                    let over = level.samples[at] + gains[index];
                    let mixed = f32::from(*sample) * (1.0 - share) + over * share;
                    *sample = mixed.round().clamp(0.0, 255.0) as u8;
                }
            }
        }
        Self {
            painted_share: share(&weight),
            ghost_share: share(&ghosts),
            planes,
        }
    }
}

/// What one plane mostly shows, and the share of pictures that show it.
struct Usual {
    level: Plane<f32>,
    agreeing: Plane<f32>,
}

fn usual(pictures: &[Yuv420]) -> [Usual; 3] {
    let of = |plane: &(dyn Fn(&Yuv420) -> &Plane<u8> + Sync)| {
        let first = plane(&pictures[0]);
        let both: Vec<(f32, f32)> = (0..first.samples.len())
            .into_par_iter()
            .map_init(
                || Vec::with_capacity(pictures.len()),
                |levels, at| {
                    levels.clear();
                    levels.extend(pictures.iter().map(|picture| plane(picture).samples[at]));
                    levels.sort_unstable();
                    most_agreed(levels)
                },
            )
            .collect();
        let plane_of = |samples: Vec<f32>| Plane {
            width_px: first.width_px,
            height_px: first.height_px,
            samples,
        };
        let (level, agreeing) = both.into_iter().unzip();
        Usual {
            level: plane_of(level),
            agreeing: plane_of(agreeing),
        }
    };
    [
        of(&|picture| &picture.y),
        of(&|picture| &picture.u),
        of(&|picture| &picture.v),
    ]
}

/// The level that most of some sorted levels agree on, the mean of these, and their
/// share. A place is seen for longer than any one thing that passes; the median
/// instead would mix all of them where it is seen for less than half of the time.
fn most_agreed(sorted: &[u8]) -> (f32, f32) {
    let mut best = 0..0;
    let mut end = 0;
    for (start, level) in sorted.iter().enumerate() {
        while end < sorted.len() && sorted[end] - level <= 2 * AGREES_LEVELS {
            end += 1;
        }
        if end - start > best.len() {
            best = start..end;
        }
    }
    let agreed = &sorted[best];
    let sum: f32 = agreed.iter().map(|level| f32::from(*level)).sum();
    let count = agreed.len() as f32;
    (sum / count, count / sorted.len() as f32)
}

/// By how much the still is lighter than the pictures, for each plane: the median of
/// the differences, since exposures differ between a camera's modes.
fn gains(still: &[Plane<f32>; 3], usual: &[Usual; 3]) -> [f32; 3] {
    std::array::from_fn(|plane| {
        let pairs = still[plane].samples.iter().zip(&usual[plane].level.samples);
        median(pairs.map(|(still, usual)| still - usual).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_what_most_pictures_agree_on() {
        // Seen in four of ten; others pass in turn.
        let mut levels = [100, 101, 102, 103, 20, 60, 150, 180, 220, 250];
        levels.sort_unstable();
        let (level, share) = most_agreed(&levels);
        assert!((level - 101.5).abs() < 0.01, "{level}");
        assert!((share - 0.4).abs() < 0.01, "{share}");
    }

    #[test]
    fn an_even_place_is_agreed_on_by_all() {
        assert_eq!(most_agreed(&[7; 26]), (7.0, 1.0));
        assert_eq!(most_agreed(&[0, 255]).1, 0.5);
    }
}
