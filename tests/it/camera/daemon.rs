//! The daemon and a camera that misbehaves.

use std::{fs, path::Path};

use mqtt5::types::Message;
use serde_json::Value;

use super::fake::{Camera, jpegs};
use crate::{
    mqtt::{
        bench::{DEVICE, Display, PATIENCE, at, board_with, loopback},
        process::Process,
    },
    photos,
    support::Folder,
};

/// Waits until the state says this of the camera.
async fn camera_is(display: &mut Display, wanted: &str) -> Value {
    let is_wanted = |message: &Message| {
        serde_json::from_slice::<Value>(&message.payload)
            .is_ok_and(|state| state["camera"] == wanted)
    };
    let message = display.next("/state", is_wanted).await;
    serde_json::from_slice(&message.payload).unwrap()
}

/// Takes a still, which must fail with these words.
async fn refused(display: &mut Display, words: &str) {
    let answer = display.asked("capture", "{}").await;
    assert_eq!(answer["error"]["code"], "camera", "{answer}");
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.contains(words), "{message}");
}

async fn taken(display: &mut Display) {
    let answer = display.asked("capture", "{}").await;
    assert_eq!(answer["status"], "ok", "{answer}");
    assert_eq!(answer["data"]["photo_width"], 160, "{answer}");
}

/// Whether the process has the file open.
fn has_open(process: &Process, file: &Path) -> bool {
    let open = fs::read_dir(format!("/proc/{}/fd", process.id())).unwrap();
    open.flatten()
        .any(|entry| fs::read_link(entry.path()).is_ok_and(|path| path == file))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_outlives_everything_that_a_camera_does() {
    let good = jpegs(3);
    let Some(camera) = Camera::new("MJPG", &good, "") else {
        return;
    };
    let broker = loopback().await;
    let port = broker.address().port();
    let text = format!(
        "device_id = \"{DEVICE}\"\nclips_dir = \"clips\"\n\
         [broker]\nurl = \"mqtt://127.0.0.1:{port}\"\n{}\n\
         [shape]\nsize = \"96x64\"\nduration_ms = 500\nframe_rate = 10\n",
        camera.section("")
    );
    let config = camera.folder.file("zoetrope.toml", text);
    let mut display = Display::connect(port, "display").await;
    let daemon = Process::run_with(&config, |command| camera.connect(command));
    camera_is(&mut display, "online").await;
    taken(&mut display).await;
    assert!(!has_open(&daemon, &camera.node()), "the camera stays open");
    display.send_json(r#"{"job_id":"one"}"#).await;
    let answer = display.json("/response/render").await;
    assert_eq!(answer["status"], "ok", "{answer}");
    assert!(!has_open(&daemon, &camera.node()), "the camera stays open");

    // What it shows is always the same.
    camera.shows("MJPG", &good[..1], "");
    refused(&mut display, "frozen: ").await;
    let state = camera_is(&mut display, "frozen").await;
    let reason = state["camera_reason"].as_str().unwrap();
    assert!(reason.contains("frames in a row are identical"), "{reason}");
    camera.shows("MJPG", &good, "");
    taken(&mut display).await;
    let state = camera_is(&mut display, "online").await;
    assert_eq!(state["camera_reason"], Value::Null);

    // Pulled out and put back while nobody asks it for anything.
    for _ in 0..2 {
        camera.unplug();
        let state = camera_is(&mut display, "lost").await;
        let reason = state["camera_reason"].as_str().unwrap();
        assert!(reason.contains("lost: the node is not there"), "{reason}");
        refused(&mut display, "lost: the node is not there").await;
        camera.shows("MJPG", &good, "");
        camera_is(&mut display, "online").await;
        taken(&mut display).await;
    }

    // Pulled out while it streams.
    camera.shows("MJPG", &good, "vanish_after 3");
    display.send_json(r#"{"job_id":"two"}"#).await;
    let answer = display.json("/response/render").await;
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.contains("lost: it went away"), "{message}");
    camera_is(&mut display, "lost").await;
    camera.shows("MJPG", &good, "");
    camera_is(&mut display, "online").await;
    display.send_json(r#"{"job_id":"three"}"#).await;
    let answer = display.json("/response/render").await;
    assert_eq!(answer["status"], "ok", "{answer}");
    assert!(!has_open(&daemon, &camera.node()), "the camera stays open");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_prints_the_same_again_and_again_is_frozen() {
    let broker = loopback().await;
    let port = broker.address().port();
    let folder = Folder::new();
    let show = |seed: u32| folder.file("shown.jpg", photos::jpeg(160, 120 + 2 * seed));
    show(0);
    let board = board_with(at(port), |_, config| {
        config.camera = zoetrope::config::Camera::Command {
            argv: vec![
                "cat".to_owned(),
                folder.path("shown.jpg").display().to_string(),
            ],
            timeout: PATIENCE,
            frozen_stills: 3,
        };
    })
    .await;
    let mut display = Display::connect(port, "display").await;
    display.state("ready").await;
    taken(&mut display).await;
    display.send_json("{}").await;
    let answer = display.json("/response/render").await;
    assert_eq!(answer["status"], "ok", "{answer}");
    refused(&mut display, "frozen: 3 photographs in a row are identical").await;
    camera_is(&mut display, "frozen").await;
    show(1);
    taken(&mut display).await;
    camera_is(&mut display, "online").await;
    board.daemon.stop().await;
}
