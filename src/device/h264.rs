//! H.264 by OpenH264, built from source and linked in.
//!
//! The encoder's long-term reference is the still: the key frame is marked as
//! one, and every piece begins with a frame that refers to it alone. In its
//! simplest mode the library remembers nothing else of earlier frames, so the
//! bytes of a piece do not depend on what the same encoder encoded before.
//!
//! The settings were chosen on a lake of 1920x1080 that moves all over, at QP
//! 22. Low complexity takes 16 % less time than medium, for 1.7 % more bytes
//! and 0.06 dB less; high is as medium. CABAC takes 16 % more time than CAVLC
//! for 18 % fewer bytes. Without the loop filter the encoder takes 8 % less
//! time, for 1 % more bytes and 0.3 dB less.
//!
//! What moves is a step coarser than the still ([`Quantiser::of_motion`]): samples of
//! 1920x1080 take 12 to 15 % fewer bytes, and what is over the seam stays what it was: the
//! second difference there within 0.02 of what it is elsewhere, the fine detail of the first
//! frame over that of the others within 0.01.

mod nal;

use std::ptr;

use openh264_sys2::{
    CAMERA_VIDEO_REAL_TIME, CONSTANT_ID, DEBLOCKING_IDC_0, ENCODER_LTR_RECOVERY_REQUEST,
    ENCODER_OPTION, ENCODER_OPTION_SVC_ENCODE_PARAM_EXT, ENCODER_OPTION_TRACE_LEVEL, ISVCEncoder,
    ISVCEncoderVtbl, LOW_COMPLEXITY, LTR_RECOVERY_REQUEST, PRO_HIGH, RC_OFF_MODE, SEncParamExt,
    SFrameBSInfo, SLTRRecoverRequest, SM_SINGLE_SLICE, SSourcePicture, WELS_LOG_QUIET,
    source::APILoader, videoFormatI420,
};

use self::nal::Slice;
use crate::{
    clip::{ClipError, EncodedFrame, EncodedStill, Quantiser, VideoEncoder},
    picture::Yuv420,
};

/// ITU-T H.273 code points of BT.709: primaries, transfer and matrix.
const BT709: u8 = 1;
/// The library numbers key frames from 1.
const FIRST_KEY_FRAME: u32 = 1;

/// One worker's encoder.
pub struct H264Encoder {
    library: Library,
    still: EncodedStill,
    frame_num_bits: usize,
    /// Whether the library would refer to another frame than the still.
    has_left_still: bool,
    /// Whether the next frame begins a piece.
    is_beginning: bool,
}

impl H264Encoder {
    /// An encoder for constant `frame_rate`, with the still already encoded.
    ///
    /// # Errors
    /// [`ClipError::Encoder`] when the library refuses the settings or the
    /// still.
    pub fn new(still: &Yuv420, frame_rate: u32, quantiser: Quantiser) -> Result<Self, ClipError> {
        let mut library = Library::new()?;
        let settings = library.begin(still, frame_rate, quantiser)?;
        let (annex_b, luma_psnr_db) = library.encode(still, true)?;
        library.quantise(settings, quantiser.of_motion())?;
        let frame_num_bits = nal::frame_num_bits(&annex_b)
            .ok_or_else(|| refused("the stream does not begin as expected"))?;
        Ok(Self {
            library,
            still: EncodedStill {
                frame: EncodedFrame {
                    annex_b,
                    is_keyframe: true,
                },
                luma_psnr_db,
            },
            frame_num_bits,
            has_left_still: false,
            is_beginning: true,
        })
    }

    fn slice(&mut self, frame: &Yuv420) -> Result<Slice, ClipError> {
        if self.is_beginning && self.has_left_still {
            self.library.return_to_long_term()?;
        }
        let (annex_b, _) = self.library.encode(frame, false)?;
        self.has_left_still = true;
        let is_beginning = std::mem::take(&mut self.is_beginning);
        Slice::read(&annex_b, self.frame_num_bits)
            .filter(|slice| slice.refers_to_long_term() == is_beginning)
            .ok_or_else(|| refused("a frame refers to another than was asked for"))
    }
}

/// [`H264Encoder::new`] in the form that the pipeline takes.
///
/// # Errors
/// As [`H264Encoder::new`].
pub fn boxed(
    still: &Yuv420,
    frame_rate: u32,
    quantiser: Quantiser,
) -> Result<Box<dyn VideoEncoder>, ClipError> {
    Ok(Box::new(H264Encoder::new(still, frame_rate, quantiser)?))
}

impl VideoEncoder for H264Encoder {
    fn still(&self) -> &EncodedStill {
        &self.still
    }

    fn begin_piece(&mut self) {
        self.is_beginning = true;
    }

    fn encode(&mut self, index: u32, frame: &Yuv420) -> Result<EncodedFrame, ClipError> {
        Ok(p_frame(self.slice(frame)?.numbered(index)))
    }

