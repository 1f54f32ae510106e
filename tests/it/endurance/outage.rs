//! The broker is away for long, and comes back knowing nothing.

use std::time::{Duration, Instant};

use mqtt5::types::Message;
use zoetrope::device::broker::{BrokerOptions, LoopbackBroker};

use super::{number, service::Service};
use crate::{
    mqtt::bench::{DEVICE, Display, PATIENCE, RETAINED, free_port},
    photos,
    support::Folder,
};

/// Time after its return in which a broker has everything retained again.
const BACK_TIME_MAX: Duration = Duration::from_secs(5);

async fn started(options: &BrokerOptions) -> LoopbackBroker {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match LoopbackBroker::start(options).await {
            Ok(broker) => return broker,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Clips that are kept.
fn kept(folder: &Folder) -> usize {
    let entries = std::fs::read_dir(folder.path("clips")).unwrap();
    let names = entries.map(|entry| entry.unwrap().path());
    names
        .filter(|path| path.extension().is_some_and(|ending| ending == "clip"))
        .count()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes ten minutes"]
async fn ten_minutes_without_a_broker() {
    let away = Duration::from_secs(number("ZOETROPE_OUTAGE_S", 600));
    let port = free_port();
    let options = BrokerOptions {
        port,
        ..BrokerOptions::default()
    };
    let folder = Folder::new();
    folder.file("photo.jpg", photos::jpeg(64, 64));
    let text = format!(
        "device_id = \"{DEVICE}\"\nclips_dir = \"clips\"\nthreads = 1\n\
         [broker]\nurl = \"mqtt://127.0.0.1:{port}\"\n\
         [camera]\nfile = \"photo.jpg\"\n[trigger]\nevery = \"2s\"\n\
         [shape]\nsize = \"64x64\"\nduration_ms = 500\nframe_rate = 5\n"
    );
    folder.file("zoetrope.toml", text);
    let broker = started(&options).await;
    let mut display = Display::connect(port, "before").await;
    let mut service = Service::start(&folder, None);
    display.json("/clip/info").await;
    display.client.disconnect().await.unwrap();
    broker.stop().await;
    let before = kept(&folder);
    tokio::time::sleep(away).await;
    let meanwhile = kept(&folder) - before;
    assert!(!service.has_ended() && meanwhile > 0, "nothing is rendered");

    let broker = started(&options).await;
    let back = Instant::now();
    let mut display = Display::connect(port, "after").await;
    display.hears_all(&RETAINED).await;
    let took = back.elapsed();
    // All that was made meanwhile is published, and then what is made anew.
    let is_published = |message: &Message| {
        let event = || serde_json::from_slice::<serde_json::Value>(&message.payload);
        message.topic.contains("/job/") && event().unwrap()["event"] == "published"
    };
    for _ in 0..=meanwhile {
        display.next("", is_published).await;
    }
    println!(
        "{} s without a broker: {meanwhile} clips made meanwhile, all published after; \
         everything retained back after {:.1} s; {:?}",
        away.as_secs(),
        took.as_secs_f64(),
        service.usage()
    );
    assert!(took <= BACK_TIME_MAX, "back after {took:?}");
    service.stop().await;
    broker.stop().await;
}
