//! Sends one message at a time, each until it is acknowledged.

use std::{collections::BTreeMap, sync::Arc};

use rumqttc::{AsyncClient, PublishNoticeError, PublishOptions, PublishProperties};
use tokio::sync::{mpsc, oneshot, watch};

use super::{Link, MqttError, options::qos_of};
use crate::publication::Publication;

/// A message on its way out.
pub(super) struct Letter {
    pub(super) publication: Publication,
    pub(super) receipt: Option<oneshot::Sender<Result<(), MqttError>>>,
}

pub(super) struct Sender {
    client: AsyncClient,
    link: watch::Receiver<Link>,
    waiting: Arc<watch::Sender<usize>>,
    /// The newest retained message of each topic that a broker has taken.
    /// Repeated in the order of topics, which puts `clip` before `clip/info`.
    retained: BTreeMap<String, Publication>,
    generation: u64,
}

enum Attempt {
    Done(Result<(), MqttError>),
    Again,
}

impl Sender {
    pub(super) fn new(
        client: AsyncClient,
        link: watch::Receiver<Link>,
        waiting: Arc<watch::Sender<usize>>,
    ) -> Self {
        Self {
            client,
            link,
            waiting,
            retained: BTreeMap::new(),
            generation: 0,
        }
    }

    pub(super) async fn send_all(mut self, mut letters: mpsc::UnboundedReceiver<Letter>) {
        loop {
            tokio::select! {
                biased;
                changed = self.link.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    if self.is_new_connection() && self.await_link().await.is_err() {
                        return;
                    }
                }
                next = letters.recv() => {
                    let Some(letter) = next else { return };
                    let result = self.deliver(&letter.publication).await;
                    self.waiting.send_modify(|waiting| *waiting -= 1);
                    if let Err(error) = &result {
                        log::error!("{error}");
                    }
                    if let Some(receipt) = letter.receipt {
                        // Whoever asked may have gone.
                        let _ = receipt.send(result);
                    }
                }
            }
        }
    }

    async fn deliver(&mut self, publication: &Publication) -> Result<(), MqttError> {
        loop {
            self.await_link().await?;
            if let Attempt::Done(result) = self.attempt(publication).await {
                if result.is_ok() && publication.retain {
                    self.retained
                        .insert(publication.topic.clone(), publication.clone());
                }
                return result;
            }
        }
    }

    fn is_new_connection(&self) -> bool {
        let link = self.link.borrow();
        link.is_up && link.generation != self.generation
    }

    /// Waits for the connection, and on a new one repeats what is retained.
    async fn await_link(&mut self) -> Result<(), MqttError> {
        loop {
            let generation = self
                .link
                .wait_for(|link| link.is_up)
                .await
                .map_err(|_| MqttError::Closed)?
                .generation;
            if generation == self.generation {
                return Ok(());
            }
            let mut is_complete = true;
            for publication in self.retained.values() {
                match self.attempt(publication).await {
                    Attempt::Done(Ok(())) => {}
                    Attempt::Done(Err(error)) => log::error!("{error}"),
                    Attempt::Again => {
                        is_complete = false;
                        break;
                    }
                }
            }
            if is_complete {
                self.generation = generation;
            }
        }
    }

    async fn attempt(&self, publication: &Publication) -> Attempt {
        let bytes = publication.packet_bytes();
        let Link {
            packet_bytes_max,
            generation,
            strange_answers,
            ..
        } = self.link.borrow().clone();
        // The library would end the connection over it, and again each time.
        if let Some(limit) = packet_bytes_max.filter(|limit| bytes > *limit) {
            return Attempt::Done(Err(MqttError::TooLarge {
                topic: publication.topic.clone(),
                bytes,
                limit,
            }));
        }
        let sent = self
            .client
            .publish_tracked(
                publication.topic.clone(),
                publication.payload.to_vec(),
                options_of(publication),
            )
            .await;
        let refused = |reason: String| {
            Attempt::Done(Err(MqttError::Refused {
                topic: publication.topic.clone(),
                reason,
            }))
        };
        let notice = match sent {
            Ok(notice) => notice,
            Err(rumqttc::ClientError::InvalidRequest(_)) => {
                return refused("not a valid topic".to_owned());
            }
            Err(_) => return Attempt::Done(Err(MqttError::Closed)),
        };
        match notice.wait_async().await {
            Ok(_) => Attempt::Done(Ok(())),
            Err(PublishNoticeError::V5PubAck(reason)) => refused(format!("{reason:?}")),
            Err(PublishNoticeError::RetainNotSupported) => {
                refused("it keeps no retained messages".to_owned())
            }
            // The connection broke before the acknowledgement; if it was closed, the
            // next attempt says so. Nothing else waits for an answer: a strange
            // one was to this, and would come again each time.
            Err(
                PublishNoticeError::SessionReset
                | PublishNoticeError::Qos0NotFlushed
                | PublishNoticeError::Recv,
            ) => {
                let mut link = self.link.clone();
                let broken = link.wait_for(|link| link.generation != generation).await;
                match broken.map(|link| link.strange_answers != strange_answers) {
                    Ok(true) => refused("by an answer that MQTT 5 does not know".to_owned()),
                    Ok(false) | Err(_) => Attempt::Again,
                }
            }
            Err(other) => refused(other.to_string()),
        }
    }
}

fn options_of(publication: &Publication) -> PublishOptions {
    let properties = &publication.properties;
    PublishOptions::new(qos_of(publication.qos))
        .retain(publication.retain)
        .properties(PublishProperties {
            message_expiry_interval: properties.expiry_s,
            response_topic: properties.response_topic.clone(),
            correlation_data: properties.correlation_data.clone().map(Into::into),
            user_properties: properties.user.clone(),
            content_type: properties.content_type.clone(),
            ..PublishProperties::default()
        })
}
