//! Motion fields of every bad kind: the director catches them, and the clip is
//! within the bounds in the end or refused.

mod any;
mod whole;

use std::sync::OnceLock;

use zoetrope::{
    director::{Director, Measure, Refusal, Report, Script, Verdict},
    frames::{Frame, Renderer},
    motion::{Harmonic, Motion},
    picture::{Plane, Rgb, Yuv420, smooth_noise},
    request::{Look, Shape, Size},
    scene::{
        CLASS_COUNT, Class, HARMONIC_COUNT, Network, NetworkCard, NetworkError, NetworkInput,
        NetworkOutput, Profile, Scene,
    },
    still::{Origin, Still},
};

const WIDTH: usize = 96;
const HEIGHT: usize = 64;
/// One cell of the motion for each pixel of the clip, or nothing could fold:
/// motion is smoothed over a few cells, and farther apart than it ever goes.
const PROFILE: Profile = Profile {
    width_px: 4 * WIDTH,
    height_px: 4 * HEIGHT,
};
const GRID: (usize, usize) = (WIDTH, HEIGHT);
const SHAPE: Shape = Shape {
    size: None,
    duration_ms: Some(2_000),
    frame_rate: 12,
};

/// A network that sees water everywhere, and says of it what a test wants.
struct Painted(fn(&mut NetworkOutput));

impl Network for Painted {
    fn card(&self) -> &NetworkCard {
        static CARD: OnceLock<NetworkCard> = OnceLock::new();
        CARD.get_or_init(|| NetworkCard {
            name: "painted".to_owned(),
            sha256: String::new(),
        })
    }

    fn profiles(&self) -> &[Profile] {
        &[PROFILE]
    }

    fn infer(&self, _: &NetworkInput) -> Result<NetworkOutput, NetworkError> {
        let plane = |value| Plane::filled(GRID.0, GRID.1, value);
        let mut classes = vec![plane(0.0); CLASS_COUNT];
        classes[Class::WaterStill as usize] = plane(1.0);
        let mut seen = NetworkOutput {
            classes,
            mobility: plane(1.0),
            depth: plane(0.5),
            flow_x: plane(0.0),
            flow_y: plane(0.0),
            flow_confidence: plane(1.0),
            spectrum: vec![plane(0.0); 4 * HARMONIC_COUNT],
            light: plane(0.0),
        };
        (self.0)(&mut seen);
        Ok(seen)
    }
}

/// A photograph with texture of every size, brighter to the right.
fn photo() -> Rgb {
    let mut rng = fastrand::Rng::with_seed(3);
    let [coarse, fine] = [20.0, 3.0].map(|period| smooth_noise(WIDTH, HEIGHT, period, &mut rng));
    let bytes = (0..WIDTH * HEIGHT).flat_map(|at| {
        let light = 90.0 + 70.0 * (at % WIDTH) as f32 / WIDTH as f32;
        let grey = light + 30.0 * coarse.samples[at] + 25.0 * fine.samples[at];
        [grey * 0.9, grey, grey * 1.1].map(|value| value.clamp(0.0, 255.0) as u8)
    });
    Rgb {
        width_px: WIDTH,
        height_px: HEIGHT,
        bytes: bytes.collect(),
    }
}

fn scene() -> Scene {
    let size = Size::new(WIDTH, HEIGHT).expect("a legal size");
    let still = Still::compose(&photo(), size, Origin::File);
    Scene::look(&Painted(|_| {}), still, &Look::default()).expect("a scene")
}

/// Nothing moves, everything may.
fn rest() -> Motion {
    let plane = |value| Plane::filled(GRID.0, GRID.1, value);
    Motion {
        gate: plane(1.0),
        matte: plane(1.0),
        flow_x: plane(0.0),
        flow_y: plane(0.0),
        harmonics: vec![Plane::filled(GRID.0, GRID.1, Harmonic::default()); HARMONIC_COUNT],
        turns: [1, 2, 3, 4, 5, 6, 7, 8],
        light: plane(0.0),
        phase: plane(0.0),
        is_breath: false,
    }
}

/// A gentle sway to the right, with its wave running down the picture.
fn sway(widths: impl Fn(usize, usize) -> f32) -> Motion {
    let mut motion = rest();
    motion.harmonics[0] = Plane::from_fn(GRID.0, GRID.1, |x, y| {
        let (sine, cosine) = (0.08 * y as f32).sin_cos();
        let widths = widths(x, y);
        Harmonic {
            x: [widths * cosine, widths * sine],
            y: [0.0; 2],
        }
    });
    motion
}

struct Filmed {
    report: Report,
    frames: Vec<Yuv420>,
    renderer: Renderer,
}

/// What the pipeline does, without encoding; `tamper` is a fault of the
/// renderer.
fn film(motion: Motion, tamper: impl Fn(&mut Frame, &Renderer)) -> Result<Filmed, Refusal> {
    film_of(SHAPE, motion, tamper)
}

