//! What makes clips.

use std::{path::PathBuf, sync::Arc, thread};

use tokio::sync::watch;

use crate::{
    clip::Clip,
    config::Config,
    device::{
        h264,
        inference::{Engines, worker::THIS_PROGRAM},
    },
    pipeline::{self, Job, Onlooker, PipelineError},
    scene::{EngineReport, Network, NetworkCard, NetworkError},
};

/// What makes clips: [`Pipeline`], or something simpler in a test.
pub trait Renderer: Send + Sync + 'static {
    /// Makes the clip.
    ///
    /// # Errors
    /// The first cause; nothing is left at the job's path.
    fn render(&self, job: &Job<'_>, onlooker: &dyn Onlooker) -> Result<Clip, PipelineError>;

    /// The network that is used.
    fn card(&self) -> NetworkCard;

    /// What runs the network, as it changes.
    fn engine(&self) -> watch::Receiver<EngineReport> {
        watch::Sender::default().subscribe()
    }

    /// Nothing has been rendered for a while: what can be had again is let go.
    fn rest(&self) {}
}

/// The real renderer: [`pipeline::render`] with one network, which is in memory
/// while there is something to render.
pub struct Pipeline {
    engines: Arc<Engines>,
}

impl Pipeline {
    /// Renders with the network and the engine that are configured.
    ///
    /// # Errors
    /// When the network is missing, altered or of another interface.
    pub fn open(config: &Config) -> Result<Self, NetworkError> {
        Self::open_as(config, PathBuf::from(THIS_PROGRAM))
    }

    /// As [`Self::open`], from another program than Zoetrope, whose own path is
    /// given.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub fn open_as(config: &Config, program: PathBuf) -> Result<Self, NetworkError> {
        Ok(Self {
            engines: Arc::new(Engines::configured(config, program)?),
        })
    }

    /// Finds out in the background which engine is the best, and has it take over.
    pub fn prepare(&self) {
        let engines = Arc::clone(&self.engines);
        let thread = thread::Builder::new().name("engines".to_owned());
        if let Err(error) = thread.spawn(move || engines.prepare()) {
            log::error!("engines are not tried out: {error}");
        }
    }
}

impl Renderer for Pipeline {
    fn render(&self, job: &Job<'_>, onlooker: &dyn Onlooker) -> Result<Clip, PipelineError> {
        pipeline::render(self.engines.as_ref(), &h264::boxed, job, onlooker)
    }

    fn card(&self) -> NetworkCard {
        self.engines.card().clone()
    }

    fn engine(&self) -> watch::Receiver<EngineReport> {
        self.engines.watch()
    }

    fn rest(&self) {
        self.engines.rest();
    }
}
