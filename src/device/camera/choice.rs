//! Which of the formats and sizes that a camera offers a still is taken with.

use std::{cmp::Reverse, fmt};

use super::{fault::CameraFault, layout::Coding};
use crate::{
    burst,
    config::{DeviceCamera, PixelFormat},
    still::Limits,
};

/// Slower than this, in frames per second, the exposure takes seconds to
/// settle; then a compressed format of the same size is the better one.
const FPS_MIN: f64 = 5.0;
/// Width of the pictures that are watched, in pixels; what moves is measured at
/// less.
pub(super) const PREVIEW_WIDTH_PX: u32 = 640;
/// Room for what a PNG has besides its pixels, in bytes: one filter byte a row,
/// and headers.
const PNG_HEAD_BYTES: usize = 64 << 10;

/// One way to take a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Offer {
    /// The driver's own code.
    pub(super) code: u32,
    pub(super) coding: Coding,
    /// Width and height in pixels.
    pub size_px: [u32; 2],
    /// Most frames per second; none if the driver does not tell.
    pub fps: Option<f64>,
}

impl Offer {
    /// Whether both show the same: a camera that fills other proportions cuts
    /// something off.
    fn shows_as(&self, other: &Self) -> bool {
        let [width_a, height_a] = self.size_px.map(u64::from);
        let [width_b, height_b] = other.size_px.map(u64::from);
        let [a, b] = [width_a * height_b, width_b * height_a];
        // Sides are multiples of 8 or 16 as a rule: 848x480 is meant as 16:9.
        a.abs_diff(b) * 100 <= a.max(b)
    }

    /// How the pixels are sent.
    pub fn format(&self) -> PixelFormat {
        self.coding.format()
    }
}

impl fmt::Display for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [width_px, height_px] = self.size_px;
        write!(f, "{} {width_px}x{height_px}", self.format().name())
    }
}

/// The best offer within the limits of photographs and of the configuration:
/// in colour before grey, then the most pixels, then not too slow, then the
/// least loss.
pub(super) fn choose(
    offers: &[Offer],
    wanted: &DeviceCamera,
    limits: &Limits,
) -> Result<Offer, CameraFault> {
    let is_wanted = |offer: &&Offer| {
        wanted
            .size_px
            .is_none_or(|size_px| size_px == offer.size_px)
            && wanted.format.is_none_or(|format| format == offer.format())
    };
    let wanted_ones: Vec<&Offer> = offers.iter().filter(is_wanted).collect();
    if wanted_ones.is_empty() {
        return Err(CameraFault::Unsuitable(nothing_said(offers, wanted)));
    }
    let best = wanted_ones
        .iter()
        .filter(|offer| is_within(offer, limits))
        .max_by_key(|offer| {
            let [width_px, height_px] = offer.size_px.map(u64::from);
            let is_slow = offer.fps.is_some_and(|fps| fps < FPS_MIN);
            let is_grey = offer.format() == PixelFormat::Grey;
            (!is_grey, width_px * height_px, !is_slow, fidelity(offer))
        });
    best.map(|offer| **offer).ok_or_else(|| {
        let (min, max) = (limits.side_px_min, limits.side_px_max);
        CameraFault::Unsuitable(format!(
            "none of {} is within {min} to {max} pixels per side and {} bytes",
            list(&wanted_ones),
            limits.bytes_max
        ))
    })
}

/// The offer for the moments before a still that is taken with `still`: of the
/// same proportions, so that it shows the same, fast enough, and not far from
/// [`PREVIEW_WIDTH_PX`].
pub(super) fn preview(
    offers: &[Offer],
    still: &Offer,
    wanted: &DeviceCamera,
    frame_rate: f64,
) -> Result<Offer, CameraFault> {
    let is_fit = |offer: &&Offer| {
        let is_grey = offer.format() == PixelFormat::Grey;
        offer.shows_as(still)
            && wanted.format.is_none_or(|format| format == offer.format())
            && (!is_grey || still.format() == PixelFormat::Grey)
            && (offer.fps).is_none_or(|fps| fps >= f64::from(burst::FRAME_RATE_MIN))
    };
    let best = offers.iter().filter(is_fit).max_by_key(|offer| {
        let is_fast = offer.fps.is_none_or(|fps| fps >= frame_rate);
        let width_px = offer.size_px[0];
        let [less, more] = [
            width_px.min(PREVIEW_WIDTH_PX),
            width_px.max(PREVIEW_WIDTH_PX),
        ];
        let times_permille = u64::from(more) * 1000 / u64::from(less.max(1));
        (is_fast, Reverse(times_permille), width_px, fidelity(offer))
    });
    best.copied().ok_or_else(|| {
        CameraFault::Unsuitable(format!(
            "nothing in the proportions of {still} comes {} times per second",
            burst::FRAME_RATE_MIN
        ))
    })
}

/// How little is lost on the way from the sensor.
fn fidelity(offer: &Offer) -> u32 {
    match offer.format() {
        PixelFormat::Rgb => 4,
        PixelFormat::Yuyv => 3,
        PixelFormat::Nv12 => 2,
        PixelFormat::Mjpg => 1,
        PixelFormat::Grey => 0,
    }
}

fn is_within(offer: &Offer, limits: &Limits) -> bool {
    let [width_px, height_px] = offer.size_px;
    let pixels = width_px as usize * height_px as usize;
    width_px.min(height_px) >= limits.side_px_min
        && width_px.max(height_px) <= limits.side_px_max
        && (offer.format() == PixelFormat::Mjpg || pixels * 3 + PNG_HEAD_BYTES <= limits.bytes_max)
}

