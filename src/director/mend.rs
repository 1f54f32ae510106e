//! Lowers motion and light where they do harm, and keeps account of it.

use crate::{
    motion::{FLOW_MAX, Harmonic, Motion, OSCILLATION_RMS_MAX},
    picture::{Plane, box_mean},
};

/// What is lowered by less than this share is not counted as calmed.
const NOTICED: f32 = 0.01;
/// How much more than is allowed rounding may leave.
const ROUNDING: f32 = 1.001;
/// Least that mends leave of a motion: less would be a standstill, and a clip
/// that has to stand still is better refused.
const MENDED_MIN: f32 = 0.05;

/// How much of a motion has been left, on the motion's grid.
pub struct Calm {
    /// Factor on flow and oscillation that brought them into their range, 0
    /// (stilled) to 1 (as imagined).
    motion: Plane<f32>,
    /// Factor of all mends since then.
    mended: Plane<f32>,
    /// Factor on the light, 0..=1.
    light: Plane<f32>,
    /// Cells in which anything was to move.
    is_open: Plane<bool>,
    /// Cells that were stilled because they said nothing that could be drawn.
    is_unusable: Plane<bool>,
}

impl Calm {
    /// Makes everything in the motion a number within the range that its
    /// documentation promises: cells with one that is none are stilled, cells
    /// that go too far are brought back. Oscillations too fast for the frames to
    /// show are left out.
    pub fn sane(motion: &mut Motion, frame_count: u32) -> Self {
        let (width, height) = (motion.gate.width_px, motion.gate.height_px);
        let mut calm = Self {
            motion: Plane::filled(width, height, 1.0),
            mended: Plane::filled(width, height, 1.0),
            light: Plane::filled(width, height, 1.0),
            is_open: motion.gate.map(|gate| gate > 0.0),
            is_unusable: Plane::filled(width, height, false),
        };
        for (plane, turns) in motion.harmonics.iter_mut().zip(motion.turns) {
            if 2 * u64::from(turns) > u64::from(frame_count.max(2)) {
                plane.samples.fill(Harmonic::default());
            }
        }
        for cell in 0..width * height {
            if !is_finite(motion, cell) {
                calm.is_unusable.samples[cell] = true;
                still(motion, cell);
                calm.motion.samples[cell] = 0.0;
                continue;
            }
            let clamp = |plane: &mut Plane<f32>, least: f32| {
                let value = &mut plane.samples[cell];
                *value = value.clamp(least, 1.0);
            };
            let light = motion.light.samples[cell];
            if light > 1.0 {
                calm.light.samples[cell] = 1.0 / light;
            }
            clamp(&mut motion.gate, 0.0);
            clamp(&mut motion.light, 0.0);
            clamp(&mut motion.phase, -1.0);
            let within = |limit: f32, value: f32| match value {
                value if value <= ROUNDING * limit => 1.0,
                value => limit / value,
            };
            let factor = f32::min(
                within(FLOW_MAX, speed(motion, cell)),
                within(OSCILLATION_RMS_MAX, oscillation(motion, cell)),
            );
            calm.motion.samples[cell] = factor;
        }
        motion.calm(&calm.motion);
        calm
    }

    /// Lowers the motion of every cell by a factor, 0..=1, but never to a
    /// standstill.
    pub fn lower_motion(&mut self, motion: &mut Motion, factors: &Plane<f32>) {
        let mut factors = factors.clone();
        for (factor, mended) in factors.samples.iter_mut().zip(&self.mended.samples) {
            *factor = factor.max(MENDED_MIN / mended).min(1.0);
        }
        motion.calm(&factors);
        multiply(&mut self.mended, &factors);
    }

    /// Lowers the light of every cell by a factor, 0..=1.
    pub fn lower_light(&mut self, motion: &mut Motion, factors: &Plane<f32>) {
        multiply(&mut motion.light, factors);
        multiply(&mut self.light, factors);
    }

    /// Share of the picture in which motion or light was lowered, 0..=1.
    pub fn lowered_share(&self) -> f32 {
        let is_lowered = |factor: f32| factor < 1.0 - NOTICED;
        let motion = self.motion.samples.iter().zip(&self.mended.samples);
        let light = self.light.samples.iter().zip(&self.is_open.samples);
        let lowered = motion
            .zip(light)
            .filter(|((sane, mended), (light, is_open))| {
                (**is_open && is_lowered(**sane * **mended)) || is_lowered(**light)
            });
        lowered.count() as f32 / self.motion.samples.len() as f32
    }

