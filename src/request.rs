//! What is asked for: one clip, said completely and validated once.
//!
//! A [`Request`] that exists is within every limit; nothing downstream checks
//! it again. How a request reaches us (command line, MQTT) is not known here.

mod photo_url;

use std::{path::PathBuf, str::FromStr, sync::Arc, time::Duration};

pub use photo_url::{PhotoUrl, URL_BYTES_MAX};

use serde::{Deserialize, Serialize};

/// Shortest clip, in milliseconds.
pub const DURATION_MS_MIN: u32 = 500;
/// Longest clip, in milliseconds.
pub const DURATION_MS_MAX: u32 = 60_000;
/// Length of a clip that is left open and that nothing was measured for, in
/// milliseconds.
pub const DURATION_MS_DEFAULT: u32 = 4_000;
/// Lowest frame rate, in frames per second.
pub const FRAME_RATE_MIN: u32 = 5;
/// Highest frame rate, in frames per second.
pub const FRAME_RATE_MAX: u32 = 60;
/// Smallest side of a clip, in pixels.
pub const SIDE_PX_MIN: usize = 64;
/// Longest side of a clip, in pixels.
pub const LONG_SIDE_PX_MAX: usize = 3840;
/// Longest short side of a clip, in pixels.
pub const SHORT_SIDE_PX_MAX: usize = 2160;
/// Long side of a clip whose size is left open, in pixels.
pub const LONG_SIDE_PX_DEFAULT: usize = 1280;
/// Longest job id, in characters.
pub const JOB_ID_CHARS_MAX: usize = 64;

/// One clip, asked for.
///
/// Written as JSON it is without its photograph, which has a place of its own
/// where it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    /// Names the job in every answer.
    pub id: JobId,
    /// Where the photograph comes from.
    pub source: Source,
    /// How it shall move.
    pub look: Look,
    /// The size and length of the clip.
    pub shape: Shape,
    /// Pictures per second before the photograph, where its bytes are several
    /// JPEGs one after another.
    #[serde(default)]
    pub burst_fps: Option<f32>,
    /// Whether those who pass through the burst are left out of the still.
    #[serde(default)]
    pub clean_plate: bool,
}

impl Request {
    /// Takes the photograph's bytes out, if it has any.
    pub fn take_photo(&mut self) -> Option<Arc<[u8]>> {
        match &mut self.source {
            Source::Photo(bytes) => Some(std::mem::take(bytes)),
            _ => None,
        }
    }
}

/// Where the photograph comes from.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The still source that the daemon is configured with.
    Camera,
    /// The photograph's own bytes (JPEG, PNG or WebP).
    Photo(#[serde(skip)] Arc<[u8]>),
    /// Where the photograph can be fetched.
    Url(PhotoUrl),
    /// A local file. Never built from a network message.
    Path(PathBuf),
}

/// How the picture shall move.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// Amount of motion, 0 (none) to 1 (as the model imagines it).
    pub strength: f32,
    /// Chooses one of many plausible motions.
    pub seed: u64,
    /// Where the wind blows or the stream runs to: degrees clockwise from
    /// "to the right" as the viewer sees it, so 90 is down. `None` leaves it
    /// to the model.
    pub direction_deg: Option<f32>,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            strength: 1.0,
            seed: 1,
            direction_deg: None,
        }
    }
}

impl Look {
    /// Checks the ranges given at each field.
    ///
    /// # Errors
    /// [`RequestError::Range`] names the first value that is out of range.
    pub fn validated(self) -> Result<Self, RequestError> {
        in_range("strength", f64::from(self.strength), 0.0, 1.0)?;
        if let Some(degrees) = self.direction_deg {
            in_range("direction", f64::from(degrees), -360.0, 360.0)?;
        }
        Ok(self)
    }
}

/// The size and length of a clip.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    /// Width and height; `None` keeps the photograph's proportions with a long
    /// side of at most [`LONG_SIDE_PX_DEFAULT`].
    pub size: Option<Size>,
    /// Length of one turn of the loop, in milliseconds; `None` leaves it to the
    /// scene's own rhythm if that was observed, else it is
    /// [`DURATION_MS_DEFAULT`].
    pub duration_ms: Option<u32>,
    /// Frames per second, constant.
    pub frame_rate: u32,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            size: None,
            duration_ms: None,
            frame_rate: 30,
        }
    }
}

impl Shape {
    /// Checks the ranges given at each field.
    ///
    /// # Errors
    /// [`RequestError::Range`] names the first value that is out of range.
    pub fn validated(self) -> Result<Self, RequestError> {
        in_range(
            "duration_ms",
            f64::from(self.settled_ms()),
            f64::from(DURATION_MS_MIN),
            f64::from(DURATION_MS_MAX),
        )?;
        in_range(
            "frame_rate",
            f64::from(self.frame_rate),
            f64::from(FRAME_RATE_MIN),
            f64::from(FRAME_RATE_MAX),
        )?;
        Ok(self)
    }

    fn settled_ms(&self) -> u32 {
        self.duration_ms.unwrap_or(DURATION_MS_DEFAULT)
    }

    /// Number of frames in one turn of the loop, at least 2.
    pub fn frame_count(&self) -> u32 {
        ((self.settled_ms() * self.frame_rate + 500) / 1000).max(2)
    }

    /// Length of one turn of the loop as it is played, in seconds: a whole
    /// number of frames.
    pub fn period_s(&self) -> f32 {
        self.frame_count() as f32 / self.frame_rate as f32
    }
}

/// Width and height of a clip: even, within the limits of this module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Size {
    width_px: usize,
    height_px: usize,
}

