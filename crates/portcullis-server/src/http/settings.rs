//! What an operator may set about a listener, with the values that hold when nothing is set.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::forwarded::TrustedProxies;

/// Where to listen, and with what.
#[derive(Clone, Debug)]
pub struct ListenerSettings {
    /// The addresses; with port 0 the first one's port is chosen by the system and the others take the same.
    pub addresses: Vec<SocketAddr>,
    /// The certificate and its key; without them the listener speaks plain HTTP.
    pub tls: Option<CertificateFiles>,
    /// The proxies in front, whose word about the client's address is taken.
    pub proxies: TrustedProxies,
    /// How much a peer may take.
    pub limits: ConnectionLimits,
}

impl ListenerSettings {
    /// Makes the default: plain HTTP on `port` of both loopback families.
    #[must_use]
    pub fn loopback(port: u16) -> Self {
        Self {
            addresses: vec![
                SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
                SocketAddr::from((Ipv6Addr::LOCALHOST, port)),
            ],
            tls: None,
            proxies: TrustedProxies::default(),
            limits: ConnectionLimits::default(),
        }
    }

    /// Tells whether only this machine can connect.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.addresses
            .iter()
            .all(|address| address.ip().to_canonical().is_loopback())
    }
}

/// A certificate chain and its private key, both PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The chain, the server's own certificate first.
    pub certificate: PathBuf,
    /// The private key: PKCS #8, PKCS #1 or SEC 1.
    pub key: PathBuf,
}

/// How long and how much a connection may take.
#[derive(Clone, Debug)]
pub struct ConnectionLimits {
    /// Connections held at once; further ones wait in the system's queue. 10 000.
    pub max_connections: usize,
    /// Connections held at once for one remote address, trusted proxies excepted; further ones are closed. 1 000.
    pub max_connections_per_address: usize,
    /// Time for a TLS handshake. 10 s.
    pub handshake_timeout: Duration,
    /// Time for a request's header section, counted from its first byte; also for the first byte of a connection. 10 s.
    pub header_read_timeout: Duration,
    /// Time that an HTTP/1.1 connection may wait for its next request. 75 s: longer than common proxies keep theirs, so that the proxy closes first.
    pub idle_timeout: Duration,
    /// Time that a peer may leave bytes of a response untaken. 30 s.
    pub write_timeout: Duration,
    /// Bytes of a request's header section. 64 KiB.
    pub max_header_bytes: u32,
    /// Streams at once on one HTTP/2 connection. 200.
    pub http2_max_streams: u32,
    /// Time between HTTP/2 pings on a quiet connection; the answer must come within half of it. 20 s.
    pub http2_ping_interval: Duration,
    /// Time for which a listener still accepts after the readiness probe has turned, for load balancers to notice. None.
    pub shutdown_notice: Duration,
    /// Time for requests in flight to end once no more are accepted. 30 s.
    pub drain_deadline: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            max_connections: 10_000,
            max_connections_per_address: 1_000,
            handshake_timeout: Duration::from_secs(10),
            header_read_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            write_timeout: Duration::from_secs(30),
            max_header_bytes: 64 * 1024,
            http2_max_streams: 200,
            http2_ping_interval: Duration::from_secs(20),
            shutdown_notice: Duration::ZERO,
            drain_deadline: Duration::from_secs(30),
        }
    }
}

/// How long and how much the body of a request may take.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    /// Bytes. 4 MiB.
    pub max_bytes: usize,
    /// Time between two pieces. 10 s.
    pub idle_timeout: Duration,
    /// Time for the whole. 1 minute.
    pub timeout: Duration,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self {
            max_bytes: 4 * 1024 * 1024,
            idle_timeout: Duration::from_secs(10),
            timeout: Duration::from_mins(1),
        }
    }
}
