//! The program with a camera that a preloaded library makes of a file: every
//! format, and everything that can go wrong with a camera.
//!
//! The real kernel's cameras are those of `board/virtual`.

mod daemon;

mod fake;

mod watch;

use std::{fs, path::Path};

use self::fake::{Camera, HEIGHT_PX, WIDTH_PX, error, grained, jpegs, scene};
use crate::support::zoetrope_with;

/// 30 dB.
const ERROR_MAX: f64 = 65.0;

/// Luma and the two colour differences of BT.601 in limited range.
fn ycbcr(pixel: &image::Rgb<u8>) -> [u8; 3] {
    let [r, g, b] = pixel.0.map(f64::from);
    let y = 0.299 * r + 0.587 * g + 0.114 * b;
    [
        16.0 + y * 219.0 / 255.0,
        128.0 + (b - y) / 1.772 * 224.0 / 255.0,
        128.0 + (r - y) / 1.402 * 224.0 / 255.0,
    ]
    .map(|sample| sample.round() as u8)
}

fn yuyv(picture: &image::RgbImage) -> Vec<u8> {
    let pixels: Vec<[u8; 3]> = picture.pixels().map(ycbcr).collect();
    let (pairs, _) = pixels.as_chunks::<2>();
    pairs
        .iter()
        .flat_map(|[left, right]| [left[0], left[1], right[0], left[2]])
        .collect()
}

fn nv12(picture: &image::RgbImage) -> Vec<u8> {
    let luma = picture.pixels().map(|pixel| ycbcr(pixel)[0]);
    let chroma = (0..HEIGHT_PX / 2 * (WIDTH_PX / 2)).flat_map(|at| {
        let (x, y) = (at % (WIDTH_PX / 2) * 2, at / (WIDTH_PX / 2) * 2);
        let [_, cb, cr] = ycbcr(picture.get_pixel(x as u32, y as u32));
        [cb, cr]
    });
    luma.chain(chroma).collect()
}

fn bgr(picture: &image::RgbImage) -> Vec<u8> {
    let pixels = picture.pixels();
    pixels
        .flat_map(|&image::Rgb([r, g, b])| [b, g, r])
        .collect()
}

fn grey(picture: &image::RgbImage) -> Vec<u8> {
    picture.pixels().map(|pixel| ycbcr(pixel)[0]).collect()
}

/// Three frames that differ in their grain.
fn frames(of: impl Fn(&image::RgbImage) -> Vec<u8>) -> Vec<Vec<u8>> {
    (0..3).map(|seed| of(&grained(seed, 2))).collect()
}

#[test]
fn a_jpeg_is_the_cameras_own() {
    let shown = jpegs(3);
    let Some(camera) = Camera::new("MJPG", &shown, "") else {
        return;
    };
    let outcome = camera.capture("");
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    assert!(outcome.stdout.contains("MJPG 160x120"), "{outcome:#?}");
    let still = fs::read(camera.still()).unwrap();
    assert!(shown.contains(&still));
    assert_eq!(
        camera.folder.names(),
        ["camera", "frames", "still.jpg", "zoetrope.toml"]
    );
}

#[test]
fn raw_formats_show_what_the_camera_sees() {
    let grey_scene = image::RgbImage::from_fn(WIDTH_PX as u32, HEIGHT_PX as u32, |x, y| {
        let luma = f64::from(ycbcr(scene().get_pixel(x, y))[0]);
        image::Rgb([((luma - 16.0) * 255.0 / 219.0).round() as u8; 3])
    });
    let raw = image::RgbImage::as_raw;
    for (format, frames, seen) in [
        ("YUYV", frames(yuyv), scene()),
        ("NV12", frames(nv12), scene()),
        ("RGB3", frames(|picture| raw(picture).clone()), scene()),
        ("BGR3", frames(bgr), scene()),
        ("GREY", frames(grey), grey_scene),
    ] {
        let Some(camera) = Camera::new(format, &frames, "") else {
            return;
        };
        let outcome = camera.capture("");
        assert_eq!(outcome.code, Some(0), "{format}: {outcome:#?}");
        let far = error(&camera.picture(), &seen);
        assert!(far < ERROR_MAX / 4.0, "{format}: {far}");
    }
}

