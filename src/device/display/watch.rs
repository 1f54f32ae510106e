//! Keeping the newest clip in a folder.

use std::{fs, path::PathBuf};

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use super::{
    arrivals::{Arrivals, Arrived, Next},
    connect, replace,
};
use crate::{
    config::Broker,
    publication::{ClipNotice, Topics},
    request::JobId,
};

/// What is watched, and where it goes.
#[derive(Clone, Debug)]
pub struct WatchOptions {
    /// The broker.
    pub broker: Broker,
    /// The board.
    pub device_id: String,
    /// Folder for `clip.mp4`, `clip.json` and `poster.jpg`; created when
    /// missing.
    pub folder: PathBuf,
    /// Ends after the first clip.
    pub once: bool,
}

/// Keeps the newest clip in the folder until SIGTERM or SIGINT. A broker that
/// goes is waited for. `kept` is told of every clip that has been put in place.
///
/// # Errors
/// When the folder cannot be written.
pub fn watch(options: &WatchOptions, kept: impl FnMut(&ClipNotice)) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(keep(options, kept))
}

async fn keep(options: &WatchOptions, mut kept: impl FnMut(&ClipNotice)) -> anyhow::Result<()> {
    let folder = &options.folder;
    fs::create_dir_all(folder)
        .with_context(|| format!("folder {} cannot be created", folder.display()))?;
    let topics = Topics::new(&options.device_id);
    let answers = topics.response(&format!("to/{}", JobId::generate()));
    let mut arrivals = Arrivals::new(topics, answers, None);
    let (connection, mut messages) = connect(&options.broker, arrivals.subscriptions())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    loop {
        let next = tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            next = arrivals.next(&connection, &mut messages) => next,
        };
        match next {
            Ok(Next::Arrived(arrived)) => {
                put(options, &arrived)?;
                kept(&arrived.notice);
                if options.once {
                    break;
                }
            }
            Ok(Next::Other(_)) => {}
            Err(error) if messages.is_closed() => return Err(error),
            // The next clip may be had again.
            Err(error) => log::warn!("{error}"),
        }
    }
    connection.close(None).await;
    Ok(())
}

/// The record goes last, here as on the broker: it names what stands beside it.
fn put(options: &WatchOptions, arrived: &Arrived) -> anyhow::Result<()> {
    if let Some(poster) = &arrived.poster {
        replace(&options.folder.join("poster.jpg"), poster)?;
    }
    replace(&options.folder.join("clip.mp4"), &arrived.mp4)?;
    replace(&options.folder.join("clip.json"), &arrived.record)?;
    Ok(())
}
