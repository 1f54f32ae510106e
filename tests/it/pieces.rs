//! Clips as what they are made of: pieces by several threads, joined without a
//! trace, within a budget.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    path::Path,
    sync::{
        LazyLock, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use zoetrope::{
    clip::{Clip, ClipError},
    device::{h264, tract::TractNetwork},
    frames::{Frame, Renderer},
    motion::Motion,
    observation::Observation,
    picture::{Plane, Yuv420},
    pipeline::{Job, Onlooker, PipelineError, render},
    request::{JobId, Look, Shape, Size},
    scene::Scene,
    still::{Limits, Origin},
};

use crate::{
    playback::{play, play_with_ffmpeg},
    support::{Folder, missing_tool, repository},
};

static NETWORK: LazyLock<TractNetwork> =
    LazyLock::new(|| TractNetwork::built_in().expect("the committed network"));
const WIDTH_PX: usize = 320;
const HEIGHT_PX: usize = 180;

/// Remembers which tiles move, counts frames, and may have enough of them.
#[derive(Default)]
struct Notes {
    active: Mutex<Option<Plane<bool>>>,
    drawn: Mutex<BTreeMap<u32, Yuv420>>,
    seen: AtomicU32,
    enough: Option<u32>,
}

impl Onlooker for Notes {
    fn imagined(
        &self,
        _scene: &Scene,
        _observation: Option<&Observation>,
        _motion: &Motion,
        renderer: &Renderer,
    ) {
        let mut active = self.active.lock().expect("no panic");
        *active = Some(renderer.active_tiles().clone());
    }

    fn frame(&self, frame: &Frame, done: u32, count: u32) {
        assert!((1..=count).contains(&done));
        self.seen.fetch_add(1, Ordering::Relaxed);
        let mut drawn = self.drawn.lock().expect("no panic");
        drawn.insert(frame.index, frame.planes.clone());
    }

    fn is_cancelled(&self) -> bool {
        self.enough
            .is_some_and(|enough| self.seen.load(Ordering::Relaxed) >= enough)
    }
}

/// What differs from one test to the next.
#[derive(Clone, Copy)]
struct Take {
    strength: f32,
    duration_ms: u32,
    clip_bytes_max: Option<u64>,
    threads: usize,
}

const TAKE: Take = Take {
    strength: 1.0,
    duration_ms: 2_000,
    clip_bytes_max: None,
    threads: 2,
};

fn shoot(take: Take, notes: &Notes, clip_path: &Path) -> Result<Clip, PipelineError> {
    let photo = std::fs::read(repository("models/samples/street_with_flags.jpg"));
    let look = Look {
        strength: take.strength,
        ..Look::default()
    };
    render(
        &*NETWORK,
        &h264::boxed,
        &Job {
            id: &JobId::generate(),
            photo: &photo.expect("the sample"),
            origin: Origin::File,
            burst: None,
            burst_fault: None,
            clean_plate: false,
            limits: &Limits::default(),
            look,
            shape: Shape {
                size: Some(Size::new(WIDTH_PX, HEIGHT_PX).expect("a legal size")),
                duration_ms: Some(take.duration_ms),
                frame_rate: 30,
            },
            clip_path,
            clip_bytes_max: take.clip_bytes_max,
            threads: NonZeroUsize::new(take.threads),
        },
        notes,
    )
}

/// Mean absolute difference of two pictures' luma where nothing ever moves.
fn resting_difference(active: &Plane<bool>, one: &Yuv420, other: &Yuv420) -> f64 {
    let (mut sum, mut count) = (0u64, 0u64);
    for y in 0..one.height_px() {
        for x in (0..one.width_px()).filter(|x| !active.at(x / 16, y / 16)) {
            sum += u64::from(one.y.at(x, y).abs_diff(other.y.at(x, y)));
            count += 1;
        }
    }
    assert!(count > 10_000, "{count} resting pixels");
    sum as f64 / count as f64
}

#[test]
fn what_rests_shows_no_border_of_a_piece_and_no_seam() {
    let folder = Folder::new();
    let notes = Notes::default();
    let clip = shoot(TAKE, &notes, &folder.path("clip.mp4")).expect("a clip");
    let active = notes
        .active
        .lock()
        .expect("no panic")
        .clone()
        .expect("tiles");
    let drawn = notes.drawn.lock().expect("no panic");
    let check = |name: &str, frames: &[Yuv420]| {
        assert_eq!(frames.len(), 60, "{name}");
        for (index, frame) in frames.iter().enumerate() {
            let before = &frames[(index + 59) % 60];
            let difference = resting_difference(&active, before, frame);
            assert!(difference < 0.5, "{name}: {difference} at frame {index}");
            // A frame that is not what was drawn would show as much.
            let error: u64 = (frame
                .y
                .samples
                .iter()
                .zip(&drawn[&(index as u32)].y.samples))
            .map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2))
            .sum();
            let mean = error as f64 / frame.y.samples.len() as f64;
            assert!(
                mean < 6.5,
                "{name}: mean squared error {mean} at frame {index}"
            );
        }
    };
    check("openh264", &play(&clip.path).frames);
    match play_with_ffmpeg(&clip.path, WIDTH_PX, HEIGHT_PX) {
        Some(frames) => check("ffmpeg", &frames),
        None => missing_tool("ffmpeg", "apt install ffmpeg"),
    }
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let folder = Folder::new();
    let clip_of = |threads| {
        let path = folder.path(&format!("{threads}.mp4"));
        let clip = shoot(Take { threads, ..TAKE }, &Notes::default(), &path);
        clip.expect("a clip")
    };
    let one = clip_of(1);
    for threads in [2, 3, 16] {
        let other = clip_of(threads);
        assert_eq!(other.sha256, one.sha256, "{threads} threads");
        assert_eq!(other.report, one.report, "{threads} threads");
    }
}

