//! What runs the network: the best engine that works, and the next one where it
//! fails.
//!
//! | engine | file | runs in |
//! |---|---|---|
//! | `tensorrt`, `cuda`, `onnxruntime-cpu` | `onnxruntime`, `tensorrt` | a process of its own (`worker`, `protocol`) |
//! | `tract` | [`super::tract`] | this process; always there |
//!
//! Nothing waits for an engine to be tried out, measured or built: until then the
//! next one looks at the pictures.

mod library;

mod onnxruntime;

pub mod parity;

mod protocol;

mod standing;

mod tensorrt;

mod trial;

mod verdict;

pub mod worker;

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::watch;

pub use self::trial::test_picture;
use self::{
    standing::Standing,
    worker::{Order, StartError, Worker},
};
use super::{memory, model::Model, tract::TractNetwork};
use crate::{
    config::{Config, EngineChoice, Inference},
    scene::{
        Engine, EngineReport, Network, NetworkCard, NetworkError, NetworkInput, NetworkOutput,
        PassedOver, Profile,
    },
};

/// Time that an engine is left alone after it failed: what it lacked, such as
/// memory of the GPU, may be there again.
const REST_TIME: Duration = Duration::from_secs(600);
/// Why an engine is not used that nothing is known of yet.
const UNTRIED: &str = "is not tried out yet";

/// The network with all engines.
pub struct Engines {
    model: Arc<Model>,
    model_file: Option<PathBuf>,
    wanted: Inference,
    library: Result<PathBuf, String>,
    threads: Option<NonZeroUsize>,
    program: PathBuf,
    standing: Mutex<Standing>,
    told: watch::Sender<EngineReport>,
}

impl Engines {
    /// The network that `model_file` describes, or the one built in, run as
    /// `wanted`. `program` is this program, which is started again for engines
    /// that need a process of their own: [`worker::THIS_PROGRAM`].
    ///
    /// # Errors
    /// When the network is missing, altered or of another interface.
    pub fn open(
        model_file: Option<PathBuf>,
        wanted: Inference,
        threads: Option<NonZeroUsize>,
        program: PathBuf,
    ) -> Result<Self, NetworkError> {
        let model = Arc::new(Model::load(model_file.as_deref())?);
        let library = match wanted.engine {
            EngineChoice::Only(Engine::Tract) => Err("is not wanted".to_owned()),
            _ => library::find(wanted.library_file.as_deref()),
        };
        let opened = Self {
            model,
            model_file,
            wanted,
            library,
            threads,
            program,
            standing: Mutex::new(Standing {
                order: vec![Engine::Tract],
                ..Standing::default()
            }),
            told: watch::Sender::default(),
        };
        opened.begin();
        if opened.standing().order == [Engine::Tract] {
            // A network that cannot be run at all is told now and not at the first
            // picture.
            let _ = opened.network()?;
        }
        Ok(opened)
    }

    /// As [`Self::open`], with what is configured.
    ///
    /// # Errors
    /// Those of [`Self::open`].
    pub fn configured(config: &Config, program: PathBuf) -> Result<Self, NetworkError> {
        Self::open(
            config.model_file.clone(),
            config.inference.clone(),
            config.threads,
            program,
        )
    }

    /// What is known without trying anything out.
    fn begin(&self) {
        let mut standing = self.standing();
        match (&self.library, self.wanted.engine) {
            (_, EngineChoice::Only(Engine::Tract)) => {}
            (Err(reason), choice) => {
                for engine in self.candidates() {
                    standing.reason_is(engine, reason.clone());
                }
                if choice != EngineChoice::Auto || self.wanted.library_file.is_some() {
                    log::warn!("onnxruntime: {reason}; tract runs the network");
                }
            }
            (Ok(_), EngineChoice::Only(_)) => {
                standing.order = self.candidates();
                standing.order.push(Engine::Tract);
            }
            (Ok(_), EngineChoice::Auto) => {
                for engine in self.candidates() {
                    standing.reason_is(engine, UNTRIED.to_owned());
                }
                if let Some(paces) = self.known_paces() {
                    standing.rank(self.wanted.engine, &paces);
                }
            }
        }
        drop(standing);
        self.tell();
    }

