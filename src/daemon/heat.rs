//! Looks at the board's temperature, and decides when renders need pauses.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use super::metrics::Metrics;
use crate::{
    config::Thermal,
    device::thermal::{Climate, Thermometer},
};

/// Time between two looks.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);
/// A board is cool again this far below its limit, in degrees Celsius …
const HYSTERESIS_CELSIUS: f64 = 3.0;
/// … at this many looks in a row.
const CALM_LOOKS: u32 = 6;

/// What everybody may know of the heat.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heat {
    /// The last look.
    pub climate: Climate,
    /// Why renders are paced, while they are.
    pub reason: Option<String>,
}

/// Looks for as long as somebody wants to know.
pub(super) async fn watch_over(config: Thermal, metrics: Arc<Metrics>, heat: watch::Sender<Heat>) {
    let mut thermometer = Thermometer::new(&config.sysfs_dir);
    let mut judge = Judge::new(config.hot_celsius);
    let mut clock = tokio::time::interval(LOOK_INTERVAL);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while !heat.is_closed() {
        clock.tick().await;
        // Some sensors take their time.
        let look = tokio::task::spawn_blocking(move || {
            let climate = thermometer.read();
            (thermometer, climate)
        });
        let Ok((returned, climate)) = look.await else {
            return;
        };
        thermometer = returned;
        let was_paced = heat.borrow().reason.is_some();
        let reason = judge.look(&climate);
        metrics.climate_is(&climate, reason.is_some());
        match (&reason, was_paced) {
            (Some(reason), false) => log::warn!("renders are paced: {reason}"),
            (None, true) => log::info!("the board is cool again"),
            _ => {}
        }
        heat.send_replace(Heat { climate, reason });
    }
}

struct Judge {
    hot_celsius: f64,
    reason: Option<String>,
    calm_looks: u32,
}

impl Judge {
    fn new(hot_celsius: f64) -> Self {
        Self {
            hot_celsius,
            reason: None,
            calm_looks: 0,
        }
    }

    /// Why renders are paced from now on. The words stay the same for as long
    /// as it lasts.
    fn look(&mut self, climate: &Climate) -> Option<String> {
        let limit = self.hot_celsius;
        let limit_now = match self.reason {
            Some(_) => limit - HYSTERESIS_CELSIUS,
            None => limit,
        };
        let too_hot = climate
            .hottest()
            .filter(|(_, celsius)| *celsius >= limit_now)
            .map(|(zone, celsius)| {
                format!("{zone} has {celsius:.0} °C, allowed are less than {limit:.0}")
            });
        let slowed = (climate.throttled.as_ref()).map(|why| format!("throttled: {why}"));
        match too_hot.or(slowed) {
            Some(reason) => {
                self.calm_looks = 0;
                self.reason.get_or_insert(reason);
            }
            None => {
                self.calm_looks += 1;
                if self.calm_looks >= CALM_LOOKS {
                    self.reason = None;
                }
            }
        }
        self.reason.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(celsius: f64) -> Climate {
        Climate {
            zones: [("cpu".to_owned(), celsius)].into(),
            throttled: None,
        }
    }

    #[test]
    fn hot_lasts_until_it_has_been_cool_for_a_while() {
        let mut judge = Judge::new(85.0);
        assert_eq!(judge.look(&at(84.9)), None);
        let hot = judge.look(&at(91.2));
        let said = "cpu has 91 °C, allowed are less than 85";
        assert_eq!(hot.as_deref(), Some(said));
        // The same words, so that nobody is told again and again.
        assert_eq!(judge.look(&at(95.0)), hot);
        for celsius in [81.0, 81.0, 82.5, 81.0, 81.0, 81.0, 81.0, 81.0] {
            assert_eq!(judge.look(&at(celsius)), hot, "{celsius}");
        }
        assert_eq!(judge.look(&at(81.0)), None);
    }

    #[test]
    fn throttling_is_a_reason_of_its_own() {
        let mut judge = Judge::new(85.0);
        let slowed = Climate {
            throttled: Some("under-voltage".to_owned()),
            ..at(40.0)
        };
        let said = judge.look(&slowed);
        assert_eq!(said.as_deref(), Some("throttled: under-voltage"));
    }
}
