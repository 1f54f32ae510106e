//! What TensorRT has built for this network on this GPU, and whether it may be
//! used again.
//!
//! An engine is machine code for one GPU by one version of TensorRT. It is kept in
//! a folder named after the network, the versions and the GPU, and used only if a
//! manifest that was written after the last file names all of them with their
//! digests. Anything else is built anew.

use std::{
    ffi::{CStr, c_char, c_int},
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use libloading::Library;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::scene::Profile;

/// The folder in the cache folder.
const FOLDER: &str = "tensorrt";
const MANIFEST: &str = "manifest.json";
const TIMING: &str = "timing";
/// Largest manifest that is read, in bytes.
const MANIFEST_BYTES_MAX: u64 = 1 << 20;

/// What an engine is good for; with anything else it is foreign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    /// The network.
    pub(super) model_sha256: String,
    /// ONNX Runtime and TensorRT with their versions.
    pub(super) runtime: String,
    /// The GPU with its driver.
    pub(super) gpu: String,
}

#[derive(Serialize, Deserialize)]
struct Manifest {
    #[serde(flatten)]
    stamp: Stamp,
    files: Vec<Kept>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Kept {
    /// From the folder on.
    path: PathBuf,
    sha256: String,
}

/// The folder of the engines for one [`Stamp`].
pub(super) struct Cache {
    dir: PathBuf,
    stamp: Stamp,
}

impl Cache {
    /// The folder for this stamp; it need not exist.
    pub(super) fn of(cache_dir: &Path, stamp: Stamp) -> Self {
        let key = format!("{}\n{}\n{}", stamp.model_sha256, stamp.runtime, stamp.gpu);
        let key = format!("{:x}", Sha256::digest(key));
        Self {
            dir: cache_dir.join(FOLDER).join(&key[..16]),
            stamp,
        }
    }

    /// Waits until no other process builds in this cache; none does while what is
    /// returned is there.
    pub(super) fn lock(cache_dir: &Path) -> io::Result<fs::File> {
        let dir = cache_dir.join(FOLDER);
        fs::create_dir_all(&dir)?;
        let file = fs::File::create(dir.join("lock"))?;
        file.lock()?;
        Ok(file)
    }

    /// Where the engines of a profile are. ONNX Runtime names them by the network,
    /// whatever its input size.
    pub(super) fn dir_of(&self, profile: Profile) -> PathBuf {
        let name = format!("{}x{}", profile.width_px, profile.height_px);
        self.dir.join(name)
    }

    /// Where TensorRT notes how fast it found each kind of layer, for all profiles.
    /// Only building reads it.
    pub(super) fn timing_dir(&self) -> PathBuf {
        self.dir.join(TIMING)
    }

    /// Makes the folders, empty.
    pub(super) fn lay_out(&self, profiles: &[Profile]) -> io::Result<()> {
        match fs::remove_dir_all(&self.dir) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::create_dir_all(self.timing_dir())?;
        (profiles.iter()).try_for_each(|profile| fs::create_dir_all(self.dir_of(*profile)))
    }

    /// Whether everything is there as it was built.
    ///
    /// # Errors
    /// What is missing, altered or foreign.
    pub(super) fn check(&self) -> Result<(), String> {
        if !self.dir.exists() {
            return Err("no engine is built yet for this GPU".to_owned());
        }
        let checked = || -> anyhow::Result<()> {
            let file = self.dir.join(MANIFEST);
            let about = fs::metadata(&file).context("its building did not end")?;
            ensure!(
                about.len() <= MANIFEST_BYTES_MAX,
                "its manifest is too large"
            );
            let manifest: Manifest =
                serde_json::from_slice(&fs::read(&file)?).context("its manifest is damaged")?;
            ensure!(manifest.stamp == self.stamp, "it was built for another GPU");
            let engines = |kept: &&Kept| kept.path.extension().is_some_and(|e| e == "engine");
            ensure!(
                manifest.files.iter().any(|kept| engines(&kept)),
                "it has no engine"
            );
            if self.files()? != manifest.files {
                bail!("a file is altered, missing or foreign");
            }
            Ok(())
        };
        checked().map_err(|error| format!("the kept engine cannot be used: {error:#}"))
    }

