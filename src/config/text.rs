//! The configuration file as text, the profile that lies under it, and where in
//! the two something stands.

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use toml::{
    Spanned,
    de::{DeTable, DeValue, Deserializer},
};

use super::{ConfigError, profile, raw::Raw};

/// Longest configuration file, in bytes; nobody writes more by hand.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// What a path begins with that names one of systemd's credentials.
const CREDENTIAL: &str = "credential:";

pub(super) struct Text {
    file: Layer,
    profile: Option<Layer>,
    /// Where systemd has put what `LoadCredential=` names.
    credentials_dir: Option<PathBuf>,
}

/// One file.
struct Layer {
    file: PathBuf,
    text: String,
    /// Where its places begin: those of two layers are apart.
    start: usize,
}

impl Layer {
    fn read(file: &Path, start: usize) -> Result<Self, ConfigError> {
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
        let layer = |text: String| Self {
            file: file.to_owned(),
            text,
            start,
        };
        match String::from_utf8(bytes) {
            Ok(text) => Ok(layer(text)),
            Err(broken) => {
                let at = broken.utf8_error().valid_up_to();
                let bytes = broken.into_bytes();
                let reason = format!("byte 0x{:02x} is not UTF-8 text", bytes[at]);
                let readable = layer(String::from_utf8_lossy(&bytes[..at]).into_owned());
                Err(readable.error(start + at, reason))
            }
        }
    }

    /// The text as it stands behind that of the layer above, so that the parser
    /// counts on from there.
    fn placed(&self) -> String {
        " ".repeat(self.start) + &self.text
    }

    /// An error about what stands at this byte.
    fn error(&self, place: usize, reason: String) -> ConfigError {
        let at = self.text.floor_char_boundary(place - self.start);
        let before = &self.text[..at];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        ConfigError::Invalid {
            file: self.file.clone(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            reason,
        }
    }
}

impl Text {
    /// Reads a file and the profile that it names.
    pub(super) fn read(file: &Path) -> Result<Self, ConfigError> {
        Self {
            file: Layer::read(file, 0)?,
            profile: None,
            credentials_dir: std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from),
        }
        .with_profile()
    }

    /// A text that came from no file, and the profile that it names.
    pub(super) fn of(text: &str) -> Result<Self, ConfigError> {
        Self {
            file: Layer {
                file: PathBuf::from("/etc/zoetrope/zoetrope.toml"),
                text: text.to_owned(),
                start: 0,
            },
            profile: None,
            credentials_dir: None,
        }
        .with_profile()
    }

    #[cfg(test)]
    pub(super) fn with_credentials_dir(mut self, folder: &str) -> Self {
        self.credentials_dir = Some(PathBuf::from(folder));
        self
    }

    fn with_profile(mut self) -> Result<Self, ConfigError> {
        let table = self.table(&self.file.text)?;
        let Some(named) = table.get_ref().get("profile") else {
            return Ok(self);
        };
        // Another type is refused together with all other wrong types.
        let DeValue::String(name) = named.get_ref() else {
            return Ok(self);
        };
        let named = Spanned::new(named.span(), name.to_string());
        let profile = self
            .path(&named)
            .and_then(|file| {
                Layer::read(&file, self.file.text.len() + 1).map_err(|error| error.to_string())
            })
            .map_err(|reason| self.error(named.span(), format!("profile {reason}")))?;
        self.profile = Some(profile);
        Ok(self)
    }

    /// The raw configuration, the profile's where the file says nothing; syntax,
    /// unknown keys and types are checked here.
    pub(super) fn parse(&self) -> Result<Raw, ConfigError> {
        let mut table = self.table(&self.file.text)?;
        let placed = self.profile.as_ref().map(Layer::placed);
        if let Some(placed) = &placed {
            let below = self.table(placed)?.into_inner();
            if let Some((key, _)) = below.get_key_value("profile") {
                let reason = "profile is given in a profile, allowed is one".to_owned();
                return Err(self.error(key.span(), reason));
            }
            profile::lay_under(table.get_mut(), below);
        }
        Raw::deserialize(Deserializer::from(table)).map_err(|error| self.wrong(&error))
    }

    fn table<'a>(&self, text: &'a str) -> Result<Spanned<DeTable<'a>>, ConfigError> {
        DeTable::parse(text).map_err(|error| self.wrong(&error))
    }

    /// What the parser says, in our words.
    fn wrong(&self, error: &toml::de::Error) -> ConfigError {
        let place = error.span().unwrap_or(0..0);
        let reason =
            unknown_key(error.message()).unwrap_or_else(|| error.message().replace('\n', ", "));
        self.error(place, reason)
    }

    /// The file in which something stands.
    fn layer_of(&self, place: &Range<usize>) -> &Layer {
        match &self.profile {
            Some(profile) if place.start >= profile.start => profile,
            _ => &self.file,
        }
    }

    /// An error about what stands at these bytes.
    pub(super) fn error(&self, place: Range<usize>, reason: String) -> ConfigError {
        self.layer_of(&place).error(place.start, reason)
    }

    /// A path from a file; relative ones start at that file's folder, and
    /// `credential:NAME` is what systemd has laid out under that name.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn path(&self, path: &Spanned<String>) -> Result<PathBuf, String> {
        let file = &self.layer_of(&path.span()).file;
        let path = path.get_ref().as_str();
        if path.is_empty() {
            return Err("is empty, expected a path".to_owned());
        }
        let Some(name) = path.strip_prefix(CREDENTIAL) else {
            return Ok(file.parent().unwrap_or(Path::new("")).join(path));
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
