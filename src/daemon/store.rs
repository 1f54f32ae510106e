//! The folder of finished clips.
//!
//! A clip is two files: the MP4, named by its SHA-256, and a sealed record
//! under the job's number, without which the MP4 is not there. What is read
//! back is verified; what is damaged is set aside, and the caller told.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};

use crate::{
    clip::Clip,
    config::StoreLimits,
    journal::{
        RequestDigest,
        disk::{self, Damage, DiskError},
        sealed::{self, Sealer},
    },
    moment::Moment,
    publication::Version,
    request::JobId,
};

/// Folder within the store where clips are written until they are complete.
const UNFINISHED: &str = "unfinished";
/// Ending of every record.
const ENDING: &str = ".clip";
/// Largest part of a record, in bytes: posters have at most 100 KB.
const RECORD_BYTES_MAX: u64 = 1 << 20;

const CLIP: u8 = 1;
const POSTER: u8 = 2;

/// What a record says.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    v: Version,
    sequence: u64,
    digest: RequestDigest,
    made_at: Moment,
    clip: Clip,
}

struct Kept {
    digest: RequestDigest,
    sha256: String,
    size_bytes: u64,
    made_at: Moment,
    /// Not published yet.
    is_awaited: bool,
}

struct Index {
    limits: StoreLimits,
    clips: BTreeMap<u64, Kept>,
    /// The clip published last.
    shown: Option<u64>,
}

/// The folder of finished clips; clones share it. Files that are no clips are
/// never touched.
#[derive(Clone)]
pub(super) struct Store {
    folder: Arc<Path>,
    index: Arc<Mutex<Index>>,
}

impl Store {
    /// Creates the folder where it is missing, proves that it can be written,
    /// and looks at what is there; says what was damaged.
    pub(super) fn open(folder: &Path, limits: StoreLimits) -> io::Result<(Self, Vec<Damage>)> {
        fs::create_dir_all(folder)?;
        let unfinished = folder.join(UNFINISHED);
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished)?;
        }
        fs::create_dir(&unfinished)?;
        tempfile::tempfile_in(&unfinished)?;
        disk::remove_unfinished(folder, ENDING)?;
        let mut clips = BTreeMap::new();
        let mut damages = Vec::new();
        for name in disk::names(folder, ENDING)? {
            let path = folder.join(&name);
            match read(folder, &path) {
                Ok((sequence, kept)) => {
                    clips.insert(sequence, kept);
                }
                Err(reason) => damages.push(disk::set_aside(folder, &path, &reason)),
            }
        }
        for name in disk::names(folder, ".mp4")? {
            let is_named = |kept: &Kept| mp4_name(&kept.sha256) == name;
            if is_mp4_name(&name) && !clips.values().any(is_named) {
                fs::remove_file(folder.join(name))?;
            }
        }
        let index = Index {
            limits,
            clips,
            shown: None,
        };
        let store = Self {
            folder: folder.into(),
            index: Arc::new(Mutex::new(index)),
        };
        Ok((store, damages))
    }

    /// Where a clip is to be written; the folder is made again where somebody
    /// has removed it.
    pub(super) fn path_for(&self, id: &JobId) -> Result<PathBuf, DiskError> {
        let unfinished = self.folder.join(UNFINISHED);
        fs::create_dir_all(&unfinished).map_err(DiskError::at(&unfinished))?;
        Ok(unfinished.join(format!("{id}.mp4")))
    }

    /// Takes a clip in, durably, and makes room. It is kept at least until it
    /// has been published.
    pub(super) fn keep(
        &self,
        clip: &mut Clip,
        sequence: u64,
        digest: &RequestDigest,
    ) -> Result<(), DiskError> {
        let mut index = self.index();
        let mp4 = self.folder.join(mp4_name(&clip.sha256));
        fs::rename(&clip.path, &mp4).map_err(DiskError::at(&mp4))?;
        clip.path = mp4;
        let record = Record {
            v: Version,
            sequence,
            digest: digest.clone(),
            made_at: Moment::now(),
            clip: clip.clone(),
        };
        let path = self.record(sequence);
        // Makes both names durable: they are in one folder.
        disk::replace(&path, |file| {
            let mut sealer = Sealer::begin(file)?;
            sealer.json(CLIP, &record)?;
            sealer.frame(POSTER, &clip.poster_jpeg)
        })
        .map_err(DiskError::at(&path))?;
        let mut kept = Kept::of(&record);
        kept.is_awaited = true;
        index.clips.insert(sequence, kept);
        self.make_room_in(&mut index);
        Ok(())
    }

    /// The clip of a job that has not been published, if it is here and whole
    /// as far as its record goes.
    pub(super) fn resume(&self, sequence: u64, digest: &RequestDigest) -> Option<Clip> {
        let mut index = self.index();
        let kept = index.clips.get_mut(&sequence)?;
        if kept.digest != *digest {
            return None;
        }
        kept.is_awaited = true;
        self.clip(sequence).ok()
    }

    /// The clip that was published last, where every clip that is not awaited
    /// has been published.
    pub(super) fn last_shown(&self) -> Option<(u64, Clip)> {
        let mut index = self.index();
        let shown = index.clips.iter().rev().find(|(_, kept)| !kept.is_awaited);
        let sequence = *shown?.0;
        index.shown = Some(sequence);
        Some((sequence, self.clip(sequence).ok()?))
    }

    /// The newest clips, oldest first, that have been published.
    pub(super) fn newest(&self, count: usize) -> Vec<Clip> {
        let index = self.index();
        let shown = index.clips.iter().filter(|(_, kept)| !kept.is_awaited);
        let mut clips: Vec<Clip> = (shown.rev().take(count))
            .filter_map(|(sequence, _)| self.clip(*sequence).ok())
            .collect();
        clips.reverse();
        clips
    }

    /// The highest number in use, 0 if none is.
    pub(super) fn sequence_max(&self) -> u64 {
        let index = self.index();
        index.clips.keys().next_back().copied().unwrap_or_default()
    }

    /// A clip has been published: from now on, it is the last.
    pub(super) fn has_shown(&self, sequence: u64) {
        let mut index = self.index();
        if let Some(kept) = index.clips.get_mut(&sequence) {
            kept.is_awaited = false;
            index.shown = Some(sequence);
        }
        self.make_room_in(&mut index);
    }

    /// A clip will not be published.
    pub(super) fn forget(&self, sequence: u64) {
        self.remove(&mut self.index(), sequence);
    }

    /// Deletes what is beyond the limits.
    pub(super) fn make_room(&self) {
        self.make_room_in(&mut self.index());
    }

    pub(super) fn set_limits(&self, limits: StoreLimits) {
        self.index().limits = limits;
    }

    fn make_room_in(&self, index: &mut Index) {
        let StoreLimits {
            count_max,
            bytes_max,
            age_max,
        } = index.limits;
        let mut count = index.clips.len();
        let mut bytes: u64 = index.clips.values().map(|kept| kept.size_bytes).sum();
        let now = Moment::now();
        let mut surplus = Vec::new();
        for (sequence, kept) in &index.clips {
            let is_too_old = kept.made_at.until(&now) > age_max;
            let is_beyond = count > count_max || bytes > bytes_max || is_too_old;
            if is_beyond && !kept.is_awaited && index.shown != Some(*sequence) {
                count -= 1;
                bytes -= kept.size_bytes;
                surplus.push(*sequence);
            }
        }
        for sequence in surplus {
            self.remove(index, sequence);
        }
    }

    /// The record goes first: without it, the next start deletes the rest.
    fn remove(&self, index: &mut Index, sequence: u64) {
        let Some(kept) = index.clips.remove(&sequence) else {
            return;
        };
        let mut paths = vec![self.record(sequence)];
        if !index
            .clips
            .values()
            .any(|other| other.sha256 == kept.sha256)
        {
            paths.push(self.folder.join(mp4_name(&kept.sha256)));
        }
        for path in paths {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    log::warn!("{} cannot be deleted: {error}", path.display());
                }
                _ => {}
            }
        }
    }

    fn record(&self, sequence: u64) -> PathBuf {
        self.folder.join(record_name(sequence))
    }

    /// The clip as its record says, its bytes not looked at.
    fn clip(&self, sequence: u64) -> Result<Clip, String> {
        let (record, poster_jpeg) = read_record(&self.record(sequence))?;
        Ok(Clip {
            path: self.folder.join(mp4_name(&record.clip.sha256)),
            poster_jpeg,
            ..record.clip
        })
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn of(record: &Record) -> Self {
        Self {
            digest: record.digest.clone(),
            sha256: record.clip.sha256.clone(),
            size_bytes: record.clip.size_bytes,
            made_at: record.made_at.clone(),
            is_awaited: false,
        }
    }
}

