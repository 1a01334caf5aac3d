//! The sample API: a harbour with berths, behind an API key.
//!
//! It stands for an API that knows nothing of MCP; the document beside this file describes it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    booking: Option<Value>,
}

/// The berths, and who lies there.
#[derive(Clone)]
pub(crate) struct Berths(Arc<Mutex<Vec<Berth>>>);

impl Default for Berths {
    fn default() -> Self {
        let berths = [
            ("A1", 8.0, Some("Wanderer")),
            ("A2", 12.0, None),
            ("B1", 18.5, None),
        ];
        let berths = berths.map(|(name, length, boat)| Berth {
            name,
            length,
            boat: boat.map(str::to_owned),
            booking: None,
        });
        Self(Arc::new(Mutex::new(Vec::from(berths))))
    }
}

impl Berths {
    fn lock(&self) -> MutexGuard<'_, Vec<Berth>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Books a berth for a boat, or says why not.
    pub(crate) fn book(&self, name: &str, boat: &str, nights: u32) -> Result<Value, Problem> {
        let mut berths = self.lock();
        let Some(berth) = berths.iter_mut().find(|berth| berth.name == name) else {
            return Err(unknown(name));
        };
        if let Some(there) = &berth.boat {
            let detail = format!("{there} lies at {name}; ask for free berths first");
            return Err(Problem(StatusCode::CONFLICT, detail));
        }
        let price = berth.length * 2.5 * f64::from(nights);
        let booked = json!({ "berth": name, "boat": boat, "nights": nights, "price": price });
        berth.boat = Some(boat.to_owned());
        berth.booking = Some(booked.clone());
        Ok(booked)
    }

    /// Returns what is booked for a boat.
    pub(crate) fn bookings(&self, boat: &str) -> Vec<Value> {
        let berths = self.lock();
        let of_boat = berths
            .iter()
            .filter(|berth| berth.boat.as_deref() == Some(boat));
        of_boat.filter_map(|berth| berth.booking.clone()).collect()
    }
}

/// Returns the API; it answers only requests that carry `key`, `/status` excepted.
pub(crate) fn router(berths: Berths, key: String) -> Router {
    Router::new()
        .route("/berths", get(list))
        .route("/berths/{berth}", get(show))
        .route("/berths/{berth}/bookings", post(book))
        .layer(middleware::from_fn_with_state(
            Arc::<str>::from(key),
            demand_key,
        ))
        .route("/status", get(|| async { "open, wind south-west 4" }))
        .with_state(berths)
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
        let detail = "the header X-Harbour-Key is missing or wrong";
        Problem(StatusCode::UNAUTHORIZED, detail.to_owned()).into_response()
    }
}

#[derive(serde::Deserialize)]
struct Wanted {
    free: Option<bool>,
    min_length: Option<f64>,
}

async fn list(State(berths): State<Berths>, Query(wanted): Query<Wanted>) -> Response {
    let chosen: Vec<Value> = berths
        .lock()
        .iter()
        .filter(|berth| wanted.free.is_none_or(|free| free == berth.boat.is_none()))
        .filter(|berth| wanted.min_length.is_none_or(|least| berth.length >= least))
        .map(describe)
        .collect();
    axum::Json(json!({ "berths": chosen })).into_response()
}

async fn show(State(berths): State<Berths>, Path(name): Path<String>) -> Response {
    match berths.lock().iter().find(|berth| berth.name == name) {
        Some(berth) => axum::Json(describe(berth)).into_response(),
        None => unknown(&name).into_response(),
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
    match berths.book(&name, &booking.boat, booking.nights) {
        Ok(booked) => (StatusCode::CREATED, axum::Json(booked)).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

fn describe(berth: &Berth) -> Value {
    json!({ "name": berth.name, "length": berth.length, "boat": berth.boat })
}

fn unknown(name: &str) -> Problem {
    Problem(StatusCode::NOT_FOUND, format!("there is no berth {name}"))
}

/// Why the API does not do as it is asked, in detail.
pub(crate) struct Problem(pub(crate) StatusCode, pub(crate) String);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self(status, detail) = self;
        let body = json!({ "title": status.canonical_reason(), "detail": detail });
        (
            status,
            [(header::CONTENT_TYPE, "application/problem+json")],
            body.to_string(),
        )
            .into_response()
    }
}
