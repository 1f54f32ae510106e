//! When a clip is worth nothing any more.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// The moment after which a clip is worth nothing.
///
/// Measured by a clock that nobody sets, because a board without a network has
/// no time of day to be trusted; written as milliseconds since 1970, for no
/// other clock outlives a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "u64", from = "u64")]
pub struct Deadline(Instant);

impl Deadline {
    /// That moment.
    pub fn at(moment: Instant) -> Self {
        Self(moment)
    }

    /// The time since then; `None` while it is to come.
    pub fn lateness(&self) -> Option<Duration> {
        Some(self.0.elapsed()).filter(|late| !late.is_zero())
    }

    /// The time from `moment` until then.
    pub fn since(&self, moment: Instant) -> Duration {
        self.0.saturating_duration_since(moment)
    }
}

/// Time since 1970, as far as the board knows.
fn time_of_day() -> Duration {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default()
}

impl From<Deadline> for u64 {
    fn from(Deadline(moment): Deadline) -> Self {
        let now = Instant::now();
        let unix = (time_of_day() + moment.saturating_duration_since(now))
            .saturating_sub(now.saturating_duration_since(moment));
        Self::try_from(unix.as_millis()).unwrap_or(Self::MAX)
    }
}

impl From<u64> for Deadline {
    fn from(unix_ms: u64) -> Self {
        let (now, today) = (Instant::now(), time_of_day());
        let unix = Duration::from_millis(unix_ms);
        let moment = match unix.checked_sub(today) {
            Some(left) => now.checked_add(left),
            None => now.checked_sub(today - unix),
        };
        Self(moment.unwrap_or(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_outlives_what_it_is_written_to() {
        let now = Instant::now();
        let hour = Duration::from_secs(3600);
        let to_come = Deadline::at(now + hour);
        let past = Deadline::at(now.checked_sub(hour).unwrap());
        for deadline in [to_come, past] {
            let text = serde_json::to_string(&deadline).unwrap();
            let read: Deadline = serde_json::from_str(&text).unwrap();
            let apart = (read.since(deadline.0)).max(deadline.since(read.0));
            // As far apart as the two clocks were read.
            assert!(apart < Duration::from_secs(60), "{apart:?}");
        }
        assert_eq!(to_come.lateness(), None);
        assert!(past.lateness().unwrap() >= hour);
        assert!(Deadline::from(0).lateness().is_some());
        assert_eq!(Deadline::from(u64::MAX).lateness(), None);
    }
}
