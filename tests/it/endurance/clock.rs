//! The daemon while somebody sets its clock.

use std::{
    collections::BTreeSet,
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use super::{
    service::{PROGRAM, Service},
    witness::Witness,
};
use crate::{
    mqtt::bench::{DEVICE, loopback},
    photos,
    support::{Folder, missing_tool, repository},
};

const YEAR_S: i64 = 31_536_000;

/// The time of day of a daemon, which is set by writing to a file.
struct Clock {
    library: PathBuf,
    shift: PathBuf,
}

impl Clock {
    /// `None`, said aloud, where there is no C compiler.
    fn build(folder: &Folder) -> Option<Self> {
        let clock = Self {
            library: folder.path("clock.so"),
            shift: folder.file("shift", "0"),
        };
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-o"])
            .arg(&clock.library)
            .arg(repository("tests/it/endurance/clock.c"))
            .stdin(Stdio::null())
            .status();
        if built.is_ok_and(|status| status.success()) {
            return Some(clock);
        }
        missing_tool("cc", "apt install gcc");
        None
    }

    /// So many seconds from the true time.
    fn set(&self, shift_s: i64) {
        let written = self.shift.with_extension("new");
        fs::write(&written, shift_s.to_string()).unwrap();
        fs::rename(written, &self.shift).unwrap();
    }

    fn start(&self, folder: &Folder) -> Service {
        let mut command = Command::new(PROGRAM);
        command
            .env("LD_PRELOAD", &self.library)
            .env("ZOETROPE_TEST_CLOCK", &self.shift);
        Service::spawn(folder, &mut command)
    }
}

/// Clips that a trigger has asked for and that were published.
fn triggered(witness: &Witness) -> usize {
    let is_one = |(id, what): &&(String, String)| {
        what == "published" && !witness.asked.contains_key(id.as_str())
    };
    witness.events.iter().filter(is_one).count()
}

async fn asks(witness: &mut Witness, name: &str) -> Vec<String> {
    let ids: Vec<String> = (0..6).map(|number| format!("{name}-{number}")).collect();
    for id in &ids {
        witness.ask(id).await;
    }
    ids
}

/// Jobs with an hour to live wait, and clips may grow a day old, while the clock
/// jumps by years, also between two processes.
async fn years_pass(trigger: &str) {
    let folder = Folder::new();
    let Some(clock) = Clock::build(&folder) else {
        return;
    };
    let broker = loopback().await;
    let port = broker.address().port();
    folder.file("photo.jpg", photos::jpeg(64, 64));
    let text = format!(
        "device_id = \"{DEVICE}\"\nclips_dir = \"clips\"\nqueue_length_max = 100\nthreads = 1\n\
         [broker]\nurl = \"mqtt://127.0.0.1:{port}\"\n\
         [camera]\nfile = \"photo.jpg\"\n\
         [trigger]\n{trigger}\n\
         [store]\ncount_max = 1000\nage_h_max = 24\n\
         [shape]\nsize = \"160x120\"\nduration_ms = 1000\nframe_rate = 10\n"
    );
    folder.file("zoetrope.toml", text);
    let mut witness = Witness::connect(port).await;
    witness.deadline_ms = Some(3_600_000);
    let mut service = clock.start(&folder);
    let is_up = |witness: &Witness| !witness.state.is_empty();
    witness.until("it is up", is_up).await;
    for (name, shift_s) in [("ahead", YEAR_S), ("back", -YEAR_S), ("again", 0)] {
        let ids = asks(&mut witness, name).await;
        let is_accepted = |witness: &Witness| witness.accepted.contains(&ids[0]);
        witness.until("acceptance", is_accepted).await;
        clock.set(shift_s);
        witness.served().await;
        let before = triggered(&witness);
        let has_rung = |witness: &Witness| triggered(witness) > before;
        witness.until("the trigger's clip", has_rung).await;
    }
    for (name, shift_s) in [("killed", YEAR_S), ("killed-again", -YEAR_S)] {
        let ids = asks(&mut witness, name).await;
        let are_accepted = |witness: &Witness| ids.iter().all(|id| witness.accepted.contains(id));
        witness.until("acceptance", are_accepted).await;
        service.kill();
        clock.set(shift_s);
        witness.state.clear();
        service = clock.start(&folder);
        witness.until("it is up", is_up).await;
        witness.served().await;
    }
    service.stop().await;
    witness.testify();
    let kept: BTreeSet<String> = fs::read_dir(folder.path("clips"))
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
        .filter_map(|name| Some(name.strip_suffix(".mp4")?.to_owned()))
        .collect();
    let made: BTreeSet<String> = witness.clips.values().flatten().cloned().collect();
    assert!(made.is_subset(&kept), "clips are gone before their time");
    println!(
        "{} jobs, {} of the trigger's, none lost, late or deleted",
        witness.asked.len(),
        triggered(&witness)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_by_years_ends_nothing() {
    years_pass("every = \"1s\"").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "waits for three full minutes to come"]
async fn a_clock_that_jumps_by_years_rings_at_the_next_full_minute() {
    years_pass("cron = \"* * * * *\"").await;
}
