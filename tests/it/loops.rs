//! The six sample stills through the whole pipeline, held against the bounds of
//! the loop measures, with the world's own labels as the truth.

use std::{collections::BTreeMap, path::PathBuf, sync::Mutex};

use zoetrope::{
    clip::Clip,
    device::{h264, tract::TractNetwork},
    frames::{Frame, Renderer},
    motion::Motion,
    observation::Observation,
    picture::{Plane, Yuv420},
    pipeline::{Job, Onlooker, render},
    request::{JobId, Look, Shape, Size},
    scene::{
        Class, Network, NetworkCard, NetworkError, NetworkInput, NetworkOutput, Profile, Scene,
    },
    still::{Limits, Origin},
};

use crate::{
    playback::{play, play_with_ffmpeg},
    support::{SAMPLES, missing_tool},
};

/// Share of what must rest that may move by more than a thousandth of the width.
const RIGID_SHARE_MAX: f64 = 0.01;

struct Shot {
    clip: Clip,
    seen: Seen,
    _folder: tempfile::TempDir,
}

#[derive(Default)]
struct Seen {
    still: Option<Yuv420>,
    mask: Option<Plane<u8>>,
    active: Option<Plane<bool>>,
    /// Farthest displacement of every pixel over the loop, in pixels.
    farthest_px: Option<Plane<f32>>,
    drawn: BTreeMap<u32, Yuv420>,
}

/// Sees what the network sees, and dares to move none of it.
struct Anxious(TractNetwork);

impl Network for Anxious {
    fn card(&self) -> &NetworkCard {
        self.0.card()
    }

    fn profiles(&self) -> &[Profile] {
        self.0.profiles()
    }

    fn infer(&self, input: &NetworkInput) -> Result<NetworkOutput, NetworkError> {
        let mut seen = self.0.infer(input)?;
        seen.mobility.samples.fill(0.0);
        seen.light.samples.fill(0.0);
        Ok(seen)
    }
}

struct Notes(Mutex<Seen>);

impl Onlooker for Notes {
    fn imagined(
        &self,
        scene: &Scene,
        _observation: Option<&Observation>,
        _motion: &Motion,
        renderer: &Renderer,
    ) {
        let mut seen = self.0.lock().expect("one onlooker");
        seen.still = Some(Yuv420::clone(&scene.still.planes));
        seen.mask = Some(renderer.mask().clone());
        seen.active = Some(renderer.active_tiles().clone());
        let mut farthest = renderer.mask().map(|_| 0.0f32);
        for moment in 1..16 {
            let [dx, dy] = renderer.displacement(moment as f32 / 16.0);
            for ((far, dx), dy) in farthest
                .samples
                .iter_mut()
                .zip(&dx.samples)
                .zip(&dy.samples)
            {
                *far = far.max(dx.hypot(*dy));
            }
        }
        seen.farthest_px = Some(farthest);
    }

    fn frame(&self, frame: &Frame, _done: u32, _count: u32) {
        let mut seen = self.0.lock().expect("one onlooker");
        seen.drawn.insert(frame.index, frame.planes.clone());
    }
}

fn sample_file(name: &str, suffix: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("models/samples");
    folder.join(format!("{name}.{suffix}"))
}

fn shoot(name: &str, look: Look, duration_ms: u32) -> Shot {
    let network = TractNetwork::built_in().expect("the committed network");
    shoot_with(&network, name, look, duration_ms)
}

fn shoot_with(network: &dyn Network, name: &str, look: Look, duration_ms: u32) -> Shot {
    let folder = tempfile::tempdir().expect("a folder");
    let photo = std::fs::read(sample_file(name, "jpg")).expect("the sample");
    let portrait = matches!(image::image_dimensions(sample_file(name, "jpg")), Ok((w, h)) if h > w);
    let size = if portrait {
        Size::new(360, 640)
    } else {
        Size::new(640, 360)
    };
    let notes = Notes(Mutex::default());
    let clip = render(
        network,
        &h264::boxed,
        &Job {
            id: &JobId::generate(),
            photo: &photo,
            origin: Origin::File,
            burst: None,
            burst_fault: None,
            clean_plate: false,
            limits: &Limits::default(),
            look,
            shape: Shape {
                size: Some(size.expect("a legal size")),
                duration_ms: Some(duration_ms),
                frame_rate: 30,
            },
            clip_path: &folder.path().join("clip.mp4"),
            clip_bytes_max: None,
            threads: None,
        },
        &notes,
    )
    .expect("a clip");
    Shot {
        clip,
        seen: notes.0.into_inner().expect("no panic"),
        _folder: folder,
    }
}

