//! The same stills through tract and ONNX Runtime.

use std::{sync::Arc, time::SystemTime};

use zoetrope::{
    config::EngineChoice,
    device::{h264, inference::parity::Difference, tract::TractNetwork},
    picture::{Rgb, Yuv420},
    pipeline::{Job, Onlooker, render},
    request::{JobId, Look, Shape},
    scene::{Engine, Network, NetworkInput, Profile},
    still::{Limits, Origin, Still, decode},
};

use super::libraries::{engines, real};
use crate::support::{Folder, SAMPLES, repository};

struct Quiet;

impl Onlooker for Quiet {}

fn sample(name: &str) -> Rgb {
    let file = repository("models/samples").join(format!("{name}.jpg"));
    let photo = std::fs::read(file).expect("a sample");
    decode(&photo, &Limits::default()).expect("a sample")
}

/// A picture of this size, each pixel of which is what `at` says.
fn drawn(width_px: usize, height_px: usize, at: impl Fn(usize, usize) -> [u8; 3]) -> Rgb {
    let pixels = (0..height_px).flat_map(|y| (0..width_px).map(move |x| (x, y)));
    Rgb {
        width_px,
        height_px,
        bytes: pixels.flat_map(|(x, y)| at(x, y)).collect(),
    }
}

fn pixel(of: &Rgb, x: usize, y: usize) -> [u8; 3] {
    let at = 3 * (y * of.width_px + x);
    [of.bytes[at], of.bytes[at + 1], of.bytes[at + 2]]
}

/// Every sample as it is, mirrored, cut to portrait and to a square, and in other
/// colours; and four that are drawn.
fn stills() -> Vec<(String, Rgb)> {
    let mut stills = Vec::new();
    for name in SAMPLES {
        let still = sample(name);
        let (width, height) = (still.width_px, still.height_px);
        let mirrored = drawn(width, height, |x, y| pixel(&still, width - 1 - x, y));
        let portrait = drawn(width / 3, height, |x, y| pixel(&still, x + width / 4, y));
        let side = width.min(height);
        let square = drawn(side, side, |x, y| pixel(&still, x + (width - side) / 2, y));
        let recoloured = drawn(width, height, |x, y| {
            let [r, g, b] = pixel(&still, x, y);
            [b, r / 2 + 60, g]
        });
        for (how, still) in [
            ("as it is", still),
            ("mirrored", mirrored),
            ("portrait", portrait),
            ("square", square),
            ("recoloured", recoloured),
        ] {
            stills.push((format!("{name}, {how}"), still));
        }
    }
    let bands = drawn(640, 360, |_, y| {
        if y < 180 {
            [120, 170, 230]
        } else {
            [30, 80, 120]
        }
    });
    let checks = drawn(512, 512, |x, y| [255 * ((x / 16 + y / 16) % 2) as u8; 3]);
    let ramp = drawn(360, 640, |x, y| {
        [(x * 255 / 360) as u8, (y * 255 / 640) as u8, 128]
    });
    let glow = drawn(640, 480, |x, y| {
        let far = (x as f32 - 320.0).hypot(y as f32 - 240.0) / 400.0;
        let light = (255.0 * (1.0 - far)) as u8;
        [light, light / 2, light / 8]
    });
    let drawings = [
        ("bands", bands),
        ("checks", checks),
        ("ramp", ramp),
        ("glow", glow),
    ];
    stills.extend(drawings.map(|(name, still)| (name.to_owned(), still)));
    stills
}

fn input(profiles: &[Profile], rgb: &Rgb, seed: u64) -> NetworkInput {
    let still = Still {
        planes: Arc::new(Yuv420::from_rgb(rgb)),
        captured_at: SystemTime::UNIX_EPOCH,
        origin: Origin::File,
    };
    let look = Look {
        seed,
        direction_deg: seed.is_multiple_of(3).then_some(seed as f32 * 40.0),
        ..Look::default()
    };
    let profile = Profile::nearest(profiles, rgb.width_px, rgb.height_px);
    NetworkInput::new(profile, &still, &look)
}

#[test]
fn every_engine_that_works_here_sees_the_same_in_every_still() {
    let Some(library) = real() else { return };
    let tract = TractNetwork::built_in().expect("the committed network");
    let engines = engines(EngineChoice::Auto, &library, None);
    let started = engines.candidates().into_iter();
    let workers: Vec<_> = started
        .filter_map(|engine| Some((engine, engines.start(engine, false).ok()?)))
        .collect();
    assert!(
        workers
            .iter()
            .any(|(engine, _)| *engine == Engine::OnnxruntimeCpu)
    );
    let stills = stills();
    assert!(stills.len() >= 24);
    let mut worst = vec![Difference::default(); workers.len()];
    for (seed, (name, still)) in stills.iter().enumerate() {
        let input = input(tract.profiles(), still, seed as u64);
        let expected = tract.infer(&input).expect("an answer");
        for ((engine, worker), worst) in workers.iter().zip(&mut worst) {
            let seen = worker.infer(&input).expect("an answer");
            let difference = Difference::between(&seen, &expected);
            let tolerance = Difference::tolerance(*engine);
            assert!(
                difference.is_within(tolerance),
                "{engine}, {name}: {difference}"
            );
            *worst = worst.max(difference);
        }
    }
    for ((engine, _), worst) in workers.iter().zip(&worst) {
        println!("{engine}: {} stills, at most {worst}", stills.len());
    }
}

#[test]
fn clips_of_both_engines_pass_the_director_alike() {
    let Some(library) = real() else { return };
    let folder = Folder::new();
    let shape = Shape {
        size: Some("320x180".parse().expect("a size")),
        duration_ms: Some(1000),
        ..Shape::default()
    };
    for name in ["waterfall", "lake_at_dusk"] {
        let file = repository("models/samples").join(format!("{name}.jpg"));
        let photo = std::fs::read(file).expect("a sample");
        let clip = |engine: Engine| {
            let network = engines(EngineChoice::Only(engine), &library, None);
            let path = folder.path(&format!("{name}-{engine}.mp4"));
            let job = Job {
                id: &JobId::generate(),
                photo: &photo,
                origin: Origin::File,
                burst: None,
                burst_fault: None,
                clean_plate: false,
                limits: &Limits::default(),
                look: Look::default(),
                shape,
                clip_path: &path,
                clip_bytes_max: None,
                threads: None,
            };
            let clip = render(&network, &h264::boxed, &job, &Quiet).expect("a clip");
            assert_eq!(clip.engine.engine, engine);
            clip
        };
        let (ours, theirs) = (clip(Engine::Tract), clip(Engine::OnnxruntimeCpu));
        assert_eq!(ours.frame_count, theirs.frame_count);
        let numbers = |report: &zoetrope::director::Report| {
            let json = serde_json::to_value(report).expect("a report");
            let object = json.as_object().expect("an object").clone();
            object
                .into_iter()
                .filter_map(|(key, value)| Some((key, value.as_f64()?)))
        };
        for ((key, ours), (_, theirs)) in numbers(&ours.report).zip(numbers(&theirs.report)) {
            let apart = (ours - theirs).abs();
            assert!(
                apart <= 0.01 * ours.abs().max(1.0),
                "{name}, {key}: {ours}, {theirs}"
            );
        }
    }
}
