//! Whether the moments before a still are watched.

use std::time::Duration;

use toml::Spanned;

use super::{
    Camera, ConfigError,
    raw::RawObservation,
    resolve::{integer, number},
    text::Text,
};

const SECONDS_DEFAULT: f64 = 3.0;
const FRAME_RATE_DEFAULT: i64 = 12;

/// Which cameras are watched before a still. Files and photographs that are sent
/// never are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ObservationMode {
    /// None.
    Off,
    /// Every one that can be; that another cannot is no fault.
    #[default]
    Auto,
    /// Every one; that one cannot be is a fault.
    On,
}

impl ObservationMode {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Auto, Self::On, Self::Off];

    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Auto => "auto",
            Self::On => "on",
        }
    }
}

/// How long and how closely a camera is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Time from the first picture to the last, 2 to 4 s.
    pub duration: Duration,
    /// Pictures per second that are kept, 10 to 15.
    pub frame_rate: u32,
}

/// Whether and how the moments before a still are watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    /// Which cameras.
    pub mode: ObservationMode,
    /// How long and how closely.
    pub watch: Watch,
    /// Every still that was watched is composed without those who pass through;
    /// no request can ask for less.
    pub clean_plate: bool,
}

impl Observation {
    /// How this camera is watched; `None` if it is not.
    pub fn watch(&self, camera: &Camera) -> Option<Watch> {
        let can_be = matches!(camera, Camera::Device(_) | Camera::Command { .. });
        (can_be && self.mode != ObservationMode::Off).then_some(self.watch)
    }
}

pub(super) fn resolve(
    text: &Text,
    raw: &RawObservation,
    camera: &Camera,
) -> Result<Observation, ConfigError> {
    let mode = match &raw.mode {
        None => ObservationMode::default(),
        Some(name) => {
            let known = ObservationMode::ALL
                .into_iter()
                .find(|mode| mode.name() == name.get_ref());
            known.ok_or_else(|| {
                let names = ObservationMode::ALL.map(ObservationMode::name).join(", ");
                let reason = format!(
                    "observation.mode is {:?}, allowed are {names}",
                    name.get_ref()
                );
                text.error(name.span(), reason)
            })?
        }
    };
    let seconds = number(text, "observation.seconds", &raw.seconds, 2.0..=4.0)?;
    let frame_rate = integer(text, "observation.frame_rate", &raw.frame_rate, 10..=15)?;
    let observation = Observation {
        mode,
        watch: Watch {
            duration: Duration::from_secs_f64(seconds.unwrap_or(SECONDS_DEFAULT)),
            frame_rate: frame_rate.unwrap_or(FRAME_RATE_DEFAULT) as u32,
        },
        clean_plate: raw
            .clean_plate
            .as_ref()
            .is_some_and(|is_on| *is_on.get_ref()),
    };
    if let Some(place) = raw.clean_plate.as_ref().map(Spanned::span)
        && observation.clean_plate
        && *camera != Camera::None
        && observation.watch(camera).is_none()
    {
        let reason = match mode {
            ObservationMode::Off => {
                "observation.clean_plate is true, but observation.mode is \"off\""
            }
            _ => "observation.clean_plate is true, but camera.file is never watched",
        };
        return Err(text.error(place, reason.to_owned()));
    }
    Ok(observation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    const DEVICE: &str = "[camera]\ndevice = '/dev/video0'\n";

    fn parsed(keys: &str) -> Result<Config, String> {
        Config::parse(&format!("{DEVICE}[observation]\n{keys}")).map_err(|error| error.to_string())
    }

    #[test]
    fn cameras_are_watched_and_nothing_else() {
        let watch = |toml: &str| {
            let config = Config::parse(toml).unwrap();
            config.observation.watch(&config.camera)
        };
        let expected = Watch {
            duration: Duration::from_secs(3),
            frame_rate: 12,
        };
        assert_eq!(watch(DEVICE), Some(expected));
        assert_eq!(watch("[camera]\ncommand = ['a']"), Some(expected));
        for file in ["", "[observation]\nmode = 'on'"] {
            let toml = format!("[camera]\nfile = '/a.jpg'\n{file}");
            assert_eq!(watch(&toml), None);
        }
        assert_eq!(watch(""), None);
        assert_eq!(watch(&format!("{DEVICE}[observation]\nmode = 'off'")), None);
    }

    #[test]
    fn every_key_is_taken_within_its_limits() {
        let keys = "mode = 'on'\nseconds = 2.5\nframe_rate = 15\nclean_plate = true";
        let observation = parsed(keys).unwrap().observation;
        let expected = Observation {
            mode: ObservationMode::On,
            watch: Watch {
                duration: Duration::from_millis(2500),
                frame_rate: 15,
            },
            clean_plate: true,
        };
        assert_eq!(observation, expected);
        for (keys, said) in [
            (
                "mode = 'maybe'",
                ":4:8: observation.mode is \"maybe\", allowed are auto, on, off",
            ),
            (
                "seconds = 5.0",
                ":4:11: observation.seconds is 5, allowed are 2 to 4",
            ),
            (
                "frame_rate = 30",
                ":4:14: observation.frame_rate is 30, allowed are 10 to 15",
            ),
            (
                "mode = 'off'\nclean_plate = true",
                ":5:15: observation.clean_plate is true, but observation.mode is \"off\"",
            ),
            (
                "clean_plat = true",
                "the nearest valid key is \"clean_plate\"",
            ),
        ] {
            let found = parsed(keys).unwrap_err();
            assert!(found.ends_with(said), "{found}");
        }
        let toml = "[camera]\nfile = '/a.jpg'\n[observation]\nclean_plate = true";
        let found = Config::parse(toml).unwrap_err().to_string();
        assert!(
            found.ends_with("true, but camera.file is never watched"),
            "{found}"
        );
    }
}
