//! The decoders, told what to expect.
//!
//! By the time a decoder runs, the header has been read and found within the
//! limits; a decoder that sees another size than the header is not believed.

use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder, RgbImage,
    codecs::{png::PngDecoder, webp::WebPDecoder},
    metadata::Orientation,
};
use zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};
use zune_jpeg::JpegDecoder;

use super::{
    StillError, colour,
    header::{Format, Header},
};
use crate::picture::Rgb;

/// Most that a PNG may unpack for colour profiles and texts; its rows count
/// towards it, its pixels do not.
const METADATA_BYTES_MAX: u64 = 16 << 20;

/// Decodes to upright RGB.
pub(super) fn decode(bytes: &[u8], header: &Header) -> Result<Rgb, StillError> {
    let (samples, orientation) = match header.format {
        Format::Jpeg => jpeg(bytes, header)?,
        Format::Png => {
            let mut limits = image::Limits::default();
            limits.max_image_width = Some(header.width_px);
            limits.max_image_height = Some(header.height_px);
            limits.max_alloc = Some(METADATA_BYTES_MAX);
            let decoder = PngDecoder::with_limits(Cursor::new(bytes), limits);
            samples_of(decoder.map_err(|error| corrupt(header, &error))?, header)?
        }
        Format::WebP => {
            let decoder = WebPDecoder::new(Cursor::new(bytes));
            samples_of(decoder.map_err(|error| corrupt(header, &error))?, header)?
        }
    };
    let picture = RgbImage::from_raw(header.width_px, header.height_px, samples)
        .ok_or_else(|| corrupt(header, &"pixels are missing"))?;
    let mut picture = DynamicImage::ImageRgb8(picture);
    picture.apply_orientation(orientation);
    Ok(Rgb {
        width_px: picture.width() as usize,
        height_px: picture.height() as usize,
        bytes: picture.into_bytes(),
    })
}

/// JPEG goes to its decoder directly, because only there one can be lenient
/// with the headers (cameras pad them) and strict with the pixels: the `image`
/// crate's way fills in grey what cannot be decoded.
fn jpeg(bytes: &[u8], header: &Header) -> Result<(Vec<u8>, Orientation), StillError> {
    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(header.width_px as usize)
        .set_max_height(header.height_px as usize)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder
        .decode_headers()
        .map_err(|error| corrupt(header, &error))?;
    match decoder.input_colorspace() {
        Some(
            ColorSpace::Luma
            | ColorSpace::YCbCr
            | ColorSpace::RGB
            | ColorSpace::CMYK
            | ColorSpace::YCCK,
        ) => {}
        other => return Err(corrupt(header, &format!("unknown colour space {other:?}"))),
    }
    check_size(header, decoder.dimensions())?;
    let orientation = decoder
        .exif()
        .and_then(|exif| Orientation::from_exif_chunk(exif))
        .unwrap_or(Orientation::NoTransforms);
    decoder.set_options(options.set_strict_mode(true));
    let mut samples = vec![0; header.width_px as usize * header.height_px as usize * 3];
    decoder
        .decode_into(&mut samples)
        .map_err(|error| corrupt(header, &error))?;
    Ok((samples, orientation))
}

fn samples_of(
    mut decoder: impl ImageDecoder,
    header: &Header,
) -> Result<(Vec<u8>, Orientation), StillError> {
    let (width_px, height_px) = decoder.dimensions();
    check_size(header, Some((width_px as usize, height_px as usize)))?;
    // A photograph with unreadable metadata is still a photograph.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let layout = decoder.color_type();
    let pixels = header.width_px as usize * header.height_px as usize;
    let mut samples = vec![0; pixels * usize::from(layout.bytes_per_pixel())];
    decoder
        .read_image(&mut samples)
        .map_err(|error| corrupt(header, &error))?;
    let rgb = colour::to_rgb(samples, layout)
        .ok_or_else(|| corrupt(header, &format!("unknown sample layout {layout:?}")))?;
    Ok((rgb, orientation))
}

fn check_size(header: &Header, decoded: Option<(usize, usize)>) -> Result<(), StillError> {
    let announced = (header.width_px as usize, header.height_px as usize);
    if decoded == Some(announced) {
        Ok(())
    } else {
        Err(corrupt(header, &"it announces two different sizes"))
    }
}

fn corrupt(header: &Header, reason: &dyn std::fmt::Display) -> StillError {
    StillError::Corrupt {
        format: header.format.name(),
        reason: reason.to_string(),
    }
}
