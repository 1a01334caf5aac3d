//! Makes connections, and only those that the policy allows.
//!
//! What is judged is what is dialled: the addresses that the resolver gave are judged all together, and one of just these is connected to, so that no second look-up can bring another.
//! IP literals go the same way.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::ServerName;
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tower::Service;

use super::HttpError;
use super::resolve::Resolve;
use super::stream::Stream;
use crate::upstream::policy::{EgressPolicy, Host, Target};

/// How long one address may take before the next is tried beside it (RFC 8305 §5).
const HEAD_START: Duration = Duration::from_millis(250);

/// The most addresses of one host that are tried.
const MAX_ADDRESSES: usize = 6;

/// The connector under the pool.
#[derive(Clone)]
pub(super) struct Dialler(Arc<Shared>);

struct Shared {
    policy: EgressPolicy,
    connect_timeout: Duration,
    resolver: Arc<dyn Resolve>,
    /// Made when the first connection needs it: reading the system's authorities takes time and memory.
    tls: OnceCell<TlsConnector>,
}

impl fmt::Debug for Dialler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Dialler").field(&self.0.policy).finish()
    }
}

impl Dialler {
    pub(super) fn new(
        policy: EgressPolicy,
        connect_timeout: Duration,
        resolver: Arc<dyn Resolve>,
    ) -> Self {
        Self(Arc::new(Shared {
            policy,
            connect_timeout,
            resolver,
            tls: OnceCell::new(),
        }))
    }
}

impl Service<Uri> for Dialler {
    type Response = TokioIo<Stream>;
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, HttpError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), HttpError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let shared = Arc::clone(&self.0);
        Box::pin(async move {
            let stream = timeout(shared.connect_timeout, shared.connect(&uri))
                .await
                .map_err(|_| HttpError::Connect("the time for connecting ran out".to_owned()))??;
            Ok(TokioIo::new(stream))
        })
    }
}

impl Shared {
    async fn connect(&self, uri: &Uri) -> Result<Stream, HttpError> {
        let target = self.policy.target(uri)?;
        let addresses = self.addresses(&target).await?;
        self.policy.judge(&target, &addresses)?;
        let tcp = dial_any(&addresses, target.port)
            .await
            .map_err(|error| failed(&target, &error))?;
        // Small requests are not held back for the acknowledgement of earlier ones.
        tcp.set_nodelay(true)
            .map_err(|error| failed(&target, &error))?;
        if !target.tls {
            return Ok(Stream::plain(tcp));
        }
        let name = server_name(&target)?;
        let connector = self.tls.get_or_try_init(|| self.connector()).await?;
        let tls = connector
            .connect(name, tcp)
            .await
            .map_err(|error| failed(&target, &error))?;
        Ok(Stream::tls(tls))
    }

    async fn addresses(&self, target: &Target) -> Result<Vec<IpAddr>, HttpError> {
        let mut addresses = match &target.host {
            Host::Address(address) => vec![*address],
            Host::Name(name) => self
                .resolver
                .resolve(name)
                .await
                .map_err(|_| unresolved(name))?,
        };
        if let Host::Name(name) = &target.host
            && addresses.is_empty()
        {
            return Err(unresolved(name));
        }
        addresses.dedup();
        Ok(addresses)
    }

    async fn connector(&self) -> Result<TlsConnector, HttpError> {
        let certificates = self.policy.certificates().to_vec();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let read = tokio::task::spawn_blocking(move || {
            let verifier = Verifier::new_with_extra_roots(certificates, Arc::clone(&provider))?;
            let config = rustls::ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()?
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(verifier))
                .with_no_client_auth();
            Ok::<_, rustls::Error>(config)
        });
        let mut config = read
            .await
            .map_err(|_| rustls::Error::General("reading them broke off".to_owned()))
            .flatten()
            .map_err(|error| {
                HttpError::Connect(format!("the system's certificate authorities: {error}"))
            })?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsConnector::from(Arc::new(config)))
    }
}

fn unresolved(name: &str) -> HttpError {
    HttpError::Connect(format!("the name `{name}` has no address"))
}

fn failed(target: &Target, error: &io::Error) -> HttpError {
    HttpError::Connect(format!("{}: {error}", target.origin))
}

fn server_name(target: &Target) -> Result<ServerName<'static>, HttpError> {
    match &target.host {
        Host::Address(address) => Ok(ServerName::from(*address)),
        Host::Name(name) => ServerName::try_from(name.trim_end_matches('.').to_owned())
            .map_err(|_| unresolved(name)),
    }
}

/// Connects to whichever address answers first; each but the first gets its turn when the one before failed or is slow.
async fn dial_any(addresses: &[IpAddr], port: u16) -> io::Result<TcpStream> {
    let mut waiting = addresses.iter().take(MAX_ADDRESSES);
    let mut attempts = FuturesUnordered::new();
    let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
    loop {
        let next = waiting.next();
        let is_last = next.is_none();
        attempts.extend(next.map(|address| dial(SocketAddr::new(*address, port))));
        let outcome = if is_last {
            attempts.next().await
        } else {
            timeout(HEAD_START, attempts.next()).await.unwrap_or(None)
        };
        match outcome {
            Some(Ok(stream)) => return Ok(stream),
            Some(Err(error)) => failure = error,
            None if is_last => return Err(failure),
            None => {}
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the lawful caller: the address has been judged"
)]
async fn dial(address: SocketAddr) -> io::Result<TcpStream> {
    TcpStream::connect(address).await
}
