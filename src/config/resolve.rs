//! From what was written to what holds: defaults filled in, ranges checked.

use std::{fmt::Display, num::NonZeroUsize, ops::RangeInclusive, path::PathBuf, time::Duration};

use toml::Spanned;

use super::{
    Broker, Config, ConfigError, DEVICE_ID_CHARS_MAX, KeyPair, Tls, camera, http, inference,
    observation,
    raw::{self, Raw, RawBroker, RawLook, RawPhoto, RawShape},
    storage,
    text::Text,
    thermal, topics, trigger, url,
};
use crate::{
    request::{Look, Shape, Size},
    still::Limits,
};

const BROKER_URL_DEFAULT: &str = "mqtt://localhost";
const CLIPS_DIR_DEFAULT: &str = "/var/lib/zoetrope/clips";
const QUEUE_LENGTH_MAX_DEFAULT: i64 = 8;
const THREADS_MAX: i64 = 256;

pub(super) fn config(text: &Text) -> Result<Config, ConfigError> {
    let mut raw: Raw = text.parse()?;
    let camera = camera::resolve(text, raw.camera)?;
    let clips_dir =
        path(text, "clips_dir", raw.clips_dir)?.unwrap_or_else(|| PathBuf::from(CLIPS_DIR_DEFAULT));
    let place = raw.journal.dir.as_ref().map_or(0..0, Spanned::span);
    let journal_dir = path(text, "journal.dir", raw.journal.dir.take())?
        .unwrap_or_else(|| storage::journal_dir(&clips_dir));
    if journal_dir == clips_dir {
        let reason = format!(
            "journal.dir is {}, expected another folder than clips_dir",
            journal_dir.display()
        );
        return Err(text.error(place, reason));
    }
    let trigger = trigger::resolve(text, raw.trigger, &camera, &clips_dir)?;
    Ok(Config {
        profile_file: path(text, "profile", raw.profile)?,
        device_id: device_id(text, raw.device_id)?,
        observation: observation::resolve(text, &raw.observation, &camera)?,
        broker: broker(text, raw.broker)?,
        camera,
        model_file: path(text, "model.file", raw.model.file)?,
        photo_limits: photo(text, &raw.photo)?,
        look: look(text, &raw.look)?,
        shape: shape(text, &raw.shape)?,
        store: storage::store(text, &raw.store)?,
        journal: storage::journal(text, &raw.journal)?,
        journal_dir,
        http: (raw.http)
            .map(|section| http::resolve(text, section))
            .transpose()?,
        url: (raw.url)
            .map(|section| url::resolve(text, section))
            .transpose()?,
        inference: inference::resolve(text, raw.inference, &clips_dir)?,
        trigger,
        thermal: thermal::resolve(text, raw.thermal)?,
        clips_dir,
        queue_length_max: integer(text, "queue_length_max", &raw.queue_length_max, 1..=1000)?
            .unwrap_or(QUEUE_LENGTH_MAX_DEFAULT) as usize,
        inline_bytes_max: integer(
            text,
            "inline_bytes_max",
            &raw.inline_bytes_max,
            65_536..=268_435_455,
        )?
        .map(|bytes| bytes as u64),
        fleet_group: (raw.fleet.map(|section| topics::fleet_group(text, section))).transpose()?,
        home_assistant: (raw.homeassistant)
            .map(|section| topics::home_assistant(text, section))
            .transpose()?,
        threads: integer(text, "threads", &raw.threads, 1..=THREADS_MAX)?
            .and_then(|threads| NonZeroUsize::new(threads as usize)),
    })
}

