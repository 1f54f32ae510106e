//! Where the photograph of a JSON request comes from.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, value::MapAccessDeserializer},
};

use crate::request::{PhotoUrl, RequestError, Source};

const CAMERA: &str = "camera";

/// `"camera"`, or `{"url": …, "sha256": …}`.
#[derive(Debug, Default)]
pub(super) enum RawSource {
    #[default]
    Camera,
    Url(RawUrl),
}

/// A photograph to be fetched from the network.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawUrl {
    /// Where it is, `https://…` or `http://…`, on a host that the board allows.
    url: String,
    /// SHA-256 that it must have, in lower-case hexadecimal.
    sha256: Option<String>,
}

impl RawSource {
    pub(super) fn source(self) -> Result<Source, RequestError> {
        match self {
            Self::Camera => Ok(Source::Camera),
            Self::Url(RawUrl { url, sha256 }) => {
                Ok(Source::Url(PhotoUrl::new(&url, sha256.as_deref())?))
            }
        }
    }
}

// By hand, because serde's untagged enums say only that nothing fitted.
impl<'de> Deserialize<'de> for RawSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = RawSource;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"camera\" or an object with url")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<RawSource, E> {
                match text {
                    CAMERA => Ok(RawSource::Camera),
                    other => Err(E::unknown_variant(other, &[CAMERA])),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawSource, A::Error> {
                RawUrl::deserialize(MapAccessDeserializer::new(map)).map(RawSource::Url)
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

// By hand, as the reading is.
impl JsonSchema for RawSource {
    fn schema_name() -> Cow<'static, str> {
        "RawSource".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Where the photograph comes from: the board's camera, or the network.",
            "anyOf": [{ "const": CAMERA }, generator.subschema_for::<RawUrl>()],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Source, String> {
        let raw: RawSource = serde_json::from_str(json).map_err(|error| error.to_string())?;
        raw.source().map_err(|error| error.to_string())
    }

    #[test]
    fn camera_or_url() {
        assert!(matches!(read("\"camera\""), Ok(Source::Camera)));
        let digest = "ab".repeat(32);
        let json = format!(r#"{{"url":"https://a.example/p.jpg","sha256":"{digest}"}}"#);
        let Ok(Source::Url(photo)) = read(&json) else {
            panic!("{json}");
        };
        assert_eq!(photo.url().as_str(), "https://a.example/p.jpg");
        assert_eq!(photo.sha256(), Some(digest.as_str()));
    }

    #[test]
    fn everything_else_says_what_is_wrong() {
        for (json, said) in [
            ("\"/etc/passwd\"", "unknown variant `/etc/passwd`"),
            (r#"{"path":"/etc/passwd"}"#, "unknown field `path`"),
            ("{}", "missing field `url`"),
            (r#"{"url":"file:///etc/passwd"}"#, "expected https://…"),
            (
                r#"{"url":"https://a.example/","sha256":"ab"}"#,
                "sha256 has 2 characters",
            ),
            ("7", "expected \"camera\" or an object with url"),
        ] {
            let message = read(json).unwrap_err();
            assert!(message.contains(said), "{json}: {message}");
        }
    }
}
