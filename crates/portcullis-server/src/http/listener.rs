//! The sockets on which the gateway listens.
//!
//! Binds them and says where; [`super::serve`] accepts.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use thiserror::Error;
use tokio::net::TcpListener;

use super::forwarded::TrustedProxies;
use super::settings::{ConnectionLimits, ListenerSettings};
use super::tls::{Certificates, TlsError};
use crate::telemetry::metrics::Connections;

/// How often a port is chosen anew when it is free on one address and taken on another.
const PORT_ATTEMPTS: u32 = 16;

/// Bound sockets, not yet accepting.
#[derive(Debug)]
pub struct Listener {
    pub(super) sockets: Vec<TcpListener>,
    pub(super) certificates: Option<Arc<Certificates>>,
    pub(super) proxies: TrustedProxies,
    pub(super) limits: ConnectionLimits,
    pub(super) meter: Connections,
}

/// Why a listener could not be made.
#[derive(Debug, Error)]
pub enum BindError {
    /// No address was given.
    #[error("no address to listen on; name at least one")]
    NoAddress,
    /// The system refuses the address.
    #[error("cannot listen on {address}: {source}")]
    Address {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl Listener {
    /// Binds every address.
    ///
    /// A loopback address of a family that this machine does not have is left out as long as another address remains.
    ///
    /// # Errors
    ///
    /// When there is no address, one is taken or not this machine's, or the certificate and its key cannot be used.
    pub async fn bind(settings: ListenerSettings) -> Result<Self, BindError> {
        let certificates = settings
            .tls
            .map(Certificates::load)
            .transpose()?
            .map(Arc::new);
        let sockets = bind_all(&settings.addresses).await?;
        if sockets.is_empty() {
            return Err(BindError::NoAddress);
        }
        Ok(Self {
            sockets,
            certificates,
            proxies: settings.proxies,
            limits: settings.limits,
            meter: Connections::default(),
        })
    }

    /// Has the connections counted by `meter`.
    #[must_use]
    pub fn counted_by(self, meter: Connections) -> Self {
        Self { meter, ..self }
    }

    /// Returns the addresses that are bound, with the ports that the system chose.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.sockets
            .iter()
            .filter_map(|socket| socket.local_addr().ok())
            .collect()
    }

    /// Returns the certificates, to reload or watch; `None` where the listener speaks plain HTTP.
    #[must_use]
    pub fn certificates(&self) -> Option<Arc<Certificates>> {
        self.certificates.clone()
    }
}

async fn bind_all(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, BindError> {
    let mut attempts = PORT_ATTEMPTS;
    loop {
        attempts -= 1;
        match bind_each(addresses).await {
            // The port that the system chose on one family may be taken on the other.
            Err(BindError::Address { address, source })
                if source.kind() == io::ErrorKind::AddrInUse
                    && attempts > 0
                    && addresses.iter().all(|asked| asked.port() == 0) =>
            {
                tracing::debug!(%address, "the chosen port is taken here; choosing again");
            }
            outcome => return outcome,
        }
    }
}

async fn bind_each(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, BindError> {
    let mut sockets = Vec::new();
    let mut port = None;
    for &(mut address) in addresses {
        if let (0, Some(chosen)) = (address.port(), port) {
            address.set_port(chosen);
        }
        match TcpListener::bind(address).await {
            Ok(socket) => {
                port = port.or(socket.local_addr().ok().map(|bound| bound.port()));
                sockets.push(socket);
            }
            Err(error) if is_missing_family(&error, address) && !sockets.is_empty() => {
                tracing::debug!(%address, "this machine has no such loopback address");
            }
            Err(source) => return Err(BindError::Address { address, source }),
        }
    }
    Ok(sockets)
}

fn is_missing_family(error: &io::Error, address: SocketAddr) -> bool {
    address.ip().is_loopback()
        && matches!(
            error.kind(),
            io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported
        )
}
