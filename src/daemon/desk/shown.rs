//! What the desk tells everybody about itself.

use super::Desk;
use crate::{
    daemon::footprint::Footprint,
    publication::{DaemonState, Health, Info, Publication, State, Version},
};

impl Desk {
    pub(super) fn show_info(&self) {
        let info = Info::new(
            self.card.clone(),
            self.engine.borrow().clone(),
            &self.config.photo_limits,
            self.config.broker.packet_bytes_max,
            self.config.queue_length_max,
        );
        self.connection
            .post(Publication::json(self.topics.info(), &info).retained());
    }

    pub(super) fn show_state(&mut self) {
        self.metrics.queue_is(self.queue.len());
        self.metrics.outbox_is(self.connection.waiting_count());
        let reason = self.trouble.clone().or_else(|| self.pacing.reason());
        let published = || self.outgoing.iter().find_map(|clip| clip.ticket.as_ref());
        let job_id = (self.current.as_ref())
            .or_else(published)
            .map(|ticket| ticket.id().to_string());
        let inference = self.engine.borrow().clone();
        let state = State {
            v: Version,
            state: if self.is_stopping {
                DaemonState::Stopping
            } else if self.retry_at.is_some() {
                DaemonState::Degraded
            } else if job_id.is_some() {
                DaemonState::Rendering
            } else if reason.is_some() {
                DaemonState::Degraded
            } else if inference.preparing.is_some() {
                DaemonState::Preparing
            } else {
                DaemonState::Ready
            },
            reason,
            job_id,
            queue_length: self.queue.len(),
            camera: self.camera.state(),
            camera_reason: self.camera.reason(),
            inference,
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
        let footprint = Footprint::sample(&self.config.clips_dir);
        let climate = self.pacing.climate();
        let reading = self.metrics.reading(&climate);
        Health {
            v: Version,
            uptime_s: self.started_at.elapsed().as_secs(),
            rss_bytes: footprint.rss_bytes,
            fds: footprint.fds,
            threads: footprint.threads,
            queue_length: reading.queue_length,
            renders_ok: reading.renders_ok,
            renders_failed: reading.renders_failed,
            last_render_ms: reading.last_render_ms,
            temperature_c: reading.temperature_celsius,
            // A board that tells no temperature does not tell this either.
            throttled: reading.temperature_celsius.map(|_| reading.is_throttled),
            disk_free_bytes: footprint.disk_free_bytes,
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
