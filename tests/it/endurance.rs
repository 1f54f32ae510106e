//! What the daemon endures. A short version of each runs with the suite; the
//! long ones are run on demand, and print what they measured:
//!
//! ```sh
//! cargo test --test it -- --ignored --nocapture endurance::kill::a_thousand_kills
//! cargo test --release --test it -- --ignored --nocapture endurance::soak::for_long
//! cargo test --release --test it -- --ignored --nocapture endurance::load::two_hundred_a_second
//! cargo test --release --test it -- --ignored --nocapture endurance::load::ten_thousand_at_once
//! cargo test --release --test it -- --ignored --nocapture endurance::outage
//! cargo test --test it -- --ignored --nocapture endurance::clock
//! ```
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `ZOETROPE_KILLS` | kills | 1000 |
//! | `ZOETROPE_SOAK_S` | length of the soak, in seconds; 3600 for the bar | 300 |
//! | `ZOETROPE_OUTAGE_S` | time without a broker, in seconds | 600 |
//! | `ZOETROPE_LOAD_S` | length of the load, in seconds | 60 |

mod clock;

mod disk;

mod kill;

mod load;

mod outage;

pub mod service;

mod soak;

mod witness;

use self::{service::Service, witness::Witness};
use crate::{mqtt::bench::PATIENCE, support::Folder};

/// A daemon, ready, and a witness of all that it says.
struct Stage {
    witness: Witness,
    service: Service,
    _folder: Folder,
}

impl Stage {
    /// At a broker on this port.
    async fn open(port: u16) -> Self {
        let folder = Folder::new();
        Service::configure(&folder, port);
        let mut witness = Witness::connect(port).await;
        let service = Service::start(&folder, None);
        let is_up = |witness: &Witness| witness.state == "ready";
        assert!(witness.hear(PATIENCE, is_up).await, "not ready");
        Self {
            witness,
            service,
            _folder: folder,
        }
    }
}

/// A number from the environment.
fn number(variable: &str, default: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{variable} is {text:?}, expected a whole number")),
        Err(_) => default,
    }
}
