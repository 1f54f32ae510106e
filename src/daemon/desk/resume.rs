//! Going on with what the process before has left.

use super::{
    Desk, fault,
    jobs::{Outgoing, Ticket, shelf_clip},
};
use crate::{daemon::halt, journal::PendingJob};

/// Clips of the process before that can be fetched over HTTP.
const SHELVED: usize = 4;

impl Desk {
    /// Takes up every job in the order of acceptance. What is rendered is
    /// published as it is, what is not is rendered; a job that was cancelled ends
    /// so, and one over which the daemon has crashed too often is given up. The
    /// clip published last is published again before all, for a broker that may
    /// have lost it.
    pub(super) fn resume(&mut self, pending: Vec<PendingJob>) {
        let mut given_up = Vec::new();
        let mut cancelled = Vec::new();
        for job in pending {
            self.ledger.begin(&job);
            let crash_count = job.crash_count;
            let is_cancelled = job.is_cancelled;
            let ticket = Ticket::new(job.record);
            if is_cancelled {
                cancelled.push(ticket);
            } else if let Some(clip) = self.store.resume(ticket.sequence, &ticket.digest) {
                log::info!("job {} resumed: its clip is published", ticket.id());
                self.outgoing.push_back(Outgoing {
                    sequence: ticket.sequence,
                    ticket: Some(ticket),
                    clip,
                });
            } else if crash_count >= self.config.journal.crash_count_max {
                given_up.push((ticket, crash_count));
            } else {
                log::info!("job {} resumed: it is rendered", ticket.id());
                self.queue.push_back(ticket);
            }
        }
        for clip in self.store.newest(SHELVED) {
            self.shelf.put(shelf_clip(&clip));
        }
        if let Some((sequence, clip)) = self.store.last_shown() {
            self.outgoing.push_front(Outgoing {
                sequence,
                ticket: None,
                clip,
            });
        }
        for ticket in cancelled {
            let fault = halt::cancelled(ticket.id());
            self.end(&ticket, Err(fault));
        }
        for (ticket, crash_count) in given_up {
            let limit = self.config.journal.crash_count_max;
            let message = format!(
                "the daemon crashed {crash_count} times while rendering this job, \
                 allowed are {limit}"
            );
            log::error!("job {} given up: {message}", ticket.id());
            self.trouble = Some(message.clone());
            self.end(&ticket, Err(fault("crashed", message)));
        }
    }
}
