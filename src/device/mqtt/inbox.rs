//! Where messages wait for whoever reads them.
//!
//! The acknowledgements that make room in the outbox come through the same
//! socket as messages. So a reader that waits for that room goes on reading
//! when this is full, and messages that nobody is owed are left out before.

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

    /// Takes a message in as soon as it has a place. One whose sender does not
    /// want it acknowledged is left out, as QoS 0 allows, where it has none
    /// while too many answers wait to be sent.
    pub(super) async fn put(&mut self, message: Message, is_owed: bool) -> Result<(), Unread> {
        if is_owed {
            return self.messages.send(message).await.map_err(|_| Unread);
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
            Ok(_) = self.letters.wait_for(|letters| !has_room(letters)) => {
                log::warn!("message on {:?} left out: too many wait already", message.topic);
            }
        }
        Ok(())
    }
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
    async fn what_is_owed_waits_for_a_place_and_what_is_not_may_be_left_out() {
        let letters = watch::Sender::new(0);
        let (messages, mut reader) = mpsc::channel(INBOX_LENGTH);
        let mut inbox = Inbox::new(messages, letters.subscribe());
        for _ in 0..UNOWED_MAX {
            assert!(inbox.put(message("unowed"), false).await.is_ok());
        }
        let is_put = at_once(inbox.put(message("waits"), false)).await;
        assert!(!is_put, "one more found a place");
        // A reader that has no room to answer does not read.
        letters.send_replace(OUTBOX_LENGTH_COMFORTABLE);
        assert!(inbox.put(message("left out"), false).await.is_ok());
        for _ in UNOWED_MAX..INBOX_LENGTH {
            assert!(inbox.put(message("owed"), true).await.is_ok());
        }
        let is_put = at_once(inbox.put(message("waits"), true)).await;
        assert!(!is_put, "one more found a place");
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
    async fn at_once<T>(future: impl Future<Output = T>) -> bool {
        tokio::select! {
            biased;
            _ = future => true,
            () = std::future::ready(()) => false,
        }
    }
}
