//! The JSON documents that the daemon publishes and displays read back.

use serde::{Deserialize, Serialize};

use super::Fault;
use crate::{
    request::{DURATION_MS_MAX, DURATION_MS_MIN, FRAME_RATE_MAX, FRAME_RATE_MIN, JobId},
    scene::{EngineReport, NetworkCard},
    still::Limits,
};

/// The `"v": 1` of every document: the version of its meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "u32", try_from = "u32")]
pub struct Version;

impl schemars::JsonSchema for Version {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Version".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "const": 1 })
    }
}

impl From<Version> for u32 {
    fn from(_: Version) -> Self {
        1
    }
}

impl TryFrom<u32> for Version {
    type Error = String;

    fn try_from(version: u32) -> Result<Self, String> {
        if version == 1 {
            Ok(Self)
        } else {
            Err(format!("v is {version}, known is 1"))
        }
    }
}

/// `availability`, the one payload that is bare text, as Home Assistant and
/// others expect it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// Connected.
    Online,
    /// Gone; also the last will.
    Offline,
}

impl Availability {
    /// The payload.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Offline => "offline",
        }
    }
}

/// `state`: what the daemon is doing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct State {
    /// Version of the document.
    pub v: Version,
    /// What it is doing.
    pub state: DaemonState,
    /// Why, when degraded.
    pub reason: Option<String>,
    /// The job under way.
    pub job_id: Option<String>,
    /// Jobs that wait behind it.
    pub queue_length: usize,
    /// The camera.
    pub camera: CameraState,
    /// Why it is lost or frozen.
    pub camera_reason: Option<String>,
    /// What runs the network.
    pub inference: EngineReport,
}

/// What the daemon is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DaemonState {
    /// Starting.
    Init,
    /// Waiting for requests, while a faster engine for the network is made ready;
    /// clips are made as ever.
    Preparing,
    /// Waiting for requests.
    Ready,
    /// A clip is being made.
    Rendering,
    /// Waiting for requests, but the last job failed by our own fault.
    Degraded,
    /// Ending.
    Stopping,
}

impl DaemonState {
    /// Every one.
    pub const ALL: [Self; 6] = [
        Self::Init,
        Self::Preparing,
        Self::Ready,
        Self::Rendering,
        Self::Degraded,
        Self::Stopping,
    ];
}

/// The camera, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CameraState {
    /// Configured and there, and its last picture came.
    Online,
    /// Configured, but it has gone or its last picture was no good one.
    Lost,
    /// Configured, but it gives the same picture again and again.
    Frozen,
    /// Not configured.
    None,
}

/// `info`: what the daemon is and what it takes.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub struct Info {
    /// Version of the document.
    pub v: Version,
    /// Version of the program.
    pub version: &'static str,
    /// The network.
    pub model: NetworkCard,
    /// What runs it.
    pub inference: EngineReport,
    /// What a request may ask.
    pub limits: InfoLimits,
    /// MIME types of photographs that are taken.
    pub photo_formats: [&'static str; 3],
    /// MIME types of clips that are made.
    pub clip_formats: [&'static str; 1],
}

/// What a request may ask.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub struct InfoLimits {
    /// Largest photograph, in bytes.
    pub photo_bytes_max: usize,
    /// Longest side of a photograph, in pixels.
    pub photo_side_px_max: u32,
    /// Shortest side of a photograph, in pixels.
    pub photo_side_px_min: u32,
    /// Largest MQTT packet that the daemon takes, in bytes.
    pub packet_bytes_max: u32,
    /// Jobs that may wait.
    pub queue_length_max: usize,
    /// Shortest and longest clip, in milliseconds.
    pub duration_ms: [u32; 2],
    /// Lowest and highest frame rate, in frames per second.
    pub frame_rate: [u32; 2],
}

impl Info {
    /// The document for this program with that network and those limits.
    pub fn new(
        model: NetworkCard,
        inference: EngineReport,
        photo: &Limits,
        packet_bytes_max: u32,
        queue_length_max: usize,
    ) -> Self {
        Self {
            v: Version,
            version: env!("CARGO_PKG_VERSION"),
            model,
            inference,
            limits: InfoLimits {
                photo_bytes_max: photo.bytes_max,
                photo_side_px_max: photo.side_px_max,
                photo_side_px_min: photo.side_px_min,
                packet_bytes_max,
                queue_length_max,
                duration_ms: [DURATION_MS_MIN, DURATION_MS_MAX],
                frame_rate: [FRAME_RATE_MIN, FRAME_RATE_MAX],
            },
            photo_formats: ["image/jpeg", "image/png", "image/webp"],
            clip_formats: ["video/mp4"],
        }
    }
}

/// `job/<job_id>`: something happened to a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct JobEvent {
    /// Version of the document.
    pub v: Version,
    /// The job.
    pub job_id: String,
    /// The requester's own mark, repeated.
    pub transaction: Option<String>,
    /// What happened.
    #[serde(flatten)]
    pub phase: JobPhase,
}

/// What happened to a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum JobPhase {
    /// It waits for its turn.
    Accepted {
        /// Jobs before it.
        jobs_before: usize,
    },
    /// The camera is asked for a picture.
    Capturing,
    /// Frames are being made.
    Rendering {
        /// Part that is done, 0 to 1.
        progress: f32,
    },
    /// Every frame is drawn; the file is being completed.
    Encoding,
    /// The clip is with the broker.
    Published {
        /// SHA-256 of the MP4, lower-case hexadecimal.
        sha256: String,
    },
    /// There will be no clip.
    Failed(Fault),
}

impl std::fmt::Display for JobPhase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Accepted { jobs_before } => write!(f, "accepted, {jobs_before} jobs before it"),
            Self::Capturing => f.write_str("capturing"),
            Self::Rendering { progress } => write!(f, "rendering {:.0} %", progress * 100.0),
            Self::Encoding => f.write_str("encoding"),
            Self::Published { .. } => f.write_str("published"),
            Self::Failed(fault) => write!(f, "failed: {}", fault.message),
        }
    }
}

impl JobEvent {
    /// `phase` has happened to the job.
    pub fn new(job_id: &JobId, transaction: Option<String>, phase: JobPhase) -> Self {
        Self {
            v: Version,
            job_id: job_id.to_string(),
            transaction,
            phase,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_event_is_flat_and_reads_back() {
        let id = "till".parse().unwrap();
        let event = JobEvent::new(&id, None, JobPhase::Rendering { progress: 0.5 });
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(
            text,
            r#"{"v":1,"job_id":"till","transaction":null,"event":"rendering","progress":0.5}"#
        );
        assert_eq!(serde_json::from_str::<JobEvent>(&text).unwrap(), event);
    }

    #[test]
    fn a_later_version_is_not_misread() {
        let text = r#"{"v":2,"job_id":"till","event":"capturing"}"#;
        let said = serde_json::from_str::<JobEvent>(text).unwrap_err();
        assert!(said.to_string().contains("v is 2, known is 1"), "{said}");
    }
}
