//! The JPEGs that cameras send: padded, cut off, and often without the tables
//! that every decoder needs.

use zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};
use zune_jpeg::JpegDecoder;

use super::fault::Rejection;

/// No JPEG is smaller: its fixed segments alone have as many bytes.
const BYTES_MIN: usize = 125;

const START: [u8; 2] = [0xff, 0xd8];
const END: [u8; 2] = [0xff, 0xd9];

/// The frame from its start to its end marker, without what the camera has
/// filled up behind it.
pub(super) fn whole(frame: &[u8]) -> Result<&[u8], Rejection> {
    let bytes = frame.len();
    if bytes < BYTES_MIN {
        return Err(Rejection::Short {
            bytes,
            bytes_min: BYTES_MIN,
        });
    }
    let truncated = |missing| Rejection::Truncated { bytes, missing };
    if !frame.starts_with(&START) {
        return Err(truncated("start"));
    }
    let end = frame.windows(2).rposition(|pair| pair == END);
    let end = end.ok_or_else(|| truncated("end"))?;
    Ok(&frame[..end + 2])
}

/// Decodes all of it and counts how many pixels of every `step`th row have
/// each level of luma.
pub(super) fn levels(
    jpeg: &[u8],
    agreed_px: [usize; 2],
    step: usize,
) -> Result<[u32; 256], Rejection> {
    let undecodable = |error: &dyn std::fmt::Display| Rejection::Undecodable(error.to_string());
    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .jpeg_set_out_colorspace(ColorSpace::Luma);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(jpeg), options);
    decoder
        .decode_headers()
        .map_err(|error| undecodable(&error))?;
    let (width_px, height_px) = decoder
        .dimensions()
        .ok_or_else(|| undecodable(&"it announces no size"))?;
    // Before anything is allocated for it.
    if [width_px, height_px] != agreed_px {
        return Err(Rejection::WrongSize {
            found_px: [width_px, height_px],
            agreed_px,
        });
    }
    decoder.set_options(options.set_strict_mode(true));
    let mut luma = vec![0; width_px * height_px];
    decoder
        .decode_into(&mut luma)
        .map_err(|error| undecodable(&error))?;
    let mut counts = [0; 256];
    for row in luma.chunks_exact(width_px).step_by(step) {
        for &level in row.iter().step_by(step) {
            counts[usize::from(level)] += 1;
        }
    }
    Ok(counts)
}

/// The JPEG with the Huffman tables of the standard if it brings none, which
/// is what "Motion JPEG" leaves out: decoders of photographs refuse it then.
pub(super) fn with_tables(jpeg: &[u8]) -> Vec<u8> {
    const TABLES: u8 = 0xc4;
    const SCAN: u8 = 0xda;

    let mut at = 2;
    while let Some(&[0xff, marker]) = jpeg.get(at..).and_then(|rest| rest.first_chunk()) {
        match marker {
            TABLES => break,
            SCAN => {
                let mut mended = jpeg[..at].to_vec();
                mended.extend(standard_tables());
                mended.extend_from_slice(&jpeg[at..]);
                return mended;
            }
            // Fill bytes.
            0xff => at += 1,
            _ => match jpeg.get(at + 2..).and_then(|rest| rest.first_chunk()) {
                Some(&length) => at += 2 + usize::from(u16::from_be_bytes(length)),
                None => break,
            },
        }
    }
    jpeg.to_vec()
}

/// The segment with the four tables of ITU-T T.81, annex K.3.
fn standard_tables() -> Vec<u8> {
    const DC_VALUES: [u8; 12] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
    let tables: [(u8, [u8; 16], &[u8]); 4] = [
        (
            0x00,
            [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0],
            &DC_VALUES,
        ),
        (
            0x10,
            [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125],
            &AC_LUMA,
        ),
        (
            0x01,
            [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0],
            &DC_VALUES,
        ),
        (
            0x11,
            [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 119],
            &AC_CHROMA,
        ),
    ];
    let mut body = Vec::new();
    for (class, counts, values) in tables {
        body.push(class);
        body.extend(counts);
        body.extend(values);
    }
    let length = (body.len() + 2) as u16;
    [&[0xff, 0xc4], &length.to_be_bytes()[..], &body].concat()
}

#[rustfmt::skip]
const AC_LUMA: [u8; 162] = [
    0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07,
    0x22, 0x71, 0x14, 0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52, 0xd1, 0xf0,
    0x24, 0x33, 0x62, 0x72, 0x82, 0x09, 0x0a, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x25, 0x26, 0x27, 0x28,
    0x29, 0x2a, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49,
    0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69,
    0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89,
    0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7,
    0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3, 0xc4, 0xc5,
    0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe1, 0xe2,
    0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8,
    0xf9, 0xfa,
];

