//! Why there is no clip, and what may help.

use crate::{
    clip::ClipError,
    device::fetch::FetchError,
    journal::disk::DiskError,
    pipeline::{Blame, PipelineError},
    publication::Fault,
};

/// There is no clip.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) fault: Fault,
    /// Ours or the device's, not the requester's.
    pub(super) is_ours: bool,
    /// What may help.
    pub(super) remedy: Remedy,
}

/// What is done about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Nothing: the job has failed.
    None,
    /// The same again, later: the disk may be better then.
    Later,
    /// The clip was lost; it is rendered again.
    Again,
}

impl Failure {
    pub(super) fn ours(code: &str, message: String) -> Self {
        Self {
            fault: Fault {
                code: code.to_owned(),
                message,
            },
            is_ours: true,
            remedy: Remedy::None,
        }
    }

    /// What a disk says about something that is there once.
    pub(super) fn disk(error: &DiskError) -> Self {
        let remedy = match error {
            DiskError::Io { .. } => Remedy::Later,
            DiskError::Damaged(_) => Remedy::None,
        };
        Self {
            remedy,
            ..Self::ours("storage", error.to_string())
        }
    }
}

/// The fault of a requester, or of nobody.
impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self {
            fault,
            is_ours: false,
            remedy: Remedy::None,
        }
    }
}

impl From<PipelineError> for Failure {
    fn from(error: PipelineError) -> Self {
        Self {
            fault: Fault {
                code: error.code().to_owned(),
                message: error.to_string(),
            },
            is_ours: error.blame() == Blame::Device,
            remedy: match error {
                PipelineError::Clip(ClipError::Write { .. }) => Remedy::Later,
                _ => Remedy::None,
            },
        }
    }
}

impl From<FetchError> for Failure {
    fn from(error: FetchError) -> Self {
        Self {
            fault: Fault {
                code: error.code().to_owned(),
                message: error.to_string(),
            },
            is_ours: error.is_ours(),
            remedy: Remedy::None,
        }
    }
}
