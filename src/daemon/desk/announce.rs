//! Publishing a finished clip.

use std::sync::Arc;

use crate::{
    clip::Clip,
    daemon::studio::Failure,
    device::mqtt::{Connection, MqttError},
    publication::{ClipNotice, ClipRecord, Publication, Topics},
};

/// Publishes one clip, in the order that lets a display trust what it sees:
/// the bytes, the poster, and last the record that names them.
pub(super) struct Announcer {
    pub(super) connection: Arc<Connection>,
    pub(super) topics: Topics,
    /// Where the clip is served over HTTP.
    pub(super) url: Option<String>,
    /// Largest clip that goes as one message, in bytes.
    pub(super) inline_bytes_max: Option<u64>,
    pub(super) clip: Clip,
}

impl Announcer {
    /// Returns once the broker has acknowledged the record.
    ///
    /// # Errors
    /// When the clip cannot be read, or the broker does not take the record.
    pub(super) async fn announce(self) -> Result<ClipNotice, Failure> {
        let is_inline = self.send_clip().await?;
        let clip = &self.clip;
        let poster = Publication::bytes(
            self.topics.poster(),
            "image/jpeg",
            clip.poster_jpeg.as_slice(),
        );
        // A clip without its poster is still a clip; the outbox logs why.
        let _ = self
            .connection
            .publish(poster.retained().with("job_id", &clip.job_id))
            .acknowledged()
            .await;
        let notice = ClipNotice::of(clip, self.url, is_inline);
        let record = ClipRecord::of(clip, notice.clone());
        let record = Publication::json(self.topics.clip_info(), &record).retained();
        self.connection
            .publish(record)
            .acknowledged()
            .await
            .map_err(|error| not_taken(&error))?;
        Ok(notice)
    }

    /// Whether the broker has taken the clip as one message. If not, displays
    /// fetch it in chunks or over HTTP, as the record tells them.
    async fn send_clip(&self) -> Result<bool, Failure> {
        let clip = &self.clip;
        if (self.inline_bytes_max).is_some_and(|bytes_max| clip.size_bytes > bytes_max) {
            return Ok(false);
        }
        let mp4 = tokio::fs::read(&clip.path).await.map_err(|error| {
            let path = clip.path.display();
            Failure::ours("storage", format!("clip {path}: {error}"))
        })?;
        let mp4 = Publication::bytes(self.topics.clip(), "video/mp4", mp4)
            .retained()
            .with("job_id", &clip.job_id)
            .with("sha256", &clip.sha256)
            .with("width", &clip.width_px)
            .with("height", &clip.height_px)
            .with("frames", &clip.frame_count)
            .with("loop", &true);
        match self.connection.publish(mp4).acknowledged().await {
            Ok(()) => Ok(true),
            Err(MqttError::TooLarge { .. } | MqttError::Refused { .. }) => Ok(false),
            Err(error) => Err(not_taken(&error)),
        }
    }
}

fn not_taken(error: &MqttError) -> Failure {
    Failure::ours("publish", error.to_string())
}
