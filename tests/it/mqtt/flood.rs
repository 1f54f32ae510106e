//! Nonsense in quantity, and messages that are too large.

use mqtt5::{PublishOptions, QoS};
use serde_json::json;
use zoetrope::publication::Discovery;

use super::{
    bench::{DEVICE, Display, at, board, board_with, loopback},
    mosquitto::{Entrance, mosquitto},
};

/// Nonsense for each topic.
const MESSAGES: usize = 1000;
/// Growth of this whole process that is put up with, broker and display in it.
const GROWTH_BYTES_MAX: u64 = 64 << 20;

fn rss_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = status.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

/// Bytes that are nothing, or nearly something.
fn nonsense(rng: &mut fastrand::Rng) -> Vec<u8> {
    let whole = [
        r#"{"v":1,"job_id":"x","transaction":"t","look":{"strength":0.5},"deadline_ms":5}"#,
        r#"{"first":1,"count":2}"#,
        r#"{"job_id":"\u0000"}"#,
        "\u{feff}{}",
        "null",
        "1e999",
    ];
    match rng.u8(0..4) {
        0 => (0..rng.usize(1..600)).map(|_| rng.u8(..)).collect(),
        1 => "[".repeat(rng.usize(1..3000)).into_bytes(),
        2 => {
            let text = whole[rng.usize(..whole.len())].as_bytes();
            text[..rng.usize(..text.len())].to_vec()
        }
        _ => {
            let mut text = whole[rng.usize(..whole.len())].as_bytes().to_vec();
            let place = rng.usize(..text.len());
            text[place] = rng.u8(..);
            text
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_malformed_messages_on_every_topic() {
    let broker = loopback().await;
    let port = broker.address().port();
    let board = board_with(at(port), |_, config| {
        config.fleet_group = Some("wall".to_owned());
        config.home_assistant = Some(Discovery {
            prefix: "homeassistant".to_owned(),
        });
    })
    .await;
    let mut display = Display::connect(port, "display").await;
    display.state("ready").await;
    let mut rng = fastrand::Rng::with_seed(5);
    let before = rss_bytes();
    let of_board = |leaf: &str| format!("zoetrope/{DEVICE}/{leaf}");
    let get = format!("clip/{}/get", "0a".repeat(32));
    let topics = [
        "request/render",
        "request/render_photo",
        "request/capture",
        "request/cancel",
        "request/reload",
        "request/health_check",
        get.as_str(),
        "clip/x/get",
    ];
    let elsewhere = ["zoetrope/jobs/render", "homeassistant/status"];
    let topics = topics.map(of_board).into_iter();
    for topic in topics.chain(elsewhere.map(str::to_owned)) {
        for _ in 0..MESSAGES {
            let mut options = PublishOptions {
                qos: QoS::AtMostOnce,
                ..PublishOptions::default()
            };
            // A photograph that is none would be a job: its options are wrong.
            if topic.ends_with("/render_photo") {
                let names = ["strength", "seed", "size", "deadline_ms", "job_id"];
                let name = names[rng.usize(..names.len())].to_owned();
                let value = String::from_utf8_lossy(&nonsense(&mut rng)).replace('\0', "?");
                let value: String = value.chars().take(200).chain("/".chars()).collect();
                options.properties.user_properties.push((name, value));
            }
            let payload = nonsense(&mut rng);
            display
                .client
                .publish_with_options(topic.clone(), payload, options)
                .await
                .unwrap();
        }
    }
    display.send_photo(b"good", &[("job_id", "good")]).await;
    let good = |message: &mqtt5::types::Message| {
        let event: serde_json::Value = serde_json::from_slice(&message.payload).unwrap();
        event["event"] == "published"
    };
    display.next("/job/good", good).await;
    let grown = rss_bytes().saturating_sub(before);
    assert!(grown < GROWTH_BYTES_MAX, "grown by {grown} bytes");
    assert_eq!(*board.renderer.rendered.lock().unwrap(), [b"good".to_vec()]);
    board.daemon.stop().await;
}

/// Oversize photographs, retained or not, at whatever limit.
async fn oversize_in(port: u16) {
    let board = board(at(port)).await;
    let mut display = Display::connect(port, "display").await;
    display.state("ready").await;
    let mut goings = Display::connect(port, "goings").await;
    goings
        .next("/availability", |message| message.payload == b"online")
        .await;
    for retain in [false, true] {
        for bytes in [300_000, 3_000_000, 20_000_000] {
            let options = PublishOptions {
                qos: QoS::AtLeastOnce,
                retain,
                ..PublishOptions::default()
            };
            for leaf in ["request/render", "request/render_photo", "request/cancel"] {
                let topic = format!("zoetrope/{DEVICE}/{leaf}");
                let photo = vec![0; bytes];
                display
                    .client
                    .publish_with_options(topic, photo, options.clone())
                    .await
                    .unwrap();
            }
            let id = format!("after-{bytes}-{retain}");
            display.send_photo(id.as_bytes(), &[("job_id", &id)]).await;
            let mine = |message: &mqtt5::types::Message| {
                let answer: serde_json::Value = serde_json::from_slice(&message.payload).unwrap();
                answer["data"]["job_id"] == json!(id)
            };
            display.next("/response/render_photo", mine).await;
        }
    }
    // The last will would have been among them.
    display.send("request/health_check", "").await;
    let message = goings
        .next("", |message| {
            message.topic.ends_with("/availability")
                || message.topic.ends_with("/response/health_check")
        })
        .await;
    assert!(
        message.topic.ends_with("/health_check"),
        "the daemon was disconnected"
    );
    board.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn oversize_messages_cost_no_connection_at_the_loopback_broker() {
    let broker = loopback().await;
    oversize_in(broker.address().port()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn oversize_messages_cost_no_connection_at_mosquitto() {
    if let Some(broker) = mosquitto(&Entrance::Open) {
        oversize_in(broker.port).await;
    }
}
