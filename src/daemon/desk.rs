//! The task that owns everything that changes.

mod announce;

mod intake;

mod pacing;

mod reload;

mod submission;

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::{Instant, timeout_at},
};

pub(super) use self::submission::Submission;
use self::{announce::Announcer, pacing::Pacing};
use super::{
    heat::Heat,
    ledger::{Address, Ledger, Outcome},
    metrics::Metrics,
    studio::{Commission, Failure, Finished, Studio, StudioEvent},
};
use crate::{
    config::{Camera, Config},
    device::{
        http::{Shelf, ShelfClip},
        mqtt::{Connection, Message},
    },
    publication::{
        CameraState, ClipNotice, DaemonState, Fault, Info, JobEvent, JobPhase, Order, Publication,
        Response, State, Topics, Version,
    },
    request::JobId,
    scene::NetworkCard,
};

/// Time after which the broker forgets what happened to a job, in seconds.
const JOB_EVENT_EXPIRY_S: u32 = 3600;
/// Time that a render has to notice that it is cancelled.
const CANCEL_TIME_MAX: Duration = Duration::from_secs(2);

/// Room for topic and properties of the packet that carries a clip: a device id
/// and a job id of at most 64 characters, and a few short ones.
const CLIP_PACKET_HEAD_BYTES_MAX: usize = 1024;

/// What the desk is told from inside the process.
pub(super) enum Control {
    Stop,
    Reload(Box<Config>),
    /// Asks for a sign of life.
    Ping(oneshot::Sender<()>),
    /// A trigger asks for a clip.
    Submit(Submission),
}

struct CurrentJob {
    id: JobId,
    transaction: Option<String>,
    /// Runs once the clip is made.
    announcement: Option<JoinHandle<Announced>>,
}

type Announced = Result<ClipNotice, Failure>;

pub(super) struct Desk {
    config: Config,
    topics: Topics,
    card: NetworkCard,
    connection: Arc<Connection>,
    studio: Studio,
    shelf: Shelf,
    queue: VecDeque<Order>,
    current: Option<CurrentJob>,
    ledger: Ledger,
    camera: CameraState,
    /// Why the last job failed, if it was our own fault.
    trouble: Option<String>,
    pacing: Pacing,
    /// Triggers that wait for the end of their job.
    listeners: HashMap<JobId, oneshot::Sender<Outcome>>,
    metrics: Arc<Metrics>,
    shown: Option<State>,
    is_stopping: bool,
}

impl Desk {
    pub(super) fn new(
        config: Config,
        card: NetworkCard,
        connection: Connection,
        studio: Studio,
        shelf: Shelf,
        metrics: Arc<Metrics>,
        heat: watch::Receiver<Heat>,
    ) -> Self {
        Self {
            pacing: Pacing::new(heat, config.thermal.pause),
            listeners: HashMap::new(),
            metrics,
            topics: Topics::new(&config.device_id),
            camera: camera_unused(&config.camera),
            config,
            card,
            connection: Arc::new(connection),
            studio,
            shelf,
            queue: VecDeque::new(),
            current: None,
            ledger: Ledger::default(),
            trouble: None,
            shown: None,
            is_stopping: false,
        }
    }

    /// Works until told to stop.
    pub(super) async fn serve(
        mut self,
        mut messages: mpsc::Receiver<Message>,
        mut events: mpsc::UnboundedReceiver<StudioEvent>,
        mut controls: mpsc::Receiver<Control>,
        farewell: Publication,
    ) {
        self.show_info();
        self.show_state();
        loop {
            tokio::select! {
                control = controls.recv() => match control {
                    Some(Control::Reload(config)) => self.reload(*config),
                    // Whoever has asked may have gone.
                    Some(Control::Ping(answer)) => drop(answer.send(())),
                    Some(Control::Submit(submission)) => self.submit(submission),
                    Some(Control::Stop) | None => break,
                },
                Some(event) = events.recv() => self.studio_says(event),
                result = announcement(&mut self.current) => self.end(result),
                () = self.pacing.changed() => {}
                Some(message) = messages.recv() => self.take(&message),
            }
            self.start_next();
            self.show_state();
        }
        self.stop(&mut events, farewell).await;
    }

