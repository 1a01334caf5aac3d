//! The sample API: a harbour with berths, behind an API key.
//!
//! It stands for an API that knows nothing of MCP; the document beside this file describes it.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};

/// The OpenAPI document of the sample API.
pub(crate) const DOCUMENT: &str = include_str!("harbour.yaml");

struct Berth {
    name: &'static str,
    length: f64,
    boat: Option<String>,
}

type Berths = Arc<Mutex<Vec<Berth>>>;

/// Returns the API; it answers only requests that carry `key`, `/status` excepted.
pub(crate) fn router(key: String) -> Router {
    let berths = [
        ("A1", 8.0, Some("Wanderer")),
        ("A2", 12.0, None),
        ("B1", 18.5, None),
    ]
    .map(|(name, length, boat)| Berth {
        name,
        length,
        boat: boat.map(str::to_owned),
    });
    Router::new()
        .route("/berths", get(list))
        .route("/berths/{berth}", get(show))
        .route("/berths/{berth}/bookings", post(book))
        .layer(middleware::from_fn_with_state(
            Arc::<str>::from(key),
            demand_key,
        ))
        .route("/status", get(|| async { "open, wind south-west 4" }))
        .with_state(Arc::new(Mutex::new(Vec::from(berths))))
}

async fn demand_key(
    State(key): State<Arc<str>>,
    headers: HeaderMap,
    request: axum::extract::Request,
    next: Next,
) -> Response {
    if headers
        .get("x-harbour-key")
        .is_some_and(|given| given.as_bytes() == key.as_bytes())
    {
        next.run(request).await
    } else {
        problem(
            StatusCode::UNAUTHORIZED,
            "the header X-Harbour-Key is missing or wrong",
        )
    }
}

#[derive(serde::Deserialize)]
struct Wanted {
    free: Option<bool>,
    min_length: Option<f64>,
}

async fn list(State(berths): State<Berths>, Query(wanted): Query<Wanted>) -> Response {
    let berths = berths
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let chosen: Vec<Value> = berths
        .iter()
        .filter(|berth| wanted.free.is_none_or(|free| free == berth.boat.is_none()))
        .filter(|berth| wanted.min_length.is_none_or(|least| berth.length >= least))
        .map(describe)
        .collect();
    axum::Json(json!({ "berths": chosen })).into_response()
}

async fn show(State(berths): State<Berths>, Path(name): Path<String>) -> Response {
    let berths = berths
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    match berths.iter().find(|berth| berth.name == name) {
        Some(berth) => axum::Json(describe(berth)).into_response(),
        None => unknown(&name),
    }
}

#[derive(serde::Deserialize)]
struct Booking {
    boat: String,
    nights: u32,
}

async fn book(
    State(berths): State<Berths>,
    Path(name): Path<String>,
    axum::Json(booking): axum::Json<Booking>,
) -> Response {
    let mut berths = berths
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(berth) = berths.iter_mut().find(|berth| berth.name == name) else {
        return unknown(&name);
    };
    if let Some(there) = &berth.boat {
        return problem(
            StatusCode::CONFLICT,
            &format!("{there} lies at {name}; ask for free berths first"),
        );
    }
    berth.boat = Some(booking.boat.clone());
    let price = berth.length * 2.5 * f64::from(booking.nights);
    let booked =
        json!({ "berth": name, "boat": booking.boat, "nights": booking.nights, "price": price });
    (StatusCode::CREATED, axum::Json(booked)).into_response()
}

fn describe(berth: &Berth) -> Value {
    json!({ "name": berth.name, "length": berth.length, "boat": berth.boat })
}

fn unknown(name: &str) -> Response {
    problem(StatusCode::NOT_FOUND, &format!("there is no berth {name}"))
}

fn problem(status: StatusCode, detail: &str) -> Response {
    let body = json!({ "title": status.canonical_reason(), "detail": detail }).to_string();
    (
        status,
        [(header::CONTENT_TYPE, "application/problem+json")],
        body,
    )
        .into_response()
}
