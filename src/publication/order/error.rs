//! What can be wrong with a request.

use super::TRANSACTION_CHARS_MAX;
use crate::{burst::BurstError, publication::Fault, request::RequestError};

/// A request that is not good, with what is known of the requester.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The requester's own mark, when it could be read.
    pub transaction: Option<String>,
    /// What is wrong.
    pub error: OrderError,
}

/// The requester sent something that cannot be an order.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum OrderError {
    /// The JSON document is too large.
    #[error("request has {bytes} bytes, allowed are {limit}")]
    JsonTooLarge {
        /// Its size.
        bytes: usize,
        /// The limit of its topic.
        limit: usize,
    },
    /// The payload is not the JSON document that it should be.
    #[error("request is not valid: {0}")]
    Json(String),
    /// The photograph has no bytes.
    #[error("photo has 0 bytes, expected a JPEG, PNG or WebP file")]
    PhotoEmpty,
    /// The photograph has too many bytes.
    #[error("photo has {bytes} bytes, allowed are {limit}")]
    PhotoTooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The payload is announced as something else.
    #[error("content type is {0:?}, expected image/jpeg, image/png or image/webp")]
    ContentType(String),
    /// The transaction mark is too long.
    #[error("transaction has {chars} characters, allowed are {TRANSACTION_CHARS_MAX}")]
    Transaction {
        /// Its length.
        chars: usize,
    },
    /// Only one of the two sides of a size is given, or both forms of it.
    #[error("size is given as {0}, expected either size or both of width_px and height_px")]
    SizeForm(&'static str),
    /// Several pictures of which nobody knows when they were taken.
    #[error(
        "photo is several JPEGs one after another, but burst_fps is missing: how many of \
         them were taken per second"
    )]
    BurstRate,
    /// A rate of what is not there.
    #[error("burst_fps is given with one JPEG, expected are those before the photo and the photo")]
    BurstAlone,
    /// A burst that is none.
    #[error(transparent)]
    Burst(#[from] BurstError),
    /// A wish that only a burst can fulfil.
    #[error(
        "clean_plate is given, but nothing is seen before the photo: expected are several \
         JPEGs with burst_fps, or the camera"
    )]
    CleanPlate,
    /// An option's text is not a value of its kind.
    #[error("{name} is {value:?}, expected {expected}")]
    Option {
        /// The option.
        name: &'static str,
        /// What was given.
        value: String,
        /// What would have been right.
        expected: &'static str,
    },
    /// An option is given twice.
    #[error("{0} is given twice, expected once")]
    Twice(&'static str),
    /// A user property that looks like a misspelt option.
    #[error("option {given:?} is unknown, nearest is {nearest:?}")]
    Misspelt {
        /// What was given.
        given: String,
        /// The option of nearly that name.
        nearest: &'static str,
    },
    /// The topic names no clip.
    #[error("sha256 has {chars} characters or others than 0-9 a-f, expected are 64 of these")]
    Digest {
        /// Length of what was given.
        chars: usize,
    },
    /// A value is out of its range.
    #[error(transparent)]
    Request(#[from] RequestError),
}

impl OrderError {
    /// A stable word for answers: `too_large`, `bad_json`, `bad_photo` or
    /// `bad_request`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::JsonTooLarge { .. } | Self::PhotoTooLarge { .. } => "too_large",
            Self::Json(_) => "bad_json",
            Self::PhotoEmpty | Self::ContentType(_) => "bad_photo",
            _ => "bad_request",
        }
    }

    /// The error as it is answered.
    pub fn fault(&self) -> Fault {
        Fault {
            code: self.code().to_owned(),
            message: self.to_string(),
        }
    }
}
