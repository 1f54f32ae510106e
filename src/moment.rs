//! Moments that outlive the process, on a board whose clock may be anything.
//!
//! The time of day is set, jumps, and begins anywhere after a night without a
//! battery; the clock that counts from the start of the kernel does none of
//! that, but begins anew with each. So a moment is both: within one run of the
//! kernel the steady clock counts, whatever the other says, and only between
//! two of them is the time of day believed, as far as it makes sense.

use std::{
    fs,
    sync::OnceLock,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

/// The first second of 2026, before this program was: an earlier time of day
/// has never been set.
const UNSET_BEFORE_UNIX_MS: u64 = 1_767_225_600_000;

/// A moment in the past that can be written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// By the time of day, in milliseconds since 1970.
    unix_ms: u64,
    /// By the steady clock, in milliseconds since the kernel's start.
    steady_ms: u64,
    /// Which run of the kernel it was; empty where it has no name.
    boot: String,
}

impl Moment {
    /// This moment.
    pub fn now() -> Self {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            unix_ms: unix.unwrap_or_default().as_millis() as u64,
            steady_ms: steady_ms(),
            boot: boot().to_owned(),
        }
    }

    /// The time since then. Zero where no clock knows: when the time of day is
    /// earlier than then, or was not set then or is not now.
    pub fn elapsed(&self) -> Duration {
        self.until(&Self::now())
    }

    /// The time from then until `now`, as [`elapsed`](Self::elapsed) has it.
    pub fn until(&self, now: &Self) -> Duration {
        let ms = if self.boot == now.boot && !self.boot.is_empty() {
            now.steady_ms.saturating_sub(self.steady_ms)
        } else if self.unix_ms.min(now.unix_ms) < UNSET_BEFORE_UNIX_MS {
            0
        } else {
            now.unix_ms.saturating_sub(self.unix_ms)
        };
        Duration::from_millis(ms)
    }

    /// The same moment, so much longer ago.
    #[cfg(test)]
    pub(crate) fn earlier(mut self, by: Duration) -> Self {
        // As if the kernel had started early enough for any test.
        self.boot = "another".to_owned();
        self.unix_ms -= by.as_millis() as u64;
        self
    }
}

/// Goes on while the board sleeps, and is never set.
fn steady_ms() -> u64 {
    let uptime = fs::read_to_string("/proc/uptime").unwrap_or_default();
    let seconds = uptime.split(' ').next().and_then(|text| text.parse().ok());
    (seconds.unwrap_or(0.0_f64) * 1000.0) as u64
}

/// The kernel's own name for its run.
fn boot() -> &'static str {
    static BOOT: OnceLock<String> = OnceLock::new();
    BOOT.get_or_init(|| {
        let name = fs::read_to_string("/proc/sys/kernel/random/boot_id");
        name.unwrap_or_default().trim().to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const YEAR_MS: u64 = 31_536_000_000;
    const SET_MS: u64 = UNSET_BEFORE_UNIX_MS + YEAR_MS;

    fn moment(unix_ms: u64, steady_ms: u64, boot: &str) -> Moment {
        let boot = boot.to_owned();
        Moment {
            unix_ms,
            steady_ms,
            boot,
        }
    }

    #[test]
    fn within_one_run_of_the_kernel_the_time_of_day_means_nothing() {
        let then = moment(SET_MS, 5_000, "a");
        for unix_ms in [0, SET_MS - YEAR_MS, SET_MS + YEAR_MS] {
            let passed = then.until(&moment(unix_ms, 7_500, "a"));
            assert_eq!(passed, Duration::from_millis(2_500));
        }
    }

    #[test]
    fn between_two_it_is_believed_where_it_makes_sense() {
        let then = moment(SET_MS, 5_000, "a");
        let passed = |unix_ms| then.until(&moment(unix_ms, 100, "b"));
        assert_eq!(passed(SET_MS + 60_000), Duration::from_secs(60));
        assert_eq!(passed(SET_MS - 60_000), Duration::ZERO);
        assert_eq!(passed(3_600_000), Duration::ZERO);
        let unset = moment(3_600_000, 5_000, "a");
        assert_eq!(unset.until(&moment(SET_MS, 100, "b")), Duration::ZERO);
        let nameless = moment(SET_MS, 5_000, "");
        let minute = moment(SET_MS + 60_000, 5_000, "");
        assert_eq!(nameless.until(&minute), Duration::from_secs(60));
    }

    #[test]
    fn this_moment_has_a_name_and_time_passes() {
        let then = Moment::now();
        assert!(!then.boot.is_empty() && then.steady_ms > 0);
        let text = serde_json::to_string(&then).unwrap();
        assert_eq!(serde_json::from_str::<Moment>(&text).unwrap(), then);
        let hour = Duration::from_secs(3600);
        assert!(then.elapsed() < hour);
        assert!(then.earlier(hour).elapsed() >= hour);
    }
}
