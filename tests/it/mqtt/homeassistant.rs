//! What Home Assistant is told, against the schema that it publishes.
//!
//! The names are those of the validators in home-assistant/core,
//! `homeassistant/components/mqtt/`: `schemas.py` for the whole, the device and
//! the origin, and one file for each platform.

use mqtt5::{PublishOptions, QoS};
use serde_json::Value;
use zoetrope::publication::Discovery;

use super::bench::{DEVICE, Display, at, board, board_with, loopback};

const WHOLE: [&str; 12] = [
    "device",
    "origin",
    "components",
    "availability",
    "availability_mode",
    "availability_topic",
    "availability_template",
    "payload_available",
    "payload_not_available",
    "state_topic",
    "qos",
    "encoding",
];
const DEVICE_INFO: [&str; 12] = [
    "identifiers",
    "connections",
    "manufacturer",
    "model",
    "model_id",
    "name",
    "hw_version",
    "serial_number",
    "sw_version",
    "via_device",
    "suggested_area",
    "configuration_url",
];
const ORIGIN: [&str; 3] = ["name", "sw_version", "support_url"];
/// What every entity may have.
const ENTITY: [&str; 9] = [
    "platform",
    "unique_id",
    "name",
    "icon",
    "entity_category",
    "enabled_by_default",
    "entity_picture",
    "json_attributes_topic",
    "json_attributes_template",
];

/// Required and optional members of the platforms that are used.
fn members(platform: &str) -> (&'static [&'static str], &'static [&'static str]) {
    match platform {
        "image" => (&["image_topic"], &["content_type", "image_encoding"]),
        "button" => (
            &["command_topic"],
            &[
                "payload_press",
                "command_template",
                "device_class",
                "retain",
            ],
        ),
        "sensor" => (
            &["state_topic"],
            &[
                "value_template",
                "device_class",
                "state_class",
                "unit_of_measurement",
                "options",
                "expire_after",
                "force_update",
                "suggested_display_precision",
                "last_reset_value_template",
            ],
        ),
        "binary_sensor" => (
            &["state_topic"],
            &[
                "value_template",
                "device_class",
                "payload_on",
                "payload_off",
                "off_delay",
                "expire_after",
                "force_update",
            ],
        ),
        "update" => (
            &[],
            &[
                "state_topic",
                "value_template",
                "latest_version_topic",
                "latest_version_template",
                "command_topic",
                "payload_install",
                "device_class",
                "title",
                "release_summary",
                "release_url",
                "display_precision",
                "retain",
            ],
        ),
        other => panic!("{other} is no platform that is known here"),
    }
}

/// Units that a device class of sensors may have; those that are used.
fn units(device_class: &str) -> &'static [&'static str] {
    match device_class {
        "temperature" => &["°C", "°F", "K"],
        "duration" => &["d", "h", "min", "s", "ms", "µs"],
        "data_size" => &[
            "bit", "kbit", "Mbit", "Gbit", "B", "kB", "MB", "GB", "KiB", "MiB",
        ],
        "enum" => &[],
        other => panic!("{other} is no device class that is known here"),
    }
}

fn has_only(value: &Value, allowed: &[&str]) {
    for name in value.as_object().expect("an object").keys() {
        assert!(
            allowed.contains(&name.as_str()),
            "{name} is none of {allowed:?}"
        );
    }
}

fn is_topic(value: &Value, to_publish: bool) {
    let topic = value.as_str().expect("a topic is text");
    assert!(!topic.is_empty() && topic.len() <= 65_535);
    assert!(!to_publish || !topic.contains(['+', '#']), "{topic}");
}

