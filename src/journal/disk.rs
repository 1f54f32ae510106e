//! Files that are there as a whole or not at all, and what is done with those
//! that are found broken.

use std::{
    fmt,
    fs::{self, File},
    io::{self, BufWriter},
    path::{Path, PathBuf},
    time::SystemTime,
};

/// Ending of a file that is being written.
const UNFINISHED: &str = ".part";
/// Folder of what was found broken, within the folder where it was.
const DAMAGED: &str = "damaged";
/// Broken files that are kept for whoever wants to look at them.
const DAMAGED_COUNT_MAX: usize = 16;
/// Size of all of them together, in bytes.
const DAMAGED_BYTES_MAX: u64 = 64 << 20;

/// A file that was found broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Where it was.
    pub path: PathBuf,
    /// What is wrong with it, and what was done.
    pub reason: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path.display(), self.reason)
    }
}

/// The disk does not do what it shall.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// It is full, read-only or broken, or the folder is gone.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A file is not what was written; it has been set aside.
    #[error("{0}")]
    Damaged(Damage),
}

impl DiskError {
    /// Makes a [`DiskError::Io`] of what the system says about a path.
    pub fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io { path, error }
    }
}

/// Puts a file in place of another, or anew, in one step: written beside it,
/// made durable, renamed, and the folder made durable. Gives its size in bytes.
///
/// # Errors
/// What the system says; then what was there before is there still.
pub fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<u64> {
    let unfinished = with_ending(path, UNFINISHED);
    let put = || -> io::Result<u64> {
        let mut out = BufWriter::new(File::create(&unfinished)?);
        write(&mut out)?;
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        let size_bytes = file.metadata()?.len();
        fs::rename(&unfinished, path)?;
        sync_folder(path)?;
        Ok(size_bytes)
    };
    put().inspect_err(|_| {
        // Else the next start removes it.
        let _ = fs::remove_file(&unfinished);
    })
}

/// Makes the name of a file durable: its creation, renaming or removal.
///
/// # Errors
/// What the system says.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Removes what [`replace`] has left in a folder when it was interrupted while
/// it wrote a file whose name ends like this.
///
/// # Errors
/// What the system says.
pub fn remove_unfinished(folder: &Path, ending: &str) -> io::Result<()> {
    for name in names(folder, &format!("{ending}{UNFINISHED}"))? {
        fs::remove_file(folder.join(name))?;
    }
    Ok(())
}

/// Names in a folder of files that end like this, sorted.
///
/// # Errors
/// What the system says.
pub fn names(folder: &Path, ending: &str) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // A name that is no text is none of ours.
        if let Ok(name) = entry.file_name().into_string()
            && name.ends_with(ending)
            && entry.file_type()?.is_file()
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Moves a broken file out of the way, into a folder of its own that holds the
/// newest 16 of at most 64 MiB together. Never fails: what cannot be moved is
/// left, and the report says so.
pub fn set_aside(folder: &Path, path: &Path, reason: &str) -> Damage {
    let moved = || -> io::Result<()> {
        let damaged = folder.join(DAMAGED);
        fs::create_dir_all(&damaged)?;
        fs::rename(path, damaged.join(path.file_name().unwrap_or_default()))?;
        sync_folder(path)?;
        make_room(&damaged)
    };
    let reason = match moved() {
        Ok(()) => format!("{reason}; moved into {DAMAGED}"),
        Err(error) => format!("{reason}; cannot be moved into {DAMAGED}: {error}"),
    };
    Damage {
        path: path.to_owned(),
        reason,
    }
}

fn make_room(damaged: &Path) -> io::Result<()> {
    let mut files: Vec<(SystemTime, PathBuf, u64)> = Vec::new();
    for entry in fs::read_dir(damaged)? {
        let (entry, about) =
            entry.and_then(|entry| entry.metadata().map(|about| (entry, about)))?;
        files.push((about.modified()?, entry.path(), about.len()));
    }
    files.sort();
    let mut bytes = 0;
    for (index, (_, path, size_bytes)) in files.iter().rev().enumerate() {
        bytes += size_bytes;
        if index >= DAMAGED_COUNT_MAX || bytes > DAMAGED_BYTES_MAX {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_write_that_fails_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.job");
        assert_eq!(replace(&path, |file| file.write_all(b"one")).unwrap(), 3);
        let full = |file: &mut BufWriter<File>| {
            file.write_all(b"two")?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        };
        assert!(replace(&path, full).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(names(folder.path(), "").unwrap(), ["a.job"]);
        fs::write(folder.path().join("b.job.part"), "half").unwrap();
        remove_unfinished(folder.path(), ".job").unwrap();
        assert_eq!(names(folder.path(), "").unwrap(), ["a.job"]);
    }

    #[test]
    fn what_is_set_aside_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..DAMAGED_COUNT_MAX + 5 {
            let path = folder.path().join(format!("{number}.job"));
            fs::write(&path, "broken").unwrap();
            let damage = set_aside(folder.path(), &path, "is torn");
            assert!(damage.reason.ends_with("moved into damaged"), "{damage}");
            assert!(!path.exists());
        }
        let kept = names(&folder.path().join(DAMAGED), "").unwrap();
        assert_eq!(kept.len(), DAMAGED_COUNT_MAX);
        let missing = folder.path().join("none.job");
        let damage = set_aside(folder.path(), &missing, "is torn");
        assert!(damage.reason.contains("cannot be moved"), "{damage}");
    }
}
