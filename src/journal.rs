//! What has been accepted, on disk: a job that is in the journal outlives the
//! process and the power.
//!
//! One file per job, for the job's whole life, in one folder. It begins as the
//! request and the photograph; short notes are appended while the job is under
//! way; and when it has ended, the whole file is replaced by a small one that
//! says how. So a job costs one file written when it is accepted, one appended
//! line when its render begins, and one small file when it has ended. That a
//! clip is rendered is not noted here: the store of clips, which has to be
//! durable anyway, says so.
//!
//! Files are numbered in the order of acceptance, and nothing depends on the
//! clock. What is damaged is found by its checksum ([`sealed`]), moved into
//! the folder `damaged` and reported; it costs that one record and nothing
//! else. Deliberately absent: any memory of what the files say, which is the
//! daemon's, and any limit but the ones of the format.

pub mod disk;

pub mod sealed;

mod record;

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

pub use record::{Address, EndedJob, JobRecord, Note, Outcome, PendingJob, RequestDigest};

use self::{
    disk::{Damage, DiskError},
    sealed::{Frame, Sealer},
};

/// Largest record without its photograph, in bytes: an address may have a
/// topic and correlation data of 64 KiB each, the latter as JSON numbers.
const RECORD_BYTES_MAX: u64 = 1 << 20;
/// Largest photograph that is read back, in bytes: the largest MQTT packet.
const PHOTO_BYTES_MAX: u64 = 268_435_455;

/// Ending of every file.
const ENDING: &str = ".job";

const JOB: u8 = 1;
const PHOTO: u8 = 2;
const NOTE: u8 = 3;
const ENDED: u8 = 4;

/// The folder of accepted jobs; clones share it.
#[derive(Clone, Debug)]
pub struct Journal {
    folder: Arc<Path>,
    /// Held while a file is changed that exists already: the notes of a job
    /// come from several threads and are chained by their checksums.
    changing: Arc<Mutex<()>>,
}

/// Keeps other processes out of the folder while it lives.
#[derive(Debug)]
pub struct Lock {
    _folder: File,
}

/// What a folder held when it was opened.
#[derive(Debug)]
pub struct Opened {
    /// The journal.
    pub journal: Journal,
    /// The folder is ours as long as this is kept.
    pub lock: Lock,
    /// Jobs that have not ended, in the order of acceptance.
    pub pending: Vec<PendingJob>,
    /// Jobs that have ended, in the order of their ends.
    pub ended: Vec<EndedJob>,
    /// What was found damaged and set aside.
    pub damages: Vec<Damage>,
}

/// The journal cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another process has the folder.
    #[error("{} is in use by another process", folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder cannot be created, read, written or locked.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// What one file says.
enum Content {
    Pending(Box<PendingJob>),
    Ended(EndedJob),
}

