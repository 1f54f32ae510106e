//! What was seen before a photograph, over MQTT and from a camera's command.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use zoetrope::config::{Camera, Config, ObservationMode};

use super::bench::{Before, Board, Display, PATIENCE, at, board, board_in, board_with, loopback};

/// Something with the structure of a JPEG; all that is needed to tell pictures
/// apart.
fn jpeg(mark: u8) -> Vec<u8> {
    vec![0xff, 0xd8, 0xff, 0xfe, 0, 3, mark, 0xff, 0xd9]
}

fn jpegs(count: u8) -> Vec<u8> {
    (0..count).flat_map(jpeg).collect()
}

async fn answered(display: &mut Display, photo: &[u8], properties: &[(&str, &str)]) -> Value {
    display.send_photo(photo, properties).await;
    display.json("/response/render_photo").await
}

/// What the renderer was told about the moments before the last photograph.
fn before(board: &Board) -> Before {
    let before = board.renderer.before.lock().unwrap();
    before.last().expect("something was rendered").clone()
}

/// Nobody watched.
const ALONE: Before = Before {
    frames: Vec::new(),
    fault: None,
    clean_plate: false,
};

/// These pictures were seen, at that rate.
fn seen(marks: std::ops::Range<u8>, frame_rate: f32, clean_plate: bool) -> Before {
    Before {
        frames: frames(marks, frame_rate),
        clean_plate,
        ..ALONE
    }
}