#[test]
fn the_median_of_a_burst_has_less_noise() {
    let noisy: Vec<Vec<u8>> = (0..9).map(|seed| bgr(&grained(seed, 40))).collect();
    let Some(camera) = Camera::new("BGR3", &noisy, "") else {
        return;
    };
    let mut far = Vec::new();
    for keys in ["", "burst = 9"] {
        let outcome = camera.capture(keys);
        assert_eq!(outcome.code, Some(0), "{outcome:#?}");
        far.push(error(&camera.picture(), &scene()));
    }
    assert!(far[1] < far[0] / 2.0, "{far:?}");
}

#[test]
fn every_bad_frame_is_refused_with_its_reason() {
    let good = jpegs(3);
    let cut: Vec<Vec<u8>> = (good.iter())
        .map(|jpeg| jpeg[..jpeg.len() / 2].to_vec())
        .collect();
    let hole: Vec<Vec<u8>> = (good.iter())
        .map(|jpeg| [&jpeg[..20], &[0; 900], &[0xff, 0xd9]].concat())
        .collect();
    let small = vec![crate::photos::jpeg(96, 64), crate::photos::jpeg(96, 66)];
    let dark = vec![
        vec![17; WIDTH_PX * HEIGHT_PX],
        vec![18; WIDTH_PX * HEIGHT_PX],
    ];
    let halves: Vec<Vec<u8>> = (0..3).map(|seed| vec![100 + seed; 9_000]).collect();
    let frozen = vec![good[0].clone()];
    for (name, format, frames, more, words) in [
        ("truncated", "MJPG", &cut, "", "truncated: the JPEG of"),
        ("hole", "MJPG", &hole, "", "undecodable: "),
        ("wrong size", "MJPG", &small, "", "agreed were 160x120"),
        ("frozen", "MJPG", &frozen, "", "frozen: "),
        ("black", "GREY", &dark, "", "black: 0 of a million"),
        (
            "short",
            "GREY",
            &halves,
            "",
            "short: the frame has 9000 bytes, 19200 are",
        ),
        ("damaged", "MJPG", &good, "damaged 1", "damaged: the driver"),
        (
            "silent",
            "MJPG",
            &good,
            "silent 1",
            "timeout: no frame within ",
        ),
        (
            "unplugged",
            "MJPG",
            &good,
            "vanish_after 3",
            "lost: it went away",
        ),
        (
            "denied",
            "MJPG",
            &good,
            "denied 1",
            "denied: it cannot be opened",
        ),
    ] {
        let Some(camera) = Camera::new(format, frames, more) else {
            return;
        };
        let node = format!("camera {}: ", camera.node().display());
        let outcome = camera.capture("");
        outcome.refuses(name, 1, &[&node, words]);
        assert!(!camera.still().exists(), "{name}");
    }
}

#[test]
fn a_test_picture_that_never_changes_is_taken_where_that_is_configured() {
    let Some(camera) = Camera::new("MJPG", &jpegs(1), "") else {
        return;
    };
    assert_eq!(camera.capture("frozen_frames = 0").code, Some(0));
}

#[test]
fn what_the_camera_does_not_have_is_wrong_usage() {
    let Some(camera) = Camera::new("MJPG", &jpegs(3), "") else {
        return;
    };
    for (keys, words) in [
        (
            "size = \"640x480\"",
            "640x480 is configured, the camera has MJPG 160x120",
        ),
        (
            "format = \"NV12\"",
            "NV12 is configured, the camera has MJPG 160x120",
        ),
        (
            "controls = { gain = 101 }",
            "control gain is 101, the driver allows 0 to 100",
        ),
        (
            "controls = { gain = 7 }",
            "the driver allows 0 to 100 in steps of 5",
        ),
        (
            "controls = { gian = 5 }",
            "the nearest that does is \"gain\"",
        ),
    ] {
        camera
            .capture(keys)
            .refuses(keys, 2, &["unsuitable: ", words]);
    }
    camera.shows("MJPG", &jpegs(3), "agreed 80");
    camera
        .capture("")
        .refuses("agreed", 2, &["wrong size: MJPG 160x120 was asked for"]);
    camera.shows("H264", &jpegs(3), "");
    camera
        .capture("")
        .refuses("H264", 2, &["it sends none of MJPG, YUYV"]);
}

