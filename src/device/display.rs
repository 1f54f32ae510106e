//! The display's side: asks for clips, receives and keeps them.
//!
//! What is received is trusted only once its SHA-256 is the one announced, and
//! a file is replaced only by a complete one.

mod files;

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
    publication::ClipNotice,
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

/// The clip and its record, as they come in: in any order, from any time.
#[derive(Default)]
struct Arrivals {
    mp4: Option<(String, Vec<u8>)>,
    record: Option<(ClipNotice, Vec<u8>)>,
    poster: Option<Vec<u8>>,
}

/// A clip that is what its record says.
struct Arrived {
    notice: ClipNotice,
    mp4: Vec<u8>,
    record: Vec<u8>,
    poster: Option<Vec<u8>>,
}

impl Arrivals {
    fn take_clip(&mut self, bytes: Vec<u8>) {
        // An empty retained message is a deletion.
        if !bytes.is_empty() {
            self.mp4 = Some((sha256_of(&bytes), bytes));
        }
    }

    fn take_poster(&mut self, bytes: Vec<u8>) {
        self.poster = Some(bytes).filter(|bytes| !bytes.is_empty());
    }

    fn take_record(&mut self, bytes: Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        match serde_json::from_slice(&bytes) {
            Ok(notice) => self.record = Some((notice, bytes)),
            Err(error) => log::warn!("clip record is not valid: {error}"),
        }
    }

    /// The clip, once its bytes and its record are both here and agree.
    fn matched(&mut self) -> Option<Arrived> {
        let (sha256, _) = self.mp4.as_ref()?;
        let (notice, _) = self.record.as_ref()?;
        if *sha256 != notice.sha256 {
            // The clip of the next record, or of the last: the other half is
            // still to come.
            return None;
        }
        let (_, mp4) = self.mp4.take()?;
        let (notice, record) = self.record.take()?;
        Some(Arrived {
            notice,
            mp4,
            record,
            poster: self.poster.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(sha256: &str) -> Vec<u8> {
        format!(r#"{{"v":1,"job_id":"a","sha256":"{sha256}","bytes":3}}"#).into_bytes()
    }

    #[test]
    fn a_clip_counts_only_with_its_own_record() {
        let mut arrivals = Arrivals::default();
        arrivals.take_clip(b"old".to_vec());
        arrivals.take_record(record(&sha256_of(b"new")));
        assert!(arrivals.matched().is_none());
        arrivals.take_clip(b"new".to_vec());
        let arrived = arrivals.matched().unwrap();
        assert_eq!(arrived.mp4, b"new");
        assert!(arrivals.matched().is_none());
    }

    #[test]
    fn nonsense_is_passed_over() {
        let mut arrivals = Arrivals::default();
        arrivals.take_clip(Vec::new());
        arrivals.take_record(b"{}".to_vec());
        arrivals.take_record(Vec::new());
        assert!(arrivals.matched().is_none());
    }

    #[test]
    fn a_digest_is_written_as_everybody_does() {
        assert!(sha256_of(b"").starts_with("e3b0c44298fc1c149afbf4c8996fb924"));
    }
}
