//! What a file says about itself before a decoder touches it.
//!
//! Decoders allocate by the header, so the header is read here first, by code
//! that allocates nothing. The walk goes on to the end marker, because some
//! decoders fill in grey what a truncated file lacks.

use super::StillError;

/// Format and size as the file announces them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) format: Format,
    pub(super) width_px: u32,
    pub(super) height_px: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Jpeg,
    Png,
    WebP,
}

impl Format {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::WebP => "WebP",
        }
    }
}

/// Reads format and size and follows the file's structure to its end.
pub(super) fn inspect(bytes: &[u8]) -> Result<Header, StillError> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => jpeg(bytes),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => png(bytes),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => webp(bytes),
        _ => Err(StillError::Format { found: kind(bytes) }),
    }
}

/// ITU-T T.81, annex B: segments with a length, entropy-coded data in which
/// 0xff is always followed by 0 or a restart marker, then the end marker. A
/// file that was cut and closed again with an end marker passes: only counting
/// its blocks would tell, and no decoder of ours does.
fn jpeg(bytes: &[u8]) -> Result<Header, StillError> {
    const END: u8 = 0xd9;
    let truncated = |missing| truncated(Format::Jpeg, bytes, missing);
    let mut size = None;
    let mut at = 2;
    loop {
        let Some((marker, after)) = next_jpeg_marker(bytes, at) else {
            return Err(truncated("the end marker"));
        };
        at = after;
        match marker {
            END => break,
            // Stuffed zero, TEM and restart markers stand alone.
            0x00 | 0x01 | 0xd0..=0xd8 => continue,
            _ => {}
        }
        let length = be16(bytes, at).ok_or_else(|| truncated("a segment's length"))?;
        let is_frame = matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc);
        if is_frame && size.is_none() {
            let height_px = be16(bytes, at + 3).ok_or_else(|| truncated("the picture's size"))?;
            let width_px = be16(bytes, at + 5).ok_or_else(|| truncated("the picture's size"))?;
            size = Some((width_px, height_px));
        }
        at += length as usize;
    }
    let (width_px, height_px) = size.ok_or_else(|| corrupt(Format::Jpeg, "no frame header"))?;
    Ok(Header {
        format: Format::Jpeg,
        width_px,
        height_px,
    })
}

/// The next byte that follows 0xff (fill bytes skipped), and the place after it.
fn next_jpeg_marker(bytes: &[u8], from: usize) -> Option<(u8, usize)> {
    let mut at = from + bytes.get(from..)?.iter().position(|&byte| byte == 0xff)?;
    while *bytes.get(at)? == 0xff {
        at += 1;
    }
    Some((bytes[at], at + 1))
}

/// PNG, third edition, 5.3: length, type, data, CRC; `IHDR` first, `IEND` last.
fn png(bytes: &[u8]) -> Result<Header, StillError> {
    let truncated = |missing| truncated(Format::Png, bytes, missing);
    if bytes.get(12..16).is_some_and(|kind| kind != b"IHDR") {
        return Err(corrupt(Format::Png, "no IHDR chunk at its start"));
    }
    let width_px = be32(bytes, 16).ok_or_else(|| truncated("the picture's size"))?;
    let height_px = be32(bytes, 20).ok_or_else(|| truncated("the picture's size"))?;
    let mut at = 8;
    loop {
        let length = be32(bytes, at).ok_or_else(|| truncated("the IEND chunk"))?;
        match bytes.get(at + 4..at + 8) {
            Some(b"IEND") => break,
            Some(b"acTL") => {
                return Err(StillError::Animated {
                    format: Format::Png.name(),
                });
            }
            _ => at += 12 + length as usize,
        }
    }
    Ok(Header {
        format: Format::Png,
        width_px,
        height_px,
    })
}

