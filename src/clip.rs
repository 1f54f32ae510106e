//! The finished loop: H.264 in an MP4 file, and what there is to know of it.

pub mod mp4;
pub mod poster;

use std::{
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    director::Report, observation::Account, picture::Yuv420, request::JobId, scene::EngineReport,
};

/// A finished clip on disk.
///
/// Written as JSON it is without path and poster, which are files themselves.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Clip {
    /// The MP4 file, complete and durable.
    #[serde(skip)]
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
    #[serde(skip)]
    pub poster_jpeg: Vec<u8>,
    /// What the director measured.
    pub report: Report,
    /// What ran the network, and why nothing better did.
    #[serde(default)]
    pub engine: EngineReport,
    /// How much of the motion was seen, if the scene was watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observation: Option<Account>,
}

impl Clip {
    /// Length of one turn of the loop, in milliseconds.
    pub fn duration_ms(&self) -> u32 {
        self.frame_count * 1000 / self.frame_rate
    }
}

/// How coarsely a clip is quantised: the QP of H.264 of its still, from which those of
/// all other frames follow, since a change from frame to frame is seen as a pulse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantiser(u8);

/// Steps by which what moves is coarser than the still. Encoders usually take three, a
/// step size of 1.4 times (x264's `ipratio`).
const MOTION_STEPS: u8 = 1;

impl Quantiser {
    /// Finer than this no eye sees.
    pub const FINEST: Self = Self(14);
    /// Coarser than this, flat parts of the picture show steps; only a byte
    /// budget asks for it.
    pub const COARSEST_UNASKED: Self = Self(24);
    /// Coarser than this, a clip is not worth showing.
    pub const COARSEST: Self = Self(34);

    /// The QP, 0..=51.
    pub fn qp(self) -> u8 {
        self.0
    }

    /// The one of the frames that follow the still. What rests in them is the still's, and
    /// what moves is seen less sharply.
    pub fn of_motion(self) -> Self {
        Self(self.0 + MOTION_STEPS)
    }

    /// Coarser by so many steps, or finer by as many negative ones; within
    /// [`Self::FINEST`] and `coarsest`.
    #[must_use]
    pub fn coarser(self, steps: i32, coarsest: Self) -> Self {
        let qp = i32::from(self.0).saturating_add(steps);
        Self(qp.clamp(i32::from(Self::FINEST.0), i32::from(coarsest.0)) as u8)
    }
}

/// A video encoder. Implementations live in `device`.
///
/// It encodes pieces of a clip whose key frame is the still. Every piece begins
/// with a frame that refers to the still alone, and its frames carry their
/// place in the clip: so pieces of several encoders of the same still, at the
/// same quantiser, joined in order behind the still, are one stream. The same
/// piece gives the same bytes, whatever an encoder encoded before.
pub trait VideoEncoder: Send {
    /// The still: frame 0 of every clip.
    fn still(&self) -> &EncodedStill;

    /// Begins a piece: the next frame refers to the still.
    fn begin_piece(&mut self);

    /// Encodes the next frame of a piece as frame `index` of the clip.
    ///
    /// # Errors
    /// [`ClipError::Encoder`] with what the device said.
    fn encode(&mut self, index: u32, frame: &Yuv420) -> Result<EncodedFrame, ClipError>;

    /// Frames that all show the still, which is given again, at the cost of
    /// encoding one.
    ///
    /// # Errors
    /// [`ClipError::Encoder`] with what the device said.
    fn hold(&mut self, indices: Range<u32>, still: &Yuv420)
    -> Result<Vec<EncodedFrame>, ClipError>;
}

/// Makes an encoder from the still, the frame rate and the quantiser.
pub type NewEncoder =
    dyn Fn(&Yuv420, u32, Quantiser) -> Result<Box<dyn VideoEncoder>, ClipError> + Sync;

/// One encoded frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedFrame {
    /// NAL units in Annex B form (start codes).
    pub annex_b: Vec<u8>,
    /// Can be decoded without any frame before it.
    pub is_keyframe: bool,
}

/// The still as a key frame.
#[derive(Clone, Debug)]
pub struct EncodedStill {
    /// The frame, with the parameter sets in front.
    pub frame: EncodedFrame,
    /// Peak signal-to-noise ratio of its luma when decoded, in decibels.
    pub luma_psnr_db: f32,
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
    /// The clip does not fit, however coarsely it is quantised.
    #[error("clip needs about {bytes} bytes at the coarsest, allowed are {bytes_max}")]
    Budget {
        /// Size of the clip as far as it is known.
        bytes: u64,
        /// Largest allowed size.
        bytes_max: u64,
    },
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

/// Makes sure that a new file may take the place of what stands at `path`: nothing,
/// or a file.
///
/// # Errors
/// When something else stands there. Renamed over a device such as `/dev/null`, a
/// file would take its place for all programs.
pub fn check_replaceable(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => Err(io::Error::other(
            "is a device, pipe, socket or folder, expected a file or nothing",
        )),
        _ => Ok(()),
    }
}
