//! The newest clips, as the server may hand them out.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

/// Clips that stay reachable: a display may still be fetching the one before.
const CLIPS_KEPT: usize = 4;

/// A clip that can be fetched.
#[derive(Clone, Debug)]
pub struct ShelfClip {
    /// SHA-256 of the file, lower-case hexadecimal; its name in the address.
    pub sha256: String,
    /// The MP4 file.
    pub path: PathBuf,
    /// The still as JPEG.
    pub poster_jpeg: Arc<[u8]>,
}

/// The last four clips; clones share one shelf. Holds no bytes but posters and
/// deletes no files.
#[derive(Clone, Debug, Default)]
pub struct Shelf {
    clips: Arc<Mutex<VecDeque<ShelfClip>>>,
}

impl Shelf {
    /// An empty shelf.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes `clip` the latest; the fifth oldest is no longer reachable.
    pub fn put(&self, clip: ShelfClip) {
        self.with(|clips| {
            clips.retain(|kept| kept.sha256 != clip.sha256);
            clips.push_front(clip);
            clips.truncate(CLIPS_KEPT);
        });
    }

    /// The clip that was put last.
    pub fn latest(&self) -> Option<ShelfClip> {
        self.with(|clips| clips.front().cloned())
    }

    /// The clip of this digest, if it is still here.
    pub fn find(&self, sha256: &str) -> Option<ShelfClip> {
        self.with(|clips| clips.iter().find(|clip| clip.sha256 == sha256).cloned())
    }

    fn with<T>(&self, act: impl FnOnce(&mut VecDeque<ShelfClip>) -> T) -> T {
        // The queue is whole between any two statements above, so a panic of
        // another thread spoils nothing.
        act(&mut self.clips.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
