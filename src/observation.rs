//! What was seen to move while the camera watched the scene before the still.
//!
//! The pictures of a burst are decoded to the size of the network's input, put in
//! place where the camera shook, and the dense flow from each to the next is taken
//! apart at every cell of the network's grid: a mean, an oscillation, and the noise
//! of the sensor, which says how much of it could be chance. Whoever passes through
//! is told from what moves where it is; [`plate`] paints the still without them.
//!
//! It measures and does not judge: what is made of it, together with what the
//! network imagines, is said in [`crate::motion`].

mod account;

mod error;

mod noise;

mod passers;

pub mod plate;

mod rhythm;

mod shake;

mod swing;

mod watched;

use rayon::prelude::*;

pub use self::{
    account::{Account, Observed},
    error::ObservationError,
    shake::SHAKE_MAX,
};
use self::{plate::Plate, rhythm::Rhythms, swing::Analysis, watched::Watched};
use crate::{
    burst::Burst,
    flow::{FINEST_SCALE, Pyramid},
    picture::{Plane, Yuv420, median, spread},
    scene::{GRID_STRIDE_PX, HARMONIC_COUNT, Profile},
    still::Limits,
};

/// Speed, in widths per second, at which a thing moves beyond doubt where noise
/// does not count; see [`Observation::ratio`]. Found on clips of sources that the
/// bounds are not told by: `models/README.md` has the figures.
const SPEED_SEEN: f32 = 0.0060;
/// Speeds that noise alone makes are at most so many times its standard deviation
/// for one pair of pictures: most of it is faster than what is looked for.
const NOISE_SPEEDS: f32 = 1.5;
/// Noise between which the network is no longer asked what it would have been that
/// noise hides, in levels of the finest scale: it sees the same noise in the still,
/// and moves more that stands the more of it there is.
const NOISE_LEVELS: [f32; 2] = [0.7, 1.2];
/// A thing is in motion in those pairs in which its speed, without noise, exceeds
/// this, in widths per second, or so many standard deviations of the noise.
const ACTIVE_SPEED: f32 = 0.006;
const ACTIVE_NOISES: f32 = 1.2;
/// What is faster than the usual speed of its place so many times, is something that
/// passes there or a patch that was lost.
const USUAL_SPEEDS: f32 = 4.0;
/// How like the last picture of the burst the still must be, and how like all others,
/// between which large things may have moved: correlation of luma.
const ALIKE_LAST: f32 = 0.5;
const ALIKE: f32 = 0.25;

/// What was measured, on the network's grid; x to the right, y downwards.
#[derive(Clone, Debug)]
pub struct Observation {
    /// What it was measured from.
    pub watch: Watch,
    /// Speed over the speed from which a thing moves beyond doubt, which the noise
    /// sets: above 1 it moves.
    pub ratio: Plane<f32>,
    /// How far want of texture would hide a motion that is worth showing, 0 (not at
    /// all) to 1; nothing counts as hidden in a picture that is all noise.
    pub unseen: Plane<f32>,
    /// Share of the time in which it is in motion.
    pub activity: Plane<f32>,
    /// Share of the time in which the picture there is as it mostly is.
    pub calm: Plane<f32>,
    /// Share of the time in which something passes there that does not belong.
    pub passing: Plane<f32>,
    /// Mean velocity to the right, in widths of the network's input per second.
    pub flow_x: Plane<f32>,
    /// Mean velocity downwards, in the same unit.
    pub flow_y: Plane<f32>,
    /// Size of the mean velocity over that of all velocity, 0..=1.
    pub steadiness: Plane<f32>,
    /// Displacement harmonics in widths, the still at their phase 0, as the network
    /// says them: real and imaginary part of x, then of y.
    pub harmonics: Vec<Plane<[f32; 4]>>,
    /// Amplitude of brightness flicker, 0..=1.
    pub light: Plane<f32>,
}

/// What an observation rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Watch {
    /// Pictures that were used.
    pub pictures: usize,
    /// Time from the first of them to the still, in seconds.
    pub seconds: f32,
    /// Noise of the sensor in this light: its standard deviation in the pictures as
    /// they were measured, in levels of 0 to 255.
    pub noise_levels: f32,
    /// Farthest that a corner of the picture went with the camera, as a share of the
    /// width.
    pub shake: f32,
    /// The scene's own rhythm, in hertz, if one stands out.
    pub rhythm_hz: Option<f32>,
}

impl Watch {
    /// Length of a loop that keeps the scene's rhythm, in milliseconds.
    pub fn loop_ms(&self) -> Option<u32> {
        self.rhythm_hz.map(rhythm::loop_ms)
    }
}

