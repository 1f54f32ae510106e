//! What the camera saw just before the still: a few seconds of the same scene in
//! the same framing, picture by picture, so that what moves can be measured.
//!
//! Pictures stay encoded here, as they came; [`crate::observation`] decodes them.

mod jpegs;

use std::cmp::Ordering;

pub use jpegs::{Jpegs, JpegsError, jpegs};

/// Fewest pictures from which a motion can be told.
pub const FRAMES_MIN: usize = 10;
/// Most pictures; what is between 2 and 4 s at up to 30 frames/s.
pub const FRAMES_MAX: usize = 128;
/// Shortest burst, in seconds, first picture to last: half a turn of slow leaves.
pub const SPAN_S_MIN: f32 = 1.0;
/// Longest burst, in seconds.
pub const SPAN_S_MAX: f32 = 12.0;
/// Fewest pictures a second: below, what moves cannot be followed.
pub const FRAME_RATE_MIN: f32 = 5.0;
/// Most pictures a second.
pub const FRAME_RATE_MAX: f32 = 60.0;

/// Encoded pictures (JPEG, PNG or WebP) in the order of time, all of them before
/// the still; within the limits of this module.
#[derive(Clone, Debug, PartialEq)]
pub struct Burst {
    frames: Vec<Vec<u8>>,
    times_s: Vec<f32>,
}

impl Burst {
    /// Pictures and the moments at which they were taken, in seconds from any
    /// start.
    ///
    /// # Errors
    /// [`BurstError`] names the first limit that is not kept.
    pub fn new(frames: Vec<Vec<u8>>, times_s: Vec<f32>) -> Result<Self, BurstError> {
        if frames.len() != times_s.len() {
            return Err(BurstError::Frames {
                frames: frames.len(),
            });
        }
        check(&times_s)?;
        Ok(Self { frames, times_s })
    }

    /// Pictures that were taken at an even rate, in frames per second.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn at_rate(frames: Vec<Vec<u8>>, frame_rate: f32) -> Result<Self, BurstError> {
        let times_s = times_s(frames.len(), frame_rate)?;
        Ok(Self { frames, times_s })
    }

    /// The JPEGs that stand one after another in `bytes`, taken at an even rate.
    ///
    /// # Errors
    /// As [`Self::new`], and [`BurstError::Jpegs`].
    pub fn of_jpegs(bytes: &[u8], frame_rate: f32) -> Result<Self, BurstError> {
        // Counted first, so that no number of them takes more than its place.
        let times_s = times_s(count(bytes)?, frame_rate)?;
        let frames = jpegs(bytes).map(|jpeg| jpeg.map(<[u8]>::to_vec));
        let frames = frames.collect::<Result<_, _>>()?;
        Ok(Self { frames, times_s })
    }

    /// As [`Self::of_jpegs`] those before the last, which is the still.
    ///
    /// # Errors
    /// As [`Self::of_jpegs`].
    pub fn before_still(bytes: &[u8], frame_rate: f32) -> Result<(Self, Vec<u8>), BurstError> {
        let times_s = times_s(count(bytes)?.saturating_sub(1), frame_rate)?;
        let mut frames = Vec::with_capacity(times_s.len() + 1);
        for jpeg in jpegs(bytes) {
            frames.push(jpeg?.to_vec());
        }
        let still = frames.split_off(times_s.len()).concat();
        Ok((Self { frames, times_s }, still))
    }

    /// The pictures with their moments, in seconds.
    pub fn frames(&self) -> impl Iterator<Item = (&[u8], f32)> {
        let frames = self.frames.iter().map(Vec::as_slice);
        frames.zip(self.times_s.iter().copied())
    }
}

/// Whether so many pictures at an even rate would be a burst.
///
/// # Errors
/// Those of [`Burst::at_rate`].
pub fn is_possible(frames: usize, frame_rate: f32) -> Result<(), BurstError> {
    times_s(frames, frame_rate).map(drop)
}

fn count(bytes: &[u8]) -> Result<usize, JpegsError> {
    jpegs(bytes).try_fold(0, |count, jpeg| jpeg.map(|_| count + 1))
}

/// The moments of pictures at an even rate, which are those of a burst.
fn times_s(frames: usize, frame_rate: f32) -> Result<Vec<f32>, BurstError> {
    if !(FRAME_RATE_MIN..=FRAME_RATE_MAX).contains(&frame_rate) {
        return Err(BurstError::FrameRate { frame_rate });
    }
    check_count(frames)?;
    let times_s: Vec<f32> = (0..frames).map(|index| index as f32 / frame_rate).collect();
    check(&times_s)?;
    Ok(times_s)
}

