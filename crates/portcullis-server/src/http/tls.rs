//! The listener's certificate: read from PEM files, and read again when they change, without a connection lost.
//!
//! New files that cannot be used change nothing: the old certificate stays and the reason is told.
//! TLS 1.2 and 1.3; ALPN offers `h2` and `http/1.1`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use portcullis_base::Timestamp;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::{self, PemObject as _};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;

use super::expiry::not_after;
use super::settings::CertificateFiles;

/// Why certificate and key cannot be used.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file is missing, unreadable, or not PEM.
    #[error("cannot read {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: pem::Error,
    },
    /// The certificate file has no certificate.
    #[error("{path} contains no certificate")]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// The key is of an unknown kind, or belongs to another certificate.
    #[error("the key in {key} does not fit the certificate in {certificate}: {source}")]
    Unfit {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What is wrong with them.
        source: rustls::Error,
    },
    /// The TLS library refuses its own protocol versions.
    #[error("cannot set up TLS: {0}")]
    Setup(rustls::Error),
}

/// The certificate in use, and the files it came from.
#[derive(Debug)]
pub struct Certificates {
    files: CertificateFiles,
    current: Arc<Current>,
    config: Arc<ServerConfig>,
}

/// What a reload did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Reload {
    /// The files hold the certificate that is in use already.
    Unchanged,
    /// The next handshake presents the new certificate.
    Replaced,
}

impl Certificates {
    /// Reads the files for the first time.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, holds no PEM, or the key does not fit the certificate.
    pub fn load(files: CertificateFiles) -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let current = Arc::new(Current(ArcSwap::from_pointee(read(&files, &provider)?)));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Setup)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self {
            files,
            current,
            config: Arc::new(config),
        })
    }

    /// Reads the files again; on failure the certificate in use stays.
    ///
    /// # Errors
    ///
    /// As [`Certificates::load`].
    pub fn reload(&self) -> Result<Reload, TlsError> {
        let fresh = read(&self.files, self.config.crypto_provider())?;
        if fresh.cert == self.current.0.load().cert {
            return Ok(Reload::Unchanged);
        }
        self.current.0.store(Arc::new(fresh));
        Ok(Reload::Replaced)
    }

    /// Returns when the certificate in use expires; `None` where that cannot be read from it.
    #[must_use]
    pub fn not_after(&self) -> Option<Timestamp> {
        not_after(self.current.0.load().cert.first()?)
    }

    pub(super) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }
}

#[derive(Debug)]
struct Current(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

fn read(files: &CertificateFiles, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| TlsError::File { path, source }
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect)
        .map_err(unreadable(&files.certificate))?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate {
            path: files.certificate.clone(),
        });
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(unreadable(&files.key))?;
    CertifiedKey::from_der(chain, key, provider).map_err(|source| TlsError::Unfit {
        certificate: files.certificate.clone(),
        key: files.key.clone(),
        source,
    })
}
