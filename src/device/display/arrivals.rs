//! Clips and records as they come in: in any order, from any time.

use std::time::Duration;

use anyhow::bail;
use tokio::{sync::mpsc, time::timeout};

use super::{
    pull::{MARK, Pull},
    sha256_of,
};
use crate::{
    device::mqtt::{Connection, Message},
    publication::{ClipNotice, Fault, Response, Topics},
    request::JobId,
};

/// Time without a message after which chunks are asked for again.
const SILENCE_MAX: Duration = Duration::from_secs(5);

/// The clip and its record, as they come in.
pub(super) struct Arrivals {
    topics: Topics,
    /// Where the answers to requests for chunks go.
    answers: String,
    /// The job whose clip alone is wanted.
    only: Option<JobId>,
    mp4: Option<(String, Vec<u8>)>,
    record: Option<(ClipNotice, Vec<u8>)>,
    poster: Option<Vec<u8>>,
    pull: Option<Pull>,
    /// SHA-256 of the clip that was handed out last.
    shown: String,
}

/// A clip that is what its record says.
pub(super) struct Arrived {
    pub(super) notice: ClipNotice,
    pub(super) mp4: Vec<u8>,
    pub(super) record: Vec<u8>,
    pub(super) poster: Option<Vec<u8>>,
}

impl Arrivals {
    /// Nothing has come yet. With a job, its clip alone is looked for.
    pub(super) fn new(topics: Topics, answers: String, only: Option<JobId>) -> Self {
        Self {
            topics,
            answers,
            only,
            mp4: None,
            record: None,
            poster: None,
            pull: None,
            shown: String::new(),
        }
    }

    /// What has to be subscribed to.
    pub(super) fn subscriptions(&self) -> Vec<String> {
        vec![
            self.answers.clone(),
            self.topics.every_chunk(),
            self.topics.poster(),
            self.topics.clip(),
            self.topics.clip_info(),
        ]
    }

    /// The next message that is none of a clip's, after taking over those that
    /// are and asking for chunks where needed; or the clip, once its bytes and
    /// its record are both here and agree.
    ///
    /// # Errors
    /// When chunks are refused or do not come, or the connection is closed.
    pub(super) async fn next(
        &mut self,
        connection: &Connection,
        messages: &mut mpsc::Receiver<Message>,
    ) -> anyhow::Result<Next> {
        loop {
            let ask = (self.pull.as_mut()).and_then(|pull| pull.ask(&self.topics, &self.answers));
            if let Some(ask) = ask {
                connection.post(ask);
            }
            let message = match &mut self.pull {
                None => messages.recv().await,
                Some(pull) => match timeout(SILENCE_MAX, messages.recv()).await {
                    Ok(message) => message,
                    Err(_) => {
                        pull.silence().map_err(|fault| self.given_up(&fault))?;
                        continue;
                    }
                },
            };
            let Some(message) = message else {
                bail!("connection closed");
            };
            message.acknowledge();
            if let Some(other) = self.take(message)? {
                return Ok(Next::Other(other));
            }
            if let Some(arrived) = self.matched() {
                return Ok(Next::Arrived(arrived));
            }
        }
    }

    fn given_up(&mut self, fault: &Fault) -> anyhow::Error {
        self.pull = None;
        anyhow::anyhow!("{} ({})", fault.message, fault.code)
    }

