//! The jobs that are remembered, so that the same job asked for twice is one
//! render and two answers. What is here is what the journal holds.

use std::collections::{HashMap, VecDeque};

use crate::{
    journal::{Address, EndedJob, Outcome, PendingJob, RequestDigest},
    publication::Version,
    request::JobId,
};

/// Finished jobs that are remembered.
const FINISHED_MAX: usize = 64;
/// Answers that may wait for one job.
const ANSWERS_MAX: usize = 256;

/// What the ledger says to a request.
#[derive(Debug, PartialEq)]
pub(super) enum Entry {
    /// Nobody has used this id.
    New,
    /// The same is being made, under this number in the journal.
    UnderWay(u64),
    /// The same is being made, and too many wait for it.
    Crowded,
    /// The same has ended like this.
    Ended(Outcome),
    /// Something else was asked for under this id.
    Conflict,
}

struct Record {
    sequence: u64,
    digest: RequestDigest,
    addresses: Vec<Address>,
    outcome: Option<Outcome>,
    /// Size in the journal while it is under way.
    bytes: u64,
}

/// How a job is to be closed.
#[derive(Debug)]
pub(super) struct Closing {
    /// What the journal shall say of it.
    pub(super) ended: EndedJob,
    /// All who want to know.
    pub(super) addresses: Vec<Address>,
    /// The job that is remembered no longer for this one.
    pub(super) forgotten: Option<u64>,
}

/// The jobs that are remembered: all that are under way, and the last that
/// have ended.
pub(super) struct Ledger {
    records: HashMap<JobId, Record>,
    ended: VecDeque<JobId>,
    next_sequence: u64,
}

impl Ledger {
    /// A ledger of what has ended, oldest first. `sequence_max` is the highest
    /// number in use, here or elsewhere. Gives the numbers of those that it
    /// does not remember.
    pub(super) fn new(ended: Vec<EndedJob>, sequence_max: u64) -> (Self, Vec<u64>) {
        let numbers = |job: &EndedJob| job.sequence.max(job.ended_sequence);
        let ended_max = ended.iter().map(numbers).max().unwrap_or_default();
        let mut ledger = Self {
            records: HashMap::new(),
            ended: VecDeque::new(),
            next_sequence: sequence_max.max(ended_max) + 1,
        };
        let mut forgotten = Vec::new();
        for job in ended {
            let record = Record {
                sequence: job.sequence,
                digest: job.digest,
                addresses: Vec::new(),
                outcome: Some(job.outcome),
                bytes: 0,
            };
            // Of two jobs of one id, the later counts.
            if let Some(earlier) = ledger.records.insert(job.job_id.clone(), record) {
                ledger.ended.retain(|id| *id != job.job_id);
                forgotten.push(earlier.sequence);
            }
            forgotten.extend(ledger.push_ended(job.job_id));
        }
        (ledger, forgotten)
    }

    /// A number that is higher than every one before.
    pub(super) fn take_sequence(&mut self) -> u64 {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        sequence
    }

    /// Looks a request up.
    pub(super) fn look_up(&self, id: &JobId, digest: &RequestDigest) -> Entry {
        let Some(record) = self.records.get(id) else {
            return Entry::New;
        };
        if record.digest != *digest {
            return Entry::Conflict;
        }
        match &record.outcome {
            Some(outcome) => Entry::Ended(outcome.clone()),
            None if record.addresses.len() >= ANSWERS_MAX => Entry::Crowded,
            None => Entry::UnderWay(record.sequence),
        }
    }

    /// Enters a job that begins.
    pub(super) fn begin(&mut self, job: &PendingJob) {
        let record = Record {
            sequence: job.record.sequence,
            digest: job.record.digest.clone(),
            addresses: job.addresses.clone(),
            outcome: None,
            bytes: job.bytes,
        };
        self.next_sequence = self.next_sequence.max(record.sequence + 1);
        self.records
            .insert(job.record.order.request.id.clone(), record);
    }

    /// Adds somebody who wants to know how a job ends.
    pub(super) fn add(&mut self, id: &JobId, address: Address) {
        if let Some(record) = self.records.get_mut(id) {
            record.addresses.push(address);
        }
    }

    /// Enters how a job ended.
    pub(super) fn end(&mut self, id: &JobId, outcome: Outcome) -> Option<Closing> {
        let ended_sequence = self.take_sequence();
        let record = self.records.get_mut(id)?;
        record.outcome = Some(outcome.clone());
        let ended = EndedJob {
            v: Version,
            sequence: record.sequence,
            ended_sequence,
            job_id: id.clone(),
            digest: record.digest.clone(),
            outcome,
        };
        let addresses = std::mem::take(&mut record.addresses);
        let forgotten = self.push_ended(id.clone());
        Some(Closing {
            ended,
            addresses,
            forgotten,
        })
    }

