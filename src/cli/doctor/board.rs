//! What the board has: room, a model, processors.

use std::{fs, io, num::NonZeroUsize, path::Path, thread};

use rustix::{fs::statvfs, process::geteuid};

use super::Finding;
use crate::{
    config::{Config, EngineChoice},
    device::{
        assembly,
        inference::{
            Engines,
            worker::{StartError, THIS_PROGRAM},
        },
        thermal::Thermometer,
    },
    scene::{Engine, Network},
};

/// Free room with which nothing goes well any more, in bytes: a few clips.
const ROOM_BYTES_MIN: u64 = 100 << 20;
/// Free room with which nobody has to think about it, in bytes.
const ROOM_BYTES_AMPLE: u64 = 1 << 30;

pub(super) fn user() -> Vec<Finding> {
    vec![if geteuid().is_root() {
        let mend = "a user of its own; systemd/zoetrope.service gives it one";
        Finding::warn("user", "root may do more than the daemon needs", mend)
    } else {
        Finding::ok("user", format!("{}, not root", geteuid().as_raw()))
    }]
}

pub(super) fn folders(config: &Config) -> Vec<Finding> {
    let mut found = vec![folder("clips", &config.clips_dir)];
    if let Some(watched) = &config.trigger.folder {
        found.push(folder("photos", watched));
    }
    found
}

fn folder(what: &'static str, path: &Path) -> Finding {
    let said = path.display();
    let room = match writable(path) {
        Ok(room) => room,
        Err(error) => {
            let mend = format!("mkdir -p {said} and chown it to the daemon's user");
            return Finding::fail(what, format!("{said}: {error}"), mend);
        }
    };
    let said = format!("{said} can be written, {} MiB are free", room >> 20);
    match room {
        0..ROOM_BYTES_MIN => Finding::fail(what, said, "make room"),
        ROOM_BYTES_MIN..ROOM_BYTES_AMPLE => Finding::warn(what, said, "make room"),
        _ => Finding::ok(what, said),
    }
}

/// Free bytes at `path`, or where it will be created.
fn writable(path: &Path) -> io::Result<u64> {
    let there = path
        .ancestors()
        .find(|folder| folder.exists())
        .unwrap_or(Path::new("."));
    if !fs::metadata(there)?.is_dir() {
        return Err(io::Error::other(format!(
            "{} is not a folder",
            there.display()
        )));
    }
    // Without a name, so nothing is seen of it.
    tempfile::tempfile_in(there)?;
    let about = statvfs(there)?;
    Ok(about.f_bavail.saturating_mul(about.f_frsize))
}

pub(super) fn model(config: &Config) -> Vec<Finding> {
    match Engines::configured(config, THIS_PROGRAM.into()) {
        Ok(engines) => {
            let mut found = vec![Finding::ok("model", engines.card().name.clone())];
            found.extend(runs(&engines, config.inference.engine));
            found
        }
        Err(error) => vec![Finding::fail("model", error.to_string(), "correct [model]")],
    }
}

/// What can run the model. That the processors do is as it should be on a board
/// without a GPU; that what is asked for by name does not is not.
fn runs(engines: &Engines, wanted: EngineChoice) -> Vec<Finding> {
    let what = "engine";
    if wanted == EngineChoice::Only(Engine::Tract) {
        return vec![Finding::ok(what, "tract, as configured")];
    }
    if let Err(reason) = engines.library() {
        let said = format!("tract, for {reason}");
        return vec![match wanted {
            EngineChoice::Auto => Finding::ok(what, said),
            EngineChoice::Only(_) => Finding::warn(what, said, "correct inference.library"),
        }];
    }
    let tried = engines.candidates().into_iter().map(|engine| {
        let is_wanted = wanted == EngineChoice::Only(engine);
        match engines.start(engine, false) {
            Ok(worker) => Finding::ok(what, format!("{engine} works: {}", worker.details())),
            Err(StartError::Unbuilt(reason)) => {
                let mend = "zoetrope warm-up, or leave it to the daemon: it takes minutes";
                Finding::warn(what, format!("{engine}: {reason}"), mend)
            }
            Err(StartError::Broken(reason)) if is_wanted => {
                let mend = "mend what is said, or inference.engine = \"auto\"";
                Finding::warn(what, format!("{engine} does not work: {reason}"), mend)
            }
            Err(StartError::Broken(reason)) => {
                Finding::ok(what, format!("without {engine}: {reason}"))
            }
        }
    });
    let mut found: Vec<Finding> = tried.collect();
    let kept = engines.engine();
    found.push(Finding::ok(
        what,
        format!("{} would run it now", kept.engine),
    ));
    found
}

pub(super) fn encoder() -> Vec<Finding> {
    vec![if assembly::encoder_has_it() {
        Finding::ok("encoder", "openh264 with assembly")
    } else {
        Finding::warn(
            "encoder",
            "openh264 in plain C++, about 2.5 times slower",
            "install nasm, cargo clean -p openh264-sys2, and build again",
        )
    }]
}

pub(super) fn threads(config: &Config) -> Vec<Finding> {
    let processors = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let threads = config.threads.map_or(processors, NonZeroUsize::get);
    vec![if threads > processors {
        Finding::warn(
            "threads",
            format!("{threads} on {processors} processors"),
            "leave threads out",
        )
    } else {
        Finding::ok("threads", format!("{threads} on {processors} processors"))
    }]
}

pub(super) fn heat(config: &Config) -> Vec<Finding> {
    let climate = Thermometer::new(&config.thermal.sysfs_dir).read();
    let limit = config.thermal.hot_celsius;
    let temperature = match climate.hottest() {
        None => Finding::ok("heat", "the board does not tell its temperature"),
        Some((zone, celsius)) if celsius >= limit => Finding::warn(
            "heat",
            format!("{zone} has {celsius:.0} °C, allowed are less than {limit:.0}"),
            "cool it; renders are paced until then",
        ),
        Some((zone, celsius)) => Finding::ok("heat", format!("{zone} has {celsius:.0} °C")),
    };
    let mut found = vec![temperature];
    if let Some(why) = climate.throttled {
        let mend = "a better power supply or more cooling; renders are paced until then";
        found.push(Finding::warn("heat", format!("throttled: {why}"), mend));
    }
    found
}
