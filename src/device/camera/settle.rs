//! Which frame of a stream is the still.
//!
//! A camera that has just been opened sends frames that are dark, too bright or
//! cut off. Frames are looked at one by one until the exposure stands still,
//! bad ones left out; what is wrong with them is the reason when none is good.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::{
    fault::{CameraFault, Rejection},
    jpeg,
    layout::{Coding, Layout},
};

/// Frames over which the exposure has to stand still …
const STEADY_FRAMES: usize = 6;
/// … and by how many of 255 levels the mean luma may differ among them; the
/// noise of a sensor moves it by some tenths, an exposure that adapts by several
/// levels a frame.
const STEADY_LEVELS: f32 = 2.0;
/// Good frames after which the picture is taken although the exposure moves: in
/// a scene with moving lights it never stands still.
const WARMUP_FRAMES_MAX: u32 = 120;
/// Bad frames in a row after which no good one is waited for, once the time for
/// warming up is over.
const BAD_FRAMES_MAX: u32 = 30;
/// Frames that are looked at, whatever they are.
const FRAMES_MAX: u32 = 20_000;
/// Luma up to which a pixel is black: a covered sensor's noise stays below.
const BLACK_LEVEL: usize = 32;
/// A picture has as many brighter pixels, in a million; a street at night has a
/// hundred times more.
const BRIGHT_PPM_MIN: u32 = 1000;
/// Rows and columns that are looked at for luma, about.
const SAMPLED_SIDE: usize = 240;

/// A frame as the driver hands it out.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) bytes: Vec<u8>,
    /// The driver says that something is missing.
    pub(super) is_damaged: bool,
    /// When it was taken, by a clock that begins anywhere.
    pub(super) taken_at: Duration,
}

/// Where frames come from.
pub(super) trait Frames {
    /// The newest frame that there is; one is waited for if need be, until
    /// `deadline` at most.
    fn newest(&mut self, deadline: Instant) -> Result<Frame, CameraFault>;
}

/// How a still is chosen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// Time that the exposure has to settle.
    pub(super) warmup: Duration,
    /// Identical frames that count as frozen; 0 for never.
    pub(super) frozen_frames: u32,
    /// Good frames that are wanted.
    pub(super) burst: usize,
    /// When it must be done.
    pub(super) deadline: Instant,
}

/// The frames of the still, in order, whole and each looked at.
pub(super) fn take(
    frames: &mut dyn Frames,
    layout: &Layout,
    rules: &Rules,
) -> Result<Vec<Vec<u8>>, CameraFault> {
    let warm_at = Instant::now() + rules.warmup;
    let mut judge = Judge::new(*layout, rules.frozen_frames);
    let mut exposure = Exposure::default();
    let mut taken = Vec::new();
    let (mut bad, mut bad_in_a_row) = (0, 0);
    let mut last = None;
    for seen in 1..=FRAMES_MAX {
        let frame = match (frames.newest(rules.deadline), &last) {
            (Ok(frame), _) => frame,
            // Frames came until the end, none of them good.
            (Err(CameraFault::Timeout { .. }), Some(last)) if Instant::now() >= rules.deadline => {
                return Err(rejected(last, seen - 1, bad));
            }
            (Err(fault), _) => return Err(fault),
        };
        let is_warm = Instant::now() >= warm_at;
        let good = match judge.look(frame) {
            Ok(good) => good,
            Err(rejection) => {
                bad += 1;
                bad_in_a_row += 1;
                if bad_in_a_row >= BAD_FRAMES_MAX && is_warm {
                    return Err(rejected(&rejection, seen, bad));
                }
                last = Some(rejection);
                continue;
            }
        };
        bad_in_a_row = 0;
        exposure.saw(good.mean_luma);
        if taken.is_empty() && !(judge.is_alive() && (is_warm || exposure.has_settled())) {
            continue;
        }
        taken.push(good.bytes);
        if taken.len() >= rules.burst {
            return Ok(taken);
        }
    }
    Err(CameraFault::Failed(format!(
        "{FRAMES_MAX} frames came and no still was among them"
    )))
}

fn rejected(last: &Rejection, seen: u32, bad: u32) -> CameraFault {
    CameraFault::Rejected {
        last: last.clone(),
        seen,
        bad,
    }
}

