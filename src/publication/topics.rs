//! The topics of one board.

use super::ClipDigest;
use crate::request::JobId;

/// Topic of jobs that any board of a fleet may take.
const FLEET_RENDER: &str = "zoetrope/jobs/render";

/// The topics of one board: `zoetrope/<device_id>/…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics {
    base: String,
}

impl Topics {
    /// The topics of the board called `device_id`, a name without `/`, `+`
    /// and `#` as `config` has checked.
    pub fn new(device_id: &str) -> Self {
        Self {
            base: format!("zoetrope/{device_id}"),
        }
    }

    fn under_base(&self, name: &str) -> String {
        format!("{}/{name}", self.base)
    }

    /// `online` or `offline`; retained, and the last will.
    pub fn availability(&self) -> String {
        self.under_base("availability")
    }

    /// What the daemon is doing; retained.
    pub fn state(&self) -> String {
        self.under_base("state")
    }

    /// What the daemon is; retained.
    pub fn info(&self) -> String {
        self.under_base("info")
    }

    /// Commands in JSON.
    pub fn request_render(&self) -> String {
        self.under_base("request/render")
    }

    /// Commands whose payload is the photograph.
    pub fn request_render_photo(&self) -> String {
        self.under_base("request/render_photo")
    }

    /// Takes a still and publishes it as the poster.
    pub fn request_capture(&self) -> String {
        self.under_base("request/capture")
    }

    /// Ends a job.
    pub fn request_cancel(&self) -> String {
        self.under_base("request/cancel")
    }

    /// Reads the configuration again.
    pub fn request_reload(&self) -> String {
        self.under_base("request/reload")
    }

    /// Asks for the health.
    pub fn request_health_check(&self) -> String {
        self.under_base("request/health_check")
    }

    /// Filter for the requests of chunks of every clip.
    pub fn every_get(&self) -> String {
        self.under_base("clip/+/get")
    }

    /// Where chunks of a clip are asked for.
    pub fn clip_get(&self, sha256: &ClipDigest) -> String {
        self.under_base(&format!("clip/{sha256}/get"))
    }

    /// The name of a clip in a topic of [`Self::every_get`]; `None` for any
    /// other topic.
    pub fn named_in_get<'a>(&self, topic: &'a str) -> Option<&'a str> {
        let rest = topic.strip_prefix(&self.base)?.strip_prefix("/clip/")?;
        rest.strip_suffix("/get")
    }

    /// One chunk of a clip.
    pub fn clip_chunk(&self, sha256: &ClipDigest, index: u32) -> String {
        self.under_base(&format!("clip/{sha256}/chunk/{index}"))
    }

    /// Filter for the chunks of every clip.
    pub fn every_chunk(&self) -> String {
        self.under_base("clip/+/chunk/+")
    }

    /// The clip's name and the chunk's index in a topic of
    /// [`Self::every_chunk`]; `None` for any other topic.
    pub fn named_in_chunk(&self, topic: &str) -> Option<(ClipDigest, u32)> {
        let rest = topic.strip_prefix(&self.base)?.strip_prefix("/clip/")?;
        let (sha256, index) = rest.split_once("/chunk/")?;
        Some((sha256.parse().ok()?, index.parse().ok()?))
    }

    /// Jobs that any board of a fleet may take; the same for all boards.
    pub fn fleet_render() -> &'static str {
        FLEET_RENDER
    }

    /// Filter by which the boards of a group share the fleet's jobs.
    pub fn fleet_share(group: &str) -> String {
        format!("$share/{group}/{FLEET_RENDER}")
    }

    /// Where a command is answered that names no response topic.
    pub fn response(&self, command: &str) -> String {
        self.under_base(&format!("response/{command}"))
    }

    /// How the daemon and its board are doing; retained.
    pub fn health(&self) -> String {
        self.under_base("health")
    }

    /// What happens to one job.
    pub fn job(&self, id: &JobId) -> String {
        self.under_base(&format!("job/{id}"))
    }

    /// Filter for the events of every job.
    pub fn every_job(&self) -> String {
        self.under_base("job/+")
    }

    /// The newest MP4 itself; retained.
    pub fn clip(&self) -> String {
        self.under_base("clip")
    }

    /// The record of the newest clip; retained.
    pub fn clip_info(&self) -> String {
        self.under_base("clip/info")
    }

    /// The newest still as JPEG; retained.
    pub fn poster(&self) -> String {
        self.under_base("poster")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_those_of_the_table() {
        let topics = Topics::new("hall");
        assert_eq!(topics.clip_info(), "zoetrope/hall/clip/info");
        assert_eq!(topics.response("render"), "zoetrope/hall/response/render");
        let id = "till-3".parse().unwrap();
        assert_eq!(topics.job(&id), "zoetrope/hall/job/till-3");
        assert_eq!(
            Topics::fleet_share("all"),
            "$share/all/zoetrope/jobs/render"
        );
    }

    #[test]
    fn names_in_topics_are_found_again() {
        let topics = Topics::new("hall");
        let sha256: ClipDigest = "0a".repeat(32).parse().unwrap();
        let get = topics.clip_get(&sha256);
        assert_eq!(topics.named_in_get(&get), Some(sha256.as_str()));
        let chunk = topics.clip_chunk(&sha256, 7);
        assert_eq!(topics.named_in_chunk(&chunk), Some((sha256, 7)));
        let other = Topics::new("hallway");
        assert_eq!(other.named_in_get(&get), None);
        assert_eq!(other.named_in_chunk(&chunk), None);
        assert_eq!(topics.named_in_chunk("zoetrope/hall/clip/info"), None);
    }
}