/// The truth of the procedural world at the clip's size.
fn labels(name: &str, width_px: usize, height_px: usize) -> Plane<u8> {
    let labels = image::open(sample_file(name, "classes.png"))
        .expect("labels")
        .to_luma8();
    let (columns, rows) = (labels.width() as usize, labels.height() as usize);
    Plane::from_fn(width_px, height_px, |x, y| {
        let at = (x * columns / width_px, y * rows / height_px);
        labels.get_pixel(at.0 as u32, at.1 as u32).0[0]
    })
}

/// Whether everything within three pixels is of a class that must not move.
fn is_surely_rigid(labels: &Plane<u8>, x: usize, y: usize) -> bool {
    let rows = y.saturating_sub(3)..(y + 4).min(labels.height_px);
    let columns = x.saturating_sub(3)..(x + 4).min(labels.width_px);
    rows.into_iter().all(|row| {
        labels.row(row)[columns.clone()]
            .iter()
            .all(|label| !Class::ALL[usize::from(*label)].is_movable())
    })
}

fn check_sample(name: &str) {
    let shot = shoot(name, Look::default(), 4_000);
    let Seen {
        still,
        mask,
        active,
        farthest_px,
        drawn,
    } = &shot.seen;
    let frames: Vec<&Yuv420> = drawn.values().collect();
    let (still, mask) = (
        still.as_ref().expect("a still"),
        mask.as_ref().expect("a mask"),
    );
    let (active, farthest) = (
        active.as_ref().expect("tiles"),
        farthest_px.as_ref().expect("a field"),
    );
    let report = &shot.clip.report;
    println!("{name}: {}", serde_json::to_string(report).expect("JSON"));

    let complaints = report.complaints();
    assert!(complaints.is_empty(), "{name}: {complaints:?}");
    assert_eq!(report.attempts, 1, "{name}: {report}");
    assert!(report.calmed_share < 0.3, "{name}: {report}");
    assert!(report.moving_share > 0.02, "{name}: nothing moves");
    assert_eq!(frames.len(), 120);
    assert_eq!(frames[0], still, "{name}: the first frame is not the still");

    let width_px = still.width_px();
    let truth = labels(name, width_px, still.height_px());
    let (mut rigid, mut pushed) = (0u32, 0u32);
    for y in 0..still.height_px() {
        for x in 0..width_px {
            if is_surely_rigid(&truth, x, y) {
                rigid += 1;
                pushed += u32::from(farthest.at(x, y) > 0.001 * width_px as f32);
            }
        }
    }
    assert!(
        f64::from(pushed) <= RIGID_SHARE_MAX * f64::from(rigid),
        "{name}: {pushed} of {rigid} rigid pixels move"
    );

    let played = play(&shot.clip.path);
    assert_eq!(played.frames.len(), 120, "{name}");
    let rests = |x: usize, y: usize| !active.at(x / 16, y / 16);
    let (mut error, mut resting) = (0u64, 0u64);
    for (frame, decoded) in frames.iter().zip(&played.frames) {
        for y in 0..still.height_px() {
            for x in (0..width_px).filter(|x| rests(*x, y)) {
                assert_eq!(
                    frame.y.at(x, y),
                    still.y.at(x, y),
                    "{name}: {x},{y} is not the still's"
                );
                error += u64::from(still.y.at(x, y).abs_diff(decoded.y.at(x, y))).pow(2);
                resting += 1;
            }
        }
    }
    // A picture that moves all over has nothing that could leak.
    if resting > 0 {
        let psnr = 10.0 * (255.0 * 255.0 * resting as f64 / error.max(1) as f64).log10();
        println!("{name}: static regions after decoding {psnr:.1} dB");
        assert!(psnr >= 42.0, "{name}: static regions at {psnr:.1} dB");
    }
    assert!(
        mask.samples.contains(&255),
        "{name}: nothing follows the motion fully"
    );
}

