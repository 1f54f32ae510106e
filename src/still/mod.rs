//! The photograph, brought upright and to the size of the clip.
//!
//! Two steps: [`decode`] turns a file's bytes into upright sRGB under limits
//! that are checked before a pixel is decoded; [`Still::compose`] crops and
//! scales it to the clip's size. No I/O: bytes come from a [`StillSource`].
//!
//! Colour profiles are ignored: every photograph is taken to be sRGB, which is
//! what practically all cameras, phones and web pictures are, and what every
//! display of ours assumes.

use std::{sync::Arc, time::SystemTime};

use crate::{
    burst::Burst,
    picture::{Rgb, Yuv420},
    request::Size,
};

mod colour;
mod decoder;
mod header;
mod scale;

/// What a photograph may be at most; checked before decoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// One photograph, taken now, and what was seen just before it if the source
    /// was asked to watch.
    ///
    /// # Errors
    /// [`StillError::Source`] with the reason when there is none to be had, and
    /// [`StillError::Frozen`] when it is the same again and again.
    fn capture(&mut self) -> Result<Capture, StillError>;

    /// What the source is, for logs and records: `camera`, `file`, `command`.
    fn origin(&self) -> Origin;
}

/// What a source gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Capture {
    /// The encoded photograph (JPEG, PNG or WebP).
    pub still: Vec<u8>,
    /// What was seen just before it, in the same framing.
    pub burst: Option<Burst>,
    /// Why there is no burst, where one was wanted.
    pub burst_fault: Option<String>,
}

impl Capture {
    /// A photograph before which nobody watched.
    pub fn alone(still: Vec<u8>) -> Self {
        Self {
            still,
            burst: None,
            burst_fault: None,
        }
    }

    /// A photograph, and the burst before it or why there is none.
    pub fn watched(still: Vec<u8>, burst: Result<Burst, String>) -> Self {
        let (burst, burst_fault) = match burst {
            Ok(burst) => (Some(burst), None),
            Err(fault) => (None, Some(fault)),
        };
        Self {
            still,
            burst,
            burst_fault,
        }
    }
}

/// Where a still was taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A local file.
    File,
    /// The output of a configured command.
    Command,
    /// A camera that the kernel knows.
    Camera,
    /// Bytes inside a message.
    Payload,
    /// Fetched from the network.
    Url,
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
    /// equally on both sides. A photograph that already has the size keeps
    /// every pixel.
    pub fn compose(photo: &Rgb, size: Size, origin: Origin) -> Self {
        Self {
            planes: Arc::new(Yuv420::from_rgb(&scale::cover(photo, size))),
            captured_at: SystemTime::now(),
            origin,
        }
    }
}

/// Decodes JPEG, PNG or WebP to upright 8-bit sRGB. The format is told from
/// the content; transparent pictures are laid on white, greyscale, 16-bit and
/// CMYK ones are converted, and the EXIF orientation is applied.
///
/// # Errors
/// Every variant of [`StillError`] but those of sources: the file's
/// size, kind, header and pixels are checked in that order, so that a header
/// that lies about its size is refused before anything is allocated for it.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Rgb, StillError> {
    if bytes.is_empty() {
        return Err(StillError::Empty);
    }
    if bytes.len() > limits.bytes_max {
        return Err(StillError::Bytes {
            bytes: bytes.len(),
            bytes_max: limits.bytes_max,
        });
    }
    let header = header::inspect(bytes)?;
    check_sides(&header, limits)?;
    decoder::decode(bytes, &header)
}

fn check_sides(header: &header::Header, limits: &Limits) -> Result<(), StillError> {
    let (width_px, height_px) = (header.width_px, header.height_px);
    if width_px.max(height_px) > limits.side_px_max {
        return Err(StillError::Large {
            width_px,
            height_px,
            side_px_max: limits.side_px_max,
        });
    }
    // An empty picture is refused whatever the configured limit says.
    let side_px_min = limits.side_px_min.max(1);
    if width_px.min(height_px) < side_px_min {
        return Err(StillError::Small {
            width_px,
            height_px,
            side_px_min,
        });
    }
    Ok(())
}

/// No photograph can be had.
#[derive(Debug, thiserror::Error)]
pub enum StillError {
    /// The source failed.
    #[error("{0}")]
    Source(String),
    /// The source gives the same picture again and again, which is not what it
    /// looks at.
    #[error("{0}")]
    Frozen(String),
    /// There are no bytes at all.
    #[error("photograph is empty: 0 bytes")]
    Empty,
    /// The file is too large.
    #[error("photograph has {bytes} bytes, allowed are at most {bytes_max}")]
    Bytes {
        /// Size of the file.
        bytes: usize,
        /// Largest allowed size.
        bytes_max: usize,
    },
    /// Neither JPEG nor PNG nor WebP.
    #[error("photograph is {found}, accepted are JPEG, PNG and WebP")]
    Format {
        /// What the first bytes look like.
        found: String,
    },
    /// More pixels than allowed.
    #[error(
        "photograph is {width_px}x{height_px} pixels, allowed are at most {side_px_max} per side"
    )]
    Large {
        /// Width that the header announces.
        width_px: u32,
        /// Height that the header announces.
        height_px: u32,
        /// Longest allowed side.
        side_px_max: u32,
    },
    /// Fewer pixels than needed.
    #[error(
        "photograph is {width_px}x{height_px} pixels, needed are at least {side_px_min} per side"
    )]
    Small {
        /// Width that the header announces.
        width_px: u32,
        /// Height that the header announces.
        height_px: u32,
        /// Shortest allowed side.
        side_px_min: u32,
    },
    /// A moving picture.
    #[error("photograph is an animated {format}, accepted are still pictures only")]
    Animated {
        /// `PNG` or `WebP`.
        format: &'static str,
    },
    /// The file ends too early.
    #[error("photograph is a truncated {format}: {bytes} bytes end before {missing}")]
    Truncated {
        /// `JPEG`, `PNG` or `WebP`.
        format: &'static str,
        /// Size of what there is.
        bytes: usize,
        /// What should have followed.
        missing: &'static str,
    },
    /// The content contradicts itself.
    #[error("photograph is a damaged {format}: {reason}")]
    Corrupt {
        /// `JPEG`, `PNG` or `WebP`.
        format: &'static str,
        /// What the decoder said.
        reason: String,
    },
}

#[cfg(test)]
mod tests;
