//! The unsteady light of flames.

use std::f32::consts::TAU;

/// Parts of the flicker of flames: frequency in hertz, share, and start in
/// turns. The starts were searched so that, for loops of 2 to 10 s at 25 and 30
/// frames per second, the step over the seam is the median one and the second
/// difference there half the median.
const FLICKER: [(f32, f32, f32); 4] = [
    (1.7, 0.4, 0.79),
    (2.9, 0.3, 0.94),
    (4.3, 0.2, 0.36),
    (6.1, 0.1, 0.78),
];
/// Change of brightness of the brightest flame, as a share of its brightness.
pub const FLICKER_DEPTH: f32 = 0.22;

/// One moment of the flicker.
pub struct Flicker {
    /// The angle of each part, in radians.
    angles: [f32; FLICKER.len()],
}

impl Flicker {
    /// The moment at `phase` of a loop of so many seconds.
    pub fn at(phase: f32, period_s: f32) -> Self {
        Self {
            angles: FLICKER.map(|(hertz, ..)| TAU * phase * (hertz * period_s).round().max(1.0)),
        }
    }

    /// Change of the light of a flame that is out of step by `phase`, -1..=1: zero
    /// at phase 0 of the loop.
    pub fn change(&self, phase: f32) -> f32 {
        let parts = FLICKER.iter().zip(self.angles);
        let change = parts.map(|((_, share, start), angle)| {
            let start = TAU * (start + 0.12 * phase);
            share * ((angle + start).cos() - start.cos())
        });
        change.sum()
    }
}
