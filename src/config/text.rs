//! The configuration file as text, and where in it something stands.

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

use super::{ConfigError, raw::Raw};

/// Longest configuration file, in bytes; nobody writes more by hand.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// What a path begins with that names one of systemd's credentials.
const CREDENTIAL: &str = "credential:";

pub(super) struct Text {
    file: PathBuf,
    text: String,
    /// Where systemd has put what `LoadCredential=` names.
    credentials_dir: Option<PathBuf>,
}

impl Text {
    pub(super) fn read(file: &Path) -> Result<Self, ConfigError> {
        let failed = |reason: String| ConfigError::File {
            file: file.to_owned(),
            reason,
        };
        let credentials_dir = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
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
                credentials_dir,
            }),
            Err(broken) => {
                let at = broken.utf8_error().valid_up_to();
                let bytes = broken.into_bytes();
                let readable = Self {
                    file: file.to_owned(),
                    text: String::from_utf8_lossy(&bytes[..at]).into_owned(),
                    credentials_dir,
                };
                let reason = format!("byte 0x{:02x} is not UTF-8 text", bytes[at]);
                Err(readable.error(at..at, reason))
            }
        }
    }

    /// A text that came from no file.
    pub(super) fn of(text: &str) -> Self {
        Self {
            file: PathBuf::from("/etc/zoetrope/zoetrope.toml"),
            text: text.to_owned(),
            credentials_dir: None,
        }
    }

    #[cfg(test)]
    pub(super) fn with_credentials_dir(mut self, folder: &str) -> Self {
        self.credentials_dir = Some(PathBuf::from(folder));
        self
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

    /// A path from the file; relative ones start at the file's folder, and
    /// `credential:NAME` is what systemd has laid out under that name.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn path(&self, path: &str) -> Result<PathBuf, String> {
        let Some(name) = path.strip_prefix(CREDENTIAL) else {
            return Ok(self.file.parent().unwrap_or(Path::new("")).join(path));
        };
        if name.is_empty() || name.contains('/') || name == ".." {
            return Err(format!("is {path:?}, expected the name of a credential"));
        }
        match &self.credentials_dir {
            Some(folder) => Ok(folder.join(name)),
            None => Err(format!(
                "is {path:?}, but $CREDENTIALS_DIRECTORY is not set: \
                 only systemd's LoadCredential= sets it"
            )),
        }
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
