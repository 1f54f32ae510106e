//! Clips that are made and on their way to the broker.

use std::{collections::VecDeque, sync::Arc};

use tokio::task::JoinHandle;

use super::{CurrentJob, Desk, announce::Announcer};
use crate::{
    clip::Clip, daemon::studio::Failure, device::http::ShelfClip, publication::ClipNotice,
};

/// Clips that may wait for a broker that is away, before no more are made: half
/// of those that the archive keeps.
const CLIPS_WAITING_MAX: usize = 4;

/// Clips on their way out, one after the other: the last one that was asked for
/// is the last one that is shown.
#[derive(Default)]
pub(super) struct Outbox {
    waiting: VecDeque<(CurrentJob, Announcer)>,
    leaving: Option<(CurrentJob, JoinHandle<Result<ClipNotice, Failure>>)>,
}

impl Outbox {
    /// Whether nothing is on its way.
    pub(super) fn is_empty(&self) -> bool {
        self.leaving.is_none()
    }

    /// Whether no more shall be made until something has left.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= CLIPS_WAITING_MAX
    }

    /// The jobs whose clips are made and not yet with the broker.
    pub(super) fn jobs(&self) -> impl Iterator<Item = &CurrentJob> {
        let leaving = self.leaving.iter().map(|(job, _)| job);
        leaving.chain(self.waiting.iter().map(|(job, _)| job))
    }

    fn put(&mut self, job: CurrentJob, announcer: Announcer) {
        self.waiting.push_back((job, announcer));
        self.send_next();
    }

    fn send_next(&mut self) {
        if self.leaving.is_none()
            && let Some((job, announcer)) = self.waiting.pop_front()
        {
            self.leaving = Some((job, tokio::spawn(announcer.announce())));
        }
    }

    /// The next clip that is with the broker, or has failed to get there; waits
    /// for ever when there is none.
    pub(super) async fn announced(&mut self) -> (CurrentJob, Result<ClipNotice, Failure>) {
        let Some((_, task)) = &mut self.leaving else {
            return std::future::pending().await;
        };
        let result = task.await.unwrap_or_else(|error| {
            Err(Failure::ours("internal", format!("announcement: {error}")))
        });
        let (job, _) = self.leaving.take().expect("it was there and is ours");
        self.send_next();
        (job, result)
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        if let Some((_, task)) = &self.leaving {
            task.abort();
        }
    }
}

impl Desk {
    /// Sends a finished clip on its way. Renders go on meanwhile, also while
    /// the broker is away.
    pub(super) fn announce(&mut self, job: CurrentJob, clip: Clip) {
        self.shelf.put(ShelfClip {
            sha256: clip.sha256.clone(),
            path: clip.path.clone(),
            poster_jpeg: clip.poster_jpeg.clone().into(),
        });
        // A path alone: a display knows the board by a name that we do not.
        let url = self.config.http.as_ref();
        let url = url.map(|_| format!("/clips/{}.mp4", clip.sha256));
        let announcer = Announcer {
            connection: Arc::clone(&self.connection),
            topics: self.topics.clone(),
            url,
            inline_bytes_max: self.config.inline_bytes_max,
            clip,
        };
        self.outbox.put(job, announcer);
    }
}