/// Measures what moves in a burst, and paints over who passes by in the still if
/// that is wanted.
///
/// # Errors
/// [`ObservationError`] with the reason why nothing can be told from it.
pub fn observe(
    burst: &Burst,
    still: &Yuv420,
    profile: Profile,
    limits: &Limits,
    wants_plate: bool,
) -> Result<(Observation, Option<Plate>), ObservationError> {
    let watched = Watched::decode(burst, limits, still, profile, wants_plate)?;
    let luma = watched::luma(&still.y, profile);
    for (index, seen) in watched.lumas.iter().rev().enumerate() {
        let alike = correlation(&luma, seen);
        let needed = if index == 0 { ALIKE_LAST } else { ALIKE };
        if alike < needed {
            return Err(ObservationError::Unlike { alike, needed });
        }
    }
    let mut pyramids: Vec<Pyramid> = watched.lumas.par_iter().map(Pyramid::of).collect();
    let shakes = shake::find(&Pyramid::of(&luma), &pyramids)?;
    let off = pyramids.par_iter_mut().zip(&watched.lumas).enumerate();
    off.filter(|(index, _)| shakes.is_off(*index))
        .for_each(|(index, (pyramid, luma))| *pyramid = Pyramid::of(&shakes.undo(index, luma)));
    drop(watched.lumas);
    let observation = measure(&pyramids, &watched.times_s, shakes.share);
    drop(pyramids);
    let plate = wants_plate.then(|| {
        let mut previews = watched.previews;
        let off = previews.par_iter_mut().enumerate();
        off.filter(|(index, _)| shakes.is_off(*index))
            .for_each(|(index, preview)| {
                for plane in [&mut preview.y, &mut preview.u, &mut preview.v] {
                    let steady = shakes.undo(index, &plane.map(f32::from));
                    *plane = steady.map(|level| level.round() as u8);
                }
            });
        Plate::of(still, &previews, &observation)
    });
    Ok((observation, plate))
}

/// Measures pictures of a camera at rest, or that were put in place after it went as
/// far as `shake`, at moments in seconds, the still at 0.
pub fn measure(pyramids: &[Pyramid], times_s: &[f32], shake: f32) -> Observation {
    let size_px = pyramids[0].size_px();
    let width_px = size_px[0] as f32;
    let noise_levels = noise::levels(pyramids);
    let velocities: Vec<Plane<[f32; 2]>> = pyramids
        .par_windows(2)
        .zip(times_s.par_windows(2))
        .map(|(pair, moments)| {
            let unit = 1.0 / width_px / (moments[1] - moments[0]);
            let flow = pair[0].flow(&pair[1]);
            on_grid(size_px, |x, y| flow.at(x, y).map(|way| way * unit))
        })
        .collect();
    let moments: Vec<f32> = times_s
        .windows(2)
        .map(|pair| (pair[0] + pair[1]) / 2.0)
        .collect();
    let mean = Plane::from_fn(size_px[0], size_px[1], |x, y| {
        let sum: f32 = pyramids.iter().map(|pyramid| pyramid.at(x, y)).sum();
        sum / pyramids.len() as f32
    });
    let span_s = moments[moments.len() - 1] - moments[0];
    let rate = (moments.len() - 1) as f32 / span_s;
    let floor = noise::of_flow(&mean, noise_levels);
    let floor = on_grid(size_px, |x, y| [floor.at(x, y)]).map(|[px]| px / width_px * rate);

    let analysis = Analysis::of(&moments);
    let cells = analysed(&velocities, &analysis, &floor);
    let (grid_width, grid_height) = (floor.width_px, floor.height_px);
    let from = |value: &dyn Fn(&Cell) -> f32| Plane {
        width_px: grid_width,
        height_px: grid_height,
        samples: cells.iter().map(value).collect(),
    };
    // A patch is wider than a cell and carries the motion of what it touches beyond
    // its edge: the calmest of nine knows better.
    let slow = spread(&from(&|cell| cell.slow), 1, f32::min);
    let seen_from = floor.map(|floor| SPEED_SEEN.hypot(NOISE_SPEEDS * floor));
    let ratio = Plane::from_fn(grid_width, grid_height, |x, y| {
        slow.at(x, y) / seen_from.at(x, y)
    });
    let [good, bad] = NOISE_LEVELS;
    let trusted = ((bad - noise_levels) / (bad - good)).clamp(0.0, 1.0);
    let unseen = floor.map(|floor| {
        let hidden = NOISE_SPEEDS * floor / SPEED_SEEN;
        (hidden - 1.0).clamp(0.0, 1.0) * trusted
    });
    let activity = spread(&from(&|cell| cell.activity), 1, f32::min);
    let mut rhythms = Rhythms::at(&moments);
    let swinging = ratio.samples.iter().zip(&activity.samples).enumerate();
    for (index, _) in swinging.filter(|(_, (ratio, activity))| **ratio > 1.0 && **activity > 0.5) {
        for axis in 0..2 {
            let heard: Vec<f32> = velocities
                .iter()
                .map(|plane| plane.samples[index][axis])
                .collect();
            rhythms.hear(&heard);
        }
    }
    let seen = passers::seen(pyramids, times_s, noise_levels);
    Observation {
        watch: Watch {
            pictures: pyramids.len(),
            seconds: -times_s[0],
            noise_levels,
            shake,
            rhythm_hz: rhythms.strongest_hz(),
        },
        ratio,
        unseen,
        activity,
        calm: seen.calm,
        passing: seen.passing,
        flow_x: from(&|cell| cell.mean[0]),
        flow_y: from(&|cell| cell.mean[1]),
        steadiness: from(&|cell| cell.steadiness),
        harmonics: (0..HARMONIC_COUNT)
            .map(|index| Plane {
                width_px: grid_width,
                height_px: grid_height,
                samples: cells.iter().map(|cell| cell.harmonics[index]).collect(),
            })
            .collect(),
        light: seen.light,
    }
}

