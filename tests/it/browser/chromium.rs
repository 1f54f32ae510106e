//! A headless Chromium under chromedriver, and the page inside it.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

/// Time in which a page state must come; generous, because software decoding
/// shares the machine with other builds.
const PATIENCE: Duration = Duration::from_secs(40);

/// Where both programs are, or none when one is missing.
pub struct Programs {
    chromium: PathBuf,
    chromedriver: PathBuf,
}

impl Programs {
    pub fn find() -> Option<Self> {
        Some(Self {
            chromium: in_path(&["chromium", "chromium-browser", "google-chrome"])?,
            chromedriver: in_path(&["chromedriver"])?,
        })
    }
}

fn in_path(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let candidates = names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    candidates.into_iter().find(|candidate| candidate.is_file())
}

/// A chromedriver of our own; it ends with this value.
pub struct Driver {
    process: Child,
    port: u16,
    /// Held open: chromedriver shall not write to a closed pipe.
    _said: BufReader<ChildStdout>,
}

impl Driver {
    pub fn start(programs: &Programs) -> Self {
        let mut process = Command::new(&programs.chromedriver)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts");
        let said = process.stdout.take().expect("standard output is a pipe");
        let mut said = BufReader::new(said);
        let port = (&mut said).lines().map_while(Result::ok).find_map(|line| {
            line.rsplit_once("successfully on port ")?
                .1
                .trim_end_matches('.')
                .parse()
                .ok()
        });
        Self {
            process,
            port: port.expect("chromedriver names its port"),
            _said: said,
        }
    }

    /// A browser with an empty profile.
    pub async fn browser(&self, programs: &Programs, profile: &std::path::Path) -> Page {
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--autoplay-policy=no-user-gesture-required",
            "--window-size=1280,860",
            &format!("--user-data-dir={}", profile.display()),
        ];
        let capabilities = json!({
            "goog:chromeOptions": { "binary": programs.chromium, "args": arguments },
        });
        let Value::Object(capabilities) = capabilities else {
            unreachable!("the literal above is an object");
        };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{}", self.port))
            .await
            .expect("chromium starts");
        Page { client }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Errors mean that it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The kiosk page in the browser; clones steer the same one.
#[derive(Clone)]
pub struct Page {
    client: Client,
}

/// The video on screen as numbers: where it is, and its picture as grey values.
pub struct Glimpse {
    pub time_s: f64,
    pub greys: Vec<f64>,
}

impl Page {
    pub async fn open(&self, url: &str) {
        self.client.goto(url).await.expect("the page loads");
    }

    pub async fn reload(&self) {
        self.client.refresh().await.expect("the page loads again");
    }

    /// Forgets what it is known by.
    pub async fn forget(&self) {
        let forgotten = self.client.delete_all_cookies().await;
        forgotten.expect("it forgets");
    }

    pub async fn close(self) {
        self.client.close().await.expect("the browser ends");
    }

    /// What a JavaScript expression says.
    pub async fn value(&self, expression: &str) -> Value {
        let script = format!("return ({expression})");
        let outcome = self.client.execute(&script, Vec::new()).await;
        outcome.unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// Waits until a JavaScript expression is true.
    pub async fn until(&self, expression: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.value(&format!("!!({expression})")).await != json!(true) {
            if Instant::now() > deadline {
                let state = self.value("JSON.stringify(window.zoetrope)").await;
                panic!("never came true: {expression}; the page says {state}");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// A look at the playing video.
    pub async fn glimpse(&self) -> Glimpse {
        let seen = self
            .value(
                "(() => {
                    const video = [...document.querySelectorAll('video.shown')].pop();
                    const canvas = document.createElement('canvas');
                    canvas.width = 32;
                    canvas.height = 18;
                    const context = canvas.getContext('2d');
                    context.drawImage(video, 0, 0, 32, 18);
                    const { data } = context.getImageData(0, 0, 32, 18);
                    const greys = [];
                    for (let at = 0; at < data.length; at += 4) {
                        greys.push((data[at] + data[at + 1] + data[at + 2]) / 3);
                    }
                    return { time_s: video.currentTime, greys };
                })()",
            )
            .await;
        let greys = seen["greys"].as_array().expect("a list");
        Glimpse {
            time_s: seen["time_s"].as_f64().expect("a number"),
            greys: greys.iter().filter_map(Value::as_f64).collect(),
        }
    }

    /// Asserts that the video runs, moves and is not black.
    pub async fn assert_it_moves(&self, when: &str) {
        let before = self.glimpse().await;
        // Not a whole turn of any test clip: that would show the same picture.
        tokio::time::sleep(Duration::from_millis(730)).await;
        let after = self.glimpse().await;
        assert!(
            after.time_s > before.time_s,
            "{when}: time stands still at {} s",
            after.time_s
        );
        let count = before.greys.len() as f64;
        let brightness = after.greys.iter().sum::<f64>() / count;
        assert!(
            brightness > 30.0,
            "{when}: the picture is black, mean {brightness}"
        );
        let pairs = before.greys.iter().zip(&after.greys);
        let change = pairs.map(|(was, is)| (was - is).abs()).sum::<f64>() / count;
        assert!(
            change > 1.0,
            "{when}: the picture does not change, mean difference {change}"
        );
    }

    /// Keeps a screenshot where `ZOETROPE_TEST_PICTURES` names a folder.
    pub async fn picture(&self, name: &str) {
        let Some(folder) = std::env::var_os("ZOETROPE_TEST_PICTURES") else {
            return;
        };
        let png = self.client.screenshot().await.expect("a screenshot");
        let path = PathBuf::from(folder).join(format!("{name}.png"));
        std::fs::write(&path, png).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}
