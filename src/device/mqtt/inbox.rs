//! Where messages wait for whoever reads them.
//!
//! Putting one here never waits for something to be sent: the acknowledgements
//! that make room in the outbox come through the same socket as messages, and
//! a reader that waits for that room would wait for ever.

use tokio::sync::{mpsc, watch};

use super::{INBOX_LENGTH, Message, UNOWED_MAX, has_room};

pub(super) struct Inbox {
    messages: mpsc::Sender<Message>,
    /// Letters that wait to be sent.
    letters: watch::Receiver<usize>,
}

/// Nobody reads any more.
pub(super) struct Unread;

impl Inbox {
    pub(super) fn new(messages: mpsc::Sender<Message>, letters: watch::Receiver<usize>) -> Self {
        Self { messages, letters }
    }

    /// Takes a message in. One that its sender wants to have acknowledged has a
    /// place, since the broker counts those; any other waits for one, and is
    /// left out, as QoS 0 allows, while too many answers wait to be sent.
    pub(super) async fn put(&mut self, message: Message, is_owed: bool) -> Result<(), Unread> {
        if is_owed {
            return match self.messages.try_send(message) {
                Err(mpsc::error::TrySendError::Closed(_)) => Err(Unread),
                // Connections that break one after the other have left so many.
                Err(mpsc::error::TrySendError::Full(message)) => {
                    left_out(&message);
                    Ok(())
                }
                Ok(()) => Ok(()),
            };
        }
        let places = INBOX_LENGTH - UNOWED_MAX + 1;
        tokio::select! {
            biased;
            free = self.messages.reserve_many(places) => {
                let mut free = free.map_err(|_| Unread)?;
                if let Some(place) = free.next() {
                    place.send(message);
                }
            }
            Ok(_) = self.letters.wait_for(|letters| !has_room(letters)) => left_out(&message),
        }
        Ok(())
    }
}

fn left_out(message: &Message) {
    log::warn!(
        "message on {:?} left out: too many wait already",
        message.topic
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{device::mqtt::OUTBOX_LENGTH_COMFORTABLE, publication::Properties};

    fn message(topic: &str) -> Message {
        Message {
            topic: topic.to_owned(),
            payload: Vec::new(),
            properties: Properties::default(),
            retained: false,
            handled: None,
        }
    }

    #[tokio::test]
    async fn what_is_owed_has_a_place_and_what_is_not_waits_or_is_left_out() {
        let letters = watch::Sender::new(0);
        let (messages, mut reader) = mpsc::channel(INBOX_LENGTH);
        let mut inbox = Inbox::new(messages, letters.subscribe());
        for _ in 0..UNOWED_MAX {
            assert!(inbox.put(message("unowed"), false).await.is_ok());
        }
        let full = futures_ready(inbox.put(message("waits"), false)).await;
        assert!(!full, "one more found a place");
        // A reader that has no room to answer does not read.
        letters.send_replace(OUTBOX_LENGTH_COMFORTABLE);
        assert!(inbox.put(message("left out"), false).await.is_ok());
        for _ in UNOWED_MAX..INBOX_LENGTH + 1 {
            assert!(inbox.put(message("owed"), true).await.is_ok());
        }
        let mut topics = Vec::new();
        while let Ok(message) = reader.try_recv() {
            topics.push(message.topic);
        }
        assert_eq!(topics.len(), INBOX_LENGTH);
        assert!(topics[..UNOWED_MAX].iter().all(|topic| topic == "unowed"));
        assert!(topics[UNOWED_MAX..].iter().all(|topic| topic == "owed"));
        drop(reader);
        assert!(inbox.put(message("late"), true).await.is_err());
        assert!(inbox.put(message("late"), false).await.is_err());
    }

    /// Whether it is ready at once.
    async fn futures_ready<T>(future: impl Future<Output = T>) -> bool {
        tokio::select! {
            biased;
            _ = future => true,
            () = std::future::ready(()) => false,
        }
    }
}