fn check(document: &Value) {
    has_only(document, &WHOLE);
    let device = &document["device"];
    has_only(device, &DEVICE_INFO);
    assert!(!device["identifiers"].as_array().unwrap().is_empty());
    has_only(&document["origin"], &ORIGIN);
    assert!(document["origin"]["name"].is_string());
    is_topic(&document["availability_topic"], false);
    assert!([0, 1, 2].contains(&document["qos"].as_u64().unwrap()));
    let mut unique = Vec::new();
    for (id, component) in document["components"].as_object().unwrap() {
        let (required, optional) = members(component["platform"].as_str().unwrap());
        has_only(component, &[&ENTITY, required, optional].concat());
        for name in required.iter().chain(&["unique_id"]) {
            assert!(component[name].is_string(), "{id} has no {name}");
        }
        for (name, value) in component.as_object().unwrap() {
            if name.ends_with("_topic") {
                is_topic(value, name == "command_topic");
            }
            if name.ends_with("_template") {
                let template = value.as_str().unwrap();
                assert_eq!(
                    template.matches("{{").count(),
                    template.matches("}}").count()
                );
            }
        }
        if let Some(category) = component["entity_category"].as_str() {
            assert!(["config", "diagnostic"].contains(&category), "{category}");
        }
        if component["platform"] == "sensor"
            && let Some(class) = component["device_class"].as_str()
        {
            let unit = component["unit_of_measurement"].as_str();
            let is_right = unit.map_or(class == "enum", |unit| units(class).contains(&unit));
            assert!(is_right, "{id}: {class} in {unit:?}");
            assert_eq!(class == "enum", component["options"].is_array(), "{id}");
            assert!(class != "enum" || component["state_class"].is_null());
        }
        unique.push(component["unique_id"].as_str().unwrap().to_owned());
    }
    let count = unique.len();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), count, "unique ids are not unique");
}

/// The member of a JSON document that a template takes.
fn taken<'a>(template: &str, document: &'a Value) -> &'a Value {
    let (_, rest) = template
        .split_once("value_json.")
        .expect("a template of ours");
    let name: String = rest
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
        .collect();
    let member = document.get(&name);
    member.unwrap_or_else(|| panic!("{name} is not in {document}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn home_assistant_is_told_again_whenever_it_starts() {
    let broker = loopback().await;
    let port = broker.address().port();
    let board = board_with(at(port), |_, config| {
        config.home_assistant = Some(Discovery {
            prefix: "home/assistant".to_owned(),
        });
    })
    .await;
    let mut display = Display::connect(port, "homeassistant").await;
    display.state("ready").await;
    display.hears("home/assistant/#").await;
    let topic = format!("home/assistant/device/zoetrope_{DEVICE}/config");
    let first = display.next(&topic, |_| true).await;
    // Whoever comes later finds it.
    let mut late = Display::connect(port, "late").await;
    late.hears("home/assistant/#").await;
    let kept = late.next(&topic, |message| message.retain).await;
    assert_eq!(kept.payload, first.payload);
    late.client.disconnect().await.unwrap();
    let document: Value = serde_json::from_slice(&first.payload).unwrap();
    check(&document);

    // Every state topic exists, and its templates find what they look for.
    display.asked("health_check", "").await;
    for component in document["components"].as_object().unwrap().values() {
        if let Some(state_topic) = component["state_topic"].as_str() {
            let mut late = Display::connect(port, "late").await;
            let state = late.json(state_topic).await;
            taken(component["value_template"].as_str().unwrap(), &state);
            late.client.disconnect().await.unwrap();
        }
    }
    // The button's press is a request that is understood.
    let render = &document["components"]["render"];
    let command_topic = render["command_topic"].as_str().unwrap();
    let press = render["payload_press"]
        .as_str()
        .unwrap()
        .as_bytes()
        .to_vec();
    display
        .client
        .publish_qos1(command_topic, press)
        .await
        .unwrap();
    assert_eq!(
        display.json("/response/render").await["error"]["code"],
        "no_camera"
    );

    // Retained or not, its birth is answered; its death is not.
    for (payload, retain) in [("offline", false), ("online", false), ("online", true)] {
        let options = PublishOptions {
            qos: QoS::AtLeastOnce,
            retain,
            ..PublishOptions::default()
        };
        let status = "home/assistant/status";
        let payload = payload.as_bytes().to_vec();
        let is_birth = payload == b"online";
        display
            .client
            .publish_with_options(status, payload, options)
            .await
            .unwrap();
        if is_birth {
            let again = display.next(&topic, |_| true).await;
            assert_eq!(again.payload, first.payload);
        }
    }
    board.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_outside_the_boards_own_topics_unasked() {
    let broker = loopback().await;
    let port = broker.address().port();
    let mut display = Display::connect(port, "display").await;
    display.hears("#").await;
    let board = board(at(port)).await;
    let own = format!("zoetrope/{DEVICE}/");
    loop {
        let message = display.next("", |_| true).await;
        assert!(message.topic.starts_with(&own), "{}", message.topic);
        if message.topic.ends_with("/health") {
            break;
        }
    }
    board.daemon.stop().await;
}
