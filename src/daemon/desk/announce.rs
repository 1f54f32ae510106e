//! Publishing a finished clip.

use std::sync::Arc;

use crate::{
    clip::Clip,
    daemon::{
        desk::off_thread,
        failure::{Failure, Remedy},
        store::Store,
    },
    device::mqtt::{Connection, MqttError},
    journal::disk::DiskError,
    publication::{ClipNotice, ClipRecord, Publication, Topics},
};

/// Publishes one clip, in the order that lets a display trust what it sees:
/// the bytes, the poster, and last the record that names them.
pub(super) struct Announcer {
    pub(super) connection: Arc<Connection>,
    pub(super) topics: Topics,
    pub(super) store: Store,
    /// Where the clip is served over HTTP.
    pub(super) url: Option<String>,
    /// Largest clip that goes as one message, in bytes.
    pub(super) inline_bytes_max: Option<u64>,
}

impl Announcer {
    /// Returns once the broker has acknowledged the record, and the store
    /// knows.
    ///
    /// # Errors
    /// When the clip cannot be read back, or the broker does not take the
    /// record.
    pub(super) async fn announce(self, sequence: u64, clip: Clip) -> Result<ClipNotice, Failure> {
        let store = self.store.clone();
        let (clip, mp4) = off_thread(move || {
            let mp4 = store.mp4(sequence, &clip);
            (clip, mp4)
        })
        .await;
        let mp4 = mp4.map_err(|error| Failure {
            remedy: match error {
                DiskError::Io { .. } => Remedy::Later,
                DiskError::Damaged(_) => Remedy::Again,
            },
            ..Failure::disk(&error)
        })?;
        let store = self.store.clone();
        let notice = self.publish(&clip, mp4).await;
        if notice.is_ok() {
            off_thread(move || store.has_shown(sequence)).await;
        }
        notice
    }

    async fn publish(self, clip: &Clip, mp4: Arc<[u8]>) -> Result<ClipNotice, Failure> {
        let is_inline = self.send_clip(clip, mp4).await?;
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
    async fn send_clip(&self, clip: &Clip, mp4: Arc<[u8]>) -> Result<bool, Failure> {
        if (self.inline_bytes_max).is_some_and(|bytes_max| clip.size_bytes > bytes_max) {
            return Ok(false);
        }
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
    Failure {
        remedy: match error {
            MqttError::Closed => Remedy::Later,
            _ => Remedy::None,
        },
        ..Failure::ours("publish", error.to_string())
    }
}
