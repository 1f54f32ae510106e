//! The daemon and displays at real brokers: the one inside the process, and
//! mosquitto where it is installed.
//!
//! The renderer is a stand-in that writes the photograph back as its clip, so
//! that these tests are about messages alone.

pub mod bench;

mod burst;

mod cases;

mod chunks;

mod commands;

mod failures;

mod doors;

mod fleet;

mod flood;

mod homeassistant;

pub mod mosquitto;

mod network;

pub mod process;

mod proxy;

mod restart;

mod service;

mod storage;
