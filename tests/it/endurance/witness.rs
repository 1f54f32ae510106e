//! A client that asks, and remembers everything it was told.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::Location,
    time::{Duration, Instant},
};

use mqtt5::types::Message;
use serde_json::Value;
use zoetrope::device::display::sha256_of;

use crate::{
    mqtt::bench::{DEVICE, Display, PATIENCE},
    photos,
};

pub struct Witness {
    pub display: Display,
    photo: Vec<u8>,
    /// What every job is given.
    pub deadline_ms: Option<u64>,
    /// Jobs asked for, with their seeds.
    pub asked: BTreeMap<String, u64>,
    /// Jobs that the daemon said it had accepted.
    pub accepted: BTreeSet<String>,
    /// Answers by job.
    pub answers: BTreeMap<String, usize>,
    /// Every clip that was seen or named of a job, by its digest.
    pub clips: BTreeMap<String, BTreeSet<String>>,
    /// Clips whose bytes are not what was announced.
    pub torn: Vec<String>,
    /// Jobs that were answered by a refusal or a failure.
    pub refused: BTreeSet<String>,
    /// Answers and events that say that something went wrong.
    pub failures: Vec<String>,
    /// The state as it was said last, empty once the daemon has gone.
    pub state: String,
    /// Why, if it said so.
    pub reason: String,
    /// What happened to jobs, newest last.
    pub events: Vec<(String, String)>,
}

impl Witness {
    pub async fn connect(port: u16) -> Self {
        Self {
            display: Display::connect(port, "witness").await,
            photo: photos::jpeg(64, 64),
            deadline_ms: None,
            asked: BTreeMap::new(),
            accepted: BTreeSet::new(),
            answers: BTreeMap::new(),
            clips: BTreeMap::new(),
            torn: Vec::new(),
            refused: BTreeSet::new(),
            failures: Vec::new(),
            state: String::new(),
            reason: String::new(),
            events: Vec::new(),
        }
    }

    /// Asks for a job, for the first time or again.
    pub async fn ask(&mut self, id: &str) {
        let next = self.asked.len() as u64;
        let seed = *self.asked.entry(id.to_owned()).or_insert(next);
        let seed = seed.to_string();
        let deadline_ms = self.deadline_ms.map(|ms| ms.to_string());
        let mut properties = vec![("job_id", id), ("transaction", id), ("seed", &seed)];
        properties.extend(deadline_ms.as_deref().map(|ms| ("deadline_ms", ms)));
        self.display.send_photo(&self.photo, &properties).await;
    }

    /// Jobs that were asked for and not answered.
    pub fn unanswered(&self) -> Vec<String> {
        let is_open = |id: &&String| !self.answers.contains_key(*id);
        self.asked.keys().filter(is_open).cloned().collect()
    }

    /// Hears everything until `is_enough`, or for this long at most; says
    /// whether it was.
    pub async fn hear(
        &mut self,
        time_max: Duration,
        mut is_enough: impl FnMut(&Self) -> bool,
    ) -> bool {
        let deadline = Instant::now() + time_max;
        loop {
            // All that is here already counts.
            while let Some(message) = self.display.any(Duration::ZERO).await {
                self.note(&message);
            }
            if is_enough(self) {
                return true;
            }
            if Instant::now() >= deadline {
                return false;
            }
            if let Some(message) = self.display.any(Duration::from_millis(20)).await {
                self.note(&message);
            }
        }
    }

    fn note(&mut self, message: &Message) {
        let base = format!("zoetrope/{DEVICE}/");
        let topic = message.topic.strip_prefix(&base).unwrap_or_default();
        let json = || serde_json::from_slice::<Value>(&message.payload).unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match topic {
            "clip" => {
                let property = |name: &str| {
                    let properties = &message.properties.user_properties;
                    let found = properties.iter().find(|(given, _)| given == name);
                    found.map(|(_, value)| value.clone()).unwrap_or_default()
                };
                let sha256 = sha256_of(&message.payload);
                if sha256 != property("sha256") {
                    self.torn.push(property("job_id"));
                }
                self.saw(property("job_id"), sha256);
            }
            "clip/info" => {
                let record = json();
                self.saw(text(&record["job_id"]), text(&record["sha256"]));
            }
            "availability" if message.payload == b"offline" => self.state.clear(),
            "state" => {
                let state = json();
                self.state = text(&state["state"]);
                self.reason = text(&state["reason"]);
            }
            "response/render_photo" => {
                let answer = json();
                let id = text(&answer["transaction"]);
                if answer["status"] == "ok" {
                    self.saw(id.clone(), text(&answer["data"]["sha256"]));
                    *self.answers.entry(id).or_default() += 1;
                } else {
                    self.refused.insert(id);
                    self.failures.push(answer.to_string());
                }
            }
            topic if topic.starts_with("job/") => {
                let event = json();
                let (id, what) = (text(&event["job_id"]), text(&event["event"]));
                match what.as_str() {
                    "accepted" => {
                        self.accepted.insert(id.clone());
                    }
                    "published" => self.saw(id.clone(), text(&event["sha256"])),
                    "failed" => self.failures.push(event.to_string()),
                    _ => {}
                }
                self.events.push((id, what));
            }
            _ => {}
        }
    }

    fn saw(&mut self, id: String, sha256: String) {
        self.clips.entry(id).or_default().insert(sha256);
    }

    /// Fails unless everything that is asked for is answered in time.
    #[track_caller]
    pub fn served(&mut self) -> impl Future<Output = ()> {
        self.until("everything is answered", |witness| {
            witness.unanswered().is_empty()
        })
    }

    /// Fails unless this comes in time.
    #[track_caller]
    pub fn until(
        &mut self,
        what: &str,
        has_come: impl FnMut(&Self) -> bool,
    ) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            let has_come = self.hear(2 * PATIENCE, has_come).await;
            assert!(
                has_come,
                "{caller}: never came: {what}; {} {}; unanswered {:?}; failures {:?}",
                self.state,
                self.reason,
                self.unanswered(),
                self.failures
            );
        }
    }

    /// Fails unless everything asked for was answered, with one clip each.
    #[track_caller]
    pub fn testify(&self) {
        let lost: Vec<_> = self.unanswered();
        assert!(lost.is_empty(), "never answered: {lost:?}");
        assert!(self.torn.is_empty(), "torn: {:?}", self.torn);
        assert!(self.failures.is_empty(), "{:?}", self.failures);
        let differing: Vec<_> = (self.clips.iter())
            .filter(|(_, digests)| digests.len() != 1)
            .collect();
        assert!(differing.is_empty(), "several clips: {differing:?}");
    }
}