#[test]
fn a_clip_is_never_larger_than_its_budget() {
    let folder = Folder::new();
    let take = Take {
        duration_ms: 1_000,
        ..TAKE
    };
    let free = shoot(take, &Notes::default(), &folder.path("free.mp4")).expect("a clip");
    for share in [1.0, 0.99, 0.9, 0.75, 0.6, 0.5, 0.4] {
        let path = folder.path("clip.mp4");
        let bytes_max = (free.size_bytes as f64 * share) as u64;
        let take = Take {
            clip_bytes_max: Some(bytes_max),
            ..take
        };
        let clip = shoot(take, &Notes::default(), &path).expect("a clip within its budget");
        assert!(clip.size_bytes <= bytes_max, "{share}");
        assert_eq!(
            std::fs::metadata(&path).expect("a file").len(),
            clip.size_bytes
        );
        assert!(
            clip.size_bytes as f64 > 0.6 * bytes_max as f64,
            "{share}: {} of {bytes_max} bytes are used",
            clip.size_bytes
        );
        assert_eq!(play(&path).frames.len(), 30, "{share}");
    }
}

#[test]
fn what_does_not_fit_at_all_is_refused_with_both_sizes() {
    let folder = Folder::new();
    let take = Take {
        duration_ms: 500,
        clip_bytes_max: Some(3_000),
        ..TAKE
    };
    let refused = shoot(take, &Notes::default(), &folder.path("clip.mp4"));
    let Err(PipelineError::Clip(ClipError::Budget { bytes, bytes_max })) = refused else {
        panic!("{refused:?}");
    };
    assert!(bytes > bytes_max && bytes_max == 3_000, "{bytes}");
    assert!(folder.names().is_empty(), "{:?}", folder.names());
}

#[test]
fn where_nothing_moves_one_frame_is_held() {
    let folder = Folder::new();
    let take = Take {
        strength: 0.0,
        ..TAKE
    };
    let notes = Notes::default();
    let clip = shoot(take, &notes, &folder.path("clip.mp4")).expect("a clip");
    assert!(clip.report.complaints().is_empty(), "{}", clip.report);
    assert_eq!(notes.seen.load(Ordering::Relaxed), 60);
    let frames = play(&clip.path).frames;
    assert_eq!(frames.len(), 60);
    // The second may correct the first a little, the rest change nothing.
    assert!(frames[1..].iter().all(|frame| *frame == frames[1]));
    let active = notes.active.lock().expect("no panic").clone();
    let difference = resting_difference(&active.expect("tiles"), &frames[0], &frames[1]);
    assert!(difference < 0.5, "{difference}");
    let pixels = Some(frames).zip(play_with_ffmpeg(&clip.path, WIDTH_PX, HEIGHT_PX));
    match pixels {
        Some((ours, theirs)) => assert_eq!(ours, theirs, "the two decoders disagree"),
        None => missing_tool("ffmpeg", "apt install ffmpeg"),
    }
}

#[test]
fn a_render_can_be_ended_between_frames() {
    let folder = Folder::new();
    let notes = Notes {
        enough: Some(7),
        ..Notes::default()
    };
    let ended = shoot(TAKE, &notes, &folder.path("clip.mp4"));
    assert!(matches!(ended, Err(PipelineError::Cancelled)), "{ended:?}");
    // Each thread may have had one in hand.
    assert!(notes.seen.load(Ordering::Relaxed) <= 8);
    assert!(folder.names().is_empty(), "{:?}", folder.names());
}
