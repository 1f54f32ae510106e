//! The file as it is written: every key optional, every value with its place.
//!
//! Numbers are read wide and checked later, so that `port = 70000` is answered
//! with the allowed range and not with the name of an integer type.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::camera::RawControl;

pub(super) type Int = Option<Spanned<i64>>;
pub(super) type Number = Option<Spanned<f64>>;
pub(super) type Text = Option<Spanned<String>>;
pub(super) type Texts = Option<Vec<Spanned<String>>>;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Raw {
    pub(super) profile: Text,
    pub(super) device_id: Text,
    pub(super) clips_dir: Text,
    pub(super) queue_length_max: Int,
    pub(super) threads: Int,
    pub(super) inline_bytes_max: Int,
    pub(super) broker: RawBroker,
    pub(super) camera: RawCamera,
    pub(super) observation: RawObservation,
    pub(super) inference: RawInference,
    pub(super) model: RawModel,
    pub(super) photo: RawPhoto,
    pub(super) journal: RawJournal,
    pub(super) store: RawStore,
    pub(super) look: RawLook,
    pub(super) shape: RawShape,
    pub(super) http: Option<Spanned<RawHttp>>,
    pub(super) url: Option<Spanned<RawUrl>>,
    pub(super) trigger: RawTrigger,
    pub(super) thermal: RawThermal,
    pub(super) fleet: Option<Spanned<RawFleet>>,
    pub(super) homeassistant: Option<RawHomeAssistant>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawBroker {
    pub(super) url: Text,
    pub(super) username: Text,
    pub(super) password_file: Text,
    pub(super) ca_file: Text,
    pub(super) client_cert_file: Text,
    pub(super) client_key_file: Text,
    pub(super) packet_bytes_max: Int,
    pub(super) keep_alive_s: Int,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawCamera {
    pub(super) device: Text,
    pub(super) size: Text,
    pub(super) format: Text,
    pub(super) controls: Option<Spanned<BTreeMap<String, RawControl>>>,
    pub(super) burst: Int,
    pub(super) warmup_s: Number,
    pub(super) frozen_frames: Int,
    pub(super) frame_timeout_s: Number,
    pub(super) file: Text,
    pub(super) command: Option<Spanned<Vec<String>>>,
    pub(super) timeout_s: Number,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawObservation {
    pub(super) mode: Text,
    pub(super) seconds: Number,
    pub(super) frame_rate: Int,
    pub(super) clean_plate: Option<Spanned<bool>>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawInference {
    pub(super) engine: Text,
    pub(super) library: Text,
    pub(super) cache_dir: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawModel {
    pub(super) file: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawPhoto {
    pub(super) bytes_max: Int,
    pub(super) side_px_max: Int,
    pub(super) side_px_min: Int,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawJournal {
    pub(super) dir: Text,
    pub(super) bytes_max: Int,
    pub(super) crash_count_max: Int,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawStore {
    pub(super) count_max: Int,
    pub(super) bytes_max: Int,
    pub(super) age_h_max: Int,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawLook {
    pub(super) strength: Number,
    pub(super) seed: Int,
    pub(super) direction_deg: Number,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawShape {
    pub(super) size: Text,
    pub(super) duration_ms: Int,
    pub(super) frame_rate: Int,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawHttp {
    pub(super) listen: Text,
    pub(super) broker_websocket_url: Text,
    pub(super) token_file: Text,
    pub(super) cert_file: Text,
    pub(super) key_file: Text,
    pub(super) connections_max: Int,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawUrl {
    pub(super) hosts: Texts,
    pub(super) private_hosts: Texts,
    pub(super) bytes_max: Int,
    pub(super) timeout_s: Number,
    pub(super) ca_file: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawTrigger {
    pub(super) every: Text,
    pub(super) cron: Text,
    pub(super) folder: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawThermal {
    pub(super) hot_celsius: Number,
    pub(super) pause_s: Number,
    pub(super) sysfs_dir: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawFleet {
    pub(super) group: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawHomeAssistant {
    pub(super) prefix: Text,
}
