//! `zoetrope demo`: everything at once, on this machine.

use std::path::PathBuf;

use crate::demo;

/// Shows it all at once: starts a broker, the daemon and the kiosk page on
/// this machine, asks for a clip over MQTT as a display would, receives it,
/// checks it and tells the page's address.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// JPEG, PNG or WebP to bring to life [default: the built-in samples].
    #[arg(long, value_name = "PHOTO")]
    pub photo: Option<PathBuf>,
    /// Ends after the first clip instead of serving the page.
    #[arg(long)]
    pub once: bool,
    /// Where the first clip is written [default: zoetrope-demo.mp4 with --once,
    /// else nowhere].
    #[arg(short, long, value_name = "CLIP")]
    pub output: Option<PathBuf>,
    /// Port of the kiosk page; 0 takes a free one.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        allow_negative_numbers = true
    )]
    pub port: u16,
}

/// Shows it, until Ctrl-C or for one clip.
///
/// # Errors
/// A photograph that cannot be used, a port that is taken, a file that cannot
/// be written.
pub fn run(args: Args) -> anyhow::Result<()> {
    demo::run(&demo::Options {
        photo: args.photo,
        once: args.once,
        output: args.output,
        http_port: args.port,
    })
}
