//! Everything at once on one machine: a broker, the daemon, the kiosk page,
//! and a display that asks for clips and receives them.
//!
//! Nothing is short-circuited: photographs and clips travel as MQTT messages
//! through the broker's TCP port, as they would between machines.

mod samples;

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use tempfile::TempDir;

use self::samples::SAMPLES;
use crate::{
    config::{Broker, Config, EngineChoice, HTTP_CONNECTIONS_MAX_DEFAULT, Http, Inference},
    daemon::{Daemon, Pipeline, Renderer},
    device::{
        broker::{BrokerOptions, LoopbackBroker},
        display::{Asked, RequestOptions, ask},
    },
    publication::{JobPhase, Topics},
    request::{Look, Shape},
    scene::Engine,
};

/// The board's name in the demo.
const DEVICE_ID: &str = "demo";
/// Time that a clip is left on the page before the next is asked for.
const SHOWN_FOR: Duration = Duration::from_secs(20);
/// Time that one clip may take, on a slow machine.
const CLIP_TIME_MAX: Duration = Duration::from_secs(600);

/// What the demo shall do.
#[derive(Clone, Debug)]
pub struct Options {
    /// The photograph to bring to life; without one, the built-in samples.
    pub photo: Option<PathBuf>,
    /// Ends after the first clip.
    pub once: bool,
    /// Where the first clip is written; `./zoetrope-demo.mp4` unless said,
    /// when `once` is asked for.
    pub output: Option<PathBuf>,
    /// Port of the kiosk page; 0 takes a free one.
    pub http_port: u16,
}

/// Shows a photograph come to life in a browser, until Ctrl-C.
///
/// # Errors
/// When a port is taken, the photograph cannot be used, or a file cannot be
/// written.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let story = Story {
        started: Instant::now(),
    };
    let inference = Inference {
        engine: EngineChoice::Only(Engine::Tract),
        ..Inference::default()
    };
    let renderer: Arc<dyn Renderer> = Arc::new(Pipeline::open(&Config {
        inference,
        ..Config::default()
    })?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("zoetrope-io")
        .enable_all()
        .build()?;
    let result = runtime.block_on(show(options, renderer, story));
    // A render that did not end when it was told to ends with the process.
    runtime.shutdown_timeout(Duration::from_millis(200));
    result
}

async fn show(options: &Options, renderer: Arc<dyn Renderer>, story: Story) -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("no temporary folder")?;
    let broker = LoopbackBroker::start(&BrokerOptions::default()).await?;
    story.tell(
        "broker",
        format!("mqtt://{} and {}", broker.address(), broker.websocket_url()),
    );
    let card = renderer.card();
    let config = config_for(options, &broker, &folder)?;
    let at = config.broker.clone();
    let daemon = Daemon::start(config, None, renderer).await?;
    story.tell("daemon", format!("{} on {}", card.name, Engine::Tract));
    if let Some(address) = daemon.http_address() {
        story.tell("page", format!("http://{address}/ (open it in a browser)"));
    }
    let stage = Stage {
        broker: at,
        folder: folder.path(),
        story,
    };
    let played = tokio::select! {
        played = stage.play_all(options) => played,
        interrupted = tokio::signal::ctrl_c() => {
            story.tell("end", "interrupted");
            interrupted.map_err(Into::into)
        }
    };
    daemon.stop().await;
    broker.stop().await;
    played
}

fn config_for(
    options: &Options,
    broker: &LoopbackBroker,
    folder: &TempDir,
) -> anyhow::Result<Config> {
    Ok(Config {
        device_id: DEVICE_ID.to_owned(),
        broker: format!("mqtt://{}", broker.address()).parse::<Broker>()?,
        http: Some(Http {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, options.http_port)),
            broker_websocket_url: broker.websocket_url(),
            token_file: None,
            tls: None,
            connections_max: HTTP_CONNECTIONS_MAX_DEFAULT,
        }),
        clips_dir: folder.path().join("clips"),
        journal_dir: folder.path().join("journal"),
        ..Config::default()
    })
}

