//! Whether the daemon serves, and whether it lives: for monitors and for the
//! service manager.

use std::{pin::Pin, sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot, watch},
    time::timeout,
};

use super::{
    desk::Control,
    metrics::Metrics,
    pulse::{Pulse, STALL_TIME_MAX},
};
use crate::device::{http::Vitals, mqtt::Link};

/// Time that the desk has to answer.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(2);

#[derive(Clone)]
pub(super) struct DaemonVitals {
    pub(super) metrics: Arc<Metrics>,
    pub(super) pulse: Arc<Pulse>,
    pub(super) link: watch::Receiver<Link>,
    pub(super) desk: mpsc::Sender<Control>,
}

impl DaemonVitals {
    /// Whether the daemon gets on with its work, connected or not.
    pub(super) async fn is_alive(&self) -> Result<(), String> {
        if let Some(silence) = self
            .pulse
            .silence()
            .filter(|silence| *silence > STALL_TIME_MAX)
        {
            return Err(format!(
                "the render has made no progress for {} s, allowed are {} s",
                silence.as_secs(),
                STALL_TIME_MAX.as_secs()
            ));
        }
        let (asked, answered) = oneshot::channel();
        let ask = async {
            // Either error means that the desk has ended.
            let _ = self.desk.send(Control::Ping(asked)).await;
            answered.await
        };
        match timeout(ANSWER_TIME_MAX, ask).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err("the desk has ended".to_owned()),
            Err(_) => Err(format!(
                "the desk has not answered for {} s",
                ANSWER_TIME_MAX.as_secs()
            )),
        }
    }

    async fn is_ready(&self) -> Result<(), String> {
        let link = self.link.borrow().clone();
        if !link.is_up {
            let trouble = link.trouble;
            return Err(trouble.unwrap_or_else(|| "the broker is not connected yet".to_owned()));
        }
        self.is_alive().await
    }
}

impl Vitals for DaemonVitals {
    fn metrics(&self) -> String {
        self.metrics.link_is(&self.link.borrow());
        self.metrics.text()
    }

    fn readiness(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        Box::pin(self.is_ready())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vitals() -> (DaemonVitals, watch::Sender<Link>, mpsc::Receiver<Control>) {
        let (sender, link) = watch::channel(Link::default());
        let (desk, orders) = mpsc::channel(1);
        let vitals = DaemonVitals {
            metrics: Arc::new(Metrics::new()),
            pulse: Arc::new(Pulse::new()),
            link,
            desk,
        };
        (vitals, sender, orders)
    }

    #[tokio::test]
    async fn ready_is_connected_and_answering() {
        let (vitals, link, mut orders) = vitals();
        let said = vitals.readiness().await;
        assert_eq!(said, Err("the broker is not connected yet".to_owned()));
        link.send_modify(|link| link.trouble = Some("broker b: refused".to_owned()));
        let said = vitals.readiness().await;
        assert_eq!(said, Err("broker b: refused".to_owned()));
        link.send_modify(|link| link.is_up = true);
        let desk = tokio::spawn(async move {
            let Some(Control::Ping(answer)) = orders.recv().await else {
                panic!("something else was asked");
            };
            answer.send(()).unwrap();
            orders
        });
        assert_eq!(vitals.readiness().await, Ok(()));
        drop(desk.await.unwrap());
        // Connected alone is not ready.
        let said = vitals.readiness().await;
        assert_eq!(said, Err("the desk has ended".to_owned()));
    }

    #[tokio::test]
    async fn a_desk_that_does_not_answer_is_not_alive() {
        let (vitals, _link, _orders) = vitals();
        let said = vitals.is_alive().await;
        assert_eq!(said, Err("the desk has not answered for 2 s".to_owned()));
    }

    #[tokio::test]
    async fn a_render_that_stands_still_is_not_alive() {
        let (vitals, _link, orders) = vitals();
        drop(orders);
        let mut pulse = Pulse::new();
        pulse.beat_before(STALL_TIME_MAX * 2);
        let vitals = DaemonVitals {
            pulse: Arc::new(pulse),
            ..vitals
        };
        let said = vitals.is_alive().await.unwrap_err();
        let expected = "the render has made no progress for 720 s, allowed are 360 s";
        assert_eq!(said, expected);
    }
}
