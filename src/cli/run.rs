//! `zoetrope run`: the daemon.

use std::path::PathBuf;

use crate::daemon;

/// Runs the daemon: requests come in and clips go out over MQTT. SIGTERM ends
/// it cleanly, SIGHUP reads the configuration again.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
}

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// A wrong configuration, a model or a folder that cannot be used.
pub fn run(args: &Args) -> anyhow::Result<()> {
    daemon::run(&args.config)
}
