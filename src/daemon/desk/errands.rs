//! What is done beside the renders: stills to take, chunks to send.

use std::collections::VecDeque;

use tokio::task::JoinSet;

use super::{Desk, pulls::Pull, response_to};
use crate::{
    daemon::sight::Sight,
    journal::Address,
    publication::{Captured, Fault, Pulled},
};

/// What came of an errand.
pub(super) enum Errand {
    /// A still was taken, or not.
    Capture {
        address: Address,
        result: Result<Captured, Fault>,
        /// Unless it was not asked.
        camera: Option<Sight>,
    },
    /// Chunks are with the broker, or not.
    Pull {
        addresses: Vec<Address>,
        result: Result<Pulled, Fault>,
    },
}

/// The errands under way, few at a time. Dropping them ends them.
#[derive(Default)]
pub(super) struct Errands {
    tasks: JoinSet<Errand>,
    pub(super) is_capturing: bool,
    pub(super) pulls_running: usize,
    pub(super) pulls_waiting: VecDeque<Pull>,
}

impl Errands {
    pub(super) fn run(&mut self, errand: impl Future<Output = Errand> + Send + 'static) {
        self.tasks.spawn(errand);
    }

    /// The next errand that has ended; `None` at once when there is none.
    pub(super) async fn done(&mut self) -> Option<Result<Errand, tokio::task::JoinError>> {
        self.tasks.join_next().await
    }
}

impl Desk {
    pub(super) fn errand_done(&mut self, errand: Result<Errand, tokio::task::JoinError>) {
        match errand {
            Ok(Errand::Capture {
                address,
                result,
                camera,
            }) => {
                self.errands.is_capturing = false;
                if let Some(sight) = camera {
                    self.camera.saw(sight);
                }
                self.connection.post(response_to(&address, result));
            }
            Ok(Errand::Pull { addresses, result }) => {
                self.errands.pulls_running -= 1;
                for address in addresses {
                    self.connection.post(response_to(&address, result.clone()));
                }
                self.pull_next();
            }
            Err(error) => {
                log::error!("errand: {error}");
                // Whose it was is not said.
                if self.errands.tasks.is_empty() {
                    self.errands.is_capturing = false;
                    self.errands.pulls_running = 0;
                }
            }
        }
    }
}
