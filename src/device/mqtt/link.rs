//! Keeps the connection up and hands on what comes in.

use std::{
    hash::{BuildHasher, Hasher},
    time::Duration,
};

use rumqttc::{
    AsyncClient, ConnAck, ConnectReturnCode, ConnectionError, Event, EventLoop, Incoming, Publish,
    QoS, StateError, SubscribeNoticeError, mqttbytes,
};
use tokio::sync::{mpsc, watch};

use super::{
    Link, Message, Settings,
    acknowledge::{Acknowledgement, Handled},
    inbox::Inbox,
    options,
};
use crate::publication::Properties;

/// First pause before connecting again.
const PAUSE_MIN: Duration = Duration::from_millis(250);
/// Longest pause before connecting again: a broker that is back has everything
/// retained again within 5 seconds.
const PAUSE_MAX: Duration = Duration::from_secs(4);

pub(super) struct Keeper {
    settings: Settings,
    client: AsyncClient,
    link: watch::Sender<Link>,
    inbox: Inbox,
    acknowledgements: mpsc::UnboundedSender<Acknowledgement>,
    pause: Duration,
}

impl Keeper {
    pub(super) fn new(
        settings: Settings,
        client: AsyncClient,
        link: watch::Sender<Link>,
        inbox: Inbox,
        acknowledgements: mpsc::UnboundedSender<Acknowledgement>,
    ) -> Self {
        Self {
            settings,
            client,
            link,
            inbox,
            acknowledgements,
            pause: PAUSE_MIN,
        }
    }

    pub(super) async fn keep(mut self, mut event_loop: EventLoop) {
        loop {
            match event_loop.poll().await {
                Ok(Event::Incoming(Incoming::ConnAck(answer))) => self.connected(&answer),
                Ok(Event::Incoming(Incoming::Publish(publish))) => {
                    let is_owed = publish.qos != QoS::AtMostOnce;
                    let message = self.message_of(publish);
                    if self.inbox.put(message, is_owed).await.is_err() {
                        break;
                    }
                }
                Ok(_) => {}
                Err(ConnectionError::RequestsDone) => break,
                Err(error) => {
                    self.lost(&error);
                    tokio::time::sleep(self.next_pause()).await;
                    let renewed =
                        options::set_credentials(&mut event_loop.options, &self.settings.broker);
                    if let Err(error) = renewed {
                        log::error!("{error}");
                    }
                }
            }
        }
        self.link.send_modify(|link| link.is_up = false);
    }

    fn connected(&mut self, answer: &ConnAck) {
        self.pause = PAUSE_MIN;
        let packet_bytes_max = answer
            .properties
            .as_ref()
            .and_then(|properties| properties.max_packet_size)
            .map(|bytes| bytes as usize);
        let generation = self.link.borrow().generation + 1;
        self.link.send_modify(|link| {
            link.generation = generation;
            link.connections += 1;
            link.packet_bytes_max = packet_bytes_max;
        });
        // In a task of its own, because the acknowledgements come through the
        // loop that calls this.
        tokio::spawn(subscribe(
            self.client.clone(),
            self.settings.subscriptions.clone(),
            self.link.clone(),
            generation,
            self.address(),
        ));
    }

    fn message_of(&self, publish: Publish) -> Message {
        let handled = self.client.prepare_ack(&publish).map(|packet| {
            let generation = self.link.borrow().generation;
            let acknowledgement = Acknowledgement { packet, generation };
            Handled::new(acknowledgement, self.acknowledgements.clone())
        });
        let properties = publish.properties.unwrap_or_default();
        Message {
            topic: String::from_utf8_lossy(&publish.topic).into_owned(),
            payload: publish.payload.into(),
            retained: publish.retain,
            properties: Properties {
                content_type: properties.content_type,
                response_topic: properties.response_topic,
                correlation_data: properties.correlation_data.map(Into::into),
                expiry_s: properties.message_expiry_interval,
                user: properties.user_properties,
            },
            handled,
        }
    }

    fn lost(&self, error: &ConnectionError) {
        let trouble = format!("broker {}: {}", self.address(), self.said(error));
        // An error that repeats is logged once.
        if self.link.borrow().trouble.as_deref() != Some(&trouble) {
            log::warn!("{trouble}");
        }
        let is_strange = matches!(
            error,
            ConnectionError::MqttState(StateError::Deserialization(
                mqttbytes::Error::InvalidConnectReturnCode(_) | mqttbytes::Error::InvalidReason(_)
            ))
        );
        self.link.send_modify(|link| {
            link.is_up = false;
            link.generation += 1;
            link.strange_answers += u64::from(is_strange);
            link.trouble = Some(trouble);
        });
    }

    fn address(&self) -> String {
        format!(
            "{}:{}",
            self.settings.broker.host, self.settings.broker.port
        )
    }

    fn said(&self, error: &ConnectionError) -> String {
        match error {
            ConnectionError::ConnectionRefused(
                ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized,
            ) => match &self.settings.broker.username {
                Some(user) => format!("wrong password for user {user:?}, or not allowed"),
                None => "wants a user name and a password".to_owned(),
            },
            ConnectionError::ConnectionRefused(code) => format!("refused: {code:?}"),
            ConnectionError::Io(error) => error.to_string(),
            ConnectionError::Timeout(_) => "no answer in time".to_owned(),
            other => other.to_string(),
        }
    }

    /// Doubles each time; between half and all of it is waited, so that many
    /// boards do not come back at the same moment.
    fn next_pause(&mut self) -> Duration {
        let whole = self.pause;
        self.pause = (whole * 2).min(PAUSE_MAX);
        let noise = std::collections::hash_map::RandomState::new()
            .build_hasher()
            .finish();
        whole.mul_f64(0.5 + 0.5 * (noise as f64 / u64::MAX as f64))
    }
}

async fn subscribe(
    client: AsyncClient,
    filters: Vec<String>,
    link: watch::Sender<Link>,
    generation: u64,
    address: String,
) {
    // All at once: each answer takes a round trip.
    let mut asked = Vec::with_capacity(filters.len());
    for filter in filters {
        let notice = client
            .subscribe_tracked(filter.clone(), QoS::AtLeastOnce)
            .await;
        match notice {
            Ok(notice) => asked.push((filter, notice)),
            Err(_) => return,
        }
    }
    for (filter, notice) in asked {
        match notice.wait_async().await {
            Ok(_) => {}
            Err(SubscribeNoticeError::V5SubAckFailure(codes)) => {
                log::error!("broker {address}: refuses the subscription to {filter}: {codes:?}");
            }
            // Disconnected meanwhile: the next connection subscribes again.
            Err(_) => return,
        }
    }
    link.send_if_modified(|link| {
        let is_current = link.generation == generation;
        if is_current {
            link.is_up = true;
            link.trouble = None;
        }
        is_current
    });
}
