//! What the daemon and an engine in a process of its own say to each other: a
//! byte that tells the kind, the length as four bytes, the content. Numbers are
//! little-endian.

use std::io::{self, ErrorKind, Read, Write};

use serde::{Deserialize, Serialize};

use crate::{
    picture::Plane,
    scene::{
        CLASS_COUNT, HARMONIC_COUNT, HINT_CHANNELS, NetworkInput, NetworkOutput, Profile,
        STYLE_LENGTH,
    },
};

const INPUT: u8 = 1;
const READY: u8 = 2;
const UNBUILT: u8 = 3;
const FAILED: u8 = 4;
const OUTPUT: u8 = 5;

/// Longest side of an input, in pixels: far above every network's.
const SIDE_PX_MAX: usize = 4096;
/// Largest message, in bytes: three planes of the largest input, and more.
const BYTES_MAX: usize = 1 << 29;
/// Planes of an answer: classes, mobility, depth, flow and its confidence,
/// spectrum, light.
const PLANE_COUNT: usize = CLASS_COUNT + 2 + 3 + 4 * HARMONIC_COUNT + 1;

/// What is known of an engine that works.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// The library and its version, such as `onnxruntime 1.23.0`.
    pub runtime: String,
    /// The GPU, when it runs on one.
    pub gpu: Option<String>,
}

impl std::fmt::Display for Details {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.gpu {
            Some(gpu) => write!(f, "{} on {gpu}", self.runtime),
            None => f.write_str(&self.runtime),
        }
    }
}

/// What an engine says.
#[derive(Debug)]
pub(super) enum Reply {
    /// It works and waits for pictures.
    Ready(Details),
    /// It would work if it were built first.
    Unbuilt(String),
    /// It does not work, or not on this picture.
    Failed(String),
    /// What the network sees in the picture.
    Output(Box<NetworkOutput>),
}

fn bad(reason: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, reason.to_owned())
}

fn write_message(to: &mut impl Write, kind: u8, content: &[u8]) -> io::Result<()> {
    let length = u32::try_from(content.len()).map_err(|_| bad("a message is too long"))?;
    to.write_all(&[kind])?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(content)?;
    to.flush()
}

fn read_message(from: &mut impl Read) -> io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 5];
    from.read_exact(&mut head)?;
    let [kind, length @ ..] = head;
    let length = u32::from_le_bytes(length) as usize;
    if length > BYTES_MAX {
        return Err(bad("a message is too long"));
    }
    let mut content = Vec::new();
    from.take(length as u64).read_to_end(&mut content)?;
    if content.len() < length {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok((kind, content))
}

fn put(bytes: &mut Vec<u8>, values: &[f32]) {
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}

/// The next so many numbers of `bytes`.
fn get(bytes: &mut &[u8], count: usize) -> io::Result<Vec<f32>> {
    let (taken, rest) = (bytes.split_at_checked(4 * count)).ok_or_else(|| bad("is too short"))?;
    *bytes = rest;
    let number = |four: &[u8]| f32::from_le_bytes([four[0], four[1], four[2], four[3]]);
    Ok(taken.chunks_exact(4).map(number).collect())
}

fn get_side(bytes: &mut &[u8]) -> io::Result<usize> {
    let (taken, rest) = (bytes.split_first_chunk()).ok_or_else(|| bad("is too short"))?;
    *bytes = rest;
    match u32::from_le_bytes(*taken) as usize {
        0 => Err(bad("a side is 0")),
        side if side > SIDE_PX_MAX => Err(bad("a side is too long")),
        side => Ok(side),
    }
}

/// Shows a picture to an engine.
pub(super) fn write_input(to: &mut impl Write, input: &NetworkInput) -> io::Result<()> {
    let mut content = Vec::new();
    for side in [input.profile.width_px, input.profile.height_px] {
        content.extend((side as u32).to_le_bytes());
    }
    for values in [&input.rgb, &input.hints, &input.noise] {
        put(&mut content, values);
    }
    put(&mut content, &input.style);
    write_message(to, INPUT, &content)
}

/// The next picture.
pub(super) fn read_input(from: &mut impl Read) -> io::Result<NetworkInput> {
    let (kind, content) = read_message(from)?;
    if kind != INPUT {
        return Err(bad("is no picture"));
    }
    let mut bytes = &content[..];
    let profile = Profile {
        width_px: get_side(&mut bytes)?,
        height_px: get_side(&mut bytes)?,
    };
    let area = profile.width_px * profile.height_px;
    let cells = profile.grid_width() * profile.grid_height();
    let (rgb, hints) = (
        get(&mut bytes, 3 * area)?,
        get(&mut bytes, HINT_CHANNELS * area)?,
    );
    let (noise, style) = (get(&mut bytes, 2 * cells)?, get(&mut bytes, STYLE_LENGTH)?);
    Ok(NetworkInput {
        profile,
        rgb,
        hints,
        noise,
        style: style.try_into().map_err(|_| bad("is too short"))?,
    })
}

