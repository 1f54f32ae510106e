//! Photographs that are none, and odd ones that are: each refusal is one line
//! that names what was found and what is allowed, and a header that lies about
//! its size costs nothing.

use std::path::Path;

use proptest::prelude::*;
use zoetrope::still::{self, Limits};

use crate::{
    photos::{self, picture},
    support::{Folder, largest_allocation, zoetrope},
};

/// What is no photograph, and words that the refusal must contain.
fn bad_photos() -> Vec<(&'static str, Vec<u8>, &'static [&'static str])> {
    const SIDES: &str = "allowed are at most 4096 per side";
    const KINDS: &str = "accepted are JPEG, PNG and WebP";
    let jpeg = photos::jpeg(96, 64);
    let png = photos::png(96, 64);
    let webp = photos::webp(96, 64);
    let cut = |file: &[u8], part: usize| file[..file.len() * part / 8].to_vec();
    let large = |bytes: &[u8]| [bytes, &vec![0; 33 << 20]].concat();
    let two_sizes = photos::extended_webp(0, 100, &[(b"VP8 ", &photos::vp8_frame(16_383))]);
    let damaged_png = {
        let mut file = png.clone();
        let middle = file.len() / 2;
        file[middle..middle + 16].fill(0xaa);
        file
    };
    let broken_tables = [&jpeg[..2], &[0xff, 0xdb, 0, 3, 7], &jpeg[2..]].concat();
    vec![
        ("empty", vec![], &["is empty: 0 bytes"]),
        (
            "one byte",
            vec![0xff],
            &["unknown kind that starts with ff", KINDS],
        ),
        ("text", b"not a photograph".to_vec(), &["is text", KINDS]),
        (
            "html",
            b"<!DOCTYPE html><p>404".to_vec(),
            &["an HTML page", KINDS],
        ),
        (
            "svg",
            b"\n<svg xmlns=''/>".to_vec(),
            &["an SVG or XML document", KINDS],
        ),
        (
            "gif",
            b"GIF89a\x01\0\x01\0".to_vec(),
            &["a GIF picture", KINDS],
        ),
        ("bmp", b"BM\x10\0\0\0".to_vec(), &["a BMP picture", KINDS]),
        (
            "tiff",
            b"II*\0\x08\0\0\0".to_vec(),
            &["a TIFF or raw camera picture", KINDS],
        ),
        (
            "heic",
            b"\0\0\0\x18ftypheic".to_vec(),
            &["a HEIC picture", KINDS],
        ),
        (
            "video",
            b"\0\0\0\x18ftypisom".to_vec(),
            &["an MP4 or MOV video", KINDS],
        ),
        (
            "noise",
            (0..200).map(|at| (at * 89 + 3) as u8).collect(),
            &["unknown kind", KINDS],
        ),
        (
            "too many bytes",
            large(&jpeg),
            &["bytes, allowed are at most 33554432"],
        ),
        (
            "jpeg start only",
            jpeg[..3].to_vec(),
            &["truncated JPEG", "3 bytes"],
        ),
        (
            "jpeg cut in the header",
            cut(&jpeg, 1),
            &["truncated JPEG", "end before"],
        ),
        (
            "jpeg cut early",
            cut(&jpeg, 3),
            &["truncated JPEG", "the end marker"],
        ),
        (
            "jpeg cut late",
            cut(&jpeg, 7),
            &["truncated JPEG", "the end marker"],
        ),
        ("jpeg with broken tables", broken_tables, &["damaged JPEG"]),
        (
            "jpeg without picture",
            vec![0xff, 0xd8, 0xff, 0xd9],
            &["damaged JPEG", "no frame"],
        ),
        (
            "jpeg that lies",
            photos::flat_jpeg(65_535, 65_535, 3, 9),
            &["65535x65535", SIDES],
        ),
        (
            "jpeg 1 high",
            photos::jpeg(640, 1),
            &["640x1", "at least 64 per side"],
        ),
        (
            "jpeg 0 high",
            photos::flat_jpeg(640, 0, 3, 9),
            &["640x0", "at least 64 per side"],
        ),
        (
            "png signature only",
            png[..8].to_vec(),
            &["truncated PNG", "8 bytes"],
        ),
        (
            "png cut early",
            cut(&png, 2),
            &["truncated PNG", "the IEND chunk"],
        ),
        (
            "png cut late",
            cut(&png, 7),
            &["truncated PNG", "the IEND chunk"],
        ),
        ("png damaged", damaged_png, &["damaged PNG"]),
        (
            "png that lies",
            photos::claimed_png(100_000, 100_000, &[0]),
            &["100000x100000", SIDES],
        ),
        (
            "png that lies most",
            photos::claimed_png(0x7fff_ffff, 64, &[0]),
            &["2147483647x64"],
        ),
        (
            "png without pixels",
            photos::claimed_png(4096, 4096, &[]),
            &["damaged PNG"],
        ),
        (
            "png 0x0",
            photos::claimed_png(0, 0, &[]),
            &["0x0", "at least 64 per side"],
        ),
        (
            "png 63x63",
            photos::png(63, 63),
            &["63x63", "at least 64 per side"],
        ),
        ("png 5000x100", photos::png(5000, 100), &["5000x100", SIDES]),
        (
            "apng",
            photos::animated_png(&png),
            &["an animated PNG", "still pictures only"],
        ),
        (
            "webp cut early",
            cut(&webp, 2),
            &["truncated WebP", "the length that it announces"],
        ),
        ("webp cut late", cut(&webp, 7), &["truncated WebP"]),
        (
            "webp of two sizes",
            two_sizes,
            &["damaged WebP", "two different sizes"],
        ),
        (
            "webp that lies",
            photos::extended_webp(0, 1 << 24, &[]),
            &["16777216x16777216", SIDES],
        ),
        (
            "animated webp",
            photos::extended_webp(2, 100, &[(b"ANIM", &[0; 6])]),
            &["an animated WebP", "still pictures only"],
        ),
    ]
}

#[test]
fn bad_photographs_are_refused_by_name() {
    let bad = bad_photos();
    assert!(bad.len() >= 30, "{} kinds", bad.len());
    for (name, bytes, words) in bad {
        let said = still::decode(&bytes, &Limits::default())
            .expect_err(name)
            .to_string();
        for word in words {
            assert!(said.contains(word), "{name}: {word:?} is not in {said:?}");
        }
    }
}

#[test]
fn the_program_says_the_same_and_leaves_nothing_behind() {
    for (name, bytes, words) in bad_photos() {
        let folder = Folder::new();
        let photo = folder.file("photo.jpg", bytes);
        let clip = folder.path("clip.mp4");
        zoetrope([Path::new("render"), &photo, Path::new("-o"), &clip]).refuses(name, 1, words);
        assert_eq!(folder.names(), ["photo.jpg"], "{name}");
    }
}

#[test]
fn headers_that_lie_do_not_allocate() {
    // Enough for a copy of the file and a decoder's tables.
    const ALLOWED_BYTES: usize = 1 << 20;
    let lies = bad_photos().into_iter().filter(|(name, ..)| {
        name.contains("lies") || name.contains("two sizes") || name.contains("0 high")
    });
    for (name, bytes, _) in lies {
        assert!(bytes.len() < 1000, "{name}");
        let (result, largest) = largest_allocation(|| still::decode(&bytes, &Limits::default()));
        assert!(result.is_err(), "{name}");
        assert!(largest < ALLOWED_BYTES, "{name}: {largest} bytes at once");
    }
}

#[test]
fn odd_but_good_photographs_are_converted() {
    let picture = picture(96, 64);
    let as_png = |picture| photos::encoded(&picture, image::ImageFormat::Png);
    let grey = image::DynamicImage::ImageLuma8(picture.to_luma8());
    let good = [
        (
            "grey jpeg",
            photos::encoded(&grey, image::ImageFormat::Jpeg),
            (96, 64),
        ),
        ("grey png", as_png(grey), (96, 64)),
        (
            "16-bit png",
            as_png(image::DynamicImage::ImageRgb16(picture.to_rgb16())),
            (96, 64),
        ),
        (
            "16-bit grey",
            as_png(image::DynamicImage::ImageLuma16(picture.to_luma16())),
            (96, 64),
        ),
        (
            "transparent",
            as_png(image::DynamicImage::ImageRgba8(picture.to_rgba8())),
            (96, 64),
        ),
        ("cmyk jpeg", photos::flat_jpeg(96, 64, 4, 96), (96, 64)),
        (
            "sideways jpeg",
            photos::sideways(&photos::jpeg(96, 64)),
            (64, 96),
        ),
        (
            "jpeg with a tail",
            [photos::jpeg(96, 64), vec![7; 99]].concat(),
            (96, 64),
        ),
        ("webp", photos::webp(96, 64), (96, 64)),
    ];
    for (name, bytes, size) in good {
        let photo = still::decode(&bytes, &Limits::default()).expect(name);
        assert_eq!((photo.width_px, photo.height_px), size, "{name}");
    }
}

#[test]
fn cmyk_and_sideways_photographs_become_clips() {
    let photos = [
        ("cmyk.jpg", photos::flat_jpeg(96, 64, 4, 96), "96x64"),
        (
            "sideways.jpg",
            photos::sideways(&photos::jpeg(96, 64)),
            "64x96",
        ),
    ];
    for (name, bytes, size) in photos {
        let folder = Folder::new();
        let photo = folder.file(name, bytes);
        let clip = folder.path("clip.mp4");
        let [render, o, seconds, fps] = ["render", "-o", "--seconds=0.5", "--fps=5"].map(Path::new);
        let done = zoetrope([render, &photo, o, &clip, seconds, fps]);
        assert_eq!(done.code, Some(0), "{name}: {done:#?}");
        assert!(done.stdout.contains(size), "{name}: {done:#?}");
        assert!(clip.metadata().is_ok_and(|about| about.len() > 0), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn noise_never_panics(
        kind in 0..4usize,
        noise in proptest::collection::vec(any::<u8>(), 0..2000),
    ) {
        let starts: [&[u8]; 4] = [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x40\0\0\0WEBP"];
        let bytes = [starts[kind], &noise].concat();
        prop_assert!(still::decode(&bytes, &Limits::default()).is_err());
    }

    #[test]
    fn damage_never_panics(
        kind in 0..4usize,
        places in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        let mut bytes = match kind {
            0 => photos::jpeg(72, 64),
            1 => photos::png(72, 64),
            2 => photos::webp(72, 64),
            _ => photos::sideways(&photos::flat_jpeg(96, 64, 4, 96)),
        };
        for (place, value) in places {
            let at = place.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(photo) = still::decode(&bytes, &Limits::default()) {
            prop_assert_eq!(photo.bytes.len(), photo.width_px * photo.height_px * 3);
        }
    }
}
