//! What the camera saw just before the still: a few seconds of the same scene in
//! the same framing, picture by picture, so that what moves can be measured.
//!
//! Pictures stay encoded here, as they came; [`crate::observation`] decodes them.

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
        if frames.len() != times_s.len() || !(FRAMES_MIN..=FRAMES_MAX).contains(&frames.len()) {
            return Err(BurstError::Frames {
                frames: frames.len(),
            });
        }
        if times_s.windows(2).any(|pair| !(pair[1] > pair[0])) {
            return Err(BurstError::Order);
        }
        let span_s = times_s[times_s.len() - 1] - times_s[0];
        if !(SPAN_S_MIN..=SPAN_S_MAX).contains(&span_s) {
            return Err(BurstError::Span { span_s });
        }
        let frame_rate = (frames.len() - 1) as f32 / span_s;
        // A little of leave, for moments that were measured.
        if !(0.99 * FRAME_RATE_MIN..=1.01 * FRAME_RATE_MAX).contains(&frame_rate) {
            return Err(BurstError::FrameRate { frame_rate });
        }
        Ok(Self { frames, times_s })
    }

    /// Pictures that were taken at an even rate, in frames per second.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn at_rate(frames: Vec<Vec<u8>>, frame_rate: f32) -> Result<Self, BurstError> {
        if !(FRAME_RATE_MIN..=FRAME_RATE_MAX).contains(&frame_rate) {
            return Err(BurstError::FrameRate { frame_rate });
        }
        let times_s = (0..frames.len())
            .map(|index| index as f32 / frame_rate)
            .collect();
        Self::new(frames, times_s)
    }

    /// The pictures with their moments, in seconds.
    pub fn frames(&self) -> impl Iterator<Item = (&[u8], f32)> {
        let frames = self.frames.iter().map(Vec::as_slice);
        frames.zip(self.times_s.iter().copied())
    }
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
