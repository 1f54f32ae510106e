//! How the camera moved: one turn, growth and shift for each whole picture, fitted
//! so that what moves in the scene has no say in it.

use rayon::prelude::*;

use super::{ObservationError, noise};
use crate::{
    flow::{FINEST_SCALE, Pyramid},
    picture::{Plane, median},
};

/// Farthest that a corner may have gone, as a share of the width.
pub const SHAKE_MAX: f32 = 0.01;
/// What a fit finds may be so many times too large.
const DOUBT: f32 = 1.1;
/// What agrees with a movement of the camera within so many pixels of the finest
/// scale is part of what stands.
const AGREES_PX: f32 = 0.3;
/// A camera rests if at least this part of what agrees with its movement within so many
/// pixels agrees with rest as well.
const RESTING_SHARE: f32 = 0.5;
const RESTING_PX: f32 = 0.1;
/// Share of the pictures in which it must not rest for it to rest in none of them.
const SHAKEN_SHARE: f32 = 0.3;
/// Least share that has to agree with a movement of the camera for it to be one.
const AGREEING_SHARE: f32 = 0.15;
/// Where nothing agrees with a movement of the camera it must be seen to rest: this
/// share of all that shows anything stands from picture to picture, in half of them;
/// what stands changes less than a shift by so many pixels and the noise would make it.
const STANDING_SHARE: f32 = 0.2;
const STANDING_PX: f32 = 0.1;
const STANDING_NOISES: f32 = 2.5;
/// Pictures of which nothing may agree before this is asked.
const UNKNOWN_SHARE: f32 = 0.2;
/// Slope in both directions, in levels per pixel, from which a shift is seen.
const SLOPE_MIN: f32 = 1.0;
/// Root mean square slope, in levels per pixel, from which a place shows anything.
const SLOPE_SHOWN: f32 = 1.0;
/// Pixels between two places that are looked at.
const STEP_PX: usize = 3;
/// Movements below this, in pixels of what was given, are not undone: to resample
/// a picture costs more detail than they do.
const UNDONE_PX: f32 = 0.08;
const ROUNDS: usize = 8;

/// A movement of the camera: what is at (x, y) from the centre has gone by
/// (`grow x - turn y + right`, `turn x + grow y + down`), in pixels of the finest
/// scale.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Shake {
    grow: f32,
    turn: f32,
    right: f32,
    down: f32,
}

impl Shake {
    fn at(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        [
            self.grow * x - self.turn * y + self.right,
            self.turn * x + self.grow * y + self.down,
        ]
    }

    /// How far the farthest corner has gone.
    fn reach_px(&self, [width, height]: [usize; 2]) -> f32 {
        let (x, y) = (width as f32 / 2.0, height as f32 / 2.0);
        let corners = [[x, y], [-x, y], [x, -y], [-x, -y]];
        let gone = corners.map(|corner| {
            let [right, down] = self.at(corner);
            right.hypot(down)
        });
        gone.into_iter().fold(0.0, f32::max)
    }
}

/// A place that can be seen to move, and how far it went.
struct Sighting {
    from_centre: [f32; 2],
    way: [f32; 2],
}

/// How the camera moved in a burst.
#[derive(Clone, Debug)]
pub(super) struct Shakes {
    /// Farthest that a corner went, as a share of the width.
    pub(super) share: f32,
    /// Of each picture.
    of_pictures: Vec<Shake>,
    /// Of the finest scale.
    size_px: [usize; 2],
}

impl Shakes {
    /// Whether a picture is out of place.
    pub(super) fn is_off(&self, index: usize) -> bool {
        self.of_pictures[index].reach_px(self.size_px) * FINEST_SCALE as f32 > UNDONE_PX
    }

    /// A plane of a picture, of any size, as the camera would have seen it at rest.
    pub(super) fn undo(&self, index: usize, plane: &Plane<f32>) -> Plane<f32> {
        undone(plane, &self.of_pictures[index], self.size_px)
    }
}