fn record_name(sequence: u64) -> String {
    format!("{sequence:016x}{ENDING}")
}

fn mp4_name(sha256: &str) -> String {
    format!("{sha256}.mp4")
}

fn is_mp4_name(name: &str) -> bool {
    let sha256 = name.strip_suffix(".mp4").unwrap_or_default();
    sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A record whose MP4 is there, by its size.
fn read(folder: &Path, path: &Path) -> Result<(u64, Kept), String> {
    let (record, _) = read_record(path)?;
    if path
        .file_name()
        .is_none_or(|name| name != record_name(record.sequence).as_str())
    {
        return Err(format!(
            "is the record {:016x} under another name",
            record.sequence
        ));
    }
    let kept = Kept::of(&record);
    let mp4 = folder.join(mp4_name(&kept.sha256));
    match fs::metadata(&mp4) {
        Ok(about) if about.len() == kept.size_bytes => Ok((record.sequence, kept)),
        Ok(about) => Err(format!(
            "has a clip of {} bytes instead of {}",
            about.len(),
            kept.size_bytes
        )),
        Err(error) => Err(format!("has no clip: {error}")),
    }
}

fn read_record(path: &Path) -> Result<(Record, Vec<u8>), String> {
    let said = |error: io::Error| error.to_string();
    let mut file = File::open(path).map_err(said)?;
    let reading = sealed::read(&mut file, |_| RECORD_BYTES_MAX).map_err(said)?;
    if let Some(flaw) = reading.flaw {
        return Err(flaw.to_string());
    }
    let mut frames = reading.frames.into_iter();
    match (frames.next(), frames.next()) {
        (Some(clip), Some(poster)) if clip.kind == CLIP && poster.kind == POSTER => {
            let record =
                serde_json::from_slice(&clip.payload).map_err(|error| error.to_string())?;
            Ok((record, poster.payload))
        }
        _ => Err("has not the parts of a clip".to_owned()),
    }
}

mod verified;

#[cfg(test)]
mod tests;
