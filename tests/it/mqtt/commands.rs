//! Commands that are no request for a clip, and deadlines.

use std::{fs, sync::atomic::Ordering};

use mqtt5::{PublishOptions, QoS};
use serde_json::json;
use zoetrope::config::Camera;

use super::bench::{CONFIGURATION, DEVICE, Display, at, board, board_in, board_with, loopback};
use crate::photos;

#[tokio::test(flavor = "multi_thread")]
async fn the_health_is_told_and_published() {
    let broker = loopback().await;
    let port = broker.address().port();
    let board = board(at(port)).await;
    let mut display = Display::connect(port, "display").await;
    display.state("ready").await;
    display.send_photo(b"one", &[("job_id", "a")]).await;
    display.json("/response/render_photo").await;
    display.send_photo(b"encoder fails", &[]).await;
    display.json("/response/render_photo").await;
    let answer = display
        .asked("health_check", r#"{"transaction":"t"}"#)
        .await;
    assert_eq!(
        (&answer["status"], &answer["transaction"]),
        (&json!("ok"), &json!("t"))
    );
    let health = &answer["data"];
    assert_eq!(
        (&health["renders_ok"], &health["renders_failed"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(health["queue_length"], 0);
    assert!(health["last_render_ms"].is_u64(), "{health}");
    for name in ["rss_bytes", "fds", "threads", "disk_free_bytes"] {
        assert!(health[name].as_u64().unwrap() > 0, "{name}: {health}");
    }
    // Whoever comes later finds it.
    let mut late = Display::connect(port, "late").await;
    let retained = late.next("/health", |message| message.retain).await;
    let retained: serde_json::Value = serde_json::from_slice(&retained.payload).unwrap();
    assert_eq!(
        (&retained["v"], &retained["renders_ok"]),
        (&json!(1), &json!(1))
    );
    board.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_still_is_taken_and_published_without_a_render() {
    let broker = loopback().await;
    let port = broker.address().port();
    let folder = tempfile::tempdir().unwrap();
    let photo = folder.path().join("latest.jpg");
    let board = board_with(at(port), |_, config| {
        config.camera = Camera::File(photo.clone());
    })
    .await;
    let mut display = Display::connect(port, "display").await;
    display.state("ready").await;
    let answer = display.asked("capture", "").await;
    assert_eq!(answer["error"]["code"], "camera", "{answer}");
    assert_eq!(display.state("ready").await["camera"], "lost");
    fs::write(&photo, "no picture").unwrap();
    let answer = display.asked("capture", "").await;
    assert_eq!(answer["error"]["code"], "bad_photo", "{answer}");

    fs::write(&photo, photos::jpeg(96, 64)).unwrap();
    display
        .send("request/capture", r#"{"transaction":"t"}"#)
        .await;
    let poster = display.next("/poster", |_| true).await;
    assert!(poster.payload.starts_with(&[0xff, 0xd8]));
    let answer = display.json("/response/capture").await;
    assert_eq!(answer["status"], "ok", "{answer}");
    assert_eq!(answer["data"]["bytes"], poster.payload.len());
    assert_eq!(
        (&answer["data"]["photo_width"], &answer["transaction"]),
        (&json!(96), &json!("t"))
    );
    assert_eq!(*board.renderer.rendered.lock().unwrap(), [] as [Vec<u8>; 0]);
    board.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_cancelled_waiting_and_under_way() {
    let broker = loopback().await;
    let port = broker.address().port();
    let board = board(at(port)).await;
    let mut display = Display::connect(port, "display").await;
    display.state("ready").await;
    board.renderer.is_closed.store(true, Ordering::Relaxed);
    for id in ["a", "b", "c"] {
        display
            .send_photo(id.as_bytes(), &[("job_id", id), ("transaction", id)])
            .await;
        display.json(&format!("/job/{id}")).await;
    }
    let told = |answer: &serde_json::Value, id: &str| {
        let said = (&answer["transaction"], &answer["error"]["code"]);
        assert_eq!(said, (&json!(id), &json!("cancelled")));
    };
    // One that waits ends at once.
    display
        .send("request/cancel", r#"{"job_id":"b","transaction":"t"}"#)
        .await;
    let failed = display.json("/job/b").await;
    assert_eq!(
        (&failed["event"], &failed["code"]),
        (&json!("failed"), &json!("cancelled"))
    );
    told(&display.json("/response/render_photo").await, "b");
    let answer = display.json("/response/cancel").await;
    assert_eq!(
        (&answer["data"]["job_id"], &answer["transaction"]),
        (&json!("b"), &json!("t"))
    );
    // One that is being made ends before its next frame.
    let answer = display.asked("cancel", r#"{"job_id":"a"}"#).await;
    assert_eq!(answer["data"]["job_id"], "a");
    assert_eq!(display.json("/job/a").await["code"], "cancelled");
    told(&display.json("/response/render_photo").await, "a");
    board.renderer.is_closed.store(false, Ordering::Relaxed);
    assert_eq!(display.json("/response/render_photo").await["status"], "ok");
    // Asked for again, the job is as it ended.
    display
        .send_photo(b"a", &[("job_id", "a"), ("transaction", "a")])
        .await;
    told(&display.json("/response/render_photo").await, "a");
    for (payload, code) in [
        (r#"{"job_id":"a"}"#, "too_late"),
        (r#"{"job_id":"never"}"#, "unknown_job"),
        (r#"{"job_id":"../etc"}"#, "bad_request"),
        ("", "bad_json"),
        ("{}", "bad_json"),
    ] {
        let answer = display.asked("cancel", payload).await;
        assert_eq!(answer["error"]["code"], code, "{answer}");
    }
    // Neither is our own trouble.
    assert_eq!(
        display.asked("health_check", "").await["data"]["renders_failed"],
        2
    );
    assert_eq!(
        *board.renderer.rendered.lock().unwrap(),
        [b"a".to_vec(), b"c".to_vec()]
    );
    // Nor does the next daemon take them up.
    let board = board_in(board.stop().await, at(port), |_, _| {}).await;
    let mut display = Display::connect(port, "later").await;
    display.state("ready").await;
    for id in ["a", "b"] {
        display
            .send_photo(id.as_bytes(), &[("job_id", id), ("transaction", id)])
            .await;
        told(&display.json("/response/render_photo").await, id);
    }
    assert!(board.renderer.rendered.lock().unwrap().is_empty());
    board.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configuration_is_read_again_on_demand() {
    let broker = loopback().await;
    let port = broker.address().port();
    let board = board(at(port)).await;
    let file = board.folder.path().join(CONFIGURATION);
    let write = |queue: &str| {
        let text = format!("device_id = \"{DEVICE}\"\nqueue_length_max = {queue}\n");
        fs::write(&file, text).unwrap();
    };
    let mut display = Display::connect(port, "display").await;
    display.state("ready").await;
    write("-1");
    let answer = display.asked("reload", "").await;
    assert_eq!(answer["error"]["code"], "bad_config");
    let said = answer["error"]["message"].as_str().unwrap();
    assert!(
        said.contains(":2:20: queue_length_max is -1, allowed are 1 to 1000"),
        "{said}"
    );
    write("3");
    display.send("request/reload", "").await;
    let taken_over = |message: &mqtt5::types::Message| {
        let info: serde_json::Value = serde_json::from_slice(&message.payload).unwrap();
        info["limits"]["queue_length_max"] == 3
    };
    display.next("/info", taken_over).await;
    let answer = display.json("/response/reload").await;
    assert_eq!(
        answer["data"]["waits_for_restart"],
        json!(["broker", "clips_dir", "journal.dir"])
    );
    board.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_time_is_over_fails_at_its_turn_and_while_it_is_made() {
    let broker = loopback().await;
    let port = broker.address().port();
    let board = board(at(port)).await;
    let mut display = Display::connect(port, "display").await;
    display.state("ready").await;
    board.renderer.is_closed.store(true, Ordering::Relaxed);
    // The render never ends by itself: the first job must be ended by its own
    // deadline, the second before it begins, for its message has expired.
    display
        .send_photo(b"a", &[("job_id", "a"), ("deadline_ms", "1500")])
        .await;
    let mut options = PublishOptions {
        qos: QoS::AtLeastOnce,
        ..PublishOptions::default()
    };
    options.properties.message_expiry_interval = Some(1);
    let job = ("job_id".to_owned(), "b".to_owned());
    options.properties.user_properties.push(job);
    let topic = format!("zoetrope/{DEVICE}/request/render_photo");
    display
        .client
        .publish_with_options(topic, b"b".to_vec(), options)
        .await
        .unwrap();
    for id in ["a", "b"] {
        let late = |message: &mqtt5::types::Message| {
            let event: serde_json::Value = serde_json::from_slice(&message.payload).unwrap();
            event["event"] == "failed" && event["code"] == "deadline_exceeded"
        };
        display.next(&format!("/job/{id}"), late).await;
        let answer = display.json("/response/render_photo").await;
        assert_eq!(answer["error"]["code"], "deadline_exceeded", "{answer}");
    }
    assert_eq!(*board.renderer.rendered.lock().unwrap(), [b"a".to_vec()]);
    board.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_has_its_own_limit_and_ignores_what_is_retained() {
    let broker = loopback().await;
    let port = broker.address().port();
    let mut display = Display::connect(port, "display").await;
    let sha256 = "0a".repeat(32);
    let get = format!("clip/{sha256}/get");
    let retained = PublishOptions {
        qos: QoS::AtLeastOnce,
        retain: true,
        ..PublishOptions::default()
    };
    let commands = ["capture", "cancel", "reload", "health_check"];
    for leaf in commands
        .map(|command| format!("request/{command}"))
        .iter()
        .chain([&get])
    {
        let topic = format!("zoetrope/{DEVICE}/{leaf}");
        let payload = br#"{"transaction":"old"}"#.to_vec();
        display
            .client
            .publish_with_options(topic, payload, retained.clone())
            .await
            .unwrap();
    }
    let board = board(at(port)).await;
    display.state("ready").await;
    let long = " ".repeat(5000);
    for command in commands {
        let answer = display.asked(command, &long).await;
        assert_eq!(
            answer["error"]["message"],
            "request has 5000 bytes, allowed are 4096"
        );
    }
    display.send(&get, &long).await;
    let answer = display.json("/response/get").await;
    assert_eq!(answer["error"]["code"], "too_large", "{answer}");
    board.daemon.stop().await;
}
