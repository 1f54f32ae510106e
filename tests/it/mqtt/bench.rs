//! What the tests stand on: brokers, a daemon, a display of another make.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use mqtt5::{ConnectOptions, MqttClient, PublishOptions, QoS, types::Message};
use tempfile::TempDir;
use tokio::sync::mpsc;
use zoetrope::{
    burst::Burst,
    clip::{Clip, ClipError},
    config::{Broker, Config},
    daemon::{Daemon, Renderer},
    device::{
        broker::{BrokerOptions, LoopbackBroker},
        display::{RequestOptions, sha256_of},
    },
    director::Report,
    frames::Frame,
    picture::{Plane, Yuv420},
    pipeline::{Job, Onlooker, PipelineError, Stage},
    scene::{EngineReport, NetworkCard},
    still::Limits,
};

/// Ends of the topics that a daemon that has made a clip keeps at the broker.
pub const RETAINED: [&str; 7] = [
    "/availability",
    "/state",
    "/info",
    "/health",
    "/clip",
    "/clip/info",
    "/poster",
];

/// Longest wait for anything: what takes a moment on two free cores may take
/// this long on two that others use as well.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Long enough for a machine that does not get round to a ping.
const KEEP_ALIVE: Duration = Duration::from_secs(60);
/// Device of every daemon here; each has a broker of its own.
pub const DEVICE: &str = "hall";

/// Writes the photograph back as its clip, after the gate is open.
#[derive(Default)]
pub struct StandIn {
    /// Renders wait while this is closed.
    pub is_closed: AtomicBool,
    /// Photographs that were rendered.
    pub rendered: Mutex<Vec<Vec<u8>>>,
    /// What was known of the moments before each.
    pub before: Mutex<Vec<Before>>,
}

/// What a renderer is told about the moments before a photograph.
#[derive(Clone, Debug, PartialEq)]
pub struct Before {
    /// Pictures and their moments, in seconds; none if there is no burst.
    pub frames: Vec<(Vec<u8>, f32)>,
    pub fault: Option<String>,
    pub clean_plate: bool,
}

