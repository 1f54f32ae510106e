//! What makes clips.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    clip::Clip,
    device::{h264, memory, tract::TractNetwork},
    pipeline::{self, Job, Onlooker, PipelineError},
    scene::{Network, NetworkCard, NetworkError},
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

    /// Nothing has been rendered for a while: what can be had again is let go.
    fn rest(&self) {}
}

/// The real renderer: [`pipeline::render`] with one network, which is in memory
/// while there is something to render.
pub struct Pipeline {
    model_file: Option<PathBuf>,
    card: NetworkCard,
    network: Mutex<Option<Arc<TractNetwork>>>,
}

impl Pipeline {
    /// Renders with the network that this `motion.toml` describes, or with the one
    /// built in.
    ///
    /// # Errors
    /// When the network is missing, altered or of another interface.
    pub fn open(model_file: Option<PathBuf>) -> Result<Self, NetworkError> {
        let network = load(&model_file)?;
        Ok(Self {
            model_file,
            card: network.card().clone(),
            network: Mutex::new(Some(Arc::new(network))),
        })
    }

    /// The network, loaded again if it was let go.
    fn network(&self) -> Result<Arc<TractNetwork>, NetworkError> {
        let mut network = self.network.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(network) = &*network {
            return Ok(Arc::clone(network));
        }
        let loaded = Arc::new(load(&self.model_file)?);
        *network = Some(Arc::clone(&loaded));
        Ok(loaded)
    }
}

impl Renderer for Pipeline {
    fn render(&self, job: &Job<'_>, onlooker: &dyn Onlooker) -> Result<Clip, PipelineError> {
        let network = self.network()?;
        pipeline::render(network.as_ref(), &h264::boxed, job, onlooker)
    }

    fn card(&self) -> NetworkCard {
        self.card.clone()
    }

    fn rest(&self) {
        let mut network = self.network.lock().unwrap_or_else(PoisonError::into_inner);
        *network = None;
        memory::give_back();
    }
}

fn load(model_file: &Option<PathBuf>) -> Result<TractNetwork, NetworkError> {
    match model_file {
        Some(path) => TractNetwork::open(path),
        None => TractNetwork::built_in(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_that_was_let_go_is_loaded_again() {
        let pipeline = Pipeline::open(None).unwrap();
        let before = pipeline.network().unwrap();
        pipeline.rest();
        assert!(pipeline.network.lock().unwrap().is_none());
        let after = pipeline.network().unwrap();
        assert!(!Arc::ptr_eq(&before, &after));
        assert_eq!(after.card(), &pipeline.card());
    }
}
