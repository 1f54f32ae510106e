//! When a clip is worth nothing any more.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::moment::Moment;

/// The moment after which a clip is worth nothing.
///
/// Measured by a clock that nobody sets, because a board without a network has
/// no time of day to be trusted. Written as the time that is left, and when
/// that was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "Written", from = "Written")]
pub struct Deadline(Instant);

/// A deadline on its way to another process.
#[derive(Serialize, Deserialize)]
struct Written {
    left_ms: u64,
    at: Moment,
}

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

impl From<Deadline> for Written {
    fn from(deadline: Deadline) -> Self {
        let left = deadline.since(Instant::now());
        Self {
            left_ms: u64::try_from(left.as_millis()).unwrap_or(u64::MAX),
            at: Moment::now(),
        }
    }
}

impl From<Written> for Deadline {
    fn from(written: Written) -> Self {
        let now = Instant::now();
        let left = Duration::from_millis(written.left_ms).saturating_sub(written.at.elapsed());
        // Longer than any clock runs is for ever; records say no such thing.
        Self(now.checked_add(left).unwrap_or(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_outlives_what_it_is_written_to() {
        let now = Instant::now();
        let hour = Duration::from_secs(3600);
        let read = |deadline: Deadline| -> Deadline {
            let text = serde_json::to_string(&deadline).unwrap();
            serde_json::from_str(&text).unwrap()
        };
        let to_come = read(Deadline::at(now + hour));
        let apart = to_come
            .since(now + hour)
            .max(Deadline::at(now + hour).since(to_come.0));
        // As far apart as the clocks were read.
        assert!(apart < Duration::from_secs(60), "{apart:?}");
        assert_eq!(to_come.lateness(), None);
        let past = read(Deadline::at(now.checked_sub(hour).unwrap()));
        std::thread::sleep(Duration::from_millis(1));
        assert!(past.lateness().is_some());
    }

    #[test]
    fn time_between_two_processes_counts() {
        let written = |ago: Duration| Written {
            left_ms: 60_000,
            at: Moment::now().earlier(ago),
        };
        let late = Deadline::from(written(Duration::from_secs(61)));
        std::thread::sleep(Duration::from_millis(1));
        assert!(late.lateness().is_some());
        let in_time = Deadline::from(written(Duration::from_secs(1)));
        assert_eq!(in_time.lateness(), None);
    }
}
