//! Integration tests.
//!
//! - `mqtt`: the daemon and displays at real brokers

mod mqtt;