fn nothing_said(offers: &[Offer], wanted: &DeviceCamera) -> String {
    if offers.is_empty() {
        let names = PixelFormat::ALL.map(PixelFormat::name).join(", ");
        return format!("it sends none of {names}");
    }
    let format = wanted.format.map_or("", PixelFormat::name);
    let size = match wanted.size_px {
        Some([width_px, height_px]) => format!("{width_px}x{height_px}"),
        None => String::new(),
    };
    let asked = format!("{format} {size}");
    let offers: Vec<&Offer> = offers.iter().collect();
    format!(
        "{} is configured, the camera has {}",
        asked.trim(),
        list(&offers)
    )
}

/// The offers, largest first, as many as fit a line.
fn list(offers: &[&Offer]) -> String {
    const LISTED_MAX: usize = 12;
    let mut offers = offers.to_vec();
    offers.sort_by_key(|offer| {
        let [width_px, height_px] = offer.size_px.map(u64::from);
        Reverse((width_px * height_px, fidelity(offer)))
    });
    let left_out = offers.len().saturating_sub(LISTED_MAX);
    let listed = offers.iter().take(LISTED_MAX);
    let mut said = listed
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    if left_out > 0 {
        said += &format!(" and {left_out} more");
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(coding: Coding, width_px: u32, height_px: u32, fps: f64) -> Offer {
        Offer {
            code: 0,
            coding,
            size_px: [width_px, height_px],
            fps: Some(fps),
        }
    }

    fn chosen(offers: &[Offer], wanted: &DeviceCamera) -> String {
        match choose(offers, wanted, &Limits::default()) {
            Ok(offer) => offer.to_string(),
            Err(fault) => fault.to_string(),
        }
    }

    #[test]
    fn the_most_pixels_in_colour_and_of_the_same_size_the_least_loss() {
        let any = DeviceCamera::at("/dev/video0");
        let webcam = [
            offer(Coding::Yuyv, 640, 480, 30.0),
            offer(Coding::Yuyv, 1920, 1080, 2.0),
            offer(Coding::Jpeg, 640, 480, 30.0),
            offer(Coding::Jpeg, 1920, 1080, 30.0),
            offer(Coding::Grey, 2592, 1944, 30.0),
            offer(Coding::Jpeg, 8000, 6000, 30.0),
        ];
        assert_eq!(chosen(&webcam, &any), "MJPG 1920x1080");
        assert_eq!(chosen(&webcam[..3], &any), "YUYV 1920x1080");
        assert_eq!(chosen(&webcam[4..5], &any), "GREY 2592x1944");
        let mut small = any.clone();
        small.size_px = Some([640, 480]);
        assert_eq!(chosen(&webcam, &small), "YUYV 640x480");
        small.format = Some(PixelFormat::Mjpg);
        assert_eq!(chosen(&webcam, &small), "MJPG 640x480");
    }

    #[test]
    fn a_preview_shows_the_same_and_is_small_and_fast() {
        let mut any = DeviceCamera::at("/dev/video0");
        let webcam = [
            offer(Coding::Yuyv, 640, 480, 30.0),
            offer(Coding::Yuyv, 640, 360, 30.0),
            offer(Coding::Jpeg, 640, 360, 30.0),
            offer(Coding::Grey, 640, 360, 60.0),
            offer(Coding::Yuyv, 848, 480, 10.0),
            offer(Coding::Jpeg, 1280, 720, 30.0),
            offer(Coding::Yuyv, 1920, 1080, 5.0),
            offer(Coding::Jpeg, 1920, 1080, 30.0),
        ];
        let still = webcam[7];
        let found =
            |offers: &[Offer], wanted: &DeviceCamera| match preview(offers, &still, wanted, 12.0) {
                Ok(offer) => offer.to_string(),
                Err(fault) => fault.to_string(),
            };
        assert_eq!(found(&webcam, &any), "YUYV 640x360");
        assert_eq!(found(&webcam[3..], &any), "MJPG 1280x720");
        // As good as 16:9, but slow; still better than nothing.
        assert_eq!(found(&webcam[4..5], &any), "YUYV 848x480");
        assert_eq!(found(&webcam[6..], &any), "MJPG 1920x1080");
        assert_eq!(found(&webcam[6..7], &any), "YUYV 1920x1080");
        any.format = Some(PixelFormat::Mjpg);
        assert_eq!(found(&webcam, &any), "MJPG 640x360");
        let slow = [offer(Coding::Jpeg, 1920, 1080, 2.0), webcam[0]];
        assert_eq!(
            found(&slow, &any),
            "unsuitable: nothing in the proportions of MJPG 1920x1080 comes 5 times per second"
        );
    }

    #[test]
    fn what_cannot_be_had_is_said_with_what_can() {
        let mut wanted = DeviceCamera::at("/dev/video0");
        wanted.size_px = Some([1280, 720]);
        wanted.format = Some(PixelFormat::Nv12);
        let webcam = [
            offer(Coding::Jpeg, 640, 480, 30.0),
            offer(Coding::Yuyv, 1280, 720, 30.0),
        ];
        assert_eq!(
            chosen(&webcam, &wanted),
            "unsuitable: NV12 1280x720 is configured, the camera has YUYV 1280x720, MJPG 640x480"
        );
        wanted.format = None;
        assert_eq!(
            chosen(&[], &wanted),
            "unsuitable: it sends none of MJPG, YUYV, NV12, GREY, RGB"
        );
        let vast = [offer(Coding::Rgb, 4096, 4096, 30.0)];
        assert_eq!(
            chosen(&vast, &DeviceCamera::at("/dev/video0")),
            "unsuitable: none of RGB 4096x4096 is within 64 to 4096 pixels per side \
             and 33554432 bytes"
        );
    }
}
