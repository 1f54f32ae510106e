//! The daemon and the service manager that has started it.

use std::{
    fs::{self, File},
    os::unix::{fs::MetadataExt, net::UnixDatagram},
    time::Duration,
};

use rustix::process::Signal;

use super::{
    bench::{DEVICE, Display, PATIENCE, loopback},
    process::Process,
};
use crate::{photos, support::Folder};

/// What a service manager hears.
struct Manager(UnixDatagram);

impl Manager {
    /// Waits for a message with this line.
    fn hears(&self, line: &str) -> String {
        let mut bytes = [0; 4096];
        loop {
            let length = self.0.recv(&mut bytes);
            let length = length.unwrap_or_else(|error| panic!("{line}: {error}"));
            let said = String::from_utf8_lossy(&bytes[..length]).into_owned();
            if said.lines().any(|said| said == line) {
                return said;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_manager_and_the_journal_are_told() {
    let broker = loopback().await;
    let port = broker.address().port();
    let folder = Folder::new();
    folder.file("camera.jpg", photos::jpeg(96, 64));
    let config = folder.file(
        "zoetrope.toml",
        format!(
            "device_id = \"{DEVICE}\"\nclips_dir = \"clips\"\n\
             [broker]\nurl = \"mqtt://127.0.0.1:{port}\"\n[camera]\nfile = \"camera.jpg\"\n\
             [shape]\nsize = \"96x64\"\nduration_ms = 500\nframe_rate = 10\n"
        ),
    );
    let socket = folder.path("notify");
    let manager = Manager(UnixDatagram::bind(&socket).expect("a socket"));
    manager
        .0
        .set_read_timeout(Some(PATIENCE))
        .expect("a patience");
    let journal = folder.path("log");
    let file = File::create(&journal).expect("a file");
    let about = file.metadata().expect("our own file");
    let stream = format!("{}:{}", about.dev(), about.ino());
    let mut display = Display::connect(port, "display").await;
    let mut daemon = Process::run_with(&config, |command| {
        command
            .env("NOTIFY_SOCKET", &socket)
            .env("WATCHDOG_USEC", "300000")
            .env("JOURNAL_STREAM", stream)
            .stderr(file)
    });
    let ready = manager.hears("READY=1");
    assert!(
        ready.contains("STATUS=serves zoetrope/hall/request/"),
        "{ready}"
    );
    manager.hears("WATCHDOG=1");
    display.state("ready").await;

    daemon.signal(Signal::USR1);
    let answer = display.json("/response/render").await;
    assert_eq!(answer["status"], "ok", "{answer}");
    assert_eq!(answer["transaction"], "signal");
    let job_id = answer["data"]["job_id"].as_str().expect("an id").to_owned();

    // What somebody sends ends up in the log, as one line.
    let forged = r#"{"source":"x\n<0>forged\u001b[2J"}"#;
    display.send_json(forged).await;
    display.json("/response/render").await;

    daemon.signal(Signal::HUP);
    let reloading = manager.hears("RELOADING=1");
    assert!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
    manager.hears("READY=1");
    daemon.signal(Signal::TERM);
    manager.hears("STOPPING=1");
    assert_eq!(daemon.ended().code(), Some(0));

    let log = fs::read_to_string(&journal).expect("UTF-8");
    for line in log.lines() {
        let priority = line.get(..3).unwrap_or_default();
        assert!(["<3>", "<4>", "<6>"].contains(&priority), "{line}");
        assert!(!line.contains(char::is_control), "{line:?}");
    }
    for line in [
        format!("<6>job {job_id} accepted"),
        format!("<6>job {job_id} is rendered"),
        format!("<6>job {job_id} is published"),
        "<4>request refused: ".to_owned(),
        "<6>stopped after 1 clips and 0 jobs that failed".to_owned(),
    ] {
        let is_there = log.lines().any(|said| said.starts_with(&line));
        assert!(is_there, "{line}\n{log}");
    }
}

/// A clip that is waited for by nobody but a timer.
#[tokio::test(flavor = "multi_thread")]
async fn a_timer_asks_for_clips_one_after_another() {
    let broker = loopback().await;
    let port = broker.address().port();
    let board = super::bench::board_with(super::bench::at(port), |folder, config| {
        let photo = folder.join("camera.jpg");
        fs::write(&photo, b"photo").expect("a file");
        config.camera = zoetrope::config::Camera::File(photo);
        config.trigger.every = Some(Duration::from_millis(100));
    })
    .await;
    let mut display = Display::connect(port, "display").await;
    for _ in 0..3 {
        let answer = display.json("/response/render").await;
        assert_eq!(answer["status"], "ok", "{answer}");
        assert_eq!(answer["transaction"], "timer");
    }
    board.daemon.stop().await;
}