    /// Declares what is there complete.
    pub(super) fn seal(&self) -> io::Result<()> {
        let manifest = Manifest {
            stamp: self.stamp.clone(),
            files: self.files()?,
        };
        let mut file = tempfile::NamedTempFile::new_in(&self.dir)?;
        serde_json::to_writer(&mut file, &manifest)?;
        file.as_file().sync_all()?;
        file.persist(self.dir.join(MANIFEST))?;
        Ok(())
    }

    /// The engines with their digests, by name.
    fn files(&self) -> io::Result<Vec<Kept>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let dir = entry?.path();
            if !dir.is_dir() || dir.ends_with(TIMING) {
                continue;
            }
            for entry in fs::read_dir(&dir)? {
                let file = entry?.path();
                let mut hasher = Sha256::new();
                io::copy(&mut fs::File::open(&file)?, &mut hasher)?;
                found.push(Kept {
                    path: file.strip_prefix(&self.dir).unwrap_or(&file).to_owned(),
                    sha256: format!("{:x}", hasher.finalize()),
                });
            }
        }
        found.sort();
        Ok(found)
    }
}

/// The version of the TensorRT that this process has loaded, such as `10.3.0`.
///
/// # Errors
/// When it has loaded none, or one that does not tell.
pub(super) fn version() -> Result<String, String> {
    let library = loaded("libnvinfer.so").ok_or("TensorRT (libnvinfer.so) is not loaded")?;
    // SAFETY: it is loaded already, so nothing of it runs here.
    let library = unsafe { Library::new(library) }.map_err(|error| error.to_string())?;
    // SAFETY: this is the function's type in NvInferRuntimeCommon.h.
    let version = unsafe { library.get::<extern "C" fn() -> c_int>(b"getInferLibVersion") };
    let number = version.map_err(|error| error.to_string())?();
    Ok(version_of(number))
}

/// `NV_TENSORRT_VERSION` has two digits for each part from 10 on, before that one
/// for the minor version.
fn version_of(number: c_int) -> String {
    let (major, minor) = if number >= 10_000 {
        (number / 10_000, number / 100 % 100)
    } else {
        (number / 1_000, number / 100 % 10)
    };
    format!("{major}.{minor}.{}", number % 100)
}

/// The file from which this process has loaded a library whose name begins so.
fn loaded(name: &str) -> Option<PathBuf> {
    let maps = fs::read_to_string("/proc/self/maps").ok()?;
    maps.lines()
        .filter_map(|line| line.find('/').map(|at| Path::new(&line[at..])))
        .find(|path| {
            let file = path.file_name().unwrap_or_default();
            file.to_string_lossy().starts_with(name)
        })
        .map(Path::to_owned)
}

/// `CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR` and `…_MINOR` of cuda.h.
const COMPUTE_CAPABILITY: [c_int; 2] = [75, 76];
/// Longest name of a GPU that is read, in bytes.
const GPU_NAME_BYTES_MAX: usize = 256;