/// Says something as an engine.
pub(super) fn write_reply(to: &mut impl Write, reply: &Reply) -> io::Result<()> {
    match reply {
        Reply::Ready(details) => write_message(to, READY, &serde_json::to_vec(details)?),
        Reply::Unbuilt(reason) => write_message(to, UNBUILT, reason.as_bytes()),
        Reply::Failed(reason) => write_message(to, FAILED, reason.as_bytes()),
        Reply::Output(seen) => {
            let mut content = Vec::new();
            let single = [&seen.mobility, &seen.depth];
            let flow = [&seen.flow_x, &seen.flow_y, &seen.flow_confidence];
            for plane in (seen.classes.iter().chain(single).chain(flow))
                .chain(&seen.spectrum)
                .chain([&seen.light])
            {
                put(&mut content, &plane.samples);
            }
            write_message(to, OUTPUT, &content)
        }
    }
}

/// What the engine says next; an answer is to a picture of this profile.
pub(super) fn read_reply(from: &mut impl Read, profile: Profile) -> io::Result<Reply> {
    let (kind, content) = read_message(from)?;
    let text = || String::from_utf8_lossy(&content).into_owned();
    match kind {
        READY => Ok(Reply::Ready(serde_json::from_slice(&content)?)),
        UNBUILT => Ok(Reply::Unbuilt(text())),
        FAILED => Ok(Reply::Failed(text())),
        OUTPUT => Ok(Reply::Output(Box::new(answer(&content, profile)?))),
        _ => Err(bad("is no reply")),
    }
}

fn answer(mut bytes: &[u8], profile: Profile) -> io::Result<NetworkOutput> {
    let (width_px, height_px) = (profile.grid_width(), profile.grid_height());
    if bytes.len() != PLANE_COUNT * 4 * width_px * height_px {
        return Err(bad("an answer has another length"));
    }
    let mut planes = |count: usize| -> io::Result<Vec<Plane<f32>>> {
        let plane = |_| {
            Ok(Plane {
                width_px,
                height_px,
                samples: get(&mut bytes, width_px * height_px)?,
            })
        };
        (0..count).map(plane).collect()
    };
    let classes = planes(CLASS_COUNT)?;
    let [mobility, depth, flow_x, flow_y, flow_confidence] =
        <[Plane<f32>; 5]>::try_from(planes(5)?).map_err(|_| bad("an answer has another length"))?;
    let spectrum = planes(4 * HARMONIC_COUNT)?;
    let light = planes(1)?.remove(0);
    Ok(NetworkOutput {
        classes,
        mobility,
        depth,
        flow_x,
        flow_y,
        flow_confidence,
        spectrum,
        light,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Profile = Profile {
        width_px: 32,
        height_px: 64,
    };

    fn counted(count: usize) -> Vec<f32> {
        (0..count).map(|at| at as f32 / 7.0).collect()
    }

    #[test]
    fn a_picture_and_its_answer_arrive_as_they_were() {
        let area = SMALL.width_px * SMALL.height_px;
        let input = NetworkInput {
            profile: SMALL,
            rgb: counted(3 * area),
            hints: counted(HINT_CHANNELS * area),
            noise: counted(area / 8),
            style: [0.5; STYLE_LENGTH],
        };
        let mut wire = Vec::new();
        write_input(&mut wire, &input).unwrap();
        let read = read_input(&mut &wire[..]).unwrap();
        assert_eq!(read.profile, SMALL);
        assert_eq!((read.rgb, read.hints), (input.rgb, input.hints));
        assert_eq!((read.noise, read.style), (input.noise, input.style));

        let content = counted(PLANE_COUNT * area / 16);
        let mut bytes = Vec::new();
        put(&mut bytes, &content);
        let seen = answer(&bytes, SMALL).unwrap();
        let mut wire = Vec::new();
        write_reply(&mut wire, &Reply::Output(Box::new(seen))).unwrap();
        assert_eq!(wire[5..], bytes);
        let Ok(Reply::Output(read)) = read_reply(&mut &wire[..], SMALL) else {
            panic!("no answer");
        };
        assert_eq!(read.light.samples.last(), content.last());
    }

    #[test]
    fn what_is_cut_or_too_long_is_refused() {
        let mut wire = Vec::new();
        write_reply(&mut wire, &Reply::Failed("out of memory".to_owned())).unwrap();
        for length in 0..wire.len() {
            assert!(read_reply(&mut &wire[..length], SMALL).is_err());
        }
        assert!(read_reply(&mut &[FAILED, 255, 255, 255, 255][..], SMALL).is_err());
        assert!(read_reply(&mut &[OUTPUT, 0, 0, 0, 0][..], SMALL).is_err());
        assert!(read_reply(&mut &[77, 0, 0, 0, 0][..], SMALL).is_err());
        assert!(read_input(&mut &wire[..]).is_err());
        let mut huge = vec![INPUT, 8, 0, 0, 0];
        huge.extend([255; 8]);
        assert!(read_input(&mut &huge[..]).is_err());
    }
}
