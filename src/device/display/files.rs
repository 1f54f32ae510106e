//! Files that are replaced whole or not at all.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::clip::check_replaceable;

/// A file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be written: {source}", path.display())]
pub struct FileError {
    path: PathBuf,
    source: io::Error,
}

/// Puts `bytes` at `path`, durably: whoever reads finds the old file or the
/// new one, also after a loss of power.
///
/// # Errors
/// [`FileError`] when the folder is missing, read-only or full, or what stands at
/// `path` is no file; then it stands as it was.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    write(path, bytes).map_err(|source| FileError {
        path: path.to_owned(),
        source,
    })
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    check_replaceable(path)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    // Made private by default; a clip is for whoever may read the folder.
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    fs::set_permissions(file.path(), mode)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clip.mp4");
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_file_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let _socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let said = replace(&path, b"one").unwrap_err().to_string();
        assert!(said.contains("expected a file or nothing"), "{said}");
        assert!(!fs::metadata(&path).unwrap().is_file());
    }

    #[test]
    fn a_missing_folder_is_named() {
        let said = replace(Path::new("/nowhere/clip.mp4"), b"").unwrap_err();
        assert!(
            said.to_string()
                .starts_with("/nowhere/clip.mp4 cannot be written")
        );
    }
}