/// How the camera moved. `still` is where all the pictures should be.
pub(super) fn find(still: &Pyramid, pyramids: &[Pyramid]) -> Result<Shakes, ObservationError> {
    let size = still.size_px();
    let fits: Vec<Option<(Shake, bool)>> = pyramids
        .par_iter()
        .map(|pyramid| {
            let seen = sightings(still, &still.flow(pyramid));
            let shake = fit(&seen)?;
            let [rests, agrees] =
                [Shake::default(), shake].map(|shake| agreeing(&seen, &shake, RESTING_PX));
            Some((shake, rests >= RESTING_SHARE * agrees))
        })
        .collect();
    // A camera on a tripod is more likely than one that moves as little as many things
    // in its picture do; but one that is seen to move does not rest in between.
    let moved = fits.iter().flatten().filter(|(_, rests)| !rests).count();
    let shakes_all_the_time = moved as f32 >= SHAKEN_SHARE * fits.len() as f32;
    let shakes: Vec<Option<Shake>> = (fits.into_iter())
        .map(|fit| match fit? {
            (_, true) if !shakes_all_the_time => Some(Shake::default()),
            (shake, _) => Some(shake),
        })
        .collect();
    let known: Vec<&Shake> = shakes.iter().flatten().collect();
    let reach_px = known
        .iter()
        .map(|shake| shake.reach_px(size))
        .fold(0.0, f32::max);
    let share = reach_px / size[0] as f32;
    if share > DOUBT * SHAKE_MAX {
        return Err(ObservationError::Shake { share });
    }
    let lost = shakes.len() - known.len();
    if lost as f32 > UNKNOWN_SHARE * pyramids.len() as f32 && standing(pyramids) < STANDING_SHARE {
        return Err(ObservationError::Unsteady {
            lost,
            all: pyramids.len(),
        });
    }
    // Where nothing else agrees it is the scene that moves, and not as one.
    let of_pictures = shakes.into_iter().map(Option::unwrap_or_default).collect();
    Ok(Shakes {
        share,
        of_pictures,
        size_px: size,
    })
}

/// Median over pairs of pictures of the share of all that shows anything which stands.
fn standing(pyramids: &[Pyramid]) -> f32 {
    let variance = noise::levels(pyramids).powi(2);
    let shares: Vec<f32> = pyramids
        .par_windows(2)
        .map(|pair| standing_of(&pair[0], &pair[1], variance))
        .collect();
    median(shares)
}

fn standing_of(from: &Pyramid, to: &Pyramid, variance: f32) -> f32 {
    const REACH: usize = 2;
    let [width, height] = from.size_px();
    let (mut shows, mut stands) = (0.0f32, 0.0f32);
    for y in (REACH + 1..height - REACH - 1).step_by(STEP_PX) {
        for x in (REACH + 1..width - REACH - 1).step_by(STEP_PX) {
            let (mut slopes, mut changes) = (0.0f32, 0.0f32);
            for row in y - REACH..=y + REACH {
                for column in x - REACH..=x + REACH {
                    let across = (from.at(column + 1, row) - from.at(column - 1, row)) / 2.0;
                    let down = (from.at(column, row + 1) - from.at(column, row - 1)) / 2.0;
                    slopes += across * across + down * down;
                    changes += (to.at(column, row) - from.at(column, row)).powi(2);
                }
            }
            let area = ((2 * REACH + 1) * (2 * REACH + 1)) as f32;
            let least = area * (SLOPE_SHOWN * SLOPE_SHOWN + 2.0 * variance);
            if slopes < least {
                continue;
            }
            shows += 1.0;
            let most = STANDING_PX * STANDING_PX * slopes + STANDING_NOISES * area * variance;
            stands += f32::from(u8::from(changes < most));
        }
    }
    stands / shows.max(1.0)
}

fn sightings(still: &Pyramid, flow: &Plane<[f32; 2]>) -> Vec<Sighting> {
    let [width, height] = still.size_px();
    let centre = [width as f32 / 2.0, height as f32 / 2.0];
    let mut seen = Vec::new();
    for y in (1..height - 1).step_by(STEP_PX) {
        for x in (1..width - 1).step_by(STEP_PX) {
            let across = (still.at(x + 1, y) - still.at(x - 1, y)).abs() / 2.0;
            let down = (still.at(x, y + 1) - still.at(x, y - 1)).abs() / 2.0;
            if across.min(down) < SLOPE_MIN {
                continue;
            }
            seen.push(Sighting {
                from_centre: [x as f32 + 0.5 - centre[0], y as f32 + 0.5 - centre[1]],
                way: flow.at(x, y),
            });
        }
    }
    seen
}

