//! Pauses between renders while the board is hot.

use std::time::Duration;

use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use crate::{daemon::heat::Heat, device::thermal::Climate};

pub(super) struct Pacing {
    heat: watch::Receiver<Heat>,
    pause: Duration,
    not_before: Option<Instant>,
}

impl Pacing {
    pub(super) fn new(heat: watch::Receiver<Heat>, pause: Duration) -> Self {
        Self {
            heat,
            pause,
            not_before: None,
        }
    }

    /// Why there are pauses, while there are.
    pub(super) fn reason(&self) -> Option<String> {
        self.heat.borrow().reason.clone()
    }

    /// The board as it was at the last look.
    pub(super) fn climate(&self) -> Climate {
        self.heat.borrow().climate.clone()
    }

    pub(super) fn pause_is(&mut self, pause: Duration) {
        self.pause = pause;
    }

    /// A render has ended.
    pub(super) fn rest(&mut self) {
        self.not_before = Some(Instant::now() + self.pause);
    }

    pub(super) fn may_start(&self) -> bool {
        self.reason().is_none() || self.not_before.is_none_or(|time| time <= Instant::now())
    }

    /// Returns when the answer of [`Self::may_start`] or [`Self::reason`] may
    /// have changed.
    pub(super) async fn changed(&mut self) {
        let pause = async {
            match self.not_before {
                Some(time) => sleep_until(time).await,
                None => std::future::pending().await,
            }
        };
        let is_over = tokio::select! {
            () = pause => true,
            changed = self.heat.changed() => {
                if changed.is_err() {
                    // Nobody looks any more, so nothing changes.
                    std::future::pending::<()>().await;
                }
                false
            }
        };
        if is_over {
            self.not_before = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_hot_board_pauses() {
        let (sender, heat) = watch::channel(Heat::default());
        let mut pacing = Pacing::new(heat, Duration::from_millis(50));
        pacing.rest();
        assert!(pacing.may_start());
        let hot = Some("hot".to_owned());
        sender.send_modify(|heat| heat.reason = hot.clone());
        assert!(!pacing.may_start());
        assert_eq!(pacing.reason(), hot);
        pacing.changed().await;
        assert!(!pacing.may_start(), "it has only become hot");
        pacing.changed().await;
        assert!(pacing.may_start());
    }
}