/// Finds out whether the exposure stands still.
#[derive(Default)]
struct Exposure {
    lately: VecDeque<f32>,
    count: u32,
}

impl Exposure {
    fn saw(&mut self, mean_luma: f32) {
        self.count += 1;
        self.lately.push_back(mean_luma);
        if self.lately.len() > STEADY_FRAMES {
            self.lately.pop_front();
        }
    }

    fn has_settled(&self) -> bool {
        let low = self.lately.iter().copied().fold(f32::INFINITY, f32::min);
        let high = self.lately.iter().copied().fold(0.0, f32::max);
        let is_steady = self.lately.len() >= STEADY_FRAMES && high - low <= STEADY_LEVELS;
        is_steady || self.count >= WARMUP_FRAMES_MAX
    }
}

/// A frame that is a picture.
#[derive(Debug)]
pub(super) struct Good {
    pub(super) bytes: Vec<u8>,
    /// 0 to 255.
    mean_luma: f32,
}

/// Tells good frames from bad ones.
pub(super) struct Judge {
    layout: Layout,
    frozen_frames: u32,
    step: usize,
    previous: Vec<u8>,
    /// Frames in a row that are the same, the previous one included.
    same: u32,
    /// The previous frame differed from the one before it.
    has_changed: bool,
}

impl Judge {
    pub(super) fn new(layout: Layout, frozen_frames: u32) -> Self {
        Self {
            layout,
            frozen_frames,
            step: (layout.width_px.min(layout.height_px) / SAMPLED_SIDE).max(1),
            previous: Vec::new(),
            same: 0,
            has_changed: false,
        }
    }

    /// Whether the last two frames have differed; not asked of test pictures.
    pub(super) fn is_alive(&self) -> bool {
        self.frozen_frames == 0 || self.has_changed
    }

    pub(super) fn look(&mut self, frame: Frame) -> Result<Good, Rejection> {
        if frame.is_damaged {
            return Err(Rejection::Damaged);
        }
        let (bytes, counts) = self.whole(frame.bytes)?;
        let total: u32 = counts.iter().sum();
        let bright: u32 = counts[BLACK_LEVEL + 1..].iter().sum();
        let bright_ppm = (u64::from(bright) * 1_000_000 / u64::from(total.max(1))) as u32;
        // A black picture is often the same again and again, and black is what
        // helps to find out why.
        if bright_ppm < BRIGHT_PPM_MIN {
            return Err(Rejection::Black {
                bright_ppm,
                bright_ppm_min: BRIGHT_PPM_MIN,
            });
        }
        self.compare(&bytes)?;
        let sum: f32 = counts
            .iter()
            .enumerate()
            .map(|(level, &count)| level as f32 * count as f32)
            .sum();
        Ok(Good {
            bytes,
            mean_luma: sum / total.max(1) as f32,
        })
    }

    /// What of the frame is picture, if it is whole, and its levels of luma.
    fn whole(&self, mut bytes: Vec<u8>) -> Result<(Vec<u8>, [u32; 256]), Rejection> {
        if self.layout.coding == Coding::Jpeg {
            let jpeg = jpeg::with_tables(jpeg::whole(&bytes)?);
            let agreed_px = [self.layout.width_px, self.layout.height_px];
            let counts = jpeg::levels(&jpeg, agreed_px, self.step)?;
            return Ok((jpeg, counts));
        }
        let bytes_min = self.layout.bytes_min();
        if bytes.len() < bytes_min {
            return Err(Rejection::Short {
                bytes: bytes.len(),
                bytes_min,
            });
        }
        bytes.truncate(bytes_min);
        let counts = self.layout.levels(&bytes, self.step);
        Ok((bytes, counts))
    }

    /// No two frames of a sensor are the same, bit by bit.
    fn compare(&mut self, bytes: &[u8]) -> Result<(), Rejection> {
        if bytes == self.previous {
            self.same += 1;
            self.has_changed = false;
        } else {
            self.has_changed = self.same > 0;
            self.same = 1;
            bytes.clone_into(&mut self.previous);
        }
        if self.frozen_frames > 0 && self.same >= self.frozen_frames {
            return Err(Rejection::Frozen { count: self.same });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
