//! Telling the broker what has been dealt with.

use rumqttc::{AsyncClient, ManualAck};
use tokio::sync::{mpsc, watch};

use super::Link;

/// The acknowledgement of one message, ready to be sent.
#[derive(Clone, Debug)]
pub(super) struct Acknowledgement {
    pub(super) packet: ManualAck,
    /// The connection that it belongs to.
    pub(super) generation: u64,
}

/// The way to send one.
#[derive(Clone, Debug)]
pub(super) struct Handled {
    acknowledgement: Acknowledgement,
    // Unbounded on paper: a broker sends no more than 16 messages before it
    // has the acknowledgement of the first.
    outbox: mpsc::UnboundedSender<Acknowledgement>,
}

impl Handled {
    pub(super) fn new(
        acknowledgement: Acknowledgement,
        outbox: mpsc::UnboundedSender<Acknowledgement>,
    ) -> Self {
        Self {
            acknowledgement,
            outbox,
        }
    }

    pub(super) fn tell(&self) {
        // A connection that is closed needs no acknowledgements.
        let _ = self.outbox.send(self.acknowledgement.clone());
    }
}

/// Sends acknowledgements as they come. Whoever reads messages must not wait
/// for that: the socket would stop being read, and nothing be sent any more.
pub(super) async fn all(
    mut acknowledgements: mpsc::UnboundedReceiver<Acknowledgement>,
    client: AsyncClient,
    link: watch::Receiver<Link>,
) {
    while let Some(acknowledgement) = acknowledgements.recv().await {
        // Another connection knows nothing of this message, and would end over
        // its acknowledgement.
        let is_current = link.borrow().generation == acknowledgement.generation;
        if is_current && client.manual_ack(acknowledgement.packet).await.is_err() {
            return;
        }
    }
}
