//! What the daemon endures. A short version of each runs with the suite; the
//! long ones are run on demand, and print what they measured:
//!
//! ```sh
//! cargo test --test it -- --ignored --nocapture endurance::kill::a_thousand_kills
//! cargo test --release --test it -- --ignored --nocapture endurance::soak::for_long
//! cargo test --release --test it -- --ignored --nocapture endurance::load::two_hundred_a_second
//! cargo test --release --test it -- --ignored --nocapture endurance::load::ten_thousand_at_once
//! ```
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `ZOETROPE_KILLS` | kills | 1000 |
//! | `ZOETROPE_SOAK_S` | length of the soak, in seconds; 3600 for the bar | 300 |
//! | `ZOETROPE_LOAD_S` | length of the load, in seconds | 60 |

mod kill;

mod load;

mod service;

mod soak;

mod witness;

use zoetrope::device::broker::LoopbackBroker;

use self::{service::Service, witness::Witness};
use crate::{
    mqtt::bench::{PATIENCE, loopback},
    support::Folder,
};

/// A daemon at a broker of its own, ready, and a witness of all that it says.
struct Stage {
    port: u16,
    witness: Witness,
    service: Service,
    _broker: LoopbackBroker,
    _folder: Folder,
}

impl Stage {
    async fn open() -> Self {
        let broker = loopback().await;
        let port = broker.address().port();
        let folder = Folder::new();
        Service::configure(&folder, port);
        let mut witness = Witness::connect(port).await;
        let service = Service::start(&folder, None);
        let is_up = |witness: &Witness| witness.state == "ready";
        assert!(witness.hear(PATIENCE, is_up).await, "not ready");
        Self {
            port,
            witness,
            service,
            _broker: broker,
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