    fn hold(
        &mut self,
        indices: std::ops::Range<u32>,
        still: &Yuv420,
    ) -> Result<Vec<EncodedFrame>, ClipError> {
        self.begin_piece();
        let mut slice = self.slice(still)?;
        self.begin_piece();
        Ok(indices
            .map(|index| p_frame(slice.numbered(index)))
            .collect())
    }
}

fn p_frame(annex_b: Vec<u8>) -> EncodedFrame {
    EncodedFrame {
        annex_b,
        is_keyframe: false,
    }
}

fn refused(what: &str) -> ClipError {
    ClipError::Encoder(format!("OpenH264: {what}"))
}

/// The library's encoder. INVARIANT: the pointer is the one that the library
/// gave, and nobody else has it.
struct Library(*mut ISVCEncoder);

// SAFETY: the encoder holds no thread-local state and starts no thread; it is
// used by one thread at a time, since every use takes it by `&mut`.
unsafe impl Send for Library {}

impl Library {
    fn new() -> Result<Self, ClipError> {
        let mut encoder: *mut ISVCEncoder = ptr::null_mut();
        // SAFETY: the library writes one pointer to the given place.
        let code = unsafe { APILoader::WelsCreateSVCEncoder(&raw mut encoder) };
        if code != 0 || encoder.is_null() {
            return Err(refused(&format!("no encoder, code {code}")));
        }
        let mut library = Self(encoder);
        // Its errors come back as results; what it would print is no concern
        // of whoever runs us.
        library.set(ENCODER_OPTION_TRACE_LEVEL, WELS_LOG_QUIET)?;
        Ok(library)
    }

    fn calls(&self) -> &ISVCEncoderVtbl {
        // SAFETY: by the invariant it points to the encoder, whose first member
        // points to its table of calls; both live as long as the encoder.
        unsafe { &**self.0 }
    }

    fn begin(
        &mut self,
        still: &Yuv420,
        frame_rate: u32,
        quantiser: Quantiser,
    ) -> Result<SEncParamExt, ClipError> {
        let (width_px, height_px) = (still.width_px() as i32, still.height_px() as i32);
        let mut settings = SEncParamExt::default();
        let defaults = self.calls().GetDefaultParams;
        let get_defaults = defaults.ok_or_else(|| refused("no default settings"))?;
        // SAFETY: the library fills in the given structure.
        checked("default settings", unsafe {
            get_defaults(self.0, &raw mut settings)
        })?;
        settings.iUsageType = CAMERA_VIDEO_REAL_TIME;
        settings.iPicWidth = width_px;
        settings.iPicHeight = height_px;
        settings.fMaxFrameRate = frame_rate as f32;
        settings.iRCMode = RC_OFF_MODE;
        settings.bEnableFrameSkip = false;
        settings.iTemporalLayerNum = 1;
        settings.iSpatialLayerNum = 1;
        // More than speed hangs on it: in the other modes decisions depend on
        // costs that are left over from the frame that was encoded before.
        settings.iComplexityMode = LOW_COMPLEXITY;
        // Key frames come when they are asked for, and marks never.
        settings.uiIntraPeriod = 0;
        settings.bEnableLongTermReference = true;
        settings.iLtrMarkPeriod = u32::MAX;
        settings.eSpsPpsIdStrategy = CONSTANT_ID;
        settings.iEntropyCodingModeFlag = 1;
        settings.iMultipleThreadIdc = 1;
        settings.iLoopFilterDisableIdc = DEBLOCKING_IDC_0;
        settings.bEnableDenoise = false;
        settings.bEnableBackgroundDetection = false;
        settings.bEnableAdaptiveQuant = false;
        settings.bEnableSceneChangeDetect = false;
        let layer = &mut settings.sSpatialLayers[0];
        layer.iVideoWidth = width_px;
        layer.iVideoHeight = height_px;
        layer.fFrameRate = frame_rate as f32;
        layer.uiProfileIdc = PRO_HIGH;
        layer.iDLayerQp = i32::from(quantiser.qp());
        layer.sSliceArgument.uiSliceMode = SM_SINGLE_SLICE;
        layer.sSliceArgument.uiSliceNum = 1;
        layer.bVideoSignalTypePresent = true;
        layer.bColorDescriptionPresent = true;
        layer.bFullRange = false;
        layer.uiColorPrimaries = BT709;
        layer.uiTransferCharacteristics = BT709;
        layer.uiColorMatrix = BT709;
        let initialize = self.calls().InitializeExt;
        let initialize = initialize.ok_or_else(|| refused("no initialisation"))?;
        // SAFETY: the settings are read during the call.
        checked("settings", unsafe {
            initialize(self.0, &raw const settings)
        })?;
        self.set(ENCODER_OPTION_TRACE_LEVEL, WELS_LOG_QUIET)?;
        Ok(settings)
    }

