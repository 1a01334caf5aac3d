//! Requests and answers of the admin API as JSON that nobody keeps.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::problem::Problem;
use crate::http::body;
use crate::http::settings::BodyLimits;

/// The most bytes of a request: a manifest, written with spaces and escapes.
const MAX_BYTES: usize = 512 * 1024;

/// Answers with JSON.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let text = serde_json::to_string(body).expect("our own types always serialise");
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    mark(&mut response, "application/json");
    response
}

/// Says what an answer is, and that it is for nobody else.
pub(super) fn mark(response: &mut Response, kind: &'static str) {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Reads what is asked for.
pub(super) async fn read<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Body,
) -> Result<T, Problem> {
    // A web page can have a browser send `text/plain` without asking first.
    if !body::is_declared_as(headers, "application/json") {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "media-type",
            "the body must be declared as application/json",
        ));
    }
    let limits = BodyLimits {
        max_bytes: MAX_BYTES,
        ..BodyLimits::default()
    };
    let bytes = body::collect(body, limits).await?;
    serde_json::from_slice(&bytes).map_err(|error| Problem::bad_request("body", error.to_string()))
}
