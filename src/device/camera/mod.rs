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

mod watch;

use std::{
    io::Cursor,
    time::{Duration, Instant},
};

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
use self::{
    layout::{Coding, Layout},
    node::Node,
    queue::Queue,
    settle::Rules,
};
use crate::{
    burst::Burst,
    config::{DeviceCamera, Watch},
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
    watch: Option<Watch>,
}

/// A still as the camera gave it.
#[derive(Clone, Debug, PartialEq)]
pub struct Shot {
    /// What it was taken with.
    pub offer: Offer,
    /// The picture itself.
    pub picture: Picture,
    /// What was seen just before, or why that was not; `None` if nobody watched.
    pub burst: Option<Result<Burst, String>>,
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
        Self {
            camera,
            limits,
            watch: None,
        }
    }

    /// Watches before each still, if that is wished; it takes as much longer.
    pub fn watching(self, watch: Option<Watch>) -> Self {
        Self { watch, ..self }
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
        let begun_at = Instant::now();
        let node = Node::open(&camera.node)?;
        let offers = node.offers()?;
        let offer = choice::choose(&offers, camera, &self.limits)?;
        let burst = self.watch.map(|wish| {
            // What cannot be watched leaves enough time for the still.
            let deadline = begun_at + camera.timeout / 2;
            self.watch(&node, &offers, &offer, &wish, deadline)
        });
        let burst = match burst {
            None => None,
            Some(Ok(burst)) => Some(Ok(burst)),
            // There will be no still either.
            Some(Err(fault @ CameraFault::Lost(_))) => return Err(fault),
            Some(Err(fault)) => Some(Err(fault.to_string())),
        };
        let watched = self.watch.map_or(Duration::ZERO, |wish| wish.duration);
        let layout = self.agree(&node, &offer)?;
        let mut frames = {
            let mut queue = Queue::start(&node, camera.frame_timeout)?;
            let rules = self.rules(camera.burst, begun_at + watched + camera.timeout);
            settle::take(&mut queue, &layout, &rules)?
        };
        drop(node);
        if layout.coding == Coding::Jpeg
            && frames.len() == 1
            && let Some(jpeg) = frames.pop()
        {
            let picture = Picture::Jpeg(jpeg);
            return Ok(Shot {
                offer,
                picture,
                burst,
            });
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
        Ok(Shot {
            offer,
            picture,
            burst,
        })
    }

    /// What the camera sees until the wish is fulfilled, once its exposure stands
    /// still, which is waited for until `deadline`.
    fn watch(
        &self,
        node: &Node,
        offers: &[Offer],
        still: &Offer,
        wish: &Watch,
        deadline: Instant,
    ) -> Result<Burst, CameraFault> {
        let offer = choice::preview(offers, still, &self.camera, wish.frame_rate.into())?;
        let layout = self.agree(node, &offer)?;
        let mut queue = Queue::start(node, self.camera.frame_timeout)?;
        let rules = self.rules(1, deadline);
        watch::watch(&mut queue, &layout, &rules, wish, &self.limits)
    }

    fn agree(&self, node: &Node, offer: &Offer) -> Result<Layout, CameraFault> {
        let layout = node.agree(offer)?;
        controls::set(node, &self.camera.controls)?;
        Ok(layout)
    }

    fn rules(&self, burst: usize, deadline: Instant) -> Rules {
        Rules {
            warmup: self.camera.warmup,
            frozen_frames: self.camera.frozen_frames,
            burst,
            deadline,
        }
    }
}

impl StillSource for CameraSource {
    fn capture(&mut self) -> Result<Capture, StillError> {
        let shot = self.take()?;
        let still = shot.picture.into_lossless().map_err(|error| {
            let node = self.camera.node.display();
            StillError::Source(format!("camera {node}: failed: {error}"))
        })?;
        Ok(match shot.burst {
            Some(burst) => Capture::watched(still, burst),
            None => Capture::alone(still),
        })
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
