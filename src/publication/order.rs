//! Reading what a requester sent.

mod deadline;

mod error;

mod raw;

mod source;

use std::{
    ops::RangeInclusive,
    sync::Arc,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

pub(super) use self::raw::RawOrder;
use self::raw::RawShape;
pub use self::{
    deadline::Deadline,
    error::{OrderError, Refusal},
};
use crate::{
    burst::{self, BurstError, jpegs},
    request::{JobId, Look, Request, RequestError, Shape, Size, Source},
    still::Limits,
};

/// Largest JSON request, in bytes; checked before parsing. Nesting is bounded
/// by serde_json itself, which gives up at a depth of 128.
pub const JSON_BYTES_MAX: usize = 64 << 10;
/// Longest transaction mark, in characters.
pub const TRANSACTION_CHARS_MAX: usize = 128;
/// Longest time that a requester may leave a job, in milliseconds: a day.
pub const DEADLINE_MS_MAX: u64 = 86_400_000;

/// When a request came, and how long it is worth anything.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// The moment.
    pub at: Instant,
    /// What is left of its MQTT message expiry.
    pub expiry: Option<Duration>,
}

impl Arrival {
    /// It comes now; the broker has already taken from `expiry_s` what the
    /// message waited with it.
    pub fn now(expiry_s: Option<u32>) -> Self {
        Self {
            at: Instant::now(),
            expiry: expiry_s.map(|seconds| Duration::from_secs(seconds.into())),
        }
    }

    /// The sooner of the two.
    fn deadline(&self, time_max: Option<Duration>) -> Option<Deadline> {
        let soonest = time_max.into_iter().chain(self.expiry).min()?;
        self.at.checked_add(soonest).map(Deadline::at)
    }
}

/// What holds when the requester does not say.
#[derive(Clone, Copy, Debug, Default)]
pub struct Defaults {
    /// How the picture moves.
    pub look: Look,
    /// Size and length of the clip.
    pub shape: Shape,
}

/// A request as it came over MQTT, good to be queued.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    /// What is asked for.
    pub request: Request,
    /// The requester's own mark, repeated in every answer.
    pub transaction: Option<String>,
    /// When the clip is worth nothing any more: the requester's deadline or
    /// the message's expiry, whichever comes first.
    pub deadline: Option<Deadline>,
}

/// Reads the payload of `request/render`. An empty one asks for the camera
/// and all defaults: a button press.
///
/// # Errors
/// A [`Refusal`] with the first thing that is wrong.
pub fn render_order(
    payload: &[u8],
    arrival: Arrival,
    defaults: &Defaults,
) -> Result<Order, Box<Refusal>> {
    let refused = |error| {
        Box::new(Refusal {
            transaction: None,
            error,
        })
    };
    if payload.len() > JSON_BYTES_MAX {
        return Err(refused(OrderError::JsonTooLarge {
            bytes: payload.len(),
            limit: JSON_BYTES_MAX,
        }));
    }
    let raw = if payload.is_empty() {
        RawOrder::default()
    } else {
        serde_json::from_slice(payload)
            .map_err(|error| refused(OrderError::Json(error.to_string())))?
    };
    order_of(raw, None, arrival, defaults)
}

