//! Over real sockets: TLS, and peers that mean no good.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
};

use tokio_rustls::rustls::crypto::ring;
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};

use super::*;

async fn serve(bench: &Bench, change: impl FnOnce(&mut HttpOptions)) -> HttpServer {
    let page = Page {
        device_id: "till-3".to_owned(),
        broker_websocket_url: "ws://:9001/mqtt".to_owned(),
    };
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut options = HttpOptions::open(listen, page);
    change(&mut options);
    let vitals = Arc::clone(&bench.vitals) as Arc<dyn Vitals>;
    HttpServer::start(options, bench.shelf.clone(), vitals)
        .await
        .expect("a free port")
}

/// Sends `text` and reads until the server closes or the answer's head ends.
fn exchange(address: SocketAddr, text: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).expect("a listener");
    // It may close before it has read everything.
    let _ = stream.write_all(text);
    let mut answer = Vec::new();
    let mut part = [0; 1024];
    while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut part) {
            Ok(0) | Err(_) => break,
            Ok(bytes) => answer.extend_from_slice(&part[..bytes]),
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_is_too_large_or_none_is_refused() {
    let bench = Bench::new();
    let server = serve(&bench, |_| {}).await;
    let address = server.local_addr();
    let said = tokio::task::spawn_blocking(move || {
        let large = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(100_000));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(1_000));
        let none = "\x16\x03\x01 hello\r\n\r\n";
        let fine = "GET /healthz HTTP/1.1\r\nhost: board\r\n\r\n";
        [&large, &many, none, fine].map(|text| exchange(address, text.as_bytes()))
    })
    .await
    .expect("the client does not panic");
    let [large, many, none, fine] = said;
    for refused in [&large, &many] {
        assert!(
            refused.starts_with("HTTP/1.1 431") || refused.is_empty(),
            "{refused}"
        );
    }
    assert!(none.starts_with("HTTP/1.1 400"), "{none}");
    assert!(fine.starts_with("HTTP/1.1 200"), "{fine}");
    server.stop().await;
}

/// One peer that only holds connections takes half of the places; when it lets
/// go they are free again.
#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_hoards_connections_is_turned_away() {
    let bench = Bench::new();
    let server = serve(&bench, |options| options.connections_max = 4).await;
    let address = server.local_addr();
    tokio::task::spawn_blocking(move || {
        let ask = || exchange(address, b"GET /healthz HTTP/1.1\r\nhost: board\r\n\r\n");
        let hoarded: Vec<_> = (0..2)
            .map(|_| TcpStream::connect(address).expect("a listener"))
            .collect();
        // Accepted in order, so both have their places by now.
        assert_eq!(ask(), "");
        drop(hoarded);
        let served = (0..200).any(|_| {
            std::thread::sleep(Duration::from_millis(20));
            ask().starts_with("HTTP/1.1 200")
        });
        assert!(served, "the places are not free again");
    })
    .await
    .expect("the client does not panic");
    server.stop().await;
}

fn issued() -> (String, String, Certificate<'static>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let der = Certificate::from_der(made.cert.der()).to_owned();
    (made.cert.pem(), made.signing_key.serialize_pem(), der)
}

/// What a client says that trusts this certificate alone.
async fn over_tls(server: &HttpServer, trusted: &Certificate<'static>) -> Result<u16, String> {
    let url = format!("https://localhost:{}/healthz", server.local_addr().port());
    let trusted = trusted.clone();
    let ask = move || {
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
            .root_certs(RootCerts::Specific(Arc::new(vec![trusted])))
            .build();
        let agent = ureq::Agent::config_builder().tls_config(tls).proxy(None);
        let answer = agent.build().new_agent().get(&url).call();
        answer
            .map(|answer| answer.status().as_u16())
            .map_err(|error| error.to_string())
    };
    tokio::task::spawn_blocking(ask)
        .await
        .expect("the client does not panic")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_replaced_while_serving() {
    let bench = Bench::new();
    let files = KeyPair {
        cert_file: bench.folder.path().join("cert.pem"),
        key_file: bench.folder.path().join("key.pem"),
    };
    let lay_out = |cert: &str, key: &str| {
        std::fs::write(&files.cert_file, cert).expect("a file");
        std::fs::write(&files.key_file, key).expect("a file");
    };
    let (first, second) = (issued(), issued());
    lay_out(&first.0, &first.1);
    let server = serve(&bench, |options| options.tls = Some(files.clone())).await;
    assert_eq!(over_tls(&server, &first.2).await, Ok(200));
    let said = over_tls(&server, &second.2).await.expect_err("a stranger");
    assert!(said.contains("certificate"), "{said}");

    lay_out(&second.0, &second.1);
    server.renewal().renew(None).expect("a good pair");
    assert_eq!(over_tls(&server, &second.2).await, Ok(200));

    // A key that does not fit, or none, leaves the old pair in place.
    for key in [first.1.as_str(), "no key"] {
        lay_out(&second.0, key);
        assert!(server.renewal().renew(None).is_err());
    }
    assert_eq!(over_tls(&server, &second.2).await, Ok(200));
    // Plain HTTP is not understood, and nobody hangs on it.
    let address = server.local_addr();
    let plain = tokio::task::spawn_blocking(move || exchange(address, b"GET / HTTP/1.1\r\n\r\n"));
    let plain = plain.await.expect("the client does not panic");
    assert!(!plain.contains("HTTP/1.1 200"), "{plain}");
    server.stop().await;
}