#[test]
fn controls_are_set_before_the_still() {
    let Some(camera) = Camera::new("MJPG", &jpegs(3), "") else {
        return;
    };
    assert_eq!(camera.capture("controls = { gain = 15 }").code, Some(0));
    let set = fs::read_to_string(camera.folder.path("camera.gain")).unwrap();
    assert_eq!(set, "15");
}

#[test]
fn a_busy_camera_says_who_has_it() {
    let Some(camera) = Camera::new("MJPG", &jpegs(3), "busy 1") else {
        return;
    };
    let words = ["busy: another program uses it", "fuser -v "];
    camera.capture("").refuses("unseen", 1, &words);
    let _open = fs::File::open(camera.node()).unwrap();
    let number = format!("(process {})", std::process::id());
    let words = ["busy: it is open in ", number.as_str()];
    camera.capture("").refuses("seen", 1, &words);
}

#[test]
fn a_camera_that_is_pulled_out_is_lost_and_there_again_when_it_is_back() {
    let Some(camera) = Camera::new("MJPG", &jpegs(3), "") else {
        return;
    };
    for _ in 0..3 {
        assert_eq!(camera.capture("").code, Some(0));
        camera.unplug();
        let words = ["lost: the node is not there"];
        camera.capture("").refuses("unplugged", 1, &words);
        camera.shows("MJPG", &jpegs(3), "");
    }
}

#[test]
fn a_still_replaces_a_file_and_nothing_else() {
    let Some(camera) = Camera::new("MJPG", &jpegs(3), "") else {
        return;
    };
    let node = camera.node();
    let folder = camera.folder.path("frames");
    let args = ["capture", "--device", node.to_str().unwrap(), "-o"].map(Path::new);
    let to = |output: &Path| {
        let args = args.into_iter().chain([output]);
        zoetrope_with(args, |command| camera.connect(command))
    };
    to(&folder).refuses("folder", 1, &["is a device, pipe, socket or folder"]);
    to(Path::new("/nowhere/still.jpg")).refuses("nowhere", 1, &["does not exist"]);
    let still = camera.folder.file("still.jpg", "old");
    assert_eq!(to(&still).code, Some(0));
    assert!(fs::read(&still).unwrap().starts_with(&[0xff, 0xd8]));
}

#[test]
fn the_doctor_shows_what_the_camera_gives() {
    let Some(camera) = Camera::new("MJPG", &jpegs(3), "") else {
        return;
    };
    let doctor = |camera: &Camera| {
        let text = format!(
            "clips_dir = \"clips\"\n[broker]\nurl = \"mqtt://127.0.0.1:1\"\n{}",
            camera.section("")
        );
        let config = camera.folder.file("zoetrope.toml", text);
        let args = [Path::new("doctor"), Path::new("--config"), &config];
        zoetrope_with(args, |command| camera.connect(command)).stdout
    };
    let node = camera.node().display().to_string();
    let found = doctor(&camera);
    let line = format!("ok    camera    {node}: MJPG 160x120 after ");
    assert!(found.contains(&line), "{found}");
    camera.shows("MJPG", &jpegs(3), "denied 1");
    let nobodys = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(camera.node(), nobodys).unwrap();
    let found = doctor(&camera);
    assert!(found.contains("FAIL  camera    camera "), "{found}");
    assert!(found.contains("denied: it cannot be opened"), "{found}");
    assert!(
        found.contains("mend: ") && found.contains("video4linux"),
        "{found}"
    );
}
