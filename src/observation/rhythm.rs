//! The scene's own rhythm, and the length of a loop that keeps it.

use std::f32::consts::TAU;

/// Slowest and fastest rhythm that is looked for, in hertz, and the step.
const HZ: [f32; 2] = [0.25, 2.5];
const STEP_HZ: f32 = 0.05;
/// How far the strongest rhythm has to stand above the mean of all.
const PROMINENCE: f32 = 2.0;
/// Shortest and longest loop that is chosen for a rhythm, in milliseconds.
const LOOP_MS: [f32; 2] = [3_000.0, 6_000.0];
/// What a loop is near to if the rhythm allows many.
const USUAL_MS: f32 = 4_000.0;

/// Power of each rhythm, summed over places.
#[derive(Clone, Debug)]
pub(super) struct Rhythms {
    /// For each frequency the cosines and sines of the moments, their means gone.
    waves: Vec<[Vec<f32>; 2]>,
    power: Vec<f32>,
    span_s: f32,
}

impl Rhythms {
    pub(super) fn at(times_s: &[f32]) -> Self {
        let span_s = times_s[times_s.len() - 1] - times_s[0];
        let count = ((HZ[1] - HZ[0]) / STEP_HZ) as usize + 1;
        let centred = |values: Vec<f32>| {
            let mean = values.iter().sum::<f32>() / values.len() as f32;
            values.into_iter().map(|value| value - mean).collect()
        };
        let waves: Vec<_> = (0..count)
            .map(|index| {
                let omega = TAU * (HZ[0] + STEP_HZ * index as f32);
                let angles = times_s.iter().map(|time_s| omega * time_s);
                let (sines, cosines) = angles.map(f32::sin_cos).unzip();
                [centred(cosines), centred(sines)]
            })
            .collect();
        Self {
            power: vec![0.0; waves.len()],
            waves,
            span_s,
        }
    }

    /// Adds what one place does in one direction.
    pub(super) fn hear(&mut self, velocities: &[f32]) {
        for ([cosines, sines], power) in self.waves.iter().zip(&mut self.power) {
            let along = |wave: &[f32]| -> f32 {
                let product: f32 = wave.iter().zip(velocities).map(|(a, b)| a * b).sum();
                let size: f32 = wave.iter().map(|a| a * a).sum();
                product * product / size.max(f32::MIN_POSITIVE)
            };
            *power += along(cosines) + along(sines);
        }
    }

    /// The rhythm that stands out, in hertz, if one does that the burst has seen at
    /// least one turn of.
    pub(super) fn strongest_hz(&self) -> Option<f32> {
        let (index, most) = self
            .power
            .iter()
            .enumerate()
            .max_by(|(_, a), (_, b)| a.total_cmp(b))?;
        let hz = HZ[0] + STEP_HZ * index as f32;
        let mean = self.power.iter().sum::<f32>() / self.power.len() as f32;
        let is_peak = index > 0 && index + 1 < self.power.len();
        (is_peak && *most > PROMINENCE * mean && hz * self.span_s >= 1.0).then_some(hz)
    }
}

/// Length of a loop that holds whole turns of a rhythm, near the usual length, in
/// milliseconds.
pub(super) fn loop_ms(hz: f32) -> u32 {
    let turn_ms = 1_000.0 / hz;
    let turns = (USUAL_MS / turn_ms).round().max(1.0);
    let ms = turns * turn_ms;
    let ms = if ms < LOOP_MS[0] { ms + turn_ms } else { ms };
    let ms = if ms > LOOP_MS[1] { ms - turn_ms } else { ms };
    ms.clamp(LOOP_MS[0], LOOP_MS[1]).round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments() -> Vec<f32> {
        (0..36).map(|index| index as f32 / 12.0 - 3.0).collect()
    }

    #[test]
    fn a_swing_has_a_rhythm_and_a_stream_has_none() {
        let mut rhythms = Rhythms::at(&moments());
        let mut rng = fastrand::Rng::with_seed(2);
        for _ in 0..200 {
            let phase = rng.f32() * TAU;
            let velocities: Vec<f32> = moments()
                .iter()
                .map(|t| (TAU * 0.9 * t + phase).sin() + 0.3 * (rng.f32() - 0.5))
                .collect();
            rhythms.hear(&velocities);
        }
        let hz = rhythms.strongest_hz().expect("a rhythm");
        assert!((hz - 0.9).abs() < 0.08, "{hz}");

        let mut none = Rhythms::at(&moments());
        for _ in 0..200 {
            let velocities: Vec<f32> = moments().iter().map(|_| rng.f32() - 0.3).collect();
            none.hear(&velocities);
        }
        assert_eq!(none.strongest_hz(), None);
    }

    #[test]
    fn a_loop_holds_whole_turns() {
        for tenths in 3..25 {
            let hz = tenths as f32 / 10.0;
            let ms = loop_ms(hz) as f32;
            assert!((LOOP_MS[0]..=LOOP_MS[1]).contains(&ms), "{hz}: {ms}");
            let turns = ms / 1_000.0 * hz;
            assert!((turns - turns.round()).abs() < 0.01, "{hz}: {ms}");
        }
    }
}