#[rustfmt::skip]
const AC_CHROMA: [u8; 162] = [
    0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61, 0x71,
    0x13, 0x22, 0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xa1, 0xb1, 0xc1, 0x09, 0x23, 0x33, 0x52, 0xf0,
    0x15, 0x62, 0x72, 0xd1, 0x0a, 0x16, 0x24, 0x34, 0xe1, 0x25, 0xf1, 0x17, 0x18, 0x19, 0x1a, 0x26,
    0x27, 0x28, 0x29, 0x2a, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48,
    0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68,
    0x69, 0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87,
    0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3, 0xa4, 0xa5,
    0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3,
    0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda,
    0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8,
    0xf9, 0xfa,
];

#[cfg(test)]
mod tests {
    use image::{ExtendedColorType, codecs::jpeg::JpegEncoder};

    use super::*;
    use crate::still::{self, Limits};

    fn photo() -> Vec<u8> {
        let mut rng = fastrand::Rng::with_seed(7);
        let bytes: Vec<u8> = (0..64 * 64 * 3)
            .map(|at| ((at % 192) as u8).saturating_add(rng.u8(..20)))
            .collect();
        let mut jpeg = Vec::new();
        JpegEncoder::new_with_quality(&mut jpeg, 90)
            .encode(&bytes, 64, 64, ExtendedColorType::Rgb8)
            .unwrap();
        jpeg
    }

    /// The photograph as Motion JPEG has it: no segment with tables.
    fn without_tables(jpeg: &[u8]) -> Vec<u8> {
        let mut bare = jpeg[..2].to_vec();
        let mut at = 2;
        while jpeg[at + 1] != 0xda {
            let length = usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
            if jpeg[at + 1] != 0xc4 {
                bare.extend_from_slice(&jpeg[at..at + 2 + length]);
            }
            at += 2 + length;
        }
        bare.extend_from_slice(&jpeg[at..]);
        bare
    }

    #[test]
    fn what_is_filled_up_is_cut_and_what_is_cut_is_refused() {
        let jpeg = photo();
        let mut padded = jpeg.clone();
        padded.resize(jpeg.len() + 999, 0);
        assert_eq!(whole(&padded), Ok(&jpeg[..]));
        for cut in [jpeg.len() - 1, jpeg.len() - 2, jpeg.len() / 2, 200] {
            let said = whole(&jpeg[..cut]).unwrap_err().to_string();
            let expected = format!("truncated: the JPEG of {cut} bytes has no end marker");
            assert_eq!(said, expected);
        }
        let said = whole(&jpeg[..60]).unwrap_err().to_string();
        assert_eq!(said, "short: the frame has 60 bytes, 125 are needed");
        let said = whole(&jpeg[2..]).unwrap_err().to_string();
        assert!(said.ends_with("has no start marker"), "{said}");
        assert!(matches!(whole(&[]), Err(Rejection::Short { bytes: 0, .. })));
    }

    #[test]
    fn what_cannot_be_decoded_is_refused() {
        let jpeg = photo();
        for cut in [2, 20, 150, 400] {
            let closed = [&jpeg[..cut], &[0; 200], &END].concat();
            let said = levels(whole(&closed).unwrap(), [64, 64], 1).unwrap_err();
            assert!(matches!(said, Rejection::Undecodable(_)), "{cut}: {said}");
        }
    }

    #[test]
    fn another_size_is_refused_before_it_is_decoded() {
        let said = levels(&photo(), [640, 480], 1).unwrap_err().to_string();
        assert_eq!(said, "wrong size: the frame has 64x64, agreed were 640x480");
    }

    #[test]
    fn missing_tables_are_put_in_and_present_ones_left() {
        let jpeg = photo();
        assert_eq!(with_tables(&jpeg), jpeg);
        let bare = without_tables(&jpeg);
        assert!(bare.len() < jpeg.len() - 400);
        let limits = Limits::default();
        assert!(still::decode(&bare, &limits).is_err());
        let mended = with_tables(&bare);
        assert_eq!(
            still::decode(&mended, &limits).unwrap(),
            still::decode(&jpeg, &limits).unwrap()
        );
        // Whatever else comes is handed on as it is.
        for odd in [
            &b""[..],
            b"\xff\xd8",
            b"\xff\xd8\xff",
            b"\xff\xd8\xff\xe0\0",
        ] {
            assert_eq!(with_tables(odd), odd);
        }
    }

    #[test]
    fn luma_is_counted_by_level() {
        let counts = levels(&photo(), [64, 64], 2).unwrap();
        assert_eq!(counts.iter().sum::<u32>(), 32 * 32);
    }
}
