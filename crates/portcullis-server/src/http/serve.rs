//! Accepts connections, holds each to its limits, and drains them on shutdown.
//!
//! Knows connections; what a request means is the router's.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service as _;

use super::connection::{Activity, Alarm, BusyBody, Overdue, Watched};
use super::forwarded::TrustedProxies;
use super::listener::Listener;
use super::settings::ConnectionLimits;
use crate::telemetry::metrics::Connections;

/// How long to wait after the system has refused to hand out a connection, most often for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The peer of a connection; every request carries it as an extension.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The address at the other end of the socket; behind a proxy it is the proxy's.
    pub address: SocketAddr,
}

/// How a shutdown went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were cut off at the deadline, with whatever they were doing.
    pub cut_off: usize,
}

/// Serves `router` on `listener` until `shutdown` is cancelled, then drains.
///
/// Draining: for the length of the notice everything goes on; then no connection is accepted, idle ones close, and requests in flight may finish until the deadline.
/// Dropping the future closes everything at once.
pub async fn serve(listener: Listener, router: Router, shutdown: CancellationToken) -> Drained {
    let limits = listener.limits;
    let server = Arc::new(Server {
        router,
        protocol: protocol(&limits),
        tls: listener
            .certificates
            .map(|certificates| TlsAcceptor::from(certificates.config())),
        permits: Arc::new(Semaphore::new(limits.max_connections)),
        addresses: Mutex::default(),
        connections: TaskTracker::new(),
        drain: CancellationToken::new(),
        end: CancellationToken::new(),
        proxies: listener.proxies,
        meter: listener.meter,
        limits,
    });
    let _end_when_dropped = server.end.clone().drop_guard();
    let mut accepting = JoinSet::new();
    for socket in listener.sockets {
        accepting.spawn(Arc::clone(&server).accept(socket));
    }
    shutdown.cancelled().await;
    if !server.limits.shutdown_notice.is_zero() {
        let _ = timeout(server.limits.shutdown_notice, server.end.cancelled()).await;
    }
    accepting.shutdown().await;
    server.drain().await
}

struct Server {
    router: Router,
    protocol: auto::Builder<TokioExecutor>,
    tls: Option<TlsAcceptor>,
    limits: ConnectionLimits,
    proxies: TrustedProxies,
    meter: Connections,
    permits: Arc<Semaphore>,
    addresses: Mutex<HashMap<IpAddr, usize>>,
    connections: TaskTracker,
    drain: CancellationToken,
    end: CancellationToken,
}

impl Server {
    async fn accept(self: Arc<Self>, socket: TcpListener) {
        loop {
            let permit = Arc::clone(&self.permits)
                .acquire_owned()
                .await
                .expect("nobody closes the semaphore");
            match socket.accept().await {
                Ok((stream, address)) => {
                    let Some(seat) = self.seat(address, permit) else {
                        tracing::debug!(client.address = %address.ip(), "closed a connection: too many from its address");
                        continue;
                    };
                    let server = Arc::clone(&self);
                    self.connections.spawn(server.hold(stream, seat));
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "cannot accept connections");
                    let _ = timeout(ACCEPT_PAUSE, self.end.cancelled()).await;
                }
            }
        }
    }

    async fn hold(self: Arc<Self>, stream: TcpStream, seat: Seat) {
        let _ = stream.set_nodelay(true);
        let Some(tls) = &self.tls else {
            return self.speak(stream, seat.address).await;
        };
        let handshake = timeout(self.limits.handshake_timeout, tls.accept(stream));
        let outcome = tokio::select! {
            outcome = handshake => outcome,
            () = self.drain.cancelled() => return,
        };
        match outcome {
            Ok(Ok(stream)) => self.speak(stream, seat.address).await,
            Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
            Err(_) => tracing::debug!("a TLS handshake took too long"),
        }
    }

    async fn speak<S>(&self, stream: S, address: SocketAddr)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let activity = Activity::begin();
        let mut alarm = Alarm::new(Arc::clone(&activity), &self.limits);
        let io = TokioIo::new(Watched::new(stream, Arc::clone(&activity), &self.limits));
        let router = self.router.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            let busy = activity.request(request.version());
            request.extensions_mut().insert(Peer { address });
            let answer = router.clone().call(request.map(Body::new));
            async move {
                let response = answer.await?;
                Ok::<_, Infallible>(response.map(|body| BusyBody { body, _busy: busy }))
            }
        });
        let mut connection = pin!(self.protocol.serve_connection(io, service));
        let mut closing = false;
        loop {
            tokio::select! {
                biased;
                outcome = connection.as_mut() => {
                    if let Err(error) = outcome {
                        tracing::debug!(%error, "a connection broke");
                    }
                    return;
                }
                overdue = alarm.rings() => {
                    if closing || overdue == Overdue::Head {
                        return;
                    }
                    connection.as_mut().graceful_shutdown();
                    closing = true;
                }
                () = self.drain.cancelled(), if !closing => {
                    connection.as_mut().graceful_shutdown();
                    closing = true;
                }
                () = self.end.cancelled() => return,
            }
        }
    }

    async fn drain(&self) -> Drained {
        self.drain.cancel();
        self.connections.close();
        let finished = timeout(self.limits.drain_deadline, self.connections.wait()).await;
        let cut_off = match finished {
            Ok(()) => 0,
            Err(_) => self.connections.len(),
        };
        self.end.cancel();
        self.connections.wait().await;
        Drained { cut_off }
    }

    fn seat(self: &Arc<Self>, address: SocketAddr, permit: OwnedSemaphorePermit) -> Option<Seat> {
        let host = address.ip().to_canonical();
        let mut addresses = self.lock_addresses();
        let held = addresses.entry(host).or_default();
        if *held >= self.limits.max_connections_per_address && !self.proxies.trusts(host) {
            self.meter.refused.inc();
            return None;
        }
        *held += 1;
        self.meter.open.inc();
        Some(Seat {
            address,
            server: Arc::clone(self),
            _permit: permit,
        })
    }

    fn lock_addresses(&self) -> std::sync::MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection's place among those that may be held at once.
struct Seat {
    address: SocketAddr,
    server: Arc<Server>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.server.meter.open.dec();
        let host = self.address.ip().to_canonical();
        let mut addresses = self.server.lock_addresses();
        if let Some(held) = addresses.get_mut(&host) {
            *held -= 1;
            if *held == 0 {
                addresses.remove(&host);
            }
        }
    }
}

fn protocol(limits: &ConnectionLimits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        // Ours is in `connection`; the engine's would end idle connections as well.
        .header_read_timeout(None)
        .max_buf_size(usize::try_from(limits.max_header_bytes).unwrap_or(usize::MAX));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.http2_max_streams)
        .max_header_list_size(limits.max_header_bytes)
        .keep_alive_interval(limits.http2_ping_interval)
        .keep_alive_timeout(limits.http2_ping_interval / 2);
    builder
}

/// Tells whether an error of `accept` speaks of the connection rather than of the socket.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}
