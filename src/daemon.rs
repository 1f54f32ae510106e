//! The service: takes requests over MQTT, renders one clip at a time and
//! publishes it.
//!
//! One asynchronous task, the desk, owns everything that changes: the queue,
//! the jobs it remembers, what was published last. Renders run on one named
//! thread, the studio. They talk by messages alone, so a render that hangs,
//! fails or panics never keeps the desk from answering.
//!
//! A job is accepted once the journal has it. From then on it is rendered and
//! answered, if need be by the next process: stopped, killed or without power,
//! the daemon takes up every job where it was. A clip is published from the
//! store, where it is durable, so that it is the same clip however often that
//! happens; answers are given at least once. Where the disk fails, jobs wait
//! and the state says why.

mod desk;

mod failure;

mod footprint;

mod halt;

mod heat;

mod ledger;

pub mod metrics;

mod pulse;

mod renderer;

mod run;

mod service;

mod sight;

mod store;

mod studio;

mod trigger;

mod vitals;

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use anyhow::Context;
pub use run::run;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};

pub use renderer::{Pipeline, Renderer};

use self::{
    desk::{Control, Desk, Equipment, Fleet},
    heat::Heat,
    metrics::Metrics,
    pulse::Pulse,
    store::Store,
    studio::Studio,
    trigger::Bell,
    vitals::DaemonVitals,
};
use crate::{
    config::{Config, Http},
    device::{
        http::{HttpOptions, HttpServer, Page, Shelf},
        mqtt::{Connection, Settings},
    },
    journal::Journal,
    publication::{Availability, Discovery, Publication, Topics},
};

/// A running daemon.
pub struct Daemon {
    controls: mpsc::Sender<Control>,
    desk: JoinHandle<()>,
    http: Option<HttpServer>,
    vitals: DaemonVitals,
    heat: watch::Receiver<Heat>,
    bell: Bell,
    /// The clip that a signal has asked for.
    signalled: Option<JoinHandle<()>>,
    /// What looks at the heat, and the triggers.
    watchers: Vec<JoinHandle<()>>,
}

impl Daemon {
    /// Starts the daemon on the current tokio runtime; it reads `config_file`
    /// when it is asked to read its configuration again. That the broker is not
    /// there yet is no error: it is waited for.
    ///
    /// # Errors
    /// When the journal or the clips folder cannot be used, the HTTP address is
    /// taken, or a file that the broker connection needs cannot be read.
    pub async fn start(
        config: Config,
        config_file: Option<PathBuf>,
        renderer: Arc<dyn Renderer>,
    ) -> anyhow::Result<Self> {
        let mut opened =
            Journal::open(&config.journal_dir).context("the journal cannot be used")?;
        let (store, damages) = Store::open(&config.clips_dir, config.store).with_context(|| {
            format!("clips folder {} cannot be used", config.clips_dir.display())
        })?;
        opened.damages.extend(damages);
        for damage in &opened.damages {
            log::error!("damaged: {damage}");
        }
        let shelf = Shelf::new();
        let metrics = Arc::new(Metrics::new());
        let pulse = Arc::new(Pulse::new());
        let (controls, orders) = mpsc::channel(4);
        let topics = Topics::new(&config.device_id);
        let availability = |state: Availability| {
            let mut publication = Publication::bytes(
                topics.availability(),
                "text/plain",
                state.as_str().as_bytes(),
            );
            publication.retain = true;
            publication
        };
        let mut subscriptions = vec![
            topics.request_render(),
            topics.request_render_photo(),
            topics.request_capture(),
            topics.request_cancel(),
            topics.request_reload(),
            topics.request_health_check(),
            topics.every_get(),
        ];
        subscriptions.extend(config.home_assistant.iter().map(Discovery::status_topic));
        let settings = Settings {
            client_id: format!("zoetrope-{}", config.device_id),
            broker: config.broker.clone(),
            last_will: Some(availability(Availability::Offline)),
            subscriptions,
            unacknowledged_max: None,
        };
        let (connection, messages) = Connection::open(&settings)?;
        let vitals = DaemonVitals {
            metrics: Arc::clone(&metrics),
            pulse: Arc::clone(&pulse),
            link: connection.link(),
            desk: controls.clone(),
        };
        let http = match &config.http {
            Some(http) => {
                let options = http_options(&config.device_id, http)?;
                let vitals = Arc::new(vitals.clone());
                Some(HttpServer::start(options, shelf.clone(), vitals).await?)
            }
            None => None,
        };
        connection.post(availability(Availability::Online));
        let (card, engine) = (renderer.card(), renderer.engine());
        let (studio, events) = Studio::open(
            renderer,
            opened.journal.clone(),
            store.clone(),
            Arc::clone(&metrics),
            Arc::clone(&pulse),
        )?;
        let (heat_sender, heat) = watch::channel(Heat::default());
        let look = heat::watch_over(config.thermal.clone(), Arc::clone(&metrics), heat_sender);
        let bell = Bell::new(controls.clone());
        let mut watchers = trigger::start(&config, &bell, &shelf);
        watchers.push(tokio::spawn(look));
        let equipment = Equipment {
            card,
            engine,
            connection,
            fleet: Fleet::join(&config)?,
            studio,
            store,
            shelf,
            metrics,
            heat: heat.clone(),
            renewal: http.as_ref().map(HttpServer::renewal),
            config_file,
        };
        let desk = Desk::new(config, opened, equipment);
        let farewell = availability(Availability::Offline);
        let desk = tokio::spawn(desk.serve(messages, events, orders, farewell));
        Ok(Self {
            controls,
            desk,
            http,
            vitals,
            heat,
            bell,
            signalled: None,
            watchers,
        })
    }