/// Reads the message of `request/render_photo`: the payload is the photograph, or
/// with the rate at which they were taken several JPEGs one after another, the
/// last of which is the photograph; the options are user properties. Properties that are none of ours are left
/// alone (bridges add their own), unless they look misspelt.
///
/// # Errors
/// A [`Refusal`] with the first thing that is wrong. Whether the bytes are a
/// photograph is found out when it is decoded.
pub fn photo_order(
    payload: &[u8],
    content_type: Option<&str>,
    user_properties: &[(String, String)],
    arrival: Arrival,
    limits: &Limits,
    defaults: &Defaults,
) -> Result<Order, Box<Refusal>> {
    let transaction = user_properties
        .iter()
        .find(|(name, _)| name == "transaction")
        .map(|(_, value)| value.clone());
    let refused = |error| {
        Box::new(Refusal {
            transaction: transaction.clone().filter(|mark| transaction_fits(mark)),
            error,
        })
    };
    let is_photo = |kind: &str| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        matches!(
            kind.to_ascii_lowercase().as_str(),
            "image/jpeg" | "image/jpg" | "image/png" | "image/webp" | "application/octet-stream"
        )
    };
    if payload.is_empty() {
        return Err(refused(OrderError::PhotoEmpty));
    }
    if let Some(kind) = content_type.filter(|kind| !is_photo(kind)) {
        return Err(refused(OrderError::ContentType(kind.to_owned())));
    }
    let raw = options_of(user_properties).map_err(&refused)?;
    check_photo(payload, raw.burst_fps, limits).map_err(&refused)?;
    order_of(raw, Some(Arc::from(payload)), arrival, defaults)
}

/// What can be known without decoding: sizes, and whether what stands before a
/// photograph is a burst.
fn check_photo(payload: &[u8], burst_fps: Option<f32>, limits: &Limits) -> Result<(), OrderError> {
    let fits = |photo: &[u8]| match photo.len() {
        bytes if bytes > limits.bytes_max => Err(OrderError::PhotoTooLarge {
            bytes,
            limit: limits.bytes_max,
        }),
        _ => Ok(()),
    };
    let Some(burst_fps) = burst_fps else {
        fits(payload)?;
        // Behind one JPEG may stand anything else.
        return match jpegs(payload).map_while(Result::ok).nth(1) {
            Some(_) => Err(OrderError::BurstRate),
            None => Ok(()),
        };
    };
    let mut count: usize = 0;
    for jpeg in jpegs(payload) {
        fits(jpeg.map_err(BurstError::from)?)?;
        count += 1;
    }
    if count == 1 {
        return Err(OrderError::BurstAlone);
    }
    Ok(burst::is_possible(count.saturating_sub(1), burst_fps)?)
}

/// Whether two letters at most are wrong. A name may have 64 KiB, and a message
/// hundreds of those: long ones are not compared, which would take seconds.
fn is_nearly(name: &str, given: &str) -> bool {
    const WRONG_MAX: usize = 2;
    const LETTER_BYTES_MAX: usize = 4;
    given.len() <= name.len() + WRONG_MAX * LETTER_BYTES_MAX
        && strsim::damerau_levenshtein(name, given) <= WRONG_MAX
}

/// The user properties that are options.
pub(super) const OPTIONS: [&str; 11] = [
    "job_id",
    "transaction",
    "deadline_ms",
    "strength",
    "seed",
    "direction",
    "size",
    "duration_ms",
    "frame_rate",
    "burst_fps",
    "clean_plate",
];

fn options_of(user_properties: &[(String, String)]) -> Result<RawOrder, OrderError> {
    let mut raw = RawOrder::default();
    let mut seen = [false; OPTIONS.len()];
    for (given, value) in user_properties {
        let Some(index) = OPTIONS.iter().position(|name| name == given) else {
            let nearest = OPTIONS.iter().find(|name| is_nearly(name, given));
            match nearest {
                Some(nearest) => {
                    return Err(OrderError::Misspelt {
                        given: given.clone(),
                        nearest,
                    });
                }
                None => continue,
            }
        };
        let name = OPTIONS[index];
        if std::mem::replace(&mut seen[index], true) {
            return Err(OrderError::Twice(name));
        }
        match name {
            "job_id" => raw.job_id = Some(value.clone()),
            "transaction" => raw.transaction = Some(value.clone()),
            "deadline_ms" => raw.deadline_ms = Some(number(name, value, "milliseconds")?),
            "strength" => raw.look.strength = Some(number(name, value, "a number")?),
            "seed" => raw.look.seed = Some(number(name, value, "a whole number from 0")?),
            "direction" => raw.look.direction = Some(number(name, value, "degrees")?),
            "clean_plate" => {
                raw.look.clean_plate = Some(number(name, value, "true or false")?);
            }
            "burst_fps" => raw.burst_fps = Some(number(name, value, "pictures per second")?),
            "size" => raw.shape.size = Some(value.clone()),
            "duration_ms" => raw.shape.duration_ms = Some(number(name, value, "milliseconds")?),
            "frame_rate" => {
                raw.shape.frame_rate = Some(number(name, value, "frames per second")?);
            }
            _ => {}
        }
    }
    Ok(raw)
}

