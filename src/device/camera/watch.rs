//! What a camera sees for a few seconds before a still.
//!
//! Frames of a stream whose exposure stands still, as often as is wished by the
//! kernel's own stamps, bad ones left out. Each is made small as it comes: what
//! moves is measured at a few hundred pixels, and memory is short on a board.

use std::time::{Duration, Instant};

use super::{
    Picture,
    choice::PREVIEW_WIDTH_PX,
    fault::{CameraFault, Rejection},
    layout::{Coding, Layout},
    pixels,
    settle::{self, Frames, Judge, Rules},
};
use crate::{
    burst::Burst,
    config::Watch,
    still::{self, Limits},
};

/// By how much of their distance frames may be early: cameras and wishes have
/// different rates, and the nearest frame is the one that is wanted.
const EARLY: f64 = 0.25;

/// The frames of the burst, of a stream that has just begun.
///
/// # Errors
/// [`CameraFault::Unwatched`] if what came is none, and those of the stream.
pub(super) fn watch(
    frames: &mut dyn Frames,
    layout: &Layout,
    rules: &Rules,
    watch: &Watch,
    limits: &Limits,
) -> Result<Burst, CameraFault> {
    settle::take(frames, layout, rules)?;
    let mut judge = Judge::new(*layout, rules.frozen_frames);
    let mut pace = Pace::of(f64::from(watch.frame_rate));
    let mut bad = Bad::default();
    let (mut pictures, mut times_s) = (Vec::new(), Vec::new());
    // Bounded by our own clock too, whatever the stamps are.
    let until = (Instant::now() + watch.duration + SLACK).min(rules.deadline + watch.duration);
    while Instant::now() < until {
        let frame = match frames.newest(until) {
            Ok(frame) => frame,
            Err(CameraFault::Timeout { .. }) if Instant::now() >= until => break,
            Err(fault) => return Err(fault),
        };
        let since = pace.since_first(frame.taken_at);
        if since > watch.duration {
            break;
        }
        if !pace.is_due(since) {
            continue;
        }
        let good = match judge.look(frame) {
            Ok(good) => good,
            Err(rejection) => {
                bad.saw(rejection);
                continue;
            }
        };
        // A frame that is handed out twice shows no time between the two.
        if !(pictures.is_empty() || judge.is_alive()) {
            continue;
        }
        pace.took(since);
        pictures.push(small_jpeg(good.bytes, layout, limits)?);
        times_s.push(since.as_secs_f32());
    }
    Burst::new(pictures, times_s).map_err(|error| CameraFault::Unwatched(bad.said_with(&error)))
}

/// Time beyond the watch's own within which its last frame has to come.
const SLACK: Duration = Duration::from_secs(1);

/// Which frames of a stream are kept.
struct Pace {
    frame_rate: f64,
    first: Option<Duration>,
    /// Next place in a burst of the wished rate.
    next: u64,
}

impl Pace {
    fn of(frame_rate: f64) -> Self {
        Self {
            frame_rate,
            first: None,
            next: 0,
        }
    }

    fn since_first(&mut self, taken_at: Duration) -> Duration {
        let first = *self.first.get_or_insert(taken_at);
        taken_at.saturating_sub(first)
    }

    fn place(&self, since: Duration) -> u64 {
        (since.as_secs_f64() * self.frame_rate + EARLY) as u64
    }

    fn is_due(&self, since: Duration) -> bool {
        self.place(since) >= self.next
    }

    fn took(&mut self, since: Duration) {
        self.next = self.place(since) + 1;
    }
}

/// Frames that were left out.
#[derive(Default)]
struct Bad {
    count: u32,
    last: Option<Rejection>,
}

impl Bad {
    fn saw(&mut self, rejection: Rejection) {
        self.count += 1;
        self.last = Some(rejection);
    }

    fn said_with(&self, error: &dyn std::fmt::Display) -> String {
        match &self.last {
            Some(last) => format!("{error} ({} were bad, the last: {last})", self.count),
            None => error.to_string(),
        }
    }
}

/// The frame as a JPEG of at most [`PREVIEW_WIDTH_PX`].
fn small_jpeg(frame: Vec<u8>, layout: &Layout, limits: &Limits) -> Result<Vec<u8>, CameraFault> {
    let failed = |error: &dyn std::fmt::Display| CameraFault::Unwatched(error.to_string());
    let is_small = layout.width_px <= PREVIEW_WIDTH_PX as usize;
    let rgb = match layout.coding {
        Coding::Jpeg if is_small => return Ok(frame),
        Coding::Jpeg => still::decode(&frame, limits).map_err(|error| failed(&error))?,
        _ => pixels::to_rgb(&frame, layout),
    };
    let rgb = pixels::reduced(rgb, PREVIEW_WIDTH_PX as usize);
    let jpeg = Picture::Pixels(rgb).into_jpeg();
    jpeg.map_err(|error| failed(&error))
}

#[cfg(test)]
mod tests;
