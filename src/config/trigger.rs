//! What asks for clips besides MQTT.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use chrono::Utc;
use croner::Cron;
use toml::Spanned;

use super::{Camera, ConfigError, raw::RawTrigger, resolve::required_path, text::Text};

/// Shortest and longest time between two clips of the timer.
const EVERY: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(7 * 24 * 3600)];

/// What asks for clips besides MQTT.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trigger {
    /// A clip from the camera at this interval, 1 s to 7 days.
    pub every: Option<Duration>,
    /// A clip from the camera at these times of the board's own time zone.
    pub cron: Option<Cron>,
    /// Folder whose photographs become clips; created when missing.
    pub folder: Option<PathBuf>,
}

pub(super) fn resolve(
    text: &Text,
    raw: RawTrigger,
    camera: &Camera,
    clips_dir: &Path,
) -> Result<Trigger, ConfigError> {
    let timers = [("every", &raw.every), ("cron", &raw.cron)];
    for (key, given) in timers {
        if let (Some(value), Camera::None) = (given, camera) {
            let reason = format!(
                "trigger.{key} is given without camera.device, camera.file or camera.command"
            );
            return Err(text.error(value.span(), reason));
        }
    }
    let every = raw.every.map(|value| {
        let given = duration_of(value.get_ref());
        given
            .filter(|given| (EVERY[0]..=EVERY[1]).contains(given))
            .ok_or_else(|| {
                let reason = format!(
                    "trigger.every is {:?}, allowed are 1s to 7d, such as 90s, 15m or 1.5h",
                    value.get_ref()
                );
                text.error(value.span(), reason)
            })
    });
    let cron = raw.cron.map(|value| {
        let cron = value.get_ref().parse::<Cron>().and_then(|cron| {
            // Well-formed is not enough: 30 February never comes.
            cron.find_next_occurrence(&Utc::now(), false)?;
            Ok(cron)
        });
        cron.map_err(|error| {
            let reason = format!(
                "trigger.cron is {:?}, expected minute, hour, day, month and weekday such as \
                 \"0 7-19 * * MON-FRI\": {error}",
                value.get_ref()
            );
            text.error(value.span(), reason)
        })
    });
    let folder = raw
        .folder
        .as_ref()
        .map(|folder| watched(text, folder, clips_dir));
    Ok(Trigger {
        every: every.transpose()?,
        cron: cron.transpose()?,
        folder: folder.transpose()?,
    })
}

fn watched(
    text: &Text,
    folder: &Spanned<String>,
    clips_dir: &Path,
) -> Result<PathBuf, ConfigError> {
    let place = folder.span();
    let folder = required_path(text, "trigger.folder", folder)?;
    if folder == clips_dir {
        let reason = format!("trigger.folder is clips_dir, {}", folder.display());
        return Err(text.error(place, reason));
    }
    Ok(folder)
}

/// Reads a number with its unit: `s`, `m`, `h` or `d`.
pub fn duration_of(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at(
        text.len()
            .checked_sub(1)
            .filter(|at| text.is_char_boundary(*at))?,
    );
    let unit_s = match unit {
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return None,
    };
    let number: f64 = number.trim().parse().ok()?;
    Duration::try_from_secs_f64(number * unit_s).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_number_and_a_unit() {
        assert_eq!(duration_of("90s"), Some(Duration::from_secs(90)));
        assert_eq!(duration_of("1.5 h"), Some(Duration::from_secs(5400)));
        assert_eq!(duration_of("2d"), Some(Duration::from_secs(172_800)));
        for wrong in [
            "", "s", "15", "15 min", "-1s", "nans", "infs", "1e300d", "5µ",
        ] {
            assert_eq!(duration_of(wrong), None, "{wrong}");
        }
    }
}
