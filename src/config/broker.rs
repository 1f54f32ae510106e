//! The broker's URL and the password.

use std::{path::PathBuf, str::FromStr, time::Duration};

use super::{Broker, ConfigError, SYSTEM_CA_FILE, Tls, secret};

/// The largest photograph that is accepted, and room for its properties.
const PACKET_BYTES_MAX_DEFAULT: u32 = 33 << 20;
const KEEP_ALIVE_DEFAULT: Duration = Duration::from_secs(30);

impl Broker {
    /// The password: the first line of the password file, if one is named.
    /// Read at every connection, so that a changed password needs no restart.
    ///
    /// # Errors
    /// [`ConfigError::File`] if the file cannot be read, is empty, too long or
    /// not UTF-8. The content is never part of the message.
    pub fn password(&self) -> Result<Option<String>, ConfigError> {
        let file = self.password_file.as_deref();
        file.map(|file| secret::first_line(file, "password", 1))
            .transpose()
    }
}

impl FromStr for Broker {
    type Err = ConfigError;

    /// Reads `mqtt://host[:port]`, or `mqtts` for TLS with the system's
    /// authorities; the ports are 1883 and 8883 unless given.
    fn from_str(url: &str) -> Result<Self, ConfigError> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let (default_port, tls) = match scheme {
            "mqtt" => (1883, None),
            "mqtts" => {
                let tls = Tls {
                    ca_file: PathBuf::from(SYSTEM_CA_FILE),
                    client: None,
                };
                (8883, Some(tls))
            }
            _ => {
                return Err(ConfigError::BrokerUrl(format!(
                    "has the scheme {scheme:?}, allowed are \"mqtt\" and \"mqtts\""
                )));
            }
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains('@') {
            // Not quoted: what stands before the @ is most likely a password.
            return Err(ConfigError::BrokerUrl(
                "has a user before the host, give username and password_file instead".to_owned(),
            ));
        }
        let (host, port) = host_and_port(rest)?;
        Ok(Self {
            host: host.to_owned(),
            port: port.unwrap_or(default_port),
            username: None,
            password_file: None,
            tls,
            packet_bytes_max: PACKET_BYTES_MAX_DEFAULT,
            keep_alive: KEEP_ALIVE_DEFAULT,
        })
    }
}

/// `host`, `host:port`, `[address]` or `[address]:port`.
fn host_and_port(text: &str) -> Result<(&str, Option<u16>), ConfigError> {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, "")) => (address, None),
        Some((address, rest)) => (address, Some(rest.strip_prefix(':').unwrap_or(rest))),
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let is_legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%');
    if host.is_empty() || !host.chars().all(is_legal) {
        return Err(ConfigError::BrokerUrl(format!(
            "has the host {host:?}, expected a name or an address"
        )));
    }
    let port = port.map(|port| match port.parse::<u16>() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(ConfigError::BrokerUrl(format!(
            "has the port {port:?}, allowed are 1 to 65535"
        ))),
    });
    Ok((host, port.transpose()?))
}
