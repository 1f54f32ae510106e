//! Options that several subcommands take.

use std::{fmt::Display, num::NonZeroUsize, path::PathBuf, str::FromStr};

use crate::{
    config::{Broker, ConfigError, EngineChoice, Inference, KeyPair, Tls},
    device::inference::{Engines, worker::THIS_PROGRAM},
    request::{
        DURATION_MS_MAX, DURATION_MS_MIN, FRAME_RATE_MAX, FRAME_RATE_MIN, Look, Shape, Size,
    },
    scene::NetworkError,
};

/// How the picture shall move.
#[derive(Clone, Copy, Debug, clap::Args)]
#[command(next_help_heading = "Motion")]
pub struct LookArgs {
    /// Amount of motion: 0 (none) to 1 (as the model imagines it).
    #[arg(long, value_name = "F", default_value = "1", value_parser = strength)]
    #[arg(allow_negative_numbers = true)]
    pub strength: f32,
    /// Chooses one of many plausible motions.
    #[arg(long, value_name = "N", default_value = "1", value_parser = seed)]
    #[arg(allow_negative_numbers = true)]
    pub seed: u64,
    /// Where wind and streams go to: left, right, up, down, or degrees
    /// clockwise from "right" [default: as the model sees it].
    #[arg(long, value_name = "DEG", value_parser = direction_deg)]
    #[arg(allow_negative_numbers = true)]
    pub direction: Option<f32>,
}

impl LookArgs {
    /// What was said, as the stages take it; every range has been checked.
    pub fn look(&self) -> Look {
        Look {
            strength: self.strength,
            seed: self.seed,
            direction_deg: self.direction,
        }
    }
}

/// The size and length of the clip.
#[derive(Clone, Copy, Debug, clap::Args)]
#[command(next_help_heading = "Clip")]
pub struct ShapeArgs {
    /// Length of one turn of the loop, in seconds: 0.5 to 60 [default: near the
    /// rhythm of the scene if a burst shows it, else 4].
    #[arg(long = "seconds", value_name = "F", value_parser = duration_ms)]
    #[arg(allow_negative_numbers = true)]
    pub duration_ms: Option<u32>,
    /// Frames per second: 5 to 60.
    #[arg(long = "fps", value_name = "N", default_value = "30", value_parser = frame_rate)]
    #[arg(allow_negative_numbers = true)]
    pub frame_rate: u32,
    /// Even sides from 64x64 to 3840x2160, or portrait [default: the
    /// photograph's proportions, at most 1280 on the long side].
    #[arg(long, value_name = "WxH")]
    pub size: Option<Size>,
}

impl ShapeArgs {
    /// What was said, as the stages take it; every range has been checked.
    pub fn shape(&self) -> Shape {
        Shape {
            size: self.size,
            duration_ms: self.duration_ms,
            frame_rate: self.frame_rate,
        }
    }
}

/// What runs the model.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Inspection")]
pub struct EngineArgs {
    /// What runs the model: tensorrt, cuda, onnxruntime-cpu or tract. For one
    /// picture none of the others is worth its start.
    #[arg(long, value_name = "ENGINE", default_value = "tract")]
    pub engine: EngineChoice,
    /// libonnxruntime.so, for the others [default: looked for in the usual
    /// places].
    #[arg(long, value_name = "FILE")]
    pub library: Option<PathBuf>,
    /// Folder of what TensorRT has built [default: none].
    #[arg(long, value_name = "DIR")]
    pub cache_dir: Option<PathBuf>,
}

impl EngineArgs {
    /// The model, run as it was said.
    ///
    /// # Errors
    /// When the model is missing, altered or of another interface.
    pub fn open(
        &self,
        model_file: Option<PathBuf>,
        threads: Option<NonZeroUsize>,
    ) -> Result<Engines, NetworkError> {
        let wanted = Inference {
            engine: self.engine,
            library_file: self.library.clone(),
            cache_dir: self.cache_dir.clone(),
        };
        Engines::open(model_file, wanted, threads, THIS_PROGRAM.into())
    }
}

