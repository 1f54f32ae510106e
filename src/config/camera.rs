//! Where stills come from when a request names the camera.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde::Deserialize;
use toml::Spanned;

use super::{
    ConfigError,
    raw::{Int, RawCamera},
    resolve::{integer, number, required_path},
    text::Text,
};

const TIMEOUT_S_DEFAULT: f64 = 10.0;
const FRAME_TIMEOUT_S_DEFAULT: f64 = 3.0;
const WARMUP_S_DEFAULT: f64 = 3.0;
const FROZEN_FRAMES_DEFAULT: u32 = 4;
/// Most frames of a burst: each is held decoded until the last is there.
const BURST_MAX: i64 = 9;
/// Longest side that V4L2 drivers may be asked for, in pixels.
const SIDE_PX_MAX: u32 = 16_384;

/// Where stills come from when a request names the camera.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Camera {
    /// There is none: such requests are answered `no_camera`.
    None,
    /// A camera that the kernel knows.
    Device(DeviceCamera),
    /// A file that something else keeps fresh.
    File(PathBuf),
    /// A command that prints one JPEG, PNG or WebP to standard output.
    Command {
        /// Program and arguments; no shell is involved.
        argv: Vec<String>,
        /// Time after which it is ended.
        timeout: Duration,
        /// Identical photographs in a row with which it counts as frozen; 0
        /// for never.
        frozen_stills: u32,
    },
}

impl Camera {
    /// Identical photographs in a row, from one request to the next, with which
    /// it counts as frozen; 0 for never.
    pub fn frozen_stills(&self) -> u32 {
        match self {
            Self::Command { frozen_stills, .. } => *frozen_stills,
            // A file may be as it is for long, and a device is looked at frame
            // by frame.
            Self::None | Self::Device(_) | Self::File(_) => 0,
        }
    }
}

/// A V4L2 camera and how to take a still with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceCamera {
    /// The node, best by its name in `/dev/v4l/by-id` or `by-path`.
    pub node: PathBuf,
    /// Width and height in pixels; the largest within the limits if not given.
    pub size_px: Option<[u32; 2]>,
    /// How it shall send pixels; the best of that size if not given.
    pub format: Option<PixelFormat>,
    /// Controls by the names that `v4l2-ctl` gives them, set before each still.
    pub controls: BTreeMap<String, i64>,
    /// Frames whose median is the still, 1 to 9.
    pub burst: usize,
    /// Longest time that the exposure has to settle.
    pub warmup: Duration,
    /// Identical frames in a row with which the camera counts as frozen; 0 for
    /// a camera that shows a test picture.
    pub frozen_frames: u32,
    /// Longest time between two frames.
    pub frame_timeout: Duration,
    /// Longest time for the still as a whole.
    pub timeout: Duration,
}

impl DeviceCamera {
    /// The camera at `node` with every default.
    pub fn at(node: impl Into<PathBuf>) -> Self {
        Self {
            node: node.into(),
            size_px: None,
            format: None,
            controls: BTreeMap::new(),
            burst: 1,
            warmup: Duration::from_secs_f64(WARMUP_S_DEFAULT),
            frozen_frames: FROZEN_FRAMES_DEFAULT,
            frame_timeout: Duration::from_secs_f64(FRAME_TIMEOUT_S_DEFAULT),
            timeout: Duration::from_secs_f64(TIMEOUT_S_DEFAULT),
        }
    }
}

/// How a camera sends pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PixelFormat {
    /// Each frame a JPEG.
    Mjpg,
    /// Y'CbCr 4:2:2, packed.
    Yuyv,
    /// Y'CbCr 4:2:0, luma first and then both chroma interleaved.
    Nv12,
    /// Luma alone, 8 bits.
    Grey,
    /// RGB or BGR, 24 bits.
    Rgb,
}

impl PixelFormat {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Mjpg, Self::Yuyv, Self::Nv12, Self::Grey, Self::Rgb];

    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mjpg => "MJPG",
            Self::Yuyv => "YUYV",
            Self::Nv12 => "NV12",
            Self::Grey => "GREY",
            Self::Rgb => "RGB",
        }
    }
}

/// A control's value as it is written.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
pub(super) enum RawControl {
    Switch(bool),
    Number(i64),
}

