use std::fs;

use super::*;
use crate::request::DURATION_MS_DEFAULT;

fn parsed(toml: &str) -> Result<Config, ConfigError> {
    resolve::config(&text::Text::of(toml)?)
}

fn refusal(toml: &str) -> String {
    let said = parsed(toml).expect_err(toml).to_string();
    said.replace("/etc/zoetrope/zoetrope.toml:", "")
}

#[test]
fn an_empty_file_is_a_working_configuration() {
    let config = parsed("").expect("defaults");
    assert_eq!(
        (config.broker.host.as_str(), config.broker.port),
        ("localhost", 1883)
    );
    assert_eq!(config.camera, Camera::None);
    assert_eq!(config.shape, Shape::default());
    assert!(!config.device_id.is_empty() && config.http.is_none());
    assert!(config.fleet_group.is_none() && config.home_assistant.is_none());
}

#[test]
fn the_example_states_the_defaults() {
    let example = include_str!("../../systemd/zoetrope.toml");
    parsed(example).expect("the example as it comes");
    // Every key stands there behind "#"; without it the file must hold, too,
    // once the choice among the three kinds of camera has been made, and without
    // a profile, which is a file.
    let others = ["#file = \"/run/", "#command", "#profile"];
    let all: String = example
        .lines()
        .filter(|line| !others.iter().any(|key| line.starts_with(key)))
        .map(|line| match line.strip_prefix('#') {
            Some(key) if !key.starts_with([' ', '#']) => format!("{key}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let config = parsed(&all).expect("every key of the example");
    let Camera::Device(camera) = &config.camera else {
        panic!("{:?}", config.camera);
    };
    let defaults = DeviceCamera {
        size_px: camera.size_px,
        format: camera.format,
        controls: camera.controls.clone(),
        ..DeviceCamera::at(&camera.node)
    };
    assert_eq!(*camera, defaults);
    let http = config.http.as_ref().expect("http");
    assert!(http.token_file.is_some() && http.tls.is_some());
    assert_eq!(http.connections_max, HTTP_CONNECTIONS_MAX_DEFAULT);
    let tls = config.broker.tls.as_ref().expect("TLS");
    assert!(tls.client.is_some());
    assert!(config.url.is_some() && config.trigger.folder.is_some());
    assert!(config.fleet_group.is_some() && config.inline_bytes_max.is_some());
    let home_assistant = config.home_assistant.as_ref().expect("a section");
    assert_eq!(home_assistant.prefix, "homeassistant");
    let defaults = parsed("").expect("defaults");
    assert_eq!(defaults.url, None);
    assert_eq!(config.thermal, defaults.thermal);
    assert_eq!(config.observation, defaults.observation);
    assert_eq!(
        config.broker.packet_bytes_max,
        defaults.broker.packet_bytes_max
    );
    assert_eq!(config.broker.keep_alive, defaults.broker.keep_alive);
    assert_eq!(config.photo_limits, defaults.photo_limits);
    assert_eq!(config.queue_length_max, defaults.queue_length_max);
    assert_eq!(config.clips_dir, defaults.clips_dir);
    assert_eq!(config.journal_dir, defaults.journal_dir);
    assert_eq!(config.journal, defaults.journal);
    assert_eq!(config.store, defaults.store);
    assert_eq!(config.look.strength, defaults.look.strength);
    assert_eq!(config.shape.duration_ms, Some(DURATION_MS_DEFAULT));
}

#[test]
fn everything_wrong_has_its_place_and_its_limit() {
    let cases = [
        (
            "[broker]\nurll = 1",
            "2:1: unknown key \"urll\", the nearest valid key is \"url\"",
        ),
        (
            "brokr = {}",
            "1:1: unknown key \"brokr\", the nearest valid key is \"broker\"",
        ),
        (
            "[model]\nfle = ''",
            "2:1: unknown key \"fle\", the nearest valid key is \"file\"",
        ),
        (
            "device_id = 5",
            "1:13: invalid type: integer `5`, expected a string",
        ),
        (
            "device_id = 'a/b'",
            "1:13: device_id is \"a/b\", allowed are 1 to 64 of a-z A-Z 0-9 - _",
        ),
        ("threads = 0", "1:11: threads is 0, allowed are 1 to 256"),
        (
            "queue_length_max = 0",
            "1:20: queue_length_max is 0, allowed are 1 to 1000",
        ),
        (
            "[broker]\nurl = 'mqtt://h:0'",
            "2:7: broker.url has the port \"0\", allowed are 1 to 65535",
        ),
        (
            "[broker]\nurl = 'http://h'",
            "2:7: broker.url has the scheme \"http\", allowed are \"mqtt\" and \"mqtts\"",
        ),
        (
            "[broker]\nurl = 'mqtt://me:secret@h'",
            "2:7: broker.url has a user before the host, give username and password_file instead",
        ),
        (
            "[broker]\npacket_bytes_max = 1000",
            "2:20: broker.packet_bytes_max is 1000, allowed are 65536 to 268435455",
        ),
        (
            "[broker]\nca_file = 'ca.pem'",
            "2:11: broker.ca_file is given, but broker.url is not \"mqtts://…\"",
        ),
        (
            "[journal]\nbytes_max = 1",
            "2:13: journal.bytes_max is 1, allowed are 1048576 to 1099511627776",
        ),
        (
            "clips_dir = '/x'\n[journal]\ndir = '/x'",
            "3:7: journal.dir is /x, expected another folder than clips_dir",
        ),
        (
            "[store]\nage_h_max = 0",
            "2:13: store.age_h_max is 0, allowed are 1 to 87600",
        ),
        (
            "[look]\nstrength = 3",
            "2:12: look.strength is 3, allowed are 0 to 1",
        ),
        (
            "[look]\nstrength = nan",
            "2:12: look.strength is NaN, allowed are 0 to 1",
        ),
        (
            "[look]\nseed = -1",
            "2:8: look.seed is -1, allowed are 0 to 9223372036854775807",
        ),
        (
            "[shape]\nframe_rate = -30",
            "2:14: shape.frame_rate is -30, allowed are 5 to 60",
        ),
        (
            "[shape]\nduration_ms = 0",
            "2:15: shape.duration_ms is 0, allowed are 500 to 60000",
        ),
        (
            "[shape]\nsize = 'big'",
            "2:8: shape.size is \"big\", expected WIDTHxHEIGHT such as 1280x720",
        ),
        (
            "inline_bytes_max = 7",
            "1:20: inline_bytes_max is 7, allowed are 65536 to 268435455",
        ),
        ("[fleet]\n", "1:1: fleet.group is missing"),
        (
            "[fleet]\ngroup = 'a/b'",
            "2:9: fleet.group is \"a/b\", allowed are 1 to 64 of a-z A-Z 0-9 - _",
        ),
        (
            "[homeassistant]\nprefix = 'home/#'",
            "2:10: homeassistant.prefix is \"home/#\", allowed are levels of 1 to 64 of a-z A-Z 0-9 - _ with / between them",
        ),
        ("[http]\n", "1:1: http.listen is missing"),
        (
            "[http]\nlisten = '0.0.0.0:80'\nbroker_websocket_url = 'ws://b'",
            "2:10: http.listen is 0.0.0.0:80, which others can reach: http.token_file is needed, or a loopback address such as 127.0.0.1:8080",
        ),
        (
            "[http]\nlisten = '[::1]:80'\nbroker_websocket_url = 'ws://b'\ncert_file = 'c'",
            "4:13: http.cert_file is given without http.key_file",
        ),
        (
            "[http]\nlisten = '[::1]:80'\nbroker_websocket_url = 'ws://b'\nconnections_max = 1",
            "4:19: http.connections_max is 1, allowed are 2 to 10000",
        ),
        (
            "[broker]\nclient_cert_file = 'c'\nclient_key_file = 'k'",
            "2:20: broker.client_cert_file is given, but broker.url is not \"mqtts://…\"",
        ),
        (
            "[broker]\nurl = 'mqtts://b'\nclient_key_file = 'k'",
            "3:19: broker.client_key_file is given without broker.client_cert_file",
        ),
        (
            "[broker]\nusername = 'u'\npassword_file = 'credential:password'",
            "3:17: broker.password_file is \"credential:password\", but $CREDENTIALS_DIRECTORY is not set: only systemd's LoadCredential= sets it",
        ),
        (
            "[broker]\nusername = 'u'\npassword_file = 'credential:../shadow'",
            "3:17: broker.password_file is \"credential:../shadow\", expected the name of a credential",
        ),
        (
            "[url]\n",
            "1:1: url.hosts and url.private_hosts are empty, expected at least one host",
        ),
        (
            "[url]\nhosts = ['https://a.example']",
            "2:10: url.hosts has \"https://a.example\", expected host, host:port or *.domain",
        ),
        (
            "[url]\nhosts = ['a.example']\ntimeout_s = 0",
            "3:13: url.timeout_s is 0, allowed are 0.1 to 300",
        ),
        (
            "[trigger]\nevery = '15m'",
            "2:9: trigger.every is given without camera.device, camera.file or camera.command",
        ),
        (
            "[camera]\nfile = 'a'\n[trigger]\nevery = '15 minutes'",
            "4:9: trigger.every is \"15 minutes\", allowed are 1s to 7d, such as 90s, 15m or 1.5h",
        ),
        (
            "[camera]\nfile = 'a'\n[trigger]\nevery = '8d'",
            "4:9: trigger.every is \"8d\", allowed are 1s to 7d, such as 90s, 15m or 1.5h",
        ),
        (
            "clips_dir = 'c'\n[trigger]\nfolder = 'c'",
            "3:10: trigger.folder is clips_dir, /etc/zoetrope/c",
        ),
        (
            "[thermal]\nhot_celsius = 20",
            "2:15: thermal.hot_celsius is 20, allowed are 30 to 120",
        ),
        (
            "[http]\nlisten = '80'",
            "2:10: http.listen is \"80\", expected an address and a port such as 127.0.0.1:8080",
        ),
    ];
    for (toml, expected) in cases {
        assert_eq!(refusal(toml), expected, "{toml}");
    }
}

#[test]
fn columns_count_characters() {
    assert_eq!(
        refusal("device_id = 'äöü' # ß\nfoto = {}"),
        "2:1: unknown key \"foto\", the nearest valid key is \"photo\""
    );
    assert!(
        refusal("device_id = 'ä' x").starts_with("1:17: "),
        "{}",
        refusal("device_id = 'ä' x")
    );
}

#[test]
fn relative_paths_start_at_the_file() {
    let config = parsed("clips_dir = 'clips'\n[camera]\nfile = '/run/photo.jpg'").expect("paths");
    assert_eq!(config.clips_dir, Path::new("/etc/zoetrope/clips"));
    assert_eq!(config.journal_dir, Path::new("/etc/zoetrope/journal"));
    assert_eq!(config.camera, Camera::File("/run/photo.jpg".into()));
}

#[test]
fn files_that_are_no_text_are_refused_with_the_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("zoetrope.toml");
    fs::write(&file, b"device_id = 'a'\nx = '\xff'").expect("a file");
    let said = Config::read(&file).expect_err("not UTF-8").to_string();
    assert!(
        said.ends_with(":2:6: byte 0xff is not UTF-8 text"),
        "{said}"
    );
    let said = Config::read(folder.path())
        .expect_err("a folder")
        .to_string();
    assert!(said.ends_with(": is not a file"), "{said}");
    let said = Config::read(&folder.path().join("none"))
        .expect_err("nothing")
        .to_string();
    assert!(said.contains("No such file"), "{said}");
}

#[test]
fn broker_urls_with_ports_addresses_and_tls() {
    let read = |url: &str| url.parse::<Broker>().expect(url);
    assert_eq!(read("mqtt://10.0.0.7:2000/").port, 2000);
    assert_eq!(read("mqtt://[::1]:2000").host, "::1");
    let tls = read("mqtts://broker.local");
    assert!(tls.tls.is_some() && tls.port == 8883);
    for url in [
        "mqtt://",
        "broker",
        "mqtt://a b",
        "mqtt://h:x",
        "mqtt://h:70000",
        "mqtt://[::1",
    ] {
        assert!(url.parse::<Broker>().is_err(), "{url}");
    }
}

#[test]
fn the_password_is_the_first_line_and_never_part_of_a_message() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("password");
    let mut broker: Broker = "mqtt://h".parse().expect("a url");
    assert_eq!(broker.password().expect("none needed"), None);
    broker.password_file = Some(file.clone());
    assert!(broker.password().is_err());
    fs::write(&file, "open sesame\nrest\n").expect("a file");
    assert_eq!(
        broker.password().expect("readable").as_deref(),
        Some("open sesame")
    );
    assert!(!format!("{broker:?}").contains("sesame"));
    for broken in [&b""[..], b"\nx", &[b'p'; 5000], b"secret\xff"] {
        fs::write(&file, broken).expect("a file");
        let said = broker.password().expect_err("not a password").to_string();
        assert!(!said.contains("secret") && !said.contains("ppp"), "{said}");
    }
}

#[test]
fn times_that_never_come_are_refused() {
    let read = |cron: &str| parsed(&format!("[camera]\nfile = 'a'\n[trigger]\ncron = '{cron}'"));
    assert!(
        read("0 7-19 * * MON-FRI")
            .expect("a pattern")
            .trigger
            .cron
            .is_some()
    );
    for wrong in ["", "x", "0 7", "99 * * * *", "0 0 30 2 *"] {
        let said = read(wrong).expect_err(wrong).to_string();
        let begin = format!("4:8: trigger.cron is {wrong:?}, expected minute, hour, day");
        assert!(said.contains(&begin), "{said}");
    }
}

#[test]
fn credentials_are_where_systemd_has_put_them() {
    let toml = "[broker]\nusername = 'u'\npassword_file = 'credential:password'";
    let text = text::Text::of(toml).expect("no profile");
    let text = text.with_credentials_dir("/run/credentials/zoetrope.service");
    let broker = resolve::config(&text).expect("a credential").broker;
    assert_eq!(
        broker.password_file.as_deref(),
        Some(Path::new("/run/credentials/zoetrope.service/password"))
    );
}

#[test]
fn a_token_must_be_long_and_is_never_part_of_a_message() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    let http = Http {
        token_file: Some(file.clone()),
        ..parsed("[http]\nlisten = '127.0.0.1:0'\nbroker_websocket_url = 'ws://b'")
            .expect("a listener")
            .http
            .expect("a listener")
    };
    fs::write(&file, "short\n").expect("a file");
    let said = http.token().expect_err("too short").to_string();
    assert!(
        said.ends_with("token has 5 bytes, allowed are 16 to 4096"),
        "{said}"
    );
    assert!(!said.contains("short"), "{said}");
    fs::write(&file, "0123456789abcdef\n").expect("a file");
    assert_eq!(
        http.token().expect("long enough").as_deref(),
        Some("0123456789abcdef")
    );
}

/// Whatever is configured, its debug text, which a log may hold, names the
/// files of secrets and not their content.
#[test]
fn secrets_are_read_when_they_are_needed() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("secret");
    fs::write(&file, "open sesame, open sesame").expect("a file");
    let toml = format!(
        "[broker]\nusername = 'u'\npassword_file = '{0}'\n[http]\nlisten = '0.0.0.0:0'\n\
         broker_websocket_url = 'ws://b'\ntoken_file = '{0}'",
        file.display()
    );
    let config = parsed(&toml).expect("files");
    assert!(!format!("{config:?}").contains("sesame"));
}
