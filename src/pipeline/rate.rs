//! How coarsely a clip is quantised.
//!
//! One quantiser for the whole clip: a rate control that changes it from frame
//! to frame or from piece to piece pulses. It follows from the still, which is
//! encoded anyway, and from the byte budget.

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
/// The file shrinks by a half in so many steps, at the slowest: 7 to 9.5 for
/// key frames, 5 to 7 for what moves.
const STEPS_PER_HALF: f32 = 9.5;
/// Share of the budget that is aimed at, since the model is only a model.
const AIM: f32 = 0.92;

/// A quantiser and an encoder that has encoded the still with it.
pub(super) type Trial = (Quantiser, Box<dyn VideoEncoder>);

/// The coarsest quantiser at which the still keeps [`LUMA_PSNR_DB`].
pub(super) fn trial(
    new_encoder: &NewEncoder,
    still: &Yuv420,
    frame_rate: u32,
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
    Ok((quantiser, encoder))
}

/// Largest file: what the job allows, and what players can take.
pub(super) fn bytes_max(clip_bytes_max: Option<u64>, shape: Shape) -> u64 {
    let period = u64::from(shape.frame_count()) * BITRATE_BPS_MAX / u64::from(shape.frame_rate);
    clip_bytes_max.unwrap_or(u64::MAX).min(period / 8)
}

/// The quantiser at which a clip of `bytes` is expected to fit.
pub(super) fn fitting(quantiser: Quantiser, bytes: u64, bytes_max: u64) -> Quantiser {
    let excess = bytes as f32 / (bytes_max as f32 * AIM).max(1.0);
    let steps = (STEPS_PER_HALF * excess.log2()).ceil().max(1.0);
    quantiser.coarser(steps as i32, Quantiser::COARSEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_makes_it_coarser_and_never_finer() {
        let start = Quantiser::COARSEST_UNASKED;
        assert_eq!(fitting(start, 1000, 1000).qp(), start.qp() + 2);
        assert!(fitting(start, 2000, 1000) > fitting(start, 1500, 1000));
        assert_eq!(fitting(start, u64::MAX, 1), Quantiser::COARSEST);
        assert_eq!(fitting(start, 1000, 0), Quantiser::COARSEST);
        assert!(fitting(start, 10, 1000) > start);
    }

    #[test]
    fn the_budget_is_the_smaller_one() {
        let shape = Shape::default();
        assert_eq!(bytes_max(None, shape), 10_000_000);
        assert_eq!(bytes_max(Some(1_000_000), shape), 1_000_000);
        assert_eq!(bytes_max(Some(11_000_000), shape), 10_000_000);
    }
}
