//! An engine in a process of its own.
//!
//! A library that is loaded while the program runs may crash, hang or take all
//! memory, and nothing inside the same process can stop it. So the program starts
//! itself again, hidden from users, as an engine that is shown pictures over a
//! socket: whatever happens to it is an error of one picture, which the next engine
//! then looks at.

mod order;

mod serve;

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, ErrorKind, Read},
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::Path,
    process::{Child, ChildStderr, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

pub use self::{order::Order, serve::serve};
use super::protocol::{Details, Reply, read_reply, write_input};
use crate::{
    device::model::Model,
    scene::{Network, NetworkCard, NetworkError, NetworkInput, NetworkOutput, Profile},
};

/// The program itself, also after another was put in its place.
pub const THIS_PROGRAM: &str = "/proc/self/exe";
/// Time that an engine has for one picture. The first one of a size takes longest,
/// since the network is read then.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);
/// Time that it has at least for further ones of that size.
const ANSWER_TIME_MIN: Duration = Duration::from_secs(1);
/// It hangs if it takes longer and this many times as long as ever before.
const ANSWER_TIMES_MAX: u32 = 5;
/// Time that a process has to end which has hung up, a core dump included.
const END_TIME_MAX: Duration = Duration::from_secs(1);
/// Lines that are kept of what an engine says on standard error.
const WORDS_MAX: usize = 8;
/// Length of such a line, in bytes.
const WORD_BYTES_MAX: u64 = 4096;

/// Why an engine did not start.
#[derive(Debug)]
pub enum StartError {
    /// It has to be built first, which takes minutes.
    Unbuilt(String),
    /// It does not work here.
    Broken(String),
}

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Self::Unbuilt(reason) | Self::Broken(reason)) = self;
        f.write_str(reason)
    }
}

/// An engine that runs; it ends when this is dropped.
pub struct Worker {
    model: Arc<Model>,
    details: Details,
    line: Mutex<Line>,
}

struct Line {
    socket: UnixStream,
    child: Child,
    words: Option<JoinHandle<VecDeque<String>>>,
    /// Longest time for a picture of each size that was shown, the first one of it
    /// aside.
    longest: Vec<(Profile, Option<Duration>)>,
}

impl Worker {
    /// Starts an engine and waits until it works.
    ///
    /// # Errors
    /// [`StartError`] with what the engine said, or how its process ended.
    pub fn start(program: &Path, model: Arc<Model>, order: &Order) -> Result<Self, StartError> {
        let broken = |error: std::io::Error| StartError::Broken(format!("no process: {error}"));
        let (socket, theirs) = UnixStream::pair().map_err(broken)?;
        let mut child = Command::new(program)
            .args(order.args())
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            // Libraries print what they like.
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(broken)?;
        let words = child.stderr.take().and_then(|stderr| {
            let name = format!("{}-words", order.engine);
            let listen = thread::Builder::new().name(name);
            listen.spawn(move || last_words(stderr)).ok()
        });
        let mut line = Line {
            socket,
            child,
            words,
            longest: Vec::new(),
        };
        // No picture has been shown, so no answer with planes can come.
        let profile = model.profiles()[0];
        let reply = line.reply(profile, order.start_time_max());
        match reply.map_err(StartError::Broken)? {
            Reply::Ready(details) => Ok(Self {
                model,
                details,
                line: Mutex::new(line),
            }),
            Reply::Unbuilt(reason) => Err(StartError::Unbuilt(reason)),
            Reply::Failed(reason) => Err(StartError::Broken(one_line(&reason))),
            Reply::Output(_) => Err(StartError::Broken("answers unasked".to_owned())),
        }
    }

    /// What is known of it.
    pub fn details(&self) -> &Details {
        &self.details
    }

    /// The most memory that its process had at a time, in bytes, a GPU's own not
    /// counted.
    pub fn memory_bytes_max(&self) -> Option<u64> {
        let line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        let status = std::fs::read_to_string(format!("/proc/{}/status", line.child.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
        let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kib << 10)
    }
}

impl Network for Worker {
    fn card(&self) -> &NetworkCard {
        self.model.card()
    }

    fn profiles(&self) -> &[Profile] {
        self.model.profiles()
    }

