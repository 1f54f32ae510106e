//! `zoetrope check`: is this configuration any good?

use std::path::PathBuf;

use crate::config::{Camera, Config};

/// Checks a configuration file and says what is wrong with it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
}

/// Reads the file as the daemon would and sums up what it says.
///
/// # Errors
/// [`crate::config::ConfigError`] with the place of what is wrong, or for the
/// password file that cannot be read.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let config = Config::read(&args.config)?;
    config.broker.password()?;
    super::print(&summary(&config));
    Ok(())
}

fn summary(config: &Config) -> String {
    let broker = &config.broker;
    let transport = if broker.tls.is_some() { "TLS" } else { "plain" };
    let camera = match &config.camera {
        Camera::None => "none".to_owned(),
        Camera::Device(camera) => camera.node.display().to_string(),
        Camera::File(path) => format!("file {}", path.display()),
        Camera::Command { argv, timeout, .. } => {
            format!("command {}, {} s", argv.join(" "), timeout.as_secs_f32())
        }
    };
    let watched = match config.observation.watch(&config.camera) {
        None => String::new(),
        Some(wish) => {
            let (seconds, fps) = (wish.duration.as_secs_f32(), wish.frame_rate);
            format!(", watched for {seconds} s at {fps} fps before each still")
        }
    };
    let profile = match &config.profile_file {
        Some(file) => file.display().to_string(),
        None => "none".to_owned(),
    };
    let http = match &config.http {
        Some(http) => http.listen.to_string(),
        None => "off".to_owned(),
    };
    let size = match config.shape.size {
        Some(size) => format!("{}x{}", size.width_px(), size.height_px()),
        None => "as the photograph".to_owned(),
    };
    let length = match config.shape.duration_ms {
        Some(ms) => format!("{ms} ms"),
        None => "as long as the scene asks".to_owned(),
    };
    format!(
        "configuration is valid\n\
         device  {}\n\
         profile {profile}\n\
         broker  {}:{} ({transport})\n\
         camera  {camera}{watched}\n\
         http    {http}\n\
         clips   {} in {}, {} at {} fps",
        config.device_id,
        broker.host,
        broker.port,
        size,
        config.clips_dir.display(),
        length,
        config.shape.frame_rate,
    )
}
