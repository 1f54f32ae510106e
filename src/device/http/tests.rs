use std::{
    pin::Pin,
    sync::atomic::{AtomicBool, Ordering},
};

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::StatusCode,
    response::Response,
};
use tower::ServiceExt;

use super::{clips::IMMUTABLE, *};

const BYTES: &[u8] = b"0123456789";

fn sha256(of: u8) -> String {
    format!("{of:02x}").repeat(32)
}

/// Ready or not, as the test says.
#[derive(Default)]
struct Monitor {
    is_ready: AtomicBool,
}

impl Vitals for Monitor {
    fn metrics(&self) -> String {
        "# EOF\n".to_owned()
    }

    fn readiness(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        let is_ready = self.is_ready.load(Ordering::Relaxed);
        let said = is_ready.then_some(()).ok_or("no broker".to_owned());
        Box::pin(std::future::ready(said))
    }
}

struct Bench {
    shelf: Shelf,
    folder: tempfile::TempDir,
    vitals: Arc<Monitor>,
    gate: Arc<Gate>,
}

impl Bench {
    fn new() -> Self {
        let bench = Self {
            shelf: Shelf::new(),
            folder: tempfile::tempdir().expect("a temporary folder"),
            vitals: Arc::default(),
            gate: Arc::new(Gate::new(None, false)),
        };
        bench.put(1);
        bench
    }

    fn put(&self, number: u8) {
        let path = self.folder.path().join(format!("{number}.mp4"));
        std::fs::write(&path, BYTES).expect("writing a clip");
        self.shelf.put(ShelfClip {
            sha256: sha256(number),
            path,
            poster_jpeg: Arc::from([0xff, 0xd8, number]),
        });
    }

    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).expect("a valid request");
        let page = Page {
            device_id: "till-3".to_owned(),
            broker_websocket_url: "ws://{host}:9001/mqtt".to_owned(),
        };
        let vitals = Arc::clone(&self.vitals) as Arc<dyn Vitals>;
        let router = router(&page, self.shelf.clone(), vitals, Arc::clone(&self.gate));
        let answer = router.oneshot(request).await;
        answer.expect("a router never fails")
    }

    async fn clip(&self, headers: &[(&str, &str)]) -> Response {
        self.ask("GET", &format!("/clips/{}.mp4", sha256(1)), headers)
            .await
    }
}

fn header_of<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response
        .headers()
        .get(name)
        .map(|value| value.to_str().expect("ASCII"))
}

async fn body(response: Response) -> Vec<u8> {
    to_bytes(response.into_body(), 1 << 24)
        .await
        .expect("a body")
        .to_vec()
}

#[tokio::test]
async fn a_whole_clip_with_its_digest_as_tag() {
    let response = Bench::new().clip(&[]).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header_of(&response, "content-type"), Some("video/mp4"));
    assert_eq!(header_of(&response, "content-length"), Some("10"));
    assert_eq!(header_of(&response, "accept-ranges"), Some("bytes"));
    assert_eq!(header_of(&response, "cache-control"), Some(IMMUTABLE));
    assert_eq!(
        header_of(&response, "etag"),
        Some(format!("\"{}\"", sha256(1)).as_str())
    );
    assert_eq!(body(response).await, BYTES);
}

#[tokio::test]
async fn ranges_at_both_ends_and_beyond() {
    let bench = Bench::new();
    for (range, answer, expected) in [
        ("bytes=0-0", "bytes 0-0/10", &b"0"[..]),
        ("bytes=4-", "bytes 4-9/10", b"456789"),
        ("bytes=-3", "bytes 7-9/10", b"789"),
        ("bytes=8-99", "bytes 8-9/10", b"89"),
    ] {
        let response = bench.clip(&[("range", range)]).await;
        assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT, "{range}");
        assert_eq!(header_of(&response, "content-range"), Some(answer));
        assert!(header_of(&response, "etag").is_some(), "{range}");
        assert_eq!(body(response).await, expected, "{range}");
    }
    for range in ["bytes=10-", "bytes=5-2", "bytes=0-1,4-5"] {
        let response = bench.clip(&[("range", range)]).await;
        assert_eq!(
            response.status(),
            StatusCode::RANGE_NOT_SATISFIABLE,
            "{range}"
        );
        assert_eq!(header_of(&response, "content-range"), Some("bytes */10"));
        assert_eq!(header_of(&response, "cache-control"), None);
    }
}

#[tokio::test]
async fn conditions_are_judged_by_the_digest() {
    let bench = Bench::new();
    let (tag, other) = (format!("\"{}\"", sha256(1)), format!("\"{}\"", sha256(2)));
    let resumed = [("range", "bytes=4-"), ("if-range", tag.as_str())];
    assert_eq!(body(bench.clip(&resumed).await).await, b"456789");
    let replaced = [("range", "bytes=4-"), ("if-range", other.as_str())];
    assert_eq!(body(bench.clip(&replaced).await).await, BYTES);

    let cached = bench.clip(&[("if-none-match", tag.as_str())]).await;
    assert_eq!(cached.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(header_of(&cached, "etag"), Some(tag.as_str()));
    let stale = bench.clip(&[("if-none-match", other.as_str())]).await;
    assert_eq!(stale.status(), StatusCode::OK);
    let wrong = bench.clip(&[("if-match", other.as_str())]).await;
    assert_eq!(wrong.status(), StatusCode::PRECONDITION_FAILED);
}

#[tokio::test]
async fn head_tells_the_size_without_the_bytes() {
    let bench = Bench::new();
    let path = format!("/clips/{}.mp4", sha256(1));
    let response = bench.ask("HEAD", &path, &[]).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header_of(&response, "content-length"), Some("10"));
    assert_eq!(body(response).await, b"");
    assert_eq!(
        bench.ask("DELETE", &path, &[]).await.status(),
        StatusCode::METHOD_NOT_ALLOWED
    );
}

