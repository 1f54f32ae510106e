//! How coarsely a clip is quantised.
//!
//! One quantiser for the whole clip, that of the still, from which all other frames
//! have theirs: a rate control that changes it from frame to frame or from piece to
//! piece pulses. It follows from the still, which is encoded anyway, and from the byte
//! budget.

use std::num::NonZeroUsize;

use rayon::prelude::*;

use crate::{
    clip::{ClipError, NewEncoder, Quantiser, VideoEncoder},
    picture::Yuv420,
    request::Shape,
};

/// Highest bit rate that common signage players take.
const BITRATE_BPS_MAX: u64 = 20_000_000;
/// PSNR of the decoded still's luma that is wanted: 42 dB in what rests, which
/// may be the busier part.
const LUMA_PSNR_DB: f32 = 44.0;
/// A step of the quantiser costs so much, about: between 0.6 and 0.95 on
/// photographs and drawn pictures of 640 to 1920 pixels.
const DB_PER_STEP: f32 = 0.8;
/// Encodings of the still at most until its PSNR is right.
const TRIALS: usize = 3;
/// The key frame and the others are half as large so many steps coarser; 6.5
/// to 9.5 and 4.5 to 5.5 between QP 20 and 34.
const STEPS_PER_HALF: [f64; 2] = [8.0, 5.5];
/// Share of the budget that is aimed at, since the model is only a model.
const AIM: f64 = 0.92;

/// A quantiser and encoders, at least one, that have encoded the still with it.
pub(super) type Trial = (Quantiser, Vec<Box<dyn VideoEncoder>>);

/// The coarsest quantiser at which the still keeps [`LUMA_PSNR_DB`], and an encoder
/// for each of the workers.
pub(super) fn trial(
    new_encoder: &NewEncoder,
    still: &Yuv420,
    frame_rate: u32,
    workers: NonZeroUsize,
) -> Result<Trial, ClipError> {
    let coarsest = Quantiser::COARSEST_UNASKED;
    // Right for most pictures, so that one encoding is enough.
    let mut quantiser = coarsest.coarser(-2, coarsest);
    let mut encoder = new_encoder(still, frame_rate, quantiser)?;
    for _ in 1..TRIALS {
        let spare_db = encoder.still().luma_psnr_db - LUMA_PSNR_DB;
        let next = quantiser.coarser((spare_db / DB_PER_STEP).floor() as i32, coarsest);
        // What is a little too fine stays: only what is too coarse is a fault.
        if next == quantiser || (spare_db > 0.0 && spare_db < 2.0 * DB_PER_STEP) {
            break;
        }
        quantiser = next;
        encoder = new_encoder(still, frame_rate, quantiser)?;
    }
    let others = (1..workers.get()).into_par_iter();
    let mut encoders = others
        .map(|_| new_encoder(still, frame_rate, quantiser))
        .collect::<Result<Vec<_>, _>>()?;
    encoders.push(encoder);
    Ok((quantiser, encoders))
}

/// Largest file: what the job allows, and what players can take.
pub(super) fn bytes_max(clip_bytes_max: Option<u64>, shape: Shape) -> u64 {
    let period = u64::from(shape.frame_count()) * BITRATE_BPS_MAX / u64::from(shape.frame_rate);
    clip_bytes_max.unwrap_or(u64::MAX).min(period / 8)
}

/// The next quantiser at which a clip of `bytes` is expected to fit,
/// `still_bytes` of them for its key frame.
pub(super) fn fitting(
    quantiser: Quantiser,
    still_bytes: u64,
    bytes: u64,
    bytes_max: u64,
) -> Quantiser {
    let parts = [still_bytes, bytes.saturating_sub(still_bytes)];
    let expected = |steps: i32| -> f64 {
        let part =
            |(bytes, per_half): (u64, f64)| bytes as f64 * (-f64::from(steps) / per_half).exp2();
        parts.into_iter().zip(STEPS_PER_HALF).map(part).sum()
    };
    let range = i32::from(Quantiser::COARSEST.qp() - Quantiser::FINEST.qp());
    let steps = (1..range).find(|steps| expected(*steps) <= AIM * bytes_max as f64);
    quantiser.coarser(steps.unwrap_or(range), Quantiser::COARSEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_makes_it_coarser_and_never_finer() {
        let start = Quantiser::COARSEST_UNASKED;
        let fit = |still_bytes, bytes, bytes_max| fitting(start, still_bytes, bytes, bytes_max);
        assert_eq!(fit(0, 1000, 1000).qp(), start.qp() + 1);
        assert!(fit(0, 2000, 1000) > fit(0, 1500, 1000));
        assert!(fit(1500, 1500, 1000) > fit(0, 1500, 1000));
        assert_eq!(fit(5, u64::MAX, 1), Quantiser::COARSEST);
        assert_eq!(fit(1000, 1000, 0), Quantiser::COARSEST);
        assert_eq!(fit(5, 10, 1000).qp(), start.qp() + 1);
    }

    #[test]
    fn the_budget_is_the_smaller_one() {
        let shape = Shape::default();
        assert_eq!(bytes_max(None, shape), 10_000_000);
        assert_eq!(bytes_max(Some(1_000_000), shape), 1_000_000);
        assert_eq!(bytes_max(Some(11_000_000), shape), 10_000_000);
    }
}
