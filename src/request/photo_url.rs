//! The address of a photograph on the network.

use serde::{Deserialize, Serialize};
use url::Url;

use super::RequestError;

/// Longest URL, in bytes.
pub const URL_BYTES_MAX: usize = 2048;
/// Characters of a SHA-256 in hexadecimal.
const SHA256_CHARS: usize = 64;

/// The address of a photograph on the network: `https` or `http`, with a host
/// and without a user. Whether it may be fetched is another question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Written", try_from = "Written")]
pub struct PhotoUrl {
    url: Url,
    sha256: Option<String>,
}

/// As it stands in a file.
#[derive(Serialize, Deserialize)]
struct Written {
    url: String,
    sha256: Option<String>,
}

impl From<PhotoUrl> for Written {
    fn from(photo: PhotoUrl) -> Self {
        Self {
            url: photo.url.into(),
            sha256: photo.sha256,
        }
    }
}

impl TryFrom<Written> for PhotoUrl {
    type Error = RequestError;

    fn try_from(written: Written) -> Result<Self, RequestError> {
        Self::new(&written.url, written.sha256.as_deref())
    }
}

impl PhotoUrl {
    /// Reads a URL, and the SHA-256 that its photograph must have, in
    /// hexadecimal.
    ///
    /// # Errors
    /// [`RequestError::Url`] or [`RequestError::Sha256`].
    pub fn new(text: &str, sha256: Option<&str>) -> Result<Self, RequestError> {
        let wrong = |reason: &str| RequestError::Url {
            url: beginning(text),
            reason: reason.to_owned(),
        };
        if text.len() > URL_BYTES_MAX {
            let bytes = text.len();
            return Err(wrong(&format!(
                "has {bytes} bytes, allowed are {URL_BYTES_MAX}"
            )));
        }
        let mut url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
        Self::is_sound(&url).map_err(wrong)?;
        url.set_fragment(None);
        let sha256 = sha256.map(|text| {
            let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
            if text.len() == SHA256_CHARS && is_hex {
                Ok(text.to_ascii_lowercase())
            } else {
                Err(RequestError::Sha256 {
                    chars: text.chars().count(),
                })
            }
        });
        Ok(Self {
            url,
            sha256: sha256.transpose()?,
        })
    }

    /// Whether a URL is of the kind that can be fetched.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn is_sound(url: &Url) -> Result<(), &'static str> {
        if !matches!(url.scheme(), "https" | "http") {
            Err("expected https://… or http://…")
        } else if url.host_str().is_none_or(str::is_empty) {
            Err("has no host")
        } else if !url.username().is_empty() || url.password().is_some() {
            Err("has a user before the host, which is not allowed")
        } else if url.as_str().len() > URL_BYTES_MAX {
            Err("is too long")
        } else {
            Ok(())
        }
    }

    /// The URL, without a fragment.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The SHA-256 that the photograph must have, lower-case hexadecimal.
    pub fn sha256(&self) -> Option<&str> {
        self.sha256.as_deref()
    }
}

/// What may be repeated of what was given: a long one is not worth it, a query
/// may hold a key, and what stands before an @ is most likely a password.
fn beginning(text: &str) -> String {
    let end = match text.rfind('@') {
        Some(_) => text.find("//").unwrap_or(0),
        None => text.find('?').unwrap_or(text.len()),
    };
    text[..end].chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_in_their_plain_form() {
        let read = |text: &str| PhotoUrl::new(text, None).unwrap().url().to_string();
        assert_eq!(read("HTTPS://A.example/p.jpg#x"), "https://a.example/p.jpg");
        assert_eq!(read("http://0x7f.1:80/"), "http://127.0.0.1/");
        assert_eq!(
            read("http://bücher.example/"),
            "http://xn--bcher-kva.example/"
        );
    }

    #[test]
    fn what_cannot_be_fetched_is_refused_and_no_secret_repeated() {
        for (url, said) in [
            ("", "relative URL without a base"),
            ("photo.jpg", "relative URL without a base"),
            ("file:///etc/passwd", "expected https://… or http://…"),
            ("data:image/png;base64,AA", "expected https://… or http://…"),
            ("gopher://a/", "expected https://… or http://…"),
            ("https://me:secret@a.example/", "has a user before the host"),
            ("https://a.example:99999/", "invalid port number"),
        ] {
            let message = PhotoUrl::new(url, None).unwrap_err().to_string();
            assert!(message.contains(said), "{url}: {message}");
            assert!(!message.contains("secret"), "{message}");
        }
        let long = format!("https://a.example/{}", "x".repeat(URL_BYTES_MAX));
        let message = PhotoUrl::new(&long, None).unwrap_err().to_string();
        assert!(
            message.contains("has 2066 bytes, allowed are 2048"),
            "{message}"
        );
    }

    #[test]
    fn a_digest_is_hexadecimal() {
        let digest = "AB".repeat(32);
        let photo = PhotoUrl::new("https://a.example/", Some(&digest)).unwrap();
        assert_eq!(photo.sha256(), Some("ab".repeat(32).as_str()));
        for wrong in ["", "ab", &"zz".repeat(32), &"é".repeat(32)] {
            assert!(PhotoUrl::new("https://a.example/", Some(wrong)).is_err());
        }
    }
}
