//! A camera that is watched before a still.

use std::{fs, path::Path};

use image::{ImageFormat, RgbImage, imageops};

use super::{
    ERROR_MAX,
    fake::{Camera, HEIGHT_PX, WIDTH_PX, error, grained, jpegs, scene},
    yuyv,
};
use crate::{photos, support::zoetrope};

/// Frames that are shown in turn: of those that are kept no two in a row are the
/// same.
const FRAMES: u64 = 7;
/// The still is smaller than what is watched, so that the two can be told apart.
const STILL: &str = "size = \"160x120\"\n[observation]\nseconds = 2.0";

/// The scene in another size, with a grain of its own.
fn enlarged(seed: u64, size_px: [u32; 2]) -> RgbImage {
    let [width_px, height_px] = size_px;
    imageops::resize(
        &grained(seed, 2),
        width_px,
        height_px,
        imageops::FilterType::Nearest,
    )
}

fn enlarged_jpegs(size_px: [u32; 2]) -> Vec<Vec<u8>> {
    let pictures = (0..FRAMES).map(|seed| enlarged(seed, size_px));
    pictures
        .map(|picture| photos::encoded(&picture.into(), ImageFormat::Jpeg))
        .collect()
}

/// What was seen, in order.
fn seen(folder: &Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

#[test]
fn what_is_seen_before_a_still_is_of_its_proportions_and_the_rate_that_is_wished() {
    let (stills, more) = (jpegs(FRAMES), enlarged_jpegs([320, 240]));
    let Some(camera) = Camera::new("MJPG", &stills, "") else {
        return;
    };
    camera.shows_more([320, 240], &more);
    let outcome = camera.watch(STILL);
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    assert!(outcome.stdout.contains("MJPG 160x120, "), "{outcome:#?}");
    let still = fs::read(camera.still()).unwrap();
    assert!(stills.contains(&still));
    let seen = seen(&camera.burst());
    // As many as fast processors take, or somewhat fewer.
    assert!((10..=25).contains(&seen.len()), "{outcome:#?}");
    assert!(
        seen.iter().all(|jpeg| more.contains(jpeg)),
        "other pictures"
    );
    assert!(seen.windows(2).all(|pair| pair[0] != pair[1]), "one twice");
    let said = format!("; {} pictures of ", seen.len());
    assert!(outcome.stdout.contains(&said), "{outcome:#?}");

    // It is what "render" takes.
    let rate = outcome.stdout.trim().rsplit(' ').next().unwrap();
    let (still, burst, clip) = (camera.still(), camera.burst(), camera.folder.path("c.mp4"));
    let fps = format!("--burst-fps={rate}");
    let [render, b, o, seconds] = ["render", "--burst", "-o", "--seconds=0.5"].map(Path::new);
    let done = zoetrope([
        render,
        &still,
        b,
        &burst,
        Path::new(&fps),
        o,
        &clip,
        seconds,
    ]);
    assert_eq!(done.code, Some(0), "{done:#?}");
}

#[test]
fn raw_frames_are_kept_small() {
    let size_px = [1280, 960];
    let more: Vec<Vec<u8>> = (0..FRAMES)
        .map(|seed| yuyv(&enlarged(seed, size_px)))
        .collect();
    let stills: Vec<Vec<u8>> = (0..FRAMES).map(|seed| yuyv(&grained(seed, 2))).collect();
    let Some(camera) = Camera::new("YUYV", &stills, "") else {
        return;
    };
    camera.shows_more(size_px, &more);
    let outcome = camera.watch(STILL);
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    let (width_px, height_px) = (WIDTH_PX as u32, HEIGHT_PX as u32);
    for jpeg in seen(&camera.burst()) {
        let picture = image::load_from_memory_with_format(&jpeg, ImageFormat::Jpeg).unwrap();
        let picture = picture.into_rgb8();
        assert_eq!(picture.dimensions(), (640, 480));
        let again = imageops::thumbnail(&picture, width_px, height_px);
        let far = error(&again, &scene());
        assert!(far < ERROR_MAX / 4.0, "{far}");
    }
}

#[test]
fn other_proportions_are_not_what_the_still_shows() {
    let stills = jpegs(FRAMES);
    let Some(camera) = Camera::new("MJPG", &stills, "") else {
        return;
    };
    camera.shows_more([640, 360], &enlarged_jpegs([640, 360]));
    let outcome = camera.watch(STILL);
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    assert!(
        seen(&camera.burst())
            .iter()
            .all(|jpeg| stills.contains(jpeg))
    );
}

#[test]
fn why_a_camera_cannot_be_watched_is_said() {
    let stills = jpegs(FRAMES);
    for (more, words) in [
        (
            "fps 3",
            "unsuitable: nothing in the proportions of MJPG 160x120 comes 5 times",
        ),
        // Whatever it says of its rate.
        ("frame_us 500000", "unwatched: burst has "),
        ("vanish_after 12", "lost: it went away while it streamed"),
    ] {
        let Some(camera) = Camera::new("MJPG", &stills, more) else {
            return;
        };
        camera.watch(STILL).refuses(more, 1, &[words]);
    }
    // Nor can a file.
    let Some(camera) = Camera::new("MJPG", &stills, "") else {
        return;
    };
    let file = camera.folder.file("file.jpg", &stills[0]);
    let config = format!("[camera]\nfile = \"{}\"\n", file.display());
    let config = camera.folder.file("zoetrope.toml", config);
    let [capture, with, b, o] = ["capture", "--config", "--burst", "-o"].map(Path::new);
    let (burst, still) = (camera.burst(), camera.still());
    let refused = zoetrope([capture, with, &config, b, &burst, o, &still]);
    refused.refuses("file", 1, &["this camera cannot be watched"]);
}
