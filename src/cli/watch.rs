//! `zoetrope watch`: the display's side.

use std::path::PathBuf;

use super::options::BrokerArgs;
use crate::device::display::{self, WatchOptions};

/// Keeps the newest clip of a daemon in a folder, as a display does: received
/// over MQTT, verified by its SHA-256, replaced atomically.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which daemon, on which broker.
    #[command(flatten)]
    pub broker: BrokerArgs,
    /// Folder for the clip; created when missing.
    #[arg(long, value_name = "DIR", help_heading = "Watch")]
    pub folder: PathBuf,
    /// Ends after the first clip.
    #[arg(long, help_heading = "Watch")]
    pub once: bool,
}

/// Watches until it is ended, or for one clip; says one line for each.
///
/// # Errors
/// Settings that cannot be used, a folder that cannot be written.
pub fn run(args: Args) -> anyhow::Result<()> {
    let options = WatchOptions {
        broker: args.broker.broker()?,
        device_id: args.broker.device,
        folder: args.folder,
        once: args.once,
    };
    display::watch(&options, |notice| {
        super::print(&format!(
            "{}: {} bytes, sha256 {}, job {}",
            options.folder.display(),
            notice.bytes,
            notice.sha256,
            notice.job_id
        ));
    })
}
