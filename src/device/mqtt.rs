//! The connection to an MQTT 5 broker, kept up for as long as it is wanted.
//!
//! Three tasks: one drives the socket, connects again with growing pauses and
//! subscribes; one sends, one message at a time and in order, each until it is
//! acknowledged; one acknowledges what has come in, once its reader says so.
//! After a reconnect the sender repeats every retained message first, because
//! the broker may have been replaced by an empty one.
//!
//! Sessions are clean. A request that a broker would keep for us while we are
//! away was never accepted; and a message that is too large for us is gone
//! with its connection instead of ending every connection to come.

mod acknowledge;

mod inbox;

mod link;

mod options;

mod outbox;

use std::{path::PathBuf, sync::Arc, time::Duration};

use rumqttc::AsyncClient;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::timeout,
};

use self::outbox::Letter;
use crate::{
    config::{Broker, ConfigError},
    publication::{Properties, Publication},
};

/// Messages of QoS 1 that a broker may send before the first of them is
/// acknowledged.
const UNACKNOWLEDGED_MAX: u16 = 16;
/// Messages of QoS 0 that may wait for whoever reads them.
const UNOWED_MAX: usize = 16;
/// Messages that may wait in all: of QoS 1 there can be as many again that a
/// connection before has left, and some brokers send more than they may.
const INBOX_LENGTH: usize = UNOWED_MAX + 2 * UNACKNOWLEDGED_MAX as usize;
/// Letters that may wait before those that can be missed are left out, and
/// before nothing more should be read that is to be answered.
const OUTBOX_LENGTH_COMFORTABLE: usize = 256;
/// Time that a farewell and the closing handshake may take each.
const CLOSING_TIME_MAX: Duration = Duration::from_millis(700);

/// How to connect.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Names us to the broker; another client of this name ends our connection.
    pub client_id: String,
    /// The broker.
    pub broker: Broker,
    /// What the broker publishes for us when the connection breaks.
    pub last_will: Option<Publication>,
    /// Topic filters, subscribed to at QoS 1 after every connection.
    pub subscriptions: Vec<String>,
    /// Messages that the broker may send before the first of them is
    /// acknowledged by [`Message::acknowledge`]; the receive maximum of MQTT 5.
    /// If not given, as many as may wait for their reader.
    pub unacknowledged_max: Option<u16>,
}

/// A message that has come in.
#[derive(Clone, Debug)]
pub struct Message {
    /// The topic that it was published on.
    pub topic: String,
    /// Its bytes.
    pub payload: Vec<u8>,
    /// Its MQTT 5 properties.
    pub properties: Properties,
    /// The broker had kept it from before we subscribed.
    pub retained: bool,
    handled: Option<acknowledge::Handled>,
}

impl Message {
    /// Tells the broker that it may forget this message. Until then it counts
    /// as unread: to be called for every message, once all is done that must
    /// outlive us. If the connection that brought it is gone, the broker sends
    /// it again, here or to another board of the group.
    pub fn acknowledge(&self) {
        if let Some(handled) = &self.handled {
            handled.tell();
        }
    }
}

/// The connection as it stands.
#[derive(Clone, Debug, Default)]
pub struct Link {
    /// Connected, and every subscription acknowledged.
    pub is_up: bool,
    /// Grows when a connection is made and when it breaks; two readings that
    /// differ have a break between them.
    pub generation: u64,
    /// Connections that were made.
    pub connections: u64,
    /// Largest packet that the broker takes, in bytes, where it says so.
    pub packet_bytes_max: Option<usize>,
    /// Connections that ended over an answer that MQTT 5 does not know: some
    /// brokers refuse a message that way.
    pub strange_answers: u64,
    /// Why it is not up, once an attempt has failed.
    pub trouble: Option<String>,
}

/// A connection that is kept up until it is closed or dropped.
pub struct Connection {
    // Unbounded, because whoever has something to send is in the middle of
    // something. What asks for answers is read only while there is room.
    outbox: mpsc::UnboundedSender<Letter>,
    waiting: Arc<watch::Sender<usize>>,
    link: watch::Receiver<Link>,
    client: AsyncClient,
    tasks: [JoinHandle<()>; 3],
}

