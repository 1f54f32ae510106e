//! The pictures of a burst, brought to the framing of the still.

use std::sync::Arc;

use rayon::prelude::*;

use super::ObservationError;
use crate::{
    burst::{Burst, FRAMES_MIN},
    picture::{Plane, Yuv420},
    request::{SIDE_PX_MIN, Size},
    scene::Profile,
    still::{Limits, Origin, Still, decode},
};

/// Pictures that come faster are thinned: the flow between two of them would sink
/// into the noise.
const FRAME_RATE_MAX: f32 = 17.0;
/// Long side at which pictures are kept for a clean plate, in pixels.
const PREVIEW_PX: usize = 640;

/// A burst, decoded.
pub(super) struct Watched {
    /// Luma at the size of the network's input, 0 to 255, oldest first.
    pub(super) lumas: Vec<Plane<f32>>,
    /// The moments, in seconds; the still is at 0.
    pub(super) times_s: Vec<f32>,
    /// The pictures in colour, if they are wanted.
    pub(super) previews: Vec<Yuv420>,
}

impl Watched {
    pub(super) fn decode(
        burst: &Burst,
        limits: &Limits,
        still: &Yuv420,
        profile: Profile,
        wants_colour: bool,
    ) -> Result<Self, ObservationError> {
        let taken: Vec<(&[u8], f32)> = burst.frames().collect();
        let span_s = taken[taken.len() - 1].1 - taken[0].1;
        let interval_s = span_s / (taken.len() - 1) as f32;
        let stride = ((1.0 / interval_s) / FRAME_RATE_MAX).ceil().max(1.0) as usize;
        // From the end, so that the picture next to the still is among them.
        let thinned: Vec<_> = taken.iter().rev().step_by(stride).rev().collect();
        let still_s = taken[taken.len() - 1].1 + interval_s;
        let size = preview_size(still);
        let decoded: Vec<_> = thinned
            .par_iter()
            .map(|(bytes, time_s)| {
                let photo = decode(bytes, limits)?;
                let planes = Still::compose(&photo, size, Origin::Payload).planes;
                let luma = luma(&planes.y, profile);
                let colour = wants_colour.then(|| Arc::unwrap_or_clone(planes));
                Ok((luma, time_s - still_s, colour))
            })
            .collect();
        let all = decoded.len();
        let mut watched = Self {
            lumas: Vec::with_capacity(all),
            times_s: Vec::with_capacity(all),
            previews: Vec::new(),
        };
        let mut last_error = None;
        for picture in decoded {
            match picture {
                Ok((luma, time_s, colour)) => {
                    watched.lumas.push(luma);
                    watched.times_s.push(time_s);
                    watched.previews.extend(colour);
                }
                Err(error) => last_error = Some(error),
            }
        }
        match last_error {
            Some(error) if watched.lumas.len() < FRAMES_MIN => Err(ObservationError::Pictures {
                good: watched.lumas.len(),
                all,
                error,
            }),
            _ => Ok(watched),
        }
    }
}

/// Luma at the size of the network's input, in levels of 0 to 255.
pub(super) fn luma(y: &Plane<u8>, profile: Profile) -> Plane<f32> {
    y.shrunk(profile.width_px, profile.height_px)
        .map(|level| (level - 16.0) * (255.0 / 219.0))
}

fn preview_size(still: &Yuv420) -> Size {
    let (width, height) = (still.width_px(), still.height_px());
    let scale = (PREVIEW_PX as f32 / width.max(height) as f32).min(1.0);
    let side = |px: usize| ((px as f32 * scale / 2.0).round() as usize * 2).max(SIDE_PX_MIN);
    Size::new(side(width), side(height)).expect("no larger than the still, which has a size")
}
