//! A folder whose photographs become clips.
//!
//! It is looked at every second, which works on network shares as well as on
//! disks. A photograph is taken when three looks in a row found it unchanged;
//! whoever renames it into the folder is served after two seconds. It ends up
//! in `done/` next to its clip, or in `failed/` next to what was wrong with it.
//!
//! The job's id is made from the photograph and its time, so that one that was
//! taken and not moved away, because the power went, is the same job again.

use std::{
    collections::HashMap,
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use sha2::{Digest, Sha256};
use tokio::{task::spawn_blocking, time::sleep};

use super::Bell;
use crate::{
    device::{http::Shelf, source::FileSource},
    journal::Outcome,
    publication::Fault,
    request::{JobId, Source},
};

const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// Looks that must have found a file unchanged.
const LOOKS: u32 = 3;
/// Pause after the daemon had no room for a job.
const BUSY_PAUSE: Duration = Duration::from_secs(5);
/// Files that are kept in mind; more wait until some have gone.
const FILES_MAX: usize = 10_000;
const EXTENSIONS: [&str; 4] = ["jpg", "jpeg", "png", "webp"];

/// Size and time of a file, by which a change is noticed.
type Mark = (u64, SystemTime);

#[derive(Clone, Copy)]
struct Seen {
    mark: Mark,
    looks: u32,
    /// It has been made a clip of, but could not be moved away.
    is_stuck: bool,
}

pub(super) struct Folder {
    path: PathBuf,
    bytes_max: usize,
    shelf: Shelf,
    seen: HashMap<PathBuf, Seen>,
    /// What was wrong at the last look, which is said once.
    trouble: Option<String>,
}

/// A photograph that is to become a clip.
struct Arrival {
    path: PathBuf,
    time: SystemTime,
}

impl Folder {
    pub(super) fn new(path: &Path, bytes_max: usize, shelf: Shelf) -> Self {
        Self {
            path: path.to_owned(),
            bytes_max,
            shelf,
            seen: HashMap::new(),
            trouble: None,
        }
    }

    /// Watches until the desk has ended.
    pub(super) async fn watch(mut self, bell: Bell) {
        loop {
            sleep(LOOK_INTERVAL).await;
            let look = spawn_blocking(move || {
                let arrival = self.look();
                (self, arrival)
            });
            let Ok((returned, arrival)) = look.await else {
                return;
            };
            self = returned;
            let Some(arrival) = arrival else { continue };
            let bytes_max = self.bytes_max;
            let path = arrival.path.clone();
            let read = spawn_blocking(move || FileSource::new(path, bytes_max).read());
            let Ok(read) = read.await else { return };
            let outcome = match read {
                Err(error) => Err(Fault {
                    code: "bad_photo".to_owned(),
                    message: error.to_string(),
                }),
                Ok(photo) => {
                    let id = id_of(&photo, arrival.time);
                    let source = Source::Photo(photo.into());
                    match bell.ring(id, source, "folder").await {
                        Some(outcome) => outcome,
                        None => return,
                    }
                }
            };
            if outcome.as_ref().is_err_and(|fault| is_passing(&fault.code)) {
                sleep(BUSY_PAUSE).await;
                continue;
            }
            let settle = spawn_blocking(move || {
                self.settle(&arrival, &outcome);
                self
            });
            let Ok(returned) = settle.await else { return };
            self = returned;
        }
    }

    /// The photograph that has waited longest and is complete, if there is one.
    fn look(&mut self) -> Option<Arrival> {
        let found = match photographs(&self.path) {
            Ok(found) => {
                self.trouble = None;
                found
            }
            Err(error) => {
                let trouble = format!("trigger.folder {}: {error}", self.path.display());
                if self.trouble.as_ref() != Some(&trouble) {
                    log::error!("{trouble}");
                    self.trouble = Some(trouble);
                }
                return None;
            }
        };
        let before = std::mem::take(&mut self.seen);
        for (path, mark) in found {
            let seen = match before.get(&path) {
                Some(seen) if seen.mark == mark => Seen {
                    looks: seen.looks.saturating_add(1),
                    ..*seen
                },
                _ => Seen {
                    mark,
                    looks: 1,
                    is_stuck: false,
                },
            };
            self.seen.insert(path, seen);
        }
        self.seen
            .iter()
            .filter(|(_, seen)| seen.looks >= LOOKS && !seen.is_stuck)
            .min_by_key(|(path, seen)| (seen.mark.1, *path))
            .map(|(path, seen)| Arrival {
                path: path.clone(),
                time: seen.mark.1,
            })
    }

    /// Moves the photograph away, with what became of it.
    fn settle(&mut self, arrival: &Arrival, outcome: &Outcome) {
        if let Err(error) = self.moved(arrival, outcome) {
            log::error!("trigger.folder {}: {error}", arrival.path.display());
            if let Some(seen) = self.seen.get_mut(&arrival.path) {
                seen.is_stuck = true;
            }
        }
    }

    fn moved(&self, arrival: &Arrival, outcome: &Outcome) -> io::Result<()> {
        let name = arrival.path.file_name().unwrap_or_default();
        let folder = self
            .path
            .join(if outcome.is_ok() { "done" } else { "failed" });
        fs::create_dir_all(&folder)?;
        let photo = free_name(&folder, name);
        match outcome {
            Ok(notice) => {
                // The newest clips are at hand; one that is already gone was
                // published all the same.
                if let Some(clip) = self.shelf.find(&notice.sha256) {
                    place(&folder, &photo.with_extension("mp4"), |file| {
                        io::copy(&mut fs::File::open(&clip.path)?, file).map(drop)
                    })?;
                }
            }
            Err(fault) => {
                let said = format!("{}: {}\n", fault.code, fault.message);
                place(&folder, &photo.with_extension("txt"), |mut file| {
                    io::Write::write_all(&mut file, said.as_bytes())
                })?;
            }
        }
        fs::rename(&arrival.path, photo)
    }
}

/// Writes a file that is there as a whole or not at all.
fn place(
    folder: &Path,
    path: &Path,
    write: impl FnOnce(&mut fs::File) -> io::Result<()>,
) -> io::Result<()> {
    let mut file = tempfile::Builder::new().tempfile_in(folder)?;
    write(file.as_file_mut())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// The photographs in a folder: ordinary files, no links, none that is hidden.
fn photographs(folder: &Path) -> io::Result<Vec<(PathBuf, Mark)>> {
    fs::create_dir_all(folder)?;
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if !is_photograph(&path) {
            continue;
        }
        // One that has gone meanwhile is no concern of ours.
        let Ok(about) = path.symlink_metadata() else {
            continue;
        };
        if about.is_file() && found.len() < FILES_MAX {
            found.push((path, (about.len(), about.modified()?)));
        }
    }
    Ok(found)
}

fn is_photograph(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    let is_known = EXTENSIONS
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known));
    is_known && !name.starts_with(b".")
}

