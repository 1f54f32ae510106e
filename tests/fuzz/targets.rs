//! What is thrown at. A further target is one more line of the table and a
//! folder of the same name in the corpus.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use zoetrope::{
    config::{Broker, Config, HostRule, duration_of},
    device::{
        fetch,
        http::{HttpOptions, HttpServer, Page, Shelf, Vitals},
    },
    journal::Journal,
    publication::{ClipNotice, JobEvent, Response, State},
    request::{JobId, PhotoUrl, Size},
    still::{self, Limits},
};

use crate::{hash, requests};

/// Tries one input and gives a number for the kind of answer.
type Trial = Box<dyn FnMut(&[u8]) -> u64>;

pub struct Target {
    pub name: &'static str,
    pub open: fn() -> Trial,
    /// Words that are put into inputs.
    pub words: &'static [&'static str],
}

const JSON: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "null",
    "true",
    "-1",
    "1e309",
    "\\u0000",
    "\"v\":1",
    "\"job_id\":\"a\"",
    "\"source\":",
    "\"camera\"",
    "\"url\":\"https://a.example/\"",
    "\"look\":{",
    "\"shape\":{",
    "\"strength\":",
    "\"seed\":",
    "\"size\":\"64x64\"",
    "\"transaction\":",
];

pub const TARGETS: &[Target] = &[
    Target {
        name: "config",
        open: || Box::new(config),
        words: &[
            "[",
            "]",
            "=",
            "\n",
            "\"",
            "[broker]\n",
            "[http]\n",
            "[url]\n",
            "[trigger]\n",
            "[thermal]\n",
            "credential:",
            "mqtts://",
            "0.0.0.0:1",
            "-",
            "nan",
            "inf",
            "é",
        ],
    },
    Target {
        name: "render_order",
        open: || Box::new(requests::render),
        words: JSON,
    },
    Target {
        name: "photo_order",
        open: || Box::new(requests::render_photo),
        words: &[
            "\n",
            "=",
            "job_id=",
            "strength=",
            "seed=",
            "size=",
            "direction=",
            "duration_ms=",
            "frame_rate=",
            "transaction=",
            "burst_fps=",
            "clean_plate=true",
            "NaN",
            "-0",
            "inf",
            "64x64",
        ],
    },
    Target {
        name: "commands",
        open: || Box::new(requests::commands),
        words: JSON,
    },
    Target {
        name: "payloads",
        open: || Box::new(payloads),
        words: JSON,
    },
    Target {
        name: "journal",
        open: journal,
        words: &[
            "\u{0}",
            "\u{1}",
            "{\"v\":1",
            "\"sequence\":1",
            "\"job_id\":\"a\"",
        ],
    },
    Target {
        name: "photo",
        open: || Box::new(photo),
        words: &[
            "\u{0}", "IHDR", "IDAT", "RIFF", "WEBP", "VP8X", "VP8L", "JFIF", "Exif",
        ],
    },
    Target {
        name: "burst",
        open: || Box::new(requests::burst),
        words: &["\u{0}", "MPF\u{0}MM\u{0}*", "MPF\u{0}II*\u{0}", "Exif"],
    },
    Target {
        name: "photo_url",
        open: || Box::new(photo_url),
        words: &[
            "https://",
            "http://",
            "@",
            ":",
            "[",
            "]",
            "::ffff:",
            "127.0.0.1",
            "0x7f",
            "%00",
            "..",
            "//",
            "?",
            "#",
            "xn--",
            "a.example",
            "localhost",
            "\\",
        ],
    },
    Target {
        name: "broker_url",
        open: || Box::new(broker_url),
        words: &[
            "mqtt://", "mqtts://", "@", ":", "[", "]", "/", "%25", "65536",
        ],
    },
    Target {
        name: "words",
        open: || Box::new(words),
        words: &["x", "*.", ":", "s", "m", "h", "d", "e300", "-", "[::1]"],
    },
    Target {
        name: "http",
        open: http,
        words: &[
            "\r\n",
            "GET ",
            "HEAD ",
            " HTTP/1.1",
            "/healthz",
            "/clips/",
            "..%2f",
            "?token=",
            "cookie: zoetrope_display=",
            "authorization: Bearer ",
            "range: bytes=0-",
            "content-length: 9",
            "transfer-encoding: chunked",
            "connection: close",
        ],
    },
];

/// What kind of answer it is: the words around what is quoted, without numbers.
pub fn kind(answer: &str) -> u64 {
    let marks = ['"', '`'];
    let begin = answer.split(marks).next().unwrap_or_default();
    let end = answer.rsplit(marks).next().unwrap_or_default();
    let words = begin.bytes().chain(end.bytes());
    let kind: Vec<u8> = words
        .filter(|byte| !byte.is_ascii_digit())
        .take(120)
        .collect();
    hash(&kind)
}

/// One file of the journal, as a process that starts finds it. What was changed is
/// never taken for what was written.
fn journal() -> Trial {
    let folder = tempfile::tempdir().expect("a folder");
    let [pending, ended] = [
        &include_bytes!("corpus/journal/pending")[..],
        include_bytes!("corpus/journal/ended"),
    ];
    Box::new(move |input| {
        let file = folder.path().join("0000000000000001.job");
        std::fs::write(&file, input).expect("room for a file");
        let opened = Journal::open(folder.path()).expect("a folder of our own");
        let taken = opened.pending.len() + opened.ended.len();
        for job in &opened.pending {
            // A note at its end may be torn off.
            assert!(pending.starts_with(&input[..job.bytes as usize]));
        }
        assert!(opened.ended.is_empty() || input.starts_with(ended));
        assert!(taken + opened.damages.len() >= 1);
        let damages = opened.damages.iter().map(|damage| &damage.reason);
        damages.fold(taken as u64, |sum, reason| sum ^ kind(reason))
    })
}