impl Renderer for StandIn {
    fn render(&self, job: &Job<'_>, onlooker: &dyn Onlooker) -> Result<Clip, PipelineError> {
        onlooker.stage(Stage::Decoding);
        assert!(job.photo != b"panic", "asked to panic");
        if job.photo.starts_with(b"budget")
            && let Some(bytes_max) = job.clip_bytes_max
        {
            let bytes = bytes_max + 1;
            return Err(ClipError::Budget { bytes, bytes_max }.into());
        }
        if job.photo == b"encoder fails" {
            return Err(ClipError::Encoder("out of bits".to_owned()).into());
        }
        self.rendered.lock().unwrap().push(job.photo.to_vec());
        let frames = job.burst.into_iter().flat_map(Burst::frames);
        self.before.lock().unwrap().push(Before {
            frames: frames
                .map(|(jpeg, time_s)| (jpeg.to_vec(), time_s))
                .collect(),
            fault: job.burst_fault.map(str::to_owned),
            clean_plate: job.clean_plate,
        });
        while self.is_closed.load(Ordering::Relaxed) {
            if onlooker.is_cancelled() {
                return Err(PipelineError::Cancelled);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let planes = Yuv420 {
            y: Plane::filled(2, 2, 0),
            u: Plane::filled(1, 1, 128),
            v: Plane::filled(1, 1, 128),
        };
        let frame = Frame {
            index: 0,
            phase: 0.0,
            pts_ticks: 0,
            planes,
        };
        onlooker.frame(&frame, 1, 1);
        let is_twice = job.photo.starts_with(b"twice");
        let mp4 = job.photo.repeat(1 + usize::from(is_twice));
        fs::write(job.clip_path, &mp4).unwrap();
        Ok(Clip {
            path: job.clip_path.to_owned(),
            size_bytes: mp4.len() as u64,
            sha256: sha256_of(&mp4),
            codecs: "avc1.640028".to_owned(),
            width_px: 2,
            height_px: 2,
            frame_rate: 30,
            frame_count: 1,
            job_id: job.id.clone(),
            poster_jpeg: b"poster".to_vec(),
            report: Report::default(),
            engine: EngineReport::default(),
            observation: None,
        })
    }

    fn card(&self) -> NetworkCard {
        NetworkCard {
            name: "stand-in".to_owned(),
            sha256: "00".repeat(32),
        }
    }
}

pub fn at(port: u16) -> Broker {
    Broker {
        host: "127.0.0.1".to_owned(),
        port,
        username: None,
        password_file: None,
        tls: None,
        packet_bytes_max: 8 << 20,
        keep_alive: KEEP_ALIVE,
    }
}

/// Asks for a clip of `photo`, or of the board's camera, to stand in `folder`.
pub fn asking(
    port: u16,
    photo: Option<PathBuf>,
    folder: &Path,
    timeout: Duration,
) -> RequestOptions {
    RequestOptions {
        broker: at(port),
        device_id: DEVICE.to_owned(),
        photo,
        look: Default::default(),
        shape: Default::default(),
        output: folder.join("asked.mp4"),
        timeout,
    }
}

pub async fn loopback() -> LoopbackBroker {
    LoopbackBroker::start(&BrokerOptions::default())
        .await
        .unwrap()
}

/// The file in the folder of a board that it reads when it is asked to.
pub const CONFIGURATION: &str = "zoetrope.toml";

/// A daemon with its folder and renderer.
pub struct Board {
    pub daemon: Daemon,
    pub renderer: Arc<StandIn>,
    pub folder: TempDir,
}

impl Board {
    /// Stops the daemon; its folder is left for the next.
    pub async fn stop(self) -> TempDir {
        self.daemon.stop().await;
        self.folder
    }
}

pub async fn board(broker: Broker) -> Board {
    board_in(tempfile::tempdir().unwrap(), broker, |_, _| {}).await
}

/// A board whose configuration is changed before it starts; told are its
/// folder and its configuration.
pub async fn board_with(broker: Broker, change: impl FnOnce(&Path, &mut Config)) -> Board {
    board_in(tempfile::tempdir().unwrap(), broker, change).await
}

/// A daemon in a folder that another may have used before, with a
/// configuration that is changed. The file that it reads again need not be there.
pub async fn board_in(
    folder: TempDir,
    broker: Broker,
    change: impl FnOnce(&Path, &mut Config),
) -> Board {
    let renderer = Arc::new(StandIn::default());
    let mut config = Config {
        device_id: DEVICE.to_owned(),
        broker,
        photo_limits: Limits {
            bytes_max: 1 << 20,
            ..Limits::default()
        },
        clips_dir: folder.path().join("clips"),
        journal_dir: folder.path().join("journal"),
        queue_length_max: 2,
        ..Config::default()
    };
    change(folder.path(), &mut config);
    let file = folder.path().join(CONFIGURATION);
    let started_at = Instant::now();
    let daemon = loop {
        let renderer = Arc::clone(&renderer) as Arc<dyn Renderer>;
        match Daemon::start(config.clone(), Some(file.clone()), renderer).await {
            Ok(daemon) => break daemon,
            // A program that another test starts has all our files, locks too, for
            // a moment.
            Err(error) if format!("{error:#}").contains("in use by another process") => {
                assert!(started_at.elapsed() < PATIENCE, "{error:#}");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            Err(error) => panic!("{error:#}"),
        }
    };
    Board {
        daemon,
        renderer,
        folder,
    }
}

/// A display made with another MQTT library than the daemon's.
pub struct Display {
    pub client: MqttClient,
    outbox: mpsc::UnboundedSender<Message>,
    inbox: mpsc::UnboundedReceiver<Message>,
}

impl Display {
    /// Connects, and subscribes to everything of the board.
    pub async fn connect(port: u16, name: &str) -> Self {
        let client =
            MqttClient::with_options(ConnectOptions::new(name).with_keep_alive(KEEP_ALIVE));
        client
            .connect(&format!("mqtt://127.0.0.1:{port}"))
            .await
            .unwrap();
        let (outbox, inbox) = mpsc::unbounded_channel();
        let display = Self {
            client,
            outbox,
            inbox,
        };
        display.hears(&format!("zoetrope/{DEVICE}/#")).await;
        display
    }

    /// Waits until each of these ends of a topic has been heard.
    pub async fn hears_all(&mut self, topic_ends: &[&str]) {
        let mut missing = topic_ends.to_vec();
        while !missing.is_empty() {
            let message = self.next("", |_| true).await;
            missing.retain(|end| !message.topic.ends_with(end));
        }
    }

    /// Subscribes to more.
    pub async fn hears(&self, filter: &str) {
        let outbox = self.outbox.clone();
        let pass_on = move |message| {
            let _ = outbox.send(message);
        };
        self.client.subscribe(filter, pass_on).await.unwrap();
    }

    /// Sends a photograph.
    pub async fn send_photo(&self, photo: &[u8], properties: &[(&str, &str)]) {
        let mut options = PublishOptions {
            qos: QoS::AtLeastOnce,
            ..PublishOptions::default()
        };
        options.properties.correlation_data = Some(b"mine".to_vec());
        for (name, value) in properties {
            let pair = ((*name).to_owned(), (*value).to_owned());
            options.properties.user_properties.push(pair);
        }
        let topic = format!("zoetrope/{DEVICE}/request/render_photo");
        self.client
            .publish_with_options(topic, photo.to_vec(), options)
            .await
            .unwrap();
    }

    /// Asks again and again for the same job.
    pub async fn send_photo_times(&self, count: usize, photo: &[u8], id: &str) {
        for number in 0..count {
            let mark = number.to_string();
            let properties = [("job_id", id), ("transaction", mark.as_str())];
            self.send_photo(photo, &properties).await;
        }
    }

    /// Sends a JSON request.
    pub async fn send_json(&self, text: &str) {
        self.send("request/render", text).await;
    }

    /// Sends bytes to a topic of the board.
    pub async fn send(&self, leaf: &str, payload: impl AsRef<[u8]>) {
        let topic = format!("zoetrope/{DEVICE}/{leaf}");
        self.client
            .publish_qos1(topic, payload.as_ref().to_vec())
            .await
            .unwrap();
    }

    /// The next message of any kind, if one comes in this time.
    pub async fn any(&mut self, time_max: Duration) -> Option<Message> {
        let next = tokio::time::timeout(time_max, self.inbox.recv()).await;
        next.ok().map(|message| message.expect("client lives"))
    }

    /// Sends a command and waits for its answer.
    pub async fn asked(&mut self, command: &str, payload: &str) -> serde_json::Value {
        self.send(&format!("request/{command}"), payload).await;
        self.json(&format!("/response/{command}")).await
    }

    /// The next message whose topic ends like this and which `fits`.
    pub async fn next(&mut self, end: &str, fits: impl Fn(&Message) -> bool) -> Message {
        let waiting = async {
            loop {
                let message = self.inbox.recv().await.expect("client lives");
                if message.topic.ends_with(end) && fits(&message) {
                    return message;
                }
            }
        };
        tokio::time::timeout(PATIENCE, waiting)
            .await
            .unwrap_or_else(|_| panic!("nothing came on {end}"))
    }

    /// The next JSON document on a topic that ends like this.
    pub async fn json(&mut self, end: &str) -> serde_json::Value {
        let message = self.next(end, |_| true).await;
        serde_json::from_slice(&message.payload).unwrap()
    }

    /// Waits until the daemon says that it is in this state.
    pub async fn state(&mut self, wanted: &str) -> serde_json::Value {
        let is_wanted = |message: &Message| {
            serde_json::from_slice::<serde_json::Value>(&message.payload)
                .is_ok_and(|state| state["state"] == wanted)
        };
        let message = self.next("/state", is_wanted).await;
        serde_json::from_slice(&message.payload).unwrap()
    }
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}
