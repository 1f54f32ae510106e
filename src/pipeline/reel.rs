//! Pieces of one clip, handed out to workers and joined in order.
//!
//! Whoever completes the piece that is waited for joins it, and those that
//! were early, to the file; no thread does nothing else. Workers are never more
//! than a few pieces ahead of the file, so memory does not depend on the clip's
//! length.

use std::{
    collections::BTreeMap,
    mem,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use super::PipelineError;

/// Joins pieces, which come in order.
pub(super) trait Join<Piece> {
    /// Takes the next piece.
    fn join(&mut self, piece: Piece) -> Result<(), PipelineError>;
}

/// The pieces under way.
pub(super) struct Reel<Piece, Joiner> {
    count: usize,
    ahead_max: usize,
    state: Mutex<State<Piece, Joiner>>,
    has_changed: Condvar,
}

struct State<Piece, Joiner> {
    next_to_take: usize,
    next_to_join: usize,
    early: BTreeMap<usize, Piece>,
    joiner: Joiner,
    is_over: bool,
    /// The first cause.
    failure: Option<PipelineError>,
}

impl<Piece, Joiner: Join<Piece>> Reel<Piece, Joiner> {
    /// `count` pieces for `workers` threads.
    pub(super) fn new(count: usize, workers: usize, joiner: Joiner) -> Self {
        Self {
            count,
            ahead_max: 2 * workers,
            state: Mutex::new(State {
                next_to_take: 0,
                next_to_join: 0,
                early: BTreeMap::new(),
                joiner,
                is_over: false,
                failure: None,
            }),
            has_changed: Condvar::new(),
        }
    }

    /// Runs one worker, which takes and delivers until there is nothing to
    /// take; its error ends the work of all.
    pub(super) fn run(&self, worker: impl FnOnce() -> Result<(), PipelineError>) {
        let guard = EndsOnPanic(self);
        let result = worker();
        mem::forget(guard);
        if let Err(error) = result {
            self.end(&mut self.locked(), Some(error));
        }
    }

    /// Whether a worker has failed; asked between the frames of a piece.
    pub(super) fn is_over(&self) -> bool {
        self.locked().is_over
    }

    /// What was joined, once every worker has ended.
    pub(super) fn into_joined(self) -> Result<Joiner, PipelineError> {
        let state = self
            .state
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        match state.failure {
            Some(failure) => Err(failure),
            None => {
                assert_eq!(
                    state.next_to_join, self.count,
                    "workers end when all is joined"
                );
                Ok(state.joiner)
            }
        }
    }

    /// The next piece to make, once it is not too far ahead of the file.
    pub(super) fn take(&self) -> Option<usize> {
        let mut state = self.locked();
        loop {
            if state.is_over || state.next_to_take == self.count {
                return None;
            }
            if state.next_to_take < state.next_to_join + self.ahead_max {
                state.next_to_take += 1;
                return Some(state.next_to_take - 1);
            }
            state = self
                .has_changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Hands in piece `index`.
    pub(super) fn deliver(&self, index: usize, piece: Piece) {
        let mut state = self.locked();
        state.early.insert(index, piece);
        while !state.is_over {
            let next = state.next_to_join;
            let Some(piece) = state.early.remove(&next) else {
                break;
            };
            match state.joiner.join(piece) {
                Ok(()) => state.next_to_join += 1,
                Err(error) => self.end(&mut state, Some(error)),
            }
        }
        self.has_changed.notify_all();
    }

    fn end(&self, state: &mut State<Piece, Joiner>, failure: Option<PipelineError>) {
        state.is_over = true;
        if state.failure.is_none() {
            state.failure = failure;
        }
        self.has_changed.notify_all();
    }

    fn locked(&self) -> MutexGuard<'_, State<Piece, Joiner>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the others from waiting for a piece that never comes.
struct EndsOnPanic<'a, Piece, Joiner: Join<Piece>>(&'a Reel<Piece, Joiner>);

impl<Piece, Joiner: Join<Piece>> Drop for EndsOnPanic<'_, Piece, Joiner> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.end(&mut self.0.locked(), None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sum(Vec<usize>);

    impl Join<usize> for Sum {
        fn join(&mut self, piece: usize) -> Result<(), PipelineError> {
            self.0.push(piece);
            Ok(())
        }
    }

    #[test]
    fn pieces_are_joined_in_order_by_any_number_of_workers() {
        for workers in [1, 2, 7] {
            let reel = Reel::new(50, workers, Sum(Vec::new()));
            thread::scope(|scope| {
                for _ in 0..workers {
                    scope.spawn(|| {
                        reel.run(|| {
                            while let Some(index) = reel.take() {
                                assert!(reel.locked().early.len() <= 2 * workers);
                                thread::yield_now();
                                reel.deliver(index, index);
                            }
                            Ok(())
                        });
                    });
                }
            });
            let joined = reel.into_joined().expect("no failure").0;
            assert_eq!(joined, (0..50).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_first_failure_ends_everybody_and_is_told() {
        let reel = Reel::new(50, 3, Sum(Vec::new()));
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    reel.run(|| {
                        while let Some(index) = reel.take() {
                            if index == 0 {
                                return Err(PipelineError::Cancelled);
                            }
                            reel.deliver(index, index);
                        }
                        Ok(())
                    });
                });
            }
        });
        assert!(reel.is_over());
        let failure = reel.into_joined().err();
        assert!(matches!(failure, Some(PipelineError::Cancelled)));
    }
}
