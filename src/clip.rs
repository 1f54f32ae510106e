//! The finished loop: H.264 in an MP4 file, and what there is to know of it.

pub mod mp4;
pub mod poster;

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{director::Report, picture::Yuv420, request::JobId};

/// A finished clip on disk.
#[derive(Clone, Debug)]
pub struct Clip {
    /// The MP4 file, complete and durable.
    pub path: PathBuf,
    /// Size of the file.
    pub size_bytes: u64,
    /// SHA-256 of the file, lower-case hexadecimal.
    pub sha256: String,
    /// Codec string for a browser, such as `avc1.640028`.
    pub codecs: String,
    /// Width of the picture.
    pub width_px: usize,
    /// Height of the picture.
    pub height_px: usize,
    /// Frames per second, constant.
    pub frame_rate: u32,
    /// Frames in one turn of the loop.
    pub frame_count: u32,
    /// The job that asked for it.
    pub job_id: JobId,
    /// The still as JPEG of at most 100 KB, to show until the clip plays.
    pub poster_jpeg: Vec<u8>,
    /// What the director measured.
    pub report: Report,
}

impl Clip {
    /// Length of one turn of the loop, in milliseconds.
    pub fn duration_ms(&self) -> u32 {
        self.frame_count * 1000 / self.frame_rate
    }
}

/// A video encoder. Implementations live in `device`.
pub trait VideoEncoder {
    /// Encodes the next frame.
    ///
    /// # Errors
    /// [`ClipError::Encoder`] with what the device said.
    fn encode(&mut self, frame: &Yuv420) -> Result<EncodedFrame, ClipError>;
}

/// One encoded frame.
pub struct EncodedFrame {
    /// NAL units in Annex B form (start codes).
    pub annex_b: Vec<u8>,
    /// Can be decoded without any frame before it.
    pub is_keyframe: bool,
}

/// The clip could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ClipError {
    /// The encoder refused.
    #[error("encoder: {0}")]
    Encoder(String),
    /// The stream does not fit its container.
    #[error("mp4: {0}")]
    Container(String),
    /// The file cannot be written: folder, permission, space.
    #[error("cannot write {}: {error}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

impl ClipError {
    /// A [`ClipError::Write`] for this file.
    pub fn write(path: &Path, error: io::Error) -> Self {
        Self::Write {
            path: path.to_owned(),
            error,
        }
    }
}
