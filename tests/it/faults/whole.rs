//! Bad answers of a network through the whole pipeline.

use zoetrope::{
    clip::Clip,
    device::h264,
    director::{Measure, Verdict},
    pipeline::{Blame, Job, Onlooker, PipelineError, render},
    request::{JobId, Look, Size},
    scene::{Class, NetworkOutput},
    still::{Limits, Origin},
};

use super::{HEIGHT, Painted, SHAPE, WIDTH};
use crate::{photos, playback::play, support::Folder};

/// Watches nothing.
struct Nobody;

impl Onlooker for Nobody {}

fn make(folder: &Folder, paint: fn(&mut NetworkOutput)) -> Result<Clip, PipelineError> {
    let mut shape = SHAPE;
    shape.size = Some(Size::new(WIDTH, HEIGHT).expect("a legal size"));
    render(
        &Painted(paint),
        &h264::boxed,
        &Job {
            id: &JobId::generate(),
            photo: &photos::png(WIDTH as u32, HEIGHT as u32),
            origin: Origin::File,
            burst: None,
            burst_fault: None,
            clean_plate: false,
            limits: &Limits::default(),
            look: Look::default(),
            shape,
            clip_bytes_max: None,
            threads: None,
            clip_path: &folder.path("clip.mp4"),
        },
        &Nobody,
    )
}

#[test]
fn bad_answers_become_good_clips() {
    let paints: [fn(&mut NetworkOutput); 4] = [
        // Torn, and faster than anything.
        |seen| {
            for (at, flow) in seen.flow_x.samples.iter_mut().enumerate() {
                *flow = if at % WIDTH < WIDTH / 2 { -9.0 } else { 9.0 };
            }
        },
        // Far too large, with a cut through the middle.
        |seen| {
            for plane in &mut seen.spectrum {
                for (at, part) in plane.samples.iter_mut().enumerate() {
                    *part = if at % WIDTH < WIDTH / 2 { 1e9 } else { -1e9 };
                }
            }
        },
        // No numbers here and there.
        |seen| {
            seen.flow_y.samples.fill(0.02);
            seen.flow_y.samples[100..140].fill(f32::NAN);
            seen.spectrum[3].samples[900..940].fill(f32::INFINITY);
        },
        // Light of a fire all over a wall.
        |seen| {
            seen.classes
                .swap(Class::Rigid as usize, Class::WaterStill as usize);
            seen.light.samples.fill(7.0);
        },
    ];
    for (index, paint) in paints.into_iter().enumerate() {
        let folder = Folder::new();
        let clip = make(&folder, paint).unwrap_or_else(|error| panic!("{index}: {error}"));
        let report = &clip.report;
        assert!(report.complaints().is_empty(), "{index}: {report}");
        // Amplitudes are held by the motion itself, before any director.
        let verdict = [
            Verdict::Calmed,
            Verdict::Good,
            Verdict::Calmed,
            Verdict::Calmed,
        ][index];
        assert_eq!(report.verdict(), verdict, "{index}: {report}");
        assert_eq!(play(&clip.path).frames.len(), SHAPE.frame_count() as usize);
        assert_eq!(folder.names(), ["clip.mp4"]);
    }
}

#[test]
fn a_refusal_names_its_figures_and_leaves_no_file() {
    let folder = Folder::new();
    let error = make(&folder, |seen| seen.spectrum[0].samples.fill(f32::NAN)).unwrap_err();
    assert_eq!((error.code(), error.blame()), ("refused", Blame::Device));
    let said = error.to_string();
    assert!(
        said.contains("unusable is 1.000, allowed is at most 0.1"),
        "{said}"
    );
    let PipelineError::Director(refusal) = error else {
        panic!("{said}");
    };
    assert_eq!(refusal.report.value(Measure::Unusable), 1.0);
    assert!(folder.names().is_empty(), "{:?}", folder.names());
}
