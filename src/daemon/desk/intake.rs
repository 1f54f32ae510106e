//! From a message to a job in the queue, or to an answer at once.

use super::{Desk, fault, jobs::Ticket, off_thread, response_to};
use crate::{
    config::Camera,
    daemon::ledger::Entry,
    device::{fetch, mqtt::Message},
    journal::{Address, JobRecord, Note, Outcome, PendingJob, RequestDigest},
    publication::{
        Arrival, Defaults, Fault, JobPhase, Order, Publication, Refusal, Topics, Version,
        photo_order, render_order,
    },
    request::{Request, Source},
};

impl Desk {
    /// Returns once what the message asks for is durable, or refused.
    pub(super) async fn take(&mut self, message: &Message) {
        if self.take_birth(message) {
            return;
        }
        if message.retained {
            // It would be executed again at every connection, for ever.
            log::warn!("retained command on {:?} ignored", message.topic);
            return;
        }
        if self.take_command(message).await {
            return;
        }
        let arrival = Arrival::now(message.properties.expiry_s);
        if let Some((order, address)) = self.read_order(message, arrival)
            && let Err(fault) = self.admit(order, address.clone()).await
        {
            self.refuse(&address, fault);
        }
    }

    /// The order and its requester, or `None` after the refusal was answered.
    pub(super) fn read_order(
        &self,
        message: &Message,
        arrival: Arrival,
    ) -> Option<(Order, Address)> {
        let defaults = Defaults {
            look: self.config.look,
            shape: self.config.shape,
        };
        let properties = &message.properties;
        let is_for_all = message.topic == Topics::fleet_render();
        let kind = properties.content_type.as_deref().unwrap_or_default();
        let is_photo = is_for_all && kind.starts_with("image/");
        let (command, order) = if is_photo || message.topic == self.topics.request_render_photo() {
            let order = photo_order(
                &message.payload,
                properties.content_type.as_deref(),
                &properties.user,
                arrival,
                &self.config.photo_limits,
                &defaults,
            );
            ("render_photo", order)
        } else if is_for_all || message.topic == self.topics.request_render() {
            let order = render_order(&message.payload, arrival, &defaults);
            ("render", order)
        } else {
            return None;
        };
        match order {
            Ok(order) => {
                let address = self.address(message, command, order.transaction.clone());
                Some((order, address))
            }
            Err(refusal) => {
                let Refusal { transaction, error } = *refusal;
                self.refuse(&self.address(message, command, transaction), error.fault());
                None
            }
        }
    }

    /// Where the answer to a message goes.
    pub(super) fn address(
        &self,
        message: &Message,
        command: &str,
        transaction: Option<String>,
    ) -> Address {
        let properties = &message.properties;
        Address {
            topic: (properties.response_topic.clone())
                .unwrap_or_else(|| self.topics.response(command)),
            correlation_data: properties.correlation_data.clone(),
            transaction,
        }
    }

