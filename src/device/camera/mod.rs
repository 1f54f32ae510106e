//! Stills from a camera that the kernel knows (V4L2).
//!
//! The camera is opened for a still and closed after it: its light is on while
//! it looks and at no other time, other programs may have it in between, and one
//! that was pulled out and put back is simply there again. Frames are taken
//! until a good one is among them ([`settle`]); everything that can go wrong has
//! its own reason ([`CameraFault`]).
//!
//! Cameras of one plane alone; and none whose pictures need a processor of
//! their own, as sensors behind a Jetson's ISP do: those are a command's matter.

mod choice;

mod controls;

mod fault;

mod holders;

mod ioctl;

mod jpeg;

mod layout;

mod node;

mod pixels;

mod queue;

mod settle;

mod survey;

use std::{io::Cursor, time::Instant};

use image::{
    ExtendedColorType, ImageEncoder, ImageResult,
    codecs::{
        jpeg::JpegEncoder,
        png::{CompressionType, FilterType, PngEncoder},
    },
};

pub use self::{
    choice::Offer,
    fault::{CameraError, CameraFault, Rejection},
    survey::{About, Found, is_numbered, lasting_name, survey},
};
use self::{layout::Coding, node::Node, queue::Queue, settle::Rules};
use crate::{
    config::DeviceCamera,
    picture::Rgb,
    still::{self, Capture, Limits, Origin, StillError, StillSource},
};

/// Quality of a JPEG that is made of raw pixels, 1 to 100: no loss to be seen.
const JPEG_QUALITY: u8 = 95;

/// A camera, opened anew at every capture.
#[derive(Clone, Debug)]
pub struct CameraSource {
    camera: DeviceCamera,
    limits: Limits,
}

/// A still as the camera gave it.
#[derive(Clone, Debug, PartialEq)]
pub struct Shot {
    /// What it was taken with.
    pub offer: Offer,
    /// The picture itself.
    pub picture: Picture,
}

/// The pixels of a still.
#[derive(Clone, Debug, PartialEq)]
pub enum Picture {
    /// The camera's own JPEG, whole and decodable.
    Jpeg(Vec<u8>),
    /// Of a raw format, or the median of a burst.
    Pixels(Rgb),
}

impl CameraSource {
    /// Takes stills as `camera` says, within `limits`.
    pub fn new(camera: DeviceCamera, limits: Limits) -> Self {
        Self { camera, limits }
    }

    /// Opens the camera, takes a still and closes it again.
    ///
    /// # Errors
    /// [`CameraError`] with the reason; the camera is closed then as well.
    pub fn take(&self) -> Result<Shot, CameraError> {
        self.shoot().map_err(|fault| CameraError {
            node: self.camera.node.clone(),
            fault,
        })
    }

    fn shoot(&self) -> Result<Shot, CameraFault> {
        let camera = &self.camera;
        let deadline = Instant::now() + camera.timeout;
        let node = Node::open(&camera.node)?;
        let offer = choice::choose(&node.offers()?, camera, &self.limits)?;
        let layout = node.agree(&offer)?;
        controls::set(&node, &camera.controls)?;
        let rules = Rules {
            warmup: camera.warmup,
            frozen_frames: camera.frozen_frames,
            burst: camera.burst,
            deadline,
        };
        let mut frames = {
            let mut queue = Queue::start(&node, camera.frame_timeout)?;
            settle::take(&mut queue, &layout, &rules)?
        };
        drop(node);
        if layout.coding == Coding::Jpeg
            && frames.len() == 1
            && let Some(jpeg) = frames.pop()
        {
            let picture = Picture::Jpeg(jpeg);
            return Ok(Shot { offer, picture });
        }
        let mut pictures = Vec::with_capacity(frames.len());
        for frame in frames {
            pictures.push(match layout.coding {
                Coding::Jpeg => still::decode(&frame, &self.limits)
                    .map_err(|error| CameraFault::Failed(error.to_string()))?,
                _ => pixels::to_rgb(&frame, &layout),
            });
        }
        let picture = Picture::Pixels(match pictures.len() {
            1 => pictures.remove(0),
            _ => pixels::median(&pictures),
        });
        Ok(Shot { offer, picture })
    }
}

impl StillSource for CameraSource {
    fn capture(&mut self) -> Result<Capture, StillError> {
        let shot = self.take()?;
        let still = shot.picture.into_lossless().map_err(|error| {
            let node = self.camera.node.display();
            StillError::Source(format!("camera {node}: failed: {error}"))
        })?;
        Ok(Capture::alone(still))
    }

    fn origin(&self) -> Origin {
        Origin::Camera
    }
}

impl Picture {
    /// The picture as a file, bit by bit what the camera gave: JPEG or PNG.
    ///
    /// # Errors
    /// Those of the encoder.
    pub fn into_lossless(self) -> ImageResult<Vec<u8>> {
        match self {
            Self::Jpeg(jpeg) => Ok(jpeg),
            Self::Pixels(rgb) => {
                let mut png = Cursor::new(Vec::new());
                // Read back at once and thrown away: speed is all that counts.
                let (fast, filter) = (CompressionType::Fast, FilterType::Up);
                let encoder = PngEncoder::new_with_quality(&mut png, fast, filter);
                write(encoder, &rgb)?;
                Ok(png.into_inner())
            }
        }
    }

    /// The picture as a JPEG: the camera's own, if it sends them.
    ///
    /// # Errors
    /// Those of the encoder.
    pub fn into_jpeg(self) -> ImageResult<Vec<u8>> {
        match self {
            Self::Jpeg(jpeg) => Ok(jpeg),
            Self::Pixels(rgb) => {
                let mut jpeg = Vec::new();
                write(JpegEncoder::new_with_quality(&mut jpeg, JPEG_QUALITY), &rgb)?;
                Ok(jpeg)
            }
        }
    }
}

fn write(encoder: impl ImageEncoder, rgb: &Rgb) -> ImageResult<()> {
    let (width_px, height_px) = (rgb.width_px as u32, rgb.height_px as u32);
    encoder.write_image(&rgb.bytes, width_px, height_px, ExtendedColorType::Rgb8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_are_kept_as_they_are() {
        let limits = Limits {
            side_px_min: 1,
            ..Limits::default()
        };
        let rgb = Rgb {
            width_px: 33,
            height_px: 21,
            bytes: (0..33 * 21 * 3).map(|at| (at * 31 % 256) as u8).collect(),
        };
        let picture = Picture::Pixels(rgb.clone());
        let png = picture.clone().into_lossless().unwrap();
        assert_eq!(still::decode(&png, &limits).unwrap(), rgb);
        let jpeg = picture.into_jpeg().unwrap();
        assert!(jpeg.starts_with(&[0xff, 0xd8]));
        assert_eq!(still::decode(&jpeg, &limits).unwrap().width_px, 33);
        let own = Picture::Jpeg(jpeg.clone());
        assert_eq!(own.into_lossless().unwrap(), jpeg);
    }

    #[test]
    fn a_camera_that_is_not_there_is_lost() {
        let camera = DeviceCamera::at("/dev/v4l/by-id/none");
        let mut source = CameraSource::new(camera, Limits::default());
        let said = source.capture().unwrap_err().to_string();
        assert!(
            said.starts_with("camera /dev/v4l/by-id/none: lost: the node is not there"),
            "{said}"
        );
        assert_eq!(source.origin(), Origin::Camera);
    }
}
