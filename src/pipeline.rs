//! A photograph in, a clip out: the stages in order.
//!
//! The still and its poster are encoded while the network looks at it and its
//! motion is rehearsed; then workers draw, watch and encode the pieces of the clip
//! ([`film`]). The first error ends the render and is the one reported.

mod film;

mod rate;

mod reel;

mod watch;

use std::{fs::File, io, num::NonZeroUsize, path::Path, sync::Arc, thread};

use sha2::{Digest, Sha256};

use self::{
    film::{Film, workers_for},
    watch::Watched,
};
use crate::{
    burst::Burst,
    clip::{Clip, ClipError, NewEncoder, poster},
    device::memory,
    director::{Director, Refusal, Script},
    frames::{Frame, Renderer},
    motion::{Motion, Shares},
    observation::Observation,
    request::{JobId, Look, RequestError, Shape, Size},
    scene::{Network, NetworkError, Profile, Scene, Shown},
    still::{Limits, Origin, Still, StillError, decode},
};

/// One render, fully said.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// Names the job in the clip's record.
    pub id: &'a JobId,
    /// The encoded photograph.
    pub photo: &'a [u8],
    /// Where the photograph came from.
    pub origin: Origin,
    /// What was seen just before it, in the same framing.
    pub burst: Option<&'a Burst>,
    /// Why there is none, where one was wanted.
    pub burst_fault: Option<&'a str>,
    /// Whether the still is composed without those who pass through the burst; then
    /// there is no clip if they cannot be told.
    pub clean_plate: bool,
    /// What the photograph may be at most.
    pub limits: &'a Limits,
    /// How it shall move.
    pub look: Look,
    /// Size and length of the clip.
    pub shape: Shape,
    /// Where the MP4 shall stand; replaced atomically when it is complete.
    pub clip_path: &'a Path,
    /// Largest file, in bytes; what a broker takes in one packet, for example.
    pub clip_bytes_max: Option<u64>,
    /// Threads that draw and encode; as many as there are processors if not
    /// given. The clip does not depend on it.
    pub threads: Option<NonZeroUsize>,
}

/// The part of the work that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Decoding and fitting the photograph.
    Decoding,
    /// What moves in the burst before it is measured.
    Watching,
    /// The network looks at it.
    Looking,
    /// Frames are drawn and encoded.
    Rendering,
}