pub(super) fn resolve(text: &Text, raw: RawCamera) -> Result<Camera, ConfigError> {
    let sources = [
        ("device", raw.device.as_ref().map(Spanned::span)),
        ("file", raw.file.as_ref().map(Spanned::span)),
        ("command", raw.command.as_ref().map(Spanned::span)),
    ];
    let mut given = sources.into_iter().filter_map(|(key, place)| {
        let place = place?;
        Some((key, place))
    });
    if let (Some((first, _)), Some((second, place))) = (given.next(), given.next()) {
        let reason =
            format!("camera.{second} is given as well as camera.{first}, allowed is one of them");
        return Err(text.error(place, reason));
    }
    let frozen = &raw.frozen_frames;
    if let (Some(place), None, None) = (frozen, &raw.device, &raw.command) {
        let reason = "camera.frozen_frames is given without camera.device or camera.command";
        return Err(text.error(place.span(), reason.to_owned()));
    }
    let frozen = frozen_frames(text, frozen)?;
    if raw.device.is_none() {
        for (key, place) in device_keys(&raw) {
            if let Some(place) = place {
                let reason = format!("camera.{key} is given without camera.device");
                return Err(text.error(place, reason));
            }
        }
    }
    let timeout_s = number(text, "camera.timeout_s", &raw.timeout_s, 0.1..=300.0)?;
    let timeout = Duration::from_secs_f64(timeout_s.unwrap_or(TIMEOUT_S_DEFAULT));
    if let Some(node) = &raw.device {
        let node = required_path(text, "camera.device", node)?;
        let mut camera = DeviceCamera::at(node);
        camera.timeout = timeout;
        camera.frozen_frames = frozen.unwrap_or(FROZEN_FRAMES_DEFAULT);
        return device(text, camera, &raw).map(Camera::Device);
    }
    if let Some(file) = &raw.file {
        return Ok(Camera::File(required_path(text, "camera.file", file)?));
    }
    let Some(command) = raw.command else {
        return Ok(Camera::None);
    };
    if command.get_ref().first().is_none_or(String::is_empty) {
        let reason = "camera.command is empty, expected a program and its arguments";
        return Err(text.error(command.span(), reason.to_owned()));
    }
    Ok(Camera::Command {
        argv: command.into_inner(),
        timeout,
        frozen_stills: frozen.unwrap_or(0),
    })
}

type Place = Option<std::ops::Range<usize>>;

