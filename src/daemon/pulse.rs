//! Whether the thread that renders gets on with it.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// Longest time between two signs of life of a render. A camera command may
/// take 300 s, and a photograph from a URL as long; no stage takes longer.
pub(super) const STALL_TIME_MAX: Duration = Duration::from_secs(360);

/// The last sign of life.
#[derive(Debug)]
pub(super) struct Pulse {
    since: Instant,
    /// Milliseconds from `since` to the last sign of life, plus one; 0 while
    /// nothing is in work.
    beat_ms: AtomicU64,
}

impl Pulse {
    pub(super) fn new() -> Self {
        Self {
            since: Instant::now(),
            beat_ms: AtomicU64::new(0),
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX - 1)
    }

    /// Work goes on.
    pub(super) fn beat(&self) {
        self.beat_ms.store(self.now_ms() + 1, Ordering::Relaxed);
    }

    /// Nothing is in work.
    pub(super) fn rest(&self) {
        self.beat_ms.store(0, Ordering::Relaxed);
    }

    /// Time since the last sign of life, while something is in work.
    pub(super) fn silence(&self) -> Option<Duration> {
        let beat_ms = self.beat_ms.load(Ordering::Relaxed).checked_sub(1)?;
        Some(Duration::from_millis(self.now_ms().saturating_sub(beat_ms)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Pulse {
        /// As if the last sign of life had been so long ago.
        pub(in crate::daemon) fn beat_before(&mut self, time: Duration) {
            self.since = Instant::now().checked_sub(time).unwrap();
            self.beat_ms.store(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn only_work_is_silent() {
        let pulse = Pulse::new();
        assert_eq!(pulse.silence(), None);
        pulse.beat();
        assert!(
            pulse
                .silence()
                .is_some_and(|silence| silence < STALL_TIME_MAX)
        );
        pulse.rest();
        assert_eq!(pulse.silence(), None);
    }
}
