//! Clips that do not fit one message.

use mqtt5::{PublishOptions, QoS, types::Message};
use serde_json::json;
use zoetrope::device::{
    broker::{BrokerOptions, LoopbackBroker},
    display::{WatchOptions, ask, sha256_of, watch},
};

use super::{
    bench::{DEVICE, Display, PATIENCE, asking, at, board, board_with, loopback},
    mosquitto::{Entrance, mosquitto_with},
};

/// A clip of so many bytes, none of them like its neighbour 64 KiB on.
fn film(bytes: usize) -> Vec<u8> {
    let mut rng = fastrand::Rng::with_seed(bytes as u64);
    (0..bytes).map(|_| rng.u8(..)).collect()
}

/// Puts the chunks of one pull together, checking all that they say.
async fn pulled(display: &mut Display, sha256: &str, bytes: usize) -> Vec<u8> {
    let mut film = Vec::new();
    for index in 0..bytes.div_ceil(65_536) {
        let chunk = display
            .next(&format!("/clip/{sha256}/chunk/{index}"), |_| true)
            .await;
        let said = |name: &str| {
            let pairs = &chunk.properties.user_properties;
            pairs.iter().find(|(key, _)| key == name).unwrap().1.clone()
        };
        assert_eq!(said("sha256"), sha256);
        assert_eq!(said("offset"), film.len().to_string());
        assert_eq!(said("total"), bytes.to_string());
        film.extend(&chunk.payload);
    }
    film
}