impl Journal {
    /// Opens a folder, creating it where it is missing, and reads everything
    /// in it. Left-over temporary files are removed; what is damaged is set
    /// aside, and a torn note is cut off.
    ///
    /// # Errors
    /// When the folder cannot be created, read, written or locked.
    pub fn open(folder: &Path) -> Result<Opened, JournalError> {
        fs::create_dir_all(folder).map_err(DiskError::at(folder))?;
        let handle = File::open(folder).map_err(DiskError::at(folder))?;
        match handle.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                return Err(JournalError::InUse {
                    folder: folder.to_owned(),
                });
            }
            Err(fs::TryLockError::Error(error)) => Err(DiskError::at(folder)(error))?,
        }
        disk::remove_unfinished(folder, ENDING).map_err(DiskError::at(folder))?;
        let journal = Self {
            folder: folder.into(),
            changing: Arc::default(),
        };
        let mut opened = Opened {
            journal,
            lock: Lock { _folder: handle },
            pending: Vec::new(),
            ended: Vec::new(),
            damages: Vec::new(),
        };
        for name in disk::names(folder, ENDING).map_err(DiskError::at(folder))? {
            let path = folder.join(&name);
            match read(&path) {
                Ok((content, torn)) => {
                    opened.damages.extend(torn);
                    match content {
                        Content::Pending(job) => opened.pending.push(*job),
                        Content::Ended(job) => opened.ended.push(job),
                    }
                }
                Err(reason) => opened.damages.push(disk::set_aside(folder, &path, &reason)),
            }
        }
        opened.pending.sort_by_key(|job| job.record.sequence);
        opened.ended.sort_by_key(|job| job.ended_sequence);
        Ok(opened)
    }

    fn path_of(&self, sequence: u64) -> PathBuf {
        self.folder.join(file_name(sequence))
    }

    /// Enters a job. Once this returns, the job outlives us. Gives the size of
    /// its file, in bytes.
    ///
    /// # Errors
    /// [`DiskError::Io`]; then nothing is left of it.
    pub fn accept(&self, job: &JobRecord, photo: Option<&[u8]>) -> Result<u64, DiskError> {
        let path = self.path_of(job.sequence);
        disk::replace(&path, |file| {
            let mut sealer = Sealer::begin(file)?;
            sealer.json(JOB, job)?;
            if let Some(photo) = photo {
                sealer.frame(PHOTO, photo)?;
            }
            Ok(())
        })
        .map_err(DiskError::at(&path))
    }

    /// Adds a note to a job that has not ended, durably.
    ///
    /// # Errors
    /// [`DiskError::Io`]; then the file is as it was.
    pub fn note(&self, sequence: u64, note: &Note) -> Result<(), DiskError> {
        let path = self.path_of(sequence);
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let append = || -> io::Result<()> {
            let mut file = File::options().read(true).write(true).open(&path)?;
            let whole_bytes = file.seek(SeekFrom::End(0))?;
            let mut frame = Vec::new();
            Sealer::resume(&mut frame, sealed::last_seal(&mut file)?).json(NOTE, note)?;
            file.seek(SeekFrom::Start(whole_bytes))?;
            let written = file.write_all(&frame).and_then(|()| file.sync_data());
            if written.is_err() {
                // Half a note would hide the next one. If even this fails, the
                // next start cuts it off.
                let _ = file.set_len(whole_bytes);
            }
            written
        };
        append().map_err(DiskError::at(&path))
    }

    /// Replaces a job by how it ended; its photograph is gone with that.
    ///
    /// # Errors
    /// [`DiskError::Io`]; then the job is as it was.
    pub fn end(&self, job: &EndedJob) -> Result<(), DiskError> {
        let path = self.path_of(job.sequence);
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        disk::replace(&path, |file| Sealer::begin(file)?.json(ENDED, job))
            .map_err(DiskError::at(&path))?;
        Ok(())
    }

    /// Removes what is remembered of a job. That it may come back after a
    /// power cut does no harm.
    ///
    /// # Errors
    /// [`DiskError::Io`].
    pub fn forget(&self, sequence: u64) -> Result<(), DiskError> {
        let path = self.path_of(sequence);
        fs::remove_file(&path).map_err(DiskError::at(&path))
    }

    /// Writes so many bytes, durably, and leaves nothing of them: whether the
    /// disk is able to.
    ///
    /// # Errors
    /// [`DiskError::Io`].
    pub fn try_to_write(&self, bytes: u64) -> Result<(), DiskError> {
        let attempt = || -> io::Result<()> {
            let mut file = tempfile::tempfile_in(&self.folder)?;
            io::copy(&mut io::repeat(0).take(bytes), &mut file)?;
            file.sync_all()
        };
        attempt().map_err(DiskError::at(&self.folder))
    }

    /// The photograph of a job that has not ended.
    ///
    /// # Errors
    /// [`DiskError::Damaged`] when it is not what was accepted; the record
    /// has been set aside then. [`DiskError::Io`] when it cannot be read.
    pub fn photo(&self, sequence: u64) -> Result<Vec<u8>, DiskError> {
        let path = self.path_of(sequence);
        let mut file = File::open(&path).map_err(DiskError::at(&path))?;
        let reading = sealed::read(&mut file, |kind| match kind {
            PHOTO => PHOTO_BYTES_MAX,
            _ => 0,
        })
        .map_err(DiskError::at(&path))?;
        let photo = reading.frames.into_iter().find(|frame| frame.kind == PHOTO);
        match photo {
            Some(photo) => Ok(photo.payload),
            None => {
                let reason = match reading.flaw {
                    Some(flaw) => flaw.to_string(),
                    None => "has no photograph".to_owned(),
                };
                let damage = disk::set_aside(&self.folder, &path, &reason);
                Err(DiskError::Damaged(damage))
            }
        }
    }
}

fn file_name(sequence: u64) -> String {
    format!("{sequence:016x}{ENDING}")
}

/// Reads one file. A flaw behind the photograph costs only the notes from
/// there on, which are cut off; any other is the error.
fn read(path: &Path) -> Result<(Content, Option<Damage>), String> {
    let said = |error: io::Error| error.to_string();
    let mut file = File::options()
        .read(true)
        .write(true)
        .open(path)
        .map_err(said)?;
    let reading = sealed::read(&mut file, |kind| match kind {
        PHOTO => 0,
        _ => RECORD_BYTES_MAX,
    })
    .map_err(said)?;
    let flaw = || match &reading.flaw {
        Some(flaw) => flaw.to_string(),
        None => "ends too early".to_owned(),
    };
    let mut frames = reading.frames.iter();
    let first = frames.next().ok_or_else(flaw)?;
    let (content, whole_bytes) = match first.kind {
        ENDED => (Content::Ended(json(first)?), first.end_bytes),
        JOB => {
            let record: JobRecord = json(first)?;
            let mut whole_bytes = first.end_bytes;
            if record.has_photo {
                let photo = frames.next().filter(|frame| frame.kind == PHOTO);
                whole_bytes = photo.ok_or_else(flaw)?.end_bytes;
            }
            let mut job = PendingJob::new(record);
            for frame in frames {
                job.take(json(frame)?);
                whole_bytes = frame.end_bytes;
            }
            job.bytes = whole_bytes;
            (Content::Pending(Box::new(job)), whole_bytes)
        }
        kind => return Err(format!("begins with a frame of kind {kind}")),
    };
    let sequence = match &content {
        Content::Pending(job) => job.record.sequence,
        Content::Ended(job) => job.sequence,
    };
    if path
        .file_name()
        .is_none_or(|name| name != file_name(sequence).as_str())
    {
        return Err(format!("is the record {sequence:016x} under another name"));
    }
    let torn = reading.flaw.as_ref().map(|flaw| {
        // It stays as it is where this fails, and is found again.
        let cut = file.set_len(whole_bytes).and_then(|()| file.sync_all());
        Damage {
            path: path.to_owned(),
            reason: match cut {
                Ok(()) => format!("{flaw}; cut off behind byte {whole_bytes}"),
                Err(error) => format!("{flaw}; cannot be cut off: {error}"),
            },
        }
    });
    Ok((content, torn))
}

fn json<T: serde::de::DeserializeOwned>(frame: &Frame) -> Result<T, String> {
    serde_json::from_slice(&frame.payload).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
