//! What is seen of the frames of one piece of the clip, and how what was seen
//! of neighbouring pieces is joined.

use super::{Director, steadiness::Steadiness};
use crate::{
    frames::{
        Frame,
        pace::{jerk, step, thin},
    },
    picture::{Plane, Yuv420},
};

/// A part of the rows of the moving tiles' luma.
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
            seen.first_frame_misses = Some(misses(&frame.planes, director.still));
        }
        seen.steadiness.watch(&director.ground, &frame.planes);
        seen.static_leaks += director
            .rest
            .leaks(frame.index, &frame.planes, director.still);
        // Of all of them: something bright that enters or leaves a sample of
        // tiles would look like a change of contrast.
        let (renderer, luma) = (director.renderer, &frame.planes.y);
        seen.contrasts.push(renderer.contrast(luma));
        let mut thinned = std::mem::take(&mut self.spare);
        thinned.clear();
        for run in renderer.moving() {
            thin(luma, run, director.rows_apart, &mut thinned);
        }
        if let Some(spare) = seen.push(thinned) {
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
    /// Samples of frame 0 that are not the still's; nothing if it was not seen.
    pub(super) first_frame_misses: Option<u64>,
    pub(super) steadiness: Steadiness,
}

impl Seen {
    /// What is seen of a clip whose every frame is the still itself.
    pub fn of_the_still() -> Self {
        Self {
            first_frame_misses: Some(0),
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
        self.first_frame_misses = self.first_frame_misses.or(next.first_frame_misses);
        self.steadiness.join(next.steadiness);
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

/// Samples that are not the same in two pictures.
fn misses(planes: &Yuv420, still: &Yuv420) -> u64 {
    let pairs = [
        (&planes.y, &still.y),
        (&planes.u, &still.u),
        (&planes.v, &still.v),
    ];
    let differ = |(plane, still): (&Plane<u8>, &Plane<u8>)| {
        let samples = plane.samples.iter().zip(&still.samples);
        samples.filter(|(now, then)| now != then).count() as u64
    };
    pairs.into_iter().map(differ).sum()
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
