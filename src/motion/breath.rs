//! A gentle movement of the camera, for pictures in which nothing is safe to
//! move: better than a dead frame, and better than a wobbling wall.

use std::f32::consts::{FRAC_PI_2, PI};

use super::{Harmonic, Motion, turns};
use crate::{
    picture::Plane,
    scene::{HARMONIC_COUNT, REFERENCE_PERIOD_S},
};

/// If a smaller share of the picture moves, nobody would see it.
const MOVING_SHARE_MIN: f32 = 0.004;
/// How much larger the picture is half-way through a breath, as a share.
const GROWTH: f32 = 0.03;
/// How far the way aside may turn from the long side of the picture, in radians.
const TURN_MAX: f32 = 0.35;

impl Motion {
    /// Whether too little moves to be seen.
    pub(super) fn is_rest(&self) -> bool {
        let cells = self.gate.samples.iter().enumerate();
        let moving: f32 = cells
            .map(|(cell, gate)| {
                let flows = self.flow_x.samples[cell] != 0.0 || self.flow_y.samples[cell] != 0.0;
                let sways = |plane: &Plane<Harmonic>| plane.samples[cell] != Harmonic::default();
                let moves = flows || self.harmonics.iter().any(sways);
                let shines = self.light.samples[cell] > 0.0;
                f32::max(
                    gate * f32::from(u8::from(moves)),
                    f32::from(u8::from(shines)),
                )
            })
            .sum();
        moving < MOVING_SHARE_MIN * self.gate.samples.len() as f32
    }

    /// The whole picture grows a little and shrinks again while it moves aside
    /// and back. `strength` 0..=1 scales it; the seed chooses where to.
    pub(super) fn breath(
        (width, height): (usize, usize),
        period_s: f32,
        strength: f32,
        seed: u64,
    ) -> Self {
        let still = Plane::filled(width, height, 0.0);
        let turns = turns(period_s);
        // A short loop is no reason to pant.
        let calm = (period_s / turns[0] as f32 / REFERENCE_PERIOD_S).min(1.0);
        let amount = strength * calm;
        let centre = [width, height].map(|side| (side as f32 - 1.0) / 2.0);
        let from_centre = |x: usize, y: usize| {
            [x as f32 - centre[0], y as f32 - centre[1]].map(|cells| cells / width as f32)
        };
        // Aside as fast as the growing moves an average pixel, so that the
        // camera never stops; along the long side, where the growth hides the
        // edge but for about a thousandth of the width.
        let distances = Plane::from_fn(width, height, |x, y| {
            let [right, down] = from_centre(x, y);
            right.hypot(down)
        });
        let mean = distances.samples.iter().sum::<f32>() / distances.samples.len() as f32;
        let pan = 0.5 * GROWTH * mean;
        let mut rng = fastrand::Rng::with_seed(seed);
        let along = if width < height { FRAC_PI_2 } else { 0.0 };
        let turn = TURN_MAX * (2.0 * rng.f32() - 1.0) + PI * f32::from(u8::from(rng.bool()));
        let (sine, cosine) = (along + turn).sin_cos();
        // Displacement is Re(S (e^(i a) - 1)): the real part grows and shrinks
        // with 1 - cos a, the imaginary part goes aside with sin a.
        let part = |from_centre: f32, aside: f32| {
            [-0.5 * amount * GROWTH * from_centre, -amount * pan * aside]
        };
        let swing = Plane::from_fn(width, height, |x, y| {
            let [right, down] = from_centre(x, y);
            Harmonic {
                x: part(right, cosine),
                y: part(down, sine),
            }
        });
        let none = Plane::filled(width, height, Harmonic::default());
        let mut harmonics = vec![none; HARMONIC_COUNT];
        harmonics[0] = swing;
        Self {
            gate: Plane::filled(width, height, 1.0),
            matte: Plane::filled(width, height, 1.0),
            flow_x: still.clone(),
            flow_y: still.clone(),
            harmonics,
            turns,
            light: still.clone(),
            phase: still,
            is_breath: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f32::consts::TAU;

    fn displacement(motion: &Motion, x: usize, y: usize, angle: f32) -> [f32; 2] {
        let harmonic = motion.harmonics[0].at(x, y);
        let (now, start) = (harmonic.turned(angle), harmonic);
        [now.x[0] - start.x[0], now.y[0] - start.y[0]]
    }

    #[test]
    fn a_breath_starts_and_ends_at_the_still_and_never_stops() {
        let motion = Motion::breath((96, 56), 4.0, 1.0, 7);
        assert!(!motion.is_rest());
        assert_eq!(displacement(&motion, 3, 50, 0.0), [0.0, 0.0]);
        let speed = |moment: usize| {
            let [a, b] = [moment, moment + 1].map(|m| TAU * m as f32 / 40.0);
            let mut sum = 0.0;
            for y in 0..56 {
                for x in 0..96 {
                    let (from, to) = (
                        displacement(&motion, x, y, a),
                        displacement(&motion, x, y, b),
                    );
                    sum += (to[0] - from[0]).hypot(to[1] - from[1]);
                }
            }
            sum
        };
        let speeds: Vec<f32> = (0..40).map(speed).collect();
        let (least, most) = speeds
            .iter()
            .fold((f32::INFINITY, 0.0f32), |(low, high), s| {
                (low.min(*s), high.max(*s))
            });
        assert!(least > 0.7 * most, "{least} to {most}");
    }

    #[test]
    fn strength_scales_a_breath_and_0_is_rest() {
        let far =
            |strength| displacement(&Motion::breath((96, 56), 4.0, strength, 7), 0, 0, 3.0)[0];
        assert!((far(0.5) / far(1.0) - 0.5).abs() < 1e-3);
        assert!(Motion::breath((96, 56), 4.0, 0.0, 7).is_rest());
    }
}
