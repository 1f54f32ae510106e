//! Integration tests.
//!
//! - `mqtt`: the daemon and displays at real brokers

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod mqtt;