fn first_output(options: &Options, folder: &Path) -> PathBuf {
    match (&options.output, options.once) {
        (Some(path), _) => path.clone(),
        (None, true) => PathBuf::from("zoetrope-demo.mp4"),
        (None, false) => folder.join("shown.mp4"),
    }
}

/// The user's photograph, or the samples as files.
fn photos(options: &Options, folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if let Some(photo) = &options.photo {
        return Ok(vec![photo.clone()]);
    }
    SAMPLES
        .iter()
        .map(|sample| {
            let path = folder.join(sample.name).with_extension("jpg");
            fs::write(&path, sample.jpeg)?;
            Ok(path)
        })
        .collect()
}

/// Where the display of the demo stands.
struct Stage<'a> {
    broker: Broker,
    folder: &'a Path,
    story: Story,
}

impl Stage<'_> {
    /// Asks for one clip after another, until there is nothing more to show.
    async fn play_all(&self, options: &Options) -> anyhow::Result<()> {
        for (turn, photo) in photos(options, self.folder)?.iter().cycle().enumerate() {
            let output = match turn {
                0 => first_output(options, self.folder),
                _ => self.folder.join("shown.mp4"),
            };
            // Another motion each time round.
            let asked = self.play(photo, turn as u64 + 1, &output).await?;
            let seconds = asked.elapsed.as_secs_f32();
            self.story
                .tell("job", format!("{} took {seconds:.1} s", asked.job_id));
            if options.once {
                break;
            }
            if options.photo.is_some() {
                self.story
                    .tell("page", "shows your photograph until Ctrl-C");
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(SHOWN_FOR).await;
        }
        Ok(())
    }

    /// Asks for one clip as any display would, and keeps it.
    async fn play(&self, photo: &Path, seed: u64, output: &Path) -> anyhow::Result<Asked> {
        let topics = Topics::new(DEVICE_ID);
        let name = photo.file_stem().unwrap_or_default().to_string_lossy();
        self.story.tell(
            "photo",
            format!(
                "{} to {}",
                name.replace('_', " "),
                topics.request_render_photo()
            ),
        );
        let asking = RequestOptions {
            broker: self.broker.clone(),
            device_id: DEVICE_ID.to_owned(),
            photo: Some(photo.to_owned()),
            look: Look {
                seed,
                ..Look::default()
            },
            shape: Shape::default(),
            output: output.to_owned(),
            timeout: CLIP_TIME_MAX,
        };
        let mut quarter = 0;
        let asked = ask(&asking, |phase| self.narrate(phase, &mut quarter)).await?;
        self.story.tell(
            "clip",
            format!(
                "{} bytes received on {}, sha256 {} verified",
                asked.bytes,
                topics.clip(),
                asked.sha256
            ),
        );
        if !output.starts_with(self.folder) {
            let full = output.canonicalize().unwrap_or_else(|_| output.to_owned());
            self.story.tell("file", full.display());
        }
        Ok(asked)
    }

    fn narrate(&self, phase: &JobPhase, quarter: &mut u32) {
        match phase {
            JobPhase::Accepted { .. } => self.story.tell("daemon", "accepted"),
            JobPhase::Capturing => {}
            JobPhase::Rendering { progress } => {
                let reached = (progress * 4.0) as u32;
                if reached > *quarter {
                    *quarter = reached;
                    self.story
                        .tell("daemon", format!("rendering, {:.0} %", progress * 100.0));
                }
            }
            JobPhase::Encoding => self.story.tell("daemon", "every frame is drawn"),
            JobPhase::Published { .. } => self.story.tell("daemon", "published"),
            JobPhase::Failed(fault) => self
                .story
                .tell("daemon", format!("failed: {}", fault.message)),
        }
    }
}

/// Tells what happens, with the time since the start.
#[derive(Clone, Copy)]
struct Story {
    started: Instant,
}

impl Story {
    fn tell(&self, who: &str, what: impl std::fmt::Display) {
        let seconds = self.started.elapsed().as_secs_f32();
        println!("{seconds:6.1} s  {who:<7} {what}");
    }
}
