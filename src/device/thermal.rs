//! Temperatures and throttling, as the kernel tells them in sysfs.
//!
//! | where | what it means |
//! |---|---|
//! | `class/thermal/thermal_zone*/temp` | a temperature, in thousandths of a degree Celsius |
//! | `class/thermal/cooling_device*/cur_state` above 0, where `type` is about the processor | the kernel has lowered its clock; on Jetson also the `…-throttle-alert` and `hot-surface-alert` devices |
//! | `class/hwmon/hwmon*/oc*_event_cnt` rising | Jetson: throttled by the over-current protection |
//! | `devices/system/cpu/cpu*/thermal_throttle/core_throttle_count` rising | Intel: a core was slowed by its own heat |
//! | `devices/platform/soc/soc:firmware/get_throttled` | Raspberry Pi: bits 0 to 3 say under-voltage, capped, throttled, soft limit |
//!
//! Fans are cooling devices as well; that one turns is no throttling.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Zones and devices of one kind that are looked at.
const ENTRIES_MAX: usize = 128;
/// Temperatures that a sensor can have in earnest, in degrees Celsius; a zone
/// that is switched off often reads -273 or 0.
const CELSIUS: std::ops::RangeInclusive<f64> = -60.0..=200.0;
const FIRMWARE: &str = "devices/platform/soc/soc:firmware/get_throttled";
/// Raspberry Pi firmware, `get_throttled`: what is so now.
const FIRMWARE_BITS: [(u32, &str); 4] = [
    (1 << 0, "under-voltage"),
    (1 << 1, "processor clock capped"),
    (1 << 2, "throttled"),
    (1 << 3, "soft temperature limit"),
];

/// What was found at one look.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Climate {
    /// Temperature of each zone, in degrees Celsius.
    pub zones: BTreeMap<String, f64>,
    /// Why the board is slower than it could be, if it is.
    pub throttled: Option<String>,
}

impl Climate {
    /// The hottest zone.
    pub fn hottest(&self) -> Option<(&str, f64)> {
        let zones = self.zones.iter().map(|(name, celsius)| (&**name, *celsius));
        zones.max_by(|a, b| a.1.total_cmp(&b.1))
    }
}

/// Looks at the board again and again; counters are compared with the look
/// before.
#[derive(Debug)]
pub struct Thermometer {
    sysfs: PathBuf,
    counted: BTreeMap<PathBuf, u64>,
}

impl Thermometer {
    /// For the sysfs that is mounted there. A board that tells nothing is
    /// neither hot nor throttled.
    pub fn new(sysfs: &Path) -> Self {
        Self {
            sysfs: sysfs.to_owned(),
            counted: BTreeMap::new(),
        }
    }

    /// Looks now.
    pub fn read(&mut self) -> Climate {
        let mut climate = Climate::default();
        let thermal = self.sysfs.join("class/thermal");
        for zone in entries(&thermal, "thermal_zone") {
            let celsius = number::<f64>(&zone.join("temp")).map(|milli| milli / 1000.0);
            if let Some(celsius) = celsius.filter(|celsius| CELSIUS.contains(celsius)) {
                let name = line(&zone.join("type")).unwrap_or_else(|| "zone".to_owned());
                // Two zones may have one name; the hotter counts.
                let known = climate.zones.entry(name).or_insert(celsius);
                *known = known.max(celsius);
            }
        }
        let causes = [
            self.firmware(),
            cooling(&thermal),
            self.risen("class/hwmon", "hwmon", "", is_over_current, "over-current"),
            self.risen(
                "devices/system/cpu",
                "cpu",
                "thermal_throttle",
                |name| name == "core_throttle_count",
                "a core is too hot",
            ),
        ];
        climate.throttled = causes.into_iter().flatten().next();
        climate
    }

    fn firmware(&self) -> Option<String> {
        let text = line(&self.sysfs.join(FIRMWARE))?;
        let bits = u32::from_str_radix(text.trim_start_matches("0x"), 16).ok()?;
        let said: Vec<_> = FIRMWARE_BITS
            .iter()
            .filter(|(bit, _)| bits & bit != 0)
            .map(|(_, what)| *what)
            .collect();
        (!said.is_empty()).then(|| said.join(", "))
    }

    /// Whether one of the counters has risen since the last look. The first
    /// look only remembers them.
    fn risen(
        &mut self,
        folder: &str,
        prefix: &str,
        below: &str,
        is_counter: impl Fn(&str) -> bool,
        what: &str,
    ) -> Option<String> {
        let mut has_risen = false;
        for entry in entries(&self.sysfs.join(folder), prefix) {
            for file in entries(&entry.join(below), "") {
                let name = file.file_name().unwrap_or_default().to_string_lossy();
                if !is_counter(&name) {
                    continue;
                }
                if let Some(count) = number::<u64>(&file) {
                    let before = self.counted.insert(file, count);
                    has_risen |= before.is_some_and(|before| count > before);
                }
            }
        }
        has_risen.then(|| what.to_owned())
    }
}

