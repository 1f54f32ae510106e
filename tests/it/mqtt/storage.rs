//! The disk fails or is full, and what the broker is told of it.

use std::{fs, sync::atomic::Ordering, time::Duration};

use zoetrope::device::mqtt::{Connection, Settings};

use super::{
    bench::{Display, PATIENCE, at, board, board_in, loopback},
    mosquitto::{Entrance, mosquitto},
};

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_made_durable_is_not_accepted() {
    let broker = loopback().await;
    let port = broker.address().port();
    let board = board(at(port)).await;
    let mut display = Display::connect(port, "display").await;
    display.state("ready").await;
    let journal = board.folder.path().join("journal");
    let away = board.folder.path().join("away");
    fs::rename(&journal, &away).unwrap();
    display.send_photo(b"one", &[("job_id", "a")]).await;
    let answer = display.json("/response/render_photo").await;
    assert_eq!(answer["error"]["code"], "storage", "{answer}");
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("0000000000000001.job: No such"),
        "{message}"
    );
    let state = display.state("degraded").await;
    assert_eq!(state["reason"], message);
    fs::rename(&away, &journal).unwrap();
    display.send_photo(b"one", &[("job_id", "a")]).await;
    let answer = display.json("/response/render_photo").await;
    assert_eq!(answer["status"], "ok", "{answer}");
    display.state("ready").await;
    board.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_waits_while_its_clip_cannot_be_kept() {
    let broker = loopback().await;
    let port = broker.address().port();
    let board = board(at(port)).await;
    let mut display = Display::connect(port, "display").await;
    display.state("ready").await;
    let clips = board.folder.path().join("clips");
    fs::remove_dir_all(&clips).unwrap();
    fs::write(&clips, "in the way").unwrap();
    display.send_photo(b"one", &[("job_id", "a")]).await;
    let state = display.state("degraded").await;
    let reason = state["reason"].as_str().unwrap();
    assert!(reason.contains("clips/unfinished: "), "{reason}");
    // Others are accepted meanwhile.
    display.send_photo(b"two", &[("job_id", "b")]).await;
    assert_eq!(display.json("/job/b").await["event"], "accepted");
    fs::remove_file(&clips).unwrap();
    for id in ["a", "b"] {
        let answer = display.json("/response/render_photo").await;
        assert_eq!(answer["data"]["job_id"], id, "{answer}");
    }
    board.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_is_full_says_so_with_value_and_limit() {
    let broker = loopback().await;
    let port = broker.address().port();
    let folder = tempfile::tempdir().unwrap();
    let board = board_in(folder, at(port), |_, config| {
        config.journal.bytes_max = 1 << 20;
        config.queue_length_max = 100;
    })
    .await;
    let mut display = Display::connect(port, "display").await;
    display.state("ready").await;
    board.renderer.is_closed.store(true, Ordering::Relaxed);
    let large = vec![7; 600_000];
    display.send_photo(&large, &[("job_id", "a")]).await;
    display.send_photo(&large, &[("job_id", "b")]).await;
    let answer = display.json("/response/render_photo").await;
    assert_eq!(answer["error"]["code"], "queue_full", "{answer}");
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("jobs of 600"), "{message}");
    assert!(
        message.ends_with("are waiting and this one has 600000, allowed are 1048576"),
        "{message}"
    );
    // The room comes back with the answer of the first.
    board.renderer.is_closed.store(false, Ordering::Relaxed);
    assert_eq!(display.json("/response/render_photo").await["status"], "ok");
    display.state("ready").await;
    display.send_photo(&large, &[("job_id", "b")]).await;
    assert_eq!(display.json("/response/render_photo").await["status"], "ok");
    board.stop().await;
}

/// A broker goes on only when what it has sent is acknowledged.
async fn acknowledgements(port: u16) {
    let (connection, mut messages) = Connection::open(&Settings {
        client_id: "reader".to_owned(),
        broker: at(port),
        last_will: None,
        subscriptions: vec!["t".to_owned()],
        unacknowledged_max: None,
    })
    .unwrap();
    let mut link = connection.link();
    tokio::time::timeout(PATIENCE, link.wait_for(|link| link.is_up))
        .await
        .unwrap()
        .unwrap();
    let display = Display::connect(port, "writer").await;
    for number in 0..40u8 {
        let sent = display.client.publish_qos1("t", vec![number]).await;
        sent.unwrap();
    }
    let mut unread = Vec::new();
    for number in 0..16 {
        let message = tokio::time::timeout(PATIENCE, messages.recv()).await;
        let message = message.unwrap().unwrap();
        assert_eq!(message.payload, [number]);
        unread.push(message);
    }
    let early = tokio::time::timeout(Duration::from_millis(300), messages.recv()).await;
    assert!(early.is_err(), "more than 16 without acknowledgement");
    for message in &unread {
        message.acknowledge();
    }
    for number in 16..40 {
        let message = tokio::time::timeout(PATIENCE, messages.recv()).await;
        let message = message.unwrap().unwrap();
        assert_eq!(message.payload, [number]);
        message.acknowledge();
    }
    assert_eq!(link.borrow().generation, 1, "the connection broke");
    connection.close(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_acknowledged_when_they_are_done_at_mosquitto() {
    if let Some(broker) = mosquitto(&Entrance::Open) {
        acknowledgements(broker.port).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_acknowledged_when_they_are_done_at_the_loopback_broker() {
    let broker = loopback().await;
    acknowledgements(broker.address().port()).await;
}
