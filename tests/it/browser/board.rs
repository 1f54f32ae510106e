//! What stands in for the board: broker, HTTP server, publisher, and a network
//! that cuts downloads.

use std::{
    net::SocketAddr,
    path::PathBuf,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use mqtt5::{
    MqttClient, PublishOptions, PublishProperties, QoS,
    broker::{
        BrokerConfig, MqttBroker,
        config::{StorageConfig, WebSocketConfig},
    },
    types::Message,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinHandle,
};
use zoetrope::device::http::{HttpOptions, HttpServer, Page, Shelf, ShelfClip, Vitals};

use super::film::{self, Film};

pub const DEVICE_ID: &str = "test-board";
/// Bytes after which a download is cut.
const CUT_AFTER_BYTES: u64 = 20_000;

/// A broker on loopback; dropping it ends it and every connection.
struct Broker {
    tcp: SocketAddr,
    websocket: SocketAddr,
    stop: mqtt5::broker::BrokerShutdownHandle,
    task: JoinHandle<()>,
}

impl Broker {
    /// Port 0 takes a free one.
    async fn start(tcp: SocketAddr, websocket: SocketAddr) -> Self {
        let config = BrokerConfig::default()
            .with_bind_address(tcp)
            .with_websocket(WebSocketConfig::new().with_bind_address(websocket))
            .with_storage(StorageConfig::new().with_persistence(false));
        let mut broker = MqttBroker::with_config(config)
            .await
            .expect("free loopback ports");
        Self {
            tcp: broker.local_addr().expect("a TCP listener"),
            websocket: broker.ws_local_addr().expect("a WebSocket listener"),
            stop: broker.shutdown_handle(),
            task: tokio::spawn(async move {
                broker.run().await.expect("the broker runs");
            }),
        }
    }

    async fn stop(self) {
        self.stop.shutdown();
        self.task.await.expect("the broker does not panic");
    }
}

/// A daemon that there is nothing to say about.
struct Healthy;

impl Vitals for Healthy {
    fn metrics(&self) -> String {
        String::new()
    }

    fn readiness(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// The board as a display sees it.
pub struct Board {
    broker: Option<Broker>,
    addresses: (SocketAddr, SocketAddr),
    publisher: MqttClient,
    shelf: Shelf,
    folder: tempfile::TempDir,
    http: HttpServer,
    road: Road,
}

impl Board {
    /// One that lets in everybody, or whoever knows the token.
    pub async fn start(token: Option<&str>) -> Self {
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        let broker = Broker::start(free, free).await;
        let shelf = Shelf::new();
        let page = Page {
            device_id: DEVICE_ID.to_owned(),
            // The host is left to the page, as on a board with any name.
            broker_websocket_url: format!("ws://{{host}}:{}/mqtt", broker.websocket.port()),
        };
        let mut options = HttpOptions::open(free, page);
        options.token = token.map(str::to_owned);
        let http = HttpServer::start(options, shelf.clone(), Arc::new(Healthy))
            .await
            .expect("a free port");
        let road = Road::lay(http.local_addr()).await;
        Self {
            publisher: publisher(broker.tcp).await,
            addresses: (broker.tcp, broker.websocket),
            broker: Some(broker),
            shelf,
            folder: tempfile::tempdir().expect("a temporary folder"),
            http,
            road,
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.road.address)
    }

    pub async fn stop(self) {
        self.http.stop().await;
        if let Some(broker) = self.broker {
            broker.stop().await;
        }
    }

    pub async fn lose_broker(&mut self) {
        // Else it comes back by itself and takes the next publisher's name.
        self.publisher.disconnect().await.expect("it was connected");
        self.broker.take().expect("it was running").stop().await;
    }

    pub async fn regain_broker(&mut self) {
        self.broker = Some(Broker::start(self.addresses.0, self.addresses.1).await);
        self.publisher = publisher(self.addresses.0).await;
    }

    /// The next downloads of clips break off part-way, `count` times.
    pub fn cut_downloads(&self, count: u32) {
        self.road.cuts_left.store(count, Ordering::SeqCst);
    }

    /// Requests with a Range header that came for clips so far.
    pub fn resumed_count(&self) -> u32 {
        self.road.resumed.load(Ordering::SeqCst)
    }

    pub async fn publish_poster(&self, jpeg: &[u8]) {
        self.publish("poster", jpeg.to_vec(), None).await;
    }

    /// A clip by HTTP; `bytes` may differ from what `film` promises.
    pub async fn publish_by_url(&self, film: &Film, bytes: &[u8]) {
        let path: PathBuf = self.folder.path().join(format!("{}.mp4", film.sha256));
        std::fs::write(&path, bytes).expect("writing a clip");
        self.shelf.put(ShelfClip {
            sha256: film.sha256.clone(),
            path,
            poster_jpeg: film::poster().into(),
        });
        let url = format!("/clips/{}.mp4", film.sha256);
        self.publish_record(film, Some(&url)).await;
    }

    /// The clip in chunks of so many bytes, each sent when the display asks for
    /// it.
    pub async fn publish_in_chunks(&self, film: &Film, chunk_bytes: usize) {
        let (asks, mut asked) = mpsc::unbounded_channel();
        let gets = format!("zoetrope/{DEVICE_ID}/clip/{}/get", film.sha256);
        let pass_on = move |message: Message| {
            let _ = asks.send(message.payload);
        };
        let subscribed = self.publisher.subscribe(gets, pass_on).await;
        subscribed.expect("the broker takes a subscription");
        let count = film.mp4.len().div_ceil(chunk_bytes);
        let mut record = record_of(film);
        record["inline"] = false.into();
        record["chunks"] = serde_json::json!({ "chunk_bytes": chunk_bytes, "count": count });
        self.publish("clip/info", record.to_string().into_bytes(), None)
            .await;
        let chunks: Vec<&[u8]> = film.mp4.chunks(chunk_bytes).collect();
        let mut sent = 0;
        while sent < count {
            let payload = tokio::time::timeout(Duration::from_secs(60), asked.recv())
                .await
                .expect("the page asks in time")
                .expect("the publisher lives");
            let get: serde_json::Value = serde_json::from_slice(&payload).expect("JSON");
            let number = |name: &str| get[name].as_u64().expect("a number") as usize;
            let range = number("first")..number("first") + number("count");
            sent = range.end;
            // From the last to the first: the order says nothing.
            for index in range.rev() {
                let leaf = format!("clip/{}/chunk/{index}", film.sha256);
                self.publish(&leaf, chunks[index].to_vec(), None).await;
            }
        }
    }

    /// The clip's record.
    pub async fn publish_record(&self, film: &Film, url: Option<&str>) {
        let mut record = record_of(film);
        if let Some(url) = url {
            record["url"] = url.into();
        }
        self.publish("clip/info", record.to_string().into_bytes(), None)
            .await;
    }

    /// The clip as a message; `bytes` may differ from what `film` promises.
    pub async fn publish_bytes(&self, film: &Film, bytes: &[u8]) {
        self.publish("clip", bytes.to_vec(), Some(&film.sha256))
            .await;
    }

    async fn publish(&self, leaf: &str, payload: Vec<u8>, sha256: Option<&str>) {
        let named = sha256.map(|sha256| ("sha256".to_owned(), sha256.to_owned()));
        let options = PublishOptions {
            qos: QoS::AtLeastOnce,
            retain: !leaf.contains("/chunk/"),
            properties: PublishProperties {
                user_properties: named.into_iter().collect(),
                ..PublishProperties::default()
            },
            ..PublishOptions::default()
        };
        let topic = format!("zoetrope/{DEVICE_ID}/{leaf}");
        let sent = self
            .publisher
            .publish_with_options(topic, payload, options)
            .await;
        sent.unwrap_or_else(|error| panic!("publishing {leaf}: {error}"));
    }
}

fn record_of(film: &Film) -> serde_json::Value {
    serde_json::json!({
        "v": 1,
        "job_id": "test",
        "sha256": film.sha256,
        "bytes": film.mp4.len(),
        "codecs": "avc1.42C01E",
        "width": film::WIDTH_PX,
        "height": film::HEIGHT_PX,
        "frame_rate": film::FRAME_RATE,
        "frame_count": film::FRAME_COUNT,
        "duration_ms": film::FRAME_COUNT * 1000 / film::FRAME_RATE,
        "label": true,
    })
}

async fn publisher(broker: SocketAddr) -> MqttClient {
    let client = MqttClient::new("board");
    client
        .connect(&format!("mqtt://{broker}"))
        .await
        .expect("the broker answers");
    client
}

/// The way between display and server: one request a connection, and downloads
/// of clips break off when told.
struct Road {
    address: SocketAddr,
    cuts_left: Arc<AtomicU32>,
    resumed: Arc<AtomicU32>,
}

impl Road {
    async fn lay(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let road = Self {
            address: listener.local_addr().expect("it is bound"),
            cuts_left: Arc::new(AtomicU32::new(0)),
            resumed: Arc::new(AtomicU32::new(0)),
        };
        let (cuts_left, resumed) = (road.cuts_left.clone(), road.resumed.clone());
        tokio::spawn(async move {
            while let Ok((display, _)) = listener.accept().await {
                let (cuts_left, resumed) = (cuts_left.clone(), resumed.clone());
                tokio::spawn(async move {
                    // A display that goes away is no failure of the test.
                    let _ = carry(display, server, &cuts_left, &resumed).await;
                });
            }
        });
        road
    }
}

async fn carry(
    mut display: TcpStream,
    server: SocketAddr,
    cuts_left: &AtomicU32,
    resumed: &AtomicU32,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(display.read_u8().await?);
    }
    let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let is_clip = text.starts_with("get /clips/");
    if is_clip && text.contains("\r\nrange:") {
        resumed.fetch_add(1, Ordering::SeqCst);
    }
    // Every request shall pass here, so no connection is used twice.
    head.truncate(head.len() - 2);
    let head = String::from_utf8_lossy(&head).replace("keep-alive", "close");
    let mut upstream = TcpStream::connect(server).await?;
    upstream.write_all(head.as_bytes()).await?;
    upstream.write_all(b"\r\n").await?;
    let fewer = |left: u32| left.checked_sub(1);
    let cut = is_clip
        && cuts_left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer)
            .is_ok();
    if cut {
        tokio::io::copy(&mut upstream.take(CUT_AFTER_BYTES), &mut display).await?;
        // Let the bytes arrive before the connection breaks.
        tokio::time::sleep(Duration::from_millis(200)).await;
    } else {
        copy_bidirectional(&mut display, &mut upstream).await?;
    }
    Ok(())
}
