//! What may lie on the disk: accepted jobs and finished clips.

use std::{path::Path, time::Duration};

use super::{
    ConfigError,
    raw::{RawJournal, RawStore},
    resolve::integer,
    text::Text,
};

/// Folder of the journal, beside the folder of clips.
const JOURNAL_DIR_NAME: &str = "journal";
const BYTES_MAX: i64 = 1 << 40;

/// Bounds of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalLimits {
    /// Size of all jobs that have not ended, in bytes; a job that does not fit
    /// is answered `queue_full`.
    pub bytes_max: u64,
    /// Processes that may crash while they render one and the same job; then
    /// it is given up.
    pub crash_count_max: u32,
}

impl Default for JournalLimits {
    fn default() -> Self {
        Self {
            bytes_max: 256 << 20,
            crash_count_max: 3,
        }
    }
}

/// Bounds of the store of finished clips. The clip published last stays in any
/// case, and so do clips that wait to be published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreLimits {
    /// Clips that are kept.
    pub count_max: usize,
    /// Size of all of them together, in bytes.
    pub bytes_max: u64,
    /// Time that a clip is kept.
    pub age_max: Duration,
}

impl Default for StoreLimits {
    fn default() -> Self {
        Self {
            count_max: 8,
            bytes_max: 256 << 20,
            age_max: Duration::from_secs(30 * 24 * 3600),
        }
    }
}

pub(super) fn journal(text: &Text, raw: &RawJournal) -> Result<JournalLimits, ConfigError> {
    let mut limits = JournalLimits::default();
    if let Some(bytes) = integer(
        text,
        "journal.bytes_max",
        &raw.bytes_max,
        1 << 20..=BYTES_MAX,
    )? {
        limits.bytes_max = bytes as u64;
    }
    if let Some(count) = integer(
        text,
        "journal.crash_count_max",
        &raw.crash_count_max,
        1..=1_000_000,
    )? {
        limits.crash_count_max = count as u32;
    }
    Ok(limits)
}

pub(super) fn store(text: &Text, raw: &RawStore) -> Result<StoreLimits, ConfigError> {
    let mut limits = StoreLimits::default();
    if let Some(count) = integer(text, "store.count_max", &raw.count_max, 1..=100_000)? {
        limits.count_max = count as usize;
    }
    if let Some(bytes) = integer(text, "store.bytes_max", &raw.bytes_max, 1 << 20..=BYTES_MAX)? {
        limits.bytes_max = bytes as u64;
    }
    if let Some(hours) = integer(text, "store.age_h_max", &raw.age_h_max, 1..=87_600)? {
        limits.age_max = Duration::from_secs(hours as u64 * 3600);
    }
    Ok(limits)
}

pub(super) fn journal_dir(clips_dir: &Path) -> std::path::PathBuf {
    clips_dir.with_file_name(JOURNAL_DIR_NAME)
}
