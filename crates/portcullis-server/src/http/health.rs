//! `/health/live`, `/health/ready` and `/metrics`, for a listener of their own.
//!
//! Says nothing of what the gateway publishes or holds; asks no credential, so it belongs on an address that only operators reach.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{StatusCode, header};
use tokio_util::sync::CancellationToken;

use crate::telemetry::metrics::{self, Metrics};

/// Tells whether requests can be answered; `Err` says what is missing.
pub type Probe = dyn Fn() -> Result<(), String> + Send + Sync;

/// What the operations routes tell of.
#[derive(Clone)]
pub struct Operations {
    /// Whether requests can be answered.
    pub probe: Arc<Probe>,
    /// Cancelled when the gateway begins to drain.
    pub shutdown: CancellationToken,
    /// What `/metrics` shows.
    pub metrics: Arc<Metrics>,
}

/// Makes the router of the operations listener.
pub fn operations(operations: Operations) -> Router {
    Router::new()
        .route("/health/live", get(async || "live\n"))
        .route("/health/ready", get(ready))
        .route("/metrics", get(show_metrics))
        .with_state(operations)
}

async fn ready(State(operations): State<Operations>) -> Response {
    if operations.shutdown.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n").into_response();
    }
    match (operations.probe)() {
        Ok(()) => "ready\n".into_response(),
        Err(missing) => {
            tracing::warn!(missing, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response()
        }
    }
}

async fn show_metrics(State(operations): State<Operations>) -> Response {
    let kind = [(header::CONTENT_TYPE, metrics::CONTENT_TYPE)];
    (kind, operations.metrics.render()).into_response()
}