    fn infer(&self, input: &NetworkInput) -> Result<NetworkOutput, NetworkError> {
        // After a panic the conversation may be half said, which its next message
        // shows.
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        match line.ask(input).map_err(NetworkError::Inference)? {
            Reply::Output(seen) => Ok(*seen),
            Reply::Failed(reason) => Err(NetworkError::Inference(one_line(&reason))),
            Reply::Ready(_) | Reply::Unbuilt(_) => {
                Err(NetworkError::Inference("no answer but a greeting".into()))
            }
        }
    }
}

impl Line {
    fn ask(&mut self, input: &NetworkInput) -> Result<Reply, String> {
        let mut known = self.longest.iter();
        let at = known.position(|(profile, _)| *profile == input.profile);
        let time_max = answer_time_max(at.and_then(|at| self.longest[at].1));
        let asked_at = Instant::now();
        let sent = (self.socket.set_write_timeout(Some(time_max)))
            .and_then(|()| write_input(&mut self.socket, input));
        if let Err(error) = sent {
            return Err(self.failed(&error, time_max));
        }
        let reply = self.reply(input.profile, time_max)?;
        match at {
            Some(at) => self.longest[at].1 = self.longest[at].1.max(Some(asked_at.elapsed())),
            None => self.longest.push((input.profile, None)),
        }
        Ok(reply)
    }

    fn reply(&mut self, profile: Profile, time_max: Duration) -> Result<Reply, String> {
        let read = (self.socket.set_read_timeout(Some(time_max)))
            .and_then(|()| read_reply(&mut self.socket, profile));
        read.map_err(|error| self.failed(&error, time_max))
    }

    /// Why it was in vain to wait that long.
    fn failed(&mut self, error: &std::io::Error, time_max: Duration) -> String {
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                self.end();
                format!("no answer within {:.1} s", time_max.as_secs_f32())
            }
            _ => self.ended(error),
        }
    }

    /// How the process ended, and its last words.
    fn ended(&mut self, error: &std::io::Error) -> String {
        let told = match error.kind() {
            ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => {
                match self.status() {
                    Some(status) => format!("its process ended: {status}"),
                    None => "it hung up".to_owned(),
                }
            }
            _ => error.to_string(),
        };
        self.end();
        match self.last_words() {
            Some(last) => format!("{told}, {last}"),
            None => told,
        }
    }

    /// How a process that has closed its end of the socket ended.
    fn status(&mut self) -> Option<ExitStatus> {
        let child = &mut self.child;
        polled(|| child.try_wait().ok().flatten())
    }

    /// What an ended process said last. A process of its own that it has left
    /// behind may keep the other end open.
    fn last_words(&mut self) -> Option<String> {
        let words = self.words.take()?;
        polled(|| words.is_finished().then_some(()))?;
        words.join().ok()?.pop_back()
    }

    fn end(&mut self) {
        // One that has ended already cannot be killed, but waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.end();
    }
}

/// Time for a picture of a size for which the longest time so far was this.
fn answer_time_max(longest: Option<Duration>) -> Duration {
    longest.map_or(ANSWER_TIME_MAX, |longest| {
        (longest * ANSWER_TIMES_MAX).clamp(ANSWER_TIME_MIN, ANSWER_TIME_MAX)
    })
}

/// Asks until there is an answer, at most for [`END_TIME_MAX`].
fn polled<T>(mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + END_TIME_MAX;
    loop {
        match ask() {
            None if Instant::now() < deadline => thread::sleep(Duration::from_millis(2)),
            answer => return answer,
        }
    }
}

/// Reads what an engine says on standard error to its end; the last lines.
fn last_words(stderr: ChildStderr) -> VecDeque<String> {
    let mut words = VecDeque::new();
    let mut stderr = BufReader::new(stderr);
    loop {
        let mut line = Vec::new();
        // What is longer goes on as the next line.
        let read = (&mut stderr)
            .take(WORD_BYTES_MAX)
            .read_until(b'\n', &mut line);
        if !read.is_ok_and(|bytes| bytes > 0) {
            return words;
        }
        let line = one_line(&String::from_utf8_lossy(&line));
        log::debug!("engine: {line}");
        if !line.is_empty() {
            words.push_back(line);
        }
        if words.len() > WORDS_MAX {
            words.pop_front();
        }
    }
}

/// What libraries say, in one line.
fn one_line(said: &str) -> String {
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::Engine;

    #[test]
    fn what_ends_without_a_word_or_is_not_there_is_told() {
        let model = Arc::new(Model::built_in().unwrap());
        let order = Order {
            engine: Engine::Tract,
            library: None,
            model: None,
            cache_dir: None,
            threads: None,
            build: false,
        };
        let start = |program: &str| {
            let started = Worker::start(Path::new(program), Arc::clone(&model), &order);
            started.err().unwrap().to_string()
        };
        assert!(start("/bin/false").contains("its process ended: exit status: 1"));
        assert!(start("/nowhere").contains("no process"));
        let said = start("/bin/cat");
        assert!(said.contains("ended: exit status: 1, "), "{said}");
    }

    #[test]
    fn who_has_answered_soon_hangs_sooner() {
        let ms = Duration::from_millis;
        assert_eq!(answer_time_max(None), ms(30_000));
        assert_eq!(answer_time_max(Some(ms(17))), ms(1000));
        assert_eq!(answer_time_max(Some(ms(400))), ms(2000));
        assert_eq!(answer_time_max(Some(ms(20_000))), ms(30_000));
    }
}
