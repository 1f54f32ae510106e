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

mod heat;

mod ledger;

pub mod metrics;

mod pulse;

mod renderer;

mod service;

mod store;

mod studio;

mod trigger;

mod vitals;

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::Context;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{mpsc, watch},
    task::JoinHandle,
};

pub use renderer::{Pipeline, Renderer};

use self::{
    desk::{Control, Desk, Equipment},
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
        memory,
        mqtt::{Connection, Settings},
    },
    journal::Journal,
    publication::{Availability, Publication, Topics},
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
    /// Starts the daemon on the current tokio runtime. That the broker is not
    /// there yet is no error: it is waited for.
    ///
    /// # Errors
    /// When the journal or the clips folder cannot be used, the HTTP address is
    /// taken, or
    /// a file that the broker connection needs cannot be read.
    pub async fn start(config: Config, renderer: Arc<dyn Renderer>) -> anyhow::Result<Self> {
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
        let settings = Settings {
            client_id: format!("zoetrope-{}", config.device_id),
            broker: config.broker.clone(),
            last_will: Some(availability(Availability::Offline)),
            subscriptions: vec![topics.request_render(), topics.request_render_photo()],
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
        let card = renderer.card();
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
            connection,
            studio,
            store,
            shelf,
            metrics,
            heat: heat.clone(),
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

    /// Takes over what can change while running: look, shape, limits, camera
    /// and queue length, the HTTP token and certificate. The rest is named in
    /// the log as waiting for a restart.
    pub async fn reload(&self, config: Config) {
        if let (Some(server), Some(http)) = (&self.http, &config.http) {
            let renewed = http
                .token()
                .map_err(anyhow::Error::from)
                .and_then(|token| Ok(server.renew(token.as_deref())?));
            if let Err(error) = renewed {
                log::error!("http: token or certificate kept as it was: {error:#}");
            }
        }
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

/// Runs the daemon until SIGTERM or SIGINT; SIGHUP reads the configuration
/// again and keeps the old one if the new one is wrong; SIGUSR1 asks for a clip
/// from the camera.
///
/// # Errors
/// When the configuration, the network, the clips folder or the HTTP address
/// cannot be used at the start.
pub fn run(config_file: &Path) -> anyhow::Result<()> {
    memory::share_arenas();
    let config = Config::read(config_file)?;
    let renderer = Arc::new(Pipeline::open(config.model_file.clone())?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("zoetrope-io")
        .enable_all()
        .build()?;
    let result = runtime.block_on(serve(config_file, config, renderer));
    // A render that does not look at its cancellation ends with the process.
    runtime.shutdown_timeout(Duration::from_millis(200));
    result
}

async fn serve(
    config_file: &Path,
    config: Config,
    renderer: Arc<dyn Renderer>,
) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut user = signal(SignalKind::user_defined1())?;
    let is_tls = config.http.as_ref().is_some_and(|http| http.tls.is_some());
    let status = format!("serves zoetrope/{}/request/…", config.device_id);
    let mut daemon = Daemon::start(config, renderer).await?;
    if let Some(address) = daemon.http_address() {
        let scheme = if is_tls { "https" } else { "http" };
        log::info!("kiosk page at {scheme}://{address}/");
    }
    service::ready(&status);
    let watchdog = tokio::spawn(service::feed_watchdog(daemon.vitals.clone()));
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = user.recv() => daemon.ring(),
            _ = hang_up.recv() => {
                service::reloading();
                match Config::read(config_file) {
                    Ok(config) => daemon.reload(config).await,
                    Err(error) => log::error!("configuration kept as it was: {error:#}"),
                }
                service::ready(&status);
            }
            ended = &mut daemon.desk => {
                return Err(anyhow::anyhow!("the desk ended by itself: {ended:?}"));
            }
        }
    }
    log::info!("stopping");
    service::stopping();
    daemon.stop().await;
    watchdog.abort();
    Ok(())
}
