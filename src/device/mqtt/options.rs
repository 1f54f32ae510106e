//! From our settings to those of the MQTT library.

use std::{fs, path::Path, time::Duration};

use rumqttc::{
    AckMode, LastWill, MqttOptions, QoS, SessionMode, Transport, default_socket_connect,
};
use socket2::SockRef;

use super::{MqttError, Settings, UNACKNOWLEDGED_MAX};
use crate::{config::Broker, publication::Qos};

/// Time a broker has to answer the opening of a connection.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);

pub(super) fn resolve(settings: &Settings) -> Result<MqttOptions, MqttError> {
    let broker = &settings.broker;
    let mut options = MqttOptions::new(
        settings.client_id.clone(),
        (broker.host.clone(), broker.port),
    );
    options
        .set_session_mode(SessionMode::Clean)
        .set_keep_alive(u16::try_from(broker.keep_alive.as_secs()).unwrap_or(u16::MAX))
        // Announced in CONNECT, so that the broker keeps larger packets to
        // itself, and enforced while reading. The library's default is 10 KiB.
        .set_max_packet_size(Some(broker.packet_bytes_max))
        .set_connect_timeout(CONNECT_TIME_MAX)
        // What is acknowledged is done, and what is not done is bounded.
        .set_ack_mode(AckMode::Manual)
        .set_receive_maximum(Some(
            settings.unacknowledged_max.unwrap_or(UNACKNOWLEDGED_MAX),
        ));
    // While a large message waits in a full socket, no ping is sent: then the
    // system itself must notice that nobody is there, and sooner than after
    // its quarter of an hour.
    let silence_max = broker.keep_alive.mul_f32(1.5);
    options.set_socket_connector(move |host, network| async move {
        let stream = default_socket_connect(host, network).await?;
        let socket = SockRef::from(&stream);
        socket.set_tcp_user_timeout(Some(silence_max))?;
        // Else an acknowledgement waits for that of the message before it,
        // which a peer may keep back for 40 ms.
        socket.set_tcp_nodelay(true)?;
        Ok(stream)
    });
    if let Some(tls) = &broker.tls {
        // The library compares the name in the broker's certificate with
        // `broker.host`, always.
        let ca = pem("ca", &tls.ca_file)?;
        let client = tls.client.as_ref().map(|client| {
            let cert = pem("client certificate", &client.cert_file)?;
            Ok::<_, MqttError>((cert, pem("client key", &client.key_file)?))
        });
        options.set_transport(Transport::tls(ca, client.transpose()?, None));
    }
    if let Some(will) = &settings.last_will {
        options.set_last_will(LastWill::new(
            will.topic.clone(),
            will.payload.to_vec(),
            qos_of(will.qos),
            will.retain,
            None,
        ));
    }
    set_credentials(&mut options, broker)?;
    Ok(options)
}

fn pem(what: &'static str, path: &Path) -> Result<Vec<u8>, MqttError> {
    fs::read(path).map_err(|error| MqttError::PemFile {
        what,
        path: path.to_owned(),
        reason: error.to_string(),
    })
}

/// Sets user and password; the file is read anew each time, so that a
/// corrected password is found without a restart.
pub(super) fn set_credentials(options: &mut MqttOptions, broker: &Broker) -> Result<(), MqttError> {
    let Some(username) = &broker.username else {
        return Ok(());
    };
    match broker.password()? {
        Some(password) => options.set_credentials(username.clone(), password),
        None => options.set_username(username.clone()),
    };
    Ok(())
}

pub(super) fn qos_of(qos: Qos) -> QoS {
    match qos {
        Qos::AtMostOnce => QoS::AtMostOnce,
        Qos::AtLeastOnce => QoS::AtLeastOnce,
    }
}
