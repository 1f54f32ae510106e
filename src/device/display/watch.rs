//! Keeping the newest clip in a folder.

use std::{fs, path::PathBuf};

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use super::{Arrivals, Arrived, connect, replace};
use crate::{config::Broker, publication::ClipNotice, publication::Topics};

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
    let subscriptions = vec![topics.poster(), topics.clip(), topics.clip_info()];
    let (connection, mut messages) = connect(&options.broker, subscriptions)?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut arrivals = Arrivals::default();
    let mut shown = String::new();
    loop {
        let message = tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            message = messages.recv() => message.context("connection closed")?,
        };
        message.acknowledge();
        if message.topic == topics.clip() {
            arrivals.take_clip(message.payload);
        } else if message.topic == topics.clip_info() {
            arrivals.take_record(message.payload);
        } else if message.topic == topics.poster() {
            arrivals.take_poster(message.payload);
        }
        if let Some(arrived) = arrivals.matched()
            // After a reconnect the retained clip comes once more.
            && arrived.notice.sha256 != shown
        {
            put(options, &arrived)?;
            shown.clone_from(&arrived.notice.sha256);
            kept(&arrived.notice);
            if options.once {
                break;
            }
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
