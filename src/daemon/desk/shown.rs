//! What the desk tells everybody about itself.

use super::Desk;
use crate::{
    daemon::vitals::Vitals,
    publication::{DaemonState, Health, Info, Publication, State, Version},
};

impl Desk {
    pub(super) fn show_info(&self) {
        let info = Info::new(
            self.card.clone(),
            &self.config.photo_limits,
            self.config.broker.packet_bytes_max,
            self.config.queue_length_max,
        );
        self.connection
            .post(Publication::json(self.topics.info(), &info).retained());
    }

    pub(super) fn show_state(&mut self) {
        let state = State {
            v: Version,
            state: if self.is_stopping {
                DaemonState::Stopping
            } else if self.current.is_some() || !self.outbox.is_empty() {
                DaemonState::Rendering
            } else if self.trouble.is_some() {
                DaemonState::Degraded
            } else {
                DaemonState::Ready
            },
            reason: self.trouble.clone(),
            job_id: (self.current.iter().chain(self.outbox.jobs()))
                .map(|job| job.id.to_string())
                .next(),
            queue_length: self.queue.len(),
            camera: self.camera,
            backend: self.card.backend.to_owned(),
        };
        if self.shown.as_ref() != Some(&state) {
            self.connection
                .post(Publication::json(self.topics.state(), &state).retained());
            self.shown = Some(state);
        }
    }

    /// Left out while the broker is away, and told when it is back.
    pub(super) fn show_health(&self) {
        let health = Publication::json(self.topics.health(), &self.health());
        self.connection.offer(health.retained().unacknowledged());
    }

    /// The health as it is now.
    pub(super) fn health(&self) -> Health {
        let vitals = Vitals::sample(&self.config.clips_dir);
        Health {
            v: Version,
            uptime_s: self.started.elapsed().as_secs(),
            rss_bytes: vitals.rss_bytes,
            fds: vitals.fds,
            threads: vitals.threads,
            queue_length: self.queue.len(),
            renders: self.renders,
            temperature_c: None,
            throttled: None,
            disk_free_bytes: vitals.disk_free_bytes,
        }
    }

    /// Describes the board to Home Assistant, where that is configured.
    pub(super) fn describe(&self) {
        if let Some(discovery) = &self.config.home_assistant {
            let description = discovery.publication(&self.config.device_id, &self.topics);
            self.connection.post(description);
        }
    }
}
