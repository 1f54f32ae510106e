//! The thread that renders.

mod capture;

use std::{
    any::Any,
    fs, io,
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc::{self as thread_mpsc, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::sync::mpsc;

use super::{
    Renderer, failure::Failure, halt::Halt, metrics::Metrics, pulse::Pulse, sight::Sight,
    store::Store,
};
use crate::{
    clip::{Clip, ClipError},
    config::{Camera, Observation, UrlSource},
    device::repeats::Repeats,
    frames::Frame,
    journal::{Journal, Note, RequestDigest},
    pipeline::{Job, Onlooker, PipelineError, Stage},
    publication::{Fault, JobPhase},
    request::Request,
    still::{Capture, Limits, Origin},
};

/// Time without a render after which the network is let go. To load it takes a
/// tenth of a second, so clips in a row should not wait for it.
const IDLE_TIME: Duration = Duration::from_secs(20);
/// Shortest time between two reports of progress.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(250);

/// One clip to be made.
pub(super) struct Commission {
    /// The job's number in the journal, where its photograph is.
    pub(super) sequence: u64,
    pub(super) digest: RequestDigest,
    pub(super) request: Request,
    /// The journal knows already that this process renders it.
    pub(super) is_begun: bool,
    pub(super) limits: Limits,
    pub(super) camera: Camera,
    pub(super) observation: Observation,
    /// Where photographs may be fetched from.
    pub(super) url: Option<UrlSource>,
    /// Largest clip that can be published.
    pub(super) clip_bytes_max: Option<u64>,
    /// Threads to work with.
    pub(super) threads: Option<NonZeroUsize>,
    /// What may end it early.
    pub(super) halt: Arc<Halt>,
}

/// What the studio reports, in order.
pub(super) enum StudioEvent {
    /// The job has come this far.
    Phase(JobPhase),
    /// The camera did or did not give a picture.
    Camera(Sight),
    /// The job has ended.
    Ended(Box<Result<Clip, Failure>>),
    /// The thread has ended; nothing follows.
    Closed,
}

/// The way to the thread. It ends after this is dropped.
pub(super) struct Studio {
    commissions: thread_mpsc::SyncSender<Commission>,
    is_cancelled: Arc<AtomicBool>,
    camera_turn: Arc<Mutex<Repeats>>,
}

impl Studio {
    /// Starts the thread.
    pub(super) fn open(
        renderer: Arc<dyn Renderer>,
        journal: Journal,
        store: Store,
        metrics: Arc<Metrics>,
        pulse: Arc<Pulse>,
    ) -> io::Result<(Self, mpsc::UnboundedReceiver<StudioEvent>)> {
        // One in work, one at most under way to the thread.
        let (commissions, accepted) = thread_mpsc::sync_channel::<Commission>(1);
        // Unbounded on paper; in truth a few reports a second.
        let (reports, events) = mpsc::unbounded_channel();
        let is_cancelled = Arc::new(AtomicBool::new(false));
        let bench = Bench {
            renderer,
            journal,
            store,
            reports,
            metrics,
            pulse,
            is_cancelled: Arc::clone(&is_cancelled),
            camera_turn: Arc::default(),
        };
        let camera_turn = Arc::clone(&bench.camera_turn);
        thread::Builder::new()
            .name("studio".to_owned())
            .spawn(move || {
                while let Some(commission) = next(&accepted, bench.renderer.as_ref()) {
                    bench.work(&commission);
                }
                bench.report(StudioEvent::Closed);
            })?;
        let studio = Self {
            commissions,
            is_cancelled,
            camera_turn,
        };
        Ok((studio, events))
    }

    /// Hands in a clip to be made; only when none is in work.
    pub(super) fn commission(&self, commission: Commission) {
        self.commissions
            .try_send(commission)
            .expect("the desk hands in one clip at a time and the thread outlives it");
    }

    /// Held by whoever uses the camera: two programs at once it does not serve.
    pub(super) fn camera_turn(&self) -> Arc<Mutex<Repeats>> {
        Arc::clone(&self.camera_turn)
    }

    /// Ends the render under way, and every later one, at its next frame.
    pub(super) fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
    }
}

/// The next clip to be made, until there will be no more. Where it takes a while,
/// the renderer rests meanwhile.
fn next(
    accepted: &thread_mpsc::Receiver<Commission>,
    renderer: &dyn Renderer,
) -> Option<Commission> {
    match accepted.recv_timeout(IDLE_TIME) {
        Ok(commission) => Some(commission),
        Err(RecvTimeoutError::Timeout) => {
            renderer.rest();
            accepted.recv().ok()
        }
        Err(RecvTimeoutError::Disconnected) => None,
    }
}

struct Bench {
    renderer: Arc<dyn Renderer>,
    journal: Journal,
    store: Store,
    reports: mpsc::UnboundedSender<StudioEvent>,
    metrics: Arc<Metrics>,
    pulse: Arc<Pulse>,
    is_cancelled: Arc<AtomicBool>,
    camera_turn: Arc<Mutex<Repeats>>,
}

impl Bench {
    fn report(&self, event: StudioEvent) {
        // A desk that has gone wants no reports.
        let _ = self.reports.send(event);
    }

    fn work(&self, commission: &Commission) {
        self.pulse.beat();
        // A panic ends this clip alone: the renderer is shared but not changed
        // by a render, and journal and store are what is in their folders.
        let made = catch_unwind(AssertUnwindSafe(|| self.make(commission)));
        let result = made.unwrap_or_else(|panic| {
            Err(Failure::ours(
                "internal",
                format!("render panicked: {}", said(&*panic)),
            ))
        });
        self.pulse.rest();
        self.report(StudioEvent::Ended(Box::new(result)));
    }

    fn make(&self, commission: &Commission) -> Result<Clip, Failure> {
        if !commission.is_begun
            && let Err(error) = self.journal.note(commission.sequence, &Note::Begun)
        {
            // It only counts crashes.
            log::warn!("job {}: {error}", commission.request.id);
        }
        let asked_at = Instant::now();
        let (capture, origin) = self.photo(commission)?;
        self.metrics.stage_took("capturing", asked_at.elapsed());
        let path =
            (self.store.path_for(&commission.request.id)).map_err(|error| Failure::disk(&error))?;
        let made = self.draw(commission, &capture, origin, &path);
        if made.is_err() {
            // Usually there is nothing to remove.
            let _ = fs::remove_file(&path);
        }
        made
    }

    fn draw(
        &self,
        commission: &Commission,
        capture: &Capture,
        origin: Origin,
        path: &Path,
    ) -> Result<Clip, Failure> {
        let request = &commission.request;
        let is_watched = capture.burst.is_some() || capture.burst_fault.is_some();
        let job = |clip_bytes_max| Job {
            id: &request.id,
            photo: &capture.still,
            origin,
            burst: capture.burst.as_ref(),
            burst_fault: capture.burst_fault.as_deref(),
            clean_plate: request.clean_plate || (is_watched && commission.observation.clean_plate),
            limits: &commission.limits,
            look: request.look,
            shape: request.shape,
            clip_path: path,
            clip_bytes_max,
            threads: commission.threads,
        };
        let watcher = Watcher {
            bench: self,
            commission,
            reported_at: Mutex::new(Instant::now()),
            stage: Mutex::new(None),
        };
        let started_at = Instant::now();
        let mut made = self
            .renderer
            .render(&job(commission.clip_bytes_max), &watcher);
        if let Err(PipelineError::Clip(ClipError::Budget { bytes, bytes_max })) = &made
            && commission.clip_bytes_max == Some(*bytes_max)
        {
            // Coarser than the coarsest is not worth showing: then it is made
            // as fine as it deserves, and displays fetch it in chunks.
            log::info!(
                "job {}: {bytes} bytes at the coarsest do not fit {bytes_max}, made in full",
                request.id
            );
            made = self.renderer.render(&job(None), &watcher);
        }
        let mut clip = made.map_err(|error| match (error, watcher.halted()) {
            (PipelineError::Cancelled, Some(fault)) => fault.into(),
            (error, _) => Failure::from(error),
        })?;
        watcher.stage_ends();
        self.metrics.render_took(started_at.elapsed());
        self.store
            .keep(&mut clip, commission.sequence, &commission.digest)
            .map_err(|error| Failure::disk(&error))?;
        Ok(clip)
    }
}

struct Watcher<'a> {
    bench: &'a Bench,
    commission: &'a Commission,
    reported_at: Mutex<Instant>,
    /// The stage under way and when it began.
    stage: Mutex<Option<(&'static str, Instant)>>,
}

impl Watcher<'_> {
    fn stage_begins(&self, stage: Option<&'static str>) {
        self.bench.pulse.beat();
        let begun = stage.map(|stage| (stage, Instant::now()));
        let mut under_way = self.stage.lock().expect("no panic while it is held");
        if let Some((stage, since)) = std::mem::replace(&mut *under_way, begun) {
            self.bench.metrics.stage_took(stage, since.elapsed());
        }
    }

    fn stage_ends(&self) {
        self.stage_begins(None);
    }

    fn halted(&self) -> Option<Fault> {
        self.commission.halt.reason(&self.commission.request.id)
    }
}

impl Onlooker for Watcher<'_> {
    fn stage(&self, stage: Stage) {
        self.stage_begins(Some(match stage {
            Stage::Decoding => "decoding",
            Stage::Watching => "watching",
            Stage::Looking => "looking",
            Stage::Rendering => "rendering",
        }));
        if stage == Stage::Decoding {
            let phase = JobPhase::Rendering { progress: 0.0 };
            self.bench.report(StudioEvent::Phase(phase));
        }
    }

    fn frame(&self, _frame: &Frame, done: u32, count: u32) {
        self.bench.pulse.beat();
        if done >= count {
            self.bench.report(StudioEvent::Phase(JobPhase::Encoding));
            return;
        }
        let mut reported_at = self.reported_at.lock().expect("no panic while it is held");
        if reported_at.elapsed() >= PROGRESS_INTERVAL {
            *reported_at = Instant::now();
            let progress = done as f32 / count as f32;
            let phase = JobPhase::Rendering { progress };
            self.bench.report(StudioEvent::Phase(phase));
        }
    }

    fn is_cancelled(&self) -> bool {
        self.bench.is_cancelled.load(Ordering::Relaxed) || self.halted().is_some()
    }
}

fn said(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
