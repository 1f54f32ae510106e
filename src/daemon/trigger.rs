//! What asks for clips besides MQTT: a timer, a watched folder, a signal.
//!
//! Each of them has at most one job under way and waits for its end, so none
//! can flood the queue, whatever clocks and folders do.

mod folder;

mod timer;

use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use super::desk::{Control, Submission};
use crate::{
    config::Config,
    device::http::Shelf,
    journal::Outcome,
    request::{JobId, Source},
};

/// The way to the desk.
#[derive(Clone)]
pub(super) struct Bell {
    desk: mpsc::Sender<Control>,
}

impl Bell {
    pub(super) fn new(desk: mpsc::Sender<Control>) -> Self {
        Self { desk }
    }

    /// Asks for one clip and waits for its end; `None` when the desk has ended.
    pub(super) async fn ring(
        &self,
        id: JobId,
        source: Source,
        trigger: &'static str,
    ) -> Option<Outcome> {
        let (ended, outcome) = oneshot::channel();
        let submission = Submission {
            id,
            source,
            trigger,
            ended,
        };
        self.desk.send(Control::Submit(submission)).await.ok()?;
        outcome.await.ok()
    }

    /// Asks for a clip from the camera.
    pub(super) async fn camera(&self, trigger: &'static str) -> Option<Outcome> {
        self.ring(JobId::generate(), Source::Camera, trigger).await
    }
}

/// Starts every trigger that is configured. They end with the runtime, or when
/// they are aborted.
pub(super) fn start(config: &Config, bell: &Bell, shelf: &Shelf) -> Vec<JoinHandle<()>> {
    let trigger = &config.trigger;
    let mut tasks = Vec::new();
    if let Some(every) = trigger.every {
        tasks.push(tokio::spawn(timer::every(every, bell.clone())));
    }
    if let Some(cron) = &trigger.cron {
        tasks.push(tokio::spawn(timer::at(cron.clone(), bell.clone())));
    }
    if let Some(path) = &trigger.folder {
        let watched = folder::Folder::new(path, config.photo_limits.bytes_max, shelf.clone());
        tasks.push(tokio::spawn(watched.watch(bell.clone())));
    }
    tasks
}
