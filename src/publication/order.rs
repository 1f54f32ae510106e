//! Reading what a requester sent.

mod source;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::source::RawSource;
use super::{Fault, Version};
use crate::{
    request::{JobId, Look, Request, RequestError, Shape, Size, Source},
    still::Limits,
};

/// Largest JSON request, in bytes; checked before parsing. Nesting is bounded
/// by serde_json itself, which gives up at a depth of 128.
pub const JSON_BYTES_MAX: usize = 64 << 10;
/// Longest transaction mark, in characters.
pub const TRANSACTION_CHARS_MAX: usize = 128;

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
}

/// A request that is not good, with what is known of the requester.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The requester's own mark, when it could be read.
    pub transaction: Option<String>,
    /// What is wrong.
    pub error: OrderError,
}

/// The requester sent something that cannot be an order.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum OrderError {
    /// The JSON document is too large.
    #[error("request has {bytes} bytes, allowed are {JSON_BYTES_MAX}")]
    JsonTooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The payload is not the JSON document that it should be.
    #[error("request is not valid: {0}")]
    Json(String),
    /// The photograph has no bytes.
    #[error("photo has 0 bytes, expected a JPEG, PNG or WebP file")]
    PhotoEmpty,
    /// The photograph has too many bytes.
    #[error("photo has {bytes} bytes, allowed are {limit}")]
    PhotoTooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The payload is announced as something else.
    #[error("content type is {0:?}, expected image/jpeg, image/png or image/webp")]
    ContentType(String),
    /// The transaction mark is too long.
    #[error("transaction has {chars} characters, allowed are {TRANSACTION_CHARS_MAX}")]
    Transaction {
        /// Its length.
        chars: usize,
    },
    /// Only one of the two sides of a size is given, or both forms of it.
    #[error("size is given as {0}, expected either size or both of width_px and height_px")]
    SizeForm(&'static str),
    /// An option's text is not a value of its kind.
    #[error("{name} is {value:?}, expected {expected}")]
    Option {
        /// The option.
        name: &'static str,
        /// What was given.
        value: String,
        /// What would have been right.
        expected: &'static str,
    },
    /// An option is given twice.
    #[error("{0} is given twice, expected once")]
    Twice(&'static str),
    /// A user property that looks like a misspelt option.
    #[error("option {given:?} is unknown, nearest is {nearest:?}")]
    Misspelt {
        /// What was given.
        given: String,
        /// The option of nearly that name.
        nearest: &'static str,
    },
    /// A value is out of its range.
    #[error(transparent)]
    Request(#[from] RequestError),
}

impl OrderError {
    /// A stable word for answers: `too_large`, `bad_json`, `bad_photo` or
    /// `bad_request`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::JsonTooLarge { .. } | Self::PhotoTooLarge { .. } => "too_large",
            Self::Json(_) => "bad_json",
            Self::PhotoEmpty | Self::ContentType(_) => "bad_photo",
            _ => "bad_request",
        }
    }

    /// The error as it is answered.
    pub fn fault(&self) -> Fault {
        Fault {
            code: self.code().to_owned(),
            message: self.to_string(),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOrder {
    #[serde(default)]
    #[expect(dead_code, reason = "reading it checks it")]
    v: Version,
    job_id: Option<String>,
    transaction: Option<String>,
    #[serde(default)]
    source: RawSource,
    #[serde(default)]
    look: RawLook,
    #[serde(default)]
    shape: RawShape,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLook {
    strength: Option<f32>,
    seed: Option<u64>,
    direction: Option<f32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawShape {
    size: Option<String>,
    width_px: Option<usize>,
    height_px: Option<usize>,
    duration_ms: Option<u32>,
    frame_rate: Option<u32>,
}

/// Reads the payload of `request/render`. An empty one asks for the camera
/// and all defaults: a button press.
///
/// # Errors
/// A [`Refusal`] with the first thing that is wrong.
pub fn render_order(payload: &[u8], defaults: &Defaults) -> Result<Order, Box<Refusal>> {
    let refused = |error| {
        Box::new(Refusal {
            transaction: None,
            error,
        })
    };
    if payload.len() > JSON_BYTES_MAX {
        return Err(refused(OrderError::JsonTooLarge {
            bytes: payload.len(),
        }));
    }
    let raw = if payload.is_empty() {
        RawOrder::default()
    } else {
        serde_json::from_slice(payload)
            .map_err(|error| refused(OrderError::Json(error.to_string())))?
    };
    order_of(raw, None, defaults)
}

/// Reads the message of `request/render_photo`: the payload is the photograph,
/// the options are user properties. Properties that are none of ours are left
/// alone (bridges add their own), unless they look misspelt.
///
/// # Errors
/// A [`Refusal`] with the first thing that is wrong. Whether the bytes are a
/// photograph is found out when it is decoded.
pub fn photo_order(
    payload: &[u8],
    content_type: Option<&str>,
    user_properties: &[(String, String)],
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
    if payload.len() > limits.bytes_max {
        return Err(refused(OrderError::PhotoTooLarge {
            bytes: payload.len(),
            limit: limits.bytes_max,
        }));
    }
    if let Some(kind) = content_type.filter(|kind| !is_photo(kind)) {
        return Err(refused(OrderError::ContentType(kind.to_owned())));
    }
    let raw = options_of(user_properties).map_err(&refused)?;
    order_of(raw, Some(Arc::from(payload)), defaults)
}

const OPTIONS: [&str; 8] = [
    "job_id",
    "transaction",
    "strength",
    "seed",
    "direction",
    "size",
    "duration_ms",
    "frame_rate",
];

fn options_of(user_properties: &[(String, String)]) -> Result<RawOrder, OrderError> {
    let mut raw = RawOrder::default();
    let mut seen = [false; OPTIONS.len()];
    for (given, value) in user_properties {
        let Some(index) = OPTIONS.iter().position(|name| name == given) else {
            let nearest = OPTIONS
                .iter()
                .find(|name| strsim::damerau_levenshtein(name, given) <= 2);
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
            "strength" => raw.look.strength = Some(number(name, value, "a number")?),
            "seed" => raw.look.seed = Some(number(name, value, "a whole number from 0")?),
            "direction" => raw.look.direction = Some(number(name, value, "degrees")?),
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

fn transaction_fits(mark: &str) -> bool {
    mark.chars().count() <= TRANSACTION_CHARS_MAX
}

/// The order, for the photograph that came along or the source that it names.
fn order_of(
    raw: RawOrder,
    photo: Option<Arc<[u8]>>,
    defaults: &Defaults,
) -> Result<Order, Box<Refusal>> {
    let transaction = raw
        .transaction
        .clone()
        .filter(|mark| transaction_fits(mark));
    let checked = || -> Result<Request, OrderError> {
        if let Some(mark) = raw.transaction.filter(|mark| !transaction_fits(mark)) {
            return Err(OrderError::Transaction {
                chars: mark.chars().count(),
            });
        }
        let id = match raw.job_id {
            Some(text) => text.parse()?,
            None => JobId::generate(),
        };
        let source = match photo {
            Some(photo) => Source::Photo(photo),
            None => raw.source.source()?,
        };
        let look = Look {
            strength: raw.look.strength.unwrap_or(defaults.look.strength),
            seed: raw.look.seed.unwrap_or(defaults.look.seed),
            direction_deg: raw.look.direction.or(defaults.look.direction_deg),
        };
        let shape = Shape {
            size: size_of(&raw.shape)?.or(defaults.shape.size),
            duration_ms: raw.shape.duration_ms.unwrap_or(defaults.shape.duration_ms),
            frame_rate: raw.shape.frame_rate.unwrap_or(defaults.shape.frame_rate),
        };
        Ok(Request {
            id,
            source,
            look: look.validated()?,
            shape: shape.validated()?,
        })
    };
    match checked() {
        Ok(request) => Ok(Order {
            request,
            transaction,
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
