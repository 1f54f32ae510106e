//! Reads clips back with other people's code: `mp4-atom` for the file, OpenH264's
//! decoder for the pictures, and ffmpeg beside them where it is installed.

use std::{io::Cursor, path::Path, process::Command};

use mp4_atom::{Any, Codec, Moov, ReadFrom, StszSamples};
use openh264::{decoder::Decoder, formats::YUVSource};
use zoetrope::picture::{Plane, Yuv420};

/// A clip, read back.
pub struct Playback {
    pub moov: Moov,
    /// Order of the top-level boxes.
    pub boxes: Vec<&'static str>,
    pub frames: Vec<Yuv420>,
}

pub fn play(path: &Path) -> Playback {
    let bytes = std::fs::read(path).expect("the clip");
    let mut reader = Cursor::new(&bytes[..]);
    let (mut moov, mut boxes) = (None, Vec::new());
    while (reader.position() as usize) < bytes.len() {
        match Any::read_from(&mut reader).expect("a well-formed box") {
            Any::Ftyp(_) => boxes.push("ftyp"),
            Any::Moov(found) => {
                boxes.push("moov");
                moov = Some(found);
            }
            Any::Mdat(_) => boxes.push("mdat"),
            Any::Free(_) => boxes.push("free"),
            other => panic!("unexpected box {other:?}"),
        }
    }
    let moov = moov.expect("an index");
    let frames = decode(&moov, &bytes);
    Playback {
        moov,
        boxes,
        frames,
    }
}

fn decode(moov: &Moov, bytes: &[u8]) -> Vec<Yuv420> {
    let mut decoder = Decoder::new().expect("a decoder");
    let stbl = &moov.trak[0].mdia.minf.stbl;
    let Codec::Avc1(avc1) = &stbl.stsd.codecs[0] else {
        panic!("not H.264: {:?}", stbl.stsd.codecs)
    };
    let sets = avc1
        .avcc
        .sequence_parameter_sets
        .iter()
        .chain(&avc1.avcc.picture_parameter_sets);
    let head: Vec<u8> = sets.flat_map(|set| annex_b(set)).collect();
    let mut frames = Vec::new();
    for (index, (offset, size)) in samples(moov).into_iter().enumerate() {
        let mut packet = if index == 0 { head.clone() } else { Vec::new() };
        let mut rest = &bytes[offset..offset + size];
        while let Some((length, tail)) = rest.split_first_chunk::<4>() {
            let (unit, tail) = tail.split_at(u32::from_be_bytes(*length) as usize);
            packet.extend(annex_b(unit));
            rest = tail;
        }
        let picture = decoder
            .decode(&packet)
            .expect("a decodable frame")
            .expect("one picture for each frame");
        let (width_px, height_px) = picture.dimensions();
        let (sy, su, sv) = picture.strides();
        frames.push(Yuv420 {
            y: packed(picture.y(), sy, width_px, height_px),
            u: packed(picture.u(), su, width_px / 2, height_px / 2),
            v: packed(picture.v(), sv, width_px / 2, height_px / 2),
        });
    }
    frames
}

/// Offset and size of every sample, from the index.
pub fn samples(moov: &Moov) -> Vec<(usize, usize)> {
    let stbl = &moov.trak[0].mdia.minf.stbl;
    let sizes: Vec<usize> = match &stbl.stsz.samples {
        StszSamples::Identical { count, size } => vec![*size as usize; *count as usize],
        StszSamples::Different { sizes } => sizes.iter().map(|size| *size as usize).collect(),
    };
    let chunks: Vec<usize> = match (&stbl.stco, &stbl.co64) {
        (Some(stco), _) => stco.entries.iter().map(|at| *at as usize).collect(),
        (None, Some(co64)) => co64.entries.iter().map(|at| *at as usize).collect(),
        (None, None) => panic!("no chunk offsets"),
    };
    let mut found = Vec::new();
    let mut next = sizes.into_iter();
    for (chunk, start) in chunks.iter().enumerate() {
        let runs = &stbl.stsc.entries;
        let run = runs
            .iter()
            .rfind(|run| run.first_chunk as usize <= chunk + 1);
        let mut at = *start;
        for size in next
            .by_ref()
            .take(run.expect("a run").samples_per_chunk as usize)
        {
            found.push((at, size));
            at += size;
        }
    }
    found
}

fn annex_b(unit: &[u8]) -> Vec<u8> {
    [&[0, 0, 0, 1], unit].concat()
}

fn packed(samples: &[u8], stride: usize, width_px: usize, height_px: usize) -> Plane<u8> {
    Plane::from_fn(width_px, height_px, |x, y| samples[y * stride + x])
}

/// The same clip's frames from ffmpeg, or `None` where it is not installed.
pub fn play_with_ffmpeg(path: &Path, width_px: usize, height_px: usize) -> Option<Vec<Yuv420>> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args([
            "-f",
            "rawvideo",
            "-pix_fmt",
            "yuv420p",
            "-fps_mode",
            "passthrough",
            "-",
        ])
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "ffmpeg: {said}");
    let (luma, chroma) = (width_px * height_px, width_px * height_px / 4);
    let frame = |bytes: &[u8]| {
        let plane = |range: std::ops::Range<usize>, width_px: usize, height_px: usize| Plane {
            width_px,
            height_px,
            samples: bytes[range].to_vec(),
        };
        Yuv420 {
            y: plane(0..luma, width_px, height_px),
            u: plane(luma..luma + chroma, width_px / 2, height_px / 2),
            v: plane(
                luma + chroma..luma + 2 * chroma,
                width_px / 2,
                height_px / 2,
            ),
        }
    };
    Some(
        output
            .stdout
            .chunks_exact(luma + 2 * chroma)
            .map(frame)
            .collect(),
    )
}
