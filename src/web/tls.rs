//! TLS from files (rustls): read at the start, read again at a reload, and the old ones stay when the new are no good.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// Why certificate and key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read or is no PEM.
    #[error("{what} {} cannot be used: {why}; it is a PEM file that the account of netroom can read", .path.display())]
    File {
        /// `the certificate` or `the key`.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The two do not fit together, or the key is of no use.
    #[error("certificate {} and key {} cannot be used together: {why}", .certificate.display(), .key.display())]
    Pair {
        /// The certificate.
        certificate: PathBuf,
        /// The key.
        key: PathBuf,
        /// rustls' words.
        why: rustls::Error,
    },
}

/// What connections are accepted with: changes for the next one when the files do.
#[derive(Debug)]
pub struct Tls(ArcSwap<ServerConfig>);

impl Tls {
    /// From a certificate with its chain and its key.
    ///
    /// # Errors
    /// Which file is of no use, and why.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        Ok(Self(ArcSwap::new(read(certificate, key)?)))
    }

    /// Reads the files again. Connections that are open go on with what they began with.
    ///
    /// # Errors
    /// Why the new ones cannot be used; the old ones stay.
    pub fn reload(&self, certificate: &Path, key: &Path) -> Result<(), TlsError> {
        self.0.store(read(certificate, key)?);
        Ok(())
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.0.load_full())
    }
}

fn read(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let bad = |what, path: &Path, why: String| TlsError::File { what, path: path.to_owned(), why };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| bad("the certificate", certificate, error.to_string()))?;
    if chain.is_empty() {
        return Err(bad("the certificate", certificate, "there is none in it".to_owned()));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| bad("the key", key, error.to_string()))?;
    let pair = |why| TlsError::Pair { certificate: certificate.to_owned(), key: key.to_owned(), why };
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(pair)?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(pair)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
