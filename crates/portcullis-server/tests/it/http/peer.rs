//! A small gateway to talk to, and a peer that says exactly what it wants to say.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test's own peer fails by panicking"
)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{self, post};
use futures_util::StreamExt as _;
use http::{HeaderMap, StatusCode};
use portcullis_base::Origin;
use portcullis_server::ambient::{SystemClock, SystemRng};
use portcullis_server::http::body::collect;
use portcullis_server::http::judge::OriginPolicy;
use portcullis_server::http::listener::Listener;
use portcullis_server::http::serve::{Drained, serve};
use portcullis_server::http::settings::{BodyLimits, ListenerSettings};
use portcullis_server::http::surround::{Surroundings, surround};
use portcullis_server::http::tls::Certificates;
use portcullis_server::telemetry::metrics::Metrics;
use reqwest::ClientBuilder;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Longer than any limit that a test sets; reaching it is a failure.
const PATIENCE: Duration = Duration::from_secs(8);

/// A gateway without anything behind it.
pub(super) struct Gateway {
    pub(super) address: SocketAddr,
    pub(super) metrics: Arc<Metrics>,
    pub(super) shutdown: CancellationToken,
    /// Lets the answer of `/slow` go.
    pub(super) slow: Arc<Notify>,
    /// Notified when `/slow` or `/refusing` is being answered.
    pub(super) slow_begun: Arc<Notify>,
    pub(super) served: JoinHandle<Drained>,
    pub(super) certificates: Option<Arc<Certificates>>,
}

pub(super) fn settings() -> ListenerSettings {
    ListenerSettings::loopback(0)
}

pub(super) async fn start(settings: ListenerSettings) -> Gateway {
    let policy = OriginPolicy::new(
        &settings,
        &Origin::parse("https://gw.example").expect("an origin"),
        &[],
        &[],
    );
    let metrics = Arc::new(Metrics::new());
    let (slow, slow_begun) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let surroundings = Surroundings {
        policy,
        proxies: settings.proxies.clone(),
        metrics: Arc::clone(&metrics),
        clock: Arc::new(SystemClock),
        rng: Arc::new(SystemRng),
    };
    let router = surround(router(&slow, &slow_begun), surroundings);
    let listener = Listener::bind(settings).await.expect("bound");
    let listener = listener.counted_by(metrics.connections.clone());
    let address = listener.addresses()[0];
    let certificates = listener.certificates();
    let shutdown = CancellationToken::new();
    let served = tokio::spawn(serve(listener, router, shutdown.clone()));
    Gateway {
        address,
        metrics,
        shutdown,
        slow,
        slow_begun,
        served,
        certificates,
    }
}

fn router(slow: &Arc<Notify>, slow_begun: &Arc<Notify>) -> Router {
    let (slow, slow_begun) = (Arc::clone(slow), Arc::clone(slow_begun));
    let refusing = Arc::clone(&slow_begun);
    Router::new()
        .route("/{toolset}/mcp", post(echo).get(async || "get\n"))
        .route("/panic", routing::get(panics))
        .route("/endless", routing::get(endless))
        .route(
            "/refusing",
            post(async move || {
                refusing.notify_one();
                StatusCode::UNAUTHORIZED
            }),
        )
        .route(
            "/slow",
            routing::get(async move || {
                slow_begun.notify_one();
                slow.notified().await;
                "at last\n"
            }),
        )
}

async fn echo(Path(toolset): Path<String>, body: Body) -> Response {
    if toolset != "petstore" {
        return StatusCode::NOT_FOUND.into_response();
    }
    match collect(body, BodyLimits::default()).await {
        Ok(bytes) => format!("{} bytes\n", bytes.len()).into_response(),
        Err(error) => (error.status(), error.to_string()).into_response(),
    }
}

async fn panics() -> Response {
    panic!("SELECT password FROM users at /srv/secret");
}

async fn endless() -> Body {
    let piece = bytes::Bytes::from(vec![b'x'; 64 * 1024]);
    let pieces = futures_util::stream::repeat(piece).map(Ok::<_, std::convert::Infallible>);
    Body::from_stream(pieces)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test's own peer, on loopback only"
)]
pub(super) async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.expect("connected")
}

/// Sends `request` as it is and returns all that comes until the connection ends.
pub(super) async fn exchange(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = connect(address).await;
    stream.write_all(request).await.expect("sent");
    read_to_end(&mut stream).await
}

/// Asks as a whole HTTP client does.
#[expect(
    clippy::disallowed_methods,
    reason = "a test's own peer, on loopback only"
)]
pub(super) async fn get(
    url: &str,
    headers: HeaderMap,
    configure: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> reqwest::Response {
    // The client takes its cryptography from the process; another test may have set it.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let client = configure(reqwest::Client::builder()).build();
    let request = client.expect("a client").get(url).headers(headers);
    request.send().await.expect("an answer")
}

/// Reads until the peer closes; a reset counts as closing.
pub(super) async fn read_to_end(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut received = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = timeout(PATIENCE, stream.read(&mut buffer)).await;
        match read.expect("the gateway closes the connection") {
            Ok(0) | Err(_) => return String::from_utf8_lossy(&received).into_owned(),
            Ok(length) => received.extend_from_slice(&buffer[..length]),
        }
    }
}

/// Reads until `text` has come.
pub(super) async fn read_until(stream: &mut (impl AsyncRead + Unpin), text: &str) -> String {
    let mut received = String::new();
    let mut buffer = vec![0; 4096];
    while !received.contains(text) {
        let read = timeout(PATIENCE, stream.read(&mut buffer)).await;
        let length = read.expect("an answer in time").expect("no error");
        assert_ne!(length, 0, "closed before `{text}`: {received}");
        received.push_str(&String::from_utf8_lossy(&buffer[..length]));
    }
    received
}

/// Returns the status of the first answer.
pub(super) fn status(answer: &str) -> Option<u16> {
    answer.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
}
