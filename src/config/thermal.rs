//! When the board is too hot to go on at once.

use std::{path::PathBuf, time::Duration};

use super::{
    ConfigError,
    raw::RawThermal,
    resolve::{number, path},
    text::Text,
};

/// Most boards throttle between 80 and 95 °C.
const HOT_CELSIUS_DEFAULT: f64 = 85.0;
const PAUSE_S_DEFAULT: f64 = 20.0;
const SYSFS_DIR_DEFAULT: &str = "/sys";

/// When the board is too hot to go on at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Thermal {
    /// Temperature from which the board is hot, in degrees Celsius.
    pub hot_celsius: f64,
    /// Pause between two renders while the board is hot or throttled.
    pub pause: Duration,
    /// Where the kernel's sysfs is mounted.
    pub sysfs_dir: PathBuf,
}

pub(super) fn resolve(text: &Text, raw: RawThermal) -> Result<Thermal, ConfigError> {
    let hot = number(text, "thermal.hot_celsius", &raw.hot_celsius, 30.0..=120.0)?;
    let pause_s = number(text, "thermal.pause_s", &raw.pause_s, 0.0..=3600.0)?;
    let sysfs_dir = path(text, "thermal.sysfs_dir", raw.sysfs_dir)?;
    Ok(Thermal {
        hot_celsius: hot.unwrap_or(HOT_CELSIUS_DEFAULT),
        pause: Duration::from_secs_f64(pause_s.unwrap_or(PAUSE_S_DEFAULT)),
        sysfs_dir: sysfs_dir.unwrap_or_else(|| PathBuf::from(SYSFS_DIR_DEFAULT)),
    })
}
