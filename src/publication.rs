//! What goes over MQTT: topics, payloads and the reading of requests.
//!
//! Pure: this module knows neither broker nor socket. Every JSON document
//! carries `"v": 1`; a reader ignores keys that it does not know, but a
//! request with an unknown key is refused, because the requester meant
//! something that would not happen.

mod asyncapi;

mod chunks;

mod command;

mod digest;

mod discovery;

mod health;

mod order;

mod payload;

mod record;

mod response;

mod topics;

use std::sync::Arc;

pub use asyncapi::asyncapi;
pub use chunks::{CHUNK_BYTES, ChunkLayout, Pulled};
pub use command::{
    COMMAND_BYTES_MAX, ChunkRange, Command, cancel_command, get_command, plain_command,
};
pub use digest::ClipDigest;
pub use discovery::Discovery;
pub use health::Health;
pub use order::{
    Arrival, DEADLINE_MS_MAX, Deadline, Defaults, JSON_BYTES_MAX, Order, OrderError, Refusal,
    TRANSACTION_CHARS_MAX, photo_order, render_order,
};
pub use payload::{
    Availability, CameraState, DaemonState, Info, InfoLimits, JobEvent, JobPhase, State, Version,
};
pub use record::{ClipNotice, ClipRecord};
pub use response::{CancelledJob, Captured, Fault, Reloaded, Response, ResponseStatus};
pub use topics::Topics;

/// How surely a message is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Qos {
    /// 0: sent and forgotten.
    AtMostOnce,
    /// 1: repeated until acknowledged.
    AtLeastOnce,
}

/// One message to be published.
#[derive(Clone, Debug, PartialEq)]
pub struct Publication {
    /// The full topic.
    pub topic: String,
    /// The payload's bytes, shared: a clip is held once however often it is
    /// sent again.
    pub payload: Arc<[u8]>,
    /// MQTT 5 properties.
    pub properties: Properties,
    /// How surely it is delivered.
    pub qos: Qos,
    /// The broker keeps it for displays that come later.
    pub retain: bool,
}

/// The MQTT 5 properties that we use.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Properties {
    /// MIME type of the payload.
    pub content_type: Option<String>,
    /// Where the receiver shall answer.
    pub response_topic: Option<String>,
    /// Opaque bytes that an answer repeats.
    pub correlation_data: Option<Vec<u8>>,
    /// Time after which the broker forgets the message, in seconds.
    pub expiry_s: Option<u32>,
    /// Names and values.
    pub user: Vec<(String, String)>,
}

impl Publication {
    /// A JSON message at QoS 1.
    pub fn json<T: serde::Serialize>(topic: String, document: &T) -> Self {
        let payload = serde_json::to_vec(document)
            .expect("payload types have text keys and no failing serializers");
        Self {
            topic,
            payload: payload.into(),
            properties: Properties {
                content_type: Some("application/json".to_owned()),
                ..Properties::default()
            },
            qos: Qos::AtLeastOnce,
            retain: false,
        }
    }

    /// A message of bytes at QoS 1.
    pub fn bytes(topic: String, content_type: &str, payload: impl Into<Arc<[u8]>>) -> Self {
        Self {
            topic,
            payload: payload.into(),
            properties: Properties {
                content_type: Some(content_type.to_owned()),
                ..Properties::default()
            },
            qos: Qos::AtLeastOnce,
            retain: false,
        }
    }

    /// The same message, kept by the broker.
    pub fn retained(mut self) -> Self {
        self.retain = true;
        self
    }

    /// The same message, forgotten by the broker after `expiry_s` seconds.
    pub fn expiring(mut self, expiry_s: u32) -> Self {
        self.properties.expiry_s = Some(expiry_s);
        self
    }

    /// The same message, sent and forgotten.
    pub fn unacknowledged(mut self) -> Self {
        self.qos = Qos::AtMostOnce;
        self
    }

    /// The same message with one more user property.
    pub fn with(mut self, name: &str, value: &impl std::fmt::Display) -> Self {
        self.properties
            .user
            .push((name.to_owned(), value.to_string()));
        self
    }

    /// Size of the MQTT packet that carries it, in bytes, rounded up by at
    /// most a few: what is compared with a broker's limit.
    pub fn packet_bytes(&self) -> usize {
        let text = |value: &Option<String>| value.as_ref().map_or(0, |text| text.len() + 3);
        let properties = &self.properties;
        let user: usize = properties
            .user
            .iter()
            .map(|(name, value)| name.len() + value.len() + 5)
            .sum();
        // Fixed header 5, topic length 2, packet id 2, properties length 4,
        // expiry 5.
        18 + self.topic.len()
            + self.payload.len()
            + text(&properties.content_type)
            + text(&properties.response_topic)
            + properties
                .correlation_data
                .as_ref()
                .map_or(0, |data| data.len() + 3)
            + user
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packet_is_never_estimated_too_small() {
        let publication = Publication::bytes("a/b".to_owned(), "video/mp4", vec![0; 1000])
            .retained()
            .expiring(3600)
            .with("sha256", &"00");
        // 1 + 2 header, 2 + 3 topic, 2 id, 1 properties length, 5 expiry,
        // 12 content type, 5 + 8 user property, payload.
        let exact = 3 + 5 + 2 + 1 + 5 + 12 + 13 + 1000;
        assert!(publication.packet_bytes() >= exact);
        assert!(publication.packet_bytes() <= exact + 10);
    }
}