fn said<T, E: std::fmt::Display>(result: Result<T, E>) -> u64 {
    match result {
        Ok(_) => 0,
        Err(error) => kind(&error.to_string()),
    }
}

fn config(input: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(input);
    match Config::parse(&text) {
        Err(error) => kind(&error.to_string()),
        Ok(config) => {
            // What may not be, whatever stands in the file.
            if let Some(http) = &config.http {
                assert!(http.listen.ip().is_loopback() || http.token_file.is_some());
            }
            assert!(config.queue_length_max > 0 && !config.device_id.contains(['/', '+', '#']));
            let on = [
                config.http.is_some(),
                config.url.is_some(),
                config.broker.tls.is_some(),
                config.trigger.every.is_some(),
                config.trigger.cron.is_some(),
            ];
            on.iter().fold(1, |sum, is_on| sum * 2 + u64::from(*is_on))
        }
    }
}

/// What a display reads from the broker.
fn payloads(input: &[u8]) -> u64 {
    let answers = [
        said(serde_json::from_slice::<ClipNotice>(input)),
        said(serde_json::from_slice::<JobEvent>(input)),
        said(serde_json::from_slice::<Response>(input)),
        said(serde_json::from_slice::<State>(input)),
    ];
    answers.iter().fold(0, |sum: u64, answer| {
        sum.wrapping_mul(31).wrapping_add(*answer)
    })
}

fn photo(input: &[u8]) -> u64 {
    let limits = Limits {
        bytes_max: 1 << 16,
        side_px_max: 256,
        side_px_min: 1,
    };
    match still::decode(input, &limits) {
        Err(error) => kind(&error.to_string()),
        Ok(photo) => {
            assert!(photo.width_px.max(photo.height_px) <= 256);
            assert_eq!(photo.bytes.len(), photo.width_px * photo.height_px * 3);
            (photo.width_px * 1000 + photo.height_px) as u64
        }
    }
}

fn photo_url(input: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(input);
    let (url, sha256) = match text.split_once(' ') {
        Some((url, sha256)) => (url, Some(sha256)),
        None => (&*text, None),
    };
    match PhotoUrl::new(url, sha256) {
        Err(error) => kind(&error.to_string()),
        Ok(photo) => {
            let list = "[url]\nhosts = ['a.example', '*.b.example:8443']";
            let config = Config::parse(list).unwrap();
            let permitted = fetch::permitted(config.url.as_ref(), photo.url());
            let host = photo.url().host_str().unwrap();
            let is_listed = host == "a.example" || host.ends_with(".b.example");
            assert!(permitted.is_err() || is_listed, "{url}");
            assert!(photo.url().username().is_empty() && photo.url().fragment().is_none());
            said(permitted)
        }
    }
}

fn broker_url(input: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(input);
    let broker = text.parse::<Broker>();
    if let Ok(broker) = &broker {
        assert!(broker.port > 0 && !broker.host.contains(['/', '@', ' ']));
    }
    said(broker)
}

fn words(input: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(input);
    let rule = text.parse::<HostRule>();
    if let Ok(rule) = &rule {
        assert_eq!(rule.to_string().parse::<HostRule>().as_ref(), Ok(rule));
    }
    let id = text.parse::<JobId>();
    assert!(id.is_err() || !text.contains(['/', '+', '#', '\0']));
    said(rule) ^ said(id) ^ said(text.parse::<Size>()) ^ u64::from(duration_of(&text).is_some())
}

/// Longest wait for the server: more than it gives a peer for a head.
const PATIENCE: Duration = Duration::from_secs(20);

struct Healthy;

impl Vitals for Healthy {
    fn metrics(&self) -> String {
        "# EOF\n".to_owned()
    }

    fn readiness(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Bytes on the wire of a server that wants a token: whatever they are, nothing
/// is told but that it lives.
fn http() -> Trial {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let page = Page {
        device_id: "board".to_owned(),
        broker_websocket_url: "ws://:9001".to_owned(),
    };
    let mut options = HttpOptions::open(SocketAddr::from(([127, 0, 0, 1], 0)), page);
    options.token = Some("a token that nobody can guess".to_owned());
    options.connections_max = 64;
    let started = HttpServer::start(options, Shelf::new(), Arc::new(Healthy));
    let server = runtime.block_on(started).unwrap();
    let address = server.local_addr();
    Box::new(move |input| {
        // The server lives as long as what tries it.
        let _ = (&runtime, &server);
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // It may break off at the first byte that it does not like.
        let _ = stream.write_all(input);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.take(1 << 20).read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1."),
            "{answer}"
        );
        let secret = ["base_topic", "# EOF", "<html", "import ", "ready\n"];
        assert!(!secret.iter().any(|word| answer.contains(word)), "{answer}");
        kind(answer.lines().next().unwrap_or_default())
            ^ hash(answer.get(9..12).unwrap_or_default().as_bytes())
    })
}
