//! The daemon as a process, with its folder, and what the kernel says of it.

use std::{
    fs,
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use zoetrope::device::display::sha256_of;

use crate::{
    mqtt::bench::{DEVICE, PATIENCE},
    support::Folder,
};

/// A daemon that is made to die: at the nth call of one of these system calls
/// by one of its threads.
#[derive(Clone, Copy, Debug)]
pub struct Ambush {
    pub calls: &'static str,
    pub nth: u64,
}

/// The program.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_zoetrope");

pub struct Service(Child);

impl Service {
    /// Makes the configuration of every service in this folder: tiny clips at
    /// a broker on this port.
    pub fn configure(folder: &Folder, port: u16) {
        let text = format!(
            "device_id = \"{DEVICE}\"\nclips_dir = \"clips\"\nqueue_length_max = 100\nthreads = 1\n\
             [broker]\nurl = \"mqtt://127.0.0.1:{port}\"\n\
             [journal]\ncrash_count_max = 1000000\n\
             [store]\ncount_max = 4\n\
             [shape]\nsize = \"64x64\"\nduration_ms = 500\nframe_rate = 5\n"
        );
        folder.file("zoetrope.toml", text);
    }

    /// Starts the daemon, under strace where it is to die.
    pub fn start(folder: &Folder, ambush: Option<Ambush>) -> Self {
        let mut command = match ambush {
            None => Command::new(PROGRAM),
            Some(Ambush { calls, nth }) => {
                let mut command = Command::new("strace");
                command
                    // The daemon is our child then, not strace's.
                    .args(["-D", "-f", "--seccomp-bpf", "-qq", "-o"])
                    .arg(folder.path("strace.log"))
                    .args(["-e", &format!("trace={calls}")])
                    .args(["-e", &format!("inject={calls}:signal=KILL:when={nth}")])
                    .args(["--", PROGRAM]);
                command
            }
        };
        Self::spawn(folder, &mut command)
    }

    /// Starts a command that becomes the daemon, whose arguments are added.
    pub fn spawn(folder: &Folder, command: &mut Command) -> Self {
        let daemon = command
            .args(["run", "--config"])
            .arg(folder.path("zoetrope.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(daemon.expect("the program starts"))
    }

    pub fn has_ended(&mut self) -> bool {
        self.0.try_wait().expect("our own child").is_some()
    }

    /// Ends it without a word.
    pub fn kill(&mut self) {
        self.0.kill().expect("our own child");
        self.0.wait().expect("our own child");
    }

    /// Ends it as systemd does.
    pub async fn stop(&mut self) {
        kill_process(Pid::from_child(&self.0), Signal::TERM).expect("our own child");
        let ended = async {
            while !self.has_ended() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let ended = tokio::time::timeout(PATIENCE, ended).await;
        ended.expect("it does not end");
    }

    /// What it takes at this moment.
    pub fn usage(&self) -> Usage {
        let read = |name: &str| {
            let path = format!("/proc/{}/{name}", self.0.id());
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
        };
        let count = |name: &str| {
            let path = format!("/proc/{}/{name}", self.0.id());
            fs::read_dir(path).unwrap().count()
        };
        let field = |text: &str, name: &str| -> u64 {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        let stat = read("stat");
        let (_, after_name) = stat.rsplit_once(") ").unwrap();
        let ticks: u64 = (after_name.split(' ').skip(11).take(2))
            .map(|ticks| ticks.parse::<u64>().unwrap())
            .sum();
        Usage {
            rss_kib: field(&read("status"), "VmRSS:"),
            rss_peak_kib: field(&read("status"), "VmHWM:"),
            fd_count: count("fd"),
            thread_count: count("task"),
            // Of a hundredth of a second, on every Linux there is.
            cpu_ms: ticks * 10,
            written_bytes: field(&read("io"), "write_bytes:"),
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a process takes.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    pub rss_kib: u64,
    pub rss_peak_kib: u64,
    pub fd_count: usize,
    pub thread_count: usize,
    pub cpu_ms: u64,
    pub written_bytes: u64,
}

/// Names of clips that are not what their name says.
pub fn torn_clips(folder: &Folder) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder.path("clips")) else {
        return Vec::new();
    };
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter(|name| {
            let bytes = |sha256: &str| {
                let bytes = fs::read(folder.path("clips").join(name)).unwrap();
                sha256_of(&bytes) != sha256
            };
            name.strip_suffix(".mp4").is_some_and(bytes)
        })
        .collect()
}