/// Which daemon, on which broker.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Broker")]
pub struct BrokerArgs {
    /// mqtt://HOST[:PORT], or mqtts:// for TLS.
    #[arg(long = "broker", value_name = "URL")]
    pub url: String,
    /// The daemon's device id, as in zoetrope/<ID>/….
    #[arg(long, value_name = "ID")]
    pub device: String,
    /// User name at the broker.
    #[arg(long, value_name = "NAME")]
    pub username: Option<String>,
    /// File whose first line is the password.
    #[arg(long, value_name = "FILE", requires = "username")]
    pub password_file: Option<PathBuf>,
    /// PEM file of the authorities to trust [default: the system's].
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// PEM file of our own certificate, when the broker wants one.
    #[arg(long, value_name = "FILE", requires = "client_key_file")]
    pub client_cert_file: Option<PathBuf>,
    /// PEM file of that certificate's private key.
    #[arg(long, value_name = "FILE", requires = "client_cert_file")]
    pub client_key_file: Option<PathBuf>,
}

impl BrokerArgs {
    /// How to reach the broker.
    ///
    /// # Errors
    /// [`ConfigError::BrokerUrl`] if the URL cannot be understood, or if
    /// authorities are named for a connection without TLS.
    pub fn broker(&self) -> Result<Broker, ConfigError> {
        let mut broker: Broker = self.url.parse()?;
        if let Some(ca_file) = &self.ca_file {
            self.tls(&mut broker, "--ca-file")?
                .ca_file
                .clone_from(ca_file);
        }
        if let (Some(cert_file), Some(key_file)) = (&self.client_cert_file, &self.client_key_file) {
            self.tls(&mut broker, "--client-cert-file")?.client = Some(KeyPair {
                cert_file: cert_file.clone(),
                key_file: key_file.clone(),
            });
        }
        broker.username.clone_from(&self.username);
        broker.password_file.clone_from(&self.password_file);
        Ok(broker)
    }

    /// The broker's TLS, which `option` is about.
    fn tls<'a>(&self, broker: &'a mut Broker, option: &str) -> Result<&'a mut Tls, ConfigError> {
        broker.tls.as_mut().ok_or_else(|| {
            ConfigError::BrokerUrl(format!("is {:?}, but {option} needs mqtts://", self.url))
        })
    }
}

fn strength(text: &str) -> Result<f32, String> {
    Ok(number(text, 0.0, 1.0)? as f32)
}

fn direction_deg(text: &str) -> Result<f32, String> {
    match text {
        "right" => Ok(0.0),
        "down" => Ok(90.0),
        "left" => Ok(180.0),
        "up" => Ok(270.0),
        _ => number(text, -360.0, 360.0)
            .map(|degrees| degrees as f32)
            .map_err(|reason| format!("{reason}, or left, right, up, down")),
    }
}

fn duration_ms(text: &str) -> Result<u32, String> {
    let (min, max) = (f64::from(DURATION_MS_MIN), f64::from(DURATION_MS_MAX));
    let seconds = number(text, min / 1000.0, max / 1000.0)?;
    Ok((seconds * 1000.0).round() as u32)
}

fn seed(text: &str) -> Result<u64, String> {
    whole(text, 0, u64::MAX)
}

fn frame_rate(text: &str) -> Result<u32, String> {
    whole(text, FRAME_RATE_MIN, FRAME_RATE_MAX)
}

fn whole<T: Copy + Display + FromStr + PartialOrd>(
    text: &str,
    min: T,
    max: T,
) -> Result<T, String> {
    match text.parse::<T>() {
        Ok(value) if (min..=max).contains(&value) => Ok(value),
        _ => Err(format!("allowed are whole numbers from {min} to {max}")),
    }
}

/// A number from `min` to `max`, which NaN is not.
pub(super) fn number(text: &str, min: f64, max: f64) -> Result<f64, String> {
    match text.parse::<f64>() {
        // NaN is within no range.
        Ok(value) if (min..=max).contains(&value) => Ok(value),
        Ok(_) => Err(format!("allowed are {min} to {max}")),
        Err(_) => Err(format!("not a number, allowed are {min} to {max}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_have_names() {
        assert_eq!(direction_deg("up"), Ok(270.0));
        assert_eq!(direction_deg("-45.5"), Ok(-45.5));
        let said = direction_deg("361").expect_err("more than a turn");
        assert_eq!(said, "allowed are -360 to 360, or left, right, up, down");
        assert!(direction_deg("north").is_err());
    }

    #[test]
    fn seconds_become_milliseconds() {
        assert_eq!(duration_ms("4"), Ok(4_000));
        assert_eq!(duration_ms("0.5"), Ok(500));
        for text in ["0.4", "60.1", "-1", "nan", "inf", "long"] {
            assert!(duration_ms(text).is_err(), "{text}");
        }
    }
}
