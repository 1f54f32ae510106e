//! The task that owns everything that changes.

mod announce;

mod capture;

mod commands;

mod errands;

mod fleet;

mod intake;

mod jobs;

mod mending;

mod pacing;

mod pulls;

mod resume;

mod shown;

mod submission;

use std::{
    collections::{HashMap, VecDeque},
    panic::resume_unwind,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot, watch},
    task::{JoinHandle, JoinSet, spawn_blocking},
    time::{Instant, MissedTickBehavior, interval, sleep_until, timeout, timeout_at},
};

use self::{
    errands::Errands,
    jobs::{Closed, Outgoing, Ticket},
    mending::Mending,
    pacing::Pacing,
};
pub(super) use self::{fleet::Fleet, submission::Submission};
use super::{
    failure::Failure,
    heat::Heat,
    ledger::Ledger,
    metrics::Metrics,
    sight::Lookout,
    store::Store,
    studio::{Studio, StudioEvent},
};
use crate::{
    config::Config,
    device::{
        http::{Renewal, Shelf},
        mqtt::{Connection, Message},
    },
    journal::{Address, Journal, Lock, Note, Opened, Outcome, disk::Damage},
    publication::{ClipNotice, Fault, JobEvent, JobPhase, Publication, Response, State, Topics},
    request::JobId,
    scene::{EngineReport, NetworkCard},
};

/// Time after which the broker forgets what happened to a job, in seconds.
const JOB_EVENT_EXPIRY_S: u32 = 3600;
/// Time that a render has to notice that it is cancelled.
const CANCEL_TIME_MAX: Duration = Duration::from_secs(2);
/// Time that answers on their way have at the end.
const CLOSING_TIME_MAX: Duration = Duration::from_millis(500);
/// Time between two reports of the health.
const HEALTH_INTERVAL: Duration = Duration::from_secs(60);
/// How often the inbox is looked at while the outbox has no room.
const ROOM_INTERVAL: Duration = Duration::from_millis(10);
/// How often clips are looked for that have become too old.
const AGEING_INTERVAL: Duration = Duration::from_secs(3600);

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

type Announced = Result<ClipNotice, Failure>;

/// What the desk works with.
pub(super) struct Equipment {
    pub(super) card: NetworkCard,
    /// What runs it.
    pub(super) engine: watch::Receiver<EngineReport>,
    pub(super) connection: Connection,
    /// The way to the jobs of the fleet.
    pub(super) fleet: Option<Fleet>,
    pub(super) studio: Studio,
    pub(super) store: Store,
    pub(super) shelf: Shelf,
    pub(super) metrics: Arc<Metrics>,
    pub(super) heat: watch::Receiver<Heat>,
    /// Token and keys of the HTTP server.
    pub(super) renewal: Option<Renewal>,
    /// Read again on demand.
    pub(super) config_file: Option<PathBuf>,
}

pub(super) struct Desk {
    config: Config,
    config_file: Option<PathBuf>,
    renewal: Option<Renewal>,
    started_at: Instant,
    topics: Topics,
    card: NetworkCard,
    engine: watch::Receiver<EngineReport>,
    connection: Arc<Connection>,
    fleet: Option<Fleet>,
    studio: Studio,
    journal: Journal,
    store: Store,
    shelf: Shelf,
    /// Jobs to be rendered, in the order of acceptance.
    queue: VecDeque<Ticket>,
    /// The job that is rendered.
    current: Option<Ticket>,
    /// Clips to be published, in the order of acceptance.
    outgoing: VecDeque<Outgoing>,
    /// Publishes the first of them.
    announcement: Option<JoinHandle<Announced>>,
    /// Jobs that have ended and are being answered.
    closing: JoinSet<Closed>,
    errands: Errands,
    ledger: Ledger,
    camera: Lookout,
    /// Why the last job failed, if it was our own fault, or what else is wrong.
    trouble: Option<String>,
    /// Nothing is begun before this, for the disk was not able to.
    retry_at: Option<Instant>,
    retry_pause: Duration,
    mending: Mending,
    pacing: Pacing,
    /// Triggers that wait for the end of their job.
    listeners: HashMap<JobId, oneshot::Sender<Outcome>>,
    metrics: Arc<Metrics>,
    shown: Option<State>,
    is_stopping: bool,
    _lock: Lock,
}

