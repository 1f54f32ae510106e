//! Nonsense in quantity, and messages that are too large.

use mqtt5::{PublishOptions, QoS, types::Message};
use serde_json::json;

use super::{
    bench::{DEVICE, Display, at, board, loopback},
    mosquitto::{Entrance, mosquitto},
};
use crate::{endurance::service::Service, photos, support::Folder};

/// Nonsense for each topic.
const MESSAGES: usize = 1000;
/// Growth of the daemon that is put up with.
const GROWTH_KIB_MAX: u64 = 32 << 10;

/// Asks for a clip and waits until it is published; whatever else was published
/// before is too much.
async fn only(display: &mut Display, id: &str) {
    display
        .send_photo(&photos::jpeg(64, 64), &[("job_id", id)])
        .await;
    let published = |message: &Message| {
        let event = || serde_json::from_slice::<serde_json::Value>(&message.payload);
        message.topic.contains("/job/") && event().unwrap()["event"] == "published"
    };
    let first = display.next("", published).await;
    assert_eq!(first.topic, format!("zoetrope/{DEVICE}/job/{id}"));
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
    let folder = Folder::new();
    let text = format!(
        "device_id = \"{DEVICE}\"\nclips_dir = \"clips\"\nthreads = 1\n\
         [broker]\nurl = \"mqtt://127.0.0.1:{port}\"\n\
         [fleet]\ngroup = \"wall\"\n[homeassistant]\nprefix = \"homeassistant\"\n\
         [shape]\nsize = \"64x64\"\nduration_ms = 500\nframe_rate = 5\n"
    );
    folder.file("zoetrope.toml", text);
    let mut display = Display::connect(port, "display").await;
    let mut service = Service::start(&folder, None);
    display.state("ready").await;
    only(&mut display, "first").await;
    let before = service.usage().rss_peak_kib;
    let mut rng = fastrand::Rng::with_seed(5);
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
    only(&mut display, "good").await;
    let grown = service.usage().rss_peak_kib - before;
    assert!(grown <= GROWTH_KIB_MAX, "grown by {grown} KiB");
    service.stop().await;
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
            let mine = |message: &Message| {
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