    /// Where the kiosk page and the clips are served, if they are.
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.http.as_ref().map(HttpServer::local_addr)
    }

    /// Takes over what can change while running, such as look, shape, limits,
    /// camera and queue length, the HTTP token and certificate. The rest is
    /// named in the log as waiting for a restart.
    pub async fn reload(&self, config: Config) {
        // A desk that has ended is noticed by `run`.
        let _ = self.controls.send(Control::Reload(Box::new(config))).await;
    }

    /// Asks for a clip from the camera, unless the one that was asked for like
    /// this before has not ended.
    pub fn ring(&mut self) {
        if (self.signalled.as_ref()).is_some_and(|task| !task.is_finished()) {
            log::warn!("signal: the clip that was asked for before is still being made");
            return;
        }
        let bell = self.bell.clone();
        let job = async move {
            // How it ends is published, logged and counted by the desk.
            let _ = bell.camera("signal").await;
        };
        self.signalled = Some(tokio::spawn(job));
    }

    /// Ends the render under way, says `offline` and disconnects. What was
    /// accepted stays in the journal, and whoever waits for it is answered by
    /// the next daemon on that folder. Takes at most about 5 seconds.
    pub async fn stop(self) {
        // A desk that has ended needs no telling.
        let _ = self.controls.send(Control::Stop).await;
        if let Err(error) = self.desk.await {
            log::error!("desk: {error}");
        }
        for watcher in self.watchers {
            watcher.abort();
        }
        if let Some(http) = self.http {
            http.stop().await;
        }
        let reading = self.vitals.metrics.reading(&self.heat.borrow().climate);
        let (clips, failed) = (reading.renders_ok, reading.renders_failed);
        log::info!("stopped after {clips} clips and {failed} jobs that failed");
    }
}

fn http_options(device_id: &str, http: &Http) -> anyhow::Result<HttpOptions> {
    Ok(HttpOptions {
        listen: http.listen,
        page: Page {
            device_id: device_id.to_owned(),
            broker_websocket_url: http.broker_websocket_url.clone(),
        },
        token: http.token()?,
        tls: http.tls.clone(),
        connections_max: http.connections_max,
    })
}
