//! Jobs that any board of a group may take.

use tokio::sync::mpsc;

use super::{Desk, mending::UNDURABLE};
use crate::{
    config::Config,
    device::mqtt::{Connection, Message, MqttError, Settings},
    publication::{Arrival, Topics},
};

/// The shared subscription, on a connection of its own: its receive maximum of
/// 1 lets the broker give this board one job, and no other before that one is
/// acknowledged.
pub(in crate::daemon) struct Fleet {
    _connection: Connection,
    messages: mpsc::Receiver<Message>,
    /// Waits until the board has nothing else to do.
    held: Option<(Message, Arrival)>,
}

impl Fleet {
    /// Joins the group that is configured, if one is.
    ///
    /// # Errors
    /// Those of [`Connection::open`].
    pub(in crate::daemon) fn join(config: &Config) -> Result<Option<Self>, MqttError> {
        let Some(group) = &config.fleet_group else {
            return Ok(None);
        };
        let (connection, messages) = Connection::open(&Settings {
            client_id: format!("zoetrope-{}-fleet", config.device_id),
            broker: config.broker.clone(),
            last_will: None,
            subscriptions: vec![Topics::fleet_share(group)],
            unacknowledged_max: Some(1),
        })?;
        Ok(Some(Self {
            _connection: connection,
            messages,
            held: None,
        }))
    }

    /// The next job; waits for ever while one is held or there is no fleet.
    pub(super) async fn next(fleet: &mut Option<Self>) -> Message {
        if let Some(fleet) = fleet
            && fleet.held.is_none()
            && let Some(message) = fleet.messages.recv().await
        {
            return message;
        }
        std::future::pending().await
    }
}

impl Desk {
    /// Keeps a job of the fleet until its turn has come.
    pub(super) fn hold(&mut self, message: Message) {
        if let Some(fleet) = &mut self.fleet {
            let arrival = Arrival::now(message.properties.expiry_s);
            fleet.held = Some((message, arrival));
        }
    }

    /// Takes the job of the fleet that is held, once the board has nothing else
    /// to do. It is acknowledged when it is durable or was refused for its own
    /// sake; while the disk does not take it, it stays with the broker, which
    /// gives it to another board if this one goes.
    pub(super) async fn take_held(&mut self) {
        let has_room =
            self.waiting_count() < self.config.queue_length_max && self.connection.has_room();
        if !self.queue.is_empty() || !self.may_begin() || !has_room {
            return;
        }
        let held = self.fleet.as_mut().and_then(|fleet| fleet.held.take());
        let Some((message, arrival)) = held else {
            return;
        };
        if let Some((order, address)) = self.read_order(&message, arrival) {
            match self.admit(order, address.clone()).await {
                Err(fault) if fault.code == UNDURABLE => {
                    self.retry_later();
                    if let Some(fleet) = &mut self.fleet {
                        fleet.held = Some((message, arrival));
                    }
                    return;
                }
                Err(fault) => self.refuse(&address, fault),
                Ok(_) => {}
            }
        }
        message.acknowledge();
    }
}
