//! `zoetrope warm-up`: everything that the daemon would prepare in the background.

use std::path::PathBuf;

use crate::{
    config::Config,
    device::inference::{Engines, worker::THIS_PROGRAM},
    scene::Network,
};

/// Tries out and measures what can run the model, and has TensorRT build its
/// engine, which takes minutes on a board. What comes out is kept for the daemon;
/// run it as the daemon's user. Where there is nothing to prepare it ends at once.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration file [default: as if it were empty].
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Prepares, and says what will run the model.
///
/// # Errors
/// [`crate::config::ConfigError`] for a configuration that is wrong, or when the
/// model is missing, altered or of another interface.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let config = Config::read_if_any(args.config.as_deref())?;
    let engines = Engines::configured(&config, THIS_PROGRAM.into())?;
    engines.prepare();
    let report = engines.engine();
    for passed in &report.passed_over {
        super::print(&format!("{}: {}", passed.engine, passed.reason));
    }
    super::print(&format!("{} runs the model", report.engine));
    Ok(())
}
