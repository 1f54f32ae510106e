//! Sending clips in chunks to whoever asks.

use std::{fs::File, io, os::unix::fs::FileExt, sync::Arc};

use super::{Desk, errands::Errand, fault, off_thread};
use crate::{
    daemon::store::Store,
    device::mqtt::Connection,
    journal::Address,
    publication::{
        CHUNK_BYTES, ChunkLayout, ChunkRange, ClipDigest, Fault, Publication, Pulled, Topics,
    },
};

/// Pulls that run at a time. Chunks go one by one, each when the one before is
/// with the broker, so that other messages get in between.
const PULLS_RUNNING_MAX: usize = 2;
/// Pulls that may wait; one more is answered `busy`.
const PULLS_WAITING_MAX: usize = 16;
/// Askers that may wait for the same chunks; one more is answered `busy`.
const ASKERS_MAX: usize = 32;
/// Time after which the broker forgets a chunk that it could not deliver, in
/// seconds.
const CHUNK_EXPIRY_S: u32 = 60;

/// Chunks that somebody asked for.
pub(super) struct Pull {
    sha256: ClipDigest,
    file: File,
    bytes: u64,
    first: u32,
    count: u32,
    addresses: Vec<Address>,
}

impl Desk {
    /// Sends chunks of a clip, or says why not.
    pub(super) async fn pull(&mut self, sha256: ClipDigest, range: ChunkRange, address: Address) {
        let pull = match self.opened(sha256, range).await {
            Ok(pull) => pull,
            Err(fault) => return self.refuse(&address, fault),
        };
        // A wall of displays asks for the same: everybody hears the chunks.
        let same = self.errands.pulls_waiting.iter_mut().find(|waiting| {
            waiting.sha256 == pull.sha256
                && (waiting.first, waiting.count) == (pull.first, pull.count)
                && waiting.addresses.len() < ASKERS_MAX
        });
        if let Some(same) = same {
            return same.addresses.push(address);
        }
        let waiting = self.errands.pulls_waiting.len();
        if waiting >= PULLS_WAITING_MAX {
            let message = format!("{waiting} pulls are waiting, allowed are {PULLS_WAITING_MAX}");
            return self.refuse(&address, fault("busy", message));
        }
        self.errands.pulls_waiting.push_back(Pull {
            addresses: vec![address],
            ..pull
        });
        self.pull_next();
    }

    /// Starts what waits, as far as there is room.
    pub(super) fn pull_next(&mut self) {
        while self.errands.pulls_running < PULLS_RUNNING_MAX {
            let Some(pull) = self.errands.pulls_waiting.pop_front() else {
                return;
            };
            self.errands.pulls_running += 1;
            let connection = Arc::clone(&self.connection);
            let topics = self.topics.clone();
            let store = self.store.clone();
            self.errands.run(async move {
                let (addresses, result) = pull.send(&connection, &topics, store).await;
                Errand::Pull { addresses, result }
            });
        }
    }

    async fn opened(&self, sha256: ClipDigest, range: ChunkRange) -> Result<Pull, Fault> {
        let store = self.store.clone();
        let (opened, sha256) = off_thread(move || (store.open_clip(&sha256), sha256)).await;
        let opened = opened.map_err(|error| fault("storage", error.to_string()))?;
        let Some((file, bytes)) = opened else {
            let message = format!("clip {sha256} is not here any more");
            return Err(fault("unknown_clip", message));
        };
        let chunks = ChunkLayout::of(bytes).count;
        let ChunkRange { first, count } = range;
        let left = chunks.saturating_sub(first);
        let count = count.unwrap_or(left);
        if count == 0 || count > left {
            let message =
                format!("{count} chunks from {first} are asked for, the clip has {chunks} from 0");
            return Err(fault("bad_request", message));
        }
        Ok(Pull {
            sha256,
            file,
            bytes,
            first,
            count,
            addresses: Vec::new(),
        })
    }
}

impl Pull {
    async fn send(
        mut self,
        connection: &Connection,
        topics: &Topics,
        store: Store,
    ) -> (Vec<Address>, Result<Pulled, Fault>) {
        let verified;
        (self, verified) = off_thread(move || {
            let verified = store.verify(&self.sha256, &self.file);
            (self, verified)
        })
        .await;
        if let Err(error) = verified {
            return (self.addresses, Err(fault("storage", error.to_string())));
        }
        for index in self.first..self.first + self.count {
            let sent = match self.chunk(index, topics) {
                Ok(chunk) => connection.publish(chunk).acknowledged().await,
                Err(error) => {
                    let message = format!("clip {}: {error}", self.sha256);
                    return (self.addresses, Err(fault("storage", message)));
                }
            };
            if let Err(error) = sent {
                return (self.addresses, Err(fault("publish", error.to_string())));
            }
        }
        let pulled = Pulled {
            sha256: self.sha256.to_string(),
            first: self.first,
            count: self.count,
            bytes: self.bytes,
            chunks: ChunkLayout::of(self.bytes),
        };
        (self.addresses, Ok(pulled))
    }

    /// Read when it is its turn: a pull holds no more than one chunk.
    fn chunk(&self, index: u32, topics: &Topics) -> io::Result<Publication> {
        let offset = u64::from(index) * u64::from(CHUNK_BYTES);
        let size = (self.bytes - offset).min(u64::from(CHUNK_BYTES));
        let mut bytes = vec![0; size as usize];
        self.file.read_exact_at(&mut bytes, offset)?;
        let topic = topics.clip_chunk(&self.sha256, index);
        Ok(Publication::bytes(topic, "application/octet-stream", bytes)
            .expiring(CHUNK_EXPIRY_S)
            .with("sha256", &self.sha256)
            .with("offset", &offset)
            .with("total", &self.bytes))
    }
}
