//! The answers to commands.

use serde::{Deserialize, Serialize};

use super::{ClipNotice, Version};

/// What went wrong, for programs and for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Fault {
    /// A stable word such as `bad_request` or `queue_full`.
    pub code: String,
    /// A sentence with the value and the limit.
    pub message: String,
}

/// The one answer to a command, sent when it has ended; `D` is what the command
/// has to tell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(bound(deserialize = "D: Deserialize<'de>"))]
pub struct Response<D = ClipNotice> {
    /// Version of the document.
    pub v: Version,
    /// How it ended.
    pub status: ResponseStatus,
    /// What came of it, when all went well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<D>,
    /// What went wrong, otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Fault>,
    /// The requester's own mark, repeated.
    pub transaction: Option<String>,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResponseStatus {
    /// As asked.
    Ok,
    /// Not at all.
    Error,
}

impl<D> Response<D> {
    /// All went well.
    pub fn ok(data: D, transaction: Option<String>) -> Self {
        Self {
            v: Version,
            status: ResponseStatus::Ok,
            data: Some(data),
            error: None,
            transaction,
        }
    }

    /// It did not.
    pub fn error(fault: Fault, transaction: Option<String>) -> Self {
        Self {
            v: Version,
            status: ResponseStatus::Error,
            data: None,
            error: Some(fault),
            transaction,
        }
    }
}

/// A still that was taken and published as the poster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Captured {
    /// The topic of the JPEG.
    pub topic: String,
    /// Size of the JPEG, in bytes.
    pub bytes: usize,
    /// SHA-256 of the JPEG, lower-case hexadecimal.
    pub sha256: String,
    /// Width of the photograph, upright, in pixels.
    pub photo_width: usize,
    /// Height of the photograph, upright, in pixels.
    pub photo_height: usize,
}

/// The job that was ended by a `cancel`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CancelledJob {
    /// The job.
    pub job_id: String,
}

/// The configuration has been read again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Reloaded {
    /// What differs and waits for a restart.
    pub waits_for_restart: Vec<String>,
}
