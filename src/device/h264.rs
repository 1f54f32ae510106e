//! H.264 by OpenH264, built from source and linked in.

use openh264::{
    OpenH264API,
    encoder::{
        BitRate, Complexity, Encoder, EncoderConfig, FrameRate, FrameType, IntraFramePeriod,
        Profile, QpRange, RateControlMode, SpsPpsStrategy, UsageType, VuiConfig,
    },
    formats::YUVSource,
};

use openh264_sys2::{ENCODER_OPTION_TRACE_LEVEL, WELS_LOG_QUIET};

use crate::{
    clip::{ClipError, EncodedFrame, VideoEncoder},
    picture::Yuv420,
};

/// Highest bit rate that common signage players take (design limit).
const BITRATE_BPS_MAX: u32 = 20_000_000;
/// Bits per pixel of an ordinary moving picture at good quality.
const BITS_PER_PIXEL: f64 = 0.30;
/// Coarsest and finest quantisation. The coarse end bounds the loss in what
/// does not move; the fine end keeps the rate control from wasting bits.
const QP: QpRange = QpRange::new(14, 24);
/// Seconds between key frames.
const KEY_FRAME_S: u32 = 4;

/// One clip's encoder.
pub struct H264Encoder {
    encoder: Encoder,
}

impl H264Encoder {
    /// An encoder for constant `frame_rate`; the size is the first frame's.
    ///
    /// # Errors
    /// [`ClipError::Encoder`] when the library refuses the settings.
    pub fn new(width_px: usize, height_px: usize, frame_rate: u32) -> Result<Self, ClipError> {
        let pixels_per_second = (width_px * height_px) as f64 * f64::from(frame_rate);
        let bitrate = (pixels_per_second * BITS_PER_PIXEL) as u32;
        let config = EncoderConfig::new()
            .bitrate(BitRate::from_bps(bitrate.clamp(1_000_000, BITRATE_BPS_MAX)))
            .max_frame_rate(FrameRate::from_hz(frame_rate as f32))
            .rate_control_mode(RateControlMode::Quality)
            .skip_frames(false)
            .usage_type(UsageType::CameraVideoRealTime)
            .complexity(Complexity::Medium)
            .profile(Profile::High)
            .sps_pps_strategy(SpsPpsStrategy::ConstantId)
            .qp(QP)
            .intra_frame_period(IntraFramePeriod::from_num_frames(KEY_FRAME_S * frame_rate))
            .scene_change_detect(false)
            .adaptive_quantization(false)
            .background_detection(false)
            .num_threads(1)
            .vui(VuiConfig::bt709());
        let mut encoder = Encoder::with_api_config(OpenH264API::from_source(), config)
            .map_err(|error| ClipError::Encoder(error.to_string()))?;
        silence(&mut encoder);
        Ok(Self { encoder })
    }
}

/// [`H264Encoder::new`] in the form that the pipeline takes.
///
/// # Errors
/// As [`H264Encoder::new`].
pub fn boxed(
    width_px: usize,
    height_px: usize,
    frame_rate: u32,
) -> Result<Box<dyn VideoEncoder>, ClipError> {
    Ok(Box::new(H264Encoder::new(width_px, height_px, frame_rate)?))
}

/// Keeps the library from writing to standard error: its errors come back as
/// results, and its one warning (that without skipping frames the bit rate is a
/// target and no bound) is how we want it.
fn silence(encoder: &mut Encoder) {
    let mut level = WELS_LOG_QUIET;
    // SAFETY: the encoder lives, this option takes a pointer to a C int that is
    // read during the call, and it may be set before initialisation.
    unsafe {
        encoder
            .raw_api()
            .set_option(ENCODER_OPTION_TRACE_LEVEL, (&raw mut level).cast());
    }
}

impl VideoEncoder for H264Encoder {
    fn encode(&mut self, frame: &Yuv420) -> Result<EncodedFrame, ClipError> {
        let stream = self
            .encoder
            .encode(&Source(frame))
            .map_err(|error| ClipError::Encoder(error.to_string()))?;
        let is_keyframe = matches!(stream.frame_type(), FrameType::IDR);
        let annex_b = stream.to_vec();
        if annex_b.is_empty() {
            return Err(ClipError::Encoder("a frame was skipped".to_owned()));
        }
        Ok(EncodedFrame {
            annex_b,
            is_keyframe,
        })
    }
}

struct Source<'a>(&'a Yuv420);

impl YUVSource for Source<'_> {
    fn dimensions(&self) -> (usize, usize) {
        (self.0.width_px(), self.0.height_px())
    }

    fn strides(&self) -> (usize, usize, usize) {
        (self.0.y.width_px, self.0.u.width_px, self.0.v.width_px)
    }

    fn y(&self) -> &[u8] {
        &self.0.y.samples
    }

    fn u(&self) -> &[u8] {
        &self.0.u.samples
    }

    fn v(&self) -> &[u8] {
        &self.0.v.samples
    }
}
