//! A photograph in, a clip out: the stages in order, on named threads.

use std::path::Path;

use crate::{
    clip::{Clip, ClipError},
    picture::Yuv420,
    request::{JobId, Look, RequestError, Shape},
    scene::{Network, NetworkError},
    still::{Limits, Origin, StillError},
};

/// One render, fully said.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// Names the job in the clip's record.
    pub id: &'a JobId,
    /// The encoded photograph.
    pub photo: &'a [u8],
    /// Where the photograph came from.
    pub origin: Origin,
    /// What the photograph may be at most.
    pub limits: &'a Limits,
    /// How it shall move.
    pub look: Look,
    /// Size and length of the clip.
    pub shape: Shape,
    /// Where the MP4 shall stand; replaced atomically when it is complete.
    pub clip_path: &'a Path,
}

/// The part of the work that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Decoding and fitting the photograph.
    Decoding,
    /// The network looks at it.
    Looking,
    /// Frames are drawn and encoded.
    Rendering,
}

/// Watches a render from outside; every method has an empty default.
pub trait Onlooker: Sync {
    /// A stage begins.
    fn stage(&self, _stage: Stage) {}
    /// Frame `index` of `count` has been drawn; called in order.
    fn frame(&self, _index: u32, _count: u32, _planes: &Yuv420) {}
    /// Asked before every frame; `true` ends the render with
    /// [`PipelineError::Cancelled`].
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Makes the clip.
///
/// # Errors
/// The first cause, as [`PipelineError`]; nothing is left at `clip_path`.
pub fn render(
    network: &dyn Network,
    job: &Job<'_>,
    onlooker: &dyn Onlooker,
) -> Result<Clip, PipelineError> {
    let _ = (network, job, onlooker);
    todo!()
}

/// Whose fault it is, and so what is done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// Answered with an error; nothing else changes.
    Requester,
    /// Ours or the device's: answered, logged, and shown as `degraded`.
    Device,
}

/// No clip came out.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The request asks for something impossible.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The photograph cannot be used.
    #[error(transparent)]
    Still(#[from] StillError),
    /// The network failed.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// Encoding or writing failed.
    #[error(transparent)]
    Clip(#[from] ClipError),
    /// The onlooker asked to stop.
    #[error("cancelled")]
    Cancelled,
}

impl PipelineError {
    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Request(_) | Self::Still(_) | Self::Cancelled => Blame::Requester,
            Self::Network(_) | Self::Clip(_) => Blame::Device,
        }
    }

    /// A stable word for answers: `bad_request`, `bad_photo`, `model`,
    /// `encode`, `cancelled`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Request(_) => "bad_request",
            Self::Still(_) => "bad_photo",
            Self::Network(_) => "model",
            Self::Clip(_) => "encode",
            Self::Cancelled => "cancelled",
        }
    }
}
