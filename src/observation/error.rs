//! Why nothing can be told from a burst.

use super::SHAKE_MAX;
use crate::still::StillError;

/// Nothing can be told from a burst; the still goes on alone.
#[derive(Debug, thiserror::Error)]
pub enum ObservationError {
    /// Too few of its pictures can be decoded.
    #[error("only {good} of {all} pictures can be used; {error}")]
    Pictures {
        /// Pictures that can.
        good: usize,
        /// Pictures in all.
        all: usize,
        /// What is wrong with the last of the others.
        error: StillError,
    },
    /// It shows something else.
    #[error(
        "the still is not of the same scene in the same framing: it is like one picture by \
         {alike:.2}, needed is {needed}"
    )]
    Unlike {
        /// Correlation of luma.
        alike: f32,
        /// What it must be at least.
        needed: f32,
    },
    /// The camera moved too far.
    #[error(
        "the camera moved by {:.1} % of the width, allowed is {:.0} %",
        100.0 * share,
        100.0 * SHAKE_MAX
    )]
    Shake {
        /// Farthest that a corner went, as a share of the width.
        share: f32,
    },
    /// Nothing says whether it is the camera or the scene that moves.
    #[error(
        "nothing in {lost} of {all} pictures stands as in the still: the camera moved, or all \
         of the scene does"
    )]
    Unsteady {
        /// Pictures that could not be put in place.
        lost: usize,
        /// Pictures in all.
        all: usize,
    },
}