/// The host's name unless one is given, made legal for a topic.
fn device_id(text: &Text, given: raw::Text) -> Result<String, ConfigError> {
    if let Some(id) = given {
        if topics::is_level(id.get_ref()) {
            return Ok(id.into_inner());
        }
        let reason = format!(
            "device_id is {:?}, allowed are 1 to {DEVICE_ID_CHARS_MAX} of a-z A-Z 0-9 - _",
            id.get_ref()
        );
        return Err(text.error(id.span(), reason));
    }
    let host = rustix::system::uname();
    let host = host.nodename().to_string_lossy();
    let id: String = host
        .chars()
        .map(|c| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' => c,
            _ => '-',
        })
        .take(DEVICE_ID_CHARS_MAX)
        .collect();
    Ok(if id.is_empty() {
        "zoetrope".to_owned()
    } else {
        id
    })
}

fn broker(text: &Text, raw: RawBroker) -> Result<Broker, ConfigError> {
    let mut broker: Broker = match &raw.url {
        None => BROKER_URL_DEFAULT.parse()?,
        Some(url) => url
            .get_ref()
            .parse()
            .map_err(|error| said_of(text, url, "broker.url", error))?,
    };
    if let Some(ca_file) = raw.ca_file {
        let tls = tls_of(text, &mut broker, "broker.ca_file", &ca_file)?;
        tls.ca_file = required_path(text, "broker.ca_file", &ca_file)?;
    }
    if let Some([cert_file, key_file]) = pair(
        text,
        ("broker.client_cert_file", raw.client_cert_file),
        ("broker.client_key_file", raw.client_key_file),
    )? {
        let tls = tls_of(text, &mut broker, "broker.client_cert_file", &cert_file)?;
        tls.client = Some(KeyPair {
            cert_file: required_path(text, "broker.client_cert_file", &cert_file)?,
            key_file: required_path(text, "broker.client_key_file", &key_file)?,
        });
    }
    if let (Some(password_file), None) = (&raw.password_file, &raw.username) {
        let reason = "broker.password_file is given without broker.username".to_owned();
        return Err(text.error(password_file.span(), reason));
    }
    broker.username = raw.username.map(Spanned::into_inner);
    broker.password_file = path(text, "broker.password_file", raw.password_file)?;
    // The upper bound is that of MQTT 5, section 2.1.4.
    let packet = integer(
        text,
        "broker.packet_bytes_max",
        &raw.packet_bytes_max,
        65_536..=268_435_455,
    )?;
    if let Some(bytes) = packet {
        broker.packet_bytes_max = bytes as u32;
    }
    if let Some(seconds) = integer(text, "broker.keep_alive_s", &raw.keep_alive_s, 5..=65_535)? {
        broker.keep_alive = Duration::from_secs(seconds as u64);
    }
    Ok(broker)
}

/// The broker's TLS, which `value` of `key` is about.
fn tls_of<'a>(
    text: &Text,
    broker: &'a mut Broker,
    key: &str,
    value: &Spanned<String>,
) -> Result<&'a mut Tls, ConfigError> {
    broker.tls.as_mut().ok_or_else(|| {
        let reason = format!("{key} is given, but broker.url is not \"mqtts://…\"");
        text.error(value.span(), reason)
    })
}

/// A broker error knows its value but not its place.
fn said_of<T>(text: &Text, value: &Spanned<T>, key: &str, error: ConfigError) -> ConfigError {
    match error {
        ConfigError::BrokerUrl(reason) => text.error(value.span(), format!("{key} {reason}")),
        other => other,
    }
}

fn photo(text: &Text, raw: &RawPhoto) -> Result<Limits, ConfigError> {
    let defaults = Limits::default();
    let bytes = integer(text, "photo.bytes_max", &raw.bytes_max, 1024..=268_435_455)?;
    let longest = integer(text, "photo.side_px_max", &raw.side_px_max, 64..=8192)?
        .map_or(defaults.side_px_max, |px| px as u32);
    let shortest = integer(
        text,
        "photo.side_px_min",
        &raw.side_px_min,
        1..=i64::from(longest),
    )?;
    Ok(Limits {
        bytes_max: bytes.map_or(defaults.bytes_max, |bytes| bytes as usize),
        side_px_max: longest,
        side_px_min: shortest.map_or(defaults.side_px_min.min(longest), |px| px as u32),
    })
}

