//! The way of a job over the desk: rendered, published, answered, closed.

use std::{sync::Arc, time::Duration};

use tokio::{task::JoinError, time::Instant};

use super::{Announced, Desk, announce::Announcer, off_thread, response_to};
use crate::{
    clip::Clip,
    daemon::{
        failure::{Failure, Remedy},
        halt::Halt,
        ledger::Closing,
        store::Store,
        studio::{Commission, StudioEvent},
    },
    device::{
        http::ShelfClip,
        mqtt::{MqttError, Receipt},
    },
    journal::{JobRecord, Journal, Outcome, RequestDigest, disk::DiskError},
    publication::{JobEvent, JobPhase, Order, Publication},
    request::JobId,
};

/// Pauses before the disk is tried again, after it was not able to; doubled
/// each time.
pub(super) const RETRY_PAUSE_MIN: Duration = Duration::from_secs(1);
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(60);

/// Clips that may wait for a broker that is away, before no more are made.
const CLIPS_WAITING_MAX: usize = 4;

/// A job that has not ended; its photograph is in the journal.
pub(super) struct Ticket {
    /// Its number in the journal.
    pub(super) sequence: u64,
    pub(super) order: Order,
    pub(super) digest: RequestDigest,
    /// Largest clip that can be published.
    pub(super) clip_bytes_max: Option<u64>,
    /// This process has begun to render it.
    pub(super) is_begun: bool,
    /// What may end it early.
    pub(super) halt: Arc<Halt>,
}

impl Ticket {
    pub(super) fn new(record: JobRecord) -> Self {
        Self {
            sequence: record.sequence,
            halt: Arc::new(Halt::at(record.order.deadline)),
            order: record.order,
            digest: record.digest,
            clip_bytes_max: record.clip_bytes_max,
            is_begun: false,
        }
    }

    pub(super) fn id(&self) -> &JobId {
        &self.order.request.id
    }
}

/// A clip to be published.
pub(super) struct Outgoing {
    pub(super) sequence: u64,
    /// The job that waits for it; none for a clip that is published again.
    pub(super) ticket: Option<Ticket>,
    pub(super) clip: Clip,
}

/// A job that has been answered, and whether the journal knows.
pub(super) struct Closed {
    closing: Closing,
    written: Result<(), DiskError>,
}

impl Desk {
    pub(super) fn start_next(&mut self) {
        if !self.may_begin() {
            return;
        }
        let Some(mut ticket) = self.next_in_time() else {
            return;
        };
        log::info!("job {} is rendered", ticket.id());
        self.studio.commission(Commission {
            sequence: ticket.sequence,
            digest: ticket.digest.clone(),
            request: ticket.order.request.clone(),
            is_begun: ticket.is_begun,
            limits: self.config.photo_limits,
            camera: self.config.camera.clone(),
            observation: self.config.observation,
            url: self.config.url.clone(),
            clip_bytes_max: ticket.clip_bytes_max,
            threads: self.config.threads,
            halt: Arc::clone(&ticket.halt),
        });
        ticket.is_begun = true;
        self.current = Some(ticket);
    }

    /// Whether a job could be rendered now.
    pub(super) fn may_begin(&self) -> bool {
        // One more than those that wait is on its way.
        self.current.is_none()
            && self.retry_at.is_none()
            && self.outgoing.len() <= CLIPS_WAITING_MAX
            && self.pacing.may_start()
    }

    /// The first job that waits; those that are too late already end here.
    fn next_in_time(&mut self) -> Option<Ticket> {
        while let Some(ticket) = self.queue.pop_front() {
            match ticket.halt.reason(ticket.id()) {
                None => return Some(ticket),
                Some(late) => self.failed(ticket, late.into()),
            }
        }
        None
    }

    pub(super) fn studio_says(&mut self, event: StudioEvent) {
        match event {
            StudioEvent::Camera(sight) => self.camera.saw(sight),
            StudioEvent::Phase(phase) => {
                if let Some(ticket) = &self.current {
                    let transaction = ticket.order.transaction.clone();
                    let event = JobEvent::new(ticket.id(), transaction, phase);
                    let publication = Publication::json(self.topics.job(ticket.id()), &event);
                    // Progress that comes late is worth nothing.
                    self.connection
                        .offer(publication.expiring(super::JOB_EVENT_EXPIRY_S));
                }
            }
            StudioEvent::Ended(result) => {
                let Some(ticket) = self.current.take() else {
                    return;
                };
                self.pacing.rest();
                // The clip may have been finished while it was cancelled.
                let result = (*result).and_then(|clip| match ticket.halt.reason(ticket.id()) {
                    Some(fault) => Err(fault.into()),
                    None => Ok(clip),
                });
                match result {
                    Ok(clip) => self.outgoing.push_back(Outgoing {
                        sequence: ticket.sequence,
                        ticket: Some(ticket),
                        clip,
                    }),
                    Err(failure) => self.failed(ticket, failure),
                }
            }
            StudioEvent::Closed => {}
        }
    }

    /// Publishes the next clip, one at a time and in order, while the next job
    /// is rendered already.
    pub(super) fn announce_next(&mut self) {
        if self.announcement.is_some() || self.retry_at.is_some() {
            return;
        }
        let Some(Outgoing { sequence, clip, .. }) = self.outgoing.front() else {
            return;
        };
        self.shelf.put(shelf_clip(clip));
        // A path alone: a display knows the board by a name that we do not.
        let url = self.config.http.as_ref();
        let url = url.map(|_| format!("/clips/{}.mp4", clip.sha256));
        let announcer = Announcer {
            connection: self.connection.clone(),
            topics: self.topics.clone(),
            store: self.store.clone(),
            url,
            inline_bytes_max: self.config.inline_bytes_max,
        };
        let announcing = announcer.announce(*sequence, clip.clone());
        self.announcement = Some(tokio::spawn(announcing));
    }

