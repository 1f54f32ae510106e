//! Who may read the files of secrets.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use super::Finding;
use crate::config::Config;

/// What others may do with a file, and the group's right to write it.
const TOO_MUCH: u32 = 0o027;

pub(super) fn look(config: &Config) -> Vec<Finding> {
    let mut found = Vec::new();
    let broker = &config.broker;
    if let Some(file) = &broker.password_file {
        found.push(mode("password", file));
        if let Err(error) = broker.password() {
            found.push(unusable("password", &error));
        }
    }
    if let Some(client) = broker.tls.as_ref().and_then(|tls| tls.client.as_ref()) {
        found.push(mode("key", &client.key_file));
    }
    if let Some(http) = &config.http {
        if let Some(file) = &http.token_file {
            found.push(mode("token", file));
            if let Err(error) = http.token() {
                found.push(unusable("token", &error));
            }
        }
        if let Some(keys) = &http.tls {
            found.push(mode("key", &keys.key_file));
        }
    }
    found
}

fn unusable(what: &'static str, error: &dyn std::fmt::Display) -> Finding {
    let mend = "write it into the first line of that file";
    Finding::fail(what, error.to_string(), mend)
}

fn mode(what: &'static str, file: &Path) -> Finding {
    let path = file.display();
    match fs::metadata(file) {
        Err(error) => {
            let mend = "lay it out there, or name another file";
            Finding::fail(what, format!("{path}: {error}"), mend)
        }
        Ok(about) => {
            let mode = about.mode() & 0o777;
            let said = format!("{path} has mode {mode:03o}");
            if mode & TOO_MUCH == 0 {
                Finding::ok(what, said)
            } else {
                Finding::fail(what, said, format!("chmod 640 {path}, or 600"))
            }
        }
    }
}
