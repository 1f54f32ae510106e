//! What goes wrong, and that the daemon outlives it.

use std::{fs, time::Duration};

use zoetrope::{
    config::{Broker, Tls},
    device::{
        broker::{BrokerOptions, LoopbackBroker},
        display::ask,
        mqtt::{Connection, Settings},
    },
    publication::Discovery,
};

use super::{
    bench::{DEVICE, Display, PATIENCE, asking, at, board, board_with, free_port, loopback},
    mosquitto::{Entrance, mosquitto},
};

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_request_is_answered_and_the_next_good_one_served() {
    let broker = loopback().await;
    let port = broker.address().port();
    let board = board(at(port)).await;
    let mut display = Display::connect(port, "display").await;
    display.state("ready").await;
    let too_long = " ".repeat(70_000);
    for (text, code, said) in [
        ("{", "bad_json", "EOF while parsing"),
        (
            r#"{"look":{"strenght":1}}"#,
            "bad_json",
            "unknown field `strenght`",
        ),
        (
            r#"{"shape":{"frame_rate":999}}"#,
            "bad_request",
            "frame_rate is 999, allowed are 5 to 60",
        ),
        (
            r#"{"job_id":"a/#"}"#,
            "bad_request",
            "job_id has 3 characters",
        ),
        (
            too_long.as_str(),
            "too_large",
            "request has 70000 bytes, allowed are 65536",
        ),
        ("{}", "no_camera", "no camera is configured"),
    ] {
        display.send_json(text).await;
        let answer = display.json("/response/render").await;
        assert_eq!(answer["error"]["code"], code, "{answer}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains(said), "{message}");
    }
    let too_large = vec![0; (1 << 20) + 1];
    for (photo, code, said) in [
        (
            too_large.as_slice(),
            "too_large",
            "photo has 1048577 bytes, allowed are 1048576",
        ),
        (b"", "bad_photo", "photo has 0 bytes"),
        (b"panic", "internal", "render panicked: asked to panic"),
        (b"encoder fails", "encode", "encoder: out of bits"),
    ] {
        display.send_photo(photo, &[]).await;
        let answer = display.json("/response/render_photo").await;
        assert_eq!(answer["error"]["code"], code, "{answer}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains(said), "{message}");
    }
    let degraded = display.state("degraded").await;
    assert!(degraded["reason"].is_string());
    // Larger than any packet that the daemon announced: the broker keeps it to
    // itself, and nobody is disconnected.
    display.send_photo(&vec![0; 9 << 20], &[]).await;
    display.send_photo(b"good", &[("job_id", "good")]).await;
    let answer = display.json("/response/render_photo").await;
    assert_eq!(answer["status"], "ok", "{answer}");
    display.state("ready").await;
    board.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_that_the_broker_does_not_take_fails_with_both_numbers() {
    let options = BrokerOptions {
        packet_bytes_max: 100_000,
        ..BrokerOptions::default()
    };
    let broker = LoopbackBroker::start(&options).await.unwrap();
    let port = broker.address().port();
    let connection = Connection::open(&Settings {
        client_id: "tight".to_owned(),
        broker: at(port),
        last_will: None,
        subscriptions: Vec::new(),
        unacknowledged_max: None,
    });
    let (connection, _messages) = connection.unwrap();
    let large =
        zoetrope::publication::Publication::bytes("t".to_owned(), "video/mp4", vec![0; 100_000]);
    let said = connection
        .publish(large)
        .acknowledged()
        .await
        .unwrap_err()
        .to_string();
    assert!(said.starts_with("t needs a packet of 1000"), "{said}");
    assert!(said.ends_with("the broker takes 100000"), "{said}");
    // The connection has survived it.
    let small = zoetrope::publication::Publication::bytes("t".to_owned(), "video/mp4", vec![0; 10]);
    connection.publish(small).acknowledged().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_said_and_a_corrected_one_is_found() {
    let Some(mosquitto) = mosquitto(&Entrance::Password("board", "right")) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let password_file = folder.path().join("password");
    fs::write(&password_file, "wrong\n").unwrap();
    let broker = Broker {
        username: Some("board".to_owned()),
        password_file: Some(password_file.clone()),
        ..at(mosquitto.port)
    };
    let (connection, _messages) = Connection::open(&Settings {
        client_id: "locked out".to_owned(),
        broker,
        last_will: None,
        subscriptions: Vec::new(),
        unacknowledged_max: None,
    })
    .unwrap();
    let mut link = connection.link();
    let waiting = link.wait_for(|link| link.trouble.is_some());
    let trouble = tokio::time::timeout(PATIENCE, waiting)
        .await
        .unwrap()
        .unwrap();
    let said = trouble.trouble.clone().unwrap();
    drop(trouble);
    assert!(said.contains("wrong password for user \"board\""), "{said}");
    fs::write(&password_file, "right\n").unwrap();
    let waiting = link.wait_for(|link| link.is_up);
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_there_is_said_with_address_and_limit() {
    let port = free_port();
    let folder = tempfile::tempdir().unwrap();
    let options = asking(port, None, folder.path(), Duration::from_secs(2));
    let said = ask(&options, |_| {}).await.unwrap_err().to_string();
    assert!(said.contains(&format!("127.0.0.1:{port}")), "{said}");
    assert!(!options.output.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_board_that_is_not_online_is_asked_nothing() {
    let broker = loopback().await;
    let port = broker.address().port();
    let folder = tempfile::tempdir().unwrap();
    let mut witness = Display::connect(port, "witness").await;
    witness.send("availability", "offline").await;
    let options = asking(port, None, folder.path(), Duration::from_secs(2));
    let said = ask(&options, |_| {}).await.unwrap_err().to_string();
    assert!(
        said.contains("hall did not come online within 2 s"),
        "{said}"
    );
    witness.send("state", "last").await;
    let heard = witness.next("", |message| !message.topic.ends_with("/availability"));
    assert!(heard.await.topic.ends_with("/state"));
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_only_a_broker_that_is_vouched_for_is_spoken_to() {
    let issued = |name: &str| rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let (ours, other) = (issued("localhost"), issued("localhost"));
    let (certificate, key) = (ours.cert.pem(), ours.signing_key.serialize_pem());
    let Some(mosquitto) = mosquitto(&Entrance::Tls(&certificate, &key)) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let connect = |name: &str, authority: &str| {
        let ca_file = folder.path().join(name);
        fs::write(&ca_file, authority).unwrap();
        let broker = Broker {
            host: "localhost".to_owned(),
            tls: Some(Tls {
                ca_file,
                client: None,
            }),
            ..at(mosquitto.port)
        };
        let settings = Settings {
            client_id: name.to_owned(),
            broker,
            last_will: None,
            subscriptions: Vec::new(),
            unacknowledged_max: None,
        };
        Connection::open(&settings).unwrap()
    };
    let (connection, _messages) = connect("ours", &certificate);
    let mut link = connection.link();
    let is_up = link.wait_for(|link| link.is_up);
    tokio::time::timeout(PATIENCE, is_up)
        .await
        .unwrap()
        .unwrap();
    let word = zoetrope::publication::Publication::bytes("t".to_owned(), "text/plain", vec![1]);
    connection.publish(word).acknowledged().await.unwrap();

    let (stranger, _messages) = connect("other", &other.cert.pem());
    let mut link = stranger.link();
    let refused = link.wait_for(|link| link.trouble.is_some());
    let refused = tokio::time::timeout(PATIENCE, refused)
        .await
        .unwrap()
        .unwrap();
    let said = refused.trouble.clone().unwrap();
    assert!(said.contains("certificate"), "{said}");
    assert!(!refused.is_up);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_board_that_may_not_write_elsewhere_serves_all_the_same() {
    let filter = format!("zoetrope/{DEVICE}/#");
    let Some(mosquitto) = mosquitto(&Entrance::Below(&filter)) else {
        return;
    };
    let board = board_with(at(mosquitto.port), |_, config| {
        config.home_assistant = Some(Discovery {
            prefix: "homeassistant".to_owned(),
        });
        config.fleet_group = Some("wall".to_owned());
    })
    .await;
    let mut display = Display::connect(mosquitto.port, "display").await;
    display.state("ready").await;
    for id in ["a", "b"] {
        display.send_photo(id.as_bytes(), &[("job_id", id)]).await;
        let answer = display.json("/response/render_photo").await;
        assert_eq!(answer["status"], "ok", "{answer}");
    }
    board.daemon.stop().await;
}
