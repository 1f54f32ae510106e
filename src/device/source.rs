//! Photographs from wherever the configuration says: a camera, a file, a
//! command.
//!
//! File and command read no more than they are allowed to, and a command is
//! ended with everything it started: a camera tool that hangs must not fill a
//! board with processes that still hold the camera.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use super::camera::CameraSource;
use crate::{
    config::Camera,
    still::{Capture, Limits, Origin, StillError, StillSource},
};

/// The source that the configuration names, whose photographs are within
/// `limits`; `None` if it names none.
pub fn configured(camera: &Camera, limits: &Limits) -> Option<Box<dyn StillSource>> {
    let bytes_max = limits.bytes_max;
    match camera {
        Camera::None => None,
        Camera::Device(camera) => Some(Box::new(CameraSource::new(camera.clone(), *limits))),
        Camera::File(path) => Some(Box::new(FileSource::new(path, bytes_max))),
        Camera::Command { argv, timeout, .. } => {
            let source = CommandSource::new(argv.clone(), *timeout, bytes_max);
            Some(Box::new(source))
        }
    }
}

/// A file, read anew at every capture.
#[derive(Clone, Debug)]
pub struct FileSource {
    path: PathBuf,
    bytes_max: usize,
}

impl FileSource {
    /// Reads `path`, of which at most `bytes_max` bytes are accepted.
    pub fn new(path: impl Into<PathBuf>, bytes_max: usize) -> Self {
        Self {
            path: path.into(),
            bytes_max,
        }
    }

    /// Everything that is in the file.
    ///
    /// # Errors
    /// [`StillError::Source`] when it cannot be read, [`StillError::Bytes`] when
    /// it is too large.
    pub fn read(&self) -> Result<Vec<u8>, StillError> {
        let failed = |reason: &dyn std::fmt::Display| {
            StillError::Source(format!("photograph {}: {reason}", self.path.display()))
        };
        // Looked at before it is opened: opening a pipe waits for its writer.
        let about = self.path.metadata().map_err(|error| failed(&error))?;
        if about.is_dir() {
            return Err(failed(&"is a folder, expected a file"));
        }
        if !about.is_file() {
            return Err(failed(&"is a device or pipe, expected a file"));
        }
        let file = File::open(&self.path).map_err(|error| failed(&error))?;
        let announced = usize::try_from(about.len()).unwrap_or(usize::MAX);
        if announced > self.bytes_max {
            return Err(StillError::Bytes {
                bytes: announced,
                bytes_max: self.bytes_max,
            });
        }
        // The file may grow while it is read, so the limit holds here as well.
        let bytes = read_at_most(file, self.bytes_max).map_err(|error| failed(&error))?;
        if bytes.len() > self.bytes_max {
            return Err(StillError::Bytes {
                bytes: bytes.len(),
                bytes_max: self.bytes_max,
            });
        }
        Ok(bytes)
    }
}

impl StillSource for FileSource {
    fn capture(&mut self) -> Result<Capture, StillError> {
        self.read().map(Capture::alone)
    }

    fn origin(&self) -> Origin {
        Origin::File
    }
}

/// A command that prints one photograph to standard output; no shell.
#[derive(Clone, Debug)]
pub struct CommandSource {
    argv: Vec<String>,
    timeout: Duration,
    bytes_max: usize,
}

impl CommandSource {
    /// Runs `argv` at every capture, for at most `timeout`, and accepts at
    /// most `bytes_max` bytes of output.
    pub fn new(argv: Vec<String>, timeout: Duration, bytes_max: usize) -> Self {
        Self {
            argv,
            timeout,
            bytes_max,
        }
    }

    fn failed(&self, reason: impl std::fmt::Display) -> StillError {
        let program = self.argv.first().map_or("", String::as_str);
        StillError::Source(format!("command {program}: {reason}"))
    }

    fn start(&self) -> Result<Child, StillError> {
        let (program, arguments) = self
            .argv
            .split_first()
            .ok_or_else(|| self.failed("has no program"))?;
        Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own, so that it can be ended with its children.
            .process_group(0)
            .spawn()
            .map_err(|error| self.failed(format_args!("cannot be started: {error}")))
    }

