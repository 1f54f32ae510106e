//! How far two engines' answers to the same picture are apart.

use std::fmt;

use crate::{
    picture::Plane,
    scene::{Engine, NetworkOutput},
};

/// Largest difference with full precision. Sums in another order give some 1e-6.
const TOLERANCE_FP32: f32 = 1e-3;
/// Largest difference with half precision, whose numbers have 11 bits.
const TOLERANCE_FP16: f32 = 1e-2;

/// How far an answer is from another one to the same picture.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Difference {
    /// Part of the grid's cells whose most probable class is another, 0..=1.
    pub classes: f32,
    /// Largest difference of the velocity, as a part of the other's range.
    pub flow: f32,
    /// Largest difference of the harmonics, as a part of the other's range.
    pub spectrum: f32,
    /// Largest difference of the depth, as a part of the other's range.
    pub depth: f32,
}

impl Difference {
    /// What an engine of this precision may be apart from another.
    pub fn tolerance(engine: Engine) -> f32 {
        match engine.precision() {
            "fp16" => TOLERANCE_FP16,
            _ => TOLERANCE_FP32,
        }
    }

    /// How far `answer` is from `other`; infinite where it is no number.
    pub fn between(answer: &NetworkOutput, other: &NetworkOutput) -> Self {
        let cells = other.mobility.samples.len();
        let others = (0..cells).filter(|cell| class(answer, *cell) != class(other, *cell));
        let flow = |seen: &NetworkOutput| [seen.flow_x.clone(), seen.flow_y.clone()];
        let depth = |seen: &NetworkOutput| [seen.depth.clone()];
        Self {
            classes: others.count() as f32 / cells as f32,
            flow: relative(&flow(answer), &flow(other)),
            spectrum: relative(&answer.spectrum, &other.spectrum),
            depth: relative(&depth(answer), &depth(other)),
        }
    }

    /// The largest of both, measure by measure.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self {
            classes: self.classes.max(other.classes),
            flow: self.flow.max(other.flow),
            spectrum: self.spectrum.max(other.spectrum),
            depth: self.depth.max(other.depth),
        }
    }

    /// Whether every measure is at most `tolerance`.
    pub fn is_within(&self, tolerance: f32) -> bool {
        [self.classes, self.flow, self.spectrum, self.depth]
            .iter()
            .all(|difference| *difference <= tolerance)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "classes {:.1e}, flow {:.1e}, spectrum {:.1e}, depth {:.1e}",
            self.classes, self.flow, self.spectrum, self.depth
        )
    }
}

fn class(seen: &NetworkOutput, cell: usize) -> usize {
    let mut best = 0;
    for (index, plane) in seen.classes.iter().enumerate() {
        if plane.samples[cell] > seen.classes[best].samples[cell] {
            best = index;
        }
    }
    best
}

/// Largest difference as a part of the range of all of `others`; where they have
/// no range, any difference at all is infinite.
fn relative(planes: &[Plane<f32>], others: &[Plane<f32>]) -> f32 {
    let samples = |planes: &[Plane<f32>]| -> Vec<f32> {
        let all = planes.iter().flat_map(|plane| &plane.samples);
        all.copied().collect()
    };
    let (values, others) = (samples(planes), samples(others));
    let least = others.iter().copied().fold(f32::INFINITY, f32::min);
    let most = others.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut largest = 0.0;
    for (value, other) in values.iter().zip(&others) {
        let difference = (value - other).abs();
        if difference.is_nan() {
            return f32::INFINITY;
        }
        largest = f32::max(largest, difference);
    }
    if largest == 0.0 {
        0.0
    } else {
        largest / (most - least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_a_part_of_the_range_and_nan_is_never_within() {
        let plane = |samples: &[f32]| Plane {
            width_px: samples.len(),
            height_px: 1,
            samples: samples.to_vec(),
        };
        let reference = [plane(&[1.0, 5.0])];
        assert_eq!(relative(&[plane(&[1.0, 5.0])], &reference), 0.0);
        assert_eq!(relative(&[plane(&[1.0, 4.0])], &reference), 0.25);
        let nan = relative(&[plane(&[f32::NAN, 5.0])], &reference);
        assert!(nan.is_infinite());
        let flat = relative(&[plane(&[1.0, 1.1])], &[plane(&[1.0, 1.0])]);
        assert!(flat.is_infinite());
        let difference = Difference {
            flow: 2e-3,
            ..Difference::default()
        };
        assert!(difference.is_within(Difference::tolerance(Engine::Tensorrt)));
        assert!(!difference.is_within(Difference::tolerance(Engine::Cuda)));
    }
}
