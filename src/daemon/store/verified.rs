//! Reading clips back, and believing only what is as it was rendered.

use std::{
    fs::{self, File},
    io,
    sync::Arc,
};

use sha2::{Digest, Sha256};

use super::{Store, mp4_name};
use crate::{
    clip::Clip,
    journal::disk::{self, DiskError},
    publication::ClipDigest,
};

impl Store {
    /// The bytes of a clip, verified.
    ///
    /// # Errors
    /// [`DiskError::Damaged`] when they are not what was rendered: then the
    /// clip is no longer here.
    pub(in crate::daemon) fn mp4(
        &self,
        sequence: u64,
        clip: &Clip,
    ) -> Result<Arc<[u8]>, DiskError> {
        let reason = match fs::read(&clip.path) {
            Ok(bytes) if format!("{:x}", Sha256::digest(&bytes)) == clip.sha256 => {
                return Ok(bytes.into());
            }
            Ok(_) => "is not what was rendered",
            Err(error) if error.kind() == io::ErrorKind::NotFound => "is missing",
            Err(error) => return Err(DiskError::at(&clip.path)(error)),
        };
        let damage = disk::set_aside(&self.folder, &clip.path, reason);
        self.forget(sequence);
        Err(DiskError::Damaged(damage))
    }

    /// A clip, open and to be verified, and its size in bytes; `None` if it is
    /// not here.
    pub(in crate::daemon) fn open_clip(
        &self,
        sha256: &ClipDigest,
    ) -> Result<Option<(File, u64)>, DiskError> {
        let size_bytes = {
            let index = self.index();
            let mut kept = index.clips.values();
            match kept.find(|kept| kept.sha256 == sha256.as_str()) {
                Some(kept) => kept.size_bytes,
                None => return Ok(None),
            }
        };
        let path = self.folder.join(mp4_name(sha256.as_str()));
        match File::open(&path) {
            Ok(file) => Ok(Some((file, size_bytes))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(DiskError::at(&path)(error)),
        }
    }

    /// Reads an open clip through, without holding it.
    ///
    /// # Errors
    /// [`DiskError::Damaged`] when it is not what was rendered: then it is no
    /// longer here.
    pub(in crate::daemon) fn verify(
        &self,
        sha256: &ClipDigest,
        mut file: &File,
    ) -> Result<(), DiskError> {
        let path = self.folder.join(mp4_name(sha256.as_str()));
        let mut digest = Sha256::new();
        io::copy(&mut file, &mut digest).map_err(DiskError::at(&path))?;
        if format!("{:x}", digest.finalize()) == sha256.as_str() {
            return Ok(());
        }
        let damage = disk::set_aside(&self.folder, &path, "is not what was rendered");
        let mut index = self.index();
        let is_it = |sequence: &u64| index.clips[sequence].sha256 == sha256.as_str();
        let damaged: Vec<u64> = index.clips.keys().copied().filter(is_it).collect();
        for sequence in damaged {
            self.remove(&mut index, sequence);
        }
        Err(DiskError::Damaged(damage))
    }
}
