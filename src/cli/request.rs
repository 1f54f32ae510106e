//! `zoetrope request`: asks a daemon for a clip.

use std::{
    io::{self, Write},
    path::PathBuf,
    time::Duration,
};

use super::options::{BrokerArgs, LookArgs, ShapeArgs};
use crate::device::display::{self, RequestOptions};

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

/// Asks, waits and saves; says on standard error how far the job is.
///
/// # Errors
/// A broker that cannot be reached, a refusal, the time limit, a file that
/// cannot be written.
pub fn run(args: Args) -> anyhow::Result<()> {
    let options = RequestOptions {
        broker: args.broker.broker()?,
        device_id: args.broker.device,
        photo: args.photo,
        look: args.look.look(),
        shape: args.shape.shape(),
        output: args.output,
        timeout: Duration::from_secs(args.timeout_s.into()),
    };
    let asked = display::request(&options, |phase| {
        // Whether anybody reads it is not our business.
        let _ = writeln!(io::stderr(), "{phase}");
    })?;
    super::print(&format!(
        "{}: {} bytes, sha256 {}, job {}, {:.1} s",
        options.output.display(),
        asked.bytes,
        asked.sha256,
        asked.job_id,
        asked.elapsed.as_secs_f32()
    ));
    Ok(())
}
