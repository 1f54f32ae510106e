//! The process that runs an engine.

use std::{
    io::BufReader,
    num::NonZeroUsize,
    os::{fd::AsFd, unix::net::UnixStream},
    sync::{Arc, mpsc},
    thread,
};

use super::Order;
use crate::{
    device::{
        inference::{
            onnxruntime::{OnnxRuntime, Setup, Unusable},
            protocol::{Details, Reply, read_input, write_reply},
        },
        model::Model,
        tract::TractNetwork,
    },
    scene::{Engine, Network, NetworkError},
};

/// Priority of work in the background, as `nice` counts.
const BACKGROUND_NICENESS: i32 = 10;

/// The other end: runs an engine for the process that has started this one, until
/// that one closes the socket or ends, which ends this process, too.
///
/// # Errors
/// When this process has not been started by [`super::Worker::start`].
pub fn serve(order: &Order) -> anyhow::Result<()> {
    let socket = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    let mut replies = socket.try_clone()?;
    if order.build {
        // Without that it only takes a bigger share.
        let _ = rustix::process::setpriority_process(None, BACKGROUND_NICENESS);
    }
    let (pictures, shown) = mpsc::sync_channel(1);
    thread::Builder::new()
        .name("pictures".to_owned())
        .spawn(move || {
            let mut socket = BufReader::new(socket);
            while let Ok(input) = read_input(&mut socket) {
                if pictures.send(input).is_err() {
                    break;
                }
            }
            // TensorRT builds for minutes and looks at nothing meanwhile, and what
            // these libraries do at an ordinary end is not worth waiting for.
            let this = rustix::process::getpid();
            let _ = rustix::process::kill_process(this, rustix::process::Signal::KILL);
        })?;
    let model = Arc::new(Model::load(order.model.as_deref())?);
    let network = match open(&model, order) {
        Ok((network, details)) => {
            write_reply(&mut replies, &Reply::Ready(details))?;
            network
        }
        Err(Unusable::Unbuilt(reason)) => {
            return Ok(write_reply(&mut replies, &Reply::Unbuilt(reason))?);
        }
        Err(Unusable::Broken(reason)) => {
            return Ok(write_reply(&mut replies, &Reply::Failed(reason))?);
        }
    };
    for input in shown {
        let reply = match network.infer(&input) {
            Ok(seen) => Reply::Output(Box::new(seen)),
            Err(NetworkError::Inference(reason)) => Reply::Failed(reason),
            Err(error) => Reply::Failed(error.to_string()),
        };
        write_reply(&mut replies, &reply)?;
    }
    Ok(())
}

fn open(model: &Arc<Model>, order: &Order) -> Result<(Box<dyn Network>, Details), Unusable> {
    let model = Arc::clone(model);
    if order.engine == Engine::Tract {
        let network = TractNetwork::new(model);
        let network = network.map_err(|error| Unusable::Broken(error.to_string()))?;
        return Ok((Box::new(network), Details::default()));
    }
    let library = (order.library.clone())
        .ok_or_else(|| Unusable::Broken("no library is given".to_owned()))?;
    let processors = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let setup = Setup {
        engine: order.engine,
        library,
        cache_dir: order.cache_dir.clone(),
        threads: order.threads.unwrap_or_else(processors),
        may_build: order.build,
    };
    let network = OnnxRuntime::open(model, &setup)?;
    let details = network.details().clone();
    Ok((Box::new(network), details))
}
