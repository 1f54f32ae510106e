//! Passwords and tokens: the first line of a file, read when it is needed.

use std::{fs::File, io::Read, path::Path};

use super::ConfigError;

/// Longest secret, in bytes.
const SECRET_BYTES_MAX: usize = 4096;

/// The first line of `file`, which holds a `what` of `bytes_min` bytes or more.
///
/// # Errors
/// [`ConfigError::File`] if the file cannot be read or its first line is too
/// short, too long or not UTF-8. The content is never part of the message.
pub(super) fn first_line(file: &Path, what: &str, bytes_min: usize) -> Result<String, ConfigError> {
    let failed = |reason: String| ConfigError::File {
        file: file.to_owned(),
        reason: format!("{what} {reason}"),
    };
    let mut text = String::new();
    File::open(file)
        .and_then(|opened| {
            opened
                .take(SECRET_BYTES_MAX as u64 + 1)
                .read_to_string(&mut text)
        })
        .map_err(|error| failed(format!("cannot be read: {error}")))?;
    let secret = text.lines().next().unwrap_or_default();
    match secret.len() {
        0 => Err(failed("is empty: 0 bytes in the first line".to_owned())),
        bytes if bytes < bytes_min => Err(failed(format!(
            "has {bytes} bytes, allowed are {bytes_min} to {SECRET_BYTES_MAX}"
        ))),
        bytes if bytes > SECRET_BYTES_MAX => Err(failed(format!(
            "is longer than the allowed {SECRET_BYTES_MAX} bytes"
        ))),
        _ => Ok(secret.to_owned()),
    }
}