fn film_of(
    shape: Shape,
    motion: Motion,
    tamper: impl Fn(&mut Frame, &Renderer),
) -> Result<Filmed, Refusal> {
    let scene = scene();
    let mut script = Script::new(&scene, motion, shape, Look::default());
    loop {
        let renderer = script.rehearse()?;
        let (report, frames) = {
            let director = Director::new(&scene.still.planes, &renderer);
            let mut watcher = director.watcher();
            let mut frames = Vec::new();
            let mut frame = renderer.blank();
            for index in 0..renderer.frame_count() {
                renderer.draw(index, &mut frame);
                let mut shown = frame.clone();
                tamper(&mut shown, &renderer);
                watcher.watch(&shown);
                frames.push(shown.planes);
            }
            (script.judge(&director, watcher.seen())?, frames)
        };
        if let Some(report) = report {
            return Ok(Filmed {
                report,
                frames,
                renderer,
            });
        }
    }
}

fn honest(motion: Motion) -> Result<Filmed, Refusal> {
    film(motion, |_, _| {})
}

/// Measures the clip once more, in the plainest way.
#[track_caller]
fn check(filmed: &Filmed) {
    let Filmed {
        report,
        frames,
        renderer,
    } = filmed;
    assert!(report.complaints().is_empty(), "{report}");
    let still = &scene().still.planes;
    assert_eq!(&frames[0], &**still);
    let difference = |a: &Yuv420, b: &Yuv420| -> f64 {
        let rows = (0..HEIGHT)
            .step_by(2)
            .flat_map(|y| a.y.row(y).iter().zip(b.y.row(y)));
        rows.map(|(a, b)| f64::from(a.abs_diff(*b))).sum()
    };
    let mut steps: Vec<f64> = frames
        .windows(2)
        .map(|pair| difference(&pair[0], &pair[1]))
        .collect();
    steps.sort_by(f64::total_cmp);
    let seam = difference(&frames[frames.len() - 1], &frames[0]);
    let median = steps[steps.len() / 2];
    // What cannot be seen is not judged: a twentieth of a grey level where it moves.
    let moving = (WIDTH * HEIGHT / 2) as f64 * f64::from(report.moving_share);
    if median > 0.05 * moving {
        let ratio = seam / median;
        assert!((0.79..1.21).contains(&ratio), "seam {ratio}, {report}");
    }
    for frame in frames {
        for (at, luma) in frame.y.samples.iter().enumerate() {
            let (x, y) = (at % WIDTH, at / WIDTH);
            if !renderer.active_tiles().at(x / 16, y / 16) {
                assert_eq!(*luma, still.y.samples[at], "{x}, {y}");
            }
        }
    }
    for moment in 1..12 {
        let displacement = renderer.displacement(moment as f32 / 12.0);
        let mut samples = displacement.iter().flat_map(|plane| &plane.samples);
        assert!(samples.all(|moved| moved.abs() < 0.2 * WIDTH as f32));
    }
}

#[test]
fn a_gentle_motion_passes_as_it_is() {
    let filmed = honest(sway(|_, _| 0.008)).unwrap();
    check(&filmed);
    assert_eq!(filmed.report.verdict(), Verdict::Good, "{}", filmed.report);
    assert!(filmed.report.moving_share > 0.9);
    assert_eq!(filmed.report.attempts, 1);
}

/// The motion is mended: less of it somewhere, and all bounds kept.
#[track_caller]
fn is_calmed(motion: Motion) -> Report {
    let filmed = honest(motion).unwrap();
    check(&filmed);
    assert_eq!(
        filmed.report.verdict(),
        Verdict::Calmed,
        "{}",
        filmed.report
    );
    filmed.report
}

#[test]
fn a_motion_that_folds_the_picture_is_calmed_where_it_does() {
    // Two streams run into each other.
    let mut motion = rest();
    motion.flow_x = Plane::from_fn(GRID.0, GRID.1, |x, _| if x < 52 { 0.12 } else { -0.12 });
    let report = is_calmed(motion);
    assert!(report.value(Measure::Fold) >= 0.1, "{report}");
    assert!(report.moving_share > 0.5, "{report}");
}

#[test]
fn a_tear_is_calmed() {
    // Two streams run away from each other.
    let mut motion = rest();
    motion.flow_x = Plane::from_fn(GRID.0, GRID.1, |x, _| if x < 52 { -0.12 } else { 0.12 });
    let report = is_calmed(motion);
    assert!(report.value(Measure::Stretch) >= 0.2, "{report}");
    assert!(report.moving_share > 0.5, "{report}");
}

#[test]
fn a_huge_motion_is_brought_back() {
    for size in [1.0, 1e6, f32::MAX] {
        let report = is_calmed(sway(|_, _| size));
        assert!(report.calmed_share > 0.9, "{report}");
        let mut motion = rest();
        motion.flow_x.samples.fill(size);
        is_calmed(motion);
    }
}