fn frames(marks: std::ops::Range<u8>, frame_rate: f32) -> Vec<(Vec<u8>, f32)> {
    let first = marks.start;
    marks
        .map(|mark| (jpeg(mark), f32::from(mark - first) / frame_rate))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn several_jpegs_are_a_burst_and_the_photograph() {
    let broker = loopback().await;
    let port = broker.address().port();
    let board = board(at(port)).await;
    let mut display = Display::connect(port, "display").await;
    display.state("ready").await;
    let burst = [("burst_fps", "12.5"), ("clean_plate", "true")];
    let answer = answered(&mut display, &jpegs(30), &burst).await;
    assert_eq!(answer["status"], "ok", "{answer}");
    assert_eq!(*board.renderer.rendered.lock().unwrap(), [jpeg(29)]);
    assert_eq!(before(&board), seen(0..29, 12.5, true));
    // A photograph alone is one, whatever stands behind it.
    let motion_photo = [&jpeg(7)[..], b"ftypmp42", &jpeg(8)].concat();
    let answer = answered(&mut display, &motion_photo, &[]).await;
    assert_eq!(answer["status"], "ok", "{answer}");
    assert_eq!(before(&board), ALONE);
    // The same job with another rate is another request.
    for (fps, expected) in [("10", "ok"), ("10", "ok"), ("11", "error")] {
        let properties = [("job_id", "a"), ("burst_fps", fps)];
        let answer = answered(&mut display, &jpegs(20), &properties).await;
        assert_eq!(answer["status"], expected, "{answer}");
    }
    board.daemon.stop().await;
}

/// Photograph, properties, and code and words of the answer.
type Case<'a> = (&'a [u8], &'a [(&'a str, &'a str)], &'a str, &'a str);

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_burst_is_refused_at_once() {
    let broker = loopback().await;
    let port = broker.address().port();
    let board = board(at(port)).await;
    let mut display = Display::connect(port, "display").await;
    display.state("ready").await;
    let mut large = jpegs(20);
    large.splice(
        2..2,
        [&[0xff, 0xfe, 0xff, 0xff][..], &[0; 0xfffd]]
            .concat()
            .repeat(17),
    );
    let cut = jpegs(20)[..175].to_vec();
    let fps = &[("burst_fps", "10")][..];
    let cases: [Case<'_>; 11] = [
        (&jpegs(20), &[], "bad_request", "burst_fps is missing"),
        (&jpegs(2), &[], "bad_request", "burst_fps is missing"),
        (
            &jpeg(1),
            fps,
            "bad_request",
            "burst_fps is given with one JPEG",
        ),
        (
            &jpegs(10),
            fps,
            "bad_request",
            "burst has 9 pictures, allowed are 10 to 128",
        ),
        (
            &jpegs(130),
            fps,
            "bad_request",
            "burst has 129 pictures, allowed are 10 to 128",
        ),
        (
            &cut,
            fps,
            "bad_request",
            "picture 20, a JPEG from byte 171 on, has no end",
        ),
        (b"photo", fps, "bad_request", "byte 0 begins no JPEG"),
        (
            &jpegs(20),
            &[("burst_fps", "61")],
            "bad_request",
            "burst has 61.00 frames per second, allowed are 5 to 60",
        ),
        (
            &jpegs(20),
            &[("burst_fps", "fast")],
            "bad_request",
            "expected pictures per second",
        ),
        (
            &jpeg(1),
            &[("clean_plate", "true")],
            "bad_request",
            "nothing is seen before the photo",
        ),
        (
            &large,
            fps,
            "too_large",
            "photo has 1114138 bytes, allowed are 1048576",
        ),
    ];
    for (photo, properties, code, said) in cases {
        let answer = answered(&mut display, photo, properties).await;
        assert_eq!(answer["error"]["code"], code, "{said}: {answer}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains(said), "{message}");
    }
    // In JSON there is no photograph that a rate could be of.
    display.send_json(r#"{"burst_fps":10}"#).await;
    let answer = display.json("/response/render").await;
    assert_eq!(answer["error"]["code"], "bad_json", "{answer}");
    assert!(board.renderer.rendered.lock().unwrap().is_empty());
    board.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_that_was_accepted_outlives_the_daemon() {
    let broker = loopback().await;
    let port = broker.address().port();
    let first = board(at(port)).await;
    let mut display = Display::connect(port, "display").await;
    display.state("ready").await;
    first.renderer.is_closed.store(true, Ordering::Relaxed);
    display.send_photo(b"one", &[]).await;
    let burst = [
        ("job_id", "b"),
        ("burst_fps", "10"),
        ("clean_plate", "true"),
    ];
    display.send_photo(&jpegs(25), &burst).await;
    assert_eq!(display.json("/job/b").await["event"], "accepted");
    let folder = first.stop().await;
    let second = board_in(folder, at(port), |_, _| {}).await;
    for _ in 0..2 {
        let answer = display.json("/response/render_photo").await;
        assert_eq!(answer["status"], "ok", "{answer}");
    }
    assert_eq!(before(&second), seen(0..24, 10.0, true));
    second.stop().await;
}

/// A board whose camera prints these bytes.
async fn board_with_camera(port: u16, output: &[u8], change: impl FnOnce(&mut Config)) -> Board {
    board_with(at(port), |folder, config| {
        let file = folder.join("output");
        std::fs::write(&file, output).unwrap();
        config.camera = Camera::Command {
            argv: vec!["cat".to_owned(), file.display().to_string()],
            timeout: PATIENCE,
            frozen_stills: 0,
        };
        config.observation.watch.frame_rate = 10;
        change(config);
    })
    .await
}

/// Stops a board, and waits until its display has heard of it.
async fn stopped(board: Board, display: &mut Display) {
    board.daemon.stop().await;
    let is_offline = |message: &mqtt5::types::Message| message.payload == b"offline";
    display.next("/availability", is_offline).await;
}

async fn rendered(display: &mut Display, request: &Value) -> Value {
    display.send_json(&request.to_string()).await;
    display.json("/response/render").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_is_watched_unless_that_is_switched_off() {
    let broker = loopback().await;
    let port = broker.address().port();
    let mut display = Display::connect(port, "display").await;
    let board = board_with_camera(port, &jpegs(50), |_| {}).await;
    display.state("ready").await;
    let answer = rendered(&mut display, &json!({})).await;
    assert_eq!(answer["status"], "ok", "{answer}");
    assert_eq!(*board.renderer.rendered.lock().unwrap(), [jpeg(49)]);
    // The three seconds before it.
    assert_eq!(before(&board), seen(18..49, 10.0, false));
    let wish = json!({ "look": { "clean_plate": true } });
    assert_eq!(rendered(&mut display, &wish).await["status"], "ok");
    assert_eq!(before(&board), seen(18..49, 10.0, true));
    // A still alone is the last picture, too.
    let answer = display.asked("capture", "{}").await;
    assert_eq!(answer["error"]["code"], "bad_photo", "{answer}");
    stopped(board, &mut display).await;

    let off = |config: &mut Config| config.observation.mode = ObservationMode::Off;
    let board = board_with_camera(port, &jpegs(50), off).await;
    display.state("ready").await;
    assert_eq!(rendered(&mut display, &json!({})).await["status"], "ok");
    assert_eq!(before(&board), ALONE);
    let answer = rendered(&mut display, &wish).await;
    assert_eq!(answer["error"]["code"], "bad_request", "{answer}");
    board.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_takes_back_the_configured_privacy() {
    let broker = loopback().await;
    let port = broker.address().port();
    let mut display = Display::connect(port, "display").await;
    let private = |config: &mut Config| config.observation.clean_plate = true;
    let board = board_with_camera(port, &jpegs(50), private).await;
    display.state("ready").await;
    let wish = json!({ "look": { "clean_plate": false } });
    assert_eq!(rendered(&mut display, &wish).await["status"], "ok");
    assert_eq!(before(&board), seen(18..49, 10.0, true));
    // A burst that is sent is one as well; a photograph alone has nobody to leave
    // out by.
    let burst = [("burst_fps", "10"), ("clean_plate", "false")];
    assert_eq!(
        answered(&mut display, &jpegs(20), &burst).await["status"],
        "ok"
    );
    assert!(before(&board).clean_plate);
    assert_eq!(answered(&mut display, &jpeg(1), &[]).await["status"], "ok");
    assert!(!before(&board).clean_plate);
    board.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_cannot_be_watched_gives_its_still_and_the_reason() {
    let broker = loopback().await;
    let port = broker.address().port();
    let mut display = Display::connect(port, "display").await;
    for (output, said) in [
        (jpeg(1), "the command prints one picture alone"),
        (jpegs(6), "burst has 5 pictures, allowed are 10 to 128"),
    ] {
        let on = |config: &mut Config| config.observation.mode = ObservationMode::On;
        let board = board_with_camera(port, &output, on).await;
        display.state("ready").await;
        assert_eq!(rendered(&mut display, &json!({})).await["status"], "ok");
        let expected = Before {
            fault: Some(said.to_owned()),
            ..ALONE
        };
        assert_eq!(before(&board), expected);
        stopped(board, &mut display).await;
    }
}