impl Desk {
    /// A desk that goes on with what the journal holds.
    pub(super) fn new(config: Config, opened: Opened, equipment: Equipment) -> Self {
        let sequence_max = equipment.store.sequence_max();
        let (ledger, forgotten) = Ledger::new(opened.ended, sequence_max);
        for sequence in forgotten {
            if let Err(error) = opened.journal.forget(sequence) {
                log::warn!("{error}");
            }
        }
        let mut desk = Self {
            pacing: Pacing::new(equipment.heat, config.thermal.pause),
            listeners: HashMap::new(),
            metrics: equipment.metrics,
            topics: Topics::new(&config.device_id),
            camera: Lookout::new(&config.camera),
            config,
            config_file: equipment.config_file,
            renewal: equipment.renewal,
            started_at: Instant::now(),
            card: equipment.card,
            engine: equipment.engine,
            connection: Arc::new(equipment.connection),
            fleet: equipment.fleet,
            studio: equipment.studio,
            journal: opened.journal,
            store: equipment.store,
            shelf: equipment.shelf,
            queue: VecDeque::new(),
            current: None,
            outgoing: VecDeque::new(),
            announcement: None,
            closing: JoinSet::new(),
            errands: Errands::default(),
            ledger,
            trouble: damages_said(&opened.damages),
            retry_at: None,
            retry_pause: jobs::RETRY_PAUSE_MIN,
            mending: Mending::new(),
            shown: None,
            is_stopping: false,
            _lock: opened.lock,
        };
        desk.resume(opened.pending);
        desk
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
        self.describe();
        let mut link = self.connection.link();
        let mut ageing = interval(AGEING_INTERVAL);
        ageing.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut checks = interval(HEALTH_INTERVAL);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.take_held().await;
            self.start_next();
            self.announce_next();
            self.show_state();
            // Whatever is read has its answer: so not more than can be sent. But
            // what comes all the same keeps acknowledgements from coming.
            let may_read = self.connection.has_room() || messages.capacity() == 0;
            // Without a connection there is neither room nor a message to come.
            let may_wait_for_room = !may_read && link.borrow().is_up;
            tokio::select! {
                control = controls.recv() => match control {
                    Some(Control::Reload(config)) => drop(self.reload(*config)),
                    // Whoever has asked may have gone.
                    Some(Control::Ping(answer)) => drop(answer.send(())),
                    Some(Control::Submit(submission)) => self.submit(submission).await,
                    Some(Control::Stop) | None => break,
                },
                Some(event) = events.recv() => self.studio_says(event),
                result = announcement(&mut self.announcement) => self.announced(result),
                Some(closed) = self.closing.join_next() => self.closed(closed),
                Some(errand) = self.errands.done() => self.errand_done(errand),
                message = Fleet::next(&mut self.fleet) => self.hold(message),
                Ok(()) = link.changed() => if link.borrow_and_update().is_up {
                    self.show_health();
                },
                Ok(()) = self.engine.changed() => self.show_info(),
                _ = checks.tick() => self.show_health(),
                () = until(self.retry_at) => self.retry_at = None,
                () = until(self.mending.try_at) => self.mend().await,
                () = self.pacing.changed() => {}
                () = self.camera.look() => {}
                _ = ageing.tick() => {
                    let store = self.store.clone();
                    off_thread(move || store.make_room()).await;
                }
                _ = timeout(ROOM_INTERVAL, self.connection.room()), if may_wait_for_room => {}
                Some(message) = messages.recv(), if may_read => {
                    self.take(&message).await;
                    // Not before: what is accepted is durable by now.
                    message.acknowledge();
                }
            }
        }
        self.stop(&mut events, farewell).await;
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

    fn say(&self, id: &JobId, transaction: &Option<String>, phase: JobPhase) {
        let event = JobEvent::new(id, transaction.clone(), phase);
        let publication = Publication::json(self.topics.job(id), &event);
        self.connection
            .post(publication.expiring(JOB_EVENT_EXPIRY_S));
    }

    fn answer(&self, address: &Address, outcome: &Outcome) {
        self.connection.post(response_to(address, outcome.clone()));
    }

    /// Leaves what is accepted in the journal: the next process goes on with
    /// it, and answers.
    async fn stop(
        mut self,
        events: &mut mpsc::UnboundedReceiver<StudioEvent>,
        farewell: Publication,
    ) {
        self.studio.cancel();
        self.is_stopping = true;
        // What is held there was not acknowledged: another board gets it.
        self.fleet = None;
        self.errands = Errands::default();
        if let Some(announcement) = &self.announcement {
            announcement.abort();
        }
        if let Some(ticket) = self.current.take() {
            let journal = self.journal.clone();
            let noted = off_thread(move || journal.note(ticket.sequence, &Note::LeftOff)).await;
            if let Err(error) = noted {
                log::warn!("{error}");
            }
        }
        self.outgoing.clear();
        self.show_state();
        // One that is not answered in time is answered again by the next.
        let _ = timeout(CLOSING_TIME_MAX, async {
            while self.closing.join_next().await.is_some() {}
        })
        .await;
        self.closing.shutdown().await;
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

/// Runs what may wait for a disk on a thread that may.
async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // The runtime is ending, and with it whoever waits here.
            Err(_) => std::future::pending().await,
        },
    }
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

async fn announcement(running: &mut Option<JoinHandle<Announced>>) -> Announced {
    match running {
        Some(task) => task.await.unwrap_or_else(|error| {
            Err(Failure::ours("internal", format!("announcement: {error}")))
        }),
        None => std::future::pending().await,
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

fn damages_said(damages: &[Damage]) -> Option<String> {
    let first = damages.first()?;
    let count = damages.len();
    Some(format!(
        "{count} damaged records were found, the first: {first}"
    ))
}
