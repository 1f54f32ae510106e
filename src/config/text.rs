//! The configuration file as text, and where in it something stands.

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

use super::{ConfigError, raw::Raw};

/// Longest configuration file, in bytes; nobody writes more by hand.
const FILE_BYTES_MAX: u64 = 1 << 20;

pub(super) struct Text {
    file: PathBuf,
    text: String,
}

impl Text {
    pub(super) fn read(file: &Path) -> Result<Self, ConfigError> {
        let failed = |reason: String| ConfigError::File {
            file: file.to_owned(),
            reason,
        };
        let about = fs::metadata(file).map_err(|error| failed(error.to_string()))?;
        if !about.is_file() {
            return Err(failed("is not a file".to_owned()));
        }
        if about.len() > FILE_BYTES_MAX {
            return Err(failed(format!(
                "has {} bytes, allowed are at most {FILE_BYTES_MAX}",
                about.len()
            )));
        }
        let bytes = fs::read(file).map_err(|error| failed(error.to_string()))?;
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self {
                file: file.to_owned(),
                text,
            }),
            Err(broken) => {
                let at = broken.utf8_error().valid_up_to();
                let bytes = broken.into_bytes();
                let readable = Self {
                    file: file.to_owned(),
                    text: String::from_utf8_lossy(&bytes[..at]).into_owned(),
                };
                let reason = format!("byte 0x{:02x} is not UTF-8 text", bytes[at]);
                Err(readable.error(at..at, reason))
            }
        }
    }

    #[cfg(test)]
    pub(super) fn of(text: &str) -> Self {
        Self {
            file: PathBuf::from("/etc/zoetrope/zoetrope.toml"),
            text: text.to_owned(),
        }
    }

    /// The raw configuration; syntax, unknown keys and types are checked here.
    pub(super) fn parse(&self) -> Result<Raw, ConfigError> {
        toml::from_str(&self.text).map_err(|error| {
            let place = error.span().unwrap_or(0..0);
            let reason =
                unknown_key(error.message()).unwrap_or_else(|| error.message().replace('\n', ", "));
            self.error(place, reason)
        })
    }

    /// An error about what stands at these bytes.
    pub(super) fn error(&self, place: Range<usize>, reason: String) -> ConfigError {
        let at = self.text.floor_char_boundary(place.start);
        let before = &self.text[..at];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        ConfigError::Invalid {
            file: self.file.clone(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            reason,
        }
    }

    /// A path from the file; relative ones start at the file's folder.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.file.parent().unwrap_or(Path::new("")).join(path)
    }
}

/// Serde's sentence about an unknown key, with the nearest valid one. Serde
/// hands out no structure, but its wording is fixed: "unknown field `a`,
/// expected one of `b`, `c`".
fn unknown_key(message: &str) -> Option<String> {
    let names = message.strip_prefix("unknown field `")?;
    let mut names = names.split('`').step_by(2);
    let unknown = names.next()?;
    let nearest = names.filter(|name| !name.is_empty()).max_by(|a, b| {
        strsim::jaro_winkler(unknown, a).total_cmp(&strsim::jaro_winkler(unknown, b))
    });
    Some(match nearest {
        Some(nearest) => format!("unknown key {unknown:?}, the nearest valid key is {nearest:?}"),
        None => format!("unknown key {unknown:?}"),
    })
}