/// RFC 9649, section 2: RIFF chunks, padded to even lengths. The size stands
/// in the extended header and again in the bit stream; a file in which they
/// differ would make the decoder allocate by the second one.
fn webp(bytes: &[u8]) -> Result<Header, StillError> {
    let truncated = |missing| truncated(Format::WebP, bytes, missing);
    let end = le32(bytes, 4).ok_or_else(|| truncated("its length"))? as usize + 8;
    if end > bytes.len() {
        return Err(truncated("the length that it announces"));
    }
    let mut size: Option<(u32, u32)> = None;
    let mut at = 12;
    while at + 8 <= end {
        let kind = &bytes[at..at + 4];
        let length = le32(bytes, at + 4).ok_or_else(|| truncated("a chunk's length"))? as usize;
        let data = bytes
            .get(at + 8..at + 8 + length)
            .ok_or_else(|| truncated("the end of a chunk"))?;
        if matches!(kind, b"ANIM" | b"ANMF") {
            return Err(StillError::Animated {
                format: Format::WebP.name(),
            });
        }
        if let Some(said) = webp_size(kind, data) {
            if size.is_some_and(|before| before != said) {
                return Err(corrupt(Format::WebP, "it announces two different sizes"));
            }
            size = Some(said);
        }
        at += 8 + length + length % 2;
    }
    let (width_px, height_px) =
        size.ok_or_else(|| corrupt(Format::WebP, "it announces no size"))?;
    Ok(Header {
        format: Format::WebP,
        width_px,
        height_px,
    })
}

/// Width and height in pixels, if this chunk tells them.
fn webp_size(kind: &[u8], data: &[u8]) -> Option<(u32, u32)> {
    match kind {
        b"VP8X" => {
            let side = |at: usize| {
                let low = *data.get(at)?;
                Some(u32::from_le_bytes([low, *data.get(at + 1)?, *data.get(at + 2)?, 0]) + 1)
            };
            Some((side(4)?, side(7)?))
        }
        b"VP8 " => {
            let side = |at: usize| {
                let low = *data.get(at)?;
                Some(u32::from(
                    u16::from_le_bytes([low, *data.get(at + 1)?]) & 0x3fff,
                ))
            };
            Some((side(6)?, side(8)?))
        }
        b"VP8L" => {
            let bits = le32(data, 1)?;
            Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        _ => None,
    }
}

/// Names what was given instead of a photograph, as a person would.
fn kind(bytes: &[u8]) -> String {
    const MAGIC: [(&[u8], &str); 9] = [
        (b"GIF8", "a GIF picture"),
        (b"BM", "a BMP picture"),
        (b"II*\0", "a TIFF or raw camera picture"),
        (b"MM\0*", "a TIFF or raw camera picture"),
        (b"%PDF", "a PDF document"),
        (b"PK\x03\x04", "a ZIP archive or office document"),
        (b"\x1f\x8b", "a gzip archive"),
        (b"\x1a\x45\xdf\xa3", "a Matroska or WebM video"),
        (b"\x00\x00\x00\x0cjXL ", "a JPEG XL picture"),
    ];
    if let Some((_, name)) = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return (*name).to_owned();
    }
    if let Some(brand) = bytes.get(4..12).and_then(|box_| box_.strip_prefix(b"ftyp")) {
        return match brand {
            b"avif" | b"avis" => "an AVIF picture",
            b"heic" | b"heix" | b"mif1" | b"msf1" => "a HEIC picture",
            _ => "an MP4 or MOV video",
        }
        .to_owned();
    }
    let start = &bytes[..bytes.len().min(64)];
    let is_text = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7e | 0x80..);
    if std::str::from_utf8(&bytes[..bytes.len().min(4)]).is_ok() && start.iter().all(is_text) {
        let text = String::from_utf8_lossy(start).to_lowercase();
        let text = text.trim_start_matches(['\u{feff}', ' ', '\n', '\r', '\t']);
        return match text {
            _ if text.starts_with("<svg") || text.starts_with("<?xml") => "an SVG or XML document",
            _ if text.starts_with("<!doctype") || text.starts_with("<html") => "an HTML page",
            _ => "text",
        }
        .to_owned();
    }
    let hex: Vec<String> = bytes
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("of an unknown kind that starts with {}", hex.join(" "))
}

fn truncated(format: Format, bytes: &[u8], missing: &'static str) -> StillError {
    StillError::Truncated {
        format: format.name(),
        bytes: bytes.len(),
        missing,
    }
}

fn corrupt(format: Format, reason: &str) -> StillError {
    StillError::Corrupt {
        format: format.name(),
        reason: reason.to_owned(),
    }
}

fn be16(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 2)?;
    Some(u32::from(bytes[0]) << 8 | u32::from(bytes[1]))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
