//! The network by ONNX Runtime: on the processors, by CUDA, by TensorRT.
//!
//! The library is foreign code that is loaded while the program runs, and what it
//! loads in turn (CUDA, cuDNN, TensorRT, the driver) may be of any version: so this
//! runs in a process of its own alone, see [`super::worker`].

use std::{
    ffi::{CStr, c_char},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use ort::{
    environment::Environment,
    ep::{CUDA, ExecutionProviderDispatch, TensorRT},
    logging::LogLevel,
    session::{Session, builder::SessionBuilder},
    sys::OrtApiBase,
    value::TensorRef,
};

use super::{
    protocol::Details,
    tensorrt::{self, Cache, Stamp},
};
use crate::{
    device::model::{INPUTS, Model, OUTPUTS, input_shapes, input_values, output},
    scene::{Engine, Network, NetworkCard, NetworkError, NetworkInput, NetworkOutput, Profile},
};

/// Why an engine cannot be used.
#[derive(Debug)]
pub(super) enum Unusable {
    /// It has to be built first, which takes minutes.
    Unbuilt(String),
    /// It does not work here.
    Broken(String),
}

/// Anything that the library says.
fn broken(error: impl std::fmt::Display) -> Unusable {
    Unusable::Broken(plain(&error.to_string()))
}

/// An error of the library without the place in its source and its number, which
/// stand before what it is about.
fn plain(said: &str) -> String {
    let rest = said.split_once("[ONNXRuntimeError] : ");
    let plain = rest.and_then(|(_, rest)| rest.splitn(3, " : ").nth(2));
    plain.unwrap_or(said).to_owned()
}

/// What to run, and with what.
pub(super) struct Setup {
    pub(super) engine: Engine,
    pub(super) library: PathBuf,
    pub(super) cache_dir: Option<PathBuf>,
    pub(super) threads: NonZeroUsize,
    /// Builds what is not built yet, however long it takes.
    pub(super) may_build: bool,
}

/// The network in ONNX Runtime.
pub(super) struct OnnxRuntime {
    model: Arc<Model>,
    environment: Environment,
    engine: Engine,
    threads: NonZeroUsize,
    cache: Option<Cache>,
    /// One for each profile that was used.
    sessions: Mutex<Vec<(Profile, Session)>>,
    details: Details,
}

impl OnnxRuntime {
    /// Loads the library and finds out whether the engine works, without reading
    /// the network.
    ///
    /// # Errors
    /// [`Unusable`] with what the library or the loader says.
    pub(super) fn open(model: Arc<Model>, setup: &Setup) -> Result<Self, Unusable> {
        let version = version(&setup.library)?;
        let environment = ort::init_from(&setup.library)
            .map_err(broken)?
            .with_name("zoetrope")
            .with_telemetry(false)
            .with_logger(Arc::new(|level, _, _, _, message: &str| {
                let level = match level {
                    LogLevel::Fatal | LogLevel::Error => log::Level::Error,
                    LogLevel::Warning => log::Level::Warn,
                    LogLevel::Info | LogLevel::Verbose => log::Level::Trace,
                };
                log::log!(level, "{message}");
            }))
            .build()
            .map_err(broken)?;
        environment.set_log_level(LogLevel::Warning);
        let mut opened = Self {
            model,
            environment,
            engine: setup.engine,
            threads: setup.threads,
            cache: None,
            sessions: Mutex::default(),
            details: Details {
                runtime: format!("onnxruntime {version}"),
                gpu: None,
            },
        };
        if setup.engine.is_gpu() {
            // That a provider is compiled in says nothing of the libraries that it
            // needs; registered, it loads them.
            opened.builder(&opened.providers(None))?;
            opened.details.gpu = Some(tensorrt::gpu().map_err(Unusable::Broken)?);
        }
        if setup.engine == Engine::Tensorrt {
            opened.cache = Some(opened.cache_of(setup)?);
        }
        Ok(opened)
    }

    /// What is known of it.
    pub(super) fn details(&self) -> &Details {
        &self.details
    }

    /// What TensorRT has built before; or builds it now.
    fn cache_of(&mut self, setup: &Setup) -> Result<Cache, Unusable> {
        let tensorrt = tensorrt::version().map_err(Unusable::Broken)?;
        self.details.runtime += &format!(", tensorrt {tensorrt}");
        let Some(cache_dir) = &setup.cache_dir else {
            return Err(broken("no folder is given to keep what TensorRT builds"));
        };
        let stamp = Stamp {
            model_sha256: self.model.card().sha256.clone(),
            runtime: self.details.runtime.clone(),
            gpu: self.details.gpu.clone().unwrap_or_default(),
        };
        let cache = Cache::of(cache_dir, stamp);
        // The daemon and a warm-up may both find that there is something to build.
        let _lock =
            (setup.may_build.then(|| Cache::lock(cache_dir)).transpose()).map_err(broken)?;
        match cache.check() {
            Ok(()) => return Ok(cache),
            Err(reason) if !setup.may_build => return Err(Unusable::Unbuilt(reason)),
            Err(reason) => log::info!("tensorrt builds: {reason}"),
        }
        let profiles = self.model.profiles();
        cache.lay_out(profiles).map_err(broken)?;
        for profile in profiles {
            // Built when the session is made, and written by the time it is gone.
            drop(self.session(*profile, Some(&cache))?);
        }
        cache.seal().map_err(broken)?;
        Ok(cache)
    }

    /// What computes, best first; the processors come last by themselves, for the
    /// few nodes that no GPU takes.
    fn providers(&self, cache: Option<(&Cache, Profile)>) -> Vec<ExecutionProviderDispatch> {
        let cuda = || {
            // TF32 would halve the digits that the tolerance asks for.
            CUDA::default().with_tf32(false).build().error_on_failure()
        };
        let tensorrt = || {
            let mut provider = TensorRT::default().with_fp16(true);
            if let Some((cache, profile)) = cache {
                provider = provider
                    .with_engine_cache(true)
                    .with_engine_cache_path(cache.dir_of(profile).display())
                    .with_timing_cache(true)
                    .with_timing_cache_path(cache.timing_dir().display());
            }
            provider.build().error_on_failure()
        };
        match self.engine {
            Engine::Tensorrt => vec![tensorrt(), cuda()],
            Engine::Cuda => vec![cuda()],
            Engine::OnnxruntimeCpu | Engine::Tract => Vec::new(),
        }
    }

    fn builder(&self, providers: &[ExecutionProviderDispatch]) -> Result<SessionBuilder, Unusable> {
        Session::builder(&self.environment)
            .map_err(broken)?
            .with_intra_threads(self.threads.get())
            .map_err(broken)?
            // One picture, then a pause of seconds: threads that spin while they
            // wait take the processors from the renderer.
            .with_intra_op_spinning(false)
            .map_err(broken)?
            .with_execution_providers(providers)
            .map_err(broken)
    }

    fn session(&self, profile: Profile, cache: Option<&Cache>) -> Result<Session, Unusable> {
        let kept = cache.map(|cache| (cache, profile));
        let mut builder = self.builder(&self.providers(kept))?;
        for (dimension, length) in [
            ("height", profile.height_px),
            ("width", profile.width_px),
            ("quarter_height", profile.grid_height()),
            ("quarter_width", profile.grid_width()),
        ] {
            builder =
                (builder.with_dimension_override(dimension, length as i64)).map_err(broken)?;
        }
        builder.commit_from_memory(&self.model.onnx).map_err(broken)
    }

    fn run(&self, input: &NetworkInput) -> Result<NetworkOutput, String> {
        let profile = input.profile;
        let mut sessions = self.sessions.lock().expect("no panic while it is held");
        let known = sessions.iter().position(|(known, _)| *known == profile);
        let at = match known {
            Some(at) => at,
            None => {
                let session = match self.session(profile, self.cache.as_ref()) {
                    Ok(session) => session,
                    Err(Unusable::Broken(reason) | Unusable::Unbuilt(reason)) => {
                        return Err(reason);
                    }
                };
                sessions.push((profile, session));
                sessions.len() - 1
            }
        };
        let session = &mut sessions[at].1;
        let said = |error: ort::Error| plain(&error.to_string());
        let mut inputs = Vec::with_capacity(INPUTS.len());
        for ((name, shape), values) in
            (INPUTS.into_iter().zip(input_shapes(profile))).zip(input_values(input))
        {
            inputs.push((
                name,
                TensorRef::from_array_view((shape, values)).map_err(said)?,
            ));
        }
        let answers = session.run(inputs).map_err(said)?;
        let mut outputs = Vec::with_capacity(OUTPUTS.len());
        for name in OUTPUTS {
            let answer = (answers.get(name)).ok_or_else(|| format!("there is no output {name}"))?;
            let (_, values) = answer.try_extract_tensor::<f32>().map_err(said)?;
            outputs.push(values.to_vec());
        }
        output(profile, outputs).map_err(|error| format!("{error:#}"))
    }
}

impl Network for OnnxRuntime {
    fn card(&self) -> &NetworkCard {
        self.model.card()
    }

    fn profiles(&self) -> &[Profile] {
        self.model.profiles()
    }

    fn infer(&self, input: &NetworkInput) -> Result<NetworkOutput, NetworkError> {
        self.run(input).map_err(NetworkError::Inference)
    }
}

/// The library's version. Loads it, which runs code of its own.
fn version(library: &Path) -> Result<String, Unusable> {
    // SAFETY: what the library does when it is loaded cannot be known; that is why
    // this process has nothing else to do.
    let loaded = unsafe { libloading::Library::new(library) }.map_err(broken)?;
    // SAFETY: this is the type of that function in every version of the library.
    let base = unsafe { loaded.get::<extern "C" fn() -> *const OrtApiBase>(b"OrtGetApiBase") };
    let base = base.map_err(|_| broken(format!("{} is no ONNX Runtime", library.display())))?();
    if base.is_null() {
        return Err(broken(format!("{} has no interface", library.display())));
    }
    // SAFETY: the library hands out a constant structure that begins with the
    // functions of this type, and is loaded until the end of this function.
    let text: *const c_char = unsafe { ((*base).GetVersionString)() };
    if text.is_null() {
        return Err(broken(format!("{} has no version", library.display())));
    }
    // SAFETY: the version is a constant string that ends with 0.
    let version = unsafe { CStr::from_ptr(text) };
    Ok(version.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_without_its_place() {
        let said = "/src/provider_bridge_ort.cc:2043 Provider& Get() [ONNXRuntimeError] : 1 : \
                    FAIL : Failed to load library a.so with error: b.so : missing";
        let plain_text = "Failed to load library a.so with error: b.so : missing";
        assert_eq!(plain(said), plain_text);
        assert_eq!(plain("is not enabled"), "is not enabled");
    }
}
