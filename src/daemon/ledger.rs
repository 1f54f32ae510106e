//! The jobs that are remembered, so that the same job asked for twice is one
//! render and two answers.

use std::collections::{HashMap, VecDeque};

use sha2::{Digest, Sha256};

use crate::{
    publication::{ClipNotice, Fault},
    request::{JobId, Request, Source},
};

/// Finished jobs that are remembered.
const FINISHED_MAX: usize = 64;
/// Answers that may wait for one job.
const ANSWERS_MAX: usize = 32;

/// Where and how a requester wants to be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) topic: String,
    pub(super) correlation_data: Option<Vec<u8>>,
    pub(super) transaction: Option<String>,
}

/// How a job ended.
pub(super) type Outcome = Result<ClipNotice, Fault>;

/// What the ledger says to a request.
#[derive(Debug, PartialEq)]
pub(super) enum Entry {
    /// Nobody has used this id.
    New,
    /// The same is being made; the answer will go to this requester as well.
    UnderWay,
    /// The same is being made, and too many wait for it.
    Crowded,
    /// The same has ended like this.
    Ended(Outcome),
    /// Something else was asked for under this id.
    Conflict,
}

struct Record {
    fingerprint: [u8; 32],
    addresses: Vec<Address>,
    outcome: Option<Outcome>,
}

/// The jobs that are remembered: all that are under way, and the last that
/// have ended.
#[derive(Default)]
pub(super) struct Ledger {
    records: HashMap<JobId, Record>,
    ended: VecDeque<JobId>,
}

impl Ledger {
    /// Looks the request up, and adds the requester to those who are answered
    /// if it is under way.
    pub(super) fn look_up(&mut self, request: &Request, address: &Address) -> Entry {
        let Some(record) = self.records.get_mut(&request.id) else {
            return Entry::New;
        };
        if record.fingerprint != fingerprint(request) {
            return Entry::Conflict;
        }
        match &record.outcome {
            Some(outcome) => Entry::Ended(outcome.clone()),
            None if record.addresses.len() >= ANSWERS_MAX => Entry::Crowded,
            None => {
                record.addresses.push(address.clone());
                Entry::UnderWay
            }
        }
    }

    /// Enters a job that begins.
    pub(super) fn begin(&mut self, request: &Request, address: Address) {
        let record = Record {
            fingerprint: fingerprint(request),
            addresses: vec![address],
            outcome: None,
        };
        self.records.insert(request.id.clone(), record);
    }

    /// Enters how a job ended; gives all who want to know.
    pub(super) fn end(&mut self, id: &JobId, outcome: Outcome) -> Vec<Address> {
        let Some(record) = self.records.get_mut(id) else {
            return Vec::new();
        };
        record.outcome = Some(outcome);
        let addresses = std::mem::take(&mut record.addresses);
        self.ended.push_back(id.clone());
        if self.ended.len() > FINISHED_MAX
            && let Some(oldest) = self.ended.pop_front()
        {
            self.records.remove(&oldest);
        }
        addresses
    }

    /// Whether the job is remembered as one that has ended.
    pub(super) fn has_ended(&self, id: &JobId) -> bool {
        let record = self.records.get(id);
        record.is_some_and(|record| record.outcome.is_some())
    }

    /// Every job that has not ended.
    pub(super) fn under_way(&self) -> Vec<JobId> {
        self.records
            .iter()
            .filter(|(_, record)| record.outcome.is_none())
            .map(|(id, _)| id.clone())
            .collect()
    }
}

fn fingerprint(request: &Request) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(format!("{:?} {:?} ", request.look, request.shape));
    match &request.source {
        Source::Camera => digest.update("camera"),
        Source::Photo(bytes) => {
            digest.update("photo ");
            digest.update(bytes);
        }
        Source::Path(path) => digest.update(format!("path {path:?}")),
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{Look, Shape};

    fn request(id: &str, seed: u64) -> Request {
        Request {
            id: id.parse().unwrap(),
            source: Source::Camera,
            look: Look {
                seed,
                ..Look::default()
            },
            shape: Shape::default(),
        }
    }

    fn address(topic: &str) -> Address {
        Address {
            topic: topic.to_owned(),
            correlation_data: None,
            transaction: None,
        }
    }

    fn fault() -> Fault {
        Fault {
            code: "encode".to_owned(),
            message: String::new(),
        }
    }

    #[test]
    fn the_same_job_twice_is_answered_twice() {
        let mut ledger = Ledger::default();
        let first = request("a", 1);
        assert_eq!(ledger.look_up(&first, &address("x")), Entry::New);
        ledger.begin(&first, address("x"));
        assert_eq!(ledger.look_up(&first, &address("y")), Entry::UnderWay);
        assert_eq!(
            ledger.look_up(&request("a", 2), &address("z")),
            Entry::Conflict
        );
        let answered = ledger.end(&first.id, Err(fault()));
        assert_eq!(answered, [address("x"), address("y")]);
        assert_eq!(
            ledger.look_up(&first, &address("w")),
            Entry::Ended(Err(fault()))
        );
    }

    #[test]
    fn memory_is_bounded_and_forgets_only_what_has_ended() {
        let mut ledger = Ledger::default();
        ledger.begin(&request("waiting", 1), address("x"));
        for number in 0..200 {
            let one = request(&format!("j{number}"), 1);
            ledger.begin(&one, address("x"));
            ledger.end(&one.id, Err(fault()));
        }
        assert_eq!(ledger.records.len(), FINISHED_MAX + 1);
        assert_eq!(ledger.under_way(), ["waiting".parse().unwrap()]);
    }

    #[test]
    fn answers_are_bounded() {
        let mut ledger = Ledger::default();
        let one = request("a", 1);
        ledger.begin(&one, address("x"));
        for _ in 1..ANSWERS_MAX {
            assert_eq!(ledger.look_up(&one, &address("x")), Entry::UnderWay);
        }
        assert_eq!(ledger.look_up(&one, &address("x")), Entry::Crowded);
    }
}
