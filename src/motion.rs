//! How each thing moves: the network's answer made safe to render.
//!
//! Units stay those of the network: widths of its input, seconds, its grid.

mod breath;

mod contour;

mod fusion;

mod gate;

mod luminary;

mod stars;

use std::f32::consts::{FRAC_PI_2, TAU};

pub use fusion::Shares;

use crate::{
    observation::Observation,
    picture::{Plane, smooth_noise, spread},
    request::Look,
    scene::{Class, HARMONIC_COUNT, REFERENCE_PERIOD_S, Scene},
};

/// Displacement of one harmonic at one cell: complex amplitudes, in widths.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Harmonic {
    /// Real and imaginary part of the displacement to the right.
    pub x: [f32; 2],
    /// Real and imaginary part of the displacement downwards.
    pub y: [f32; 2],
}

impl Harmonic {
    /// The same oscillation `angle` radians later.
    fn turned(self, angle: f32) -> Self {
        let (sine, cosine) = angle.sin_cos();
        let turn = |[re, im]: [f32; 2]| [re * cosine - im * sine, re * sine + im * cosine];
        Self {
            x: turn(self.x),
            y: turn(self.y),
        }
    }

    /// The same oscillation, less or more of it.
    fn scaled(self, factor: f32) -> Self {
        let scale = |part: [f32; 2]| part.map(|part| part * factor);
        Self {
            x: scale(self.x),
            y: scale(self.y),
        }
    }

    /// Real part of the product with a complex number, for x and y.
    fn times(self, [re, im]: [f32; 2]) -> [f32; 2] {
        [self.x, self.y].map(|own| own[0] * re - own[1] * im)
    }
}

/// How the picture moves, on the network's grid.
#[derive(Clone, Debug)]
pub struct Motion {
    /// How much of the motion is let through, 0 (frozen) to 1.
    pub gate: Plane<f32>,
    /// How far the things that rest as a whole let what stands there follow, 0 to 1:
    /// finer than the grid, so that the gate ends at their outlines.
    pub matte: Plane<f32>,
    /// Mean velocity to the right, in picture widths per second.
    pub flow_x: Plane<f32>,
    /// Mean velocity downwards, in picture widths per second.
    pub flow_y: Plane<f32>,
    /// Oscillation, one plane for each harmonic.
    pub harmonics: Vec<Plane<Harmonic>>,
    /// Turns of each harmonic in one turn of the loop, at least 1.
    pub turns: [u32; HARMONIC_COUNT],
    /// Amplitude of brightness flicker, 0..=1; not gated, since thrown light
    /// falls on things that do not move.
    pub light: Plane<f32>,
    /// Smooth noise, -1..=1, that lets regions run out of step.
    pub phase: Plane<f32>,
    /// Whether nothing was safe to move, so that it is the camera that moves.
    pub is_breath: bool,
}

/// Light below this amplitude is noise of the network.
const LIGHT_FLOOR: f32 = 0.06;
/// Displacement beyond this is no oscillation that a still can support, in
/// widths (root mean square over the loop).
pub const OSCILLATION_RMS_MAX: f32 = 0.012;
/// Flow slower than the first speed is noise of the network, faster than the
/// second is meant; in widths per second. Clouds in little wind drift at one and
/// a half times the second; leaves, which only sway, are mostly said to flow
/// slower than it.
const FLOW_NOISE: [f32; 2] = [0.004, 0.008];
/// The network's confidence in a flow that it expects to be off by so much, in widths
/// per second, is 1/e: `CONFIDENCE_SCALE` of the training.
const CONFIDENCE_SCALE: f32 = 0.02;
/// That error over the speed itself, between which a flow is no longer meant. What is
/// fast is off by more, and yet goes where it is said to.
const DOUBT: [f32; 2] = [0.8, 1.6];
/// How fast gusts cross the picture, in widths per second.
const GUST_WIDTHS_S: f32 = 0.4;
/// How far regions are out of step with the gusts, in turns of each harmonic.
const OUT_OF_STEP: f32 = 0.35;
/// Cells between a stream and what sways, since velocities are smoothed over a few of
/// them; and the probability of swaying between which the stream fades.
const CLEARANCE: usize = 3;
const SWAYS: [f32; 2] = [0.3, 0.6];
/// Fastest flow that is rendered, in widths per second.
pub const FLOW_MAX: f32 = 0.12;