/// The first GPU as its driver names it, such as
/// `Orin, compute capability 8.7, driver 12.6`.
///
/// # Errors
/// When there is no driver, or no GPU.
pub(super) fn gpu() -> Result<String, String> {
    // SAFETY: as for every library here: it is the driver, which whoever uses CUDA
    // has loaded.
    let driver = unsafe { Library::new("libcuda.so.1") }.map_err(|error| error.to_string())?;
    let checked = |function: &str, status: c_int| match status {
        0 => Ok(()),
        _ => Err(format!(
            "{function} of the GPU's driver failed with {status}"
        )),
    };
    macro_rules! call {
        ($name:ident: $type:ty, $($argument:expr),*) => {{
            // SAFETY: this is the function's type in cuda.h.
            let function = unsafe { driver.get::<$type>(stringify!($name).as_bytes()) };
            let function = function.map_err(|error| error.to_string())?;
            // SAFETY: what the pointers point to lives longer than the call.
            checked(stringify!($name), unsafe { function($($argument),*) })?
        }};
    }
    type One = unsafe extern "C" fn(c_int) -> c_int;
    type Out = unsafe extern "C" fn(*mut c_int) -> c_int;
    type Device = unsafe extern "C" fn(*mut c_int, c_int) -> c_int;
    type Name = unsafe extern "C" fn(*mut c_char, c_int, c_int) -> c_int;
    type Attribute = unsafe extern "C" fn(*mut c_int, c_int, c_int) -> c_int;
    let (mut device, mut version) = (0, 0);
    let mut name: [c_char; GPU_NAME_BYTES_MAX] = [0; GPU_NAME_BYTES_MAX];
    let mut capability = [0, 0];
    call!(cuInit: One, 0);
    call!(cuDeviceGet: Device, &mut device, 0);
    // The last byte stays 0, whatever the driver writes.
    let length = (GPU_NAME_BYTES_MAX - 1) as c_int;
    call!(cuDeviceGetName: Name, name.as_mut_ptr(), length, device);
    for (value, attribute) in capability.iter_mut().zip(COMPUTE_CAPABILITY) {
        call!(cuDeviceGetAttribute: Attribute, value, attribute, device);
    }
    call!(cuDriverGetVersion: Out, &mut version);
    // SAFETY: the array ends with 0.
    let name = unsafe { CStr::from_ptr(name.as_ptr()) }.to_string_lossy();
    let [major, minor] = capability;
    let driver = format!("{}.{}", version / 1000, version / 10 % 100);
    Ok(format!(
        "{name}, compute capability {major}.{minor}, driver {driver}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Profile = Profile {
        width_px: 64,
        height_px: 32,
    };

    fn stamp(gpu: &str) -> Stamp {
        Stamp {
            model_sha256: "00".to_owned(),
            runtime: "onnxruntime 1.23.0, tensorrt 10.3.0".to_owned(),
            gpu: gpu.to_owned(),
        }
    }

    fn built(folder: &Path, gpu: &str) -> Cache {
        let cache = Cache::of(folder, stamp(gpu));
        cache.lay_out(&[SMALL]).unwrap();
        let engine = cache.dir_of(SMALL).join("graph_fp16_sm87.engine");
        fs::write(engine, b"machine code").unwrap();
        cache.seal().unwrap();
        cache
    }

    #[test]
    fn versions_are_told_as_nvidia_does() {
        assert_eq!(version_of(8502), "8.5.2");
        assert_eq!(version_of(100_300), "10.3.0");
    }

    #[test]
    fn only_what_is_complete_and_as_it_was_built_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::of(folder.path(), stamp("Orin"));
        assert!(cache.check().unwrap_err().contains("no engine is built"));
        let cache = built(folder.path(), "Orin");
        cache.check().unwrap();
        fs::write(cache.timing_dir().join("sm87.timing"), b"times").unwrap();
        cache.check().unwrap();
        let engine = cache.dir_of(SMALL).join("graph_fp16_sm87.engine");
        let manifest = cache.dir.join(MANIFEST);
        let sealed = fs::read(&manifest).unwrap();

        let spoil: [(&str, &dyn Fn()); 6] = [
            ("altered", &|| fs::write(&engine, b"machine cod3").unwrap()),
            ("altered, missing", &|| fs::remove_file(&engine).unwrap()),
            ("foreign", &|| {
                fs::write(cache.dir_of(SMALL).join("b.engine"), b"").unwrap();
            }),
            ("did not end", &|| fs::remove_file(&manifest).unwrap()),
            ("damaged", &|| fs::write(&manifest, &sealed[..9]).unwrap()),
            ("no engine", &|| {
                fs::remove_dir_all(cache.dir_of(SMALL)).unwrap();
                cache.seal().unwrap();
            }),
        ];
        for (words, spoil) in spoil {
            built(folder.path(), "Orin").check().unwrap();
            spoil();
            let said = cache.check().unwrap_err();
            assert!(said.contains(words), "{words}: {said}");
        }
    }

    #[test]
    fn an_engine_of_another_gpu_is_not_looked_at_and_not_trusted() {
        let folder = tempfile::tempdir().unwrap();
        let xavier = built(folder.path(), "Xavier");
        let orin = Cache::of(folder.path(), stamp("Orin"));
        assert_ne!(orin.dir, xavier.dir);
        fs::rename(&xavier.dir, &orin.dir).unwrap();
        assert!(orin.check().unwrap_err().contains("another GPU"));
    }
}
