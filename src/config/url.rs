//! Which addresses photographs may be fetched from.

use std::{
    fmt::{self, Display},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use toml::Spanned;
use url::Host;

use super::{
    ConfigError, SYSTEM_CA_FILE,
    raw::{RawUrl, Texts},
    resolve::{integer, number, path},
    text::Text,
};

const TIMEOUT_S_DEFAULT: f64 = 20.0;
/// Hosts in one list; more is a mistake or wants a proxy of its own.
const HOSTS_MAX: usize = 256;

/// Photographs from the network.
#[derive(Clone, Debug, PartialEq)]
pub struct UrlSource {
    /// Hosts that may be asked, as long as they have a public address.
    pub hosts: Vec<HostRule>,
    /// Hosts that may be asked whatever their address is.
    pub private_hosts: Vec<HostRule>,
    /// Largest photograph, in bytes; `None` leaves it to `photo.bytes_max`.
    pub bytes_max: Option<usize>,
    /// Time for everything: names, connections, redirects and the bytes.
    pub timeout: Duration,
    /// PEM file of the certificate authorities to trust.
    pub ca_file: PathBuf,
}

/// Which addresses a host that is allowed may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Only those of the public internet.
    Public,
    /// Every one.
    Any,
}

impl UrlSource {
    /// How far `host` may be asked on `port`; `None` if it is on no list.
    /// `is_usual_port` says that the port is that of the URL's scheme.
    pub fn reach(&self, host: &Host<&str>, port: u16, is_usual_port: bool) -> Option<Reach> {
        let covers = |rules: &[HostRule]| {
            rules
                .iter()
                .any(|rule| rule.covers(host, port, is_usual_port))
        };
        if covers(&self.private_hosts) {
            Some(Reach::Any)
        } else if covers(&self.hosts) {
            Some(Reach::Public)
        } else {
            None
        }
    }
}

/// A host that may be asked: `host`, `host:port`, `*.domain` or
/// `*.domain:port`. Without a port only the scheme's own is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostRule {
    host: Host<String>,
    /// Names below the host, and not the host itself.
    is_below: bool,
    port: Option<u16>,
}

impl HostRule {
    fn covers(&self, host: &Host<&str>, port: u16, is_usual_port: bool) -> bool {
        let is_host = match (&self.host, host) {
            (Host::Domain(rule), Host::Domain(asked)) if self.is_below => asked
                .strip_suffix(rule.as_str())
                .is_some_and(|front| front.len() > 1 && front.ends_with('.')),
            (Host::Domain(rule), Host::Domain(asked)) => rule == asked,
            (Host::Ipv4(rule), Host::Ipv4(asked)) => rule == asked,
            (Host::Ipv6(rule), Host::Ipv6(asked)) => rule == asked,
            _ => false,
        };
        is_host && self.port.map_or(is_usual_port, |rule| rule == port)
    }
}

impl FromStr for HostRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?}, expected host, host:port or *.domain");
        let (is_below, rest) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                let port = port.parse::<u16>().ok().filter(|port| *port > 0);
                (host, Some(port.ok_or_else(wrong)?))
            }
            _ => (rest, None),
        };
        let host = Host::parse(host).map_err(|_| wrong())?;
        if is_below && !matches!(host, Host::Domain(_)) {
            return Err(wrong());
        }
        Ok(Self {
            host,
            is_below,
            port,
        })
    }
}

impl Display for HostRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let below = if self.is_below { "*." } else { "" };
        write!(f, "{below}{}", self.host)?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

pub(super) fn resolve(text: &Text, section: Spanned<RawUrl>) -> Result<UrlSource, ConfigError> {
    let place = section.span();
    let raw = section.into_inner();
    let hosts = rules(text, "url.hosts", raw.hosts)?;
    let private_hosts = rules(text, "url.private_hosts", raw.private_hosts)?;
    if hosts.is_empty() && private_hosts.is_empty() {
        let reason = "url.hosts and url.private_hosts are empty, expected at least one host";
        return Err(text.error(place, reason.to_owned()));
    }
    let bytes_max = integer(text, "url.bytes_max", &raw.bytes_max, 1024..=268_435_455)?;
    let timeout_s = number(text, "url.timeout_s", &raw.timeout_s, 0.1..=300.0)?;
    Ok(UrlSource {
        hosts,
        private_hosts,
        bytes_max: bytes_max.map(|bytes| bytes as usize),
        timeout: Duration::from_secs_f64(timeout_s.unwrap_or(TIMEOUT_S_DEFAULT)),
        ca_file: path(text, "url.ca_file", raw.ca_file)?
            .unwrap_or_else(|| PathBuf::from(SYSTEM_CA_FILE)),
    })
}

fn rules(text: &Text, key: &str, given: Texts) -> Result<Vec<HostRule>, ConfigError> {
    let given = given.unwrap_or_default();
    if let Some(surplus) = given.get(HOSTS_MAX) {
        let reason = format!("{key} has {} hosts, allowed are {HOSTS_MAX}", given.len());
        return Err(text.error(surplus.span(), reason));
    }
    let rule = |host: &Spanned<String>| {
        (host.get_ref().parse())
            .map_err(|reason| text.error(host.span(), format!("{key} has {reason}")))
    };
    given.iter().map(rule).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_covers_its_host_and_port_alone() {
        for (rule, url, is_covered) in [
            ("a.example", "https://a.example/x", true),
            ("A.Example", "https://a.example:443/x", true),
            ("a.example", "https://a.example:8443/x", false),
            ("a.example:8443", "https://a.example:8443/x", true),
            ("a.example:8443", "https://a.example/x", false),
            ("a.example", "https://b.a.example/x", false),
            ("*.a.example", "https://b.a.example/x", true),
            ("*.a.example", "https://a.example/x", false),
            ("*.a.example", "https://evila.example/x", false),
            ("*.a.example", "https://.a.example/x", false),
            ("10.0.0.7", "http://10.0.0.7/", true),
            ("10.0.0.7", "http://0xa.7/", true),
            ("[::1]:80", "http://[0:0::1]/", true),
            ("10.0.0.7", "http://10.0.0.7.evil.example/", false),
        ] {
            let rule: HostRule = rule.parse().expect(rule);
            let Ok(url) = url::Url::parse(url) else {
                assert!(!is_covered, "{url}");
                continue;
            };
            let port = url.port_or_known_default().expect("a port");
            let host = url.host().expect("a host");
            let covered = rule.covers(&host, port, url.port().is_none());
            assert_eq!(covered, is_covered, "{rule} {url}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for wrong in [
            "",
            "*.",
            "a b",
            "a:0",
            "a:70000",
            "a:x",
            "*.10.0.0.7",
            "http://a",
            "a/b",
        ] {
            assert!(wrong.parse::<HostRule>().is_err(), "{wrong}");
        }
    }
}