impl Motion {
    /// The scene's motion for a loop of `period_s` seconds: of what moves in it,
    /// or of the camera if nothing is safe to move.
    pub fn imagine(scene: &Scene, period_s: f32, look: &Look) -> Self {
        Self::of_scene(scene, None, period_s, look).0
    }

    /// The same of a scene that was watched: what was measured where that is sure,
    /// what the network imagines where nothing could be seen; and how much is which.
    pub fn observe(
        scene: &Scene,
        observation: &Observation,
        period_s: f32,
        look: &Look,
    ) -> (Self, Shares) {
        Self::of_scene(scene, Some(observation), period_s, look)
    }

    /// A motion of the camera alone, whatever the scene shows.
    pub fn of_camera(scene: &Scene, period_s: f32, look: &Look) -> Self {
        let grid = &scene.seen.mobility;
        let size = (grid.width_px, grid.height_px);
        Self::breath(size, period_s, look.strength, look.seed)
    }

    /// Lowers flow and oscillation of every cell by a factor, 0 (stilled) to 1.
    pub fn calm(&mut self, factors: &Plane<f32>) {
        for flow in [&mut self.flow_x, &mut self.flow_y] {
            let cells = flow.samples.iter_mut().zip(&factors.samples);
            cells.for_each(|(flow, factor)| *flow *= factor);
        }
        for plane in &mut self.harmonics {
            let cells = plane.samples.iter_mut().zip(&factors.samples);
            cells.for_each(|(harmonic, factor)| *harmonic = harmonic.scaled(*factor));
        }
    }

    fn of_scene(
        scene: &Scene,
        observation: Option<&Observation>,
        period_s: f32,
        look: &Look,
    ) -> (Self, Shares) {
        let seen = &scene.seen;
        let movable = scene.movable();
        let (width, height) = (movable.width_px, movable.height_px);
        let shapeless = scene.probability(Class::is_shapeless);
        let shown = &scene.shown;
        let (mut gate, mut matte) =
            gate::gate([&movable, &shapeless], &seen.mobility, shown.segments());
        let sky = scene.probability(|class| class == Class::Sky);
        luminary::hold(&mut gate, shown.luma(), &sky);
        stars::hold(&mut gate, shown.luma(), &sky);
        let smoke = scene.probability(|class| class == Class::Smoke);
        contour::hold(&mut gate, &mut matte, &scene.still.planes.y, &smoke);
        let sways = scene.probability(Class::sways);
        let streams = streams(&sways);
        let speed_limit = |x: usize, y: usize| {
            let speed = seen.flow_x.at(x, y).hypot(seen.flow_y.at(x, y));
            meant(speed, seen.flow_confidence.at(x, y))
                * (FLOW_MAX / speed.max(FLOW_MAX))
                * streams.at(x, y)
        };
        let flow_x = Plane::from_fn(width, height, |x, y| {
            seen.flow_x.at(x, y) * speed_limit(x, y)
        });
        let flow_y = Plane::from_fn(width, height, |x, y| {
            seen.flow_y.at(x, y) * speed_limit(x, y)
        });
        let calm = Plane::from_fn(width, height, |x, y| {
            let power: f32 = seen.spectrum.iter().map(|p| p.at(x, y).powi(2)).sum();
            OSCILLATION_RMS_MAX / (power / 2.0).sqrt().max(OSCILLATION_RMS_MAX)
        });
        let [wind_x, wind_y] = scene.wind;
        let downwind = [wind_x, wind_y].map(|part| part / wind_x.hypot(wind_y).max(1e-3));
        let mut rng = fastrand::Rng::with_seed(look.seed);
        let apart = width.max(height) as f32 / 5.0;
        let turns = turns(period_s);
        let harmonics: Vec<Plane<Harmonic>> = seen
            .spectrum
            .chunks_exact(4)
            .zip(turns)
            .map(|(parts, turns)| {
                // The network turns all harmonics of a place by one angle. If
                // they kept it, they would add up everywhere at the same moments
                // and the whole picture would heave. Gusts instead cross it with
                // the wind, and regions are a little out of step with them.
                let noise = smooth_noise(width, height, apart, &mut rng);
                let gust = turns as f32 / period_s / GUST_WIDTHS_S / width as f32;
                let angle = |x: usize, y: usize| {
                    let along = x as f32 * downwind[0] + y as f32 * downwind[1];
                    TAU * (OUT_OF_STEP * noise.at(x, y) - gust * along)
                };
                Plane::from_fn(width, height, |x, y| {
                    let part = |index: usize| parts[index].at(x, y) * calm.at(x, y);
                    Harmonic {
                        x: [part(0), part(1)],
                        y: [part(2), part(3)],
                    }
                    .turned(angle(x, y))
                })
            })
            .collect();
        let mut motion = Self {
            gate,
            matte,
            flow_x,
            flow_y,
            harmonics,
            turns,
            light: seen
                .light
                .map(|v| ((v - LIGHT_FLOOR) / (1.0 - LIGHT_FLOOR)).clamp(0.0, 1.0)),
            phase: smooth_noise(width, height, width.max(height) as f32 / 6.0, &mut rng),
            is_breath: false,
        };
        let shares = observation.map(|seen| motion.fuse(scene, seen, [&sways, &streams], look));
        if motion.is_rest() {
            motion = Self::of_camera(scene, period_s, look);
        } else {
            let change = visible_change(&scene.still.planes.y, &motion.gate);
            start_at_an_ordinary_moment(&mut motion.harmonics, &turns, &change);
        }
        (motion, shares.unwrap_or_default())
    }
}