    /// Takes another quantiser from the next frame on, all else as it was set: of that
    /// alone the library makes no new beginning.
    fn quantise(
        &mut self,
        mut settings: SEncParamExt,
        quantiser: Quantiser,
    ) -> Result<(), ClipError> {
        settings.sSpatialLayers[0].iDLayerQp = i32::from(quantiser.qp());
        self.set(ENCODER_OPTION_SVC_ENCODE_PARAM_EXT, settings)
    }

    /// Lets the next frame refer to the still.
    fn return_to_long_term(&mut self) -> Result<(), ClipError> {
        let request = SLTRRecoverRequest {
            uiFeedbackType: LTR_RECOVERY_REQUEST as u32,
            uiIDRPicId: FIRST_KEY_FRAME,
            iLastCorrectFrameNum: 0,
            iCurrentFrameNum: -1,
            iLayerId: 0,
        };
        self.set(ENCODER_LTR_RECOVERY_REQUEST, request)
    }

    fn set<T>(&mut self, option: ENCODER_OPTION, mut value: T) -> Result<(), ClipError> {
        let set = self.calls().SetOption;
        let set = set.ok_or_else(|| refused("no options"))?;
        // SAFETY: callers pass the type that the option is documented to take;
        // it is read during the call.
        checked("option", unsafe {
            set(self.0, option, (&raw mut value).cast())
        })
    }

    /// One access unit in Annex B form and, where wanted, the PSNR of its luma
    /// in decibels.
    fn encode(&mut self, frame: &Yuv420, wants_psnr: bool) -> Result<(Vec<u8>, f32), ClipError> {
        let planes = [&frame.y, &frame.u, &frame.v];
        let mut source = SSourcePicture {
            iColorFormat: videoFormatI420,
            iPicWidth: frame.width_px() as i32,
            iPicHeight: frame.height_px() as i32,
            bPsnrY: wants_psnr,
            ..SSourcePicture::default()
        };
        for (at, plane) in planes.into_iter().enumerate() {
            source.iStride[at] = plane.width_px as i32;
            source.pData[at] = plane.samples.as_ptr().cast_mut();
        }
        let mut coded = SFrameBSInfo::default();
        let encode = self.calls().EncodeFrame;
        let encode = encode.ok_or_else(|| refused("no encoding"))?;
        // SAFETY: the planes live during the call, have the announced size, and
        // are only read; the library fills in the given structure.
        checked("frame", unsafe {
            encode(self.0, &raw const source, &raw mut coded)
        })?;
        let (mut annex_b, mut psnr_db) = (Vec::new(), 0.0f32);
        for layer in coded.sLayerInfo.iter().take(coded.iLayerNum as usize) {
            psnr_db = psnr_db.max(layer.rPsnr[0]);
            // SAFETY: the library has written the lengths of so many units, and
            // the units one after the other; both stay until the next call.
            annex_b.extend_from_slice(unsafe {
                let lengths =
                    std::slice::from_raw_parts(layer.pNalLengthInByte, layer.iNalCount as usize);
                let length: i32 = lengths.iter().sum();
                std::slice::from_raw_parts(layer.pBsBuf, length as usize)
            });
        }
        if annex_b.is_empty() {
            return Err(refused("a frame was skipped"));
        }
        Ok((annex_b, psnr_db))
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        if let Some(uninitialize) = self.calls().Uninitialize {
            // SAFETY: the encoder lives; this may be called in any state.
            unsafe { uninitialize(self.0) };
        }
        // SAFETY: by the invariant it came from the library and is not used
        // again.
        unsafe { APILoader::WelsDestroySVCEncoder(self.0) };
    }
}

fn checked(what: &str, code: i32) -> Result<(), ClipError> {
    match code {
        0 => Ok(()),
        _ => Err(refused(&format!("{what} refused, code {code}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::Plane;

    /// A picture in which nothing can be predicted from anything.
    fn noise(seed: u64) -> Yuv420 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut plane = |width, height| Plane::from_fn(width, height, |_, _| rng.u8(16..235));
        Yuv420 {
            y: plane(160, 128),
            u: plane(80, 64),
            v: plane(80, 64),
        }
    }

    #[test]
    fn what_moves_is_a_step_coarser_than_the_still() {
        let quantiser = Quantiser::COARSEST_UNASKED;
        let encoder = |seed, quantiser| H264Encoder::new(&noise(seed), 30, quantiser);
        let still_bytes = |quantiser| {
            let encoder = encoder(2, quantiser).expect("an encoder");
            encoder.still().frame.annex_b.len() as f64
        };
        let mut moving = encoder(1, quantiser).expect("an encoder");
        let frame = moving.encode(1, &noise(2)).expect("a frame");
        let bytes = frame.annex_b.len() as f64;
        let [finer, same] = [quantiser, quantiser.of_motion()].map(still_bytes);
        assert!(same < 0.98 * finer, "{same} of {finer}");
        let off = (bytes - same) / (finer - same);
        assert!(off.abs() < 0.3, "{bytes} beside {same} and {finer}");
    }
}