/// What a cell does.
struct Cell {
    /// Root mean square of the slow velocity.
    slow: f32,
    activity: f32,
    mean: [f32; 2],
    steadiness: f32,
    harmonics: [[f32; 4]; HARMONIC_COUNT],
}

fn analysed(velocities: &[Plane<[f32; 2]>], analysis: &Analysis, floor: &Plane<f32>) -> Vec<Cell> {
    let count = velocities.len() as f32;
    (0..floor.samples.len())
        .into_par_iter()
        .map(|index| {
            let least = ACTIVE_SPEED.hypot(ACTIVE_NOISES * floor.samples[index]);
            let [along_x, along_y] = usual_velocities(velocities, index, least);
            let swings = [analysis.swing(&along_x), analysis.swing(&along_y)];
            let all = swings.iter().flat_map(|swing| &swing.slow);
            let slow = (all.map(|speed| speed * speed).sum::<f32>() / count).sqrt();
            let pairs = swings[0].fast.iter().zip(&swings[1].fast);
            let active = pairs.filter(|(x, y)| x.hypot(**y) > least).count();
            let mean = [swings[0].mean, swings[1].mean];
            Cell {
                slow,
                activity: active as f32 / count,
                mean,
                steadiness: (mean[0].hypot(mean[1]) / slow.max(f32::MIN_POSITIVE)).min(1.0),
                harmonics: std::array::from_fn(|harmonic| {
                    let [[re_x, im_x], [re_y, im_y]] =
                        [swings[0].harmonics[harmonic], swings[1].harmonics[harmonic]];
                    [re_x, im_x, re_y, im_y]
                }),
            }
        })
        .collect()
}

/// Velocities at a cell, those that are out of the usual shortened.
fn usual_velocities(velocities: &[Plane<[f32; 2]>], index: usize, least: f32) -> [Vec<f32>; 2] {
    let speeds: Vec<f32> = velocities
        .iter()
        .map(|plane| {
            let [x, y] = plane.samples[index];
            x.hypot(y)
        })
        .collect();
    let most = USUAL_SPEEDS * median(speeds.clone()).max(least);
    [0, 1].map(|axis| {
        let all = velocities.iter().zip(&speeds);
        all.map(|(plane, speed)| plane.samples[index][axis] * most / speed.max(most))
            .collect()
    })
}

/// Pixels of the finest scale in a cell of the network's grid, in each direction.
const CELL_PX: usize = GRID_STRIDE_PX / FINEST_SCALE;

/// The mean over each cell of the network's grid of what is at the pixels of the
/// finest scale.
fn on_grid<const PARTS: usize>(
    [width, height]: [usize; 2],
    at: impl Fn(usize, usize) -> [f32; PARTS],
) -> Plane<[f32; PARTS]> {
    Plane::from_fn(width / CELL_PX, height / CELL_PX, |x, y| {
        let mut sums = [0.0; PARTS];
        for row in y * CELL_PX..(y + 1) * CELL_PX {
            for column in x * CELL_PX..(x + 1) * CELL_PX {
                for (sum, part) in sums.iter_mut().zip(at(column, row)) {
                    *sum += part;
                }
            }
        }
        sums.map(|sum| sum / (CELL_PX * CELL_PX) as f32)
    })
}

fn correlation(a: &Plane<f32>, b: &Plane<f32>) -> f32 {
    let mean = |plane: &Plane<f32>| plane.samples.iter().sum::<f32>() / plane.samples.len() as f32;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut ab, mut aa, mut bb) = (0.0f32, 0.0f32, 0.0f32);
    for (a, b) in a.samples.iter().zip(&b.samples) {
        let (a, b) = (a - mean_a, b - mean_b);
        ab += a * b;
        aa += a * a;
        bb += b * b;
    }
    // Two even pictures are alike.
    if aa.max(bb) < a.samples.len() as f32 {
        return 1.0;
    }
    ab / (aa * bb).sqrt().max(f32::MIN_POSITIVE)
}

#[cfg(test)]
mod tests;