/// Watches a render from outside; every method has an empty default.
pub trait Onlooker: Sync {
    /// A stage begins.
    fn stage(&self, _stage: Stage) {}
    /// The scene is understood and its motion imagined; nothing is drawn yet.
    /// Called again, and followed by every frame again, when the director wants
    /// the clip calmer.
    fn imagined(
        &self,
        _scene: &Scene,
        _observation: Option<&Observation>,
        _motion: &Motion,
        _renderer: &Renderer,
    ) {
    }
    /// A frame has been drawn and encoded; `done` of `count` are. Called on
    /// several threads, for the frames in no order, and once more for each
    /// where the clip is encoded again to fit its budget.
    fn frame(&self, _frame: &Frame, _done: u32, _count: u32) {}
    /// Asked before every frame; `true` ends the render with
    /// [`PipelineError::Cancelled`].
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Makes the clip.
///
/// # Errors
/// The first cause, as [`PipelineError`]; nothing is left at `clip_path`.
pub fn render(
    network: &dyn Network,
    new_encoder: &NewEncoder,
    job: &Job<'_>,
    onlooker: &dyn Onlooker,
) -> Result<Clip, PipelineError> {
    onlooker.stage(Stage::Decoding);
    let shape = job.shape.validated()?;
    let look = job.look.validated()?;
    let photo = decode(job.photo, job.limits)?;
    let size = shape
        .size
        .unwrap_or_else(|| Size::fitting(photo.width_px, photo.height_px));
    thread::scope(|scope| {
        if threads_of(job).get() > 1 {
            let (profiles, width_px) = (network.profiles(), size.width_px());
            let profile = Profile::nearest(profiles, width_px, size.height_px());
            let prepare = move || network.prepare(profile);
            if let Err(error) = thread::Builder::new().spawn_scoped(scope, prepare) {
                log::debug!("no thread to prepare the network on: {error}");
            }
        }
        let still = Still::compose(&photo, size, job.origin);
        drop(photo);
        of_still(network, new_encoder, job, onlooker, (still, shape, look))
    })
}

/// Makes the clip of the still, while the network may not be ready yet.
fn of_still(
    network: &dyn Network,
    new_encoder: &NewEncoder,
    job: &Job<'_>,
    onlooker: &dyn Onlooker,
    (mut still, mut shape, look): (Still, Shape, Look),
) -> Result<Clip, PipelineError> {
    let watched = Watched::watch(job, network, &mut still, &mut shape, onlooker)?;
    memory::give_back();

    onlooker.stage(Stage::Looking);
    let planes = Arc::clone(&still.planes);
    let shown = Arc::new(Shown::to(network, &planes));
    let shown_beside = Arc::clone(&shown);
    let mut scene = None;
    let (kept, seen) = (&mut scene, watched.observation());
    let imagine = move || {
        let scene = &*kept.insert(Scene::look_at(network, shown, still, &look)?);
        memory::give_back();
        let period_s = shape.period_s();
        let (motion, shares) = match seen {
            Some(seen) => Motion::observe(scene, seen, period_s, &look),
            None => (Motion::imagine(scene, period_s, &look), Shares::default()),
        };
        let engine = network.engine();
        let mut script = Script::new(scene, motion, shape, look);
        let renderer = script.rehearse()?;
        Ok::<_, PipelineError>((script, renderer, shares, engine))
    };
    let workers = workers_for(shape.frame_count(), threads_of(job));
    let new_trial = || rate::trial(new_encoder, &planes, shape.frame_rate, workers);
    let encode_still = || {
        let outline = || shown_beside.segments();
        let before_filming = || rayon::join(new_trial, outline).0;
        rayon::join(before_filming, || poster::encode(&planes))
    };
    let (imagined, (trial, poster_jpeg)) = on_threads(job, || rayon::join(imagine, encode_still))?;
    let (mut script, mut renderer, shares, engine) = imagined?;
    let mut trial = Some(trial?);
    let poster_jpeg = poster_jpeg?;

    let (writer, report) = loop {
        onlooker.imagined(script.scene(), seen, script.motion(), &renderer);
        onlooker.stage(Stage::Rendering);
        memory::give_back();
        let director = Director::new(&planes, &renderer);
        let film = Film {
            renderer: &renderer,
            director: &director,
            still: &planes,
            new_encoder,
            job,
            workers,
            onlooker,
        };
        let trial = match trial.take() {
            Some(trial) => trial,
            None => on_threads(job, new_trial)??,
        };
        let (writer, seen) = film.shoot_within_budget(trial)?;
        if let Some(report) = on_threads(job, || script.judge(&director, seen))?? {
            break (writer, report);
        }
        drop(renderer);
        renderer = on_threads(job, || script.rehearse())??;
    };
    let codecs = writer.finish(job.clip_path)?;
    let (size_bytes, sha256) =
        digest(job.clip_path).map_err(|error| ClipError::write(job.clip_path, error))?;
    Ok(Clip {
        path: job.clip_path.to_owned(),
        size_bytes,
        sha256,
        codecs,
        width_px: planes.width_px(),
        height_px: planes.height_px(),
        frame_rate: shape.frame_rate,
        frame_count: shape.frame_count(),
        job_id: job.id.clone(),
        poster_jpeg,
        observation: watched.account(shares, report.is_breath),
        report,
        engine,
    })
}

/// Threads that work at the same time.
fn threads_of(job: &Job<'_>) -> NonZeroUsize {
    let processors = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    job.threads.unwrap_or_else(processors)
}

/// Works on as many threads as the job may use, which end with it and so give
/// their memory back.
fn on_threads<T: Send>(job: &Job<'_>, work: impl FnOnce() -> T + Send) -> Result<T, ClipError> {
    let threads = rayon::ThreadPoolBuilder::new()
        .num_threads(threads_of(job).get())
        .build()
        .map_err(|error| ClipError::Encoder(format!("no threads: {error}")))?;
    Ok(threads.install(work))
}

/// Size and SHA-256 of a file, read in pieces.
fn digest(path: &Path) -> io::Result<(u64, String)> {
    let mut hasher = Sha256::new();
    let size_bytes = io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok((size_bytes, format!("{:x}", hasher.finalize())))
}

/// Whose fault it is, and so what is done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// Answered with an error; nothing else changes.
    Requester,
    /// Ours or the device's: answered, logged, and shown as `degraded`.
    Device,
}

/// No clip came out.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The request asks for something impossible.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The photograph cannot be used.
    #[error(transparent)]
    Still(#[from] StillError),
    /// A still without those who pass by is wanted, and cannot be had.
    #[error("no clean plate: {0}")]
    Unclean(String),
    /// The network failed.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// Encoding or writing failed.
    #[error(transparent)]
    Clip(#[from] ClipError),
    /// The director found no clip in this motion that could be shown.
    #[error(transparent)]
    Director(#[from] Refusal),
    /// The onlooker asked to stop.
    #[error("cancelled")]
    Cancelled,
}

impl PipelineError {
    /// Whose fault it is. A refusal is mostly the photograph's, and the device
    /// is as good as before: another photograph, seed or strength may do.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Request(_) | Self::Still(_) | Self::Unclean(_) | Self::Cancelled => {
                Blame::Requester
            }
            Self::Director(refusal) if !refusal.is_ours() => Blame::Requester,
            Self::Network(_) | Self::Clip(_) | Self::Director(_) => Blame::Device,
        }
    }

    /// A stable word for answers: `bad_request`, `bad_photo`, `no_clean_plate`,
    /// `model`, `encode`, `refused`, `cancelled`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Request(_) => "bad_request",
            Self::Still(_) => "bad_photo",
            Self::Unclean(_) => "no_clean_plate",
            Self::Network(_) => "model",
            Self::Clip(_) => "encode",
            Self::Director(_) => "refused",
            Self::Cancelled => "cancelled",
        }
    }
}
