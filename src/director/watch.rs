//! What is seen of the frames of one piece of the clip, and how what was seen
//! of neighbouring pieces is joined.

use super::Director;
use crate::{
    frames::{
        Frame, TILE_PX,
        contrast::fine_contrast,
        pace::{jerk, step},
    },
    picture::{Plane, Yuv420},
};

/// Every second row of the moving tiles' luma.
type Thin = Vec<u8>;

/// Watches the frames of one piece, in order.
pub struct Watcher<'a> {
    director: &'a Director<'a>,
    seen: Seen,
    /// What is thinned next is put into its memory.
    spare: Thin,
}

impl<'a> Watcher<'a> {
    pub(super) fn new(director: &'a Director<'a>) -> Self {
        Self {
            director,
            seen: Seen::default(),
            spare: Thin::new(),
        }
    }

    /// Looks at the next frame of the piece.
    pub fn watch(&mut self, frame: &Frame) {
        let (director, seen) = (self.director, &mut self.seen);
        if frame.index == 0 {
            seen.starts_with_still = frame.planes == *director.still;
        }
        seen.static_leaks += leaks(director, &frame.planes);
        let tiles = director.renderer.evenly_lit_tiles();
        seen.contrasts.push(fine_contrast(&frame.planes.y, tiles));
        let mut thin = std::mem::take(&mut self.spare);
        thin.clear();
        for (column, row) in director.renderer.moving_tiles() {
            director
                .renderer
                .copy_tile(column, row, &frame.planes.y, &mut thin);
        }
        if let Some(spare) = seen.push(thin) {
            self.spare = spare;
        }
    }

    /// What was seen of the piece.
    pub fn seen(self) -> Seen {
        self.seen
    }
}

/// What was seen of one piece, or of several joined ones. Its memory grows by
/// three numbers a frame; it keeps thinned copies of four frames at most.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The first two frames.
    pub(super) first: Vec<Thin>,
    /// The last two frames; of a piece that has one or two, the same as
    /// `first`.
    pub(super) last: Vec<Thin>,
    pub(super) steps: Vec<f32>,
    pub(super) jerks: Vec<f32>,
    pub(super) contrasts: Vec<f32>,
    pub(super) static_leaks: u64,
    pub(super) starts_with_still: bool,
}

impl Seen {
    /// What is seen of a clip whose every frame is the still itself.
    pub fn of_the_still() -> Self {
        Self {
            starts_with_still: true,
            ..Self::default()
        }
    }

    /// Joins what was seen of the piece that follows; the same as if one
    /// watcher had seen both.
    pub fn followed_by(mut self, next: Self) -> Self {
        if let (Some(before), Some(after)) = (self.last.last(), next.first.first()) {
            self.steps.push(step(before, after));
            if let [earlier, before] = &self.last[..] {
                self.jerks.push(jerk(earlier, before, after));
            }
            if let [after, later] = &next.first[..] {
                self.jerks.push(jerk(before, after, later));
            }
        }
        self.steps.extend(next.steps);
        self.jerks.extend(next.jerks);
        self.contrasts.extend(next.contrasts);
        self.static_leaks += next.static_leaks;
        self.starts_with_still |= next.starts_with_still;
        self.first.extend(next.first);
        self.first.truncate(2);
        self.last.extend(next.last);
        self.last.drain(..self.last.len().saturating_sub(2));
        self
    }

    /// Adds the next frame of the piece; returns the one that is no longer
    /// needed.
    fn push(&mut self, thin: Thin) -> Option<Thin> {
        if let Some(previous) = self.last.last() {
            self.steps.push(step(previous, &thin));
        }
        if let [earlier, previous] = &self.last[..] {
            self.jerks.push(jerk(earlier, previous, &thin));
        }
        if self.first.len() < 2 {
            self.first.push(thin.clone());
        }
        self.last.push(thin);
        (self.last.len() > 2).then(|| self.last.remove(0))
    }
}

/// Samples of resting tiles that differ from the still.
fn leaks(director: &Director<'_>, planes: &Yuv420) -> u64 {
    let still = director.still;
    [
        (&planes.y, &still.y, TILE_PX),
        (&planes.u, &still.u, TILE_PX / 2),
        (&planes.v, &still.v, TILE_PX / 2),
    ]
    .into_iter()
    .map(|(plane, still, tile_px)| plane_leaks(director, plane, still, tile_px))
    .sum()
}

fn plane_leaks(
    director: &Director<'_>,
    plane: &Plane<u8>,
    still: &Plane<u8>,
    tile_px: usize,
) -> u64 {
    let active = director.renderer.active_tiles();
    let mut leaks = 0;
    for y in 0..plane.height_px {
        let resting = active.row(y / tile_px).iter().enumerate();
        for (column, _) in resting.filter(|(_, active)| !**active) {
            let span = column * tile_px..((column + 1) * tile_px).min(plane.width_px);
            let (now, then) = (&plane.row(y)[span.clone()], &still.row(y)[span]);
            if now != then {
                leaks += now.iter().zip(then).filter(|(a, b)| a != b).count() as u64;
            }
        }
    }
    leaks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(frames: &[Thin]) -> Seen {
        let mut seen = Seen::default();
        for thin in frames {
            seen.push(thin.clone());
        }
        seen
    }

    /// The order within the measures is free, since medians and extremes are
    /// taken of them.
    fn sorted(mut seen: Seen) -> Seen {
        seen.steps.sort_by(f32::total_cmp);
        seen.jerks.sort_by(f32::total_cmp);
        seen
    }

    #[test]
    fn pieces_of_any_length_are_seen_as_one() {
        let mut rng = fastrand::Rng::with_seed(5);
        let frames: Vec<Thin> = (0..9)
            .map(|_| (0..7).map(|_| rng.u8(..)).collect())
            .collect();
        let whole = sorted(seen(&frames));
        for length in 1..=frames.len() {
            let pieces = frames.chunks(length).map(seen);
            let joined = sorted(pieces.fold(Seen::default(), Seen::followed_by));
            assert_eq!(format!("{joined:?}"), format!("{whole:?}"), "{length}");
        }
    }
}
