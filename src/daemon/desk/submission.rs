//! Jobs that are asked for inside the process: by a timer, a folder, a signal.

use tokio::sync::oneshot;

use super::Desk;
use crate::{
    journal::{Address, Outcome},
    publication::Order,
    request::{JobId, Request, Source},
};

/// A job as a trigger asks for it; look and shape are the configured ones.
pub(in crate::daemon) struct Submission {
    pub(in crate::daemon) id: JobId,
    pub(in crate::daemon) source: Source,
    /// Which trigger it is: the transaction mark of its messages.
    pub(in crate::daemon) trigger: &'static str,
    /// Told how it ended, also when it was never accepted.
    pub(in crate::daemon) ended: oneshot::Sender<Outcome>,
}

impl Desk {
    /// Accepts it as if it had come on `request/render`.
    pub(super) async fn submit(&mut self, submission: Submission) {
        let Submission {
            id,
            source,
            trigger,
            ended,
        } = submission;
        let order = Order {
            request: Request {
                id: id.clone(),
                source,
                look: self.config.look,
                shape: self.config.shape,
                burst_fps: None,
                clean_plate: false,
            },
            transaction: Some(trigger.to_owned()),
            deadline: None,
        };
        let address = Address {
            topic: self.topics.response("render"),
            correlation_data: None,
            transaction: order.transaction.clone(),
        };
        match self.admit(order, address.clone()).await {
            Ok(None) => {
                self.listeners.insert(id, ended);
            }
            // A trigger that has gone wants no answer.
            Ok(Some(outcome)) => drop(ended.send(outcome)),
            Err(fault) => {
                // Nobody on the network has asked: while the broker is away, a
                // timer would fill the outbox with refusals.
                self.connection.offer(self.refusal(&address, fault.clone()));
                drop(ended.send(Err(fault)));
            }
        }
    }
}
