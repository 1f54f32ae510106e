//! The display's side: asks for clips, receives and keeps them.
//!
//! What is received is trusted only once its SHA-256 is the one announced, and
//! a file is replaced only by a complete one.

mod arrivals;

mod files;

mod pull;

mod request;

mod watch;

use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

pub use files::{FileError, replace};
pub use request::{Asked, RequestOptions, ask, request};
pub use watch::{WatchOptions, watch};

use crate::{
    config::Broker,
    device::mqtt::{Connection, Message, Settings},
    request::JobId,
};

/// SHA-256 of `bytes`, lower-case hexadecimal.
pub fn sha256_of(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A connection of a display's own, under a name nobody else has.
fn connect(
    broker: &Broker,
    subscriptions: Vec<String>,
) -> anyhow::Result<(Connection, mpsc::Receiver<Message>)> {
    let settings = Settings {
        client_id: format!("zoetrope-display-{}", JobId::generate()),
        broker: broker.clone(),
        last_will: None,
        subscriptions,
        unacknowledged_max: None,
    };
    Ok(Connection::open(&settings)?)
}

/// Waits until the connection is up.
///
/// # Errors
/// After `time_max`, with what the last attempt said.
async fn connected(connection: &Connection, time_max: Duration) -> anyhow::Result<()> {
    let mut link = connection.link();
    let is_up = tokio::time::timeout(time_max, link.wait_for(|link| link.is_up))
        .await
        .is_ok_and(|up| up.is_ok());
    if is_up {
        return Ok(());
    }
    let trouble = connection.link().borrow().trouble.clone();
    let trouble = trouble.unwrap_or_else(|| "no answer".to_owned());
    anyhow::bail!(
        "no connection within {} s: {trouble}",
        time_max.as_secs_f32()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_written_as_everybody_does() {
        assert!(sha256_of(b"").starts_with("e3b0c44298fc1c149afbf4c8996fb924"));
    }
}
