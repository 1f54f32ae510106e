//! How fast the engines were found to be, kept from one start to the next.

use std::{fs, io, path::Path, time::UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::scene::Engine;

const FILE: &str = "engines.json";
/// Largest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 16;

/// What the times are good for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Circumstances {
    pub(super) program_version: String,
    pub(super) model_sha256: String,
    pub(super) library: String,
    pub(super) library_bytes: u64,
    pub(super) library_modified_s: u64,
    /// Threads to compute with, 0 being one for each processor.
    pub(super) threads: usize,
}

impl Circumstances {
    /// Those of this program with that library.
    ///
    /// # Errors
    /// When the library is not there.
    pub(super) fn of(model_sha256: &str, library: &Path, threads: usize) -> io::Result<Self> {
        let about = fs::metadata(library)?;
        let modified = about.modified()?.duration_since(UNIX_EPOCH);
        Ok(Self {
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            model_sha256: model_sha256.to_owned(),
            library: library.display().to_string(),
            library_bytes: about.len(),
            library_modified_s: modified.map_or(0, |since| since.as_secs()),
            threads,
        })
    }
}

/// How long an engine takes for a picture.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Pace {
    pub(super) engine: Engine,
    /// Median, in milliseconds.
    pub(super) median_ms: f32,
}

#[derive(Serialize, Deserialize)]
struct Verdict {
    circumstances: Circumstances,
    paces: Vec<Pace>,
}

/// What was found under the same circumstances, the fastest first; nothing where
/// there is no such file, or one that is damaged.
pub(super) fn read(cache_dir: &Path, circumstances: &Circumstances) -> Option<Vec<Pace>> {
    let file = cache_dir.join(FILE);
    if fs::metadata(&file).ok()?.len() > FILE_BYTES_MAX {
        return None;
    }
    let verdict: Verdict = serde_json::from_slice(&fs::read(&file).ok()?).ok()?;
    let is_sound =
        !verdict.paces.is_empty() && (verdict.paces.iter()).all(|pace| pace.median_ms.is_finite());
    (is_sound && verdict.circumstances == *circumstances).then_some(verdict.paces)
}

/// Keeps what was found.
///
/// # Errors
/// When the folder cannot be written to.
pub(super) fn write(
    cache_dir: &Path,
    circumstances: &Circumstances,
    paces: &[Pace],
) -> io::Result<()> {
    fs::create_dir_all(cache_dir)?;
    let verdict = Verdict {
        circumstances: circumstances.clone(),
        paces: paces.to_vec(),
    };
    let mut file = tempfile::NamedTempFile::new_in(cache_dir)?;
    serde_json::to_writer_pretty(&mut file, &verdict)?;
    file.persist(cache_dir.join(FILE))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_holds_under_its_circumstances_alone() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("libonnxruntime.so");
        fs::write(&library, b"one").unwrap();
        let cache = folder.path().join("cache");
        let now = || Circumstances::of("00", &library, 0).unwrap();
        let paces = [Pace {
            engine: Engine::Tract,
            median_ms: 7.5,
        }];
        assert_eq!(read(&cache, &now()), None);
        write(&cache, &now(), &paces).unwrap();
        assert_eq!(read(&cache, &now()).as_deref(), Some(&paces[..]));
        let others = Circumstances::of("11", &library, 0).unwrap();
        assert_eq!(read(&cache, &others), None);
        fs::write(&library, b"another").unwrap();
        assert_eq!(read(&cache, &now()), None);
        write(&cache, &now(), &paces).unwrap();
        fs::write(cache.join(FILE), b"{\"circumstances\":").unwrap();
        assert_eq!(read(&cache, &now()), None);
    }
}
