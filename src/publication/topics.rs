//! The topics of one board.

use crate::request::JobId;

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

    /// Where a command is answered that names no response topic.
    pub fn response(&self, command: &str) -> String {
        self.under_base(&format!("response/{command}"))
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
    }
}
