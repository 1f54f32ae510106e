//! The daemon under requests that are wrong or have been answered already.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use mqtt5::{ConnectOptions, MqttClient, PublishOptions, QoS};

use super::{Stage, number, witness::Witness};
use crate::{
    mqtt::{
        bench::{DEVICE, PATIENCE, loopback},
        mosquitto::{Entrance, mosquitto_with},
    },
    photos,
};

/// Response time of 99 of a hundred requests, in milliseconds.
const RESPONSE_MS_MAX: f64 = 200.0;

/// Requests, the answers to them, and the times between in seconds, sorted.
struct Answered {
    sent: usize,
    seconds: Vec<f64>,
}

/// Sends requests evenly, every third a duplicate and the others wrong in two
/// ways, and waits for what comes back.
async fn pester(port: u16, a_second: f64, length: Duration) -> Answered {
    let client = MqttClient::with_options(ConnectOptions::new("pest"));
    let url = format!("mqtt://127.0.0.1:{port}");
    client.connect(&url).await.unwrap();
    let sent: Arc<Mutex<HashMap<String, Instant>>> = Arc::default();
    let seconds: Arc<Mutex<Vec<f64>>> = Arc::default();
    let (asked, answered) = (Arc::clone(&sent), Arc::clone(&seconds));
    client
        .subscribe("pest/answers", move |message| {
            let data = message.properties.correlation_data.unwrap_or_default();
            let mark = String::from_utf8(data).unwrap();
            if let Some(at) = asked.lock().unwrap().remove(&mark) {
                answered.lock().unwrap().push(at.elapsed().as_secs_f64());
            }
        })
        .await
        .unwrap();
    let photo = photos::jpeg(64, 64);
    let started = Instant::now();
    let count = (length.as_secs_f64() * a_second) as u32;
    for number in 0..count {
        tokio::time::sleep_until(
            (started + Duration::from_secs_f64(f64::from(number) / a_second)).into(),
        )
        .await;
        let mark = number.to_string();
        let mut options = PublishOptions {
            qos: QoS::AtLeastOnce,
            ..PublishOptions::default()
        };
        options.properties.response_topic = Some("pest/answers".to_owned());
        options.properties.correlation_data = Some(mark.clone().into_bytes());
        let pairs: &[(&str, &str)] = match number % 3 {
            0 => &[("job_id", "known"), ("seed", "0")],
            1 => &[("frame_rate", "-1")],
            _ => &[],
        };
        for (name, value) in pairs {
            let pair = ((*name).to_owned(), (*value).to_owned());
            options.properties.user_properties.push(pair);
        }
        let (command, payload) = match number % 3 {
            2 => ("render", b"{\"look\":{\"strength\":9}}".to_vec()),
            _ => ("render_photo", photo.clone()),
        };
        sent.lock().unwrap().insert(mark, Instant::now());
        let topic = format!("zoetrope/{DEVICE}/request/{command}");
        client
            .publish_with_options(topic, payload, options)
            .await
            .unwrap();
    }
    let waited = Instant::now();
    while !sent.lock().unwrap().is_empty() && waited.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    client.disconnect().await.unwrap();
    let mut seconds = std::mem::take(&mut *seconds.lock().unwrap());
    seconds.sort_by(f64::total_cmp);
    Answered {
        sent: count as usize,
        seconds,
    }
}

async fn loaded(a_second: f64, length: Duration) -> Answered {
    let broker = loopback().await;
    let port = broker.address().port();
    let mut stage = Stage::open(port).await;
    let Stage {
        witness, service, ..
    } = &mut stage;
    witness.ask("known").await;
    let is_done = |witness: &Witness| witness.unanswered().is_empty();
    assert!(witness.hear(PATIENCE, is_done).await, "not answered");
    let pest = tokio::spawn(pester(port, a_second, length));
    let mut valid = 0;
    while !pest.is_finished() {
        witness.ask(&format!("valid-{valid}")).await;
        valid += 1;
        assert!(witness.hear(PATIENCE, is_done).await, "a valid job waits");
        witness
            .hear(Duration::from_secs(2), |_| pest.is_finished())
            .await;
    }
    let answered = pest.await.unwrap();
    println!(
        "{valid} valid jobs were done meanwhile; {:?}",
        service.usage()
    );
    service.stop().await;
    witness.testify();
    answered
}