    /// Share of the picture for which the motion was unusable, 0..=1.
    pub fn unusable_share(&self) -> f32 {
        let unusable = self.is_unusable.samples.iter().filter(|cell| **cell);
        unusable.count() as f32 / self.is_unusable.samples.len() as f32
    }
}

/// Brings factors for squares of `side_px` pixels to the motion's grid, over a
/// picture of `size_px`. No cell gets a factor larger than one that it touches,
/// and from cell to cell they change smoothly over `radius` cells, so that the
/// mend itself tears nothing.
pub fn spread(
    factors: &Plane<f32>,
    side_px: usize,
    size_px: (usize, usize),
    grid: (usize, usize),
    radius: usize,
) -> Plane<f32> {
    let touched = |cell: usize, cells: usize, length_px: usize, squares: usize| {
        let from = (cell * length_px / cells / side_px).min(squares - 1);
        let to = ((cell + 1) * length_px).div_ceil(cells).div_ceil(side_px);
        from..to.clamp(from + 1, squares)
    };
    let least = Plane::from_fn(grid.0, grid.1, |x, y| {
        let columns = touched(x, grid.0, size_px.0, factors.width_px);
        let rows = touched(y, grid.1, size_px.1, factors.height_px);
        rows.flat_map(|row| &factors.row(row)[columns.clone()])
            .fold(1.0f32, |least, factor| least.min(*factor))
    });
    box_mean(&least_around(&least, radius), radius)
}

/// The least value in a square of side `2 * radius + 1`, clipped at the edges.
fn least_around(plane: &Plane<f32>, radius: usize) -> Plane<f32> {
    let around =
        |at: usize, length: usize| at.saturating_sub(radius)..(at + radius + 1).min(length);
    let least = |values: &mut dyn Iterator<Item = f32>| values.fold(f32::INFINITY, f32::min);
    let (width, height) = (plane.width_px, plane.height_px);
    let across = Plane::from_fn(width, height, |x, y| {
        least(&mut plane.row(y)[around(x, width)].iter().copied())
    });
    Plane::from_fn(width, height, |x, y| {
        least(&mut around(y, height).map(|row| across.at(x, row)))
    })
}

fn multiply(plane: &mut Plane<f32>, factors: &Plane<f32>) {
    let samples = plane.samples.iter_mut().zip(&factors.samples);
    samples.for_each(|(sample, factor)| *sample *= factor);
}

fn is_finite(motion: &Motion, cell: usize) -> bool {
    let planes = [
        &motion.gate,
        &motion.flow_x,
        &motion.flow_y,
        &motion.light,
        &motion.phase,
    ];
    let harmonics = motion.harmonics.iter().map(|plane| plane.samples[cell]);
    planes.iter().all(|plane| plane.samples[cell].is_finite())
        && harmonics
            .flat_map(|harmonic| [harmonic.x, harmonic.y])
            .flatten()
            .all(f32::is_finite)
}

fn still(motion: &mut Motion, cell: usize) {
    for plane in [
        &mut motion.gate,
        &mut motion.flow_x,
        &mut motion.flow_y,
        &mut motion.light,
        &mut motion.phase,
    ] {
        plane.samples[cell] = 0.0;
    }
    for plane in &mut motion.harmonics {
        plane.samples[cell] = Harmonic::default();
    }
}

/// Speed of the flow, in widths per second.
fn speed(motion: &Motion, cell: usize) -> f32 {
    motion.flow_x.samples[cell].hypot(motion.flow_y.samples[cell])
}

