//! What the journal's files say.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    publication::{ClipNotice, Fault, Order, Version},
    request::{JobId, Request, Source},
};

/// How a job ended.
pub type Outcome = Result<ClipNotice, Fault>;

/// Where and how a requester wants to be answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// The topic of the answer.
    pub topic: String,
    /// Opaque bytes that the answer repeats.
    pub correlation_data: Option<Vec<u8>>,
    /// The requester's own mark, repeated as well.
    pub transaction: Option<String>,
}

/// SHA-256 of everything that a request asks for, photograph included and job
/// id not: two requests of one digest ask for the same clip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestDigest(String);

impl RequestDigest {
    /// The digest of a request that has its photograph.
    pub fn of(request: &Request) -> Self {
        let asked = serde_json::to_vec(&(&request.source, &request.look, &request.shape))
            .expect("a request has text keys and no failing serializers");
        let mut digest = Sha256::new_with_prefix(asked);
        // A request for neither has the digest that it had before there was either.
        if request.burst_fps.is_some() || request.clean_plate {
            let more = serde_json::to_vec(&(request.burst_fps, request.clean_plate))
                .expect("numbers have no failing serializers");
            digest.update(more);
        }
        if let Source::Photo(bytes) = &request.source {
            digest.update(bytes);
        }
        Self(format!("{:x}", digest.finalize()))
    }
}

/// A job as it was accepted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JobRecord {
    /// Version of the record.
    pub v: Version,
    /// Its place in the order of acceptance; no two records share one.
    pub sequence: u64,
    /// What is asked for, without the photograph.
    pub order: Order,
    /// What is asked for, with the photograph, in short.
    pub digest: RequestDigest,
    /// Whether the photograph is in the file.
    pub has_photo: bool,
    /// Who asked first.
    pub address: Address,
    /// Largest clip that could be published when the job was accepted, in
    /// bytes; part of the job, so that a clip rendered again is the same.
    pub clip_bytes_max: Option<u64>,
}

/// What is added to a job while it is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// Somebody else asked for the same.
    Address(Address),
    /// A process has begun to render it.
    Begun,
    /// The process that had begun to render it ended in good order.
    LeftOff,
    /// It is not wanted any more.
    Cancelled,
}

/// A job that has not ended.
#[derive(Clone, Debug)]
pub struct PendingJob {
    /// What was accepted.
    pub record: JobRecord,
    /// Everybody who asked, in order.
    pub addresses: Vec<Address>,
    /// Processes that began to render it and did not end in good order.
    pub crash_count: u32,
    /// Somebody has asked for it to be ended.
    pub is_cancelled: bool,
    /// Size of the file, in bytes.
    pub bytes: u64,
}

impl PendingJob {
    /// A job that has just been accepted.
    pub fn new(record: JobRecord) -> Self {
        Self {
            addresses: vec![record.address.clone()],
            record,
            crash_count: 0,
            is_cancelled: false,
            bytes: 0,
        }
    }

    pub(super) fn take(&mut self, note: Note) {
        match note {
            Note::Address(address) => self.addresses.push(address),
            Note::Begun => self.crash_count += 1,
            Note::LeftOff => self.crash_count = self.crash_count.saturating_sub(1),
            Note::Cancelled => self.is_cancelled = true,
        }
    }
}

/// A job that has ended, as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedJob {
    /// Version of the record.
    pub v: Version,
    /// Its place in the order of acceptance.
    pub sequence: u64,
    /// Its place in the order of ends, of the same numbers.
    pub ended_sequence: u64,
    /// The job.
    pub job_id: JobId,
    /// What was asked for.
    pub digest: RequestDigest,
    /// How it ended.
    pub outcome: Outcome,
}
