//! What the daemon was told: TOML, read once, checked, resolved.
//!
//! [`Config`] is what everybody reads; the raw file never leaves this module.
//! Whatever is wrong with the file is said with line and column. Passwords
//! are not part of it: [`Broker::password`] reads one when it is needed.

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    publication::Discovery,
    request::{Look, Shape},
    still::Limits,
};

mod broker;
mod camera;
mod http;
mod inference;
mod observation;

mod profile;
mod raw;
mod resolve;
mod secret;
mod storage;
mod text;
mod thermal;
mod topics;
mod trigger;
mod url;

pub use camera::{Camera, DeviceCamera, PixelFormat};
pub use http::{HTTP_CONNECTIONS_MAX_DEFAULT, Http};
pub use inference::{EngineChoice, Inference};
pub use observation::{Observation, ObservationMode, Watch};
pub use storage::{JournalLimits, StoreLimits};
pub use thermal::Thermal;
pub use trigger::{Trigger, duration_of};
pub use url::{HostRule, Reach, UrlSource};

/// Where Debian, Alpine, Arch and the Yocto layers keep the authorities that
/// the system trusts; used where no `ca_file` is named.
const SYSTEM_CA_FILE: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Longest device id, in characters.
pub const DEVICE_ID_CHARS_MAX: usize = 64;

/// Everything the daemon needs to know, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// What the board is, under what the file says; none unless configured.
    pub profile_file: Option<PathBuf>,
    /// Names this board in every topic: 1 to 64 of a-z A-Z 0-9 - _.
    pub device_id: String,
    /// The MQTT broker.
    pub broker: Broker,
    /// Where stills come from when a request names the camera.
    pub camera: Camera,
    /// Whether and how the moments before a still are watched.
    pub observation: Observation,
    /// `motion.toml` of another network than the one built in.
    pub model_file: Option<PathBuf>,
    /// What runs the model.
    pub inference: Inference,
    /// What a photograph may be at most.
    pub photo_limits: Limits,
    /// How clips move when the request does not say.
    pub look: Look,
    /// How large and long clips are when the request does not say.
    pub shape: Shape,
    /// The kiosk page and the clips over HTTP; off unless configured.
    pub http: Option<Http>,
    /// Photographs from the network; off unless configured.
    pub url: Option<UrlSource>,
    /// What asks for clips besides MQTT.
    pub trigger: Trigger,
    /// When the board is too hot to go on at once.
    pub thermal: Thermal,
    /// Folder of finished clips; created when missing.
    pub clips_dir: PathBuf,
    /// Bounds of that folder.
    pub store: StoreLimits,
    /// Folder of accepted jobs; created when missing.
    pub journal_dir: PathBuf,
    /// Bounds of that folder.
    pub journal: JournalLimits,
    /// Jobs that may wait; one more is answered `queue_full`.
    pub queue_length_max: usize,
    /// Largest clip that goes as one message, in bytes, where the broker's own
    /// limit is larger or unknown.
    pub inline_bytes_max: Option<u64>,
    /// Group of boards that share the fleet's jobs; none unless configured.
    pub fleet_group: Option<String>,
    /// Home Assistant; not told of the board unless configured.
    pub home_assistant: Option<Discovery>,
    /// Threads that draw and encode; one for each processor if not given.
    pub threads: Option<NonZeroUsize>,
}

impl Config {
    /// Reads and checks a TOML file and the profile that it names, whose keys
    /// count where the file says nothing. Relative paths start at the folder of
    /// the file that they stand in.
    ///
    /// # Errors
    /// [`ConfigError::File`] if it cannot be read, [`ConfigError::Invalid`]
    /// with the place of the first thing that is wrong with it.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        resolve::config(&text::Text::read(file)?)
    }

    /// As [`Self::read`], or what an empty file says if there is none.
    ///
    /// # Errors
    /// Those of [`Self::read`].
    pub fn read_if_any(file: Option<&Path>) -> Result<Self, ConfigError> {
        file.map_or_else(|| Ok(Self::default()), Self::read)
    }

    /// Checks TOML that comes from no file; paths in it should be absolute, that
    /// of a profile too.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] as for [`Self::read`].
    pub fn parse(toml: &str) -> Result<Self, ConfigError> {
        resolve::config(&text::Text::of(toml)?)
    }
}

impl Default for Config {
    /// What an empty file says.
    fn default() -> Self {
        Self::parse("").expect("every key has a default that is within its limits")
    }
}

/// How to reach the MQTT broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// User name, when the broker wants one.
    pub username: Option<String>,
    /// File whose first line is the password.
    pub password_file: Option<PathBuf>,
    /// TLS, when configured.
    pub tls: Option<Tls>,
    /// Largest MQTT packet we accept and announce, in bytes.
    pub packet_bytes_max: u32,
    /// MQTT keep-alive.
    pub keep_alive: Duration,
}

/// How to trust the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// PEM file of the certificate authorities to trust.
    pub ca_file: PathBuf,
    /// By which the broker knows us, when it wants a certificate.
    pub client: Option<KeyPair>,
}

/// A certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPair {
    /// PEM file of the certificate, followed by those that vouch for it.
    pub cert_file: PathBuf,
    /// PEM file of its private key.
    pub key_file: PathBuf,
}

/// The daemon cannot start from what it was told.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be had.
    #[error("{}: {reason}", file.display())]
    File {
        /// The configuration or password file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// Something in the file is wrong.
    #[error("{}:{line}:{column}: {reason}", file.display())]
    Invalid {
        /// The configuration file.
        file: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// What is wrong, with the value and what is allowed.
        reason: String,
    },
    /// The broker's URL cannot be understood.
    #[error("broker url {0}")]
    BrokerUrl(String),
}

#[cfg(test)]
mod tests;
