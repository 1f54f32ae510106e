//! `zoetrope engine`: the hidden end of [`Worker`].
//!
//! [`Worker`]: crate::device::inference::worker::Worker

use crate::device::inference::worker;

/// Runs the model for the process that has started this one, and shows it nothing
/// else of the program.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to run.
    #[command(flatten)]
    pub order: worker::Order,
}

/// Answers until the process that has started this one wants no more.
///
/// # Errors
/// When this is no such process.
pub fn run(args: &Args) -> anyhow::Result<()> {
    worker::serve(&args.order)
}
