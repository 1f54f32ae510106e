//! How a raw frame lies in memory and what its numbers mean.

use v4l::v4l_sys::v4l2_pix_format;

use crate::config::PixelFormat;

/// Samples and their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Jpeg,
    Yuyv,
    Nv12,
    Grey,
    Rgb,
    Bgr,
}

/// Four-character codes of linux/videodev2.h that we understand.
const CODES: [([u8; 4], Coding); 7] = [
    (*b"MJPG", Coding::Jpeg),
    (*b"JPEG", Coding::Jpeg),
    (*b"YUYV", Coding::Yuyv),
    (*b"NV12", Coding::Nv12),
    (*b"GREY", Coding::Grey),
    (*b"RGB3", Coding::Rgb),
    (*b"BGR3", Coding::Bgr),
];

impl Coding {
    pub(super) fn of(code: u32) -> Option<Self> {
        let bytes = code.to_le_bytes();
        let known = CODES.iter().find(|(known, _)| *known == bytes)?;
        Some(known.1)
    }

    pub(super) fn format(self) -> PixelFormat {
        match self {
            Self::Jpeg => PixelFormat::Mjpg,
            Self::Yuyv => PixelFormat::Yuyv,
            Self::Nv12 => PixelFormat::Nv12,
            Self::Grey => PixelFormat::Grey,
            Self::Rgb | Self::Bgr => PixelFormat::Rgb,
        }
    }
}

/// A frame as the driver has agreed to send it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Layout {
    pub(super) coding: Coding,
    pub(super) width_px: usize,
    pub(super) height_px: usize,
    /// From one row of the first plane to the next.
    pub(super) stride_bytes: usize,
    pub(super) colour: Colour,
}

/// What the samples mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Colour {
    /// Weights of red and blue in luma.
    pub(super) weights: [f32; 2],
    /// 16 to 235 (chroma to 240) instead of 0 to 255.
    pub(super) is_limited: bool,
}

/// ITU-R BT.601-7, item 2.5.1, also SMPTE 170M and JFIF.
const BT601: [f32; 2] = [0.299, 0.114];
/// ITU-R BT.709-6, item 3.2.
const BT709: [f32; 2] = [0.2126, 0.0722];
/// ITU-R BT.2020-2, table 4.
const BT2020: [f32; 2] = [0.2627, 0.0593];
/// SMPTE 240M.
const SMPTE240M: [f32; 2] = [0.212, 0.087];

impl Colour {
    /// By the fields that the driver has filled, with V4L2's defaults where it
    /// says that they hold (linux/videodev2.h, `V4L2_MAP_…_DEFAULT`).
    /// Primaries and transfer are taken to be those of sRGB.
    pub(super) fn of(coding: Coding, space: u32, encoding: u32, quantization: u32) -> Self {
        const SPACE_SMPTE240M: u32 = 2;
        const SPACE_REC709: u32 = 3;
        const SPACE_JPEG: u32 = 7;
        const SPACE_BT2020: u32 = 10;
        const SPACE_DCI_P3: u32 = 12;
        const FULL_RANGE: u32 = 1;
        const LIMITED_RANGE: u32 = 2;

        let weights = match (encoding, space) {
            // BT.709 and xvYCC 709.
            (2 | 4, _) | (0, SPACE_REC709 | SPACE_DCI_P3) => BT709,
            // BT.2020, of constant luminance too, which no camera sends.
            (6 | 7, _) | (0, SPACE_BT2020) => BT2020,
            (8, _) | (0, SPACE_SMPTE240M) => SMPTE240M,
            _ => BT601,
        };
        let is_rgb = matches!(coding, Coding::Rgb | Coding::Bgr);
        let is_limited = match quantization {
            FULL_RANGE => false,
            LIMITED_RANGE => true,
            _ => !is_rgb && space != SPACE_JPEG,
        };
        Self {
            weights,
            is_limited,
        }
    }
}

impl Layout {
    /// What the driver has agreed to; `None` for a code we did not ask for.
    pub(super) fn of(agreed: &v4l2_pix_format) -> Option<Self> {
        let coding = Coding::of(agreed.pixelformat)?;
        // SAFETY: both readings of the union are the same integer.
        let encoding = unsafe { agreed.__bindgen_anon_1.ycbcr_enc };
        let (space, quantization) = (agreed.colorspace, agreed.quantization);
        let mut layout = Self {
            coding,
            width_px: agreed.width as usize,
            height_px: agreed.height as usize,
            stride_bytes: 0,
            colour: Colour::of(coding, space, encoding, quantization),
        };
        // Some drivers leave it at zero.
        layout.stride_bytes = (agreed.bytesperline as usize).max(layout.row_bytes());
        Some(layout)
    }

    /// Bytes of a row of the first plane that are pixels.
    pub(super) fn row_bytes(&self) -> usize {
        match self.coding {
            Coding::Jpeg => 0,
            Coding::Yuyv => self.width_px.next_multiple_of(2) * 2,
            Coding::Nv12 | Coding::Grey => self.width_px,
            Coding::Rgb | Coding::Bgr => self.width_px * 3,
        }
    }

    /// Bytes without which a raw frame is no whole picture.
    pub(super) fn bytes_min(&self) -> usize {
        let rows = match self.coding {
            Coding::Nv12 => self.height_px + self.height_px.div_ceil(2),
            _ => self.height_px,
        };
        let last = match self.coding {
            Coding::Nv12 => self.width_px.next_multiple_of(2),
            _ => self.row_bytes(),
        };
        rows.saturating_sub(1) * self.stride_bytes + last
    }

    /// Luma of every `step`th pixel of every `step`th row, 0 to 255 whatever
    /// the range, and how many there are at each level. For raw frames alone.
    pub(super) fn levels(&self, frame: &[u8], step: usize) -> [u32; 256] {
        let mut counts = [0; 256];
        let expand = self.expansion();
        let (first, apart) = match self.coding {
            Coding::Yuyv => (0, 2),
            // Green is most of luma.
            Coding::Rgb | Coding::Bgr => (1, 3),
            Coding::Jpeg | Coding::Nv12 | Coding::Grey => (0, 1),
        };
        for y in (0..self.height_px).step_by(step) {
            let row = &frame[y * self.stride_bytes..];
            for x in (0..self.width_px).step_by(step) {
                let level = expand[usize::from(row[x * apart + first])];
                counts[usize::from(level)] += 1;
            }
        }
        counts
    }

    /// Each luma code as a level from 0 to 255.
    pub(super) fn expansion(&self) -> [u8; 256] {
        let mut levels = [0; 256];
        for (code, level) in levels.iter_mut().enumerate() {
            // The cast saturates.
            *level = (self.colour.luma(code as u8) + 0.5) as u8;
        }
        levels
    }
}

impl Colour {
    /// Luma from 0 to 255, beyond for codes beyond the range.
    pub(super) fn luma(self, code: u8) -> f32 {
        match self.is_limited {
            true => (f32::from(code) - 16.0) * (255.0 / 219.0),
            false => f32::from(code),
        }
    }

    /// A colour difference from -127.5 to 127.5.
    pub(super) fn difference(self, code: u8) -> f32 {
        let scale = if self.is_limited { 255.0 / 224.0 } else { 1.0 };
        (f32::from(code) - 128.0) * scale
    }
}