    fn start_next(&mut self) {
        if self.current.is_some() || !self.pacing.may_start() {
            return;
        }
        let Some(order) = self.queue.pop_front() else {
            return;
        };
        log::info!("job {} is rendered", order.request.id);
        self.current = Some(CurrentJob {
            id: order.request.id.clone(),
            transaction: order.transaction,
            announcement: None,
        });
        self.studio.commission(Commission {
            request: order.request,
            limits: self.config.photo_limits,
            camera: self.config.camera.clone(),
            url: self.config.url.clone(),
            clip_bytes_max: self.clip_bytes_max(),
            threads: self.config.threads,
        });
    }

    /// What fits the broker's largest packet, unless HTTP carries what does not.
    fn clip_bytes_max(&self) -> Option<u64> {
        let packet_bytes_max = self.connection.link().borrow().packet_bytes_max?;
        let clip_bytes_max = packet_bytes_max.saturating_sub(CLIP_PACKET_HEAD_BYTES_MAX);
        self.config.http.is_none().then_some(clip_bytes_max as u64)
    }

    fn studio_says(&mut self, event: StudioEvent) {
        match event {
            StudioEvent::Camera(state) => self.camera = state,
            StudioEvent::Phase(phase) => {
                if let Some(job) = &self.current {
                    let event = JobEvent::new(&job.id, job.transaction.clone(), phase);
                    let publication = Publication::json(self.topics.job(&job.id), &event);
                    // Progress that comes late is worth nothing.
                    self.connection
                        .offer(publication.expiring(JOB_EVENT_EXPIRY_S));
                }
            }
            StudioEvent::Ended(Ok(finished)) => self.announce(finished),
            StudioEvent::Ended(Err(failure)) => self.end(Err(failure)),
            StudioEvent::Closed => {}
        }
    }

    fn announce(&mut self, finished: Finished) {
        let Some(job) = &mut self.current else { return };
        let clip = &finished.clip;
        self.shelf.put(ShelfClip {
            sha256: clip.sha256.clone(),
            path: clip.path.clone(),
            poster_jpeg: clip.poster_jpeg.clone().into(),
        });
        // A path alone: a display knows the board by a name that we do not.
        let url = self.config.http.as_ref();
        let url = url.map(|_| format!("/clips/{}.mp4", clip.sha256));
        let announcer = Announcer {
            connection: Arc::clone(&self.connection),
            topics: self.topics.clone(),
            url,
        };
        job.announcement = Some(tokio::spawn(announcer.announce(finished)));
    }

    fn end(&mut self, result: Announced) {
        let Some(job) = self.current.take() else {
            return;
        };
        self.pacing.rest();
        let failure = result.as_ref().err();
        self.metrics
            .ended(failure.map(|failure| failure.fault.code.as_str()));
        let (outcome, trouble) = match result {
            Ok(notice) => {
                let (bytes, sha256) = (notice.bytes, &notice.sha256);
                log::info!(
                    "job {} is published, {bytes} bytes, sha256 {sha256}",
                    job.id
                );
                (Ok(notice), None)
            }
            Err(failure) => {
                let message = &failure.fault.message;
                log::error!("job {} failed: {message}", job.id);
                let trouble = failure.is_ours.then(|| message.clone());
                (Err(failure.fault), trouble)
            }
        };
        // The requester's own fault says nothing about our health.
        if outcome.is_ok() || trouble.is_some() {
            self.trouble = trouble;
        }
        self.close_job(&job.id, &job.transaction, &outcome);
    }

