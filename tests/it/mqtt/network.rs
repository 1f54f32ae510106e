//! The daemon on a network that misbehaves. The display stays on the good side.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use mqtt5::types::Message;
use zoetrope::{
    config::Broker,
    device::{
        broker::{BrokerOptions, LoopbackBroker},
        display::{ask, sha256_of},
    },
    publication::Discovery,
};

use super::{
    bench::{
        Board, Display, PATIENCE, RETAINED, asking, at, board, board_with, free_port, loopback,
    },
    mosquitto::{Entrance, mosquitto},
    proxy::{Proxy, Weather},
};

/// As short as MQTT has it: silence is noticed soon, and on a busy machine now
/// and then where there is none.
const SHORT: Duration = Duration::from_secs(1);
/// Long enough to be never in the way.
const LONG: Duration = Duration::from_secs(60);

/// A job goes through from end to end.
async fn serves(display: &mut Display, id: &str) {
    display.send_photo(id.as_bytes(), &[("job_id", id)]).await;
    let mine = |message: &Message| {
        let answer: serde_json::Value = serde_json::from_slice(&message.payload).unwrap();
        answer["data"]["job_id"] == id
    };
    display.next("/response/render_photo", mine).await;
}

/// As `serves`, while the daemon may still be on its way back: a request that
/// nobody has subscribed to goes to nobody, and is sent again.
async fn serves_in_the_end(display: &mut Display, id: &str) {
    for _ in 0..20 {
        let served = serves(display, id);
        if (tokio::time::timeout(Duration::from_secs(2), served).await).is_ok() {
            return;
        }
    }
    panic!("job {id} is not served");
}

async fn on_a_network(keep_alive: Duration) -> (LoopbackBroker, Proxy, Board, Display) {
    let broker = loopback().await;
    let port = broker.address().port();
    let proxy = Proxy::before(port).await;
    let board = board(Broker {
        keep_alive,
        ..at(proxy.port)
    })
    .await;
    let mut display = Display::connect(port, "display").await;
    display.state("ready").await;
    serves_in_the_end(&mut display, "first").await;
    (broker, proxy, board, display)
}