    /// Takes over what belongs to a clip and gives the rest back.
    fn take(&mut self, message: Message) -> anyhow::Result<Option<Message>> {
        let topic = message.topic.as_str();
        if topic == self.topics.clip() {
            self.take_clip(message.payload);
        } else if topic == self.topics.clip_info() {
            self.take_record(message.payload);
        } else if topic == self.topics.poster() {
            self.poster = Some(message.payload).filter(|bytes| !bytes.is_empty());
        } else if let Some((sha256, index)) = self.topics.named_in_chunk(topic) {
            if let Some(pull) = self.pull.as_mut().filter(|pull| *pull.sha256() == sha256) {
                pull.take(index, &message.payload);
            }
            if let Some(pull) = self.pull.take_if(|pull| pull.is_complete()) {
                self.take_clip(pull.into_bytes());
            }
        } else if topic == self.answers && is_marked(&message) {
            let answer = serde_json::from_slice::<Response<serde_json::Value>>(&message.payload);
            // A board that is busy is asked again after the silence.
            let refusal = answer.ok().and_then(|answer| answer.error);
            if let Some(fault) = refusal.filter(|fault| fault.code != "busy") {
                return Err(self.given_up(&fault));
            }
        } else {
            return Ok(Some(message));
        }
        Ok(None)
    }

    fn take_clip(&mut self, bytes: Vec<u8>) {
        // An empty retained message is a deletion.
        if !bytes.is_empty() {
            self.mp4 = Some((sha256_of(&bytes), bytes));
        }
    }

    fn take_record(&mut self, bytes: Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        match serde_json::from_slice::<ClipNotice>(&bytes) {
            Ok(notice) => {
                self.fetch(&notice);
                self.record = Some((notice, bytes));
            }
            Err(error) => log::warn!("clip record is not valid: {error}"),
        }
    }

    fn fetch(&mut self, notice: &ClipNotice) {
        let is_wanted = self
            .only
            .as_ref()
            .is_none_or(|id| id.as_str() == notice.job_id);
        let is_here = |sha256: &str| {
            let under_way = self.pull.as_ref().map(|pull| pull.sha256().as_str());
            under_way == Some(sha256) || self.shown == sha256
        };
        if is_wanted && !is_here(&notice.sha256) {
            self.pull = Pull::of(notice);
        }
    }

    fn matched(&mut self) -> Option<Arrived> {
        let (sha256, _) = self.mp4.as_ref()?;
        let (notice, _) = self.record.as_ref()?;
        let is_wanted = self
            .only
            .as_ref()
            .is_none_or(|id| id.as_str() == notice.job_id);
        if *sha256 != notice.sha256 || !is_wanted {
            // The clip of the next record, or of the last: the other half is
            // still to come.
            return None;
        }
        let (sha256, mp4) = self.mp4.take()?;
        let (notice, record) = self.record.take()?;
        // After a reconnect the retained clip comes once more.
        (std::mem::replace(&mut self.shown, sha256) != notice.sha256).then(|| Arrived {
            notice,
            mp4,
            record,
            poster: self.poster.clone(),
        })
    }
}

fn is_marked(message: &Message) -> bool {
    message.properties.correlation_data.as_deref() == Some(MARK)
}

/// What has come.
pub(super) enum Next {
    /// A clip with its record.
    Arrived(Arrived),
    /// Something else.
    Other(Message),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(sha256: &str) -> Vec<u8> {
        format!(r#"{{"v":1,"job_id":"a","sha256":"{sha256}","bytes":3}}"#).into_bytes()
    }

    #[test]
    fn a_clip_counts_only_with_its_own_record() {
        let mut arrivals = Arrivals::new(Topics::new("hall"), "answers".to_owned(), None);
        arrivals.take_clip(b"old".to_vec());
        arrivals.take_record(record(&sha256_of(b"new")));
        assert!(arrivals.matched().is_none());
        arrivals.take_clip(b"new".to_vec());
        let arrived = arrivals.matched().unwrap();
        assert_eq!(arrived.mp4, b"new");
        assert!(arrivals.matched().is_none());
    }

    #[test]
    fn nonsense_is_passed_over() {
        let mut arrivals = Arrivals::new(Topics::new("hall"), "answers".to_owned(), None);
        arrivals.take_clip(Vec::new());
        arrivals.take_record(b"{}".to_vec());
        arrivals.take_record(Vec::new());
        assert!(arrivals.matched().is_none());
    }
}