/// How far a flow of a speed and a confidence of the network is more than its noise, 0..=1.
fn meant(speed: f32, confidence: f32) -> f32 {
    let error = -CONFIDENCE_SCALE * confidence.clamp(f32::MIN_POSITIVE, 1.0).ln();
    let doubt = smoothstep(DOUBT, error / speed.max(f32::MIN_POSITIVE));
    smoothstep(FLOW_NOISE, speed) * (1.0 - doubt)
}

/// How far each cell may flow, 0..=1: not where something is near that sways where
/// it stands, for the stream would carry its edge along.
fn streams(sways: &Plane<f32>) -> Plane<f32> {
    spread(sways, CLEARANCE, f32::max).map(|most| 1.0 - smoothstep(SWAYS, most))
}

/// How much the picture changes at each cell when what stands there moves to
/// the right or down: mean gradient of the luma, times the gate.
fn visible_change(luma: &Plane<u8>, gate: &Plane<f32>) -> Plane<[f32; 2]> {
    Plane::from_fn(gate.width_px, gate.height_px, |x, y| {
        let left = x * luma.width_px / gate.width_px;
        let right = ((x + 1) * luma.width_px / gate.width_px).min(luma.width_px - 1);
        let top = y * luma.height_px / gate.height_px;
        let bottom = ((y + 1) * luma.height_px / gate.height_px).min(luma.height_px - 1);
        let (mut across, mut down, mut count) = (0.0f32, 0.0f32, 1.0f32);
        for row in top..bottom {
            for column in left..right {
                let here = luma.at(column, row);
                across += f32::from(here.abs_diff(luma.at(column + 1, row)));
                down += f32::from(here.abs_diff(luma.at(column, row + 1)));
                count += 1.0;
            }
        }
        [across, down].map(|sum| sum / count * gate.at(x, y))
    })
}

