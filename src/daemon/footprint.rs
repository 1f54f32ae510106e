//! What the system says about this process, without asking for more than a few
//! lines of `/proc`.

use std::{fs, path::Path};

/// Figures of this process and of the disk that it writes to; `None` where the
/// system does not say.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Footprint {
    /// Memory in use, in bytes.
    pub(super) rss_bytes: Option<u64>,
    /// Open file descriptors.
    pub(super) fds: Option<u32>,
    /// Threads.
    pub(super) threads: Option<u32>,
    /// Room for this process where the clips are, in bytes.
    pub(super) disk_free_bytes: Option<u64>,
}

impl Footprint {
    /// As they are now.
    pub(super) fn sample(clips_dir: &Path) -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        Self {
            rss_bytes: number_in(&status, "VmRSS:").map(|kibibytes| kibibytes * 1024),
            // Less the one by which they are counted.
            fds: (fs::read_dir("/proc/self/fd").ok()).map(|open| open.count() as u32 - 1),
            threads: number_in(&status, "Threads:").and_then(|count| count.try_into().ok()),
            disk_free_bytes: (rustix::fs::statvfs(clips_dir).ok())
                .map(|disk| disk.f_bavail * disk.f_frsize),
        }
    }
}

/// The first number of the line that begins with `name`.
fn number_in(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_very_process_has_a_footprint() {
        let footprint = Footprint::sample(Path::new("/"));
        assert!(footprint.rss_bytes.unwrap() > 100_000);
        assert!(footprint.fds.unwrap() >= 3);
        assert!(footprint.threads.unwrap() >= 1);
        assert!(footprint.disk_free_bytes.is_some());
        assert_eq!(
            Footprint::sample(Path::new("/nowhere")).disk_free_bytes,
            None
        );
    }

    #[test]
    fn a_line_that_is_missing_or_strange_is_no_number() {
        assert_eq!(number_in("VmRSS:\t  12 kB\n", "VmRSS:"), Some(12));
        assert_eq!(number_in("VmRSS:\t  lots\n", "VmRSS:"), None);
        assert_eq!(number_in("", "Threads:"), None);
    }
}
