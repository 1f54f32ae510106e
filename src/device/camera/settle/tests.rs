use super::*;
use crate::device::camera::layout::Colour;

const SIDE_PX: usize = 8;

fn layout(coding: Coding) -> Layout {
    let mut layout = Layout {
        coding,
        width_px: SIDE_PX,
        height_px: SIDE_PX,
        stride_bytes: 0,
        colour: Colour::of(coding, 8, 0, 1),
    };
    layout.stride_bytes = layout.row_bytes();
    layout
}

/// A grey frame with one pixel that differs.
fn grey(level: u8, odd: u8) -> Frame {
    let mut bytes = vec![level; SIDE_PX * SIDE_PX];
    bytes[0] = odd;
    Frame {
        bytes,
        is_damaged: false,
        taken_at: Duration::ZERO,
    }
}

/// Hands out frames as they are listed, then has no more.
struct Script(std::vec::IntoIter<Frame>);

impl Script {
    fn of(frames: impl IntoIterator<Item = Frame>) -> Self {
        Self(frames.into_iter().collect::<Vec<_>>().into_iter())
    }
}

impl Frames for Script {
    fn newest(&mut self, _deadline: Instant) -> Result<Frame, CameraFault> {
        self.0.next().ok_or(CameraFault::Timeout {
            waited_ms: 0,
            seen: 0,
        })
    }
}

/// Rules by which the exposure has all the time there is.
fn patient() -> Rules {
    Rules {
        warmup: Duration::from_secs(3600),
        frozen_frames: 4,
        burst: 1,
        deadline: Instant::now() + Duration::from_secs(3600),
    }
}

/// Rules by which nothing is waited for.
fn hasty() -> Rules {
    Rules {
        warmup: Duration::ZERO,
        ..patient()
    }
}

fn taken(frames: Vec<Frame>, rules: &Rules) -> Result<Vec<Vec<u8>>, CameraFault> {
    take(&mut Script::of(frames), &layout(Coding::Grey), rules)
}

fn reason(frames: Vec<Frame>, coding: Coding) -> String {
    let fault = take(&mut Script::of(frames), &layout(coding), &hasty());
    fault.unwrap_err().to_string()
}

#[test]
fn frames_are_skipped_until_the_exposure_stands_still() {
    let rising = (0..20u8).map(|at| grey(40 + at * 8, at));
    let steady = (0..20u8).map(|at| grey(200, 100 + at));
    let frames: Vec<Frame> = rising.chain(steady).collect();
    let still = taken(frames.clone(), &patient()).unwrap();
    // The sixth of the frames of which the means are within two levels: the
    // first of them is the last that rose, at 192, and too far away.
    assert_eq!(still, [frames[25].bytes.clone()]);
}

#[test]
fn an_exposure_that_never_settles_is_not_waited_for_for_ever() {
    let restless = (0..400u32).map(|at| grey(if at % 2 == 0 { 50 } else { 90 }, at as u8));
    let frames: Vec<Frame> = restless.collect();
    let still = taken(frames.clone(), &patient()).unwrap();
    assert_eq!(
        still,
        [frames[WARMUP_FRAMES_MAX as usize - 1].bytes.clone()]
    );
    // Time ends it as well: two frames are needed to know that it is alive.
    let still = taken(frames.clone(), &hasty()).unwrap();
    assert_eq!(still, [frames[1].bytes.clone()]);
}

#[test]
fn a_burst_is_the_frames_that_follow() {
    let frames: Vec<Frame> = (0..40u8).map(|at| grey(100, at + 50)).collect();
    let rules = Rules {
        burst: 3,
        ..patient()
    };
    let still = taken(frames.clone(), &rules).unwrap();
    let expected: Vec<Vec<u8>> = frames[5..8]
        .iter()
        .map(|frame| frame.bytes.clone())
        .collect();
    assert_eq!(still, expected);
}

#[test]
fn a_few_bad_frames_do_no_harm() {
    let mut frames: Vec<Frame> = (0..20u8).map(|at| grey(100, at + 50)).collect();
    frames[0].bytes.truncate(10);
    frames[1].is_damaged = true;
    frames[2] = grey(0, 0);
    let still = taken(frames.clone(), &patient()).unwrap();
    assert_eq!(still, [frames[8].bytes.clone()]);
}

#[test]
fn black_short_and_damaged_frames_are_refused_with_their_reason() {
    let black = (0..40u8).map(|at| grey(at % 20, 0)).collect();
    assert_eq!(
        reason(black, Coding::Grey),
        "black: 0 of a million pixels are brighter than black, needed are 1000 \
         (30 frames came, 30 of them bad)"
    );
    let short = vec![
        Frame {
            bytes: vec![100; 63],
            is_damaged: false,
            taken_at: Duration::ZERO,
        };
        40
    ];
    assert_eq!(
        reason(short, Coding::Grey),
        "short: the frame has 63 bytes, 64 are needed (30 frames came, 30 of them bad)"
    );
    let damaged = vec![
        Frame {
            bytes: vec![100; 64],
            is_damaged: true,
            taken_at: Duration::ZERO,
        };
        40
    ];
    assert!(
        reason(damaged, Coding::Grey).starts_with("damaged: the driver marks the frame as faulty")
    );
}

#[test]
fn jpegs_are_refused_with_their_reason() {
    let of = |bytes: Vec<u8>| {
        vec![
            Frame {
                bytes,
                is_damaged: false,
                taken_at: Duration::ZERO,
            };
            40
        ]
    };
    let mut cut = vec![0xff, 0xd8];
    cut.resize(500, 7);
    let said = reason(of(cut.clone()), Coding::Jpeg);
    assert!(said.starts_with("truncated: the JPEG of 500 bytes has no end marker"));
    cut.extend([0xff, 0xd9]);
    let said = reason(of(cut), Coding::Jpeg);
    assert!(said.starts_with("undecodable: "), "{said}");
    assert!(reason(of(vec![0; 9]), Coding::Jpeg).starts_with("short: the frame has 9 bytes"));
}

#[test]
fn a_frozen_camera_is_found_out() {
    let said = reason(vec![grey(100, 0); 40], Coding::Grey);
    assert_eq!(
        said,
        "frozen: 33 frames in a row are identical (33 frames came, 30 of them bad)"
    );
    // Also one that was alive before …
    let mut frames: Vec<Frame> = (0..4u8).map(|at| grey(100, at)).collect();
    frames.extend(vec![grey(100, 3); 60]);
    let fault = taken(frames.clone(), &patient()).unwrap_err();
    assert!(matches!(fault, CameraFault::Timeout { .. }), "{fault}");
    // … but not one that shows a test picture, where that is configured.
    let rules = Rules {
        frozen_frames: 0,
        ..patient()
    };
    assert!(taken(vec![grey(100, 0); 40], &rules).is_ok());
}

#[test]
fn a_camera_that_wakes_up_is_taken() {
    let mut frames = vec![grey(100, 0); 25];
    frames.extend((1..20u8).map(|at| grey(100, at)));
    let still = taken(frames.clone(), &patient()).unwrap();
    assert_eq!(still, [frames[27].bytes.clone()]);
}

#[test]
fn when_time_is_up_what_was_wrong_is_said() {
    let rules = Rules {
        deadline: Instant::now(),
        ..patient()
    };
    let fault = taken(vec![grey(0, 0); 5], &rules).unwrap_err().to_string();
    assert!(
        fault.starts_with("black: 0 of") && fault.ends_with("(5 frames came, 5 of them bad)"),
        "{fault}"
    );
}
