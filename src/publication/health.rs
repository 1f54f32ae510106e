//! `health`: how the daemon and its board are doing.

use serde::{Deserialize, Serialize};

use super::Version;

/// `health`: how the daemon and its board are doing. What cannot be found out
/// is null.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Health {
    /// Version of the document.
    pub v: Version,
    /// Time since the daemon was started, in seconds.
    pub uptime_s: u64,
    /// Memory in use, in bytes.
    pub rss_bytes: Option<u64>,
    /// Open file descriptors.
    pub fds: Option<u32>,
    /// Threads.
    pub threads: Option<u32>,
    /// Jobs that wait.
    pub queue_length: u64,
    /// Clips that were made and published since the start.
    pub renders_ok: u64,
    /// Jobs that ended without one since the start.
    pub renders_failed: u64,
    /// Time that the last clip took, from the photograph to the file, in
    /// milliseconds.
    pub last_render_ms: Option<u64>,
    /// Temperature of the hottest part that says its own, in degrees Celsius.
    pub temperature_c: Option<f64>,
    /// Whether the processor is slowed down by heat or power.
    pub throttled: Option<bool>,
    /// Room for clips, in bytes.
    pub disk_free_bytes: Option<u64>,
}