fn check_count(frames: usize) -> Result<(), BurstError> {
    if (FRAMES_MIN..=FRAMES_MAX).contains(&frames) {
        Ok(())
    } else {
        Err(BurstError::Frames { frames })
    }
}

fn check(times_s: &[f32]) -> Result<(), BurstError> {
    check_count(times_s.len())?;
    let is_later = |pair: &[f32]| pair[0].partial_cmp(&pair[1]) == Some(Ordering::Less);
    if !times_s.windows(2).all(is_later) {
        return Err(BurstError::Order);
    }
    let span_s = times_s[times_s.len() - 1] - times_s[0];
    if !(SPAN_S_MIN..=SPAN_S_MAX).contains(&span_s) {
        return Err(BurstError::Span { span_s });
    }
    let frame_rate = (times_s.len() - 1) as f32 / span_s;
    // A little of leave, for moments that were measured.
    if !(0.99 * FRAME_RATE_MIN..=1.01 * FRAME_RATE_MAX).contains(&frame_rate) {
        return Err(BurstError::FrameRate { frame_rate });
    }
    Ok(())
}

/// Pictures that are no burst.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BurstError {
    /// Too few or too many.
    #[error("burst has {frames} pictures, allowed are {FRAMES_MIN} to {FRAMES_MAX}")]
    Frames {
        /// How many there are.
        frames: usize,
    },
    /// Moments that are not one after another.
    #[error("burst goes back in time")]
    Order,
    /// Too short or too long.
    #[error("burst lasts {span_s:.2} s, allowed are {SPAN_S_MIN} to {SPAN_S_MAX} s")]
    Span {
        /// First picture to last, in seconds.
        span_s: f32,
    },
    /// Too slow or too fast.
    #[error(
        "burst has {frame_rate:.2} frames per second, allowed are {FRAME_RATE_MIN} to \
         {FRAME_RATE_MAX}"
    )]
    FrameRate {
        /// Its mean rate.
        frame_rate: f32,
    },
    /// Bytes that are not JPEGs one after another.
    #[error(transparent)]
    Jpegs(#[from] JpegsError),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pictures(count: usize) -> Vec<Vec<u8>> {
        vec![vec![0]; count]
    }

    #[test]
    fn a_burst_within_the_limits_keeps_its_moments() {
        let burst = Burst::at_rate(pictures(25), 12.5).unwrap();
        let times: Vec<f32> = burst.frames().map(|(_, time_s)| time_s).collect();
        assert_eq!((times[0], times[24]), (0.0, 1.92));
    }

    #[test]
    fn the_last_of_several_jpegs_is_the_still() {
        let jpeg = |mark: u8| vec![0xff, 0xd8, 0xff, 0xfe, 0, 3, mark, 0xff, 0xd9];
        let bytes: Vec<u8> = (0..14).flat_map(jpeg).collect();
        let (burst, still) = Burst::before_still(&bytes, 10.0).unwrap();
        assert_eq!(still, jpeg(13));
        let frames: Vec<Vec<u8>> = (0..13).map(jpeg).collect();
        assert_eq!(burst, Burst::at_rate(frames, 10.0).unwrap());
        let all = Burst::of_jpegs(&bytes, 10.0).unwrap();
        assert_eq!(all.frames().last(), Some((&jpeg(13)[..], 1.3)));
        let said = |bytes: &[u8]| Burst::before_still(bytes, 10.0).unwrap_err().to_string();
        assert_eq!(said(b""), "burst has 0 pictures, allowed are 10 to 128");
        let many: Vec<u8> = (0..200).flat_map(jpeg).collect();
        assert_eq!(said(&many), "burst has 199 pictures, allowed are 10 to 128");
        assert_eq!(
            said(&bytes[..bytes.len() - 1]),
            "picture 14, a JPEG from byte 117 on, has no end"
        );
    }

    #[test]
    fn what_is_no_burst_is_told_with_its_limit() {
        let said = |burst: Result<Burst, BurstError>| burst.unwrap_err().to_string();
        assert_eq!(
            said(Burst::at_rate(pictures(1), 10.0)),
            "burst has 1 pictures, allowed are 10 to 128"
        );
        assert_eq!(
            said(Burst::at_rate(pictures(10), 20.0)),
            "burst lasts 0.45 s, allowed are 1 to 12 s"
        );
        assert_eq!(
            said(Burst::at_rate(pictures(20), f32::NAN)),
            "burst has NaN frames per second, allowed are 5 to 60"
        );
        let mut times_s: Vec<f32> = (0..20).map(|index| index as f32 / 10.0).collect();
        times_s[7] = times_s[6];
        assert_eq!(
            said(Burst::new(pictures(20), times_s)),
            "burst goes back in time"
        );
    }
}