    /// Waits for the output and for the end, both before `deadline`.
    fn attend(&self, child: &mut Child, deadline: Instant) -> Result<Ended, StillError> {
        let stdout = child.stdout.take().expect("standard output is piped");
        let stderr = child.stderr.take().expect("standard error is piped");
        let bytes_max = self.bytes_max;
        let photo = read_aside("command-stdout", move || read_at_most(stdout, bytes_max));
        let complaint = read_aside("command-stderr", move || read_tail(stderr));
        let timed_out = || {
            let limit_s = self.timeout.as_secs_f32();
            self.failed(format_args!("did not finish within {limit_s} s"))
        };
        let broken = |error: io::Error| self.failed(format_args!("output cannot be read: {error}"));

        let photo = photo.map_err(broken)?;
        let photo = photo
            .recv_timeout(left(deadline))
            .map_err(|_| timed_out())?;
        let photo = photo.map_err(broken)?;
        if photo.len() > bytes_max {
            return Err(self.failed(format_args!(
                "printed more than the allowed {bytes_max} bytes"
            )));
        }
        let complaint = complaint.map_err(broken)?;
        let complaint = complaint
            .recv_timeout(left(deadline))
            .map_err(|_| timed_out())?;
        loop {
            let status = child
                .try_wait()
                .map_err(|error| self.failed(format_args!("cannot be waited for: {error}")))?;
            if let Some(status) = status {
                return Ok(Ended {
                    status,
                    photo,
                    complaint: printable(&complaint.unwrap_or_default()),
                });
            }
            if left(deadline).is_zero() {
                return Err(timed_out());
            }
            // Both pipes are closed, so the end is a matter of moments.
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl StillSource for CommandSource {
    fn capture(&mut self) -> Result<Capture, StillError> {
        let deadline = Instant::now() + self.timeout;
        let mut child = self.start()?;
        let ended = self
            .attend(&mut child, deadline)
            .inspect_err(|_| end(&mut child))?;
        if !ended.status.success() {
            return Err(self.failed(format_args!(
                "ended with {}{}",
                ended.status, ended.complaint
            )));
        }
        if ended.photo.is_empty() {
            return Err(self.failed(format_args!("printed no photograph{}", ended.complaint)));
        }
        Ok(Capture::alone(ended.photo))
    }

    fn origin(&self) -> Origin {
        Origin::Command
    }
}

/// A command that came to its end by itself.
struct Ended {
    status: ExitStatus,
    photo: Vec<u8>,
    /// The end of standard error, ready to stand at the end of a message.
    complaint: String,
}

/// Ends the command with its whole group and takes its exit status, so that
/// no zombie stays. It has not been waited for, so the group is still its own.
fn end(child: &mut Child) {
    let group = rustix::process::Pid::from_child(child);
    let killed = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    if let Err(error) = killed {
        log::warn!("command group {}: {error}", group.as_raw_nonzero());
    }
    if let Err(error) = child.wait() {
        log::warn!("command {}: {error}", child.id());
    }
}

fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// Runs `read` on a thread of its own and hands out its result.
fn read_aside<T: Send + 'static>(
    name: &str,
    read: impl FnOnce() -> T + Send + 'static,
) -> io::Result<mpsc::Receiver<T>> {
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            // Nobody listens any more when the time is up.
            let _ = sender.send(read());
        })?;
    Ok(receiver)
}

/// Everything, but no more than one byte beyond `bytes_max`: enough to know
/// that it is too much.
fn read_at_most(source: impl Read, bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source
        .take(bytes_max as u64 + 1)
        .read_to_end(&mut bytes)
        .map(|_| bytes)
}

/// Reads to the end and keeps the last [`COMPLAINT_BYTES_MAX`] bytes.
fn read_tail(mut source: impl Read) -> io::Result<Vec<u8>> {
    let mut tail = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let count = match source.read(&mut piece) {
            Ok(0) => return Ok(tail),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        tail.extend_from_slice(&piece[..count]);
        tail.drain(..tail.len().saturating_sub(COMPLAINT_BYTES_MAX));
    }
}

/// Most that is quoted of what a command complained about.
const COMPLAINT_BYTES_MAX: usize = 400;