/// `name` in `folder`, numbered where that is taken.
fn free_name(folder: &Path, name: &OsStr) -> PathBuf {
    let plain = folder.join(name);
    let stem = plain.file_stem().unwrap_or_default().to_owned();
    let extension = plain.extension().unwrap_or_default().to_owned();
    let numbered = (2..).map(|number: u32| {
        let mut name = stem.clone();
        name.push(format!("-{number}."));
        name.push(&extension);
        folder.join(name)
    });
    let mut names = std::iter::once(plain.clone()).chain(numbered);
    names.find(|path| !path.exists()).unwrap_or(plain)
}

/// A ULID of the photograph's time and bytes.
fn id_of(photo: &[u8], time: SystemTime) -> JobId {
    let time = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let digest = Sha256::digest(photo);
    JobId::derived(time, digest.into())
}

/// Whether the daemon would take the same job a little later.
fn is_passing(code: &str) -> bool {
    matches!(code, "queue_full" | "busy" | "stopping")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault() -> Outcome {
        Err(Fault {
            code: "bad_photo".to_owned(),
            message: "no photograph".to_owned(),
        })
    }

    fn looked(folder: &mut Folder, looks: u32) -> Option<PathBuf> {
        let mut found = None;
        for _ in 0..looks {
            found = folder.look().map(|arrival| arrival.path);
        }
        found
    }

    #[test]
    fn a_file_is_taken_when_it_no_longer_changes() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("a.JPG");
        for other in ["notes.txt", ".hidden.jpg", "no extension"] {
            fs::write(temp.path().join(other), "x").unwrap();
        }
        std::os::unix::fs::symlink("/etc/passwd", temp.path().join("link.jpg")).unwrap();
        let mut folder = Folder::new(temp.path(), 1 << 20, Shelf::new());
        fs::write(&path, "one").unwrap();
        assert_eq!(looked(&mut folder, LOOKS - 1), None);
        fs::write(&path, "longer").unwrap();
        assert_eq!(looked(&mut folder, LOOKS - 1), None);
        assert_eq!(looked(&mut folder, 1), Some(path));
    }

    #[test]
    fn a_failed_one_is_moved_with_its_reason_and_replaces_none() {
        let temp = tempfile::tempdir().unwrap();
        let mut folder = Folder::new(temp.path(), 1 << 20, Shelf::new());
        for _ in 0..2 {
            fs::write(temp.path().join("a.jpg"), "x").unwrap();
            looked(&mut folder, LOOKS - 1);
            let arrival = folder.look().unwrap();
            folder.settle(&arrival, &fault());
        }
        let failed = temp.path().join("failed");
        for name in ["a.jpg", "a-2.jpg", "a.txt", "a-2.txt"] {
            assert!(failed.join(name).is_file(), "{name}");
        }
        let said = fs::read_to_string(failed.join("a.txt")).unwrap();
        assert_eq!(said, "bad_photo: no photograph\n");
        assert_eq!(looked(&mut folder, LOOKS + 1), None);
    }

    #[test]
    fn one_that_cannot_be_moved_is_not_taken_again() {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join("failed"), "in the way").unwrap();
        let path = temp.path().join("a.jpg");
        fs::write(&path, "x").unwrap();
        let mut folder = Folder::new(temp.path(), 1 << 20, Shelf::new());
        looked(&mut folder, LOOKS - 1);
        let arrival = folder.look().unwrap();
        folder.settle(&arrival, &fault());
        assert_eq!(looked(&mut folder, LOOKS + 1), None);
        assert!(path.is_file());
    }

    #[test]
    fn the_same_photograph_is_the_same_job() {
        let time = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let id = id_of(b"photo", time);
        assert_eq!(id, id_of(b"photo", time));
        assert_ne!(id, id_of(b"other", time));
        assert_ne!(id, id_of(b"photo", time + LOOK_INTERVAL));
        assert_eq!(id.as_str().len(), 26);
    }
}
