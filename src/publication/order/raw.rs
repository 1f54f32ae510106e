//! The JSON request as it is written: every member optional.

use serde::Deserialize;

use super::source::RawSource;
use crate::publication::Version;

/// `request/render`: an empty payload, or this; every member may be left out.
#[derive(Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::publication) struct RawOrder {
    /// Version of the document.
    #[serde(default)]
    #[expect(dead_code, reason = "reading it checks it")]
    v: Version,
    /// Names the job; a new name is made up unless given.
    pub(super) job_id: Option<String>,
    /// The requester's own mark, repeated in every answer.
    pub(super) transaction: Option<String>,
    /// Milliseconds from the arrival after which the clip is worth nothing any
    /// more, 1 to 86400000.
    pub(super) deadline_ms: Option<u64>,
    /// Pictures per second before the photograph; for photographs that are sent,
    /// and so never in JSON.
    #[serde(skip)]
    pub(super) burst_fps: Option<f32>,
    /// Where the photograph comes from.
    #[serde(default)]
    pub(super) source: RawSource,
    /// How the picture moves.
    #[serde(default)]
    pub(super) look: RawLook,
    /// Size and length of the clip.
    #[serde(default)]
    pub(super) shape: RawShape,
}

/// How the picture moves.
#[derive(Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLook {
    /// Amount of motion, 0 to 1.
    pub(super) strength: Option<f32>,
    /// Chooses one of many plausible motions.
    pub(super) seed: Option<u64>,
    /// Where wind and streams go to, in degrees clockwise from "to the right",
    /// -360 to 360.
    pub(super) direction: Option<f32>,
    /// Leaves out of the still whoever passes by while the camera is watched.
    pub(super) clean_plate: Option<bool>,
}

/// Size and length of the clip.
#[derive(Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawShape {
    /// `WIDTHxHEIGHT` in pixels; instead of the two sides.
    pub(super) size: Option<String>,
    /// Width, in pixels, even.
    pub(super) width_px: Option<usize>,
    /// Height, in pixels, even.
    pub(super) height_px: Option<usize>,
    /// Length of one turn of the loop, in milliseconds, 500 to 60000; near the
    /// rhythm of the scene unless given, where a burst shows it.
    pub(super) duration_ms: Option<u32>,
    /// Frames per second, 5 to 60.
    pub(super) frame_rate: Option<u32>,
}
