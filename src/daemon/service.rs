//! What the service manager is told; without one, nobody.

use sd_notify::NotifyState;

use super::vitals::DaemonVitals;

/// The daemon is up. It does not wait for the broker, which may come later.
pub(super) fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The configuration is being read again; [`ready`] follows.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => log::warn!("service manager: no clock: {error}"),
    }
}

/// The daemon ends.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Feeds the watchdog, if the service manager keeps one, for as long as the
/// daemon gets on with its work. Otherwise it says why not, and starves it.
pub(super) async fn feed_watchdog(vitals: DaemonVitals) {
    let Some(patience) = sd_notify::watchdog_enabled() else {
        return;
    };
    let mut was_alive = true;
    // sd_watchdog_enabled(3) asks for half of it; a third leaves time for the
    // desk to answer.
    let mut clock = tokio::time::interval(patience / 3);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        clock.tick().await;
        match vitals.is_alive().await {
            Ok(()) => {
                was_alive = true;
                tell(&[NotifyState::Watchdog]);
            }
            Err(reason) => {
                if std::mem::replace(&mut was_alive, false) {
                    log::error!("the watchdog is not fed: {reason}");
                }
            }
        }
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        log::warn!("service manager: {error}");
    }
}
