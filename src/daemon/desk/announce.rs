//! Publishing a finished clip.

use std::sync::Arc;

use crate::{
    clip::Clip,
    daemon::{
        desk::off_thread,
        store::Store,
        studio::{Failure, Remedy},
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
}

impl Announcer {
    /// Returns once the broker has acknowledged the record, and the store
    /// knows.
    ///
    /// # Errors
    /// When the clip cannot be read back, or the broker does not take it and
    /// HTTP is off too.
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
        let mp4 = Publication::bytes(self.topics.clip(), "video/mp4", mp4)
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
    Failure {
        remedy: match error {
            MqttError::Closed => Remedy::Later,
            _ => Remedy::None,
        },
        ..Failure::ours("publish", error.to_string())
    }
}