fn distance(sighting: &Sighting, shake: &Shake) -> f32 {
    let [right, down] = shake.at(sighting.from_centre);
    (sighting.way[0] - right).hypot(sighting.way[1] - down)
}

fn agreeing(sightings: &[Sighting], shake: &Shake, within_px: f32) -> f32 {
    let agree = sightings
        .iter()
        .filter(|sighting| distance(sighting, shake) < within_px)
        .count();
    agree as f32 / sightings.len().max(1) as f32
}

/// The movement that most agree with, and their share; `None` if too few do.
fn fit(sightings: &[Sighting]) -> Option<Shake> {
    // What stands went the same way to a fraction of a pixel; what moves did not.
    let [right, down] = fullest_bin(sightings)?;
    let mut shake = Shake {
        right,
        down,
        ..Shake::default()
    };
    let mut within_px = 3.0 * AGREES_PX;
    for _ in 0..ROUNDS {
        shake = least_squares(sightings, &shake, within_px)?;
        within_px = (0.7 * within_px).max(AGREES_PX);
    }
    (agreeing(sightings, &shake, AGREES_PX) >= AGREEING_SHARE).then_some(shake)
}

/// The centre of the fullest of bins that overlap by half.
fn fullest_bin(sightings: &[Sighting]) -> Option<[f32; 2]> {
    use std::collections::BTreeMap;

    const SIDE_PX: f32 = 0.5;
    let mut bins: BTreeMap<[i32; 2], u32> = BTreeMap::new();
    for sighting in sightings {
        let [x, y] = sighting
            .way
            .map(|way| (way / (SIDE_PX / 2.0)).floor() as i32);
        for (left, above) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
            *bins.entry([x - left, y - above]).or_default() += 1;
        }
    }
    let (bin, _) = bins.iter().max_by_key(|(_, count)| **count)?;
    Some(bin.map(|at| (at + 1) as f32 * (SIDE_PX / 2.0)))
}

/// Tukey's biweight around the last guess, solved for the four numbers.
fn least_squares(sightings: &[Sighting], guess: &Shake, within_px: f32) -> Option<Shake> {
    // Normal equations of a similarity: the sums that they are made of.
    let (mut weight, mut sum_x, mut sum_y, mut squares) = (0.0f64, 0.0f64, 0.0f64, 0.0f64);
    let (mut right, mut down, mut along, mut around) = (0.0f64, 0.0f64, 0.0f64, 0.0f64);
    for sighting in sightings {
        let off = distance(sighting, guess) / within_px;
        if off >= 1.0 {
            continue;
        }
        let share = f64::from((1.0 - off * off).powi(2));
        let [x, y] = sighting.from_centre.map(f64::from);
        let [u, v] = sighting.way.map(f64::from);
        weight += share;
        sum_x += share * x;
        sum_y += share * y;
        squares += share * (x * x + y * y);
        right += share * u;
        down += share * v;
        along += share * (x * u + y * v);
        around += share * (x * v - y * u);
    }
    if weight < 3.0 {
        return None;
    }
    let (mean_x, mean_y) = (sum_x / weight, sum_y / weight);
    let spread = squares - weight * (mean_x * mean_x + mean_y * mean_y);
    if spread <= f64::EPSILON {
        return None;
    }
    let grow = (along - mean_x * right - mean_y * down) / spread;
    let turn = (around - mean_x * down + mean_y * right) / spread;
    Some(Shake {
        grow: grow as f32,
        turn: turn as f32,
        right: (right / weight - grow * mean_x + turn * mean_y) as f32,
        down: (down / weight - turn * mean_x - grow * mean_y) as f32,
    })
}

/// The picture as the camera would have seen it at rest.
fn undone(plane: &Plane<f32>, shake: &Shake, size_px: [usize; 2]) -> Plane<f32> {
    let (width, height) = (plane.width_px, plane.height_px);
    let [scale_x, scale_y] = [
        width as f32 / size_px[0] as f32,
        height as f32 / size_px[1] as f32,
    ];
    Plane::from_fn(width, height, |x, y| {
        let [right, down] = shake.at([
            (x as f32 + 0.5) / scale_x - size_px[0] as f32 / 2.0,
            (y as f32 + 0.5) / scale_y - size_px[1] as f32 / 2.0,
        ]);
        plane.bilinear(x as f32 + right * scale_x, y as f32 + down * scale_y)
    })
}

#[cfg(test)]
mod tests;
