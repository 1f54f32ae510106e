//! Taking over what can change while running.

use super::{Desk, camera_unused};
use crate::config::Config;

impl Desk {
    pub(super) fn reload(&mut self, config: Config) {
        let fixed = |config: &Config| {
            // Debug text compares what has no equality of its own.
            format!(
                "{:?}",
                (
                    &config.device_id,
                    &config.broker,
                    &config.http,
                    &config.trigger,
                    &config.thermal.hot_celsius,
                    &config.thermal.sysfs_dir,
                    &config.model_file,
                    &config.clips_dir,
                    &config.journal_dir,
                )
            )
        };
        if fixed(&self.config) != fixed(&config) {
            log::warn!(
                "device_id, broker, http, trigger, hot_celsius, model and folders change with a \
                 restart only"
            );
        }
        self.config.look = config.look;
        self.config.shape = config.shape;
        self.config.photo_limits = config.photo_limits;
        self.config.queue_length_max = config.queue_length_max;
        self.config.camera = config.camera;
        self.config.journal = config.journal;
        self.store.set_limits(config.store);
        self.config.threads = config.threads;
        self.config.url = config.url;
        self.pacing.pause_is(config.thermal.pause);
        self.camera = camera_unused(&self.config.camera);
        log::info!("configuration read again");
        self.show_info();
    }
}