/// The still is the first frame, at whatever moment of the oscillation. Taking
/// one at which speed and acceleration are neither high nor low keeps the seam
/// from being the calmest or the wildest step of the loop.
fn start_at_an_ordinary_moment(
    harmonics: &mut [Plane<Harmonic>],
    turns: &[u32; HARMONIC_COUNT],
    change: &Plane<[f32; 2]>,
) {
    const MOMENTS: usize = 96;
    // Less than ordinary, since leaving the still's own pixels adds to it.
    const CALM: f32 = 0.9;
    let size_at = |order: u32, moment: usize| {
        let time = TAU * moment as f32 / MOMENTS as f32;
        // `(i w)^order e^(i w t)` with `w = turns`: with an amplitude it gives
        // displacement, velocity and acceleration.
        let factors = turns.map(|turns| {
            let turns = turns as f32;
            let (sine, cosine) = (turns * time + order as f32 * FRAC_PI_2).sin_cos();
            [cosine, sine].map(|part| turns.powi(order as i32) * part)
        });
        let mut sum = 0.0;
        let cells = change.samples.iter().enumerate();
        for (cell, [across, down]) in cells.filter(|(_, change)| **change != [0.0; 2]) {
            let mut total = [0.0f32; 2];
            for (plane, factor) in harmonics.iter().zip(factors) {
                let part = plane.samples[cell].times(factor);
                total = [total[0] + part[0], total[1] + part[1]];
            }
            sum += across * total[0].abs() + down * total[1].abs();
        }
        sum
    };
    let relative_to_median = |order: u32| {
        let sizes: Vec<f32> = (0..MOMENTS).map(|moment| size_at(order, moment)).collect();
        let mut sorted = sizes.clone();
        sorted.sort_by(f32::total_cmp);
        let median = sorted[MOMENTS / 2].max(f32::MIN_POSITIVE);
        sizes.into_iter().map(move |size| size / median)
    };
    let start = relative_to_median(1)
        .zip(relative_to_median(2))
        .map(|(speed, acceleration)| (speed - 1.0).abs().max((acceleration - CALM).abs()))
        .enumerate()
        .min_by(|(_, a), (_, b)| a.total_cmp(b))
        .map_or(0, |(moment, _)| moment);
    let time = TAU * start as f32 / MOMENTS as f32;
    for (plane, turns) in harmonics.iter_mut().zip(turns) {
        for harmonic in &mut plane.samples {
            *harmonic = harmonic.turned(*turns as f32 * time);
        }
    }
}

/// How often each harmonic turns in a loop of `period_s`: the whole number
/// nearest to its own frequency. In long loops odd and even harmonics are moved
/// apart by one turn, so that the motion does not repeat every four seconds.
fn turns(period_s: f32) -> [u32; HARMONIC_COUNT] {
    std::array::from_fn(|index| {
        let exact = (index + 1) as f32 * period_s / REFERENCE_PERIOD_S;
        let nearest = exact.round().max(1.0) as u32;
        let spread = period_s >= 1.5 * REFERENCE_PERIOD_S && index % 2 == 1;
        nearest + u32::from(spread)
    })
}

fn smoothstep([from, to]: [f32; 2], value: f32) -> f32 {
    let t = ((value - from) / (to - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmonics_keep_their_frequency_in_loops_of_any_length() {
        assert_eq!(turns(4.0), [1, 2, 3, 4, 5, 6, 7, 8]);
        for period_s in [0.5, 2.0, 10.0, 20.0, 60.0] {
            for (index, turns) in turns(period_s).iter().enumerate() {
                let wanted_hz = (index + 1) as f32 / REFERENCE_PERIOD_S;
                let off = (*turns as f32 / period_s - wanted_hz).abs();
                assert!(
                    *turns >= 1 && off <= 1.8 / period_s,
                    "{period_s} s, harmonic {index}"
                );
            }
        }
    }

    #[test]
    fn a_flow_is_meant_if_it_is_faster_than_it_is_expected_to_be_off() {
        let confidence = |error: f32| (-error / CONFIDENCE_SCALE).exp();
        assert_eq!(meant(0.01, 1.0), 1.0);
        assert_eq!(meant(0.003, 1.0), 0.0);
        assert_eq!(
            [0.02, 0.1].map(|speed| meant(speed, confidence(0.7 * speed))),
            [1.0, 1.0]
        );
        assert_eq!(
            [0.02, 0.1].map(|speed| meant(speed, confidence(1.7 * speed))),
            [0.0, 0.0]
        );
        assert_eq!(meant(0.02, 0.0), 0.0);
    }

    #[test]
    fn a_stream_keeps_clear_of_what_sways() {
        let sways = Plane::from_fn(30, 8, |x, _| f32::from(u8::from(x < 10)));
        let streams = streams(&sways);
        let row: Vec<f32> = (0..30).map(|x| streams.at(x, 4)).collect();
        assert!(row[..10 + CLEARANCE].iter().all(|share| *share == 0.0));
        assert!(row[10 + CLEARANCE..].iter().all(|share| *share == 1.0));
    }

    #[test]
    fn a_smooth_step_is_flat_at_both_ends() {
        assert_eq!(smoothstep([0.5, 1.0], 0.4), 0.0);
        assert_eq!(smoothstep([0.5, 1.0], 1.0), 1.0);
        assert!((smoothstep([0.0, 1.0], 0.5) - 0.5).abs() < 1e-6);
    }
}
