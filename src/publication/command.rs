//! Reading the commands that are no request for a clip.

use serde::{Deserialize, de::DeserializeOwned};

use super::{OrderError, Refusal, TRANSACTION_CHARS_MAX, Version};
use crate::request::JobId;

/// Largest payload of these commands, in bytes; checked before parsing.
pub const COMMAND_BYTES_MAX: usize = 4 << 10;

/// `request/capture`, `request/reload` and `request/health_check`: an empty
/// payload, or this.
#[derive(Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCommand {
    /// Version of the document.
    #[serde(default)]
    #[expect(dead_code, reason = "reading it checks it")]
    v: Version,
    /// The requester's own mark, repeated in the answer.
    transaction: Option<String>,
}

/// `request/cancel`: the job that is to end.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCancel {
    /// Version of the document.
    #[serde(default)]
    #[expect(dead_code, reason = "reading it checks it")]
    v: Version,
    /// The job.
    job_id: String,
    /// The requester's own mark, repeated in the answer.
    transaction: Option<String>,
}

/// `clip/<sha256>/get`: an empty payload asks for the whole clip.
#[derive(Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawGet {
    /// Version of the document.
    #[serde(default)]
    #[expect(dead_code, reason = "reading it checks it")]
    v: Version,
    /// The first chunk that is wanted, from 0.
    #[serde(default)]
    first: u32,
    /// How many are wanted; all that follow unless said.
    count: Option<u32>,
    /// The requester's own mark, repeated in the answer.
    transaction: Option<String>,
}

/// A command, read, and the requester's own mark.
#[derive(Clone, Debug, PartialEq)]
pub struct Command<T> {
    /// What is asked for.
    pub what: T,
    /// Repeated in the answer.
    pub transaction: Option<String>,
}

/// Chunks that are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkRange {
    /// The first one.
    pub first: u32,
    /// How many; `None` for all that follow.
    pub count: Option<u32>,
}

/// Reads a command that has nothing but a mark.
///
/// # Errors
/// A [`Refusal`] with the first thing that is wrong.
pub fn plain_command(payload: &[u8]) -> Result<Command<()>, Box<Refusal>> {
    let raw: RawCommand = read(payload)?.unwrap_or_default();
    marked(raw.transaction, || Ok(()))
}

/// Reads the payload of `request/cancel`.
///
/// # Errors
/// A [`Refusal`] with the first thing that is wrong.
pub fn cancel_command(payload: &[u8]) -> Result<Command<JobId>, Box<Refusal>> {
    let raw: RawCancel = read(payload)?
        .ok_or_else(|| refused(OrderError::Json("it is empty, expected job_id".to_owned())))?;
    marked(raw.transaction, || Ok(raw.job_id.parse()?))
}

/// Reads the payload of `clip/<sha256>/get`.
///
/// # Errors
/// A [`Refusal`] with the first thing that is wrong. Whether the clip has such
/// chunks is not known here.
pub fn get_command(payload: &[u8]) -> Result<Command<ChunkRange>, Box<Refusal>> {
    let raw: RawGet = read(payload)?.unwrap_or_default();
    let RawGet { first, count, .. } = raw;
    marked(raw.transaction, || Ok(ChunkRange { first, count }))
}

fn read<T: DeserializeOwned>(payload: &[u8]) -> Result<Option<T>, Box<Refusal>> {
    if payload.len() > COMMAND_BYTES_MAX {
        return Err(refused(OrderError::JsonTooLarge {
            bytes: payload.len(),
            limit: COMMAND_BYTES_MAX,
        }));
    }
    if payload.is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(payload)
        .map(Some)
        .map_err(|error| refused(OrderError::Json(error.to_string())))
}

fn marked<T>(
    transaction: Option<String>,
    what: impl FnOnce() -> Result<T, OrderError>,
) -> Result<Command<T>, Box<Refusal>> {
    let chars = transaction.as_ref().map_or(0, |mark| mark.chars().count());
    if chars > TRANSACTION_CHARS_MAX {
        return Err(refused(OrderError::Transaction { chars }));
    }
    match what() {
        Ok(what) => Ok(Command { what, transaction }),
        Err(error) => Err(Box::new(Refusal { transaction, error })),
    }
}

fn refused(error: OrderError) -> Box<Refusal> {
    Box::new(Refusal {
        transaction: None,
        error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_and_marked() {
        assert_eq!(plain_command(b"").unwrap().transaction, None);
        let said = plain_command(br#"{"v":1,"transaction":"t"}"#).unwrap();
        assert_eq!(said.transaction.as_deref(), Some("t"));
        let cancel = cancel_command(br#"{"job_id":"till","transaction":"t"}"#).unwrap();
        assert_eq!(cancel.what.as_str(), "till");
        let get = get_command(br#"{"first":3}"#).unwrap().what;
        assert_eq!((get.first, get.count), (3, None));
    }

    #[test]
    fn bad_commands_are_refused_with_their_mark_where_it_is_known() {
        for (payload, code) in [
            (&b"{"[..], "bad_json"),
            (b"[]", "bad_json"),
            (br#"{"v":2}"#, "bad_json"),
            (br#"{"job":1}"#, "bad_json"),
            (&[b' '; COMMAND_BYTES_MAX + 1], "too_large"),
        ] {
            assert_eq!(plain_command(payload).unwrap_err().error.code(), code);
            assert_eq!(cancel_command(payload).unwrap_err().error.code(), code);
            assert_eq!(get_command(payload).unwrap_err().error.code(), code);
        }
        assert!(cancel_command(b"").is_err());
        let wrong = cancel_command(br#"{"job_id":"a/b","transaction":"t"}"#).unwrap_err();
        assert_eq!(wrong.transaction.as_deref(), Some("t"));
        assert_eq!(wrong.error.code(), "bad_request");
        let long = format!(r#"{{"transaction":"{}"}}"#, "x".repeat(129));
        let said = plain_command(long.as_bytes())
            .unwrap_err()
            .error
            .to_string();
        assert_eq!(said, "transaction has 129 characters, allowed are 128");
    }
}
