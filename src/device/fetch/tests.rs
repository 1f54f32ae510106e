//! Against a real server on the loopback address.

use std::net::SocketAddr;

use axum::{
    Router,
    body::{Body, Bytes},
    http::{StatusCode, header},
    routing::get,
};
use tokio::{runtime::Runtime, sync::mpsc};

use super::*;
use crate::config::Config;

const PHOTO: &[u8] = b"not really a photograph";
const LARGE_BYTES: usize = 100_000;

struct Server {
    address: SocketAddr,
    runtime: Runtime,
}

impl Server {
    fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let listen = tokio::net::TcpListener::bind("127.0.0.1:0");
        let listener = runtime.block_on(listen).unwrap();
        let address = listener.local_addr().unwrap();
        let to = |place: String| {
            get(move || async move { (StatusCode::FOUND, [(header::LOCATION, place)]) })
        };
        let router = Router::new()
            .route("/photo", get(|| async { PHOTO }))
            .route("/large", get(|| async { vec![0; LARGE_BYTES] }))
            .route("/endless", get(|| async { Body::new(Endless) }))
            .route("/silent", get(std::future::pending::<()>))
            .route("/1", to("/2".to_owned()))
            .route("/2", to("3".to_owned()))
            .route("/3", to(format!("http://{address}/photo")))
            .route("/round", to("/round".to_owned()))
            .route("/out", to("http://elsewhere.example/photo".to_owned()))
            .route("/port", to("http://127.0.0.1:1/photo".to_owned()))
            .route("/metadata", to("http://169.254.169.254/latest".to_owned()))
            .route("/file", to("file:///etc/passwd".to_owned()))
            .route("/user", to(format!("http://me:secret@{address}/photo")));
        runtime.spawn(axum::serve(listener, router).into_future());
        Self { address, runtime }
    }

    /// Fetches `path`, with further keys of `[url]`.
    fn fetch(&self, path: &str, keys: &str) -> Result<Vec<u8>, FetchError> {
        let toml = format!("[url]\nprivate_hosts = ['{}']\n{keys}", self.address);
        self.ask(path, &toml, None)
    }

    fn ask(&self, path: &str, toml: &str, sha256: Option<&str>) -> Result<Vec<u8>, FetchError> {
        let _runtime = self.runtime.enter();
        let config = Config::parse(toml).unwrap();
        let url = match path.strip_prefix('/') {
            Some(_) => format!("http://{}{path}", self.address),
            None => path.to_owned(),
        };
        let photo = PhotoUrl::new(&url, sha256).unwrap();
        fetch(config.url.as_ref(), &photo, config.photo_limits.bytes_max)
    }

    fn refusal(&self, path: &str, keys: &str) -> (&'static str, String) {
        let error = self.fetch(path, keys).unwrap_err();
        (error.code(), error.to_string())
    }
}

/// A body without a length that never ends.
struct Endless;

impl axum::body::HttpBody for Endless {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        let part = Bytes::from_static(&[0; 4096]);
        std::task::Poll::Ready(Some(Ok(hyper::body::Frame::data(part))))
    }
}

#[test]
fn a_photograph_comes_and_its_digest_is_compared() {
    let server = Server::start();
    assert_eq!(server.fetch("/photo", "").unwrap(), PHOTO);
    let toml = format!("[url]\nprivate_hosts = ['{}']", server.address);
    let digest = format!("{:x}", Sha256::digest(PHOTO));
    assert_eq!(server.ask("/photo", &toml, Some(&digest)).unwrap(), PHOTO);
    let other = "00".repeat(32);
    let error = server.ask("/photo", &toml, Some(&other)).unwrap_err();
    assert_eq!(error.code(), "sha256_mismatch");
    let said = error.to_string();
    assert!(said.contains(&digest) && said.contains(&other), "{said}");
}

#[test]
fn only_listed_hosts_are_asked_and_only_on_their_port() {
    let server = Server::start();
    let (code, said) = {
        let error = server.ask("/photo", "", None).unwrap_err();
        (error.code(), error.to_string())
    };
    assert_eq!(code, "url_refused");
    assert!(said.contains("photographs from URLs are off"), "{said}");
    let toml = "[url]\nprivate_hosts = ['127.0.0.1', 'other.example']";
    let said = server.ask("/photo", toml, None).unwrap_err().to_string();
    let expected = format!(
        "{} is not in url.hosts or url.private_hosts",
        server.address
    );
    assert!(said.ends_with(&expected), "{said}");
}

