//! The name of a clip: its SHA-256.

use std::{fmt, str::FromStr};

use super::OrderError;

/// SHA-256 of a clip, as it stands in topics and file names: exactly 64
/// lower-case hexadecimal digits. Holding one proves that it can be made part
/// of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClipDigest(String);

impl ClipDigest {
    /// The 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClipDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ClipDigest {
    type Err = OrderError;

    fn from_str(text: &str) -> Result<Self, OrderError> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() == 64 && text.bytes().all(is_digit) {
            Ok(Self(text.to_owned()))
        } else {
            Err(OrderError::Digest {
                chars: text.chars().count(),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_64_digits_is_a_digest() {
        assert!("0a".repeat(32).parse::<ClipDigest>().is_ok());
        let long = "0".repeat(65);
        let path = format!("../{}", "0".repeat(61));
        let upper = "A".repeat(64);
        for text in ["", "0a", &long, &path, &upper, &"é".repeat(32)] {
            assert!(text.parse::<ClipDigest>().is_err(), "{text}");
        }
    }
}
