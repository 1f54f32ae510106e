//! Stills whose scenes were watched, through the whole pipeline.

use std::{f32::consts::TAU, fs, io::Cursor, sync::Mutex};

use image::{ImageFormat, Rgb, RgbImage};
use zoetrope::{
    burst::Burst,
    clip::Clip,
    device::{h264, tract::TractNetwork},
    frames::Renderer,
    motion::Motion,
    observation::{Account, Observation, Observed},
    picture::{Plane, Yuv420},
    pipeline::{Job, Onlooker, PipelineError, render},
    request::{JobId, Look, Shape},
    scene::Scene,
    still::{Limits, Origin},
};

use crate::support::SAMPLES;

const FRAME_RATE: f32 = 12.0;
const PICTURES: usize = 30;

fn sample(name: &str) -> RgbImage {
    assert!(SAMPLES.contains(&name));
    let path = format!("{}/models/samples/{name}.jpg", env!("CARGO_MANIFEST_DIR"));
    let photo = image::open(path).expect("the sample");
    photo
        .resize(480, 480, image::imageops::FilterType::Triangle)
        .to_rgb8()
}

fn png(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture
        .write_to(&mut bytes, ImageFormat::Png)
        .expect("a PNG");
    bytes.into_inner()
}

/// The picture in which each pixel comes from elsewhere.
fn moved(picture: &RgbImage, from: impl Fn(f32, f32) -> [f32; 2]) -> RgbImage {
    let (width, height) = picture.dimensions();
    let channels: Vec<Plane<f32>> = (0..3)
        .map(|channel| {
            Plane::from_fn(width as usize, height as usize, |x, y| {
                f32::from(picture.get_pixel(x as u32, y as u32)[channel])
            })
        })
        .collect();
    RgbImage::from_fn(width, height, |x, y| {
        let [x, y] = from(x as f32, y as f32);
        Rgb(std::array::from_fn(|channel| {
            channels[channel].bilinear(x, y).round() as u8
        }))
    })
}

/// Pictures before the still; `picture_at` seconds before it.
fn burst(picture_at: impl Fn(f32) -> RgbImage) -> Burst {
    let frames = (0..PICTURES)
        .map(|index| png(&picture_at((PICTURES - index) as f32 / FRAME_RATE)))
        .collect();
    Burst::at_rate(frames, FRAME_RATE).expect("a burst")
}

#[derive(Default)]
struct Notes(Mutex<Option<(Yuv420, Plane<f32>)>>);

impl Onlooker for Notes {
    fn imagined(&self, scene: &Scene, _: Option<&Observation>, motion: &Motion, _: &Renderer) {
        let still = Yuv420::clone(&scene.still.planes);
        // Where the camera breathes nothing in the picture moves.
        let open = f32::from(u8::from(!motion.is_breath));
        let gate = motion.gate.map(|gate| gate * open);
        *self.0.lock().expect("one onlooker") = Some((still, gate));
    }
}

struct Made {
    clip: Clip,
    bytes: Vec<u8>,
    still: Yuv420,
    gate: Plane<f32>,
}

impl Made {
    fn observed(&self) -> &Observed {
        match &self.clip.observation {
            Some(Account::Observed(observed)) => observed,
            other => panic!("{other:?}"),
        }
    }
}

fn make(
    still: &RgbImage,
    burst: Option<&Burst>,
    clean_plate: bool,
    duration_ms: Option<u32>,
) -> Result<Made, PipelineError> {
    let folder = tempfile::tempdir().expect("a folder");
    let network = TractNetwork::built_in().expect("the committed network");
    let clip_path = folder.path().join("clip.mp4");
    let notes = Notes::default();
    let job = Job {
        id: &JobId::generate(),
        photo: &png(still),
        origin: Origin::Camera,
        burst,
        burst_fault: None,
        clean_plate,
        limits: &Limits::default(),
        look: Look::default(),
        shape: Shape {
            size: None,
            duration_ms,
            frame_rate: 24,
        },
        clip_path: &clip_path,
        clip_bytes_max: None,
        threads: None,
    };
    let clip = render(&network, &h264::boxed, &job, &notes)?;
    let (still, gate) = notes
        .0
        .into_inner()
        .expect("one onlooker")
        .expect("imagined");
    Ok(Made {
        bytes: fs::read(&clip_path).expect("the clip"),
        clip,
        still,
        gate,
    })
}

/// Mean of the gate over a part of the picture, in shares of its sides.
fn open(gate: &Plane<f32>, columns: [f32; 2], rows: [f32; 2]) -> f32 {
    let span = |[from, to]: [f32; 2], side: usize| {
        (from * side as f32) as usize..(to * side as f32) as usize
    };
    let (mut sum, mut count) = (0.0, 0.0f32);
    for y in span(rows, gate.height_px) {
        for x in span(columns, gate.width_px) {
            sum += gate.at(x, y);
            count += 1.0;
        }
    }
    sum / count
}

