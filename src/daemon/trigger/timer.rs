//! Clips at an interval, or at times of the day.
//!
//! An interval is measured by a clock that nobody can set. Times of the day
//! follow the wall clock, and when that jumps, what was due in between is left
//! out: a board without a battery wakes up in the past and leaps years ahead.

use std::time::Duration;

use chrono::{DateTime, Local, TimeDelta, TimeZone};
use croner::{Cron, errors::CronError};
use tokio::time::{Instant, MissedTickBehavior, sleep};

use super::Bell;

/// Longest time between two looks at the wall clock.
const LOOK_INTERVAL: Duration = Duration::from_secs(20);
/// Difference between wall clock and steady clock, from one look to the next,
/// that is a jump and not a clock being trimmed.
const JUMP: TimeDelta = TimeDelta::seconds(10);

pub(super) async fn every(interval: Duration, bell: Bell) {
    let mut clock = tokio::time::interval(interval);
    clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
    // The first tick is now, when the daemon has just started.
    clock.tick().await;
    loop {
        clock.tick().await;
        if bell.camera("timer").await.is_none() {
            return;
        }
    }
}

pub(super) async fn at(cron: Cron, bell: Bell) {
    let started = Instant::now();
    let mut schedule = match Schedule::new(cron, Local::now(), Duration::ZERO) {
        Ok(schedule) => schedule,
        Err(error) => return log::error!("trigger.cron: {error}"),
    };
    loop {
        sleep(schedule.pause(&Local::now())).await;
        match schedule.is_due(Local::now(), started.elapsed()) {
            Ok(false) => {}
            Ok(true) => {
                if bell.camera("timer").await.is_none() {
                    return;
                }
            }
            Err(error) => return log::error!("trigger.cron: {error}"),
        }
    }
}

/// When the next clip is due. `steady` is the time of a clock that is never
/// set, from any start.
struct Schedule<Z: TimeZone> {
    cron: Cron,
    due: DateTime<Z>,
    looked_at: (DateTime<Z>, Duration),
}

impl<Z: TimeZone> Schedule<Z> {
    fn new(cron: Cron, wall: DateTime<Z>, steady: Duration) -> Result<Self, CronError> {
        Ok(Self {
            due: cron.find_next_occurrence(&wall, false)?,
            cron,
            looked_at: (wall, steady),
        })
    }

    /// Time until the next look.
    fn pause(&self, wall: &DateTime<Z>) -> Duration {
        let left = self.due.clone().signed_duration_since(wall.clone());
        left.to_std().unwrap_or_default().min(LOOK_INTERVAL)
    }

    fn is_due(&mut self, wall: DateTime<Z>, steady: Duration) -> Result<bool, CronError> {
        let (wall_before, steady_before) = &self.looked_at;
        let by_wall = wall.clone().signed_duration_since(wall_before.clone());
        let by_steady = steady.saturating_sub(*steady_before);
        let by_steady = TimeDelta::from_std(by_steady).unwrap_or(TimeDelta::MAX);
        let has_jumped = by_wall
            .checked_sub(&by_steady)
            .is_none_or(|difference| difference.abs() > JUMP);
        let is_due = !has_jumped && wall >= self.due;
        if has_jumped || is_due {
            self.due = self.cron.find_next_occurrence(&wall, false)?;
        }
        self.looked_at = (wall, steady);
        Ok(is_due)
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;

    struct Clocks {
        wall: DateTime<Utc>,
        steady: Duration,
        schedule: Schedule<Utc>,
        rang: Vec<String>,
    }

    impl Clocks {
        fn new(cron: &str, wall: &str) -> Self {
            let wall = wall.parse().unwrap();
            Self {
                wall,
                steady: Duration::ZERO,
                schedule: Schedule::new(cron.parse().unwrap(), wall, Duration::ZERO).unwrap(),
                rang: Vec::new(),
            }
        }

        /// Looks as the task does, for this long by the steady clock.
        fn live(&mut self, time: Duration) {
            let end = self.steady + time;
            while self.steady < end {
                let pause = self.schedule.pause(&self.wall).max(Duration::from_secs(1));
                self.wall += pause;
                self.steady += pause;
                if self.schedule.is_due(self.wall, self.steady).unwrap() {
                    self.rang.push(self.wall.format("%d %H:%M").to_string());
                }
            }
        }
    }

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn each_time_of_the_day_rings_once() {
        let mut clocks = Clocks::new("30 7,19 * * *", "2026-03-01T06:00:00Z");
        clocks.live(HOUR * 48);
        let expected = ["01 07:30", "01 19:30", "02 07:30", "02 19:30"];
        assert_eq!(clocks.rang, expected);
    }

    #[test]
    fn a_clock_that_leaps_ahead_makes_up_for_nothing() {
        let mut clocks = Clocks::new("* * * * *", "1970-01-01T00:00:30Z");
        clocks.live(Duration::from_secs(60));
        clocks.wall = "2026-03-01T12:00:10Z".parse().unwrap();
        clocks.live(Duration::from_secs(120));
        assert_eq!(clocks.rang, ["01 00:01", "01 12:01", "01 12:02"]);
    }

    #[test]
    fn a_clock_that_is_put_back_goes_on_from_there() {
        let mut clocks = Clocks::new("0 * * * *", "2036-03-01T06:59:00Z");
        clocks.live(Duration::from_secs(120));
        clocks.wall = "2026-03-01T06:30:00Z".parse().unwrap();
        clocks.live(HOUR);
        assert_eq!(clocks.rang, ["01 07:00", "01 07:00"]);
    }

    #[test]
    fn a_clock_that_is_trimmed_loses_no_time() {
        let mut clocks = Clocks::new("0 * * * *", "2026-03-01T06:59:50Z");
        clocks.wall += TimeDelta::seconds(9);
        clocks.live(Duration::from_secs(30));
        assert_eq!(clocks.rang, ["01 07:00"]);
    }
}
