//! Jobs that any board of a group may take.

use tokio::sync::mpsc;

use super::Desk;
use crate::{
    config::Config,
    device::mqtt::{Connection, Message, MqttError, Settings},
    publication::Topics,
};

/// The shared subscription, on a connection of its own: its receive maximum of
/// 1 lets the broker give this board one job, and no other before that one is
/// acknowledged.
pub(in crate::daemon) struct Fleet {
    _connection: Connection,
    messages: mpsc::Receiver<Message>,
    /// Came while the board was busy; acknowledged when its turn comes.
    held: Option<Message>,
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
            fleet.held = Some(message);
        }
    }

    /// Takes the job of the fleet that is held, once the board has nothing else
    /// to do.
    pub(super) fn take_held(&mut self) {
        if self.current.is_some() || !self.queue.is_empty() || self.outbox.is_full() {
            return;
        }
        let held = self.fleet.as_mut().and_then(|fleet| fleet.held.take());
        if let Some(mut message) = held {
            self.take(&message);
            message.acknowledge();
        }
    }
}
