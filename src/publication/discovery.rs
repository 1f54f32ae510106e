//! What Home Assistant is told, so that it shows the board as a device.
//!
//! The document is that of its MQTT device discovery, with its names in full:
//! <https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload>.

use serde_json::{Value, json};

use super::{DaemonState, Publication, Topics};

/// What Home Assistant publishes on its status topic when it has started.
const BIRTH: &[u8] = b"online";

/// Where Home Assistant listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovery {
    /// First level of its topics, `homeassistant` unless changed there.
    pub prefix: String,
}

impl Discovery {
    /// Where it says that it has come or gone.
    pub fn status_topic(&self) -> String {
        format!("{}/status", self.prefix)
    }

    /// Whether a payload on the status topic says that it has started, after
    /// which the description is sent again.
    pub fn is_birth(payload: &[u8]) -> bool {
        payload == BIRTH
    }

    /// The description of the board, retained.
    pub fn publication(&self, device_id: &str, topics: &Topics) -> Publication {
        let topic = format!("{}/device/zoetrope_{device_id}/config", self.prefix);
        Publication::json(topic, &document(device_id, topics)).retained()
    }
}

fn document(device_id: &str, topics: &Topics) -> Value {
    let version = env!("CARGO_PKG_VERSION");
    let unique = |name: &str| format!("zoetrope_{device_id}_{name}");
    let (state, health) = (topics.state(), topics.health());
    json!({
        "device": {
            "identifiers": [format!("zoetrope_{device_id}")],
            "name": format!("Zoetrope {device_id}"),
            "manufacturer": "The Zoetrope Authors",
            "model": "Zoetrope",
            "sw_version": version,
        },
        "origin": { "name": "zoetrope", "sw_version": version },
        "availability_topic": topics.availability(),
        "qos": 1,
        "components": {
            "poster": {
                "platform": "image",
                "unique_id": unique("poster"),
                "name": "Poster",
                "image_topic": topics.poster(),
                "content_type": "image/jpeg",
            },
            "render": {
                "platform": "button",
                "unique_id": unique("render"),
                "name": "Render",
                "icon": "mdi:movie-open-play",
                "command_topic": topics.request_render(),
                "payload_press": "{}",
            },
            "capture": {
                "platform": "button",
                "unique_id": unique("capture"),
                "name": "Take a still",
                "icon": "mdi:camera",
                "command_topic": topics.request_capture(),
                "payload_press": "{}",
            },
            "state": {
                "platform": "sensor",
                "unique_id": unique("state"),
                "name": "State",
                "device_class": "enum",
                "options": DaemonState::ALL,
                "state_topic": state,
                "value_template": "{{ value_json.state }}",
            },
            "queue": {
                "platform": "sensor",
                "unique_id": unique("queue"),
                "name": "Queue",
                "state_class": "measurement",
                "state_topic": state,
                "value_template": "{{ value_json.queue_length }}",
            },
            "last_render": {
                "platform": "sensor",
                "unique_id": unique("last_render"),
                "name": "Last render",
                "device_class": "duration",
                "unit_of_measurement": "ms",
                "state_topic": health,
                "value_template": "{{ value_json.last_render_ms }}",
            },
            "temperature": {
                "platform": "sensor",
                "unique_id": unique("temperature"),
                "name": "Temperature",
                "device_class": "temperature",
                "unit_of_measurement": "°C",
                "state_class": "measurement",
                "entity_category": "diagnostic",
                "state_topic": health,
                "value_template": "{{ value_json.temperature_c }}",
            },
            "rss": {
                "platform": "sensor",
                "unique_id": unique("rss"),
                "name": "Memory",
                "device_class": "data_size",
                "unit_of_measurement": "B",
                "state_class": "measurement",
                "entity_category": "diagnostic",
                "state_topic": health,
                "value_template": "{{ value_json.rss_bytes }}",
            },
            "camera": {
                "platform": "binary_sensor",
                "unique_id": unique("camera"),
                "name": "Camera",
                "device_class": "connectivity",
                "entity_category": "diagnostic",
                "state_topic": state,
                "value_template": "{{ 'ON' if value_json.camera == 'online' else 'OFF' }}",
            },
            // What version is the newest nobody here can know.
            "version": {
                "platform": "update",
                "unique_id": unique("version"),
                "name": "Version",
                "title": "Zoetrope",
                "entity_category": "diagnostic",
                "state_topic": topics.info(),
                "value_template": "{{ {'installed_version': value_json.version} | to_json }}",
            },
        },
    })
}
