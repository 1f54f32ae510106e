//! Everything a person or a network can get wrong, and what is said about it:
//! one clear line that names the value and the limit, and the right exit code.

use std::path::Path;

use proptest::prelude::*;
use zoetrope::still::{self, Limits};

use crate::{
    photos::{self, picture},
    support::{Folder, largest_allocation, repository, zoetrope},
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

#[test]
fn places_that_cannot_be_read_or_written_are_named() {
    let folder = Folder::new();
    let photo = folder.file("photo.png", photos::png(64, 64));
    let (photo, here) = (photo.to_string_lossy(), folder.path(""));
    let here = here.to_string_lossy();
    let cases: [(&str, [&str; 2], &[&str]); 8] = [
        (
            "no photo",
            ["/no/such.jpg", "x.mp4"],
            &["/no/such.jpg", "No such file"],
        ),
        (
            "folder as photo",
            [&here, "x.mp4"],
            &["is a folder, expected a file"],
        ),
        (
            "device as photo",
            ["/dev/zero", "x.mp4"],
            &["is a device or pipe"],
        ),
        (
            "clip is a folder",
            [&photo, &here],
            &["is a folder, expected a file name"],
        ),
        (
            "no output folder",
            [&photo, "/no/such/x.mp4"],
            &["/no/such", "does not exist"],
        ),
        // Not even root writes there.
        (
            "read-only output folder",
            [&photo, "/proc/x.mp4"],
            &["/proc", "cannot be written to"],
        ),
        (
            "output folder is a file",
            [&photo, "/dev/null/x.mp4"],
            &["/dev/null", "does not exist"],
        ),
        (
            "photo behind a file",
            ["/dev/null/a.jpg", "x.mp4"],
            &["Not a directory"],
        ),
    ];
    for (name, [photo, clip], words) in cases {
        let out = if clip == "x.mp4" {
            format!("{here}/x.mp4")
        } else {
            clip.to_owned()
        };
        zoetrope(["render", photo, "-o", &out]).refuses(name, 1, words);
    }
    let frames = format!("{photo}/frames");
    let out = format!("{here}/x.mp4");
    zoetrope(["render", &*photo, "-o", &out, "--frames", &frames]).refuses(
        "frames in a file",
        1,
        &["cannot be created"],
    );
    assert_eq!(folder.names(), ["photo.png"]);
}

#[test]
fn models_that_are_missing_or_altered_are_refused() {
    let folder = Folder::new();
    let photo = folder.file("photo.png", photos::png(64, 64));
    let clip = folder.path("clip.mp4");
    let render = |model: &Path| {
        let [render, o, option] = ["render", "-o", "--model"].map(Path::new);
        zoetrope([render, &photo, o, &clip, option, model])
    };
    let missing = folder.path("none.toml");
    render(&missing).refuses("no card", 1, &["none.toml"]);
    let card = std::fs::read(repository("models/motion.toml")).expect("the model's card");
    let card = folder.file("motion.toml", card);
    render(&card).refuses("no network", 1, &["motion.onnx"]);
    let mut network = std::fs::read(repository("models/motion.onnx")).expect("the model");
    let middle = network.len() / 2;
    network[middle] ^= 1;
    folder.file("motion.onnx", network);
    render(&card).refuses("altered network", 1, &["motion.onnx", "sha256"]);
    let card = folder.file("motion.toml", "name = ");
    render(&card).refuses("broken card", 1, &["motion.toml"]);
}

#[test]
fn impossible_options_are_usage_errors() {
    const RATES: &str = "from 5 to 60";
    const SIZES: &str = "even sides from 64 to 3840x2160";
    let cases: [(&str, &[&str]); 22] = [
        ("--fps=-5", &["-5", RATES]),
        ("--fps=0", &["0", RATES]),
        ("--fps=240", &["240", RATES]),
        ("--fps=29.97", &["29.97", RATES]),
        ("--seconds=0", &["0", "0.5 to 60"]),
        ("--seconds=-4", &["-4", "0.5 to 60"]),
        ("--seconds=86400", &["86400", "0.5 to 60"]),
        ("--seconds=inf", &["inf", "0.5 to 60"]),
        ("--seconds=long", &["long", "not a number"]),
        ("--strength=NaN", &["NaN", "0 to 1"]),
        ("--strength=3", &["3", "0 to 1"]),
        ("--strength=-0.1", &["-0.1", "0 to 1"]),
        ("--size=101x100", &["101x100", SIZES]),
        ("--size=62x62", &["62x62", SIZES]),
        ("--size=9000x9000", &["9000x9000", SIZES]),
        ("--size=big", &["big", "WIDTHxHEIGHT"]),
        ("--size=1280x-720", &["1280x-720", "WIDTHxHEIGHT"]),
        ("--direction=north", &["north", "left, right, up, down"]),
        ("--direction=720", &["720", "-360 to 360"]),
        ("--seed=many", &["many", "0 to 18446744073709551615"]),
        ("--seed=-1", &["-1", "0 to 18446744073709551615"]),
        ("--lenght=4", &["--lenght"]),
    ];
    for (option, words) in cases {
        zoetrope(["render", "photo.jpg", "-o", "x.mp4", option]).refuses(option, 2, words);
    }
}

#[test]
fn wrong_configurations_are_refused_with_their_place() {
    let cases: [(&str, &[u8], &[&str]); 18] = [
        (
            "unknown key",
            b"[look]\nstrenght = 1",
            &[":2:1: ", "strenght", "strength"],
        ),
        (
            "unknown section",
            b"[kamera]",
            &[":1:2: ", "kamera", "camera"],
        ),
        ("no toml", b"device_id: porch", &[":1:"]),
        ("json", b"{\"device_id\": 1}", &[":1:"]),
        (
            "key twice",
            b"device_id = 'a'\ndevice_id = 'b'",
            &[":2:1: ", "duplicate"],
        ),
        (
            "text for a number",
            b"queue_length_max = 'ten'",
            &[":1:20: ", "string", "expected i64"],
        ),
        (
            "number for a text",
            b"device_id = 7",
            &[":1:13: ", "7", "expected a string"],
        ),
        ("empty id", b"device_id = ''", &[":1:13: ", "1 to 64"]),
        (
            "wildcard id",
            b"device_id = '+'",
            &[":1:13: ", "\"+\"", "a-z"],
        ),
        (
            "port 0",
            b"[broker]\nurl='mqtt://h:0'",
            &[":2:5: ", "\"0\"", "1 to 65535"],
        ),
        (
            "port 99999",
            b"[broker]\nurl='mqtt://h:99999'",
            &[":2:5: ", "99999", "1 to 65535"],
        ),
        (
            "small packets",
            b"[broker]\npacket_bytes_max=9",
            &[":2:18: ", "9", "65536"],
        ),
        (
            "negative fps",
            b"[shape]\nframe_rate=-30",
            &[":2:12: ", "-30", "5 to 60"],
        ),
        (
            "no duration",
            b"[shape]\nduration_ms=0",
            &[":2:13: ", "0", "500 to 60000"],
        ),
        (
            "absurd duration",
            b"[shape]\nduration_ms=86400000",
            &["86400000", "500 to 60000"],
        ),
        (
            "strength 3",
            b"[look]\nstrength = 3",
            &[":2:12: ", "3", "0 to 1"],
        ),
        (
            "no queue",
            b"queue_length_max = 0",
            &[":1:20: ", "0", "1 to 1000"],
        ),
        (
            "not UTF-8",
            b"\n device_id = '\xe4'",
            &[":2:15: ", "0xe4", "UTF-8"],
        ),
    ];
    for (name, toml, words) in cases {
        let folder = Folder::new();
        let file = folder.file("zoetrope.toml", toml);
        let [check, config] = ["check", "--config"].map(Path::new);
        let words = [&["zoetrope.toml:"], words].concat();
        zoetrope([check, config, &file]).refuses(name, 2, &words);
    }
    zoetrope(["check", "--config", "/no/such.toml"]).refuses(
        "no file",
        2,
        &["/no/such.toml", "No such file"],
    );
    zoetrope(["check", "--config", "/"]).refuses("folder", 2, &["is not a file"]);
}

#[test]
fn a_password_that_cannot_be_read_is_found_by_check() {
    let folder = Folder::new();
    let toml = "[broker]\nusername = 'me'\npassword_file = 'secret'";
    let file = folder.file("zoetrope.toml", toml);
    let [check, config] = ["check", "--config"].map(Path::new);
    zoetrope([check, config, &file]).refuses("no password", 2, &["secret", "cannot be read"]);
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
