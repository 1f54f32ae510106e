//! Jobs that the boards of a group share.

use std::{sync::atomic::Ordering, time::Duration};

use mqtt5::{PublishOptions, QoS};

use super::{
    bench::{Board, Display, at, board_with, loopback},
    mosquitto::{Entrance, mosquitto},
};

const JOBS: &str = "zoetrope/jobs/render";

async fn member(port: u16, name: &str) -> Board {
    board_with(at(port), |_, config| {
        config.device_id = name.to_owned();
        config.fleet_group = Some("wall".to_owned());
    })
    .await
}

async fn send(display: &Display, id: &str) {
    let mut options = PublishOptions {
        qos: QoS::AtLeastOnce,
        ..PublishOptions::default()
    };
    options.properties.content_type = Some("image/jpeg".to_owned());
    let job = ("job_id".to_owned(), id.to_owned());
    options.properties.user_properties.push(job);
    let photo = id.as_bytes().to_vec();
    display
        .client
        .publish_with_options(JOBS, photo, options)
        .await
        .unwrap();
}

/// Sends a job of several JPEGs; what the boards say to it.
async fn send_burst(display: &mut Display, jpegs: &[u8]) -> serde_json::Value {
    let mut options = PublishOptions {
        qos: QoS::AtLeastOnce,
        ..PublishOptions::default()
    };
    options.properties.content_type = Some("image/jpeg".to_owned());
    let fps = ("burst_fps".to_owned(), "10".to_owned());
    options.properties.user_properties.push(fps);
    let sent = (display.client).publish_with_options(JOBS, jpegs.to_vec(), options);
    sent.await.unwrap();
    display.json("/response/render_photo").await
}

async fn shared(port: u16) {
    let boards = [member(port, "left").await, member(port, "right").await];
    let mut display = Display::connect(port, "display").await;
    display.hears("zoetrope/left/#").await;
    display.hears("zoetrope/right/#").await;
    joined(&mut display, &boards).await;
    for board in &boards {
        board.renderer.rendered.lock().unwrap().clear();
        board.renderer.is_closed.store(true, Ordering::Relaxed);
    }
    for id in ["a", "b", "c", "d", "e", "f"] {
        send(&display, id).await;
    }
    // One each is made; of the others at most one each is on a board.
    let mut under_way = Vec::new();
    while under_way.len() < 2 {
        let message = display
            .next("", |message| message.topic.contains("/job/"))
            .await;
        let event: serde_json::Value = serde_json::from_slice(&message.payload).unwrap();
        if event["event"] == "accepted" {
            under_way.push(message.topic.clone());
        }
    }
    let board_of = |topic: &str| topic.split('/').nth(1).unwrap().to_owned();
    assert_ne!(
        board_of(&under_way[0]),
        board_of(&under_way[1]),
        "{under_way:?}"
    );
    for board in &boards {
        board.renderer.is_closed.store(false, Ordering::Relaxed);
    }
    let mut done = Vec::new();
    while done.len() < 6 {
        let answer = display.json("/response/render_photo").await;
        assert_eq!(answer["status"], "ok", "{answer}");
        done.push(answer["data"]["job_id"].as_str().unwrap().to_owned());
    }
    done.sort();
    assert_eq!(done, ["a", "b", "c", "d", "e", "f"]);
    for board in &boards {
        assert!(!board.renderer.rendered.lock().unwrap().is_empty());
    }
    let jpeg = [0xff, 0xd8, 0xff, 0xfe, 0, 3, 0, 0xff, 0xd9];
    let answer = send_burst(&mut display, &jpeg.repeat(20)).await;
    assert_eq!(answer["status"], "ok", "{answer}");
    let last_burst = |board: &Board| {
        let before = board.renderer.before.lock().unwrap();
        before.last().map_or(0, |before| before.frames.len())
    };
    assert!(boards.iter().any(|board| last_burst(board) == 19));
    let answer = send_burst(&mut display, &jpeg.repeat(5)).await;
    assert_eq!(answer["error"]["code"], "bad_request", "{answer}");
    // A request in JSON is read as one, wrong ones are answered and gone.
    for (text, code) in [("{}", "no_camera"), ("{", "bad_json")] {
        display
            .client
            .publish_qos1(JOBS, text.as_bytes().to_vec())
            .await
            .unwrap();
        let answer = display.json("/response/render").await;
        assert_eq!(answer["error"]["code"], code);
    }
    for board in boards {
        board.daemon.stop().await;
    }
}

/// Sends jobs, one after the other, until each board has had one: then both
/// have subscribed.
async fn joined(display: &mut Display, boards: &[Board]) {
    for number in 0..100 {
        let id = format!("hello-{number}");
        send(display, &id).await;
        let answered = display.next("/response/render_photo", |message| {
            let answer: serde_json::Value = serde_json::from_slice(&message.payload).unwrap();
            answer["data"]["job_id"] == id
        });
        // While nobody has subscribed, a job goes to nobody.
        let _ = tokio::time::timeout(Duration::from_secs(1), answered).await;
        let has_one = |board: &Board| !board.renderer.rendered.lock().unwrap().is_empty();
        if boards.iter().all(has_one) {
            return;
        }
    }
    panic!("a board does not join");
}

#[tokio::test(flavor = "multi_thread")]
async fn boards_of_a_group_share_jobs_at_the_loopback_broker() {
    let broker = loopback().await;
    shared(broker.address().port()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn boards_of_a_group_share_jobs_at_mosquitto() {
    if let Some(broker) = mosquitto(&Entrance::Open) {
        shared(broker.port).await;
    }
}
