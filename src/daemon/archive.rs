//! The folder of finished clips.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::{clip::Clip, publication::ClipDigest, request::JobId};

/// Finished clips that are kept, the newest; older ones are deleted.
const CLIPS_KEPT: usize = 8;

/// The folder of finished clips, each named by its SHA-256. Other files in it
/// are never touched. Clones are the same folder.
#[derive(Clone)]
pub(super) struct Archive {
    folder: PathBuf,
}

impl Archive {
    /// Creates the folder where it is missing, and proves that it can be
    /// written.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        tempfile::tempfile_in(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// Where a clip is to be written.
    pub(super) fn path_for(&self, id: &JobId) -> PathBuf {
        self.folder.join(format!("job-{id}.mp4"))
    }

    /// A finished clip, open, if it is still here.
    pub(super) fn open_clip(&self, sha256: &ClipDigest) -> io::Result<File> {
        File::open(self.folder.join(format!("{sha256}.mp4")))
    }

    /// Takes a clip into the archive: renames it, durably, and makes room.
    pub(super) fn keep(&self, clip: &mut Clip) -> io::Result<()> {
        let path = self.folder.join(format!("{}.mp4", clip.sha256));
        fs::rename(&clip.path, &path)?;
        File::open(&self.folder)?.sync_all()?;
        clip.path = path;
        self.make_room(&clip.path)
    }

    fn make_room(&self, newest: &Path) -> io::Result<()> {
        let mut clips: Vec<(SystemTime, PathBuf)> = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let path = entry.path();
            if is_clip(&path) && path != newest {
                clips.push((entry.metadata()?.modified()?, path));
            }
        }
        clips.sort();
        let surplus = (clips.len() + 1).saturating_sub(CLIPS_KEPT);
        for (_, path) in clips.into_iter().take(surplus) {
            fs::remove_file(path)?;
        }
        Ok(())
    }
}

fn is_clip(path: &Path) -> bool {
    let stem = path.file_stem().and_then(OsStr::to_str).unwrap_or_default();
    path.extension() == Some(OsStr::new("mp4"))
        && stem.len() == 64
        && stem.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::director::Report;

    fn clip_at(path: PathBuf, number: u8) -> Clip {
        fs::write(&path, [number]).unwrap();
        Clip {
            path,
            size_bytes: 1,
            sha256: format!("{number:064x}"),
            codecs: String::new(),
            width_px: 2,
            height_px: 2,
            frame_rate: 30,
            frame_count: 2,
            job_id: "a".parse().unwrap(),
            poster_jpeg: Vec::new(),
            report: Report::default(),
        }
    }

    #[test]
    fn the_newest_clips_and_foreign_files_stay() {
        let folder = tempfile::tempdir().unwrap();
        let archive = Archive::open(folder.path()).unwrap();
        fs::write(folder.path().join("holiday.mp4"), "mine").unwrap();
        for number in 0..12 {
            let id = format!("j{number}").parse().unwrap();
            let mut clip = clip_at(archive.path_for(&id), number);
            archive.keep(&mut clip).unwrap();
            assert!(clip.path.is_file());
        }
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, CLIPS_KEPT + 1);
        assert!(folder.path().join("holiday.mp4").is_file());
    }

    #[test]
    fn a_folder_that_is_a_file_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(Archive::open(file.path()).is_err());
    }
}
