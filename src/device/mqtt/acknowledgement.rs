//! Telling the broker that a message has arrived where it was meant to.

use rumqttc::{AsyncClient, ManualAck};
use tokio::sync::{mpsc, watch};

use super::Link;

/// The packet that is owed, and the connection that it belongs to.
#[derive(Clone, Debug)]
pub(super) struct Due {
    pub(super) packet: ManualAck,
    pub(super) generation: u64,
}

/// The promise to acknowledge one message.
#[derive(Clone, Debug)]
pub(super) struct Acknowledgement {
    pub(super) due: Due,
    // Unbounded on paper; in truth the receive maximum that was announced.
    pub(super) way: mpsc::UnboundedSender<Due>,
}

impl Acknowledgement {
    pub(super) fn send(self) {
        // A connection that has been closed owes nothing.
        let _ = self.way.send(self.due);
    }
}

/// In a task of its own: whoever reads messages must never wait for the socket,
/// which may be waiting for whoever reads messages.
pub(super) async fn send_all(
    client: AsyncClient,
    link: watch::Receiver<Link>,
    mut acknowledgements: mpsc::UnboundedReceiver<Due>,
) {
    while let Some(due) = acknowledgements.recv().await {
        // On another connection the packet would belong to another message.
        let is_current = link.borrow().generation == due.generation;
        if is_current && client.manual_ack(due.packet).await.is_err() {
            return;
        }
    }
}
