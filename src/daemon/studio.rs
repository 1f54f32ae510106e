//! The thread that renders.

use std::{
    any::Any,
    fs, io,
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc as thread_mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use tokio::sync::mpsc;

use super::{Renderer, archive::Archive, metrics::Metrics, pulse::Pulse};
use crate::{
    clip::Clip,
    config::{Camera, UrlSource},
    device::{
        fetch::{self, FetchError},
        source::{CommandSource, FileSource},
    },
    frames::Frame,
    pipeline::{Blame, Job, Onlooker, PipelineError, Stage},
    publication::{CameraState, Fault, JobPhase},
    request::{Request, Source},
    still::{Limits, Origin, StillSource},
};

/// Shortest time between two reports of progress.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(250);

/// One clip to be made.
pub(super) struct Commission {
    pub(super) request: Request,
    pub(super) limits: Limits,
    pub(super) camera: Camera,
    /// Where photographs may be fetched from.
    pub(super) url: Option<UrlSource>,
    /// Largest clip that can be published.
    pub(super) clip_bytes_max: Option<u64>,
    /// Threads to work with.
    pub(super) threads: Option<NonZeroUsize>,
}

/// What the studio reports, in order.
pub(super) enum StudioEvent {
    /// The job has come this far.
    Phase(JobPhase),
    /// The camera did or did not give a picture.
    Camera(CameraState),
    /// The job has ended.
    Ended(Result<Finished, Failure>),
    /// The thread has ended; nothing follows.
    Closed,
}

/// A clip and its bytes.
pub(super) struct Finished {
    pub(super) clip: Clip,
    pub(super) mp4: Arc<[u8]>,
}

/// There is no clip.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) fault: Fault,
    /// Ours or the device's, not the requester's.
    pub(super) is_ours: bool,
}

impl Failure {
    pub(super) fn ours(code: &str, message: String) -> Self {
        Self {
            fault: Fault {
                code: code.to_owned(),
                message,
            },
            is_ours: true,
        }
    }
}

impl From<PipelineError> for Failure {
    fn from(error: PipelineError) -> Self {
        Self {
            fault: Fault {
                code: error.code().to_owned(),
                message: error.to_string(),
            },
            is_ours: error.blame() == Blame::Device,
        }
    }
}

impl From<FetchError> for Failure {
    fn from(error: FetchError) -> Self {
        Self {
            fault: Fault {
                code: error.code().to_owned(),
                message: error.to_string(),
            },
            is_ours: error.is_ours(),
        }
    }
}

/// The way to the thread. It ends after this is dropped.
pub(super) struct Studio {
    commissions: thread_mpsc::SyncSender<Commission>,
    is_cancelled: Arc<AtomicBool>,
}

impl Studio {
    /// Starts the thread.
    pub(super) fn open(
        renderer: Arc<dyn Renderer>,
        archive: Archive,
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
            archive,
            reports,
            metrics,
            pulse,
            is_cancelled: Arc::clone(&is_cancelled),
        };
        thread::Builder::new()
            .name("studio".to_owned())
            .spawn(move || {
                for commission in accepted {
                    bench.work(&commission);
                }
                bench.report(StudioEvent::Closed);
            })?;
        let studio = Self {
            commissions,
            is_cancelled,
        };
        Ok((studio, events))
    }

    /// Hands in a clip to be made; only when none is in work.
    pub(super) fn commission(&self, commission: Commission) {
        self.commissions
            .try_send(commission)
            .expect("the desk hands in one clip at a time and the thread outlives it");
    }

    /// Ends the render under way, and every later one, at its next frame.
    pub(super) fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
    }
}

struct Bench {
    renderer: Arc<dyn Renderer>,
    archive: Archive,
    reports: mpsc::UnboundedSender<StudioEvent>,
    metrics: Arc<Metrics>,
    pulse: Arc<Pulse>,
    is_cancelled: Arc<AtomicBool>,
}