#[tokio::test(flavor = "multi_thread")]
async fn valid_jobs_are_done_among_many_that_are_not() {
    let answered = loaded(100.0, Duration::from_secs(2)).await;
    assert_eq!(answered.seconds.len(), answered.sent);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute"]
async fn two_hundred_a_second() {
    let length = Duration::from_secs(number("ZOETROPE_LOAD_S", 60));
    let Answered { sent, seconds } = loaded(200.0, length).await;
    let at = |share: f64| seconds[((seconds.len() - 1) as f64 * share) as usize] * 1e3;
    println!(
        "{sent} requests, {} answers; response time p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms",
        seconds.len(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
    assert_eq!(seconds.len(), sent);
    assert!(at(0.99) <= RESPONSE_MS_MAX, "p99 {} ms", at(0.99));
}

/// Growth of the daemon that is put up with while they are answered.
const GROWTH_KIB_MAX: u64 = 48 << 10;

/// So many jobs at once, of which few have room: each has its answer, what was
/// accepted is done, and the daemon does not grow with their number.
async fn at_once(count: usize, port: u16) {
    let mut stage = Stage::open(port).await;
    let Stage {
        witness, service, ..
    } = &mut stage;
    witness.ask("first").await;
    witness.served().await;
    let before = service.usage().rss_peak_kib;
    for number in 1..count {
        witness.ask(&format!("{number:05}")).await;
    }
    let answered = |witness: &Witness| witness.answers.len() + witness.refused.len();
    let time_max = Duration::from_secs(300);
    let is_done = |witness: &Witness| answered(witness) == count && witness.state == "ready";
    let are_done = witness.hear(time_max, is_done).await;
    let open = count - answered(witness);
    assert!(
        are_done,
        "{open} not answered, {} accepted, {} refused, {}",
        witness.accepted.len(),
        witness.refused.len(),
        witness.state
    );
    let lost: Vec<_> = (witness.accepted.iter())
        .filter(|id| !witness.answers.contains_key(*id))
        .collect();
    assert!(lost.is_empty(), "accepted, not done: {lost:?}");
    let is_full = |said: &String| said.contains("queue_full");
    let other = witness.failures.iter().find(|said| !is_full(said));
    assert_eq!(other, None);
    assert!(witness.torn.is_empty());
    let grown = service.usage().rss_peak_kib - before;
    println!(
        "{count} requests, {count} answers: {} accepted and done, {} refused as queue_full; \
         grown by {grown} KiB",
        witness.accepted.len(),
        witness.refused.len(),
    );
    assert!(grown <= GROWTH_KIB_MAX, "grown by {grown} KiB");
    service.stop().await;
}

/// It drops what waits beyond a thousand unless it is told otherwise, and
/// waits with small packets.
const MOSQUITTO: &str = "max_queued_messages 20000\nset_tcp_nodelay true";

/// More than may wait anywhere in the daemon.
const MANY: usize = 1000;

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_are_answered_at_the_loopback_broker() {
    let broker = loopback().await;
    at_once(MANY, broker.address().port()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_are_answered_at_mosquitto() {
    if let Some(broker) = mosquitto_with(&Entrance::Open, MOSQUITTO) {
        at_once(MANY, broker.port).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute"]
async fn ten_thousand_at_once() {
    let broker = loopback().await;
    at_once(10_000, broker.address().port()).await;
    if let Some(broker) = mosquitto_with(&Entrance::Open, MOSQUITTO) {
        at_once(10_000, broker.port).await;
    }
}