#[test]
fn what_is_no_number_is_stilled_and_much_of_it_refused() {
    for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let patch = |x: usize, y: usize, most: usize| x < most && (16..32).contains(&y);
        let mut motion = sway(|x, y| if patch(x, y, 24) { wrong } else { 0.008 });
        motion.gate.samples[40] = wrong;
        motion.light.samples[50] = wrong;
        motion.phase.samples[60] = wrong;
        let report = is_calmed(motion);
        assert!(report.value(Measure::Unusable) > 0.06, "{report}");
        let refusal = honest(sway(|x, y| if patch(x, y, 96) { wrong } else { 0.008 }));
        let refusal = refusal.err().expect("a quarter is no number");
        assert!(refusal.is_ours());
        assert_eq!(refusal.report.attempts, 0);
        assert!(
            refusal.to_string().contains("unusable is 0.25"),
            "{refusal}"
        );
    }
}

#[test]
fn a_gain_that_flickers_is_dimmed() {
    for gain in [1.0, 60.0] {
        let mut motion = rest();
        motion.light.samples.fill(gain);
        // Nothing moves but the light.
        motion.gate.samples.fill(0.0);
        let report = is_calmed(motion);
        assert!(report.attempts > 1, "{report}");
    }
}

#[test]
fn regions_that_run_out_of_step_are_brought_back() {
    let mut motion = rest();
    motion.flow_x.samples.fill(0.03);
    motion.phase = Plane::from_fn(GRID.0, GRID.1, |x, _| 9.0 * (x as f32 - 48.0));
    check(&honest(motion).unwrap());
}

#[track_caller]
fn is_refused_for(measure: Measure, tamper: impl Fn(&mut Frame, &Renderer)) -> Refusal {
    let refusal = film(sway(|_, _| 0.008), tamper).err().expect("a refusal");
    let faults: Vec<_> = refusal.report.faults().collect();
    assert!(faults.contains(&measure), "{refusal}");
    assert_eq!(refusal.report.verdict(), Verdict::Refused);
    assert!(refusal.to_string().contains(measure.name()), "{refusal}");
    refusal
}

/// Changes every luma sample of the tiles that move.
fn change_luma(frame: &mut Frame, renderer: &Renderer, change: impl Fn(u8) -> u8) {
    for (column, row) in renderer.moving_tiles() {
        for y in row * 16..(row + 1) * 16 {
            for sample in &mut frame.planes.y.row_mut(y)[column * 16..(column + 1) * 16] {
                *sample = change(*sample);
            }
        }
    }
}

#[test]
fn a_loop_that_does_not_close_is_refused() {
    // Every frame a little brighter than the last, and back at the seam.
    let refusal = is_refused_for(Measure::Seam, |frame, renderer| {
        let by = frame.index as u8;
        change_luma(frame, renderer, |luma| luma.saturating_add(by));
    });
    assert!(!refusal.is_ours(), "{refusal}");
    assert!(refusal.report.attempts > 1, "{refusal}");
}

#[test]
fn the_seam_of_a_few_frames_is_like_any_of_their_steps() {
    let few = Shape {
        duration_ms: Some(500),
        ..SHAPE
    };
    let motion = || sway(|_, _| 0.008);
    let filmed = film_of(few, motion(), |_, _| {}).unwrap();
    assert_eq!(filmed.frames.len(), 6);
    let filmed = film_of(few, motion(), |frame, renderer| {
        let by = 4 * frame.index as u8;
        change_luma(frame, renderer, |luma| luma.saturating_add(by));
    });
    let refusal = filmed.err().expect("no loop");
    assert!(!refusal.report.admits(Measure::Seam), "{refusal}");
}

#[test]
fn a_picture_that_loses_its_colour_or_its_detail_is_refused() {
    is_refused_for(Measure::ColourDrift, |frame, renderer| {
        let by = 8 * u8::from(frame.index == 4);
        change_luma(frame, renderer, |luma| luma - by);
    });
    is_refused_for(Measure::DetailContrast, |frame, renderer| {
        if frame.index % 5 == 1 {
            change_luma(frame, renderer, |luma| 120 + (luma - 16) / 16);
        }
    });
}

#[test]
fn what_may_never_happen_is_our_own_fault_and_not_tried_again() {
    let refusal = is_refused_for(Measure::FirstFrame, |frame, _| {
        if frame.index == 0 {
            frame.planes.u.samples[7] ^= 1;
        }
    });
    assert!(refusal.is_ours());
    assert_eq!(refusal.report.attempts, 1);
    let mut motion = sway(|_, _| 0.008);
    motion.gate = Plane::from_fn(GRID.0, GRID.1, |x, _| f32::from(u8::from(x > 40)));
    let leak = film(motion, |frame, renderer| {
        assert!(!renderer.active_tiles().at(0, 0));
        frame.planes.y.samples[3] ^= u8::from(frame.index >= 5);
    });
    let refusal = leak.err().expect("a leak");
    assert!(refusal.report.value(Measure::StaticLeaks) >= 1.0);
    assert!(refusal.is_ours());
}