/// `: text` on one line without control characters; empty for silence. The
/// text ends up in logs and in answers to whoever asked.
fn printable(complaint: &[u8]) -> String {
    let text = String::from_utf8_lossy(complaint);
    let lines: Vec<String> = text
        .lines()
        .map(|line| {
            line.replace(|c: char| c.is_control(), " ")
                .trim()
                .to_owned()
        })
        .filter(|line| !line.is_empty())
        .collect();
    if lines.is_empty() {
        String::new()
    } else {
        format!(": {}", lines.join(" / "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, timeout_ms: u64) -> CommandSource {
        let argv = ["sh", "-c", script].map(str::to_owned).to_vec();
        CommandSource::new(argv, Duration::from_millis(timeout_ms), 1000)
    }

    fn complaint_of(mut source: impl StillSource) -> String {
        source.capture().expect_err("must fail").to_string()
    }

    #[test]
    fn what_a_command_prints_is_the_photograph() {
        let mut source = shell("echo noise >&2; printf photo", 5_000);
        let capture = source.capture().expect("a photograph");
        assert_eq!(capture, Capture::alone(b"photo".to_vec()));
    }

    #[test]
    fn a_failing_command_is_quoted_without_control_characters() {
        let said = complaint_of(shell("printf 'no \\033camera\\nat all' >&2; exit 3", 5_000));
        assert_eq!(
            said,
            "command sh: ended with exit status: 3: no  camera / at all"
        );
        let said = complaint_of(shell(
            "head -c 5000 /dev/zero | tr '\\0' x >&2; exit 1",
            5_000,
        ));
        assert!(said.len() < 500, "{} characters", said.len());
    }

    #[test]
    fn silence_and_excess_are_named() {
        assert_eq!(
            complaint_of(shell("true", 5_000)),
            "command sh: printed no photograph"
        );
        assert_eq!(
            complaint_of(shell("head -c 1001 /dev/zero", 5_000)),
            "command sh: printed more than the allowed 1000 bytes"
        );
        assert_eq!(
            complaint_of(shell("cat /dev/zero", 5_000)),
            "command sh: printed more than the allowed 1000 bytes"
        );
    }

    #[test]
    fn a_command_that_hangs_is_ended_with_its_children() {
        let marker = tempfile::tempdir().expect("a folder");
        let file = marker.path().join("alive");
        let script = format!("(sleep 1.0; touch {}) & sleep 60", file.display());
        let before = Instant::now();
        let said = complaint_of(shell(&script, 200));
        assert_eq!(said, "command sh: did not finish within 0.2 s");
        assert!(
            before.elapsed() < Duration::from_secs(10),
            "{:?}",
            before.elapsed()
        );
        thread::sleep(Duration::from_millis(1_300));
        assert!(!file.exists(), "a grandchild outlived its command");
    }

    #[test]
    fn a_child_that_keeps_the_output_open_does_not_hold_us() {
        let said = complaint_of(shell("sleep 60 & printf photo", 200));
        assert_eq!(said, "command sh: did not finish within 0.2 s");
    }

    #[test]
    fn a_missing_program_is_named() {
        let argv = vec!["/no/such/camera".to_owned()];
        let said = complaint_of(CommandSource::new(argv, Duration::from_secs(1), 10));
        assert!(
            said.starts_with("command /no/such/camera: cannot be started"),
            "{said}"
        );
    }

    #[test]
    fn files_are_read_within_the_limit() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("photo.jpg");
        std::fs::write(&path, [7; 100]).expect("a file");
        assert_eq!(FileSource::new(&path, 100).read().expect("fits"), [7; 100]);
        let said = complaint_of(FileSource::new(&path, 99));
        assert_eq!(said, "photograph has 100 bytes, allowed are at most 99");
        let said = complaint_of(FileSource::new(folder.path(), 99));
        assert!(said.ends_with("is a folder, expected a file"), "{said}");
        let said = complaint_of(FileSource::new("/dev/zero", 99));
        assert!(
            said.ends_with("is a device or pipe, expected a file"),
            "{said}"
        );
        let said = complaint_of(FileSource::new(folder.path().join("none"), 99));
        assert!(said.contains("No such file"), "{said}");
    }
}