fn look(text: &Text, raw: &RawLook) -> Result<Look, ConfigError> {
    let mut look = Look::default();
    if let Some(strength) = number(text, "look.strength", &raw.strength, 0.0..=1.0)? {
        look.strength = strength as f32;
    }
    if let Some(seed) = integer(text, "look.seed", &raw.seed, 0..=i64::MAX)? {
        look.seed = seed as u64;
    }
    look.direction_deg = number(
        text,
        "look.direction_deg",
        &raw.direction_deg,
        -360.0..=360.0,
    )?
    .map(|degrees| degrees as f32);
    Ok(look)
}

fn shape(text: &Text, raw: &RawShape) -> Result<Shape, ConfigError> {
    use crate::request::{DURATION_MS_MAX, DURATION_MS_MIN, FRAME_RATE_MAX, FRAME_RATE_MIN};

    let mut shape = Shape::default();
    if let Some(size) = &raw.size {
        let parsed: Size = (size.get_ref().parse())
            .map_err(|error| text.error(size.span(), format!("shape.{error}")))?;
        shape.size = Some(parsed);
    }
    let durations = i64::from(DURATION_MS_MIN)..=i64::from(DURATION_MS_MAX);
    if let Some(ms) = integer(text, "shape.duration_ms", &raw.duration_ms, durations)? {
        shape.duration_ms = Some(ms as u32);
    }
    let rates = i64::from(FRAME_RATE_MIN)..=i64::from(FRAME_RATE_MAX);
    if let Some(rate) = integer(text, "shape.frame_rate", &raw.frame_rate, rates)? {
        shape.frame_rate = rate as u32;
    }
    Ok(shape)
}

pub(super) fn path(
    text: &Text,
    key: &str,
    given: raw::Text,
) -> Result<Option<PathBuf>, ConfigError> {
    given
        .map(|path| required_path(text, key, &path))
        .transpose()
}

pub(super) fn required_path(
    text: &Text,
    key: &str,
    path: &Spanned<String>,
) -> Result<PathBuf, ConfigError> {
    text.path(path)
        .map_err(|reason| text.error(path.span(), format!("{key} {reason}")))
}

/// Both of two values that make no sense without each other, or none.
pub(super) fn pair(
    text: &Text,
    (first_key, first): (&str, raw::Text),
    (second_key, second): (&str, raw::Text),
) -> Result<Option<[Spanned<String>; 2]>, ConfigError> {
    let alone = |key: &str, value: &Spanned<String>, missing: &str| {
        Err(text.error(value.span(), format!("{key} is given without {missing}")))
    };
    match (first, second) {
        (None, None) => Ok(None),
        (Some(first), Some(second)) => Ok(Some([first, second])),
        (Some(first), None) => alone(first_key, &first, second_key),
        (None, Some(second)) => alone(second_key, &second, first_key),
    }
}

pub(super) fn integer(
    text: &Text,
    key: &str,
    given: &raw::Int,
    allowed: RangeInclusive<i64>,
) -> Result<Option<i64>, ConfigError> {
    within(text, key, given, allowed)
}

pub(super) fn number(
    text: &Text,
    key: &str,
    given: &raw::Number,
    allowed: RangeInclusive<f64>,
) -> Result<Option<f64>, ConfigError> {
    within(text, key, given, allowed)
}

/// NaN is within no range.
fn within<T: Copy + PartialOrd + Display>(
    text: &Text,
    key: &str,
    given: &Option<Spanned<T>>,
    allowed: RangeInclusive<T>,
) -> Result<Option<T>, ConfigError> {
    match given {
        Some(value) if !allowed.contains(value.get_ref()) => {
            let (value_said, min, max) = (value.get_ref(), allowed.start(), allowed.end());
            let reason = format!("{key} is {value_said}, allowed are {min} to {max}");
            Err(text.error(value.span(), reason))
        }
        Some(value) => Ok(Some(*value.get_ref())),
        None => Ok(None),
    }
}