/// Asks, learns that the clip does not come as one message, and pulls it.
async fn whole_round(port: u16, photo: &[u8], made: &[u8]) {
    let mut display = Display::connect(port, "display").await;
    display.state("ready").await;
    display.send_photo(photo, &[("job_id", "large")]).await;
    let sha256 = sha256_of(made);
    let record = display.json("/clip/info").await;
    assert_eq!(
        (&record["sha256"], &record["inline"]),
        (&json!(sha256), &json!(false))
    );
    let count = made.len().div_ceil(65_536);
    assert_eq!(
        record["chunks"],
        json!({ "chunk_bytes": 65_536, "count": count })
    );
    let answer = display.json("/response/render_photo").await;
    assert_eq!(answer["status"], "ok", "{answer}");
    display.send(&format!("clip/{sha256}/get"), "").await;
    let film = pulled(&mut display, &sha256, made.len()).await;
    assert_eq!(sha256_of(&film), sha256);
    let told = display.json("/response/get").await;
    assert_eq!(
        (&told["data"]["first"], &told["data"]["count"]),
        (&json!(0), &json!(count))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn clips_beyond_what_the_broker_announces_go_in_chunks() {
    for packet_bytes_max in [128 << 10, 1 << 20, 2 << 20] {
        let options = BrokerOptions {
            packet_bytes_max,
            ..BrokerOptions::default()
        };
        let broker = LoopbackBroker::start(&options).await.unwrap();
        let port = broker.address().port();
        // The stand-in makes this clip larger than its photograph.
        let photo = [b"twice ".to_vec(), film(packet_bytes_max * 3 / 4)].concat();
        let board = board_with(at(port), |_, config| {
            config.photo_limits.bytes_max = 4 << 20;
        })
        .await;
        whole_round(port, &photo, &photo.repeat(2)).await;
        board.daemon.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mosquitto_that_refuses_a_clip_passes_its_chunks_on() {
    // The first is announced to clients, the second is not.
    let limits = ["max_packet_size", "message_size_limit"]
        .map(|key| [128 << 10, 1_000_000, 2_000_000].map(|bytes: usize| (key, bytes)));
    for (key, bytes_max) in limits.into_iter().flatten() {
        let limit = format!("{key} {bytes_max}");
        let Some(broker) = mosquitto_with(&Entrance::Open, &limit) else {
            return;
        };
        let board = board_with(at(broker.port), |_, config| {
            config.photo_limits.bytes_max = 4 << 20;
        })
        .await;
        let mut display = Display::connect(broker.port, "display").await;
        display.state("ready").await;
        let photo = [b"twice ".to_vec(), film(bytes_max * 3 / 4)].concat();
        display.send_photo(&photo, &[]).await;
        let record = display.json("/clip/info").await;
        assert_eq!(record["inline"], false, "{limit}");
        let sha256 = record["sha256"].as_str().unwrap().to_owned();
        display.send(&format!("clip/{sha256}/get"), "").await;
        let film = pulled(&mut display, &sha256, 2 * photo.len()).await;
        assert_eq!(sha256_of(&film), sha256);
        // What fits is served as before, on the same connection.
        display.send_photo(b"small", &[]).await;
        assert_eq!(display.next("/clip", |_| true).await.payload, b"small");
        board.daemon.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_are_pulled_and_wrong_requests_answered() {
    let broker = loopback().await;
    let port = broker.address().port();
    let board = board(at(port)).await;
    let mut display = Display::connect(port, "display").await;
    display.state("ready").await;
    let photo = film(200_000);
    display.send_photo(&photo, &[]).await;
    let record = display.json("/clip/info").await;
    // Also what came as one message can be pulled.
    assert_eq!(record["inline"], true);
    let sha256 = sha256_of(&photo);
    let get = format!("clip/{sha256}/get");
    display
        .send(&get, r#"{"first":3,"count":1,"transaction":"t"}"#)
        .await;
    let last = display.next("/chunk/3", |_| true).await;
    assert_eq!(last.payload, photo[196_608..]);
    assert_eq!(display.json("/response/get").await["transaction"], "t");
    let nowhere = format!("clip/{}/get", "0".repeat(64));
    let upper = format!("clip/{}/get", sha256.to_uppercase());
    for (topic, payload, code) in [
        (nowhere.as_str(), "", "unknown_clip"),
        (&upper, "", "bad_request"),
        ("clip/info/get", "", "bad_request"),
        ("clip/%2e%2e/get", "", "bad_request"),
        (&get, r#"{"first":4}"#, "bad_request"),
        (&get, r#"{"first":0,"count":0}"#, "bad_request"),
        (&get, r#"{"first":1,"count":4}"#, "bad_request"),
        (&get, r#"{"first":-1}"#, "bad_json"),
        (&get, r#"{"path":"/etc/passwd"}"#, "bad_json"),
    ] {
        display.send(topic, payload).await;
        let answer = display.json("/response/get").await;
        assert_eq!(answer["error"]["code"], code, "{topic} {payload}: {answer}");
    }
    display.send(&get, r#"{"first":1,"count":4}"#).await;
    let answer = display.json("/response/get").await;
    let said = "4 chunks from 1 are asked for, the clip has 4 from 0";
    assert_eq!(answer["error"]["message"], said);
    board.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wall_of_displays_is_answered_within_bounds() {
    let broker = loopback().await;
    let port = broker.address().port();
    let board = board(at(port)).await;
    let mut display = Display::connect(port, "display").await;
    display.state("ready").await;
    let photo = film(900_000);
    display.send_photo(&photo, &[]).await;
    display.json("/clip/info").await;
    let get = format!("zoetrope/{DEVICE}/clip/{}/get", sha256_of(&photo));
    // Every one asks for something else, so that none can share.
    for number in 0..60 {
        let payload = json!({ "first": number % 14, "transaction": number.to_string() });
        let options = PublishOptions {
            qos: QoS::AtLeastOnce,
            ..PublishOptions::default()
        };
        let payload = payload.to_string().into_bytes();
        display
            .client
            .publish_with_options(get.clone(), payload, options)
            .await
            .unwrap();
    }
    let mut answered = Vec::new();
    while answered.len() < 60 {
        let answer = display.json("/response/get").await;
        let code = &answer["error"]["code"];
        assert!(answer["status"] == "ok" || code == "busy", "{answer}");
        answered.push(answer["transaction"].as_str().unwrap().to_owned());
    }
    answered.sort();
    answered.dedup();
    assert_eq!(answered.len(), 60);
    board.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_displays_fetch_what_does_not_come_as_one_message() {
    let broker = loopback().await;
    let port = broker.address().port();
    let board = board_with(at(port), |_, config| {
        config.photo_limits.bytes_max = 8 << 20;
        config.inline_bytes_max = Some(65_536);
    })
    .await;
    let folder = board.folder.path().join("shown");
    let watching = WatchOptions {
        broker: at(port),
        device_id: DEVICE.to_owned(),
        folder: folder.clone(),
        once: true,
    };
    let watcher = std::thread::spawn(move || watch(&watching, |_| {}));
    // More than one window of chunks.
    let made = film(2_500_000);
    let photo = board.folder.path().join("photo.jpg");
    std::fs::write(&photo, &made).unwrap();
    let options = asking(port, Some(photo), board.folder.path(), PATIENCE);
    let asked = ask(&options, |_| {}).await.unwrap();
    assert_eq!(asked.bytes, 2_500_000);
    assert!(std::fs::read(&options.output).unwrap() == made);
    watcher.join().unwrap().unwrap();
    assert!(std::fs::read(folder.join("clip.mp4")).unwrap() == made);
    board.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_that_cannot_be_coarse_enough_is_made_in_full() {
    let broker = loopback().await;
    let port = broker.address().port();
    let board = board_with(at(port), |_, config| {
        config.inline_bytes_max = Some(70_000);
    })
    .await;
    let mut display = Display::connect(port, "display").await;
    display.state("ready").await;
    let photo = [b"budget ".to_vec(), film(100_000)].concat();
    display.send_photo(&photo, &[]).await;
    let record = display.json("/clip/info").await;
    assert_eq!(
        (&record["inline"], &record["bytes"]),
        (&json!(false), &json!(photo.len()))
    );
    let no_clip = |message: &Message| message.topic.ends_with("/clip");
    display.send("request/health_check", "").await;
    let next = display.next("", |message| {
        no_clip(message) || message.topic.ends_with("/response/health_check")
    });
    assert!(!no_clip(&next.await));
    board.daemon.stop().await;
}
