//! Publishing a finished clip.

use std::sync::Arc;

use crate::{
    daemon::studio::{Failure, Finished},
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
}

impl Announcer {
    /// Returns once the broker has acknowledged the record.
    ///
    /// # Errors
    /// When the broker does not take the clip, and HTTP is off too.
    pub(super) async fn announce(self, finished: Finished) -> Result<ClipNotice, Failure> {
        let clip = &finished.clip;
        let mp4 = Publication::bytes(self.topics.clip(), "video/mp4", Arc::clone(&finished.mp4))
            .retained()
            .with("job_id", &clip.job_id)
            .with("sha256", &clip.sha256)
            .with("width", &clip.width_px)
            .with("height", &clip.height_px)
            .with("frames", &clip.frame_count)
            .with("loop", &true);
        let is_inline = match self.connection.publish(mp4).acknowledged().await {
            Ok(()) => true,
            // Displays fetch it over HTTP; the record says so.
            Err(MqttError::TooLarge { .. } | MqttError::Refused { .. }) if self.url.is_some() => {
                false
            }
            Err(error) => return Err(not_taken(&error)),
        };
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
}

fn not_taken(error: &MqttError) -> Failure {
    Failure::ours("publish", error.to_string())
}
