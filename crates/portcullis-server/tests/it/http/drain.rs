//! The end: what is being answered is finished, and nothing new is begun.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::Request;
use portcullis_server::http::health::{Operations, operations};
use portcullis_server::http::serve::Drained;
use portcullis_server::telemetry::metrics::Metrics;
use tokio::io::AsyncWriteExt as _;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::peer::{connect, read_to_end, read_until, settings, start};

const SLOW: &[u8] = b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[tokio::test]
async fn a_request_in_flight_is_answered_while_idle_connections_close() {
    let gateway = start(settings()).await;
    let mut idle = connect(gateway.address).await;
    idle.write_all(b"GET /petstore/mcp HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .expect("sent");
    read_until(&mut idle, "get\n").await;
    let mut busy = connect(gateway.address).await;
    busy.write_all(SLOW).await.expect("sent");
    gateway.slow_begun.notified().await;

    gateway.shutdown.cancel();
    assert_eq!(read_to_end(&mut idle).await, "");
    gateway.slow.notify_one();
    assert!(read_to_end(&mut busy).await.ends_with("at last\n"));
    let drained = gateway.served.await.expect("served");
    assert_eq!(drained, Drained { cut_off: 0 });
}

#[tokio::test]
async fn what_is_not_done_at_the_deadline_is_cut_off() {
    let mut settings = settings();
    settings.limits.drain_deadline = Duration::from_millis(50);
    let gateway = start(settings).await;
    let mut busy = connect(gateway.address).await;
    busy.write_all(SLOW).await.expect("sent");
    gateway.slow_begun.notified().await;
    gateway.shutdown.cancel();
    let drained = gateway.served.await.expect("served");
    assert_eq!(drained, Drained { cut_off: 1 });
    assert_eq!(read_to_end(&mut busy).await, "");
}

#[tokio::test]
async fn connections_are_accepted_until_the_notice_is_over() {
    let mut settings = settings();
    settings.limits.shutdown_notice = Duration::from_secs(2);
    let gateway = start(settings).await;
    gateway.shutdown.cancel();
    let mut late = connect(gateway.address).await;
    late.write_all(b"GET /petstore/mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .await
        .expect("sent");
    assert!(read_to_end(&mut late).await.ends_with("get\n"));
    gateway.served.abort();
}

fn operations_of(ready: bool, shutdown: &CancellationToken) -> Router {
    operations(Operations {
        probe: Arc::new(move || {
            ready
                .then_some(())
                .ok_or_else(|| "the database at /srv/x is locked".to_owned())
        }),
        shutdown: shutdown.clone(),
        metrics: Arc::new(Metrics::new()),
    })
}

async fn ask(router: Router, path: &str) -> Response {
    let request = Request::get(path).body(Body::empty()).expect("a request");
    router.oneshot(request).await.expect("infallible")
}

#[tokio::test]
async fn readiness_follows_the_probe_and_turns_when_the_drain_begins() {
    let shutdown = CancellationToken::new();
    let statuses = async |ready| {
        let router = operations_of(ready, &shutdown);
        let live = ask(router.clone(), "/health/live").await.status();
        (
            live.as_u16(),
            ask(router, "/health/ready").await.status().as_u16(),
        )
    };
    assert_eq!(statuses(true).await, (200, 200));
    assert_eq!(statuses(false).await, (200, 503));
    shutdown.cancel();
    assert_eq!(statuses(true).await, (200, 503));
}

#[tokio::test]
async fn l_09_readiness_does_not_tell_what_is_missing() {
    let response = ask(
        operations_of(false, &CancellationToken::new()),
        "/health/ready",
    )
    .await;
    let body = axum::body::to_bytes(response.into_body(), 1024)
        .await
        .expect("a body");
    assert_eq!(body, "not ready\n");
}

#[tokio::test]
async fn metrics_are_shown_in_their_own_format() {
    let response = ask(operations_of(true, &CancellationToken::new()), "/metrics").await;
    let kind = response
        .headers()
        .get("content-type")
        .expect("a type")
        .clone();
    assert!(
        kind.to_str()
            .expect("text")
            .starts_with("application/openmetrics-text")
    );
    let body = axum::body::to_bytes(response.into_body(), 1 << 20)
        .await
        .expect("a body");
    let page = String::from_utf8(body.to_vec()).expect("UTF-8");
    assert!(page.contains("portcullis_build_info{version="), "{page}");
}