#[tokio::test]
async fn only_what_is_on_the_shelf_can_be_fetched() {
    let bench = Bench::new();
    let absent = sha256(9);
    for path in [
        format!("/clips/{absent}.mp4"),
        format!("/clips/{}", sha256(1)),
        "/clips/..%2f..%2fetc%2fpasswd.mp4".to_owned(),
        "/clips/".to_owned(),
        "/nothing".to_owned(),
    ] {
        assert_eq!(
            bench.ask("GET", &path, &[]).await.status(),
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    std::fs::remove_file(bench.folder.path().join("1.mp4")).expect("removing the clip");
    let gone = bench.clip(&[]).await;
    assert_eq!(gone.status(), StatusCode::NOT_FOUND);
    assert_eq!(header_of(&gone, "cache-control"), None);
}

#[tokio::test]
async fn the_last_four_clips_and_the_latest_poster() {
    let bench = Bench::new();
    for number in [2, 3, 4, 1, 5] {
        bench.put(number);
    }
    let found = (1..=5).map(|number| bench.shelf.find(&sha256(number)).is_some());
    assert_eq!(found.collect::<Vec<_>>(), [true, false, true, true, true]);
    let poster = bench.ask("GET", "/poster.jpg", &[]).await;
    assert_eq!(header_of(&poster, "content-type"), Some("image/jpeg"));
    assert_eq!(body(poster).await, [0xff, 0xd8, 5]);
    let none = Bench {
        shelf: Shelf::new(),
        ..bench
    };
    assert_eq!(
        none.ask("GET", "/poster.jpg", &[]).await.status(),
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn the_page_and_its_scripts_with_their_types() {
    let bench = Bench::new();
    for asset in assets::ASSETS {
        let response = bench.ask("GET", asset.path, &[]).await;
        assert_eq!(response.status(), StatusCode::OK, "{}", asset.path);
        assert_eq!(
            header_of(&response, "content-type"),
            Some(asset.content_type)
        );
        assert_eq!(
            header_of(&response, "x-content-type-options"),
            Some("nosniff")
        );
        assert!(header_of(&response, "content-security-policy").is_some());
        assert!(!body(response).await.is_empty(), "{}", asset.path);
    }
    let told = body(bench.ask("GET", "/kiosk.json", &[]).await).await;
    let told: serde_json::Value = serde_json::from_slice(&told).expect("JSON");
    assert_eq!(told["base_topic"], "zoetrope/till-3");
    assert_eq!(told["broker_websocket_url"], "ws://{host}:9001/mqtt");
}

/// Every module that a script names is built in: the page must not find a
/// hole only in the browser.
#[test]
fn every_import_is_served() {
    let served: Vec<&str> = assets::ASSETS.iter().map(|asset| asset.path).collect();
    for asset in assets::ASSETS
        .iter()
        .filter(|asset| !asset.path.contains("mqtt.esm"))
    {
        let text = std::str::from_utf8(asset.bytes).expect("UTF-8");
        let folder = asset.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for named in text.split("from \"./").skip(1) {
            let file = named
                .split('"')
                .next()
                .expect("split yields at least one part");
            let path = format!("{folder}/{file}");
            assert!(
                served.contains(&path.as_str()),
                "{} names {path}",
                asset.path
            );
        }
    }
}

#[tokio::test]
async fn a_real_client_over_tcp_and_an_orderly_end() {
    let bench = Bench::new();
    let page = Page {
        device_id: "till-3".to_owned(),
        broker_websocket_url: "ws://:9001/mqtt".to_owned(),
    };
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let vitals = Arc::clone(&bench.vitals) as Arc<dyn Vitals>;
    let options = HttpOptions::open(listen, page.clone());
    let server = HttpServer::start(options, bench.shelf.clone(), Arc::clone(&vitals))
        .await
        .expect("a free port");
    let address = server.local_addr();
    let url = format!("http://{address}/clips/{}.mp4", sha256(1));
    let (status, bytes) = tokio::task::spawn_blocking(move || {
        let mut response = ureq::get(&url)
            .header("range", "bytes=2-5")
            .call()
            .expect("an answer");
        (
            response.status().as_u16(),
            response.body_mut().read_to_vec().expect("a body"),
        )
    })
    .await
    .expect("the client does not panic");
    assert_eq!((status, bytes.as_slice()), (206, &b"2345"[..]));

    let again = HttpOptions::open(address, page);
    let taken = HttpServer::start(again, Shelf::new(), vitals).await;
    let said = taken.err().expect("the address is in use").to_string();
    assert!(
        said.starts_with(&format!("cannot listen on {address}: ")),
        "{said}"
    );
    server.stop().await;
    assert!(
        tokio::net::TcpStream::connect(address).await.is_err(),
        "nobody listens any more"
    );
}

#[tokio::test]
async fn monitors_are_told_whether_and_why_not() {
    let bench = Bench::new();
    let ready = bench.ask("GET", "/readyz", &[]).await;
    assert_eq!(ready.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(body(ready).await, b"not ready: no broker\n");
    bench.vitals.is_ready.store(true, Ordering::Relaxed);
    let ready = bench.ask("GET", "/readyz", &[]).await;
    assert_eq!(ready.status(), StatusCode::OK);
    let metrics = bench.ask("GET", "/metrics", &[]).await;
    let kind = header_of(&metrics, "content-type").expect("a type");
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    assert_eq!(body(metrics).await, b"# EOF\n");
}

mod connections;

mod entrance;
