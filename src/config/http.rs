//! The HTTP listener.

use std::{net::SocketAddr, path::PathBuf};

use toml::Spanned;

use super::{
    ConfigError, KeyPair,
    raw::RawHttp,
    resolve::{integer, pair, path, required_path},
    secret,
    text::Text,
};

/// Shortest token, in bytes: with 64 characters to choose from, 96 bits.
const TOKEN_BYTES_MIN: usize = 16;
/// Connections at a time, unless configured.
pub const HTTP_CONNECTIONS_MAX_DEFAULT: usize = 64;

/// The HTTP listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The broker's WebSocket listener as displays reach it,
    /// such as `ws://board.local:9001/mqtt`.
    pub broker_websocket_url: String,
    /// File whose first line everybody must know who wants more than
    /// `/healthz`; always there unless `listen` is a loopback address.
    pub token_file: Option<PathBuf>,
    /// TLS, when configured.
    pub tls: Option<KeyPair>,
    /// Connections at a time, at least 2; one peer may hold half of them.
    pub connections_max: usize,
}

impl Http {
    /// The token: the first line of the token file, if one is named.
    ///
    /// # Errors
    /// [`ConfigError::File`] if the file cannot be read or the token has less
    /// than 16 bytes. The token is never part of the message.
    pub fn token(&self) -> Result<Option<String>, ConfigError> {
        let file = self.token_file.as_deref();
        file.map(|file| secret::first_line(file, "token", TOKEN_BYTES_MIN))
            .transpose()
    }
}

pub(super) fn resolve(text: &Text, section: Spanned<RawHttp>) -> Result<Http, ConfigError> {
    let place = section.span();
    let raw = section.into_inner();
    let missing = |key: &str| text.error(place.clone(), format!("http.{key} is missing"));
    let listen = raw.listen.ok_or_else(|| missing("listen"))?;
    let address: SocketAddr = listen.get_ref().parse().map_err(|_| {
        let reason = format!(
            "http.listen is {:?}, expected an address and a port such as 127.0.0.1:8080",
            listen.get_ref()
        );
        text.error(listen.span(), reason)
    })?;
    if !address.ip().is_loopback() && raw.token_file.is_none() {
        let reason = format!(
            "http.listen is {address}, which others can reach: http.token_file is needed, \
             or a loopback address such as 127.0.0.1:8080"
        );
        return Err(text.error(listen.span(), reason));
    }
    let url = (raw.broker_websocket_url).ok_or_else(|| missing("broker_websocket_url"))?;
    let is_websocket = ["ws://", "wss://"].map(|scheme| url.get_ref().starts_with(scheme));
    if !is_websocket.contains(&true) {
        let reason = format!(
            "http.broker_websocket_url is {:?}, expected ws://… or wss://…",
            url.get_ref()
        );
        return Err(text.error(url.span(), reason));
    }
    let tls = pair(
        text,
        ("http.cert_file", raw.cert_file),
        ("http.key_file", raw.key_file),
    )?;
    let tls = tls.map(|[cert_file, key_file]| {
        Ok(KeyPair {
            cert_file: required_path(text, "http.cert_file", &cert_file)?,
            key_file: required_path(text, "http.key_file", &key_file)?,
        })
    });
    let connections_max = integer(
        text,
        "http.connections_max",
        &raw.connections_max,
        2..=10_000,
    )?;
    Ok(Http {
        listen: address,
        broker_websocket_url: url.into_inner(),
        token_file: path(text, "http.token_file", raw.token_file)?,
        tls: tls.transpose()?,
        connections_max: connections_max.map_or(HTTP_CONNECTIONS_MAX_DEFAULT, |n| n as usize),
    })
}
