//! What is meant to work.

use std::sync::atomic::Ordering;

use mqtt5::{ConnectOptions, MqttClient, PublishOptions, QoS};
use serde_json::json;
use zoetrope::device::{
    broker::{BrokerOptions, LoopbackBroker},
    display::{WatchOptions, ask, sha256_of, watch},
};

use super::{
    bench::{DEVICE, Display, PATIENCE, asking, at, board, free_port, loopback},
    mosquitto::{Entrance, mosquitto},
};

async fn happy_path(port: u16) {
    let board = board(at(port)).await;
    let mut display = Display::connect(port, "display").await;
    display.state("ready").await;
    let photo = vec![7; 300_000];
    display
        .send_photo(&photo, &[("job_id", "till"), ("transaction", "t")])
        .await;
    assert_eq!(display.json("/job/till").await["event"], "accepted");
    let clip = display.next("/clip", |_| true).await;
    assert_eq!(clip.payload, photo);
    assert_eq!(clip.properties.content_type.as_deref(), Some("video/mp4"));
    let sha256 = ("sha256".to_owned(), sha256_of(&photo));
    assert!(clip.properties.user_properties.contains(&sha256));
    assert_eq!(display.next("/poster", |_| true).await.payload, b"poster");
    let record = display.json("/clip/info").await;
    assert_eq!(record["sha256"], sha256.1);
    assert_eq!(record["v"], 1);
    assert_eq!(record["inline"], true);
    assert_eq!(record["loop"]["verdict"], "good");
    assert_eq!(record["loop"]["measures"]["seam"]["value"], 1.0);
    let published = display.json("/job/till").await;
    assert_eq!(
        (&published["event"], &published["transaction"]),
        (&json!("published"), &json!("t"))
    );
    let answer = display.next("/response/render_photo", |_| true).await;
    assert_eq!(
        answer.properties.correlation_data.as_deref(),
        Some(&b"mine"[..])
    );
    let answer: serde_json::Value = serde_json::from_slice(&answer.payload).unwrap();
    assert_eq!(
        (&answer["status"], &answer["transaction"]),
        (&json!("ok"), &json!("t"))
    );
    display.state("ready").await;

    // A display that comes late finds everything.
    let mut late = Display::connect(port, "late").await;
    assert_eq!(
        late.next("/clip", |message| message.retain).await.payload,
        photo
    );

    board.daemon.stop().await;
    display
        .next("/availability", |message| message.payload == b"offline")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_becomes_a_clip_at_the_loopback_broker() {
    let broker = loopback().await;
    happy_path(broker.address().port()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_becomes_a_clip_at_mosquitto() {
    if let Some(broker) = mosquitto(&Entrance::Open) {
        happy_path(broker.port).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_job_twice_is_one_render_and_two_answers() {
    let broker = loopback().await;
    let port = broker.address().port();
    let board = board(at(port)).await;
    let mut display = Display::connect(port, "display").await;
    display.state("ready").await;
    board.renderer.is_closed.store(true, Ordering::Relaxed);
    display
        .send_photo(b"one", &[("job_id", "a"), ("transaction", "1")])
        .await;
    display
        .send_photo(b"one", &[("job_id", "a"), ("transaction", "2")])
        .await;
    display
        .send_photo(b"two", &[("job_id", "a"), ("transaction", "3")])
        .await;
    let refused = display.json("/response/render_photo").await;
    assert_eq!(
        (&refused["error"]["code"], &refused["transaction"]),
        (&json!("job_id_conflict"), &json!("3"))
    );
    board.renderer.is_closed.store(false, Ordering::Relaxed);
    for transaction in ["1", "2"] {
        let answer = display.json("/response/render_photo").await;
        assert_eq!(
            (&answer["status"], &answer["transaction"]),
            (&json!("ok"), &json!(transaction))
        );
    }
    // Also after it has ended.
    display
        .send_photo(b"one", &[("job_id", "a"), ("transaction", "4")])
        .await;
    assert_eq!(
        display.json("/response/render_photo").await["transaction"],
        "4"
    );
    assert_eq!(*board.renderer.rendered.lock().unwrap(), [b"one".to_vec()]);
    board.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_comes_late_and_comes_back_empty() {
    let port = free_port();
    let options = BrokerOptions {
        port,
        ..BrokerOptions::default()
    };
    let board = board(at(port)).await;
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    let broker = LoopbackBroker::start(&options).await.unwrap();
    let mut display = Display::connect(port, "display").await;
    display.state("ready").await;
    display.send_photo(b"one", &[("job_id", "a")]).await;
    display.json("/response/render_photo").await;
    display.client.disconnect().await.unwrap();
    broker.stop().await;
    let stopped_at = std::time::Instant::now();
    // Memory only: the new one knows nothing.
    let _broker = loop {
        if let Ok(broker) = LoopbackBroker::start(&options).await {
            break broker;
        }
        assert!(stopped_at.elapsed() < PATIENCE, "port {port} stays taken");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    let mut display = Display::connect(port, "display").await;
    assert_eq!(display.next("/clip", |_| true).await.payload, b"one");
    assert_eq!(display.json("/clip/info").await["job_id"], "a");
    let mut later = Display::connect(port, "later").await;
    later
        .next("/availability", |message| message.payload == b"online")
        .await;
    display.send_photo(b"two", &[("job_id", "b")]).await;
    assert_eq!(display.json("/response/render_photo").await["status"], "ok");
    board.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn availability_is_left_behind_as_the_last_will() {
    let broker = loopback().await;
    let port = broker.address().port();
    let board = board(at(port)).await;
    let mut display = Display::connect(port, "display").await;
    display
        .next("/availability", |message| message.payload == b"online")
        .await;
    // Another client of the same name: the broker ends the daemon's connection
    // without farewell.
    let name = format!("zoetrope-{DEVICE}");
    let usurper =
        MqttClient::with_options(ConnectOptions::new(name).with_automatic_reconnect(false));
    usurper
        .connect(&format!("mqtt://127.0.0.1:{port}"))
        .await
        .unwrap();
    display
        .next("/availability", |message| message.payload == b"offline")
        .await;
    // The daemon has taken its name back, or is about to.
    let _ = usurper.disconnect().await;
    display
        .next("/availability", |message| message.payload == b"online")
        .await;
    board.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_display_asks_and_watches() {
    let broker = loopback().await;
    let port = broker.address().port();
    let board = board(at(port)).await;
    let folder = board.folder.path().join("shown");
    let watching = WatchOptions {
        broker: at(port),
        device_id: DEVICE.to_owned(),
        folder: folder.clone(),
        once: true,
    };
    let watcher = std::thread::spawn(move || watch(&watching, |_| {}));
    let photo = board.folder.path().join("photo.jpg");
    std::fs::write(&photo, b"photo").unwrap();
    let options = asking(port, Some(photo), board.folder.path(), PATIENCE);
    let mut phases = 0;
    let asked = ask(&options, |_| phases += 1).await.unwrap();
    assert!(phases > 0);
    assert_eq!(asked.sha256, sha256_of(b"photo"));
    assert_eq!(std::fs::read(&options.output).unwrap(), b"photo");
    watcher.join().unwrap().unwrap();
    assert_eq!(std::fs::read(folder.join("clip.mp4")).unwrap(), b"photo");
    assert_eq!(std::fs::read(folder.join("poster.jpg")).unwrap(), b"poster");
    board.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retained_command_is_ignored() {
    let broker = loopback().await;
    let port = broker.address().port();
    let mut display = Display::connect(port, "display").await;
    let retained = PublishOptions {
        qos: QoS::AtLeastOnce,
        retain: true,
        ..PublishOptions::default()
    };
    let topic = format!("zoetrope/{DEVICE}/request/render_photo");
    display
        .client
        .publish_with_options(topic, b"old".to_vec(), retained)
        .await
        .unwrap();
    let board = board(at(port)).await;
    display.state("ready").await;
    display.send_photo(b"new", &[("job_id", "a")]).await;
    display.json("/response/render_photo").await;
    assert_eq!(*board.renderer.rendered.lock().unwrap(), [b"new".to_vec()]);
    board.daemon.stop().await;
}
