//! Photographs from URLs, from nowhere but where the configuration allows.
//!
//! A URL comes from whoever may publish a request, and the board stands in a
//! network that the requester may not see. So a host must be on a list; its
//! addresses are looked at after the name has been resolved, and the connection
//! goes to the very address that was looked at; each redirect is judged like the
//! first URL. No proxy is asked, no cookie kept, no body unpacked.

mod address;

use std::{fs, io::Read, sync::Arc, time::Instant};

use sha2::{Digest, Sha256};
use tokio_rustls::rustls::crypto::ring;
use ureq::{
    Agent, Body, Error,
    http::{Response, StatusCode, Uri, header},
    tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem},
    unversioned::{
        resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
        transport::{DefaultConnector, NextTimeout},
    },
};
use url::Url;

use self::address::is_public;
use crate::{
    config::{Reach, UrlSource},
    request::PhotoUrl,
};

/// Redirects that are followed.
pub const REDIRECTS_MAX: u32 = 3;
/// Largest head of an answer, in bytes.
const HEAD_BYTES_MAX: usize = 16 << 10;
const USER_AGENT: &str = concat!("zoetrope/", env!("CARGO_PKG_VERSION"));

/// There is no photograph from this URL.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The configuration allows no URLs.
    #[error("url {url} is refused: photographs from URLs are off, [url] turns them on")]
    Off {
        /// What was asked for.
        url: String,
    },
    /// The host or its port is on no list.
    #[error("url {url} is refused: {host}:{port} is not in url.hosts or url.private_hosts")]
    Host {
        /// What was asked for, or redirected to.
        url: String,
        /// Its host.
        host: String,
        /// Its port.
        port: u16,
    },
    /// The host has no address that is allowed.
    #[error(
        "url {url} is refused: {addresses} is not public and the host not in url.private_hosts"
    )]
    Private {
        /// What was asked for, or redirected to.
        url: String,
        /// The addresses of its host.
        addresses: String,
    },
    /// Redirected to what is no URL of ours.
    #[error("url {url} redirects to {place:?}, expected a https or http URL")]
    Redirect {
        /// The URL that redirects.
        url: String,
        /// Where to.
        place: String,
    },
    /// Redirected too often.
    #[error("url {url} redirects more than the allowed {REDIRECTS_MAX} times")]
    Redirects {
        /// What was asked for first.
        url: String,
    },
    /// The server has no such photograph.
    #[error("url {url} was answered with status {status}, expected 200")]
    Status {
        /// What was asked for.
        url: String,
        /// The answer.
        status: u16,
    },
    /// The photograph is too large.
    #[error("url {url} has more than the allowed {limit} bytes")]
    TooLarge {
        /// What was asked for.
        url: String,
        /// The limit, in bytes.
        limit: usize,
    },
    /// It took too long.
    #[error("url {url} did not come within {limit_s} s")]
    Late {
        /// What was asked for.
        url: String,
        /// The limit, in seconds.
        limit_s: f32,
    },
    /// It is another photograph than was meant.
    #[error("url {url} has sha256 {actual}, expected {expected}")]
    Sha256 {
        /// What was asked for.
        url: String,
        /// What came.
        actual: String,
        /// What was to come.
        expected: String,
    },
    /// Names, connections, certificates.
    #[error("url {url} cannot be fetched: {reason}")]
    Network {
        /// What was asked for.
        url: String,
        /// Why.
        reason: String,
    },
    /// The certificate authorities to trust cannot be had.
    #[error("url.ca_file {0}")]
    CaFile(String),
}

impl FetchError {
    /// A stable word for answers.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Off { .. } | Self::Host { .. } | Self::Private { .. } => "url_refused",
            Self::TooLarge { .. } => "too_large",
            Self::Sha256 { .. } => "sha256_mismatch",
            _ => "url_failed",
        }
    }

    /// Whether the board has to be mended and not the request.
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::CaFile(_))
    }
}

/// Judges a URL as far as that is possible without asking anybody.
///
/// # Errors
/// [`FetchError::Off`] or [`FetchError::Host`].
pub fn permitted(config: Option<&UrlSource>, url: &Url) -> Result<Reach, FetchError> {
    let config = config.ok_or_else(|| FetchError::Off { url: said(url) })?;
    let host = url.host();
    let port = url.port_or_known_default().unwrap_or_default();
    let reach = (host.as_ref()).and_then(|host| config.reach(host, port, url.port().is_none()));
    reach.ok_or_else(|| FetchError::Host {
        url: said(url),
        host: host.map(|host| host.to_string()).unwrap_or_default(),
        port,
    })
}

/// A URL without its query, which may hold a key.
fn said(url: &Url) -> String {
    let mut url = url.clone();
    if url.query().is_some() {
        url.set_query(Some("…"));
    }
    url.to_string()
}