    fn close_job(&mut self, id: &JobId, transaction: &Option<String>, outcome: &Outcome) {
        let phase = match outcome {
            Ok(notice) => JobPhase::Published {
                sha256: notice.sha256.clone(),
            },
            Err(fault) => JobPhase::Failed(fault.clone()),
        };
        self.say(id, transaction, phase);
        if let Some(listener) = self.listeners.remove(id) {
            // A trigger that has gone wants no answer.
            let _ = listener.send(outcome.clone());
        }
        for address in self.ledger.end(id, outcome.clone()) {
            self.answer(&address, outcome);
        }
    }

    fn say(&self, id: &JobId, transaction: &Option<String>, phase: JobPhase) {
        let event = JobEvent::new(id, transaction.clone(), phase);
        let publication = Publication::json(self.topics.job(id), &event);
        self.connection
            .post(publication.expiring(JOB_EVENT_EXPIRY_S));
    }

    fn answer(&self, address: &Address, outcome: &Outcome) {
        let transaction = address.transaction.clone();
        let response = match outcome {
            Ok(notice) => Response::ok(notice.clone(), transaction),
            Err(fault) => Response::error(fault.clone(), transaction),
        };
        self.connection.post(response_to(address, &response));
    }

    fn show_info(&self) {
        let info = Info::new(
            self.card.clone(),
            &self.config.photo_limits,
            self.config.broker.packet_bytes_max,
            self.config.queue_length_max,
        );
        self.connection
            .post(Publication::json(self.topics.info(), &info).retained());
    }

    fn show_state(&mut self) {
        self.metrics.queue_is(self.queue.len());
        let reason = self.trouble.clone().or_else(|| self.pacing.reason());
        let state = State {
            v: Version,
            state: if self.is_stopping {
                DaemonState::Stopping
            } else if self.current.is_some() {
                DaemonState::Rendering
            } else if reason.is_some() {
                DaemonState::Degraded
            } else {
                DaemonState::Ready
            },
            reason,
            job_id: self.current.as_ref().map(|job| job.id.to_string()),
            queue_length: self.queue.len(),
            camera: self.camera,
            backend: self.card.backend.to_owned(),
        };
        if self.shown.as_ref() != Some(&state) {
            self.connection
                .post(Publication::json(self.topics.state(), &state).retained());
            self.shown = Some(state);
        }
    }

    async fn stop(
        mut self,
        events: &mut mpsc::UnboundedReceiver<StudioEvent>,
        farewell: Publication,
    ) {
        self.studio.cancel();
        self.is_stopping = true;
        if let Some(job) = &self.current
            && let Some(announcement) = &job.announcement
        {
            announcement.abort();
        }
        self.current = None;
        self.queue.clear();
        self.show_state();
        for id in self.ledger.under_way() {
            let message = "the daemon is being stopped".to_owned();
            self.close_job(&id, &None, &Err(fault("stopping", message)));
        }
        self.connection.close(Some(farewell)).await;
        drop(self.studio);
        let deadline = Instant::now() + CANCEL_TIME_MAX;
        while let Ok(Some(event)) = timeout_at(deadline, events.recv()).await {
            if matches!(event, StudioEvent::Closed) {
                return;
            }
        }
        log::warn!("the render did not end within {CANCEL_TIME_MAX:?}");
    }
}

async fn announcement(current: &mut Option<CurrentJob>) -> Announced {
    let running = current.as_mut().and_then(|job| job.announcement.as_mut());
    match running {
        Some(task) => task.await.unwrap_or_else(|error| {
            Err(Failure::ours("internal", format!("announcement: {error}")))
        }),
        None => std::future::pending().await,
    }
}

fn response_to(address: &Address, response: &Response) -> Publication {
    let mut publication = Publication::json(address.topic.clone(), response);
    publication.properties.correlation_data = address.correlation_data.clone();
    publication
}

fn fault(code: &str, message: String) -> Fault {
    Fault {
        code: code.to_owned(),
        message,
    }
}

fn camera_unused(camera: &Camera) -> CameraState {
    match camera {
        Camera::None => CameraState::None,
        Camera::File(_) | Camera::Command { .. } => CameraState::Online,
    }
}
