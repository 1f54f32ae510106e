//! `zoetrope run`: the daemon.

use std::path::PathBuf;

/// Runs the daemon: requests come in and clips go out over MQTT. SIGTERM ends
/// it cleanly, SIGHUP reads the configuration again.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
}

/// Not linked in yet.
///
/// # Errors
/// Always.
pub fn run(_args: &Args) -> anyhow::Result<()> {
    anyhow::bail!("run: not part of this build")
}