impl Size {
    /// A size that can be encoded.
    ///
    /// # Errors
    /// [`RequestError::Size`] if a side is odd or out of the limits.
    pub fn new(width_px: usize, height_px: usize) -> Result<Self, RequestError> {
        let (short, long) = (width_px.min(height_px), width_px.max(height_px));
        let even = width_px.is_multiple_of(2) && height_px.is_multiple_of(2);
        let fits = (SIDE_PX_MIN..=SHORT_SIDE_PX_MAX).contains(&short) && long <= LONG_SIDE_PX_MAX;
        if even && fits {
            Ok(Self {
                width_px,
                height_px,
            })
        } else {
            Err(RequestError::Size {
                width_px,
                height_px,
            })
        }
    }

    /// The largest size of the given proportions whose long side is at most
    /// [`LONG_SIDE_PX_DEFAULT`], never larger than the picture itself.
    pub fn fitting(picture_width_px: usize, picture_height_px: usize) -> Self {
        let long = picture_width_px.max(picture_height_px).max(1);
        let scale = (LONG_SIDE_PX_DEFAULT as f64 / long as f64).min(1.0);
        let side = |px: usize| {
            let even = (px as f64 * scale / 2.0).round() as usize * 2;
            even.clamp(SIDE_PX_MIN, LONG_SIDE_PX_DEFAULT)
        };
        Self {
            width_px: side(picture_width_px),
            height_px: side(picture_height_px),
        }
    }

    /// Width in pixels, even.
    pub fn width_px(&self) -> usize {
        self.width_px
    }

    /// Height in pixels, even.
    pub fn height_px(&self) -> usize {
        self.height_px
    }
}

impl FromStr for Size {
    type Err = RequestError;

    /// Reads `1280x720`.
    fn from_str(text: &str) -> Result<Self, RequestError> {
        let sides = text
            .split_once(['x', 'X', '×'])
            .and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
        match sides {
            Some((width_px, height_px)) => Self::new(width_px, height_px),
            None => Err(RequestError::SizeText(text.to_owned())),
        }
    }
}

impl From<Size> for String {
    fn from(size: Size) -> Self {
        format!("{}x{}", size.width_px, size.height_px)
    }
}

impl TryFrom<String> for Size {
    type Error = RequestError;

    fn try_from(text: String) -> Result<Self, RequestError> {
        text.parse()
    }
}

/// Names a job: 1 to 64 ASCII letters, digits, `-`, `_` or `.`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct JobId(String);

impl JobId {
    /// A new id that sorts by time (ULID).
    pub fn generate() -> Self {
        Self(ulid::Ulid::generate().to_string())
    }

    /// The id of what was there at that time since 1970 with that digest:
    /// always the same ULID for the same thing.
    pub fn derived(time: Duration, digest: [u8; 32]) -> Self {
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let random = u128::from_be_bytes(digest[..16].try_into().expect("a digest is longer"));
        Self(ulid::Ulid::from_parts(ms, random).to_string())
    }

    /// The id as text, safe in a topic, a file name and a log line.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for JobId {
    type Err = RequestError;

    fn from_str(text: &str) -> Result<Self, RequestError> {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if text.is_empty() || text.len() > JOB_ID_CHARS_MAX || !text.chars().all(legal) {
            return Err(RequestError::JobId {
                chars: text.chars().count(),
            });
        }
        Ok(Self(text.to_owned()))
    }
}

impl From<JobId> for String {
    fn from(id: JobId) -> Self {
        id.0
    }
}

impl TryFrom<String> for JobId {
    type Error = RequestError;

    fn try_from(text: String) -> Result<Self, RequestError> {
        text.parse()
    }
}

impl std::fmt::Display for JobId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The requester asked for something impossible.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RequestError {
    /// A number is outside its range.
    #[error("{name} is {value}, allowed are {min} to {max}")]
    Range {
        /// The option's name.
        name: &'static str,
        /// What was asked.
        value: f64,
        /// Smallest allowed value.
        min: f64,
        /// Largest allowed value.
        max: f64,
    },
    /// A size that cannot be encoded.
    #[error(
        "size is {width_px}x{height_px}, allowed are even sides from {SIDE_PX_MIN} \
         to {LONG_SIDE_PX_MAX}x{SHORT_SIDE_PX_MAX} (or portrait)"
    )]
    Size {
        /// Width asked for.
        width_px: usize,
        /// Height asked for.
        height_px: usize,
    },
    /// A size that is not of the form `WIDTHxHEIGHT`.
    #[error("size is {0:?}, expected WIDTHxHEIGHT such as 1280x720")]
    SizeText(String),
    /// A job id with illegal characters or length.
    #[error(
        "job_id has {chars} characters or illegal ones, allowed are 1 to {JOB_ID_CHARS_MAX} \
         of a-z A-Z 0-9 - _ ."
    )]
    JobId {
        /// Length of what was given.
        chars: usize,
    },
    /// A URL that no photograph can be fetched from.
    #[error("url is {url:?}: {reason}")]
    Url {
        /// Its beginning.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A digest that is none.
    #[error("sha256 has {chars} characters or illegal ones, expected 64 of 0-9 a-f")]
    Sha256 {
        /// Length of what was given.
        chars: usize,
    },
}

fn in_range(name: &'static str, value: f64, min: f64, max: f64) -> Result<(), RequestError> {
    // Written so that NaN is refused as well.
    if (min..=max).contains(&value) {
        Ok(())
    } else {
        Err(RequestError::Range {
            name,
            value,
            min,
            max,
        })
    }
}

#[cfg(test)]
mod tests;
