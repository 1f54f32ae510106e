//! A photograph in, a clip out: the stages in order, on named threads.
//!
//! Decoding and looking happen once; then workers draw frames in parallel while
//! one thread puts them in order, shows them to the director and encodes them.
//! A fixed number of frames circulates, so memory does not depend on the
//! clip's length. The first error ends the render and is the one reported.

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    num::NonZeroU32,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use sha2::{Digest, Sha256};

use crate::{
    clip::{Clip, ClipError, VideoEncoder, mp4::Mp4Writer, poster},
    director::{Director, Report},
    frames::{Frame, Renderer},
    motion::Motion,
    picture::Yuv420,
    request::{JobId, Look, RequestError, Shape, Size},
    scene::{Network, NetworkError, Scene},
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
    /// What the photograph may be at most.
    pub limits: &'a Limits,
    /// How it shall move.
    pub look: Look,
    /// Size and length of the clip.
    pub shape: Shape,
    /// Where the MP4 shall stand; replaced atomically when it is complete.
    pub clip_path: &'a Path,
}

/// The part of the work that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Decoding and fitting the photograph.
    Decoding,
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
    fn imagined(&self, _scene: &Scene, _motion: &Motion, _renderer: &Renderer) {}
    /// Frame `index` of `count` has been drawn; called in order.
    fn frame(&self, _index: u32, _count: u32, _planes: &Yuv420) {}
    /// Asked before every frame; `true` ends the render with
    /// [`PipelineError::Cancelled`].
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Makes the encoder of one clip from its width, height and frame rate.
pub type NewEncoder = dyn Fn(usize, usize, u32) -> Result<Box<dyn VideoEncoder>, ClipError> + Sync;

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
    let still = {
        let photo = decode(job.photo, job.limits)?;
        let size = shape
            .size
            .unwrap_or_else(|| Size::fitting(photo.width_px, photo.height_px));
        Still::compose(&photo, size, job.origin)
    };

    onlooker.stage(Stage::Looking);
    let scene = Scene::look(network, still, &look)?;
    let motion = Motion::imagine(&scene, shape.period_s(), &look);
    let renderer = Renderer::new(&scene, &motion, shape);
    onlooker.imagined(&scene, &motion, &renderer);

    onlooker.stage(Stage::Rendering);
    let planes = &scene.still.planes;
    let (width_px, height_px) = (planes.width_px(), planes.height_px());
    let encoder = new_encoder(width_px, height_px, shape.frame_rate)?;
    let (codecs, mut report) = film(&renderer, planes, encoder, job, onlooker)?;
    report.is_breath = motion.is_breath;
    let (size_bytes, sha256) =
        digest(job.clip_path).map_err(|error| ClipError::write(job.clip_path, error))?;
    Ok(Clip {
        path: job.clip_path.to_owned(),
        size_bytes,
        sha256,
        codecs,
        width_px,
        height_px,
        frame_rate: shape.frame_rate,
        frame_count: renderer.frame_count(),
        job_id: job.id.clone(),
        poster_jpeg: poster::encode(planes)?,
        report,
    })
}

/// Draws and encodes every frame, and completes the file.
fn film(
    renderer: &Renderer,
    still: &Yuv420,
    mut encoder: Box<dyn VideoEncoder>,
    job: &Job<'_>,
    onlooker: &dyn Onlooker,
) -> Result<(String, Report), PipelineError> {
    let count = renderer.frame_count();
    let frame_rate = NonZeroU32::new(job.shape.frame_rate).expect("a validated rate is not 0");
    let mut writer = Mp4Writer::create(job.clip_path, frame_rate, count)?;
    let director = Director::new(still, renderer);
    let mut watcher = director.watcher();

    let workers = thread::available_parallelism().map_or(1, usize::from);
    let circulating = workers + 2;
    let (give_back, blanks) = sync_channel(circulating);
    let (deliver, drawn) = sync_channel(circulating);
    for _ in 0..circulating {
        give_back
            .send(renderer.blank())
            .expect("the channel holds every circulating frame");
    }
    let studio = Studio {
        renderer,
        next: AtomicU32::new(0),
        blanks: Mutex::new(blanks),
        is_over: AtomicBool::new(false),
    };
    thread::scope(|scope| {
        for worker in 0..workers {
            let (studio, deliver) = (&studio, deliver.clone());
            thread::Builder::new()
                .name(format!("frames-{worker}"))
                .spawn_scoped(scope, move || studio.draw_frames(&deliver))
                .map_err(|error| ClipError::Encoder(format!("no thread: {error}")))?;
        }
        drop(deliver);
        let filmed = in_order(&drawn, count, |frame| {
            if onlooker.is_cancelled() {
                return Err(PipelineError::Cancelled);
            }
            onlooker.frame(frame.index, count, &frame.planes);
            watcher.watch(&frame);
            writer.append(&encoder.encode(&frame.planes)?)?;
            // No worker waits for it any more when the clip is complete.
            let _ = give_back.send(frame);
            Ok(())
        });
        studio.is_over.store(true, Ordering::Relaxed);
        drop(give_back);
        drop(drawn);
        filmed
    })?;
    let report = director.judge(watcher.seen());
    Ok((writer.finish(job.clip_path)?, report))
}

/// What the drawing threads share.
struct Studio<'a> {
    renderer: &'a Renderer,
    next: AtomicU32,
    blanks: Mutex<Receiver<Frame>>,
    is_over: AtomicBool,
}

impl Studio<'_> {
    /// Takes a blank frame first and a number second, so that whoever holds the
    /// lowest number always has a frame to draw it on.
    fn draw_frames(&self, deliver: &SyncSender<Frame>) {
        loop {
            let blank = {
                let blanks = self.blanks.lock().expect("receiving does not panic");
                blanks.recv()
            };
            let Ok(mut frame) = blank else { return };
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            if index >= self.renderer.frame_count() || self.is_over.load(Ordering::Relaxed) {
                return;
            }
            self.renderer.draw(index, &mut frame);
            if deliver.send(frame).is_err() {
                return;
            }
        }
    }
}

/// Hands over `count` frames in the order of their index.
fn in_order(
    drawn: &Receiver<Frame>,
    count: u32,
    mut hand_over: impl FnMut(Frame) -> Result<(), PipelineError>,
) -> Result<(), PipelineError> {
    let mut early = BTreeMap::new();
    for expected in 0..count {
        let frame = loop {
            if let Some(frame) = early.remove(&expected) {
                break frame;
            }
            let frame = drawn
                .recv()
                .map_err(|_| ClipError::Encoder("a drawing thread ended early".to_owned()))?;
            early.insert(frame.index, frame);
        };
        hand_over(frame)?;
    }
    Ok(())
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
    /// The network failed.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// Encoding or writing failed.
    #[error(transparent)]
    Clip(#[from] ClipError),
    /// The onlooker asked to stop.
    #[error("cancelled")]
    Cancelled,
}

impl PipelineError {
    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Request(_) | Self::Still(_) | Self::Cancelled => Blame::Requester,
            Self::Network(_) | Self::Clip(_) => Blame::Device,
        }
    }

    /// A stable word for answers: `bad_request`, `bad_photo`, `model`,
    /// `encode`, `cancelled`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Request(_) => "bad_request",
            Self::Still(_) => "bad_photo",
            Self::Network(_) => "model",
            Self::Clip(_) => "encode",
            Self::Cancelled => "cancelled",
        }
    }
}
