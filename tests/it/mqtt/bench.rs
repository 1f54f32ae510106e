//! What the tests stand on: brokers, a daemon, a display of another make.

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use mqtt5::{ConnectOptions, MqttClient, PublishOptions, QoS, types::Message};
use tempfile::TempDir;
use tokio::sync::mpsc;
use zoetrope::{
    clip::{Clip, ClipError},
    config::{Broker, Camera, Config},
    daemon::{Daemon, Renderer},
    device::{
        broker::{BrokerOptions, LoopbackBroker},
        display::sha256_of,
    },
    director::Report,
    frames::Frame,
    picture::{Plane, Yuv420},
    pipeline::{Job, Onlooker, PipelineError, Stage},
    request::{Look, Shape},
    scene::NetworkCard,
    still::Limits,
};

/// Longest wait for anything.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// Device of every daemon here; each has a broker of its own.
pub const DEVICE: &str = "hall";

/// Writes the photograph back as its clip, after the gate is open.
#[derive(Default)]
pub struct StandIn {
    /// Renders wait while this is closed.
    pub is_closed: AtomicBool,
    /// Photographs that were rendered.
    pub rendered: Mutex<Vec<Vec<u8>>>,
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
        })
    }

    fn card(&self) -> NetworkCard {
        NetworkCard {
            name: "stand-in".to_owned(),
            sha256: "00".repeat(32),
            backend: "cpu",
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
        keep_alive: Duration::from_secs(5),
    }
}

pub async fn loopback() -> LoopbackBroker {
    LoopbackBroker::start(&BrokerOptions::default())
        .await
        .unwrap()
}

/// A daemon with its folder and renderer.
pub struct Board {
    pub daemon: Daemon,
    pub renderer: Arc<StandIn>,
    pub folder: TempDir,
}

pub async fn board(broker: Broker) -> Board {
    board_with(broker, |_| None).await
}

/// A daemon whose configuration is changed first; what `change` returns is the
/// file that it reads again.
pub async fn board_with(
    broker: Broker,
    change: impl FnOnce(&mut Config) -> Option<PathBuf>,
) -> Board {
    let folder = tempfile::tempdir().unwrap();
    let renderer = Arc::new(StandIn::default());
    let mut config = Config {
        device_id: DEVICE.to_owned(),
        broker,
        camera: Camera::None,
        model_file: None,
        photo_limits: Limits {
            bytes_max: 1 << 20,
            ..Limits::default()
        },
        look: Look::default(),
        shape: Shape::default(),
        http: None,
        clips_dir: folder.path().join("clips"),
        queue_length_max: 2,
        inline_bytes_max: None,
        fleet_group: None,
        home_assistant: None,
        threads: None,
    };
    let file = change(&mut config);
    let daemon = Daemon::start(config, file, Arc::clone(&renderer) as Arc<dyn Renderer>)
        .await
        .unwrap();
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
        let client = MqttClient::with_options(
            ConnectOptions::new(name).with_keep_alive(Duration::from_secs(5)),
        );
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
