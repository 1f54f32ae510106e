//! Whether what rests stays the still, sample by sample.

use crate::{
    frames::{
        TILE_PX,
        tiles::{Run, runs},
    },
    picture::{Plane, Yuv420},
};

/// One in so many rows is compared in each frame, another one in the next.
/// Nothing writes to a tile that rests, so what has got there stays and is found
/// within as many frames; comparing all rows of all frames would cost more than
/// everything else that is measured. A tile of chroma has as many rows.
const ROWS: usize = TILE_PX / 2;

/// The resting parts of a picture.
pub struct Rest {
    runs: Vec<Run>,
    rows: usize,
}

impl Rest {
    /// All tiles but the active ones, of a clip of so many frames: in one of too few
    /// for all rows to have their turn, all are compared in each.
    pub fn new(active: &Plane<bool>, frame_count: u32) -> Self {
        Self {
            runs: runs(&active.map(|active| !active)),
            rows: if frame_count as usize >= ROWS {
                ROWS
            } else {
                1
            },
        }
    }

    /// Samples that differ from the still, in those rows of frame `index` that it
    /// is the turn of.
    pub fn leaks(&self, index: u32, planes: &Yuv420, still: &Yuv420) -> u64 {
        let first = index as usize % self.rows;
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
        for run in &self.runs {
            let [columns, rows] = run.samples(plane, tile_px);
            // A tile has a whole number of times so many rows.
            for y in rows.skip(first).step_by(self.rows) {
                let (now, then) = (
                    &plane.row(y)[columns.clone()],
                    &still.row(y)[columns.clone()],
                );
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
        let rest = Rest::new(&active, 60);
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
        let resting = all - (16 * 16 + 2 * 8 * 8);
        assert_eq!(leaks(&shown), resting);
        assert_eq!(Rest::new(&active, 5).leaks(3, &shown, &still), resting);
    }
}