/// What a name leads to is only known once it has been resolved: a name on the
/// list of public hosts must not lead into the board's own network.
#[test]
fn a_public_host_with_a_private_address_is_refused() {
    let server = Server::start();
    let port = server.address.port();
    for host in ["localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]"] {
        let toml = format!("[url]\nhosts = ['{host}:{port}']");
        let url = format!("http://{host}:{port}/photo");
        let error = server.ask(&url, &toml, None).unwrap_err();
        assert_eq!(error.code(), "url_refused", "{error}");
        let said = error.to_string();
        assert!(said.contains("is not public"), "{said}");
    }
}

#[test]
fn redirects_are_followed_within_the_list() {
    let server = Server::start();
    assert_eq!(server.fetch("/1", "").unwrap(), PHOTO);
    for (path, code, said) in [
        ("/round", "url_failed", "more than the allowed 3 times"),
        (
            "/out",
            "url_refused",
            "elsewhere.example:80 is not in url.hosts",
        ),
        ("/port", "url_refused", "127.0.0.1:1 is not in url.hosts"),
        ("/metadata", "url_refused", "169.254.169.254:80 is not in"),
        ("/file", "url_failed", "redirects to \"file:///etc/passwd\""),
        ("/user", "url_failed", "expected a https or http URL"),
    ] {
        let (its_code, message) = server.refusal(path, "");
        assert_eq!(its_code, code, "{message}");
        assert!(message.contains(said), "{path}: {message}");
    }
}

#[test]
fn size_and_time_are_bounded_and_named() {
    let server = Server::start();
    let limit = "bytes_max = 2048\n";
    for path in ["/large", "/endless"] {
        let (code, said) = server.refusal(path, limit);
        assert_eq!(code, "too_large");
        assert!(said.contains("more than the allowed 2048 bytes"), "{said}");
    }
    let large = server.fetch("/large", &format!("bytes_max = {LARGE_BYTES}"));
    assert_eq!(large.unwrap().len(), LARGE_BYTES);
    let (code, said) = server.refusal("/silent", "timeout_s = 0.2\n");
    assert_eq!(code, "url_failed");
    assert!(said.ends_with("did not come within 0.2 s"), "{said}");
    let (code, said) = server.refusal("/nothing", "");
    assert_eq!(code, "url_failed");
    assert!(said.ends_with("status 404, expected 200"), "{said}");
}

/// The query may be a key to somebody's photographs.
#[test]
fn a_query_is_never_repeated() {
    let server = Server::start();
    let (_, said) = server.refusal("/nothing?key=secret", "");
    assert!(!said.contains("secret"), "{said}");
    let error = server.ask("/photo?key=secret", "", None).unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[test]
fn over_tls_only_a_server_that_is_vouched_for_is_asked() {
    use tokio_rustls::{
        TlsAcceptor,
        rustls::{
            ServerConfig,
            pki_types::{PrivateKeyDer, pem::PemObject},
        },
    };

    let issued = |name: &str| rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let (ours, other) = (issued("localhost"), issued("localhost"));
    let key = PrivateKeyDer::from_pem_slice(ours.signing_key.serialize_pem().as_bytes()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![ours.cert.der().clone()], key)
        .unwrap();
    let server = Server::start();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let (ports, mut port) = mpsc::unbounded_channel();
    server.runtime.spawn(async move {
        let listener = tokio::net::TcpListener::bind("localhost:0").await.unwrap();
        ports.send(listener.local_addr().unwrap().port()).unwrap();
        while let Ok((stream, _)) = listener.accept().await {
            // A client that does not trust us breaks off.
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let mut head = [0; 4096];
            let _ = stream.read(&mut head).await;
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
            let _ = stream.write_all(answer).await;
            let _ = stream.shutdown().await;
        }
    });
    let port = port.blocking_recv().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ask = |authority: &str, host: &str| {
        let ca_file = folder.path().join("ca.pem");
        fs::write(&ca_file, authority).unwrap();
        let toml = format!(
            "[url]\nprivate_hosts = ['{host}:{port}']\nca_file = '{}'",
            ca_file.display()
        );
        server.ask(&format!("https://{host}:{port}/photo"), &toml, None)
    };
    assert_eq!(ask(&ours.cert.pem(), "localhost").unwrap(), b"ok");
    for (authority, host) in [
        (other.cert.pem(), "localhost"),
        (ours.cert.pem(), "127.0.0.1"),
    ] {
        let error = ask(&authority, host).unwrap_err();
        assert_eq!(error.code(), "url_failed");
        assert!(error.to_string().contains("certificate"), "{error}");
    }
}
