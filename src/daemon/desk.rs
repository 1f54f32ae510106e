//! The task that owns everything that changes.

mod announce;

mod capture;

mod commands;

mod errands;

mod fleet;

mod intake;

mod outgoing;

mod pulls;

mod shown;

use std::{collections::VecDeque, path::PathBuf, sync::Arc, time::Duration};

use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval, timeout_at},
};

pub(super) use self::fleet::Fleet;
use self::{errands::Errands, outgoing::Outbox};
use super::{
    archive::Archive,
    halt::Halt,
    ledger::{Address, Ledger, Outcome},
    studio::{Commission, Failure, Studio, StudioEvent},
};
use crate::{
    config::{Camera, Config},
    device::{
        http::Shelf,
        mqtt::{Connection, Message},
    },
    publication::{
        CameraState, ClipNotice, Fault, JobEvent, JobPhase, Order, Publication, RenderCounts,
        Response, State, Topics,
    },
    request::JobId,
    scene::NetworkCard,
};

/// Time after which the broker forgets what happened to a job, in seconds.
const JOB_EVENT_EXPIRY_S: u32 = 3600;
/// Time that a render has to notice that it is cancelled.
const CANCEL_TIME_MAX: Duration = Duration::from_secs(2);

/// Time between two reports of the health.
const HEALTH_INTERVAL: Duration = Duration::from_secs(60);

/// Room for topic and properties of the packet that carries a clip: a device id
/// and a job id of at most 64 characters, and a few short ones.
const CLIP_PACKET_HEAD_BYTES_MAX: usize = 1024;

/// What the desk is told from inside the process.
pub(super) enum Control {
    Stop,
    Reload(Box<Config>),
}

/// A job from its turn to its end.
struct CurrentJob {
    id: JobId,
    transaction: Option<String>,
    started: Instant,
    halt: Arc<Halt>,
}

/// What a desk works with.
pub(super) struct Fittings {
    /// The network that is used.
    pub(super) card: NetworkCard,
    /// The way to the board's own topics.
    pub(super) connection: Connection,
    /// The way to the jobs of the fleet.
    pub(super) fleet: Option<Fleet>,
    /// The thread that renders.
    pub(super) studio: Studio,
    /// The clips that are served over HTTP.
    pub(super) shelf: Shelf,
    /// The finished clips.
    pub(super) archive: Archive,
    /// Read again on demand.
    pub(super) config_file: Option<PathBuf>,
}

pub(super) struct Desk {
    config: Config,
    config_file: Option<PathBuf>,
    started: Instant,
    topics: Topics,
    card: NetworkCard,
    connection: Arc<Connection>,
    fleet: Option<Fleet>,
    studio: Studio,
    shelf: Shelf,
    archive: Archive,
    queue: VecDeque<Order>,
    current: Option<CurrentJob>,
    outbox: Outbox,
    errands: Errands,
    ledger: Ledger,
    renders: RenderCounts,
    camera: CameraState,
    /// Why the last job failed, if it was our own fault.
    trouble: Option<String>,
    shown: Option<State>,
    is_stopping: bool,
}

