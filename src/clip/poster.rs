//! The still as a small JPEG, shown until the clip plays.

use image::{DynamicImage, RgbImage, codecs::jpeg::JpegEncoder};

use crate::{
    clip::ClipError,
    frames::texture::block_means,
    picture::{Plane, Yuv420},
};

/// Largest poster, in bytes.
pub const POSTER_BYTES_MAX: usize = 100_000;
/// Long side of the poster, in pixels, before it has to shrink.
const LONG_SIDE_PX: u32 = 960;
/// Qualities that are tried at each size, and how large a picture becomes with
/// the coarser ones, at least, over its size with the first.
const QUALITIES: [(u8, f64); 3] = [(85, 1.0), (70, 0.6), (50, 0.4)];

/// The picture so many times smaller, its sides even.
fn shrunk(still: &Yuv420, times: usize) -> Yuv420 {
    let [width_px, height_px] =
        [still.width_px(), still.height_px()].map(|side_px| side_px / (2 * times));
    let plane = |plane: &Plane<u8>, columns: usize, rows: usize| {
        let means = block_means(plane, times);
        Plane::from_fn(columns, rows, |x, y| (means.at(x, y) + 0.5) as u8)
    };
    Yuv420 {
        y: plane(&still.y, 2 * width_px, 2 * height_px),
        u: plane(&still.u, width_px, height_px),
        v: plane(&still.v, width_px, height_px),
    }
}

/// Encodes the still as a JPEG of at most [`POSTER_BYTES_MAX`]: coarser first,
/// then smaller, until it fits.
///
/// # Errors
/// [`ClipError::Encoder`] when the JPEG encoder fails or nothing fits.
pub fn encode(still: &Yuv420) -> Result<Vec<u8>, ClipError> {
    let shrink = still.width_px().max(still.height_px()) / LONG_SIDE_PX as usize;
    let rgb = match shrink {
        0 | 1 => still.to_rgb(),
        _ => shrunk(still, shrink).to_rgb(),
    };
    let (width_px, height_px) = (rgb.width_px as u32, rgb.height_px as u32);
    let picture = RgbImage::from_raw(width_px, height_px, rgb.bytes)
        .expect("a picture has three bytes for each pixel");
    let mut picture = DynamicImage::ImageRgb8(picture);
    let mut long_side_px = width_px.max(height_px).min(LONG_SIDE_PX);
    while long_side_px >= 64 {
        if picture.width().max(picture.height()) > long_side_px {
            picture = picture.thumbnail(long_side_px, long_side_px);
        }
        let mut first_bytes = 0.0;
        for (quality, share) in QUALITIES {
            if first_bytes * share > POSTER_BYTES_MAX as f64 {
                continue;
            }
            let mut jpeg = Vec::new();
            picture
                .write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, quality))
                .map_err(|error| ClipError::Encoder(format!("poster: {error}")))?;
            if jpeg.len() <= POSTER_BYTES_MAX {
                return Ok(jpeg);
            }
            if first_bytes == 0.0 {
                first_bytes = jpeg.len() as f64;
            }
        }
        long_side_px = long_side_px * 3 / 4;
    }
    let reason = format!("poster: no size fits into {POSTER_BYTES_MAX} bytes");
    Err(ClipError::Encoder(reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::Rgb;

    #[test]
    fn even_pure_noise_fits() {
        let mut rng = fastrand::Rng::with_seed(3);
        let noise = Rgb {
            width_px: 1600,
            height_px: 900,
            bytes: (0..1600 * 900 * 3).map(|_| rng.u8(..)).collect(),
        };
        let jpeg = encode(&Yuv420::from_rgb(&noise)).expect("a poster");
        assert!(jpeg.len() <= POSTER_BYTES_MAX && jpeg.starts_with(&[0xff, 0xd8]));
    }
}