/// Root mean square displacement over the loop, in widths.
fn oscillation(motion: &Motion, cell: usize) -> f32 {
    let harmonics = motion.harmonics.iter().map(|plane| plane.samples[cell]);
    let parts = harmonics
        .flat_map(|harmonic| [harmonic.x, harmonic.y])
        .flatten();
    // In double precision no square is too large.
    let power: f64 = parts.map(|part| f64::from(part).powi(2)).sum();
    (power / 2.0).sqrt() as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::HARMONIC_COUNT;

    fn motion() -> Motion {
        let plane = |value| Plane::filled(8, 4, value);
        let harmonic = Harmonic {
            x: [0.004, 0.0],
            y: [0.0, 0.003],
        };
        Motion {
            gate: plane(1.0),
            matte: plane(1.0),
            flow_x: plane(0.05),
            flow_y: plane(0.0),
            harmonics: vec![Plane::filled(8, 4, harmonic); HARMONIC_COUNT],
            turns: [1, 2, 3, 4, 5, 6, 7, 8],
            light: plane(0.5),
            phase: plane(0.5),
            is_breath: false,
        }
    }

    #[test]
    fn a_plausible_motion_is_left_as_it_is() {
        let (mut sane, before) = (motion(), motion());
        let calm = Calm::sane(&mut sane, 120);
        assert_eq!(sane.harmonics, before.harmonics);
        assert_eq!((&sane.flow_x, &sane.light), (&before.flow_x, &before.light));
        assert_eq!((calm.lowered_share(), calm.unusable_share()), (0.0, 0.0));
    }

    #[test]
    fn what_goes_too_far_is_brought_back_and_no_number_is_stilled() {
        let mut wild = motion();
        wild.flow_x.samples[0] = -12.0;
        wild.harmonics[2].samples[1].y = [0.0, f32::MAX];
        wild.light.samples[2] = 4.0;
        wild.phase.samples[3] = -7.0;
        wild.flow_y.samples[4] = f32::NAN;
        wild.gate.samples[5] = f32::INFINITY;
        let calm = Calm::sane(&mut wild, 120);
        assert!((wild.flow_x.samples[0] + FLOW_MAX).abs() < 1e-6);
        assert!(oscillation(&wild, 1) <= ROUNDING * OSCILLATION_RMS_MAX);
        assert_eq!((wild.light.samples[2], wild.phase.samples[3]), (1.0, -1.0));
        for cell in [4, 5] {
            assert_eq!((speed(&wild, cell), oscillation(&wild, cell)), (0.0, 0.0));
            assert_eq!(wild.gate.samples[cell], 0.0);
        }
        assert_eq!(calm.unusable_share(), 2.0 / 32.0);
        // Three cells were lowered and two stilled; a phase is no amount.
        assert_eq!(calm.lowered_share(), 5.0 / 32.0);
    }

    #[test]
    fn a_mend_never_brings_a_motion_to_rest() {
        let mut motion = motion();
        let mut calm = Calm::sane(&mut motion, 120);
        for _ in 0..9 {
            calm.lower_motion(&mut motion, &Plane::filled(8, 4, 0.3));
        }
        assert!((motion.flow_x.samples[7] - 0.05 * MENDED_MIN).abs() < 1e-6);
        assert_eq!(calm.lowered_share(), 1.0);
    }

    #[test]
    fn an_oscillation_too_fast_for_the_frames_is_left_out() {
        let mut motion = motion();
        motion.turns[7] = u32::MAX;
        // Eight frames show at most four turns.
        Calm::sane(&mut motion, 8);
        let moves = |plane: &Plane<Harmonic>| plane.samples[0] != Harmonic::default();
        let seen: Vec<bool> = motion.harmonics.iter().map(moves).collect();
        assert_eq!(seen, [true, true, true, true, false, false, false, false]);
    }

    #[test]
    fn a_spread_factor_is_nowhere_larger_than_it_was_and_fades_smoothly() {
        let mut factors = Plane::filled(10, 10, 1.0f32);
        factors.samples[45] = 0.0;
        for grid in [(40, 40), (7, 9)] {
            let spread = spread(&factors, 8, (80, 80), grid, 2);
            for y in 0..grid.1 {
                for x in 0..grid.0 {
                    let centre = [(x, grid.0), (y, grid.1)]
                        .map(|(cell, cells)| (2 * cell + 1) * 80 / (2 * cells) / 8);
                    assert!(spread.at(x, y) <= factors.at(centre[0], centre[1]) + 1e-6);
                }
            }
            let row = 4 * grid.1 / 9;
            let steps = (1..grid.0).map(|x| spread.at(x, row) - spread.at(x - 1, row));
            assert!(steps.fold(0.0f32, |most, step| most.max(step.abs())) <= 0.21);
        }
        let far_away = spread(&factors, 8, (80, 80), (40, 40), 2).at(0, 39);
        assert_eq!(far_away, 1.0);
    }
}