impl Desk {
    pub(super) fn new(config: Config, fittings: Fittings) -> Self {
        let Fittings {
            card,
            connection,
            fleet,
            studio,
            shelf,
            archive,
            config_file,
        } = fittings;
        Self {
            topics: Topics::new(&config.device_id),
            camera: camera_unused(&config.camera),
            config,
            config_file,
            started: Instant::now(),
            card,
            connection: Arc::new(connection),
            fleet,
            studio,
            shelf,
            archive,
            queue: VecDeque::new(),
            current: None,
            outbox: Outbox::default(),
            errands: Errands::default(),
            ledger: Ledger::default(),
            renders: RenderCounts::default(),
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
        self.describe();
        let mut link = self.connection.link();
        let mut checks = interval(HEALTH_INTERVAL);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                control = controls.recv() => match control {
                    Some(Control::Reload(config)) => drop(self.reload(*config)),
                    Some(Control::Stop) | None => break,
                },
                Some(event) = events.recv() => self.studio_says(event),
                (job, result) = self.outbox.announced() => self.end(&job, result),
                Some(errand) = self.errands.done() => self.errand_done(errand),
                Some(mut message) = messages.recv() => {
                    self.take(&message);
                    message.acknowledge();
                }
                message = Fleet::next(&mut self.fleet) => self.hold(message),
                Ok(()) = link.changed() => if link.borrow_and_update().is_up {
                    self.show_health();
                },
                _ = checks.tick() => self.show_health(),
            }
            self.take_held();
            self.start_next();
            self.show_state();
        }
        self.stop(&mut events, farewell).await;
    }

    fn start_next(&mut self) {
        if self.current.is_some() || self.outbox.is_full() {
            return;
        }
        let Some(order) = self.next_in_time() else {
            return;
        };
        let halt = Arc::new(Halt::at(order.deadline));
        self.current = Some(CurrentJob {
            id: order.request.id.clone(),
            transaction: order.transaction,
            started: Instant::now(),
            halt: Arc::clone(&halt),
        });
        self.studio.commission(Commission {
            request: order.request,
            limits: self.config.photo_limits,
            camera: self.config.camera.clone(),
            clip_bytes_max: self.clip_bytes_max(),
            threads: self.config.threads,
            halt,
        });
    }

    /// The first job that waits; those that are too late already end here.
    fn next_in_time(&mut self) -> Option<Order> {
        while let Some(order) = self.queue.pop_front() {
            let id = &order.request.id;
            match Halt::at(order.deadline).reason(id) {
                None => return Some(order),
                Some(late) => self.close_job(&id.clone(), &order.transaction, &Err(late)),
            }
        }
        None
    }

    /// What fits one message: the broker's largest packet, and what is
    /// configured.
    fn clip_bytes_max(&self) -> Option<u64> {
        let packet_bytes_max = self.connection.link().borrow().packet_bytes_max;
        let announced =
            packet_bytes_max.map(|bytes| bytes.saturating_sub(CLIP_PACKET_HEAD_BYTES_MAX) as u64);
        announced
            .into_iter()
            .chain(self.config.inline_bytes_max)
            .min()
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
            StudioEvent::Ended(result) => {
                let Some(job) = self.current.take() else {
                    return;
                };
                // The clip may have been finished while it was cancelled.
                let result = result.and_then(|clip| match job.halt.reason(&job.id) {
                    Some(fault) => Err(fault.into()),
                    None => Ok(clip),
                });
                match result {
                    Ok(clip) => self.announce(job, clip),
                    Err(failure) => self.end(&job, Err(failure)),
                }
            }
            StudioEvent::Closed => {}
        }
    }

    fn end(&mut self, job: &CurrentJob, result: Result<ClipNotice, Failure>) {
        let (outcome, trouble) = match result {
            Ok(notice) => {
                let elapsed_ms = job.started.elapsed().as_millis();
                self.renders.last_render_ms = u64::try_from(elapsed_ms).ok();
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
            Ok(notice) => {
                self.renders.renders_ok += 1;
                JobPhase::Published {
                    sha256: notice.sha256.clone(),
                }
            }
            Err(fault) => {
                self.renders.renders_failed += 1;
                JobPhase::Failed(fault.clone())
            }
        };
        self.say(id, transaction, phase);
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
        let response = response_to(address, outcome.clone());
        self.connection.post(response);
    }

    async fn stop(
        mut self,
        events: &mut mpsc::UnboundedReceiver<StudioEvent>,
        farewell: Publication,
    ) {
        self.studio.cancel();
        self.is_stopping = true;
        // What is held there was not acknowledged: another board gets it.
        self.fleet = None;
        self.outbox = Outbox::default();
        self.errands = Errands::default();
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

fn response_to<D: serde::Serialize>(address: &Address, result: Result<D, Fault>) -> Publication {
    let transaction = address.transaction.clone();
    let response = match result {
        Ok(data) => Response::ok(data, transaction),
        Err(fault) => Response::error(fault, transaction),
    };
    let mut publication = Publication::json(address.topic.clone(), &response);
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