    /// Whether the job is remembered as one that has ended.
    pub(super) fn has_ended(&self, id: &JobId) -> bool {
        let record = self.records.get(id);
        record.is_some_and(|record| record.outcome.is_some())
    }

    fn push_ended(&mut self, id: JobId) -> Option<u64> {
        self.ended.push_back(id);
        if self.ended.len() <= FINISHED_MAX {
            return None;
        }
        let oldest = self.ended.pop_front()?;
        Some(self.records.remove(&oldest)?.sequence)
    }

    fn pending(&self) -> impl Iterator<Item = &Record> {
        let records = self.records.values();
        records.filter(|record| record.outcome.is_none())
    }

    /// Jobs that have not ended.
    pub(super) fn pending_count(&self) -> usize {
        self.pending().count()
    }

    /// Size in the journal of all that has not ended, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.pending().map(|record| record.bytes).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        journal::JobRecord,
        publication::{Fault, Order},
        request::{Look, Request, Shape, Source},
    };

    fn job(ledger: &mut Ledger, id: &str, seed: u64) -> PendingJob {
        let look = Look {
            seed,
            ..Look::default()
        };
        let request = Request {
            id: id.parse().unwrap(),
            source: Source::Camera,
            look,
            shape: Shape::default(),
            burst_fps: None,
            clean_plate: false,
        };
        let record = JobRecord {
            v: Version,
            sequence: ledger.take_sequence(),
            digest: RequestDigest::of(&request),
            order: Order {
                request,
                transaction: None,
                deadline: None,
            },
            has_photo: false,
            address: address("x"),
            clip_bytes_max: None,
        };
        PendingJob {
            bytes: 100,
            ..PendingJob::new(record)
        }
    }

    fn look_up(ledger: &Ledger, job: &PendingJob) -> Entry {
        ledger.look_up(&job.record.order.request.id, &job.record.digest)
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
        let (mut ledger, _) = Ledger::new(Vec::new(), 6);
        let first = job(&mut ledger, "a", 1);
        let id = first.record.order.request.id.clone();
        assert_eq!(look_up(&ledger, &first), Entry::New);
        ledger.begin(&first);
        assert_eq!(look_up(&ledger, &first), Entry::UnderWay(7));
        ledger.add(&id, address("y"));
        let other = job(&mut ledger, "a", 2);
        assert_eq!(look_up(&ledger, &other), Entry::Conflict);
        assert_eq!((ledger.pending_count(), ledger.bytes()), (1, 100));
        let closing = ledger.end(&id, Err(fault())).unwrap();
        assert_eq!(closing.addresses, [address("x"), address("y")]);
        assert_eq!(look_up(&ledger, &first), Entry::Ended(Err(fault())));
        assert_eq!((ledger.pending_count(), ledger.bytes()), (0, 0));

        // Another ledger of the same journal says the same.
        let (ledger, forgotten) = Ledger::new(vec![closing.ended], 0);
        assert_eq!(look_up(&ledger, &first), Entry::Ended(Err(fault())));
        assert_eq!((forgotten, ledger.next_sequence), (Vec::new(), 10));
    }

    #[test]
    fn memory_is_bounded_and_forgets_only_what_has_ended() {
        let (mut ledger, _) = Ledger::new(Vec::new(), 0);
        let waiting = job(&mut ledger, "waiting", 1);
        ledger.begin(&waiting);
        let mut ended = Vec::new();
        let mut forgotten = 0;
        for number in 0..200 {
            let one = job(&mut ledger, &format!("j{number}"), 1);
            ledger.begin(&one);
            let closing = ledger.end(&one.record.order.request.id, Err(fault()));
            let closing = closing.unwrap();
            ended.push(closing.ended);
            forgotten += usize::from(closing.forgotten.is_some());
        }
        assert_eq!(ledger.records.len(), FINISHED_MAX + 1);
        assert_eq!(forgotten, 200 - FINISHED_MAX);
        assert_eq!(look_up(&ledger, &waiting), Entry::UnderWay(1));
        let (ledger, forgotten) = Ledger::new(ended, 0);
        assert_eq!(ledger.records.len(), FINISHED_MAX);
        assert_eq!(forgotten.len(), 200 - FINISHED_MAX);
    }

    #[test]
    fn answers_are_bounded() {
        let (mut ledger, _) = Ledger::new(Vec::new(), 0);
        let one = job(&mut ledger, "a", 1);
        ledger.begin(&one);
        for _ in 1..ANSWERS_MAX {
            assert_eq!(look_up(&ledger, &one), Entry::UnderWay(1));
            ledger.add(&one.record.order.request.id, address("x"));
        }
        assert_eq!(look_up(&ledger, &one), Entry::Crowded);
    }
}