impl Bench {
    fn report(&self, event: StudioEvent) {
        // A desk that has gone wants no reports.
        let _ = self.reports.send(event);
    }

    fn work(&self, commission: &Commission) {
        self.pulse.beat();
        let path = self.archive.path_for(&commission.request.id);
        // A panic ends this clip alone: the renderer is shared but not changed
        // by a render, and the archive's state is the folder itself.
        let made = catch_unwind(AssertUnwindSafe(|| self.make(commission, &path)));
        let result = made.unwrap_or_else(|panic| {
            Err(Failure::ours(
                "internal",
                format!("render panicked: {}", said(&*panic)),
            ))
        });
        if result.is_err() {
            // Usually there is nothing to remove.
            let _ = fs::remove_file(&path);
        }
        self.pulse.rest();
        self.report(StudioEvent::Ended(result));
    }

    fn make(&self, commission: &Commission, path: &std::path::Path) -> Result<Finished, Failure> {
        let asked_at = Instant::now();
        let (photo, origin) = self.photo(commission)?;
        self.metrics.stage_took("capturing", asked_at.elapsed());
        let request = &commission.request;
        let job = Job {
            id: &request.id,
            photo: &photo,
            origin,
            limits: &commission.limits,
            look: request.look,
            shape: request.shape,
            clip_path: path,
            clip_bytes_max: commission.clip_bytes_max,
            threads: commission.threads,
        };
        let watcher = Watcher {
            bench: self,
            reported_at: Mutex::new(Instant::now()),
            stage: Mutex::new(None),
        };
        let started_at = Instant::now();
        let mut clip = self.renderer.render(&job, &watcher)?;
        watcher.stage_ends();
        self.metrics.render_took(started_at.elapsed());
        let unreadable = |error: io::Error| {
            Failure::ours("storage", format!("clip {}: {error}", path.display()))
        };
        self.archive.keep(&mut clip).map_err(unreadable)?;
        let mp4 = fs::read(&clip.path).map_err(unreadable)?.into();
        Ok(Finished { clip, mp4 })
    }

    fn photo(&self, commission: &Commission) -> Result<(Arc<[u8]>, Origin), Failure> {
        let bytes_max = commission.limits.bytes_max;
        let mut source: Box<dyn StillSource> =
            match (&commission.request.source, &commission.camera) {
                (Source::Photo(bytes), _) => return Ok((Arc::clone(bytes), Origin::Payload)),
                (Source::Url(photo), _) => {
                    self.report(StudioEvent::Phase(JobPhase::Capturing));
                    let bytes = fetch::fetch(commission.url.as_ref(), photo, bytes_max)?;
                    return Ok((bytes.into(), Origin::Url));
                }
                (Source::Path(path), _) | (Source::Camera, Camera::File(path)) => {
                    Box::new(FileSource::new(path, bytes_max))
                }
                (Source::Camera, Camera::Command { argv, timeout }) => {
                    Box::new(CommandSource::new(argv.clone(), *timeout, bytes_max))
                }
                (Source::Camera, Camera::None) => {
                    let fault = Fault {
                        code: "no_camera".to_owned(),
                        message: "no camera is configured, send a photo instead".to_owned(),
                    };
                    return Err(Failure {
                        fault,
                        is_ours: false,
                    });
                }
            };
        self.report(StudioEvent::Phase(JobPhase::Capturing));
        match source.capture() {
            Ok(bytes) => {
                self.report(StudioEvent::Camera(CameraState::Online));
                Ok((bytes.into(), source.origin()))
            }
            Err(error) => {
                self.report(StudioEvent::Camera(CameraState::Lost));
                Err(Failure::ours("camera", error.to_string()))
            }
        }
    }
}

struct Watcher<'a> {
    bench: &'a Bench,
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
}

impl Onlooker for Watcher<'_> {
    fn stage(&self, stage: Stage) {
        self.stage_begins(Some(match stage {
            Stage::Decoding => "decoding",
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
        self.bench.is_cancelled.load(Ordering::Relaxed)
    }
}

fn said(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