    pub(super) fn announced(&mut self, result: Announced) {
        self.announcement = None;
        let Some(outgoing) = self.outgoing.pop_front() else {
            return;
        };
        match (result, outgoing.ticket) {
            (Ok(notice), Some(ticket)) => self.end(&ticket, Ok(notice)),
            (Ok(_), None) => {}
            (Err(failure), None) => log::error!("last clip: {}", failure.fault.message),
            (Err(failure), Some(ticket)) if failure.remedy == Remedy::Later => {
                self.pause(&ticket, &failure);
                self.outgoing.push_front(Outgoing {
                    ticket: Some(ticket),
                    ..outgoing
                });
            }
            (Err(failure), Some(ticket)) => self.failed(ticket, failure),
        }
    }

    fn failed(&mut self, ticket: Ticket, failure: Failure) {
        match failure.remedy {
            Remedy::Later => {
                self.pause(&ticket, &failure);
                self.queue.push_front(ticket);
            }
            Remedy::Again => {
                let (id, message) = (ticket.id(), &failure.fault.message);
                log::error!("job {id} is rendered again: {message}");
                self.trouble = Some(message.clone());
                self.queue.push_front(ticket);
            }
            Remedy::None => {
                let message = &failure.fault.message;
                log::error!("job {} failed: {message}", ticket.id());
                // The requester's own fault says nothing about our health.
                if failure.is_ours {
                    self.trouble = Some(message.clone());
                }
                self.end(&ticket, Err(failure.fault));
            }
        }
    }

    /// Leaves everything for a while: a disk that is full may be emptied, and
    /// what is accepted is not failed over it.
    fn pause(&mut self, ticket: &Ticket, failure: &Failure) {
        let message = &failure.fault.message;
        let pause = self.retry_pause;
        log::error!("job {} waits for {pause:?}: {message}", ticket.id());
        self.trouble = Some(message.clone());
        self.retry_later();
    }

    pub(super) fn retry_later(&mut self) {
        self.retry_at = Some(Instant::now() + self.retry_pause);
        self.retry_pause = (self.retry_pause * 2).min(RETRY_PAUSE_MAX);
    }

    pub(super) fn end(&mut self, ticket: &Ticket, outcome: Outcome) {
        let phase = match &outcome {
            Ok(notice) => JobPhase::Published {
                sha256: notice.sha256.clone(),
            },
            Err(fault) => JobPhase::Failed(fault.clone()),
        };
        if outcome.is_ok() {
            self.trouble = None;
            self.retry_pause = RETRY_PAUSE_MIN;
        }
        let id = ticket.id();
        let fault = outcome.as_ref().err();
        self.metrics.ended(fault.map(|fault| fault.code.as_str()));
        if let Ok(notice) = &outcome {
            let (bytes, sha256) = (notice.bytes, &notice.sha256);
            log::info!("job {id} is published, {bytes} bytes, sha256 {sha256}");
        }
        self.say(id, &ticket.order.transaction, phase);
        if let Some(listener) = self.listeners.remove(id) {
            // A trigger that has gone wants no answer.
            let _ = listener.send(outcome.clone());
        }
        let Some(closing) = self.ledger.end(id, outcome) else {
            return;
        };
        let receipts = (closing.addresses.iter())
            .map(|address| {
                let outcome = closing.ended.outcome.clone();
                self.connection.publish(response_to(address, outcome))
            })
            .collect();
        self.closing.spawn(close(
            self.journal.clone(),
            closing,
            receipts,
            self.store.clone(),
        ));
    }

    pub(super) fn closed(&mut self, closed: Result<Closed, JoinError>) {
        match closed {
            Ok(Closed { closing, written }) => match written {
                Ok(()) => self.disk_is_well(),
                Err(error) => self.enter_later(closing, &error),
            },
            Err(error) => log::error!("closing a job: {error}"),
        }
    }
}

/// Waits until the answers of a job are with the broker, and then enters its
/// end: so whoever asked is answered at least once, whatever happens between.
async fn close(journal: Journal, closing: Closing, receipts: Vec<Receipt>, store: Store) -> Closed {
    for receipt in receipts {
        if let Err(MqttError::Closed) = receipt.acknowledged().await {
            // The next process answers.
            std::future::pending::<()>().await;
        }
    }
    enter(journal, closing, store).await
}

/// Enters the end of a job, and forgets the one that has to go for it.
pub(super) async fn enter(journal: Journal, closing: Closing, store: Store) -> Closed {
    off_thread(move || {
        let ended = &closing.ended;
        if ended.outcome.is_err() {
            store.forget(ended.sequence);
        }
        let written = journal.end(ended);
        if written.is_ok()
            && let Some(forgotten) = closing.forgotten
            && let Err(error) = journal.forget(forgotten)
        {
            log::warn!("{error}");
        }
        Closed { closing, written }
    })
    .await
}

pub(super) fn shelf_clip(clip: &Clip) -> ShelfClip {
    ShelfClip {
        sha256: clip.sha256.clone(),
        path: clip.path.clone(),
        poster_jpeg: clip.poster_jpeg.clone().into(),
    }
}
