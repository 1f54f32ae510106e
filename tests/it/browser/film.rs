//! Small clips of known content.

use std::num::NonZeroU32;

use openh264::{
    OpenH264API,
    encoder::{BitRate, Encoder, EncoderConfig, FrameType, VuiConfig},
    formats::YUVBuffer,
};
use sha2::{Digest, Sha256};
use shiguredo_mp4::{
    TrackKind,
    bitstream::h264::{self, H264SampleEntryConfig, LengthSize},
    boxes::SampleEntry,
    mux::{Mp4FileMuxer, Mp4FileMuxerOptions, Sample},
};

pub const WIDTH_PX: usize = 320;
pub const HEIGHT_PX: usize = 180;
pub const FRAME_RATE: u32 = 30;
/// A turn and a half seconds long: no whole number of seconds, so that a look
/// a second later sees another picture.
pub const FRAME_COUNT: u32 = 45;

/// A clip in memory.
pub struct Film {
    pub mp4: Vec<u8>,
    pub sha256: String,
}

/// A bright bar that crosses a grey picture once a turn; `hue` (Cb) tells
/// films apart.
pub fn film(hue: u8) -> Film {
    let mut encoder = encoder();
    let options = Mp4FileMuxerOptions {
        reserved_moov_box_size: 8192,
        ..Mp4FileMuxerOptions::default()
    };
    let mut muxer = Mp4FileMuxer::with_options(options).expect("a muxer");
    let mut mp4 = muxer.initial_boxes_bytes().to_vec();
    for index in 0..FRAME_COUNT {
        let encoded = encoder
            .encode(&frame(index, hue))
            .expect("a frame is encoded");
        let annex_b = encoded.to_vec();
        let keyframe = matches!(encoded.frame_type(), FrameType::IDR);
        let data =
            h264::annexb_to_length_prefixed(&annex_b, LengthSize::FourBytes).expect("Annex B");
        let sample_entry = (index == 0).then(|| {
            let config = H264SampleEntryConfig {
                length_size: LengthSize::FourBytes,
            };
            SampleEntry::Avc1(
                h264::build_avc1_box_from_annexb(&annex_b, &config).expect("parameter sets"),
            )
        });
        let sample = Sample {
            track_kind: TrackKind::Video,
            sample_entry,
            keyframe,
            timescale: NonZeroU32::new(FRAME_RATE).expect("not zero"),
            duration: 1,
            composition_time_offset: None,
            data_offset: mp4.len() as u64,
            data_size: data.len(),
        };
        mp4.extend(data);
        muxer.append_sample(&sample).expect("a sample is added");
    }
    for (offset, bytes) in muxer
        .finalize()
        .expect("a whole file")
        .offset_and_bytes_pairs()
    {
        let at = usize::try_from(offset).expect("a small file");
        mp4[at..at + bytes.len()].copy_from_slice(bytes);
    }
    Film {
        sha256: sha256_hex(&mp4),
        mp4,
    }
}

pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn encoder() -> Encoder {
    let config = EncoderConfig::new()
        .bitrate(BitRate::from_bps(4_000_000))
        .skip_frames(false)
        .vui(VuiConfig::bt709());
    Encoder::with_api_config(OpenH264API::from_source(), config).expect("openh264 starts")
}

fn frame(index: u32, hue: u8) -> YUVBuffer {
    let bar_at = index as usize * WIDTH_PX / FRAME_COUNT as usize;
    let mut planes = Vec::with_capacity(WIDTH_PX * HEIGHT_PX * 3 / 2);
    for y in 0..HEIGHT_PX {
        // Grain, so that the file is long enough to be cut in two.
        planes.extend((0..WIDTH_PX).map(|x| match x.abs_diff(bar_at) {
            0..=24 => 220,
            _ => 90 + ((x * 7919 + y * 104_729 + index as usize * 31) % 23) as u8,
        }));
    }
    planes.resize(planes.len() + WIDTH_PX * HEIGHT_PX / 4, hue);
    planes.resize(planes.len() + WIDTH_PX * HEIGHT_PX / 4, 128);
    YUVBuffer::from_vec(planes, WIDTH_PX, HEIGHT_PX)
}

/// The first frame's likeness as JPEG.
pub fn poster() -> Vec<u8> {
    let grey = image::GrayImage::from_fn(WIDTH_PX as u32, HEIGHT_PX as u32, |x, y| {
        image::Luma([if x < 25 {
            235
        } else {
            60 + ((x + y) / 4) as u8
        }])
    });
    let mut jpeg = std::io::Cursor::new(Vec::new());
    grey.write_to(&mut jpeg, image::ImageFormat::Jpeg)
        .expect("a JPEG");
    jpeg.into_inner()
}
