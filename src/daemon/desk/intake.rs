//! From a message to a job in the queue, or to an answer at once.

use super::{Desk, fault, response_to};
use crate::{
    config::Camera,
    daemon::ledger::{Address, Entry, Outcome},
    device::{fetch, mqtt::Message},
    publication::{Defaults, Fault, JobPhase, Order, Refusal, Response, photo_order, render_order},
    request::Source,
};

impl Desk {
    pub(super) fn take(&mut self, message: &Message) {
        if message.retained {
            // It would be executed again at every connection, for ever.
            log::warn!("retained command on {} ignored", message.topic);
            return;
        }
        let defaults = Defaults {
            look: self.config.look,
            shape: self.config.shape,
        };
        let properties = &message.properties;
        let (command, order) = if message.topic == self.topics.request_render() {
            ("render", render_order(&message.payload, &defaults))
        } else if message.topic == self.topics.request_render_photo() {
            let order = photo_order(
                &message.payload,
                properties.content_type.as_deref(),
                &properties.user,
                &self.config.photo_limits,
                &defaults,
            );
            ("render_photo", order)
        } else {
            return;
        };
        let address = |transaction: &Option<String>| Address {
            topic: properties
                .response_topic
                .clone()
                .unwrap_or_else(|| self.topics.response(command)),
            correlation_data: properties.correlation_data.clone(),
            transaction: transaction.clone(),
        };
        match order {
            Ok(order) => {
                let address = address(&order.transaction);
                self.accept(order, &address);
            }
            Err(refusal) => {
                let Refusal { transaction, error } = *refusal;
                self.refuse(&address(&transaction), error.fault());
            }
        }
    }

    fn accept(&mut self, order: Order, address: &Address) {
        if let Err(fault) = self.admit(order, address.clone()) {
            self.refuse(address, fault);
        }
    }

    /// Takes an order into the queue; gives the outcome if the same job has
    /// ended already, and says why if it cannot be taken.
    pub(super) fn admit(
        &mut self,
        order: Order,
        address: Address,
    ) -> Result<Option<Outcome>, Fault> {
        let id = order.request.id.clone();
        match self.ledger.look_up(&order.request, &address) {
            Entry::New => {}
            Entry::UnderWay => return Ok(None),
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
        self.is_within_reach(&order.request.source)?;
        let limit = self.config.queue_length_max;
        // The job under way does not wait, and a free studio takes one at once.
        let is_waiting = self.current.is_some();
        if is_waiting && self.queue.len() >= limit {
            let message = format!("{} jobs are waiting, allowed are {limit}", self.queue.len());
            return Err(fault("queue_full", message));
        }
        log::info!("job {id} accepted");
        let jobs_before = self.queue.len() + usize::from(is_waiting);
        self.ledger.begin(&order.request, address);
        self.say(&id, &order.transaction, JobPhase::Accepted { jobs_before });
        self.queue.push_back(order);
        Ok(None)
    }

    /// Whether the photograph may be asked for at all.
    fn is_within_reach(&self, source: &Source) -> Result<(), Fault> {
        match source {
            Source::Camera if matches!(self.config.camera, Camera::None) => {
                let message = "no camera is configured, send a photo instead".to_owned();
                Err(fault("no_camera", message))
            }
            Source::Url(photo) => fetch::permitted(self.config.url.as_ref(), photo.url())
                .map(drop)
                .map_err(|error| fault(error.code(), error.to_string())),
            Source::Camera | Source::Photo(_) | Source::Path(_) => Ok(()),
        }
    }

    /// Answers a request that was never accepted. Under a flood of them, some
    /// go without an answer.
    pub(super) fn refuse(&self, address: &Address, fault: Fault) {
        log::warn!("request refused: {}", fault.message);
        self.metrics.refused(&fault.code);
        let response = Response::error(fault, address.transaction.clone());
        self.connection.offer(response_to(address, &response));
    }
}
