//! `zoetrope demo`: everything at once, on this machine.

use std::path::PathBuf;

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
    /// Where the clip is written.
    #[arg(short, long, value_name = "CLIP", default_value = "demo.mp4")]
    pub output: PathBuf,
    /// Port of the kiosk page; 0 takes a free one.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        allow_negative_numbers = true
    )]
    pub port: u16,
}

/// Not linked in yet.
///
/// # Errors
/// Always.
pub fn run(_args: Args) -> anyhow::Result<()> {
    anyhow::bail!("demo: not part of this build")
}