    /// Takes an order into the journal and the queue; gives the outcome if the
    /// same job has ended already, and says why if it cannot be taken.
    pub(super) async fn admit(
        &mut self,
        order: Order,
        address: Address,
    ) -> Result<Option<Outcome>, Fault> {
        let (digest, mut order) = off_thread(|| (RequestDigest::of(&order.request), order)).await;
        let id = order.request.id.clone();
        match self.ledger.look_up(&id, &digest) {
            Entry::New => {}
            Entry::UnderWay(sequence) => {
                self.join(&order, sequence, address).await?;
                return Ok(None);
            }
            Entry::Ended(outcome) => {
                self.answer(&address, &outcome);
                return Ok(Some(outcome));
            }
            Entry::Crowded => {
                let message = format!("job {id} has too many answers waiting already");
                return Err(fault("busy", message));
            }
            Entry::Conflict => {
                let message = format!("job_id {id} is used by a different request");
                return Err(fault("job_id_conflict", message));
            }
        }
        self.is_within_reach(&order.request)?;
        if let Some(refused) = self.refused_as_full(&order.request) {
            return Err(refused);
        }
        let photo = order.request.take_photo();
        let photo_bytes = photo.as_ref().map_or(0, |photo| photo.len() as u64);
        let job = PendingJob::new(JobRecord {
            v: Version,
            sequence: self.ledger.take_sequence(),
            digest,
            order,
            has_photo: photo.is_some(),
            address,
            clip_bytes_max: self.clip_bytes_max(),
        });
        let journal = self.journal.clone();
        let (written, job) = off_thread(move || {
            let mut job = job;
            let written = journal.accept(&job.record, photo.as_deref());
            job.bytes = *written.as_ref().unwrap_or(&0);
            (written, job)
        })
        .await;
        if let Err(error) = written {
            return Err(self.undurable(&error, photo_bytes));
        }
        self.disk_is_well();
        let jobs_before = self.ledger.pending_count();
        self.ledger.begin(&job);
        log::info!("job {id} accepted");
        let record = job.record;
        self.say(
            &id,
            &record.order.transaction,
            JobPhase::Accepted { jobs_before },
        );
        self.queue.push_back(Ticket::new(record));
        Ok(None)
    }

    /// Adds somebody who asks for what is under way.
    async fn join(&mut self, order: &Order, sequence: u64, address: Address) -> Result<(), Fault> {
        let journal = self.journal.clone();
        let note = Note::Address(address.clone());
        match off_thread(move || journal.note(sequence, &note)).await {
            Ok(()) => {
                self.ledger.add(&order.request.id, address);
                Ok(())
            }
            Err(error) => Err(self.undurable(&error, 0)),
        }
    }

    /// Jobs that wait: the one under way does not, and a free studio takes one at
    /// once.
    pub(super) fn waiting_count(&self) -> usize {
        self.ledger.pending_count().saturating_sub(1)
    }

    fn refused_as_full(&self, request: &Request) -> Option<Fault> {
        let limit = self.config.queue_length_max;
        let waiting = self.waiting_count();
        if waiting >= limit {
            let message = format!("{waiting} jobs are waiting, allowed are {limit}");
            return Some(fault("queue_full", message));
        }
        let limit = self.config.journal.bytes_max;
        let held = self.ledger.bytes();
        let bytes = match &request.source {
            Source::Photo(photo) => photo.len() as u64,
            _ => 0,
        };
        (held + bytes > limit).then(|| {
            let message = format!(
                "jobs of {held} bytes are waiting and this one has {bytes}, allowed are {limit}"
            );
            fault("queue_full", message)
        })
    }

    /// Whether the photograph may be asked for at all.
    fn is_within_reach(&self, request: &Request) -> Result<(), Fault> {
        match &request.source {
            Source::Camera if matches!(self.config.camera, Camera::None) => {
                let message = "no camera is configured, send a photo instead".to_owned();
                Err(fault("no_camera", message))
            }
            Source::Camera
                if request.clean_plate
                    && self.config.observation.watch(&self.config.camera).is_none() =>
            {
                let message = "clean_plate is given, but the camera is not watched: \
                               observation.mode is \"off\", or the camera is a file";
                Err(fault("bad_request", message.to_owned()))
            }
            Source::Url(photo) => fetch::permitted(self.config.url.as_ref(), photo.url())
                .map(drop)
                .map_err(|error| fault(error.code(), error.to_string())),
            Source::Camera | Source::Photo(_) | Source::Path(_) => Ok(()),
        }
    }

    /// Answers a request that was never accepted.
    pub(super) fn refuse(&self, address: &Address, fault: Fault) {
        self.connection.post(self.refusal(address, fault));
    }

    /// Counts a refusal; what there is to say to it.
    pub(super) fn refusal(&self, address: &Address, fault: Fault) -> Publication {
        log::warn!("request refused: {}", fault.message);
        self.metrics.refused(&fault.code);
        response_to::<()>(address, Err(fault))
    }
}
