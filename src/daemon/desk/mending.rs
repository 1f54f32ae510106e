//! A journal whose disk is full, read-only or gone, and the way back.
//!
//! While that lasts, the state says so; now and then it is tried whether as
//! much can be written as could not be. Nothing is written while all is well.

use std::time::Duration;

use tokio::time::Instant;

use super::{Desk, fault, jobs, off_thread};
use crate::{daemon::ledger::Closing, journal::disk::DiskError, publication::Fault};

/// Code of what is refused because the disk does not take it: the only refusal
/// that says nothing about the request.
pub(super) const UNDURABLE: &str = "storage";

const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// Room that a job needs besides its photograph, in bytes.
const HEAD_BYTES: u64 = 16 << 10;

/// What is to be made good.
pub(super) struct Mending {
    /// What the state says meanwhile.
    reason: Option<String>,
    /// As much is written on trial.
    bytes: u64,
    pub(super) try_at: Option<Instant>,
    pause: Duration,
    /// Ends that the journal does not know of.
    unentered: Vec<Closing>,
}

impl Mending {
    pub(super) fn new() -> Self {
        Self {
            reason: None,
            bytes: 0,
            try_at: None,
            pause: PAUSE_MIN,
            unentered: Vec::new(),
        }
    }

    fn try_later(&mut self) {
        self.try_at = Some(Instant::now() + self.pause);
        self.pause = (self.pause * 2).min(PAUSE_MAX);
    }
}

impl Desk {
    /// What is not durable is not accepted: the refusal of something that
    /// needs so many bytes besides a few.
    pub(super) fn undurable(&mut self, error: &DiskError, bytes: u64) -> Fault {
        log::error!("journal: {error}");
        let reason = error.to_string();
        self.trouble = Some(reason.clone());
        self.mending.reason = Some(reason.clone());
        self.mending.bytes = bytes + HEAD_BYTES;
        // Whoever goes on asking does not put the trial off.
        if self.mending.try_at.is_none() {
            self.mending.try_later();
        }
        fault(UNDURABLE, reason)
    }

    /// Keeps an end until it can be entered; until then, a restart would answer
    /// it again.
    pub(super) fn enter_later(&mut self, closing: Closing, error: &DiskError) {
        let id = &closing.ended.job_id;
        log::error!("job {id} would be answered again after a restart");
        self.undurable(error, 0);
        self.mending.unentered.push(closing);
    }

    /// The disk has taken something.
    pub(super) fn disk_is_well(&mut self) {
        self.mending.pause = PAUSE_MIN;
    }

    /// Tries the disk, and makes good what it did not take.
    pub(super) async fn mend(&mut self) {
        let (journal, bytes) = (self.journal.clone(), self.mending.bytes);
        self.mending.try_at = None;
        match off_thread(move || journal.try_to_write(bytes)).await {
            Ok(()) => {
                log::info!("the journal can be written again");
                let reason = self.mending.reason.take();
                // Something else may be wrong since.
                if self.trouble == reason {
                    self.trouble = None;
                }
                for closing in std::mem::take(&mut self.mending.unentered) {
                    let (journal, store) = (self.journal.clone(), self.store.clone());
                    self.closing.spawn(jobs::enter(journal, closing, store));
                }
            }
            Err(error) => {
                log::debug!("journal: {error}");
                self.mending.try_later();
            }
        }
    }
}