/// The keys that are about a V4L2 camera alone, and where they stand.
fn device_keys(raw: &RawCamera) -> [(&'static str, Place); 6] {
    [
        ("size", raw.size.as_ref().map(Spanned::span)),
        ("format", raw.format.as_ref().map(Spanned::span)),
        ("controls", raw.controls.as_ref().map(Spanned::span)),
        ("burst", raw.burst.as_ref().map(Spanned::span)),
        ("warmup_s", raw.warmup_s.as_ref().map(Spanned::span)),
        (
            "frame_timeout_s",
            raw.frame_timeout_s.as_ref().map(Spanned::span),
        ),
    ]
}

fn frozen_frames(text: &Text, given: &Int) -> Result<Option<u32>, ConfigError> {
    let count = integer(text, "camera.frozen_frames", given, 0..=1000)?;
    match (count, given) {
        // One alone is identical to none.
        (Some(1), Some(value)) => {
            let reason = "camera.frozen_frames is 1, allowed are 0 and 2 to 1000";
            Err(text.error(value.span(), reason.to_owned()))
        }
        (count, _) => Ok(count.map(|count| count as u32)),
    }
}

fn device(
    text: &Text,
    mut camera: DeviceCamera,
    raw: &RawCamera,
) -> Result<DeviceCamera, ConfigError> {
    if let Some(size) = &raw.size {
        let parsed = size_of(size.get_ref()).ok_or_else(|| {
            let reason = format!(
                "camera.size is {:?}, expected WIDTHxHEIGHT of 1 to {SIDE_PX_MAX} pixels",
                size.get_ref()
            );
            text.error(size.span(), reason)
        })?;
        camera.size_px = Some(parsed);
    }
    if let Some(name) = &raw.format {
        let format = PixelFormat::ALL
            .into_iter()
            .find(|format| format.name() == name.get_ref());
        camera.format = Some(format.ok_or_else(|| {
            let names = PixelFormat::ALL.map(PixelFormat::name).join(", ");
            let reason = format!("camera.format is {:?}, allowed are {names}", name.get_ref());
            text.error(name.span(), reason)
        })?);
    }
    if let Some(controls) = &raw.controls {
        let controls = controls.get_ref().iter();
        camera.controls = controls
            .map(|(name, value)| {
                let value = match *value {
                    RawControl::Switch(is_on) => i64::from(is_on),
                    RawControl::Number(value) => value,
                };
                (name.clone(), value)
            })
            .collect();
    }
    if let Some(count) = integer(text, "camera.burst", &raw.burst, 1..=BURST_MAX)? {
        camera.burst = count as usize;
    }
    if let Some(seconds) = number(text, "camera.warmup_s", &raw.warmup_s, 0.0..=60.0)? {
        camera.warmup = Duration::from_secs_f64(seconds);
    }
    let gap = &raw.frame_timeout_s;
    if let Some(seconds) = number(text, "camera.frame_timeout_s", gap, 0.1..=60.0)? {
        camera.frame_timeout = Duration::from_secs_f64(seconds);
    }
    Ok(camera)
}

fn size_of(text: &str) -> Option<[u32; 2]> {
    let (width, height) = text.split_once('x')?;
    let side = |text: &str| {
        let side_px: u32 = text.parse().ok()?;
        (1..=SIDE_PX_MAX).contains(&side_px).then_some(side_px)
    };
    Some([side(width)?, side(height)?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn camera(keys: &str) -> Result<Camera, String> {
        let parsed = Config::parse(&format!("[camera]\n{keys}"));
        parsed
            .map(|config| config.camera)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_device_has_a_default_for_everything() {
        let node = "/dev/v4l/by-id/usb-Camera-index0";
        let expected = Camera::Device(DeviceCamera::at(node));
        assert_eq!(camera(&format!("device = '{node}'")), Ok(expected));
    }

    #[test]
    fn every_key_of_a_device_is_read() {
        let keys = "device = '/dev/video0'\nsize = '1920x1080'\nformat = 'YUYV'\nburst = 5\n\
                    warmup_s = 0.5\nfrozen_frames = 0\nframe_timeout_s = 1\ntimeout_s = 20\n\
                    controls = { gain = -3, auto_exposure = true }";
        let expected = DeviceCamera {
            size_px: Some([1920, 1080]),
            format: Some(PixelFormat::Yuyv),
            controls: [("gain".to_owned(), -3), ("auto_exposure".to_owned(), 1)].into(),
            burst: 5,
            warmup: Duration::from_millis(500),
            frozen_frames: 0,
            frame_timeout: Duration::from_secs(1),
            timeout: Duration::from_secs(20),
            ..DeviceCamera::at("/dev/video0")
        };
        assert_eq!(camera(keys), Ok(Camera::Device(expected)));
    }

    #[test]
    fn a_command_may_be_watched_for_freezing() {
        let frozen = |keys| camera(keys).map(|camera| camera.frozen_stills());
        assert_eq!(frozen("command = ['a']"), Ok(0));
        assert_eq!(frozen("command = ['a']\nfrozen_frames = 3"), Ok(3));
        assert_eq!(frozen("device = 'a'\nfrozen_frames = 3"), Ok(0));
        let said = frozen("file = 'a'\nfrozen_frames = 3").unwrap_err();
        let expected =
            "3:17: camera.frozen_frames is given without camera.device or camera.command";
        assert!(said.ends_with(expected), "{said}");
    }

    #[test]
    fn what_is_wrong_is_said_with_what_is_allowed() {
        for (keys, said) in [
            (
                "file = 'a'\ncommand = ['b']",
                "3:11: camera.command is given as well as camera.file, allowed is one of them",
            ),
            (
                "command = []",
                "2:11: camera.command is empty, expected a program and its arguments",
            ),
            (
                "device = '/dev/video0'\nfile = 'a'",
                "3:8: camera.file is given as well as camera.device, allowed is one of them",
            ),
            (
                "file = 'a'\nburst = 3",
                "3:9: camera.burst is given without camera.device",
            ),
            (
                "device = '/dev/video0'\nburst = 10",
                "3:9: camera.burst is 10, allowed are 1 to 9",
            ),
            (
                "device = '/dev/video0'\nfrozen_frames = 1",
                "3:17: camera.frozen_frames is 1, allowed are 0 and 2 to 1000",
            ),
            (
                "device = '/dev/video0'\nsize = '0x480'",
                "3:8: camera.size is \"0x480\", expected WIDTHxHEIGHT of 1 to 16384 pixels",
            ),
            (
                "device = '/dev/video0'\nformat = 'mjpeg'",
                "3:10: camera.format is \"mjpeg\", allowed are MJPG, YUYV, NV12, GREY, RGB",
            ),
            (
                "device = '/dev/video0'\nwarmup_s = 61",
                "3:12: camera.warmup_s is 61, allowed are 0 to 60",
            ),
            (
                "device = ''",
                "2:10: camera.device is empty, expected a path",
            ),
        ] {
            let found = camera(keys).expect_err(keys);
            assert!(found.ends_with(said), "{found}");
        }
        assert!(camera("device = 'a'\ncontrols = { gain = 'high' }").is_err());
    }
}
