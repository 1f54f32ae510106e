//! Why a camera gives no still, and whose fault that is.

use std::{
    io,
    path::{Path, PathBuf},
};

use rustix::io::Errno;

use crate::still::StillError;

/// A camera gave no still.
#[derive(Debug, thiserror::Error)]
#[error("camera {}: {fault}", node.display())]
pub struct CameraError {
    /// The camera's node, as it is configured.
    pub node: PathBuf,
    /// Why.
    pub fault: CameraFault,
}

/// Why a camera gave no still. The first word of each message is fixed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CameraFault {
    /// It is not there, or has gone: a cable or its power.
    #[error("lost: {0}")]
    Lost(String),
    /// Another program has it.
    #[error("busy: {0}")]
    Busy(String),
    /// We may not open it: whoever set up the board.
    #[error("denied: {0}")]
    Denied(String),
    /// It cannot do what is configured: whoever wrote the configuration.
    #[error("unsuitable: {0}")]
    Unsuitable(String),
    /// No frame came in time: the camera.
    #[error("timeout: no frame within {waited_ms} ms, {seen} came before")]
    Timeout {
        /// How long was waited.
        waited_ms: u128,
        /// Frames that had come.
        seen: u32,
    },
    /// None of the frames was good; this is what was wrong with the last: the
    /// camera, its cable or what it looks at.
    #[error("{last} ({seen} frames came, {bad} of them bad)")]
    Rejected {
        /// What was wrong with the last one.
        last: Rejection,
        /// Frames that came.
        seen: u32,
        /// Those that were rejected.
        bad: u32,
    },
    /// What it saw before the still is no burst.
    #[error("unwatched: {0}")]
    Unwatched(String),
    /// The kernel refused: its driver.
    #[error("failed: {0}")]
    Failed(String),
}

/// What is wrong with a frame.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Rejection {
    /// The driver says so.
    #[error("damaged: the driver marks the frame as faulty")]
    Damaged,
    /// Bytes are missing.
    #[error("short: the frame has {bytes} bytes, {bytes_min} are needed")]
    Short {
        /// What came.
        bytes: usize,
        /// The least that makes a picture.
        bytes_min: usize,
    },
    /// A JPEG without its start or its end.
    #[error("truncated: the JPEG of {bytes} bytes has no {missing} marker")]
    Truncated {
        /// What came.
        bytes: usize,
        /// `start` or `end`.
        missing: &'static str,
    },
    /// A JPEG that cannot be decoded to its end.
    #[error("undecodable: {0}")]
    Undecodable(String),
    /// Another size than was agreed on.
    #[error("wrong size: the frame has {}x{}, agreed were {}x{}", found_px[0], found_px[1], agreed_px[0], agreed_px[1])]
    WrongSize {
        /// What came, in pixels.
        found_px: [usize; 2],
        /// What the driver had agreed to, in pixels.
        agreed_px: [usize; 2],
    },
    /// Nothing to be seen.
    #[error(
        "black: {bright_ppm} of a million pixels are brighter than black, needed are {bright_ppm_min}"
    )]
    Black {
        /// Pixels brighter than black, in a million.
        bright_ppm: u32,
        /// As many are needed.
        bright_ppm_min: u32,
    },
    /// The same frame again and again.
    #[error("frozen: {count} frames in a row are identical")]
    Frozen {
        /// How many.
        count: u32,
    },
}

impl CameraFault {
    /// Whether the configuration asks for what the camera does not have.
    pub fn is_of_configuration(&self) -> bool {
        matches!(self, Self::Unsuitable(_))
    }

    /// What the kernel says about the node when it is opened or used.
    pub(super) fn of(node: &Path, doing: &str, error: &io::Error) -> Self {
        let said = format!("{doing}: {error}");
        match Errno::from_io_error(error) {
            Some(Errno::NOENT | Errno::NODEV | Errno::NXIO) => Self::Lost(said),
            Some(Errno::ACCESS | Errno::PERM) => Self::Denied(said),
            Some(Errno::BUSY) => Self::Busy(super::holders::said(node)),
            Some(Errno::NOSPC) => Self::Busy(format!(
                "{said}: the USB bus has no bandwidth left, another camera may use it"
            )),
            Some(Errno::NOTTY) => Self::Unsuitable(format!("{said}: is no V4L2 camera")),
            _ => Self::Failed(said),
        }
    }
}

impl From<CameraError> for StillError {
    fn from(error: CameraError) -> Self {
        let said = error.to_string();
        match error.fault {
            CameraFault::Rejected {
                last: Rejection::Frozen { .. },
                ..
            } => Self::Frozen(said),
            _ => Self::Source(said),
        }
    }
}