fn number<T: std::str::FromStr>(
    name: &'static str,
    value: &str,
    expected: &'static str,
) -> Result<T, OrderError> {
    value.trim().parse().map_err(|_| OrderError::Option {
        name,
        value: value.to_owned(),
        expected,
    })
}

const DEADLINES_MS: RangeInclusive<u64> = 1..=DEADLINE_MS_MAX;

fn transaction_fits(mark: &str) -> bool {
    mark.chars().count() <= TRANSACTION_CHARS_MAX
}

/// The order, for the photograph that came along or the source that it names.
fn order_of(
    raw: RawOrder,
    photo: Option<Arc<[u8]>>,
    arrival: Arrival,
    defaults: &Defaults,
) -> Result<Order, Box<Refusal>> {
    let transaction = raw
        .transaction
        .clone()
        .filter(|mark| transaction_fits(mark));
    let deadline = arrival.deadline(raw.deadline_ms.map(Duration::from_millis));
    let checked = || -> Result<Request, OrderError> {
        if let Some(mark) = raw.transaction.filter(|mark| !transaction_fits(mark)) {
            return Err(OrderError::Transaction {
                chars: mark.chars().count(),
            });
        }
        if let Some(ms) = raw.deadline_ms.filter(|ms| !DEADLINES_MS.contains(ms)) {
            return Err(OrderError::Request(RequestError::Range {
                name: "deadline_ms",
                value: ms as f64,
                min: *DEADLINES_MS.start() as f64,
                max: *DEADLINES_MS.end() as f64,
            }));
        }
        let id = match raw.job_id {
            Some(text) => text.parse()?,
            None => JobId::generate(),
        };
        let source = match photo {
            Some(photo) => Source::Photo(photo),
            None => raw.source.source()?,
        };
        let clean_plate = raw.look.clean_plate.unwrap_or(false);
        if clean_plate && raw.burst_fps.is_none() && !matches!(source, Source::Camera) {
            return Err(OrderError::CleanPlate);
        }
        let look = Look {
            strength: raw.look.strength.unwrap_or(defaults.look.strength),
            seed: raw.look.seed.unwrap_or(defaults.look.seed),
            direction_deg: raw.look.direction.or(defaults.look.direction_deg),
        };
        let shape = Shape {
            size: size_of(&raw.shape)?.or(defaults.shape.size),
            duration_ms: raw.shape.duration_ms.or(defaults.shape.duration_ms),
            frame_rate: raw.shape.frame_rate.unwrap_or(defaults.shape.frame_rate),
        };
        Ok(Request {
            id,
            source,
            look: look.validated()?,
            shape: shape.validated()?,
            burst_fps: raw.burst_fps,
            clean_plate,
        })
    };
    match checked() {
        Ok(request) => Ok(Order {
            request,
            transaction,
            deadline,
        }),
        Err(error) => Err(Box::new(Refusal { transaction, error })),
    }
}

fn size_of(shape: &RawShape) -> Result<Option<Size>, OrderError> {
    match (&shape.size, shape.width_px, shape.height_px) {
        (None, None, None) => Ok(None),
        (Some(text), None, None) => Ok(Some(text.parse()?)),
        (None, Some(width_px), Some(height_px)) => Ok(Some(Size::new(width_px, height_px)?)),
        (Some(_), _, _) => Err(OrderError::SizeForm("size and a side")),
        (None, Some(_), None) => Err(OrderError::SizeForm("width_px alone")),
        (None, None, Some(_)) => Err(OrderError::SizeForm("height_px alone")),
    }
}

#[cfg(test)]
mod tests;
