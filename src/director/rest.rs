//! Whether what rests stays the still, sample by sample.

use std::ops::Range;

use crate::{
    frames::TILE_PX,
    picture::{Plane, Yuv420},
};

/// One in so many rows is compared in each frame, another one in the next.
/// Nothing writes to a tile that rests, so what has got there stays and is found
/// within as many frames; comparing all rows of all frames would cost more than
/// everything else that is measured.
const ROWS: usize = 4;

/// The resting parts of a picture.
pub struct Rest {
    /// Columns of neighbouring tiles that rest, for each row of tiles. A few long
    /// comparisons cost a tenth of many short ones.
    runs: Vec<Vec<Range<usize>>>,
}

impl Rest {
    /// All tiles but the active ones.
    pub fn new(active: &Plane<bool>) -> Self {
        let runs_of = |row: usize| {
            let mut runs: Vec<Range<usize>> = Vec::new();
            let tiles = active.row(row).iter().enumerate();
            for (column, _) in tiles.filter(|(_, active)| !**active) {
                match runs.last_mut() {
                    Some(run) if run.end == column => run.end += 1,
                    _ => runs.push(column..column + 1),
                }
            }
            runs
        };
        Self {
            runs: (0..active.height_px).map(runs_of).collect(),
        }
    }

    /// Samples that differ from the still, in those rows of frame `index` that it
    /// is the turn of.
    pub fn leaks(&self, index: u32, planes: &Yuv420, still: &Yuv420) -> u64 {
        let first = index as usize % ROWS;
        self.of_plane(first, (&planes.y, &still.y), TILE_PX)
            + self.of_plane(first, (&planes.u, &still.u), TILE_PX / 2)
            + self.of_plane(first, (&planes.v, &still.v), TILE_PX / 2)
    }

    fn of_plane(
        &self,
        first: usize,
        (plane, still): (&Plane<u8>, &Plane<u8>),
        tile_px: usize,
    ) -> u64 {
        let mut leaks = 0;
        for y in (first..plane.height_px).step_by(ROWS) {
            for run in &self.runs[y / tile_px] {
                let span = run.start * tile_px..(run.end * tile_px).min(plane.width_px);
                let (now, then) = (&plane.row(y)[span.clone()], &still.row(y)[span]);
                if now != then {
                    leaks += now.iter().zip(then).filter(|(a, b)| a != b).count() as u64;
                }
            }
        }
        leaks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_resting_sample_is_compared_within_a_few_frames_and_no_other() {
        // Three by two tiles, the last ones cut off; one is active.
        let mut active = Plane::filled(3, 2, false);
        active.samples[1] = true;
        let rest = Rest::new(&active);
        let still = Yuv420 {
            y: Plane::filled(40, 24, 7),
            u: Plane::filled(20, 12, 7),
            v: Plane::filled(20, 12, 7),
        };
        let leaks = |shown: &Yuv420| -> u64 {
            let frames = 0..ROWS as u32;
            frames.map(|index| rest.leaks(index, shown, &still)).sum()
        };
        assert_eq!(leaks(&still), 0);
        let mut shown = still.clone();
        for plane in [&mut shown.y, &mut shown.u, &mut shown.v] {
            plane.samples.fill(9);
        }
        let all = 40 * 24 + 2 * 20 * 12;
        assert_eq!(leaks(&shown), all - (16 * 16 + 2 * 8 * 8));
    }
}
