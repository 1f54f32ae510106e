//! A program that prints photographs.
//!
//! It is ended with everything it started: a camera tool that hangs must not fill
//! a board with processes that still hold the camera.

use std::{
    collections::VecDeque,
    io::{self, Read},
    os::unix::process::CommandExt,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use super::read_at_most;
use crate::{
    burst::{Burst, jpegs},
    config::Watch,
    still::{Capture, Origin, StillError, StillSource},
};

/// A command that prints one photograph to standard output, or several JPEGs one
/// after another, of which the last whole one is the photograph; no shell.
#[derive(Clone, Debug)]
pub struct CommandSource {
    argv: Vec<String>,
    timeout: Duration,
    bytes_max: usize,
    watch: Option<Watch>,
}

impl CommandSource {
    /// Runs `argv` at every capture, for at most `timeout`, and accepts
    /// photographs of at most `bytes_max` bytes.
    pub fn new(argv: Vec<String>, timeout: Duration, bytes_max: usize) -> Self {
        Self {
            argv,
            timeout,
            bytes_max,
            watch: None,
        }
    }

    /// Takes what is printed before the photograph as the burst that was wished;
    /// the command has as much longer.
    pub fn watching(self, watch: Option<Watch>) -> Self {
        Self { watch, ..self }
    }

    fn time(&self) -> Duration {
        self.timeout + self.watch.map_or(Duration::ZERO, |wish| wish.duration)
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
        let output = read_aside("command-stdout", move || read_output(stdout, bytes_max));
        let complaint = read_aside("command-stderr", move || read_tail(stderr));
        let timed_out = || {
            let limit_s = self.time().as_secs_f32();
            self.failed(format_args!("did not finish within {limit_s} s"))
        };
        let broken = |error: io::Error| self.failed(format_args!("output cannot be read: {error}"));

        let output = output.map_err(broken)?;
        let output = output
            .recv_timeout(left(deadline))
            .map_err(|_| timed_out())?;
        let output = output.map_err(broken)?;
        let allowed = allowed_bytes(&output, bytes_max);
        if output.len() > allowed {
            return Err(self.printed_too_much(allowed));
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
                    output,
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

    fn printed_too_much(&self, allowed: usize) -> StillError {
        self.failed(format_args!(
            "printed more than the allowed {allowed} bytes"
        ))
    }

    /// The photograph in what was printed, and the burst before it.
    fn sorted(&self, output: Vec<u8>) -> Result<Capture, StillError> {
        let whole = jpegs(&output).map_while(Result::ok);
        // A command may print for longer than it is asked to.
        let frames_max = self.watch.map_or(0, |wish| {
            let steps = wish.duration.as_secs_f64() * f64::from(wish.frame_rate);
            steps.round() as usize + 1
        });
        let mut latest = VecDeque::new();
        let mut count = 0;
        for jpeg in whole {
            count += 1;
            latest.push_back(jpeg);
            if latest.len() > frames_max + 1 {
                latest.pop_front();
            }
        }
        let still = latest.pop_back().filter(|_| count > 1);
        if still.map_or(output.len(), <[u8]>::len) > self.bytes_max {
            return Err(self.printed_too_much(self.bytes_max));
        }
        Ok(match (still, self.watch) {
            (Some(still), Some(wish)) => {
                let frames = latest.into_iter().map(<[u8]>::to_vec).collect();
                let burst = Burst::at_rate(frames, wish.frame_rate as f32);
                Capture::watched(still.to_vec(), burst.map_err(|error| error.to_string()))
            }
            (Some(still), None) => Capture::alone(still.to_vec()),
            (None, Some(_)) => {
                let fault = "the command prints one picture alone".to_owned();
                Capture::watched(output, Err(fault))
            }
            (None, None) => Capture::alone(output),
        })
    }
}

impl StillSource for CommandSource {
    fn capture(&mut self) -> Result<Capture, StillError> {
        let deadline = Instant::now() + self.time();
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
        if ended.output.is_empty() {
            return Err(self.failed(format_args!("printed no photograph{}", ended.complaint)));
        }
        self.sorted(ended.output)
    }

    fn origin(&self) -> Origin {
        Origin::Command
    }
}

/// A command that came to its end by itself.
struct Ended {
    status: ExitStatus,
    output: Vec<u8>,
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

/// What a command may print whose output begins like this, in bytes: JPEGs may
/// be several.
fn allowed_bytes(output: &[u8], bytes_max: usize) -> usize {
    const PHOTOS_MAX: usize = 4;
    let is_jpeg = output.starts_with(&[0xff, 0xd8]);
    bytes_max.saturating_mul(if is_jpeg { PHOTOS_MAX } else { 1 })
}

/// What a command prints, but no more than one byte beyond what it may.
fn read_output(mut source: impl Read, bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut output = read_at_most(&mut source, bytes_max)?;
    let more = allowed_bytes(&output, bytes_max).saturating_sub(bytes_max);
    if output.len() > bytes_max {
        source.take(more as u64).read_to_end(&mut output)?;
    }
    Ok(output)
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
mod tests;
