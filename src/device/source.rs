//! Photographs from wherever the configuration says: a camera, a file, a
//! command.
//!
//! File and command read no more than they are allowed to.

mod command;

use std::{
    fs::File,
    io::{self, Read},
    path::PathBuf,
};

pub use command::CommandSource;

use super::camera::CameraSource;
use crate::{
    config::{Camera, Watch},
    still::{Capture, Limits, Origin, StillError, StillSource},
};

/// The source that the configuration names, whose photographs are within
/// `limits`, and which watches before each if that is wished; `None` if it names
/// none.
pub fn configured(
    camera: &Camera,
    limits: &Limits,
    watch: Option<Watch>,
) -> Option<Box<dyn StillSource>> {
    let bytes_max = limits.bytes_max;
    match camera {
        Camera::None => None,
        Camera::Device(camera) => {
            let source = CameraSource::new(camera.clone(), *limits);
            Some(Box::new(source.watching(watch)))
        }
        Camera::File(path) => Some(Box::new(FileSource::new(path, bytes_max))),
        Camera::Command { argv, timeout, .. } => {
            let source = CommandSource::new(argv.clone(), *timeout, bytes_max);
            Some(Box::new(source.watching(watch)))
        }
    }
}

/// A file, read anew at every capture.
#[derive(Clone, Debug)]
pub struct FileSource {
    path: PathBuf,
    bytes_max: usize,
}

impl FileSource {
    /// Reads `path`, of which at most `bytes_max` bytes are accepted.
    pub fn new(path: impl Into<PathBuf>, bytes_max: usize) -> Self {
        Self {
            path: path.into(),
            bytes_max,
        }
    }

    /// Everything that is in the file.
    ///
    /// # Errors
    /// [`StillError::Source`] when it cannot be read, [`StillError::Bytes`] when
    /// it is too large.
    pub fn read(&self) -> Result<Vec<u8>, StillError> {
        let failed = |reason: &dyn std::fmt::Display| {
            StillError::Source(format!("photograph {}: {reason}", self.path.display()))
        };
        // Looked at before it is opened: opening a pipe waits for its writer.
        let about = self.path.metadata().map_err(|error| failed(&error))?;
        if about.is_dir() {
            return Err(failed(&"is a folder, expected a file"));
        }
        if !about.is_file() {
            return Err(failed(&"is a device or pipe, expected a file"));
        }
        let file = File::open(&self.path).map_err(|error| failed(&error))?;
        let announced = usize::try_from(about.len()).unwrap_or(usize::MAX);
        if announced > self.bytes_max {
            return Err(StillError::Bytes {
                bytes: announced,
                bytes_max: self.bytes_max,
            });
        }
        // The file may grow while it is read, so the limit holds here as well.
        let bytes = read_at_most(file, self.bytes_max).map_err(|error| failed(&error))?;
        if bytes.len() > self.bytes_max {
            return Err(StillError::Bytes {
                bytes: bytes.len(),
                bytes_max: self.bytes_max,
            });
        }
        Ok(bytes)
    }
}

impl StillSource for FileSource {
    fn capture(&mut self) -> Result<Capture, StillError> {
        self.read().map(Capture::alone)
    }

    fn origin(&self) -> Origin {
        Origin::File
    }
}

/// Everything, but no more than one byte beyond `bytes_max`: enough to know
/// that it is too much.
fn read_at_most(source: impl Read, bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source
        .take(bytes_max as u64 + 1)
        .read_to_end(&mut bytes)
        .map(|_| bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint_of(mut source: impl StillSource) -> String {
        source.capture().expect_err("must fail").to_string()
    }

    #[test]
    fn files_are_read_within_the_limit() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("photo.jpg");
        std::fs::write(&path, [7; 100]).expect("a file");
        assert_eq!(FileSource::new(&path, 100).read().expect("fits"), [7; 100]);
        let said = complaint_of(FileSource::new(&path, 99));
        assert_eq!(said, "photograph has 100 bytes, allowed are at most 99");
        let said = complaint_of(FileSource::new(folder.path(), 99));
        assert!(said.ends_with("is a folder, expected a file"), "{said}");
        let said = complaint_of(FileSource::new("/dev/zero", 99));
        assert!(
            said.ends_with("is a device or pipe, expected a file"),
            "{said}"
        );
        let said = complaint_of(FileSource::new(folder.path().join("none"), 99));
        assert!(said.contains("No such file"), "{said}");
    }
}
