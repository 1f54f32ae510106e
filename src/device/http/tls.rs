//! The certificate and its key, which can be replaced while serving.

use std::{
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

use super::HttpError;
use crate::config::KeyPair;

pub(super) struct Keys {
    files: KeyPair,
    config: RwLock<Arc<ServerConfig>>,
}

impl Keys {
    pub(super) fn read(files: KeyPair) -> Result<Self, HttpError> {
        let config = RwLock::new(server_config(&files)?);
        Ok(Self { files, config })
    }

    pub(super) fn renew(&self) -> Result<(), HttpError> {
        let config = server_config(&self.files)?;
        // A panic elsewhere leaves a whole configuration behind.
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let config = self.config.read().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(Arc::clone(&config))
    }
}

/// Whether a certificate and its key can be used.
///
/// # Errors
/// [`HttpError::Tls`] with what is wrong.
pub fn check_keys(files: &KeyPair) -> Result<(), HttpError> {
    server_config(files).map(drop)
}

fn server_config(files: &KeyPair) -> Result<Arc<ServerConfig>, HttpError> {
    let failed = |path: &Path, reason: &dyn std::fmt::Display| HttpError::Tls {
        path: path.to_owned(),
        reason: reason.to_string(),
    };
    let KeyPair {
        cert_file,
        key_file,
    } = files;
    let chain: Vec<_> = CertificateDer::pem_file_iter(cert_file)
        .and_then(Iterator::collect)
        .map_err(|error| failed(cert_file, &format_args!("certificate: {error}")))?;
    if chain.is_empty() {
        return Err(failed(cert_file, &"has no certificate in PEM"));
    }
    let key = PrivateKeyDer::from_pem_file(key_file)
        .map_err(|error| failed(key_file, &format_args!("private key: {error}")))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(cert_file, &error))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| failed(cert_file, &error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
