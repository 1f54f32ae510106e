//! From a message to a job in the queue, or to an answer at once.

use super::{Desk, fault, response_to};
use crate::{
    config::Camera,
    daemon::ledger::{Address, Entry},
    device::mqtt::Message,
    publication::{
        Arrival, Defaults, Fault, JobPhase, Order, Refusal, Topics, photo_order, render_order,
    },
    request::{Request, Source},
};

impl Desk {
    pub(super) fn take(&mut self, message: &Message) {
        if self.take_birth(message) {
            return;
        }
        if message.retained {
            // It would be executed again at every connection, for ever.
            log::warn!("retained command on {:?} ignored", message.topic);
            return;
        }
        if self.take_command(message) {
            return;
        }
        let defaults = Defaults {
            look: self.config.look,
            shape: self.config.shape,
        };
        let properties = &message.properties;
        let arrival = Arrival::now(properties.expiry_s);
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
            return;
        };
        match order {
            Ok(order) => {
                let address = self.address(message, command, order.transaction.clone());
                self.accept(order, address);
            }
            Err(refusal) => {
                let Refusal { transaction, error } = *refusal;
                self.refuse(&self.address(message, command, transaction), error.fault());
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

    fn accept(&mut self, order: Order, address: Address) {
        let id = order.request.id.clone();
        match self.ledger.look_up(&order.request, &address) {
            Entry::New => {}
            Entry::UnderWay => return,
            Entry::Ended(outcome) => return self.answer(&address, &outcome),
            Entry::Crowded => {
                let message = format!("job {id} has too many answers waiting already");
                return self.refuse(&address, fault("busy", message));
            }
            Entry::Conflict => {
                let message = format!("job_id {id} is used by a different request");
                return self.refuse(&address, fault("job_id_conflict", message));
            }
        }
        if let Some(refused) = self.refused_by_camera(&order.request) {
            return self.refuse(&address, refused);
        }
        let limit = self.config.queue_length_max;
        // The job under way does not wait, and a free studio takes one at once.
        let is_waiting = self.current.is_some();
        if is_waiting && self.queue.len() >= limit {
            let message = format!("{} jobs are waiting, allowed are {limit}", self.queue.len());
            return self.refuse(&address, fault("queue_full", message));
        }
        log::info!("job {id} accepted");
        let jobs_before = self.queue.len() + usize::from(is_waiting);
        self.ledger.begin(&order.request, address);
        self.say(&id, &order.transaction, JobPhase::Accepted { jobs_before });
        self.queue.push_back(order);
    }

    fn refused_by_camera(&self, request: &Request) -> Option<Fault> {
        let is_missing =
            matches!(request.source, Source::Camera) && matches!(self.config.camera, Camera::None);
        is_missing.then(|| {
            let message = "no camera is configured, send a photo instead".to_owned();
            fault("no_camera", message)
        })
    }

    /// Answers a request that was never accepted. Under a flood of them, some
    /// go without an answer.
    pub(super) fn refuse(&self, address: &Address, fault: Fault) {
        // Quoted: it may repeat what the requester wrote.
        log::warn!("request refused: {:?}", fault.message);
        self.connection
            .offer(response_to::<()>(address, Err(fault)));
    }
}
