//! A few seconds of velocity as a mean, an oscillation, and what is left.
//!
//! All of it is linear in the velocities, so each is a matrix that is worked out
//! once for the moments of the burst and applied to every place.

use std::f32::consts::TAU;

use crate::scene::{HARMONIC_COUNT, REFERENCE_PERIOD_S};

/// Fastest oscillation that is told from noise, in hertz: that of the last harmonic.
pub(super) const SLOW_HZ: f32 = HARMONIC_COUNT as f32 / REFERENCE_PERIOD_S;
/// What is faster is no movement of a thing, in hertz.
const FAST_HZ: f32 = 4.0;
/// What holds an amplitude back that the burst is too short to tell from its
/// neighbours', against the number of pictures.
const RIDGE: f32 = 0.06;
/// Of the degrees of freedom that the pictures give, as many are used at most.
const FREEDOM: f32 = 0.8;

/// A matrix, row by row.
#[derive(Clone, Debug)]
struct Matrix {
    columns: usize,
    cells: Vec<f32>,
}

impl Matrix {
    fn times(&self, values: &[f32]) -> Vec<f32> {
        self.cells
            .chunks_exact(self.columns)
            .map(|row| row.iter().zip(values).map(|(a, b)| a * b).sum())
            .collect()
    }
}

/// What makes mean, oscillation and slow velocity out of velocities.
#[derive(Clone, Debug)]
pub(super) struct Analysis {
    /// To a mean, then cosine and sine of each harmonic.
    harmonics: Matrix,
    /// From those back to the moments.
    basis: Matrix,
    slow: Matrix,
    fast: Matrix,
}

/// What one direction of one place does.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Swing {
    /// Mean velocity.
    pub(super) mean: f32,
    /// Displacement of each harmonic, real and imaginary part, the still at 0 s.
    pub(super) harmonics: [[f32; 2]; HARMONIC_COUNT],
    /// Velocity without what is faster than [`SLOW_HZ`].
    pub(super) slow: Vec<f32>,
    /// Velocity without what is faster than 4 Hz.
    pub(super) fast: Vec<f32>,
}

fn harmonic_omega(index: usize) -> f32 {
    TAU * (index + 1) as f32 / REFERENCE_PERIOD_S
}

impl Analysis {
    /// For velocities at these moments, in seconds, the still at 0.
    pub(super) fn of(times_s: &[f32]) -> Self {
        let span_s = times_s[times_s.len() - 1] - times_s[0];
        let harmonics: Vec<f32> = (0..HARMONIC_COUNT).map(harmonic_omega).collect();
        let basis = design(times_s, &harmonics);
        Self {
            harmonics: solver(&basis, RIDGE * times_s.len() as f32),
            slow: projector(times_s, span_s, SLOW_HZ),
            fast: projector(times_s, span_s, FAST_HZ),
            basis,
        }
    }

    /// Of one direction at one place.
    pub(super) fn swing(&self, velocities: &[f32]) -> Swing {
        let fitted = self.harmonics.times(velocities);
        let slow = self.slow.times(velocities);
        // What shares its energy among neighbours loses some of it; it is given back.
        let spread = |values: &[f32]| {
            let mean = values.iter().sum::<f32>() / values.len() as f32;
            values
                .iter()
                .map(|value| (value - mean).powi(2))
                .sum::<f32>()
        };
        let kept = spread(&self.basis.times(&fitted));
        let scale = (spread(&slow) / kept.max(f32::MIN_POSITIVE))
            .sqrt()
            .clamp(0.5, 2.0);
        let mut harmonics = [[0.0; 2]; HARMONIC_COUNT];
        for (index, harmonic) in harmonics.iter_mut().enumerate() {
            // `A cos + B sin` is the velocity of `Re(S e^(iwt))` with `S = (-B - iA)/w`.
            let [cosine, sine] = [fitted[1 + 2 * index], fitted[2 + 2 * index]];
            *harmonic = [-sine, -cosine].map(|part| part * scale / harmonic_omega(index));
        }
        Swing {
            mean: fitted[0],
            harmonics,
            slow,
            fast: self.fast.times(velocities),
        }
    }
}

/// A row for each moment: 1, then cosine and sine of each frequency.
fn design(times_s: &[f32], omegas: &[f32]) -> Matrix {
    let columns = 1 + 2 * omegas.len();
    let mut cells = Vec::with_capacity(columns * times_s.len());
    for time_s in times_s {
        cells.push(1.0);
        for omega in omegas {
            let (sine, cosine) = (omega * time_s).sin_cos();
            cells.extend([cosine, sine]);
        }
    }
    Matrix { columns, cells }
}

