//! What is told of a finished clip.

use serde::{Deserialize, Serialize};

use super::{ChunkLayout, Version};
use crate::{clip::Clip, director::Report, observation::Account, scene::EngineReport};

/// What a display needs to know of a clip; every [`ClipRecord`] reads as one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ClipNotice {
    /// The job that made it.
    pub job_id: String,
    /// SHA-256 of the MP4, lower-case hexadecimal.
    pub sha256: String,
    /// Size of the MP4, in bytes.
    pub bytes: u64,
    /// Where it can be fetched over HTTP: a path on the board's own server,
    /// because displays know the board by names that it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The MP4 itself is retained on `clip`.
    #[serde(default = "yes")]
    pub inline: bool,
    /// How it is cut when it is asked for in chunks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunks: Option<ChunkLayout>,
}

fn yes() -> bool {
    true
}

impl ClipNotice {
    /// The notice of a finished clip; `inline` when the MP4 itself went to
    /// the broker.
    pub fn of(clip: &Clip, url: Option<String>, inline: bool) -> Self {
        Self {
            job_id: clip.job_id.to_string(),
            sha256: clip.sha256.clone(),
            bytes: clip.size_bytes,
            url,
            inline,
            chunks: Some(ChunkLayout::of(clip.size_bytes)),
        }
    }
}

/// `clip/info`: everything that is known of the newest clip.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub struct ClipRecord {
    /// Version of the document.
    pub v: Version,
    /// Which clip it is.
    #[serde(flatten)]
    pub notice: ClipNotice,
    /// Codec string for a browser.
    pub codecs: String,
    /// Width, in pixels.
    pub width: usize,
    /// Height, in pixels.
    pub height: usize,
    /// Frames per second.
    pub frame_rate: u32,
    /// Frames in one turn.
    pub frame_count: u32,
    /// Length of one turn, in milliseconds.
    pub duration_ms: u32,
    /// What ran the network.
    pub inference: EngineReport,
    /// How much of the motion was seen, if the scene was watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observation: Option<Account>,
    /// What the director measured, allows and calmed.
    #[serde(rename = "loop")]
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub loop_report: Report,
}

impl ClipRecord {
    /// The record of a finished clip.
    pub fn of(clip: &Clip, notice: ClipNotice) -> Self {
        Self {
            v: Version,
            notice,
            codecs: clip.codecs.clone(),
            width: clip.width_px,
            height: clip.height_px,
            frame_rate: clip.frame_rate,
            frame_count: clip.frame_count,
            duration_ms: clip.duration_ms(),
            inference: clip.engine.clone(),
            observation: clip.observation.clone(),
            loop_report: clip.report.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publication::JobEvent;

    #[test]
    fn a_display_reads_a_record_as_a_notice() {
        let text = r#"{"v":1,"job_id":"a","sha256":"00","bytes":3,"codecs":"x","later":[]}"#;
        let notice: ClipNotice = serde_json::from_str(text).unwrap();
        assert_eq!(notice.bytes, 3);
        assert_eq!(notice.url, None);
    }

    /// A key that is not known is passed over without recursion; where it has to
    /// be kept for a while, the parser gives up at 128 levels, long before the
    /// stack does.
    #[test]
    fn depth_costs_no_stack() {
        let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
        let text = format!(r#"{{"job_id":"a","sha256":"00","bytes":3,"later":{deep}}}"#);
        assert_eq!(serde_json::from_str::<ClipNotice>(&text).unwrap().bytes, 3);
        let text = format!(r#"{{"v":1,"job_id":"a","event":"capturing","later":{deep}}}"#);
        let said = serde_json::from_str::<JobEvent>(&text).unwrap_err();
        assert!(
            said.to_string().starts_with("recursion limit exceeded"),
            "{said}"
        );
    }
}
