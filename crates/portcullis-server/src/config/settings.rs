//! What the program needs to know before it looks at any object: where to listen, where to store, where it may call.
//!
//! Types only, and how single values are written; `judge.rs` says which values go together.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;
use portcullis_base::{Digest, Origin, Secret};
use portcullis_oauth::issuer::redeem::TokenLifetimes;
use portcullis_oauth::redirect_uri::PrivateUseSchemes;
use serde::Deserialize;
use thiserror::Error;

use crate::http::settings::{BodyLimits, ListenerSettings};
use crate::telemetry::logging::LogFormat;

/// Everything but the objects.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where MCP clients reach Portcullis.
    pub listener: ListenerSettings,
    /// Where `/health/…` and `/metrics` are served; empty for the addresses of the listener.
    pub operations: Vec<SocketAddr>,
    /// Who may speak to the listener, and by which names.
    pub access: AccessSettings,
    /// Where objects are kept, and the key that secrets are sealed with.
    pub storage: StorageSettings,
    /// The digest of the token of the admin API, where there is one.
    pub admin: Option<Digest>,
    /// How the APIs behind are called.
    pub upstream: UpstreamSettings,
    /// What is logged.
    pub logging: LoggingSettings,
    /// How MCP clients are let in on behalf of people who sign in.
    pub authorization: AuthorizationSettings,
}

impl Settings {
    /// Tells whether anybody but this machine can reach the listener, be it through a proxy.
    #[must_use]
    pub fn is_public(&self) -> bool {
        is_public(&self.listener, self.access.public_url.as_ref())
    }

    /// Tells whether ways in that ask for nothing must stay closed.
    #[must_use]
    pub fn authenticated_only(&self) -> bool {
        self.is_public() && !self.access.allow_unauthenticated
    }
}

/// Tells whether anybody but this machine can reach a listener, be it through a proxy.
pub(super) fn is_public(listener: &ListenerSettings, public_url: Option<&Origin>) -> bool {
    !listener.is_loopback() || public_url.is_some_and(|url| !url.is_loopback())
}

/// Who may speak to the listener, and by which names.
#[derive(Clone, Debug)]
pub struct AccessSettings {
    /// The origin that clients use; absent where the system chooses the port, and then `http://localhost:PORT`.
    pub public_url: Option<Origin>,
    /// Further hosts to answer to, without port.
    pub allowed_hosts: Vec<String>,
    /// Further origins whose pages may call.
    pub allowed_origins: Vec<Origin>,
    /// Whether other machines may reach toolsets that ask for no key.
    pub allow_unauthenticated: bool,
    /// How much the body of a request may take.
    pub body: BodyLimits,
}

/// Where objects are kept.
#[derive(Clone, Debug)]
pub struct StorageSettings {
    /// The database's URL; may hold a password.
    pub url: Secret,
    /// The folder for what Portcullis keeps itself.
    pub data_dir: PathBuf,
    /// The key that secrets are sealed with.
    pub master_key: MasterKeySource,
}

/// Where the master key comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MasterKeySource {
    /// A file that must be there.
    File(PathBuf),
    /// A file that is made, for its owner alone, where it is not there.
    FileOrNew(PathBuf),
    /// The value of an environment variable.
    Text(Secret),
}

/// How the APIs behind are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamSettings {
    /// Where calls may go beside the public internet.
    pub allow: Vec<AllowedUpstream>,
    /// The time for a connection.
    pub connect: Duration,
    /// The time for a call as a whole.
    pub call: Duration,
    /// The most bytes of an answer, after decompression.
    pub max_response_bytes: usize,
    /// The most calls under way at once.
    pub max_calls: usize,
}

/// A place that calls may go to although it is not public.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedUpstream {
    /// One scheme, host and port.
    Origin(Origin),
    /// Every address of a block.
    Network(IpNet),
}

/// What is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoggingSettings {
    /// How; absent where it depends on whether standard error is a terminal.
    pub format: Option<LogFormat>,
    /// The least grave of what is logged.
    pub level: LogLevel,
}

/// How MCP clients are let in on behalf of people who sign in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthorizationSettings {
    /// How long our tokens are good.
    pub lifetimes: TokenLifetimes,
    /// Hosts of redirect URIs that the browser may be sent to with an error at once.
    pub trusted_redirect_hosts: Vec<String>,
    /// The private-use schemes that redirect URIs may have.
    pub private_use_schemes: PrivateUseSchemes,
}

/// How grave a log line is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Someone must act.
    Error,
    /// Something works less well than it should.
    Warn,
    /// One line per request and per change of state.
    #[default]
    Info,
    /// For finding out why.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// Returns the word for the log's filter.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// What the command line says, which counts more than the file.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// Instead of `listener.listen`.
    pub listen: Vec<ListenAddress>,
    /// Instead of `listener.public_url`.
    pub public_url: Option<Origin>,
    /// As `listener.allow_unauthenticated = true`.
    pub allow_unauthenticated: bool,
    /// In addition to `upstream.allow`.
    pub allow_upstream: Vec<AllowedUpstream>,
    /// Instead of `data_dir`.
    pub data_dir: Option<PathBuf>,
    /// Instead of `logging`.
    pub log_format: Option<LogFormat>,
    /// Instead of `logging.level`.
    pub log_level: Option<LogLevel>,
}

/// An address to listen on, as people write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenAddress {
    /// `localhost:PORT`: both loopback families.
    Localhost(u16),
    /// `ADDRESS:PORT`.
    Address(SocketAddr),
}

/// The text is no address to listen on.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error(
    "write `localhost:PORT` or an IP address with a port, such as `0.0.0.0:8400` or `[::]:8400`"
)]
pub struct InvalidListenAddress;

/// The text names no place that calls could be allowed to.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error(
    "write an origin such as `http://localhost:8080`, an IP address, or a CIDR block such as `10.20.0.0/16`"
)]
pub struct InvalidAllowedUpstream;

impl FromStr for ListenAddress {
    type Err = InvalidListenAddress;

    fn from_str(text: &str) -> Result<Self, InvalidListenAddress> {
        let address = match text.strip_prefix("localhost:") {
            Some(port) => port.parse().ok().map(Self::Localhost),
            None => text.parse().ok().map(Self::Address),
        };
        address.ok_or(InvalidListenAddress)
    }
}

impl ListenAddress {
    /// Returns the addresses of sockets.
    pub(super) fn sockets(self) -> Vec<SocketAddr> {
        match self {
            Self::Localhost(port) => vec![
                SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
                SocketAddr::from((Ipv6Addr::LOCALHOST, port)),
            ],
            Self::Address(address) => vec![address],
        }
    }
}

impl FromStr for AllowedUpstream {
    type Err = InvalidAllowedUpstream;

    fn from_str(text: &str) -> Result<Self, InvalidAllowedUpstream> {
        if let Ok(origin) = Origin::parse(text) {
            return Ok(Self::Origin(origin));
        }
        network(text)
            .map(Self::Network)
            .ok_or(InvalidAllowedUpstream)
    }
}

/// Reads a CIDR block, or an address as the block that holds nothing else.
pub(super) fn network(text: &str) -> Option<IpNet> {
    let address = || text.parse::<IpAddr>().ok().map(IpNet::from);
    text.parse().ok().or_else(address)
}