/// What makes the amplitudes of a design out of values, all but the first held back.
fn solver(design: &Matrix, ridge: f32) -> Matrix {
    let count = design.columns;
    let moments = design.cells.len() / count;
    let mut normal = vec![0.0f64; count * count];
    for row in design.cells.chunks_exact(count) {
        for (i, a) in row.iter().enumerate() {
            for (j, b) in row.iter().enumerate() {
                normal[i * count + j] += f64::from(*a) * f64::from(*b);
            }
        }
    }
    for index in 0..count {
        // The first by next to nothing, so that there is always an answer.
        let held = if index == 0 {
            1e-6
        } else {
            f64::from(ridge).max(1e-6)
        };
        normal[index * count + index] += held;
    }
    let factor = cholesky(normal, count);
    let mut cells = vec![0.0f32; count * moments];
    for moment in 0..moments {
        let row = &design.cells[moment * count..(moment + 1) * count];
        let mut solved: Vec<f64> = row.iter().map(|cell| f64::from(*cell)).collect();
        substitute(&factor, count, &mut solved);
        for (index, value) in solved.into_iter().enumerate() {
            cells[index * moments + moment] = value as f32;
        }
    }
    Matrix {
        columns: moments,
        cells,
    }
}

/// What leaves of values only what is slower than `hz`.
fn projector(times_s: &[f32], span_s: f32, hz: f32) -> Matrix {
    let moments = times_s.len();
    // The moments stand for intervals, so that they span one more.
    let span_s = span_s * moments as f32 / (moments - 1) as f32;
    let most = ((FREEDOM * moments as f32 - 1.0) / 2.0) as usize;
    let count = ((hz * span_s) as usize).clamp(1, most.max(1));
    let omegas: Vec<f32> = (1..=count).map(|turn| TAU * turn as f32 / span_s).collect();
    let design = design(times_s, &omegas);
    let solver = solver(&design, 0.0);
    let mut cells = Vec::with_capacity(moments * moments);
    for row in design.cells.chunks_exact(design.columns) {
        for moment in 0..moments {
            let column = solver.cells.iter().skip(moment).step_by(moments);
            cells.push(row.iter().zip(column).map(|(a, b)| a * b).sum());
        }
    }
    Matrix {
        columns: moments,
        cells,
    }
}

/// The lower triangle `L` with `L Lᵀ` = a symmetric positive matrix.
fn cholesky(mut cells: Vec<f64>, count: usize) -> Vec<f64> {
    for row in 0..count {
        for column in 0..=row {
            let sum: f64 = (0..column)
                .map(|k| cells[row * count + k] * cells[column * count + k])
                .sum();
            let rest = cells[row * count + column] - sum;
            cells[row * count + column] = if row == column {
                rest.max(f64::MIN_POSITIVE).sqrt()
            } else {
                rest / cells[column * count + column]
            };
        }
    }
    cells
}

/// Solves `L Lᵀ x = b` in place.
fn substitute(factor: &[f64], count: usize, values: &mut [f64]) {
    for row in 0..count {
        let sum: f64 = (0..row).map(|k| factor[row * count + k] * values[k]).sum();
        values[row] = (values[row] - sum) / factor[row * count + row];
    }
    for row in (0..count).rev() {
        let sum: f64 = (row + 1..count)
            .map(|k| factor[k * count + row] * values[k])
            .sum();
        values[row] = (values[row] - sum) / factor[row * count + row];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(count: usize, rate: f32) -> Vec<f32> {
        (0..count)
            .map(|index| (index as f32 - count as f32) / rate)
            .collect()
    }

    #[test]
    fn a_known_oscillation_is_found_with_its_phase() {
        let times = moments(36, 12.0);
        let (size, phase, hz) = (0.003f32, 0.8f32, 0.75f32);
        let velocity = |t: &f32| 0.01 - size * TAU * hz * (TAU * hz * t + phase).sin();
        let velocities: Vec<f32> = times.iter().map(velocity).collect();
        let swing = Analysis::of(&times).swing(&velocities);
        assert!((swing.mean - 0.01).abs() < 5e-4, "{}", swing.mean);
        // At any moment the harmonics together are where the thing was.
        let place = |t: f32| -> f32 {
            let parts = swing.harmonics.iter().enumerate();
            parts
                .map(|(index, [re, im])| {
                    let (sine, cosine) = (harmonic_omega(index) * t).sin_cos();
                    re * cosine - im * sine
                })
                .sum()
        };
        let mut worst = 0.0f32;
        for pair in times.windows(2) {
            let wanted =
                size * ((TAU * hz * pair[1] + phase).cos() - (TAU * hz * pair[0] + phase).cos());
            worst = worst.max((place(pair[1]) - place(pair[0]) - wanted).abs());
        }
        assert!(worst < 0.15 * size, "{} of the size", worst / size);
    }

    #[test]
    fn noise_that_jumps_to_and_fro_is_not_slow() {
        let times = moments(30, 12.0);
        let velocities: Vec<f32> = (0..30)
            .map(|i| if i % 2 == 0 { 1.0 } else { -1.0 })
            .collect();
        let swing = Analysis::of(&times).swing(&velocities);
        let energy: f32 = swing.slow.iter().map(|v| v * v).sum::<f32>() / 30.0;
        assert!(energy < 0.03, "{energy}");
        assert!(swing.mean.abs() < 0.05);
    }

    #[test]
    fn a_steady_stream_is_all_mean() {
        let times = moments(25, 12.5);
        let swing = Analysis::of(&times).swing(&[0.02; 25]);
        assert!((swing.mean - 0.02).abs() < 1e-5);
        let sway: f32 = swing
            .harmonics
            .iter()
            .flatten()
            .map(|part| part.abs())
            .sum();
        assert!(sway < 1e-5, "{sway}");
    }
}
