//! The photograph, brought upright and to the size of the clip.
//!
//! Two steps: [`decode`] turns a file's bytes into upright sRGB under limits
//! that are checked before a pixel is decoded; [`Still::compose`] crops and
//! scales it to the clip's size. No I/O: bytes come from a [`StillSource`].

use std::{sync::Arc, time::SystemTime};

use crate::{
    picture::{Rgb, Yuv420},
    request::Size,
};

/// What a photograph may be at most; checked before decoding.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Largest file, in bytes.
    pub bytes_max: usize,
    /// Longest side, in pixels.
    pub side_px_max: u32,
    /// Shortest side, in pixels.
    pub side_px_min: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes_max: 32 << 20,
            side_px_max: 4096,
            side_px_min: 64,
        }
    }
}

/// A place that photographs come from. Implementations live in `device`.
pub trait StillSource: Send {
    /// One encoded photograph (JPEG, PNG or WebP), taken now.
    ///
    /// # Errors
    /// [`StillError::Source`] with the reason when there is none to be had.
    fn capture(&mut self) -> Result<Vec<u8>, StillError>;

    /// What the source is, for logs and records: `file`, `command`.
    fn origin(&self) -> Origin;
}

/// Where a still was taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A local file.
    File,
    /// The output of a configured command.
    Command,
    /// Bytes inside a message.
    Payload,
}

/// The photograph at the clip's size.
#[derive(Clone, Debug)]
pub struct Still {
    /// The picture itself; frames share it.
    pub planes: Arc<Yuv420>,
    /// When it came in.
    pub captured_at: SystemTime,
    /// Where it came from.
    pub origin: Origin,
}

impl Still {
    /// Scales the photograph to cover `size` and crops what stands over,
    /// equally on both sides.
    pub fn compose(photo: &Rgb, size: Size, origin: Origin) -> Self {
        let _ = (photo, size, origin);
        todo!()
    }
}

/// Decodes JPEG, PNG or WebP to upright 8-bit sRGB.
///
/// # Errors
/// Every variant of [`StillError`] but [`StillError::Source`].
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Rgb, StillError> {
    let _ = (bytes, limits);
    todo!()
}

/// No photograph can be had.
#[derive(Debug, thiserror::Error)]
pub enum StillError {
    /// The source failed.
    #[error("{0}")]
    Source(String),
}