impl Connection {
    /// Starts connecting, in the background and until closed. Messages arrive
    /// at the receiver. What is not read stays with the broker, if it was sent
    /// with QoS 1; of QoS 0, a reader that stops reading stops the connection.
    ///
    /// # Errors
    /// [`MqttError::Config`] or [`MqttError::PemFile`] if the password or a certificate
    /// cannot be read. That nobody answers is no error but [`Link::trouble`].
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn open(settings: &Settings) -> Result<(Self, mpsc::Receiver<Message>), MqttError> {
        let options = options::resolve(settings)?;
        let (client, event_loop) = AsyncClient::builder(options).capacity(16).build();
        let (inbox, messages) = mpsc::channel(INBOX_LENGTH);
        let (link_sender, link) = watch::channel(Link::default());
        let (outbox, letters) = mpsc::unbounded_channel();
        let (handled, acknowledgements) = mpsc::unbounded_channel();
        let waiting = Arc::new(watch::Sender::new(0));
        let inbox = inbox::Inbox::new(inbox, waiting.subscribe());
        let keeper = link::Keeper::new(
            settings.clone(),
            client.clone(),
            link_sender,
            inbox,
            handled,
        );
        let sender = outbox::Sender::new(client.clone(), link.clone(), Arc::clone(&waiting));
        let tasks = [
            tokio::spawn(keeper.keep(event_loop)),
            tokio::spawn(sender.send_all(letters)),
            tokio::spawn(acknowledge::all(
                acknowledgements,
                client.clone(),
                link.clone(),
            )),
        ];
        let connection = Self {
            outbox,
            waiting,
            link,
            client,
            tasks,
        };
        Ok((connection, messages))
    }

    /// Sends in the background, however long it takes until a broker is there.
    /// Failures are logged.
    pub fn post(&self, publication: Publication) {
        self.send(Letter {
            publication,
            receipt: None,
        });
    }

    /// Sends in the background what may be missed: left out while the
    /// connection is down or too much is waiting already.
    pub fn offer(&self, publication: Publication) {
        if self.link.borrow().is_up && self.has_room() {
            self.post(publication);
        }
    }

    /// Messages that wait to be sent.
    pub fn waiting_count(&self) -> usize {
        *self.waiting.borrow()
    }

    /// Whether so little waits to be sent that what asks for answers can be
    /// read. Whoever reads only then answers everything in bounded memory: the
    /// broker holds back what is not acknowledged.
    pub fn has_room(&self) -> bool {
        has_room(&self.waiting.borrow())
    }

    /// Waits until [`has_room`](Self::has_room).
    pub async fn room(&self) {
        let mut waiting = self.waiting.subscribe();
        // Its sender is ours.
        let _ = waiting.wait_for(has_room).await;
    }

    /// Sends, and hands out the receipt that resolves once the broker has
    /// acknowledged.
    pub fn publish(&self, publication: Publication) -> Receipt {
        let (receipt, acknowledged) = oneshot::channel();
        self.send(Letter {
            publication,
            receipt: Some(receipt),
        });
        Receipt(acknowledged)
    }

    fn send(&self, letter: Letter) {
        self.waiting.send_modify(|waiting| *waiting += 1);
        // A closed outbox means that the connection is being closed; it drops
        // the letter, and a receipt says so.
        let _ = self.outbox.send(letter);
    }

    /// The connection as it stands, to look at or to wait on.
    pub fn link(&self) -> watch::Receiver<Link> {
        self.link.clone()
    }

    /// Says farewell if the connection is up, and closes it. Takes at most
    /// 1.5 seconds; what is still waiting to be sent is lost.
    pub async fn close(&self, farewell: Option<Publication>) {
        let mut link = self.link.clone();
        if link.borrow().is_up {
            if let Some(publication) = farewell {
                let receipt = self.publish(publication);
                // Nobody is there any more to be told that it failed.
                let _ = timeout(CLOSING_TIME_MAX, receipt.acknowledged()).await;
            }
            if self.client.disconnect_now().await.is_ok() {
                // Late or not, the connection ends with us.
                let _ = timeout(CLOSING_TIME_MAX, link.wait_for(|link| !link.is_up)).await;
            }
        }
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

fn has_room(waiting: &usize) -> bool {
    *waiting < OUTBOX_LENGTH_COMFORTABLE
}

/// The promise that a message will have been acknowledged.
#[derive(Debug)]
pub struct Receipt(oneshot::Receiver<Result<(), MqttError>>);

impl Receipt {
    /// Waits until the broker has taken the message over, through any number
    /// of reconnections.
    ///
    /// # Errors
    /// [`MqttError::TooLarge`], [`MqttError::Refused`] or
    /// [`MqttError::Closed`].
    pub async fn acknowledged(self) -> Result<(), MqttError> {
        self.0.await.unwrap_or(Err(MqttError::Closed))
    }
}

/// MQTT did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum MqttError {
    /// The password cannot be had.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A certificate, or its key, cannot be had.
    #[error("{what} file {}: {reason}", path.display())]
    PemFile {
        /// What the file holds.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The broker would drop the connection over this message.
    #[error("{topic} needs a packet of {bytes} bytes, the broker takes {limit}")]
    TooLarge {
        /// The topic.
        topic: String,
        /// Size of the packet.
        bytes: usize,
        /// The broker's limit.
        limit: usize,
    },
    /// The broker does not want this message.
    #[error("{topic} was refused by the broker: {reason}")]
    Refused {
        /// The topic.
        topic: String,
        /// What the broker said.
        reason: String,
    },
    /// The connection was closed first.
    #[error("connection closed")]
    Closed,
}