    /// What is tried out, best first, tract aside.
    pub fn candidates(&self) -> Vec<Engine> {
        let from = match self.wanted.engine {
            EngineChoice::Auto => Engine::Tensorrt,
            EngineChoice::Only(engine) => engine,
        };
        let all = Engine::ALL.into_iter();
        all.filter(|engine| (from..Engine::Tract).contains(engine))
            .collect()
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        // Every change of it is complete by itself.
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What runs the network, and why nothing better does; as it changes.
    pub fn watch(&self) -> watch::Receiver<EngineReport> {
        self.told.subscribe()
    }

    /// What there is to say while this engine is used.
    fn report(&self, standing: &Standing, engine: Engine) -> EngineReport {
        let reason_of = |candidate: Engine| {
            let known = |passed: &&PassedOver| passed.engine == candidate;
            standing.reasons.iter().find(known).cloned()
        };
        let candidates = self.candidates().into_iter();
        EngineReport {
            engine,
            preparing: standing.preparing,
            passed_over: (candidates.take_while(|candidate| *candidate != engine))
                .filter_map(reason_of)
                .collect(),
        }
    }

    fn tell(&self) {
        let mut standing = self.standing();
        let engine = standing.usable().first().copied().unwrap_or_default();
        let report = self.report(&standing, engine);
        drop(standing);
        self.told.send_if_modified(|told| {
            let is_new = *told != report;
            *told = report;
            is_new
        });
    }

    /// ONNX Runtime's library.
    ///
    /// # Errors
    /// Why there is none that can be loaded.
    pub fn library(&self) -> Result<&Path, &str> {
        self.library.as_deref().map_err(String::as_str)
    }

    /// Starts an engine, tract among them, in a process of its own; with `build`
    /// one that has to be built first, too, in the background.
    ///
    /// # Errors
    /// [`StartError`] with why it does not work.
    pub fn start(&self, engine: Engine, build: bool) -> Result<Worker, StartError> {
        let library = match (&self.library, engine) {
            (_, Engine::Tract) => None,
            (Ok(library), _) => Some(library.clone()),
            (Err(reason), _) => return Err(StartError::Broken(reason.clone())),
        };
        let order = Order {
            engine,
            library,
            model: self.model_file.clone(),
            cache_dir: self.wanted.cache_dir.clone(),
            threads: self.threads,
            build,
        };
        Worker::start(&self.program, Arc::clone(&self.model), &order)
    }

    /// The best engine that works, in memory.
    fn network(&self) -> Result<(Engine, Arc<dyn Network>), NetworkError> {
        loop {
            let mut standing = self.standing();
            let best = standing.usable().first().copied().unwrap_or_default();
            if let Some((engine, network)) = &standing.running
                && *engine == best
            {
                return Ok((best, Arc::clone(network)));
            }
            let network: Arc<dyn Network> = match best {
                Engine::Tract => Arc::new(TractNetwork::new(Arc::clone(&self.model))?),
                _ => match self.start(best, false) {
                    Ok(worker) => Arc::new(worker),
                    Err(error) => {
                        drop(standing);
                        self.fails(best, &error.to_string());
                        continue;
                    }
                },
            };
            standing.running = Some((best, Arc::clone(&network)));
            return Ok((best, network));
        }
    }

    /// Passes over an engine for a while.
    fn fails(&self, engine: Engine, reason: &str) {
        let mut standing = self.standing();
        let is_news = standing.usable().contains(&engine);
        standing.reason_is(engine, reason.to_owned());
        standing.resting.push((engine, Instant::now() + REST_TIME));
        standing.running = None;
        let next = standing.usable().first().copied().unwrap_or_default();
        drop(standing);
        if is_news {
            log::warn!("engine {engine} is passed over: {reason}; {next} goes on");
        }
        self.tell();
    }

    /// Lets go of what can be had again soon. A GPU takes seconds to be started.
    pub fn rest(&self) {
        let mut standing = self.standing();
        if (standing.running.as_ref()).is_some_and(|(engine, _)| !engine.is_gpu()) {
            standing.running = None;
        }
        drop(standing);
        memory::give_back();
    }
}

impl Network for Engines {
    fn card(&self) -> &NetworkCard {
        self.model.card()
    }

    fn profiles(&self) -> &[Profile] {
        self.model.profiles()
    }

    fn prepare(&self, profile: Profile) {
        match self.network() {
            Ok((_, network)) => network.prepare(profile),
            Err(error) => log::debug!("not ready for {profile:?}: {error}"),
        }
    }

    fn infer(&self, input: &NetworkInput) -> Result<NetworkOutput, NetworkError> {
        loop {
            let (engine, network) = self.network()?;
            match network.infer(input) {
                Err(NetworkError::Inference(reason)) if engine != Engine::Tract => {
                    self.fails(engine, &reason);
                }
                answered => {
                    self.standing().used = Some(engine);
                    // One that was left alone for long enough is used again.
                    if self.told.borrow().engine != engine {
                        self.tell();
                    }
                    return answered;
                }
            }
        }
    }

    fn engine(&self) -> EngineReport {
        let standing = self.standing();
        match standing.used {
            Some(engine) => self.report(&standing, engine),
            None => self.told.borrow().clone(),
        }
    }
}
