//! `zoetrope watch`: the display's side.

use std::path::PathBuf;

use super::options::BrokerArgs;

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

/// Not linked in yet.
///
/// # Errors
/// Always.
pub fn run(_args: Args) -> anyhow::Result<()> {
    anyhow::bail!("watch: not part of this build")
}
