//! Photographs, good and bad, made from nothing.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, RgbImage};

/// A colourful picture that does not compress to nothing.
pub fn picture(width_px: u32, height_px: u32) -> DynamicImage {
    DynamicImage::ImageRgb8(RgbImage::from_fn(width_px, height_px, |x, y| {
        let noise = (x * 7919 + y * 104_729) % 61;
        image::Rgb([x + noise, y + noise, (x + y) / 2 + noise].map(|mix| (mix % 256) as u8))
    }))
}

pub fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture
        .write_to(&mut file, format)
        .expect("encodes to memory");
    file.into_inner()
}

pub fn jpeg(width_px: u32, height_px: u32) -> Vec<u8> {
    encoded(&picture(width_px, height_px), ImageFormat::Jpeg)
}

pub fn png(width_px: u32, height_px: u32) -> Vec<u8> {
    encoded(&picture(width_px, height_px), ImageFormat::Png)
}

pub fn webp(width_px: u32, height_px: u32) -> Vec<u8> {
    encoded(&picture(width_px, height_px), ImageFormat::WebP)
}

/// A baseline JPEG of one mid-tone: every block is "no difference, no detail",
/// which the one-symbol Huffman tables write as two zero bits. The header may
/// claim any size; `data_bytes` of picture data follow.
pub fn flat_jpeg(width_px: u16, height_px: u16, components: u8, data_bytes: usize) -> Vec<u8> {
    let mut file = vec![0xff, 0xd8];
    if components == 4 {
        // Adobe's marker with transform 0: plain CMYK, stored inverted.
        segment(&mut file, 0xee, b"Adobe\0\x64\0\0\0\0\0");
    }
    segment(&mut file, 0xdb, &[&[0][..], &[1; 64]].concat());
    let [height_high, height_low] = height_px.to_be_bytes();
    let [width_high, width_low] = width_px.to_be_bytes();
    let mut frame = vec![
        8,
        height_high,
        height_low,
        width_high,
        width_low,
        components,
    ];
    frame.extend((1..=components).flat_map(|id| [id, 0x11, 0]));
    segment(&mut file, 0xc0, &frame);
    for class in [0x00, 0x10] {
        let one_code_of_one_bit = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        segment(
            &mut file,
            0xc4,
            &[&[class][..], &one_code_of_one_bit].concat(),
        );
    }
    let mut scan = vec![components];
    scan.extend((1..=components).flat_map(|id| [id, 0]));
    scan.extend([0, 63, 0]);
    segment(&mut file, 0xda, &scan);
    file.resize(file.len() + data_bytes, 0);
    file.extend([0xff, 0xd9]);
    file
}

fn segment(file: &mut Vec<u8>, marker: u8, content: &[u8]) {
    file.extend([0xff, marker]);
    file.extend((content.len() as u16 + 2).to_be_bytes());
    file.extend(content);
}

/// The same JPEG, held sideways: EXIF orientation 6 is a quarter turn.
pub fn sideways(jpeg: &[u8]) -> Vec<u8> {
    let mut file = jpeg[..2].to_vec();
    let tiff = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    segment(&mut file, 0xe1, tiff);
    file.extend(&jpeg[2..]);
    file
}

/// A PNG that claims a size and has `data` for its pixels.
pub fn claimed_png(width_px: u32, height_px: u32, data: &[u8]) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = [width_px.to_be_bytes(), height_px.to_be_bytes()].concat();
    header.extend([8, 2, 0, 0, 0]);
    file.extend(png_chunk(b"IHDR", &header));
    file.extend(png_chunk(b"IDAT", data));
    file.extend(png_chunk(b"IEND", &[]));
    file
}

/// The same PNG with an animation control chunk after its header.
pub fn animated_png(still: &[u8]) -> Vec<u8> {
    let header_end = 8 + 12 + 13;
    let control = png_chunk(b"acTL", &[0, 0, 0, 2, 0, 0, 0, 0]);
    [&still[..header_end], &control, &still[header_end..]].concat()
}

fn png_chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut chunk = (data.len() as u32).to_be_bytes().to_vec();
    chunk.extend(kind);
    chunk.extend(data);
    let checksum = crc32(&chunk[4..]);
    chunk.extend(checksum.to_be_bytes());
    chunk
}

/// PNG, third edition, annex D.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |state, &byte| {
        (0..8).fold(state ^ u32::from(byte), |state, _| {
            (state >> 1) ^ (0xedb8_8320 * (state & 1))
        })
    })
}

/// An extended WebP of a claimed canvas with the given chunks.
pub fn extended_webp(flags: u8, side_px: u32, chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let side = (side_px - 1).to_le_bytes();
    let header = [&[flags, 0, 0, 0][..], &side[..3], &side[..3]].concat();
    let mut body = b"WEBP".to_vec();
    for (kind, data) in [(b"VP8X", &header[..])].iter().chain(chunks) {
        body.extend(*kind);
        body.extend((data.len() as u32).to_le_bytes());
        body.extend(*data);
        body.resize(body.len().next_multiple_of(2), 0);
    }
    [&b"RIFF"[..], &(body.len() as u32).to_le_bytes(), &body].concat()
}

/// The start of a lossy key frame that claims a size.
pub fn vp8_frame(side_px: u16) -> Vec<u8> {
    let side = side_px.to_le_bytes();
    [&[0x10, 0, 0, 0x9d, 0x01, 0x2a][..], &side, &side, &[0; 8]].concat()
}
