//! Who else has a device open.

use std::{
    fs,
    path::{Path, PathBuf},
    process,
};

/// Programs that are named.
const NAMED_MAX: usize = 4;

/// One sentence about who has `node` open, for whoever has to end it.
pub(super) fn said(node: &Path) -> String {
    let shown = node.display();
    let holders = holders(node);
    if holders.is_empty() {
        return format!(
            "another program uses it, which cannot be seen from here; \
             `fuser -v {shown}` as root says which"
        );
    }
    format!("it is open in {}", holders.join(", "))
}

/// Name and number of the processes that have `node` open, as far as this
/// process may see them.
fn holders(node: &Path) -> Vec<String> {
    let target = fs::canonicalize(node).unwrap_or_else(|_| node.to_owned());
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    processes
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|&pid| pid != process::id() && has_open(pid, &target))
        .take(NAMED_MAX)
        .map(|pid| {
            let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            format!("{} (process {pid})", name.trim_end())
        })
        .collect()
}

fn has_open(pid: u32, target: &PathBuf) -> bool {
    // Other users' processes are closed to us, and some end meanwhile.
    let Ok(open) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return false;
    };
    open.flatten()
        .any(|entry| fs::read_link(entry.path()).is_ok_and(|path| path == *target))
}

#[cfg(test)]
mod tests {
    use std::{
        io::Read,
        process::{Command, Stdio},
    };

    use super::*;

    #[test]
    fn the_program_that_has_it_open_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let node = folder.path().join("video0");
        fs::write(&node, "!").unwrap();
        let link = folder.path().join("by-id");
        std::os::unix::fs::symlink(&node, &link).unwrap();
        assert!(said(&link).contains("cannot be seen from here"));
        let mut holder = Command::new("tail")
            .arg("-f")
            .stdin(Stdio::from(fs::File::open(&node).unwrap()))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // It has its own name only once it runs.
        let mut shown = [0];
        let shows = holder.stdout.as_mut().unwrap().read_exact(&mut shown);
        let said = said(&link);
        holder.kill().unwrap();
        holder.wait().unwrap();
        shows.unwrap();
        assert_eq!(
            said,
            format!("it is open in tail (process {})", holder.id())
        );
    }
}
