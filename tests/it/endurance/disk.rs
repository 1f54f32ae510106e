//! The daemon on disks that are full, or that cannot be written.
//!
//! Its journal and its clips have a small file system each, mounted where only
//! the daemon and its keeper are.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use zoetrope::device::broker::LoopbackBroker;

use super::{
    service::{PROGRAM, Service},
    witness::Witness,
};
use crate::{
    mqtt::bench::loopback,
    support::{Folder, missing_tool},
};

/// Mounts a disk of a mebibyte on each of its arguments, says so, and keeps
/// them until its input ends.
const KEEP: &str = "for disk; do mkdir \"$disk\" && mount -t tmpfs -o size=1m none \"$disk\" \
                    || exit; done; echo mounted; read -r _";

/// Holds the disks until it is dropped.
struct Keeper {
    process: Child,
    folder: Folder,
}

impl Keeper {
    /// `None`, said aloud, where nobody may mount anything.
    fn mount() -> Option<Self> {
        let folder = Folder::new();
        let keeper = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount"])
            .args(["sh", "-c", KEEP, "sh"])
            .args(["journal", "clips"].map(|disk| folder.path(disk)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mounted = keeper.and_then(|mut process| {
            let mut said = String::new();
            let out = process.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
            BufReader::new(out).read_line(&mut said)?;
            Ok((process, said))
        });
        match mounted {
            Ok((process, said)) if said == "mounted\n" => Some(Self { process, folder }),
            _ => {
                let remedy = "unshare of util-linux, and leave to make user namespaces";
                missing_tool("namespaces", remedy);
                None
            }
        }
    }

    /// A command among the disks.
    fn inside(&self) -> Command {
        let mut command = Command::new("nsenter");
        let keeper = self.process.id().to_string();
        command.args(["--preserve-credentials", "--user", "--mount", "--target"]);
        command.arg(keeper);
        command
    }

    /// The disk, seen from here.
    fn disk(&self, name: &str) -> PathBuf {
        let path = self.folder.path(name);
        let root = format!("/proc/{}/root", self.process.id());
        PathBuf::from(root).join(path.strip_prefix("/").unwrap())
    }

    fn fill(&self, name: &str) {
        let mut ballast = File::create(self.disk(name).join("ballast")).unwrap();
        let error = loop {
            if let Err(error) = ballast.write_all(&[0; 4096]) {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }

    fn empty(&self, name: &str) {
        fs::remove_file(self.disk(name).join("ballast")).unwrap();
    }

    /// Lets a disk be written (`rw`), or not (`ro`).
    fn remount(&self, name: &str, how: &str) {
        let options = format!("remount,{how}");
        let mut mount = self.inside();
        mount.args(["mount", "-o", &options]);
        let status = mount.arg(self.folder.path(name)).status().unwrap();
        assert!(status.success(), "{name} cannot be remounted {how}");
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A daemon on small disks, and a witness of all that it says.
struct Scene {
    witness: Witness,
    service: Service,
    keeper: Keeper,
    _broker: LoopbackBroker,
}

impl Scene {
    async fn open() -> Option<Self> {
        let keeper = Keeper::mount()?;
        let broker = loopback().await;
        let port = broker.address().port();
        Service::configure(&keeper.folder, port);
        let mut witness = Witness::connect(port).await;
        let service = Service::spawn(&keeper.folder, keeper.inside().arg(PROGRAM));
        witness.until("it is up", is_ready).await;
        Some(Self {
            witness,
            service,
            keeper,
            _broker: broker,
        })
    }

    /// A request that the disk does not take is refused, for this reason; one
    /// that it takes later is served.
    async fn refuses(&mut self, id: &str, reason: &str) {
        let witness = &mut self.witness;
        witness.ask(id).await;
        witness
            .until("a refusal", |witness| !witness.failures.is_empty())
            .await;
        let failures = std::mem::take(&mut witness.failures);
        assert!(
            failures.len() == 1
                && failures[0].contains("\"storage\"")
                && failures[0].contains(reason),
            "{failures:?}"
        );
        self.is_degraded(reason).await;
    }

    /// What is accepted waits, and the state says why.
    async fn waits(&mut self, id: &str, reason: &str) {
        self.witness.ask(id).await;
        self.witness
            .until("acceptance", |witness| witness.accepted.contains(id))
            .await;
        self.is_degraded(reason).await;
        assert!(!self.witness.answers.contains_key(id));
    }

    async fn is_degraded(&mut self, reason: &str) {
        let is_said =
            |witness: &Witness| witness.state == "degraded" && witness.reason.contains(reason);
        self.witness.until(reason, is_said).await;
    }

    async fn is_well(&mut self) {
        self.witness.until("it is well", is_ready).await;
    }
}

fn is_ready(witness: &Witness) -> bool {
    witness.state == "ready"
}

const FULL: &str = "No space left on device";
const READ_ONLY: &str = "Read-only file system";

#[tokio::test(flavor = "multi_thread")]
async fn full_disks_cost_nothing_that_was_accepted() {
    let Some(mut scene) = Scene::open().await else {
        return;
    };
    scene.keeper.fill("journal");
    scene.refuses("asked", FULL).await;
    scene.keeper.empty("journal");
    // By itself, before anybody asks again.
    scene.is_well().await;
    scene.witness.ask("asked").await;
    scene.witness.served().await;

    scene.keeper.fill("clips");
    scene.waits("stored", FULL).await;
    scene.waits("next", FULL).await;
    scene.keeper.empty("clips");
    scene.witness.served().await;
    scene.is_well().await;

    // Answered, and the journal cannot be told.
    scene.keeper.fill("clips");
    scene.waits("ended", FULL).await;
    scene.keeper.fill("journal");
    scene.keeper.empty("clips");
    scene.witness.served().await;
    scene.is_degraded(FULL).await;
    scene.keeper.empty("journal");
    scene.is_well().await;

    // It has been told meanwhile: the next process has nothing left to do.
    scene.service.stop().await;
    scene.witness.state.clear();
    scene.service = Service::spawn(&scene.keeper.folder, scene.keeper.inside().arg(PROGRAM));
    scene.is_well().await;
    let published = |id: &str| {
        let event = (id.to_owned(), "published".to_owned());
        let events = scene.witness.events.iter();
        events.filter(|said| **said == event).count()
    };
    for id in ["asked", "stored", "next", "ended"] {
        assert_eq!(published(id), 1, "{id}");
    }
    let left: Vec<_> = fs::read_dir(scene.keeper.disk("journal"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with(".job"))
        .collect();
    assert_eq!(left, [""; 0]);
    scene.service.stop().await;
    scene.witness.testify();
}

#[tokio::test(flavor = "multi_thread")]
async fn disks_that_become_read_only_cost_nothing_that_was_accepted() {
    let Some(mut scene) = Scene::open().await else {
        return;
    };
    scene.keeper.remount("journal", "ro");
    scene.refuses("asked", READ_ONLY).await;
    scene.keeper.remount("journal", "rw");
    scene.is_well().await;
    scene.witness.ask("asked").await;
    scene.witness.served().await;

    scene.keeper.remount("clips", "ro");
    scene.waits("stored", READ_ONLY).await;
    scene.keeper.remount("clips", "rw");
    scene.witness.served().await;
    scene.is_well().await;

    scene.keeper.remount("clips", "ro");
    scene.waits("ended", READ_ONLY).await;
    scene.keeper.remount("journal", "ro");
    scene.keeper.remount("clips", "rw");
    scene.witness.served().await;
    scene.is_degraded(READ_ONLY).await;
    scene.keeper.remount("journal", "rw");
    scene.is_well().await;
    scene.service.stop().await;
    scene.witness.testify();
}
