use super::*;
use crate::device::camera::{layout::Colour, settle::Frame};

const WIDTH_PX: usize = 1300;
const HEIGHT_PX: usize = 80;

fn layout() -> Layout {
    Layout {
        coding: Coding::Grey,
        width_px: WIDTH_PX,
        height_px: HEIGHT_PX,
        stride_bytes: WIDTH_PX,
        colour: Colour::of(Coding::Grey, 8, 0, 1),
    }
}

/// The frames of a camera of this rate that stamps them from an hour on; those
/// that are `None` came damaged.
struct Stream {
    frame_rate: f64,
    next: u32,
    is_damaged: fn(u32) -> bool,
    /// Frames that are the same one after another.
    same: u32,
    ends_after: u32,
}

impl Stream {
    fn of(frame_rate: f64) -> Self {
        Self {
            frame_rate,
            next: 0,
            is_damaged: |_| false,
            same: 1,
            ends_after: u32::MAX,
        }
    }

    fn seen(&mut self) -> Result<Vec<f32>, String> {
        let rules = Rules {
            warmup: Duration::from_secs(3600),
            frozen_frames: 4,
            burst: 1,
            deadline: Instant::now() + Duration::from_secs(3600),
        };
        let wish = Watch {
            duration: Duration::from_secs(2),
            frame_rate: 12,
        };
        let burst = watch(self, &layout(), &rules, &wish, &Limits::default())
            .map_err(|fault| fault.to_string())?;
        for (jpeg, _) in burst.frames() {
            let picture = still::decode(
                jpeg,
                &Limits {
                    side_px_min: 1,
                    ..Limits::default()
                },
            );
            let picture = picture.unwrap();
            assert_eq!((picture.width_px, picture.height_px), (433, 26));
        }
        Ok(burst.frames().map(|(_, time_s)| time_s).collect())
    }
}

impl Frames for Stream {
    fn newest(&mut self, _deadline: Instant) -> Result<Frame, CameraFault> {
        let index = self.next;
        self.next += 1;
        if index >= self.ends_after {
            return Err(CameraFault::Lost("pulled out".to_owned()));
        }
        let mut bytes = vec![120; WIDTH_PX * HEIGHT_PX];
        bytes[0] = (index / self.same) as u8;
        Ok(Frame {
            bytes,
            is_damaged: (self.is_damaged)(index),
            taken_at: Duration::from_secs_f64(3600.0 + f64::from(index) / self.frame_rate),
        })
    }
}

/// The smallest and the largest step.
fn steps(times_s: &[f32]) -> [f32; 2] {
    let steps = times_s.windows(2).map(|pair| pair[1] - pair[0]);
    steps.fold([f32::INFINITY, 0.0], |[least, most], step| {
        [least.min(step), most.max(step)]
    })
}

#[test]
fn frames_are_kept_at_the_wished_rate_whatever_the_cameras_is() {
    // Of 12 per second in two seconds, 24 and the first; slower ones all.
    for (frame_rate, expected) in [(30.0, 25), (60.0, 25), (25.0, 25), (12.0, 25), (7.5, 16)] {
        let times_s = Stream::of(frame_rate).seen().unwrap();
        assert_eq!(times_s.len(), expected, "{frame_rate}: {times_s:?}");
        assert_eq!(times_s[0], 0.0);
        let [least, most] = steps(&times_s);
        // A frame more or less, and what rounding makes of it.
        let frame_s = 1.01 / frame_rate as f32;
        let wished_s = (1.0 / frame_rate as f32).max(1.0 / 12.0);
        assert!(
            least > wished_s - frame_s && most < wished_s + frame_s,
            "{times_s:?}"
        );
    }
}

#[test]
fn bad_frames_and_repeated_ones_are_left_out() {
    let whole = Stream::of(30.0).seen().unwrap();
    let mut some = Stream::of(30.0);
    some.is_damaged = |index| index % 5 == 3;
    let times_s = some.seen().unwrap();
    // The next good one takes the place of one that is damaged.
    assert_eq!(times_s.len(), whole.len());
    let is_good = |time_s: &f32| (time_s * 30.0).round() as u32 % 5 != 3;
    assert!(
        times_s.iter().all(|time_s| is_good(&(time_s + 5.0 / 30.0))),
        "{times_s:?}"
    );
    // Each twice, as a camera does in the dark that keeps up its rate.
    let mut twice = Stream::of(30.0);
    twice.same = 2;
    assert!(twice.seen().unwrap().len() >= 20);
}

#[test]
fn a_burst_that_fails_says_why() {
    let mut gone = Stream::of(30.0);
    gone.ends_after = 20;
    assert_eq!(gone.seen().unwrap_err(), "lost: pulled out");
    let mut broken = Stream::of(30.0);
    broken.is_damaged = |index| index > 12;
    let said = broken.seen().unwrap_err();
    assert!(said.starts_with("unwatched: burst has "), "{said}");
    assert!(
        said.ends_with("were bad, the last: damaged: the driver marks the frame as faulty)"),
        "{said}"
    );
    let slow = Stream::of(3.0).seen().unwrap_err();
    assert_eq!(
        slow,
        "unwatched: burst has 7 pictures, allowed are 10 to 128"
    );
}