/// A fall that was frozen, and would have run if nobody had looked.
#[test]
fn what_was_seen_to_stand_does_not_move() {
    let photo = sample("waterfall");
    let watched = make(&photo, Some(&burst(|_| photo.clone())), false, Some(1_000)).unwrap();
    let alone = make(&photo, None, false, Some(1_000)).unwrap();
    assert!(alone.clip.observation.is_none());
    let observed = watched.observed();
    assert_eq!(observed.pictures, PICTURES);
    assert!(observed.stilled_share > 0.02, "{observed:?}");
    assert_eq!(observed.observed_share, 0.0, "{observed:?}");
    assert_ne!(watched.bytes, alone.bytes);
}

/// The right half of a meadow swings; what is left of it was seen to stand.
#[test]
fn what_was_seen_to_swing_swings_in_its_own_rhythm() {
    let photo = sample("meadow_under_clouds");
    let (width, height) = photo.dimensions();
    let hz = 0.9;
    let burst = burst(|before_s| {
        let away = 4.0 * (TAU * hz * before_s).sin();
        moved(&photo, |x, y| {
            let swings = x > width as f32 / 2.0 && y > height as f32 / 2.0;
            if swings { [x + away, y] } else { [x, y] }
        })
    });
    let made = make(&photo, Some(&burst), false, None).unwrap();
    let observed = made.observed();
    let found = observed.rhythm_hz.expect("a rhythm");
    assert!((found - hz).abs() < 0.12, "{found} Hz");
    // Whole turns of it, to a frame.
    let turns = made.clip.duration_ms() as f32 / 1_000.0 * found;
    assert!((turns - turns.round()).abs() < 0.15, "{turns} turns");
    assert!(
        (0.1..0.4).contains(&observed.observed_share),
        "{observed:?}"
    );
    assert!(open(&made.gate, [0.6, 0.95], [0.6, 0.95]) > 0.6);
    assert!(open(&made.gate, [0.05, 0.4], [0.6, 0.95]) < 0.05);
}

/// Another scene, or a camera that is carried about: the still goes on alone.
#[test]
fn a_burst_that_tells_nothing_changes_nothing() {
    let photo = sample("waterfall");
    let other = sample("street_with_flags");
    let alone = make(&photo, None, false, Some(1_000)).unwrap();
    let carried = burst(|before_s| moved(&photo, |x, y| [x + 12.0 * before_s, y]));
    for (burst, reason) in [
        (
            burst(|_| other.clone()),
            "the still is not of the same scene",
        ),
        (carried, "the camera moved by"),
    ] {
        let made = make(&photo, Some(&burst), false, Some(1_000)).unwrap();
        let Some(Account::Refused { reason: said }) = &made.clip.observation else {
            panic!("{:?}", made.clip.observation);
        };
        assert!(said.starts_with(reason), "{said}");
        assert_eq!(made.bytes, alone.bytes);
        // Whoever wants nobody to be seen gets no picture then.
        let refused = make(&photo, Some(&burst), true, Some(1_000)).map(|_| ());
        let refused = refused.expect_err("no clean plate");
        assert_eq!(refused.code(), "no_clean_plate");
        assert!(refused.to_string().contains(reason), "{refused}");
    }
}

/// Somebody walks through the burst and stands in the still.
#[test]
fn a_clean_plate_shows_nobody_who_passed_by() {
    let photo = sample("street_with_flags");
    let (width, height) = photo.dimensions();
    let with_walker = |before_s: f32| {
        let mut picture = photo.clone();
        let middle = width as f32 * (0.62 - 0.35 * before_s);
        for y in height * 6 / 10..height * 9 / 10 {
            for x in 0..width {
                if (x as f32 - middle).abs() < width as f32 / 24.0 {
                    picture.put_pixel(x, y, Rgb([30, 200, (x % 60) as u8]));
                }
            }
        }
        picture
    };
    let burst = burst(with_walker);
    let still = with_walker(0.0);
    let clean = make(&still, Some(&burst), true, Some(1_000)).unwrap();
    let empty = make(&photo, None, false, Some(1_000)).unwrap();
    let with = make(&still, Some(&burst), false, Some(1_000)).unwrap();
    let observed = clean.observed();
    assert!(
        observed.painted_share.expect("a plate") > 0.01,
        "{observed:?}"
    );
    assert!(
        observed.ghost_share.expect("a plate") < 0.002,
        "{observed:?}"
    );
    assert_eq!(with.observed().painted_share, None);
    let psnr_db = |a: &Yuv420, b: &Yuv420| {
        let pairs = a.y.samples.iter().zip(&b.y.samples);
        let error: f64 = pairs.map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2)).sum();
        10.0 * (255.0f64.powi(2) * a.y.samples.len() as f64 / error.max(1.0)).log10()
    };
    let (cleaned, walked) = (
        psnr_db(&clean.still, &empty.still),
        psnr_db(&with.still, &empty.still),
    );
    assert!(
        cleaned >= 36.0 && cleaned > walked + 10.0,
        "{cleaned} dB, {walked} dB before"
    );
    // Where somebody passed nothing moves.
    assert!(open(&with.gate, [0.5, 0.75], [0.62, 0.88]) < 0.05);
}
