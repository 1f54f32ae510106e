//! Runs a program, limited in time, and learns what it used.

use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use wait4::Wait4;

/// How often a child is looked at. What this costs is charged to the bench.
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// Longest time that any child may run.
const TIME_MAX: Duration = Duration::from_secs(90);

/// What a child said and used, its own children included.
#[derive(Clone, Debug)]
pub struct Usage {
    /// From before it was started to its end, in seconds.
    pub wall_s: f64,
    /// User and system time of all its threads, in seconds.
    pub cpu_s: f64,
    /// Largest resident set of any one process.
    pub peak_rss_bytes: u64,
    /// From before it was started to the first coded picture in an MP4 file of
    /// the watched folder, in seconds.
    pub first_picture_s: Option<f64>,
    /// Its standard output.
    pub stdout: String,
}

/// Runs it to its end.
///
/// The peak of the resident set never lies below the one of the bench itself,
/// which the kernel counts for the moment between fork and exec: nothing large
/// is done in this process.
///
/// # Errors
/// When it cannot be started, ends with an error or is still running after
/// [`TIME_MAX`].
pub fn run(command: &mut Command, watched: Option<&Path>) -> anyhow::Result<Usage> {
    let name = format!("{:?}", command.get_program());
    let (mut stdout, mut stderr) = (tempfile::tempfile()?, tempfile::tempfile()?);
    command
        .stdin(Stdio::null())
        .stdout(stdout.try_clone()?)
        .stderr(stderr.try_clone()?);
    let start = Instant::now();
    let mut child = command
        .spawn()
        .with_context(|| format!("{name} does not start"))?;
    let mut first_picture_s = None;
    while !has_ended(&child)? {
        if start.elapsed() > TIME_MAX {
            child.kill()?;
            child.wait()?;
            bail!("{name} still ran after {} s", TIME_MAX.as_secs());
        }
        if first_picture_s.is_none() && watched.is_some_and(has_picture) {
            first_picture_s = Some(start.elapsed().as_secs_f64());
        }
        thread::sleep(LOOK_EVERY);
    }
    let wall_s = start.elapsed().as_secs_f64();
    let used = child.wait4()?;
    ensure!(
        used.status.success(),
        "{name} ended with {}: {}",
        used.status,
        content(&mut stderr)?.trim()
    );
    Ok(Usage {
        wall_s,
        cpu_s: (used.rusage.utime + used.rusage.stime).as_secs_f64(),
        peak_rss_bytes: used.rusage.maxrss,
        first_picture_s,
        stdout: content(&mut stdout)?,
    })
}

/// Whether the child has ended; it is left for [`Wait4::wait4`] to reap.
fn has_ended(child: &Child) -> anyhow::Result<bool> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    Ok(waitid(WaitId::Pid(Pid::from_child(child)), options)?.is_some())
}

fn content(file: &mut File) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether any file of the folder holds the beginning of a coded picture,
/// whatever it is called while it is being written.
fn has_picture(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| File::open(entry.path()).ok())
        .any(|file| media_begins(file).unwrap_or(false))
}

/// Whether an MP4 file has bytes in its `mdat` box (ISO/IEC 14496-12, 4.2 and
/// 8.1.1): boxes before it may well be longer than what has been written.
fn media_begins(mut file: File) -> std::io::Result<bool> {
    const BOXES_MAX: usize = 8;
    let length = file.metadata()?.len();
    let mut at = 0;
    for _ in 0..BOXES_MAX {
        let mut head = [0; 16];
        if length < at + head.len() as u64 {
            return Ok(false);
        }
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut head)?;
        let [size, large_size] = [0, 8].map(|from| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&head[from..from + 8]);
            u64::from_be_bytes(bytes)
        });
        let is_large = size >> 32 == 1;
        if &head[4..8] == b"mdat" {
            return Ok(length > at + if is_large { 16 } else { 8 });
        }
        at += if is_large { large_size } else { size >> 32 }.max(8);
    }
    Ok(false)
}

/// Where a program lies in the search path, and where system services do.
pub fn find(name: &str) -> Option<std::path::PathBuf> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}
