//! `zoetrope request`: asks a daemon for a clip.

use std::path::PathBuf;

use super::options::{BrokerArgs, LookArgs, ShapeArgs};

/// Asks a daemon for a clip over MQTT, waits and saves it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which daemon, on which broker.
    #[command(flatten)]
    pub broker: BrokerArgs,
    /// JPEG, PNG or WebP to send along [default: the daemon's camera].
    #[arg(long, value_name = "PHOTO", help_heading = "Request")]
    pub photo: Option<PathBuf>,
    /// Where the clip is written.
    #[arg(short, long, value_name = "CLIP", default_value = "clip.mp4")]
    #[arg(help_heading = "Request")]
    pub output: PathBuf,
    /// Gives up when there is no clip after so many seconds: 1 to 3600.
    #[arg(long = "timeout", value_name = "S", default_value_t = 120)]
    #[arg(allow_negative_numbers = true, help_heading = "Request")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub timeout_s: u32,
    /// How the picture shall move.
    #[command(flatten)]
    pub look: LookArgs,
    /// The size and length of the clip.
    #[command(flatten)]
    pub shape: ShapeArgs,
}

/// Not linked in yet.
///
/// # Errors
/// Always.
pub fn run(_args: Args) -> anyhow::Result<()> {
    anyhow::bail!("request: not part of this build")
}