/// Fetches one photograph of at most `photo_bytes_max` bytes.
///
/// # Errors
/// Every [`FetchError`].
pub fn fetch(
    config: Option<&UrlSource>,
    photo: &PhotoUrl,
    photo_bytes_max: usize,
) -> Result<Vec<u8>, FetchError> {
    permitted(config, photo.url())?;
    let config = config.ok_or_else(|| FetchError::Off {
        url: said(photo.url()),
    })?;
    let limit = config.bytes_max.unwrap_or(usize::MAX).min(photo_bytes_max);
    let errand = Errand {
        config,
        authorities: authorities(config)?,
        deadline: Instant::now() + config.timeout,
    };
    let (url, response) = errand.follow(photo.url())?;
    let bytes = errand.body(&url, response, limit)?;
    if let Some(expected) = photo.sha256() {
        let actual = format!("{:x}", Sha256::digest(&bytes));
        if actual != expected {
            return Err(FetchError::Sha256 {
                url: said(&url),
                actual,
                expected: expected.to_owned(),
            });
        }
    }
    Ok(bytes)
}

fn authorities(config: &UrlSource) -> Result<RootCerts, FetchError> {
    let failed = |reason: &dyn std::fmt::Display| {
        FetchError::CaFile(format!("{}: {reason}", config.ca_file.display()))
    };
    let pem = match fs::read(&config.ca_file) {
        Ok(pem) => pem,
        // A board that has no authorities can still fetch over http.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(failed(&error)),
    };
    let mut certificates: Vec<Certificate<'static>> = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| failed(&error))? {
            certificates.push(certificate);
        }
    }
    Ok(RootCerts::Specific(Arc::new(certificates)))
}

struct Errand<'a> {
    config: &'a UrlSource,
    authorities: RootCerts,
    deadline: Instant,
}

impl Errand<'_> {
    /// The answer at the end of all redirects.
    fn follow(&self, first: &Url) -> Result<(Url, Response<Body>), FetchError> {
        let mut url = first.clone();
        for _ in 0..=REDIRECTS_MAX {
            let reach = permitted(Some(self.config), &url)?;
            let response = self.ask(&url, reach)?;
            let status = response.status();
            if status == StatusCode::OK {
                return Ok((url, response));
            }
            let place = response.headers().get(header::LOCATION);
            let Some(place) = place.filter(|_| status.is_redirection()) else {
                return Err(FetchError::Status {
                    url: said(&url),
                    status: status.as_u16(),
                });
            };
            let place = String::from_utf8_lossy(place.as_bytes());
            let target = url.join(&place).ok();
            url = target
                .filter(|target| PhotoUrl::is_sound(target).is_ok())
                .ok_or_else(|| FetchError::Redirect {
                    url: said(&url),
                    place: place.chars().take(200).collect(),
                })?;
        }
        Err(FetchError::Redirects { url: said(first) })
    }

    fn ask(&self, url: &Url, reach: Reach) -> Result<Response<Body>, FetchError> {
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
            .root_certs(self.authorities.clone())
            .build();
        let left = self.deadline.saturating_duration_since(Instant::now());
        let settings = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            // One that the environment names would do the resolving.
            .proxy(None)
            .user_agent(USER_AGENT)
            .max_response_header_size(HEAD_BYTES_MAX)
            .max_idle_connections(0)
            .timeout_global(Some(left))
            .tls_config(tls)
            .build();
        let resolver = Checked {
            inner: DefaultResolver::default(),
            reach,
        };
        let agent = Agent::with_parts(settings, DefaultConnector::default(), resolver);
        let request = agent.get(url.as_str()).header("accept", "image/*");
        request.call().map_err(|error| self.failed(url, error))
    }

    fn body(
        &self,
        url: &Url,
        response: Response<Body>,
        limit: usize,
    ) -> Result<Vec<u8>, FetchError> {
        let too_large = || FetchError::TooLarge {
            url: said(url),
            limit,
        };
        let body = response.into_body();
        let announced = body.content_length();
        if announced.is_some_and(|bytes| bytes > limit as u64) {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        body.into_reader()
            .take(limit as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| self.failed(url, Error::from(error)))?;
        if bytes.len() > limit {
            return Err(too_large());
        }
        Ok(bytes)
    }

    fn failed(&self, url: &Url, error: Error) -> FetchError {
        let url = said(url);
        match error {
            Error::Timeout(_) => FetchError::Late {
                url,
                limit_s: self.config.timeout.as_secs_f32(),
            },
            Error::Other(other) => match other.downcast::<NotPublic>() {
                Ok(refused) => FetchError::Private {
                    url,
                    addresses: refused.0,
                },
                Err(other) => FetchError::Network {
                    url,
                    reason: other.to_string(),
                },
            },
            error => FetchError::Network {
                url,
                reason: error.to_string(),
            },
        }
    }
}

/// Resolves names, and gives out only addresses that may be connected to.
#[derive(Debug)]
struct Checked {
    inner: DefaultResolver,
    reach: Reach,
}

#[derive(Debug, thiserror::Error)]
#[error("{0} is not public")]
struct NotPublic(String);

impl Resolver for Checked {
    fn resolve(
        &self,
        uri: &Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        if self.reach == Reach::Any {
            return Ok(found);
        }
        // One private address among public ones is a trap or a mistake; the
        // public ones are used either way.
        let mut public = self.empty();
        for address in found.iter().filter(|address| is_public(address.ip())) {
            public.push(*address);
        }
        if public.is_empty() {
            let addresses: Vec<_> = found.iter().map(|found| found.ip().to_string()).collect();
            return Err(Error::Other(Box::new(NotPublic(addresses.join(", ")))));
        }
        Ok(public)
    }
}

#[cfg(test)]
mod tests;
