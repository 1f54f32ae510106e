//! The other ways in and out: URLs, folders, monitors, heat, certificates.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::task::spawn_blocking;
use zoetrope::{
    config::{self, Broker, Config, Http, Tls},
    device::mqtt::{Connection, Link, Settings},
};

use super::{
    bench::{Display, PATIENCE, at, board, board_with, free_port, loopback},
    mosquitto::{Entrance, mosquitto},
};

/// A server with one photograph at every path.
async fn photo_server(photo: &'static [u8]) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = axum::Router::new().fallback(move || async move { photo });
    tokio::spawn(axum::serve(listener, router).into_future());
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_becomes_a_clip_if_its_host_is_listed() {
    let broker = loopback().await;
    let port = broker.address().port();
    let server = photo_server(b"from afar").await;
    let board = board_with(at(port), |_, config| {
        let toml = format!("[url]\nprivate_hosts = ['{server}']");
        config.url = Config::parse(&toml).unwrap().url;
    })
    .await;
    let mut display = Display::connect(port, "display").await;
    display.state("ready").await;
    let url = format!("http://{server}/a.jpg");
    display
        .send_json(&format!(r#"{{"job_id":"a","source":{{"url":"{url}"}}}}"#))
        .await;
    assert_eq!(display.json("/response/render").await["status"], "ok");
    assert_eq!(
        *board.renderer.rendered.lock().unwrap(),
        [b"from afar".to_vec()]
    );
    let digest = "00".repeat(32);
    for (source, code) in [
        (
            r#"{"url":"http://127.0.0.1:1/a.jpg"}"#.to_owned(),
            "url_refused",
        ),
        (
            r#"{"url":"http://169.254.169.254/"}"#.to_owned(),
            "url_refused",
        ),
        (r#"{"url":"file:///etc/passwd"}"#.to_owned(), "bad_request"),
        (r#"{"path":"/etc/passwd"}"#.to_owned(), "bad_json"),
        (r#""/etc/passwd""#.to_owned(), "bad_json"),
        (
            format!(r#"{{"url":"{url}","sha256":"{digest}"}}"#),
            "sha256_mismatch",
        ),
    ] {
        display
            .send_json(&format!(r#"{{"source":{source}}}"#))
            .await;
        let answer = display.json("/response/render").await;
        assert_eq!(answer["error"]["code"], code, "{answer}");
    }
    // The requester's fault, so we are well.
    let mut late = Display::connect(port, "late").await;
    late.state("ready").await;
    board.daemon.stop().await;
}

/// Names that mean something to a file system mean nothing to us.
#[tokio::test(flavor = "multi_thread")]
async fn no_name_from_a_message_becomes_a_path() {
    let broker = loopback().await;
    let port = broker.address().port();
    let board = board(at(port)).await;
    let mut display = Display::connect(port, "display").await;
    display.state("ready").await;
    for (job_id, status) in [
        ("..", "ok"),
        (".hidden", "ok"),
        ("a..b", "ok"),
        ("../../outside", "error"),
        ("/etc/outside", "error"),
    ] {
        let transaction = "../../outside";
        display
            .send_photo(
                b"photo",
                &[("job_id", job_id), ("transaction", transaction)],
            )
            .await;
        let answer = display.json("/response/render_photo").await;
        assert_eq!(answer["status"], status, "{job_id:?}: {answer}");
        assert_eq!(answer["transaction"], transaction);
    }
    board.daemon.stop().await;
    let names = |path: PathBuf| -> Vec<String> {
        let entries = fs::read_dir(path).unwrap();
        let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        let mut names: Vec<_> = entries.map(|entry| name(entry.unwrap())).collect();
        names.sort();
        names
    };
    assert_eq!(names(board.folder.path().to_owned()), ["clips", "journal"]);
    for name in names(board.folder.path().join("clips")) {
        // A clip by its digest, its record by its number.
        let (stem, ending) = name.split_once('.').unwrap_or((&name, ""));
        let is_number = stem.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_ours = match ending {
            "mp4" => is_number && stem.len() == 64,
            "clip" => is_number && stem.len() == 16,
            _ => name == "unfinished",
        };
        assert!(is_ours, "{name}");
    }
}

async fn there(path: &Path) {
    let waiting = async {
        while !path.exists() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .unwrap_or_else(|_| panic!("{} does not come", path.display()));
}

#[tokio::test(flavor = "multi_thread")]
async fn photographs_in_a_folder_become_clips_next_to_them() {
    let broker = loopback().await;
    let port = broker.address().port();
    let board = board_with(at(port), |folder, config| {
        config.trigger.folder = Some(folder.join("photos"));
    })
    .await;
    let mut display = Display::connect(port, "display").await;
    display.state("ready").await;
    let photos = board.folder.path().join("photos");
    there(&photos).await;
    fs::write(photos.join("good.jpg"), b"good").unwrap();
    fs::write(photos.join("worse.png"), b"encoder fails").unwrap();
    let answer = display.json("/response/render").await;
    assert_eq!(answer["transaction"], "folder");
    for name in ["done/good.jpg", "failed/worse.png"] {
        there(&photos.join(name)).await;
    }
    assert_eq!(fs::read(photos.join("done/good.mp4")).unwrap(), b"good");
    let said = fs::read_to_string(photos.join("failed/worse.txt")).unwrap();
    assert_eq!(said, "encode: encoder: out of bits\n");
    assert_eq!(board.renderer.rendered.lock().unwrap().len(), 1);
    board.daemon.stop().await;
}

fn zone(folder: &Path, celsius: u32) {
    let zone = folder.join("class/thermal/thermal_zone0");
    fs::create_dir_all(&zone).unwrap();
    fs::write(zone.join("type"), "cpu\n").unwrap();
    fs::write(zone.join("temp"), format!("{celsius}000\n")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hot_board_says_so_and_goes_on_with_pauses() {
    let broker = loopback().await;
    let port = broker.address().port();
    let board = board_with(at(port), |folder, config| {
        zone(folder, 95);
        config.thermal.sysfs_dir = folder.to_owned();
        config.thermal.pause = Duration::from_millis(100);
    })
    .await;
    let mut display = Display::connect(port, "display").await;
    let degraded = display.state("degraded").await;
    assert_eq!(
        degraded["reason"],
        "cpu has 95 °C, allowed are less than 85"
    );
    for id in ["a", "b", "c"] {
        display.send_photo(id.as_bytes(), &[("job_id", id)]).await;
    }
    for _ in 0..3 {
        let answer = display.json("/response/render_photo").await;
        assert_eq!(answer["status"], "ok", "{answer}");
    }
    board.daemon.stop().await;
}

async fn ask(address: SocketAddr, path: &str, token: Option<&str>) -> (u16, String) {
    let url = format!("http://{address}{path}");
    let bearer = token.map(|token| format!("Bearer {token}"));
    let asked = spawn_blocking(move || {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .build()
            .new_agent();
        let mut request = agent.get(&url);
        if let Some(bearer) = bearer {
            request = request.header("authorization", bearer);
        }
        let mut answer = request.call().unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        (answer.status().as_u16(), text)
    });
    asked.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn monitors_see_the_broker_come_and_jobs_counted() {
    let token = "a token for monitors";
    let port = free_port();
    let mut board = board_with(at(port), |folder, config| {
        let token_file = folder.join("token");
        fs::write(&token_file, token).unwrap();
        config.http = Some(Http {
            listen: SocketAddr::from(([0, 0, 0, 0], 0)),
            broker_websocket_url: "ws://{host}:1".to_owned(),
            token_file: Some(token_file),
            tls: None,
            connections_max: 8,
        });
    })
    .await;
    let http = board.daemon.http_address().unwrap();
    let http = SocketAddr::from(([127, 0, 0, 1], http.port()));
    assert_eq!(ask(http, "/readyz", None).await.0, 401);
    assert_eq!(ask(http, "/healthz", None).await.0, 200);
    let (status, said) = ask(http, "/readyz", Some(token)).await;
    assert_eq!(status, 503);
    assert!(said.starts_with("not ready: "), "{said}");
    // Nobody on the network has asked for what a signal asks for: refusals do not
    // wait for a broker.
    let figure = async |name: &str| {
        let (_, metrics) = ask(http, "/metrics", Some(token)).await;
        let line = metrics.lines().find_map(|line| line.strip_prefix(name));
        line.map_or(0, |figure| figure.trim().parse::<u64>().unwrap())
    };
    let waiting = figure("zoetrope_outbox_length").await;
    for count in 1..=3 {
        board.daemon.ring();
        let deadline = Instant::now() + PATIENCE;
        while figure("zoetrope_requests_refused_total{code=\"no_camera\"}").await < count {
            assert!(Instant::now() < deadline, "a signal is not heard");
        }
    }
    assert_eq!(figure("zoetrope_outbox_length").await, waiting);

    let options = zoetrope::device::broker::BrokerOptions {
        port,
        ..Default::default()
    };
    let _broker = zoetrope::device::broker::LoopbackBroker::start(&options)
        .await
        .unwrap();
    let mut display = Display::connect(port, "display").await;
    display.state("ready").await;
    assert_eq!(
        ask(http, "/readyz", Some(token)).await,
        (200, "ready\n".to_owned())
    );
    display.send_photo(b"good", &[]).await;
    display.json("/response/render_photo").await;
    display.send_photo(b"encoder fails", &[]).await;
    display.json("/response/render_photo").await;
    display.send_photo(b"", &[]).await;
    display.json("/response/render_photo").await;
    // No camera is configured, so a signal's job is refused like any other.
    board.daemon.ring();
    let answer = display.json("/response/render").await;
    assert_eq!(answer["transaction"], "signal");
    assert_eq!(answer["error"]["code"], "no_camera");
    let (_, metrics) = ask(http, "/metrics", Some(token)).await;
    for line in [
        "zoetrope_renders_total{result=\"ok\",code=\"\"} 1",
        "zoetrope_renders_total{result=\"failed\",code=\"encode\"} 1",
        "zoetrope_requests_refused_total{code=\"bad_photo\"} 1",
        "zoetrope_requests_refused_total{code=\"no_camera\"} 4",
        "zoetrope_stage_seconds_count{stage=\"decoding\"} 1",
        "zoetrope_broker_connected 1",
        "zoetrope_broker_connections_total 1",
        "zoetrope_queue_length 0",
    ] {
        assert!(
            metrics.lines().any(|said| said == line),
            "{line}\n{metrics}"
        );
    }
    board.daemon.stop().await;
}

/// A certificate and its key, in PEM.
type Pair = (String, String);

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        let name = &mut params.distinguished_name;
        name.push(DnType::CommonName, "authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    fn issue(&self, name: &str) -> Pair {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        // OpenSSL takes a name that is the authority's for the authority.
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.signed_by(&key, &self.0).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_wants_our_certificate_gets_it_and_its_name_is_compared() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let ca = authority.0.pem();
    let server = authority.issue("localhost");
    let Some(mosquitto) = mosquitto(&Entrance::Certified(&server.0, &server.1, &ca)) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let connect = async |name: &str, host: &str, client: Option<Pair>| -> Link {
        let file = |what: &str, pem: &str| {
            let path = folder.path().join(format!("{name}-{what}"));
            fs::write(&path, pem).unwrap();
            path
        };
        let client = client.map(|(cert, key)| config::KeyPair {
            cert_file: file("cert.pem", &cert),
            key_file: file("key.pem", &key),
        });
        let ca_file = file("ca.pem", &ca);
        let broker = Broker {
            host: host.to_owned(),
            tls: Some(Tls { ca_file, client }),
            ..at(mosquitto.port)
        };
        let settings = Settings {
            client_id: name.to_owned(),
            broker,
            last_will: None,
            subscriptions: Vec::new(),
            unacknowledged_max: None,
        };
        let (connection, _messages) = Connection::open(&settings).unwrap();
        let mut link = connection.link();
        let settled = link.wait_for(|link| link.is_up || link.trouble.is_some());
        let settled = tokio::time::timeout(PATIENCE, settled).await.unwrap();
        settled.unwrap().clone()
    };
    let known = connect("known", "localhost", Some(authority.issue("board"))).await;
    assert!(known.is_up, "{known:?}");
    for (name, host, client) in [
        ("nobody", "localhost", None),
        ("stranger", "localhost", Some(stranger.issue("board"))),
        ("misnamed", "127.0.0.1", Some(authority.issue("board"))),
    ] {
        let refused = connect(name, host, client).await;
        assert!(!refused.is_up && refused.trouble.is_some(), "{name}");
    }
}