#[test]
fn lake_at_dusk_is_a_good_loop() {
    check_sample(SAMPLES[0]);
}

#[test]
fn waterfall_is_a_good_loop() {
    check_sample(SAMPLES[1]);
}

#[test]
fn street_with_flags_is_a_good_loop() {
    check_sample(SAMPLES[2]);
}

#[test]
fn cafe_cup_with_steam_is_a_good_loop() {
    check_sample(SAMPLES[3]);
}

#[test]
fn camp_fire_is_a_good_loop() {
    check_sample(SAMPLES[4]);
}

#[test]
fn meadow_under_clouds_is_a_good_loop() {
    check_sample(SAMPLES[5]);
}

#[test]
fn the_same_request_gives_the_same_bytes_and_another_seed_another_clip() {
    let seed = |seed| {
        shoot(
            "camp_fire",
            Look {
                seed,
                ..Look::default()
            },
            1_000,
        )
        .clip
        .sha256
    };
    let first = seed(1);
    assert_eq!(first, seed(1));
    assert_ne!(first, seed(2));
}

#[test]
fn where_nothing_is_safe_to_move_the_camera_breathes() {
    let network = Anxious(TractNetwork::built_in().expect("the committed network"));
    for name in ["street_with_flags", "waterfall"] {
        let shot = shoot_with(&network, name, Look::default(), 4_000);
        let report = &shot.clip.report;
        assert!(report.is_breath, "{name}");
        assert!(report.complaints().is_empty(), "{name}: {report}");
        assert_eq!(shot.seen.drawn.get(&0), shot.seen.still.as_ref());
        // Half-way in, the corners stand farthest from where they stood.
        let field = shot.seen.farthest_px.as_ref().expect("a field");
        let farthest_px = field.samples.iter().fold(0.0f32, |a, b| a.max(*b));
        let share = farthest_px / shot.clip.width_px as f32;
        assert!((0.01..0.04).contains(&share), "{name}: {farthest_px} px");
        let still = Look {
            strength: 0.0,
            ..Look::default()
        };
        assert_eq!(
            shoot_with(&network, name, still, 500)
                .clip
                .report
                .moving_share,
            0.0
        );
    }
}

#[test]
fn strength_0_is_a_still_clip() {
    let look = Look {
        strength: 0.0,
        ..Look::default()
    };
    let shot = shoot("lake_at_dusk", look, 500);
    assert_eq!(shot.clip.report.moving_share, 0.0);
    assert!(
        shot.seen
            .drawn
            .values()
            .all(|frame| Some(frame) == shot.seen.still.as_ref())
    );
}

#[test]
fn the_file_is_what_players_want() {
    let shot = shoot("waterfall", Look::default(), 2_000);
    let played = play(&shot.clip.path);
    let moov = played.boxes.iter().position(|name| *name == "moov");
    let mdat = played.boxes.iter().position(|name| *name == "mdat");
    assert!(moov < mdat, "the index is not in front: {:?}", played.boxes);

    let mdia = &played.moov.trak[0].mdia;
    assert_eq!((mdia.mdhd.timescale, mdia.mdhd.duration), (30, 60));
    let stts = &mdia.minf.stbl.stts.entries;
    assert!(
        stts.iter().all(|run| run.sample_delta == 1),
        "frames are not evenly spaced"
    );
    assert_eq!(stts.iter().map(|run| run.sample_count).sum::<u32>(), 60);
    assert_eq!(
        mdia.minf.stbl.stss.as_ref().expect("key frames").entries,
        [1]
    );
    assert_eq!((shot.clip.width_px, shot.clip.height_px), (360, 640));
    assert!(
        shot.clip.codecs.starts_with("avc1.64"),
        "{}",
        shot.clip.codecs
    );
    assert!(shot.clip.poster_jpeg.len() <= 100_000);

    match play_with_ffmpeg(&shot.clip.path, 360, 640) {
        Some(frames) => assert_eq!(frames, played.frames, "the two decoders disagree"),
        None => missing_tool("ffmpeg", "apt install ffmpeg"),
    }
}
