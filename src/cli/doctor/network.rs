//! What is listened on, what is connected to, and who could listen in.

use std::{
    io::ErrorKind,
    net::{IpAddr, TcpListener},
    time::Duration,
};

use tokio::time::timeout;

use super::Finding;
use crate::{
    config::{Config, Http},
    device::{
        http,
        mqtt::{Connection, Settings},
    },
    request::JobId,
};

/// Time that a broker has to answer.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(8);

/// What stands in the configuration about the broker.
pub(super) fn broker(config: &Config) -> Vec<Finding> {
    let broker = &config.broker;
    let address = format!("{}:{}", broker.host, broker.port);
    let is_near = broker.host == "localhost"
        || broker
            .host
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback());
    let transport = match &broker.tls {
        Some(tls) => Finding::ok(
            "broker",
            format!(
                "{address} over TLS, vouched for by {}",
                tls.ca_file.display()
            ),
        ),
        None if is_near => Finding::ok("broker", format!("{address} on this machine")),
        None => Finding::warn(
            "broker",
            format!("{address} without TLS: whoever listens in has password and photographs"),
            "broker.url = \"mqtts://…\"",
        ),
    };
    let is_known =
        broker.username.is_some() || broker.tls.as_ref().is_some_and(|tls| tls.client.is_some());
    let credentials = if is_known {
        Finding::ok("broker", "is told who we are")
    } else if is_near {
        Finding::ok("broker", "is asked as nobody, on this machine")
    } else {
        Finding::warn(
            "broker",
            "is asked as nobody, so everybody may ask us",
            "broker.username and password_file, or client_cert_file and client_key_file",
        )
    };
    vec![transport, credentials]
}

/// Connects, once.
pub(super) async fn broker_answers(config: &Config) -> Vec<Finding> {
    let mend = "start the broker, or correct [broker]";
    let settings = Settings {
        // The daemon may be running, and a second client of its name would end
        // its connection.
        client_id: format!("zoetrope-doctor-{}", JobId::generate()),
        broker: config.broker.clone(),
        last_will: None,
        subscriptions: Vec::new(),
        unacknowledged_max: None,
    };
    let connection = match Connection::open(&settings) {
        Ok((connection, _messages)) => connection,
        Err(error) => return vec![Finding::fail("broker", error.to_string(), mend)],
    };
    let mut link = connection.link();
    let settled = link.wait_for(|link| link.is_up || link.trouble.is_some());
    let said = match timeout(ANSWER_TIME_MAX, settled).await {
        Ok(Ok(link)) => match (&link.trouble, link.packet_bytes_max) {
            (Some(trouble), _) => Err(trouble.clone()),
            (None, Some(bytes)) => Ok(format!("answers, and takes packets of {bytes} bytes")),
            (None, None) => Ok("answers, and takes packets of any size".to_owned()),
        },
        _ => Err(format!("no answer within {} s", ANSWER_TIME_MAX.as_secs())),
    };
    connection.close(None).await;
    vec![match said {
        Ok(said) => Finding::ok("broker", said),
        Err(trouble) => Finding::fail("broker", trouble, mend),
    }]
}

pub(super) fn http(config: &Config) -> Vec<Finding> {
    let Some(http) = &config.http else {
        return vec![Finding::ok("http", "off")];
    };
    let mut found = vec![listener(http), protection(http)];
    if let Some(keys) = &http.tls
        && let Err(error) = http::check_keys(keys)
    {
        let mend = "lay out a certificate and its key, both in PEM";
        found.push(Finding::fail("http", error.to_string(), mend));
    }
    found
}

fn listener(http: &Http) -> Finding {
    let listen = http.listen;
    match TcpListener::bind(listen) {
        Ok(_) => Finding::ok("http", format!("{listen} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => Finding::warn(
            "http",
            format!("{listen} is in use"),
            "nothing, if the daemon is running; else another http.listen",
        ),
        Err(error) => Finding::fail("http", format!("{listen}: {error}"), "another http.listen"),
    }
}

/// Who can reach it, and what they can do.
fn protection(http: &Http) -> Finding {
    let is_near = http.listen.ip().is_loopback();
    match (is_near, &http.token_file, &http.tls) {
        (true, _, _) => Finding::ok("http", "is reached from this machine alone"),
        // The configuration does not allow it.
        (false, None, _) => Finding::fail("http", "is open to everybody", "http.token_file"),
        (false, Some(_), None) => Finding::warn(
            "http",
            "asks for a token, which travels without TLS",
            "http.cert_file and http.key_file",
        ),
        (false, Some(_), Some(_)) => Finding::ok("http", "asks for a token, over TLS"),
    }
}

pub(super) fn url(config: &Config) -> Vec<Finding> {
    let Some(url) = &config.url else {
        return vec![Finding::ok("url", "photographs from URLs are off")];
    };
    let list = |hosts: &[crate::config::HostRule]| {
        let hosts: Vec<_> = hosts.iter().map(ToString::to_string).collect();
        hosts.join(", ")
    };
    let mut found = Vec::new();
    if !url.hosts.is_empty() {
        let said = format!(
            "whoever may send requests can fetch from {}",
            list(&url.hosts)
        );
        found.push(Finding::ok("url", said));
    }
    if !url.private_hosts.is_empty() {
        found.push(Finding::warn(
            "url",
            format!(
                "whoever may send requests can make this board ask {}, private addresses included",
                list(&url.private_hosts)
            ),
            "nothing, if that is meant; else url.hosts in place of url.private_hosts",
        ));
    }
    found
}