#[tokio::test(flavor = "multi_thread")]
async fn renders_go_on_while_the_broker_is_away_and_are_published_after() {
    let (_broker, proxy, board, mut display) = on_a_network(LONG).await;
    board.renderer.is_closed.store(true, Ordering::Relaxed);
    for id in ["a", "b", "c"] {
        display.send_photo(id.as_bytes(), &[("job_id", id)]).await;
        display.json(&format!("/job/{id}")).await;
    }
    proxy.turn(Weather::Cut);
    display
        .next("/availability", |message| message.payload == b"offline")
        .await;
    board.renderer.is_closed.store(false, Ordering::Relaxed);
    let all = [
        b"first".to_vec(),
        b"a".to_vec(),
        b"b".to_vec(),
        b"c".to_vec(),
    ];
    let deadline = Instant::now() + PATIENCE;
    while *board.renderer.rendered.lock().unwrap() != all {
        assert!(Instant::now() < deadline, "the renders wait for the broker");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    proxy.turn(Weather::Fair);
    for id in ["a", "b", "c"] {
        let answer = display.json("/response/render_photo").await;
        assert_eq!(answer["data"]["job_id"], id, "{answer}");
    }
    serves_in_the_end(&mut display, "last").await;
    board.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_noticed_by_the_missing_answer_to_a_ping() {
    let (_broker, proxy, board, mut display) = on_a_network(SHORT).await;
    let mut connections = proxy.connections.clone();
    connections.borrow_and_update();
    proxy.turn(Weather::HalfOpen);
    // The daemon comes anew by itself; that takes two keep-alives, a pause and
    // what a busy machine adds.
    let noticed = tokio::time::timeout(PATIENCE, connections.changed()).await;
    noticed.expect("a new connection").unwrap();
    proxy.turn(Weather::Cut);
    proxy.turn(Weather::Fair);
    display
        .next("/availability", |message| message.payload == b"online")
        .await;
    serves_in_the_end(&mut display, "last").await;
    board.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_socket_is_noticed_though_no_ping_can_be_sent() {
    let (_broker, proxy, board, mut display) = on_a_network(SHORT).await;
    board.renderer.is_closed.store(true, Ordering::Relaxed);
    // More than the sockets between them hold.
    let film = vec![7; 1 << 20];
    let photo = [b"twice ".as_slice(), &film[..(1 << 20) - 6]].concat();
    display.send_photo(&photo, &[("job_id", "large")]).await;
    display.json("/job/large").await;
    let mut connections = proxy.connections.clone();
    connections.borrow_and_update();
    proxy.turn(Weather::Jammed);
    board.renderer.is_closed.store(false, Ordering::Relaxed);
    let noticed = tokio::time::timeout(PATIENCE, connections.changed()).await;
    noticed.expect("a new connection").unwrap();
    proxy.turn(Weather::Cut);
    proxy.turn(Weather::Fair);
    let answer = display.json("/response/render_photo").await;
    assert_eq!(answer["status"], "ok", "{answer}");
    board.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn noise_ends_connections_and_not_the_daemon() {
    let (_broker, proxy, board, mut display) = on_a_network(SHORT).await;
    for round in 0..3 {
        proxy.turn(Weather::Noisy);
        let mut connections = proxy.connections.clone();
        connections.borrow_and_update();
        // A ping that is none is enough to end it.
        let noticed = tokio::time::timeout(PATIENCE, connections.changed()).await;
        noticed.expect("a new connection").unwrap();
        proxy.turn(Weather::Cut);
        proxy.turn(Weather::Fair);
        serves_in_the_end(&mut display, &format!("round-{round}")).await;
    }
    board.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_network_is_slow_and_nothing_else() {
    let (_broker, proxy, board, mut display) = on_a_network(LONG).await;
    let connections = *proxy.connections.borrow();
    proxy.turn(Weather::Slow(20));
    let photo = vec![5; 300_000];
    display.send_photo(&photo, &[("job_id", "slow")]).await;
    let answer = display.json("/response/render_photo").await;
    assert_eq!(answer["status"], "ok", "{answer}");
    assert_eq!(*proxy.connections.borrow(), connections);
    board.daemon.stop().await;
}

/// A board that has published on every retained topic.
async fn before_the_loss(port: u16) -> Board {
    let board = board_with(at(port), |_, config| {
        config.home_assistant = Some(Discovery {
            prefix: "homeassistant".to_owned(),
        });
    })
    .await;
    let mut display = Display::connect(port, "display").await;
    display.state("ready").await;
    serves(&mut display, "one").await;
    display.asked("health_check", "").await;
    display.client.disconnect().await.unwrap();
    board
}

/// A broker that knows nothing knows it all again.
async fn after_the_loss(port: u16, board: Board) {
    let mut display = Display::connect(port, "display").await;
    display.hears("homeassistant/#").await;
    display
        .hears_all(&[&RETAINED[..], &["/config"]].concat())
        .await;
    // Everything is subscribed to again as well.
    serves(&mut display, "two").await;
    let answer = display.asked("cancel", r#"{"job_id":"two"}"#).await;
    assert_eq!(answer["error"]["code"], "too_late");
    board.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_retained_is_back_at_a_loopback_broker_that_was_wiped() {
    let port = free_port();
    let options = BrokerOptions {
        port,
        ..BrokerOptions::default()
    };
    let broker = LoopbackBroker::start(&options).await.unwrap();
    let board = before_the_loss(port).await;
    broker.stop().await;
    let deadline = Instant::now() + PATIENCE;
    let _broker = loop {
        if let Ok(broker) = LoopbackBroker::start(&options).await {
            break broker;
        }
        assert!(Instant::now() < deadline, "port {port} stays taken");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    after_the_loss(port, board).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_retained_is_back_at_a_mosquitto_that_was_wiped() {
    let Some(mut broker) = mosquitto(&Entrance::Open) else {
        return;
    };
    let board = before_the_loss(broker.port).await;
    broker.restart();
    after_the_loss(broker.port, board).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_board_that_is_asked_before_it_is_online_gets_the_request() {
    let broker = loopback().await;
    let road = Proxy::before(broker.address().port()).await;
    // It has not subscribed when whoever asks is connected.
    road.turn(Weather::Slow(200));
    let board = board(at(road.port)).await;
    let photo = board.folder.path().join("photo.jpg");
    std::fs::write(&photo, b"photo").unwrap();
    let options = asking(
        broker.address().port(),
        Some(photo),
        board.folder.path(),
        PATIENCE,
    );
    let asked = ask(&options, |_| {}).await.unwrap();
    assert_eq!(asked.sha256, sha256_of(b"photo"));
    board.daemon.stop().await;
}
