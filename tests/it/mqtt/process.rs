//! The daemon as systemd runs it: a process, and its signals.

use std::{
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::bench::{DEVICE, Display, PATIENCE, loopback};
use crate::{
    photos,
    support::{Folder, program},
};

/// A running `zoetrope run`; ended when dropped.
pub struct Process(Child);

impl Process {
    pub fn run(config: &Path) -> Self {
        Self::run_with(config, |command| command)
    }

    /// Runs it with another environment, or with standard error kept.
    pub fn run_with(config: &Path, change: impl FnOnce(&mut Command) -> &mut Command) -> Self {
        let mut command = Command::new(program());
        command
            .args([Path::new("run"), Path::new("--config"), config])
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let daemon = change(&mut command).spawn();
        Self(daemon.expect("the program starts"))
    }

    pub fn signal(&self, signal: Signal) {
        let id = Pid::from_child(&self.0);
        kill_process(id, signal).expect("it is our own child");
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    pub fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.0.try_wait().expect("our own child") {
                return status;
            }
            assert!(Instant::now() < deadline, "still running");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn signals_reload_the_configuration_and_end_the_daemon() {
    let broker = loopback().await;
    let port = broker.address().port();
    let folder = Folder::new();
    let write_config = |queue: &str, size: &str| {
        let text = format!(
            "device_id = \"{DEVICE}\"\nclips_dir = \"clips\"\nqueue_length_max = {queue}\n\
             [broker]\nurl = \"mqtt://127.0.0.1:{port}\"\n\
             [shape]\nsize = \"{size}\"\nduration_ms = 500\nframe_rate = 10\n"
        );
        folder.file("zoetrope.toml", text)
    };
    let mut display = Display::connect(port, "display").await;
    let mut daemon = Process::run(&write_config("2", "96x64"));
    display.state("ready").await;
    let photo = photos::jpeg(96, 64);
    display.send_photo(&photo, &[]).await;
    assert_eq!(display.json("/clip/info").await["width"], 96);

    // A wrong configuration changes nothing, a right one is taken over.
    write_config("-1", "128x64");
    daemon.signal(Signal::HUP);
    display.send_photo(&photo, &[("seed", "2")]).await;
    assert_eq!(display.json("/clip/info").await["width"], 96);
    write_config("3", "64x64");
    daemon.signal(Signal::HUP);
    let taken_over = |message: &mqtt5::types::Message| {
        let info: serde_json::Value =
            serde_json::from_slice(&message.payload).expect("info is JSON");
        info["limits"]["queue_length_max"] == 3
    };
    display.next("/info", taken_over).await;
    display.send_photo(&photo, &[]).await;
    assert_eq!(display.json("/clip/info").await["width"], 64);

    daemon.signal(Signal::TERM);
    display.state("stopping").await;
    display
        .next("/availability", |message| message.payload == b"offline")
        .await;
    assert_eq!(daemon.ended().code(), Some(0));
    assert_eq!(folder.names(), ["clips", "journal", "zoetrope.toml"]);
}
