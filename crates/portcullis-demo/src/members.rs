//! The part of the sample API that is about the person who asks: it takes the provider's tokens and nothing else.
//!
//! It stands for an API with accounts of its own; the document beside this file describes it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::harbour::{Berths, Problem};
use crate::provider::{DemoProvider, Person};

/// Where the document says that the provider is, before it is known.
const PROVIDER: &str = "https://provider.example";

/// Returns the OpenAPI document, which names the provider as APIs do.
pub(crate) fn document(issuer: &str) -> String {
    include_str!("members.yaml").replace(PROVIDER, issuer)
}

#[derive(Clone)]
struct Members {
    berths: Berths,
    provider: Arc<DemoProvider>,
}

/// Returns the API.
pub(crate) fn router(berths: Berths, provider: Arc<DemoProvider>) -> Router {
    Router::new()
        .route("/me", get(who))
        .route("/me/bookings", get(bookings).post(book))
        .with_state(Members { berths, provider })
}

impl Members {
    /// Returns whose token a request bears, if it is good for `scope`.
    fn person(&self, headers: &HeaderMap, scope: &str) -> Result<&'static Person, Problem> {
        let Some(granted) = self.provider.granted(headers) else {
            let detail = "the bearer token is missing or none of the provider's";
            return Err(Problem(StatusCode::UNAUTHORIZED, detail.to_owned()));
        };
        if !granted.scope.split(' ').any(|given| given == scope) {
            let detail = format!("the token lacks the scope {scope}");
            return Err(Problem(StatusCode::FORBIDDEN, detail));
        }
        Ok(granted.person)
    }
}

async fn who(State(members): State<Members>, headers: HeaderMap) -> Result<Json<Value>, Problem> {
    let person = members.person(&headers, "bookings.read")?;
    Ok(Json(json!({ "name": person.name, "boat": person.boat })))
}

async fn bookings(
    State(members): State<Members>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let person = members.person(&headers, "bookings.read")?;
    let bookings = members.berths.bookings(person.boat);
    Ok(Json(json!({ "member": person.name, "bookings": bookings })))
}

#[derive(serde::Deserialize)]
struct Wanted {
    berth: String,
    nights: u32,
}

async fn book(
    State(members): State<Members>,
    headers: HeaderMap,
    Json(wanted): Json<Wanted>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let person = members.person(&headers, "bookings.write")?;
    let Wanted { berth, nights } = wanted;
    let booked = members.berths.book(&berth, person.boat, nights)?;
    Ok((StatusCode::CREATED, Json(booked)))
}