fn cooling(thermal: &Path) -> Option<String> {
    entries(thermal, "cooling_device").find_map(|device| {
        let kind = line(&device.join("type"))?;
        let lower = kind.to_ascii_lowercase();
        let slows = [
            "cpufreq",
            "devfreq",
            "processor",
            "throttle-alert",
            "surface-alert",
        ];
        let is_on = number::<u64>(&device.join("cur_state")).is_some_and(|state| state > 0);
        let about_speed = slows.iter().any(|word| lower.contains(word));
        (is_on && about_speed).then(|| format!("{kind} is slowed down by the kernel"))
    })
}

fn is_over_current(name: &str) -> bool {
    name.strip_prefix("oc")
        .and_then(|rest| rest.strip_suffix("_event_cnt"))
        .is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Entries of a folder whose names begin like this, sorted.
fn entries(folder: &Path, prefix: &str) -> impl Iterator<Item = PathBuf> {
    let listed = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = listed
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
        .map(|entry| entry.path())
        .take(ENTRIES_MAX)
        .collect();
    found.sort();
    found.into_iter()
}

fn line(file: &Path) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    Some(text.lines().next()?.trim().to_owned())
}

fn number<T: std::str::FromStr>(file: &Path) -> Option<T> {
    line(file)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            write(folder.path(), name, text);
        }
        folder
    }

    fn write(folder: &Path, name: &str, text: &str) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn a_board_that_tells_nothing_is_cool() {
        let folder = board(&[]);
        assert_eq!(Thermometer::new(folder.path()).read(), Climate::default());
    }

    #[test]
    fn zones_have_names_and_degrees() {
        let folder = board(&[
            ("class/thermal/thermal_zone0/type", "cpu-thermal\n"),
            ("class/thermal/thermal_zone0/temp", "61250\n"),
            ("class/thermal/thermal_zone1/type", "cpu-thermal\n"),
            ("class/thermal/thermal_zone1/temp", "58000\n"),
            ("class/thermal/thermal_zone2/type", "off\n"),
            ("class/thermal/thermal_zone2/temp", "-273200\n"),
            ("class/thermal/thermal_zone3/temp", "garbage"),
            ("class/thermal/cooling_device0/type", "pwm-fan\n"),
            ("class/thermal/cooling_device0/cur_state", "3\n"),
        ]);
        let climate = Thermometer::new(folder.path()).read();
        assert_eq!(climate.hottest(), Some(("cpu-thermal", 61.25)));
        assert_eq!(climate.zones.len(), 1);
        assert_eq!(climate.throttled, None, "a fan turns");
    }

    #[test]
    fn a_processor_that_the_kernel_slows_down_is_throttled() {
        for kind in [
            "cpufreq-cpu0",
            "thermal-cpufreq-0",
            "Processor",
            "cpu-throttle-alert",
        ] {
            let folder = board(&[
                ("class/thermal/cooling_device4/type", kind),
                ("class/thermal/cooling_device4/cur_state", "0"),
            ]);
            let mut thermometer = Thermometer::new(folder.path());
            assert_eq!(thermometer.read().throttled, None, "{kind}");
            write(
                folder.path(),
                "class/thermal/cooling_device4/cur_state",
                "2",
            );
            let said = thermometer.read().throttled.unwrap();
            assert_eq!(said, format!("{kind} is slowed down by the kernel"));
        }
    }

    #[test]
    fn a_raspberry_pi_says_why() {
        let folder = board(&[(FIRMWARE, "50005\n")]);
        let mut thermometer = Thermometer::new(folder.path());
        assert_eq!(
            thermometer.read().throttled.as_deref(),
            Some("under-voltage, throttled")
        );
        // Only that it has happened at some time.
        write(folder.path(), FIRMWARE, "50000\n");
        assert_eq!(thermometer.read().throttled, None);
    }

    #[test]
    fn a_counter_counts_only_while_it_rises() {
        for (counter, said) in [
            ("class/hwmon/hwmon3/oc2_event_cnt", "over-current"),
            (
                "devices/system/cpu/cpu1/thermal_throttle/core_throttle_count",
                "a core is too hot",
            ),
        ] {
            let folder = board(&[(counter, "7"), ("class/hwmon/hwmon3/oc2_throt_en", "1")]);
            let mut thermometer = Thermometer::new(folder.path());
            assert_eq!(thermometer.read().throttled, None, "{counter}");
            write(folder.path(), counter, "9");
            assert_eq!(thermometer.read().throttled.as_deref(), Some(said));
            assert_eq!(thermometer.read().throttled, None, "{counter}");
        }
    }
}
