//! Answers of the authorization server that are no pages: JSON, and redirects to a client.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode, header};
use portcullis_base::{Origin, Secret};
use portcullis_oauth::redirect_uri::RedirectUri;
use portcullis_oauth::wire::error::{OAuthError, OAuthErrorCode};
use portcullis_store::StoreError;
use serde::Serialize;

/// Answers with JSON that nobody keeps (RFC 6749 §5.1).
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let text = serde_json::to_string(body).expect("our own types always serialise");
    written(status, text)
}

/// Answers with JSON that holds a secret.
pub(super) fn secret_json(status: StatusCode, body: &Secret) -> Response {
    written(status, body.expose().to_owned())
}

/// Answers that what was asked is done.
pub(super) fn done() -> Response {
    let mut response = Response::new(Body::empty());
    set(&mut response, header::CACHE_CONTROL, "no-store");
    set(&mut response, header::PRAGMA, "no-cache");
    response
}

fn written(status: StatusCode, json: String) -> Response {
    let mut response = Response::new(Body::from(json));
    *response.status_mut() = status;
    set(&mut response, header::CONTENT_TYPE, "application/json");
    set(&mut response, header::CACHE_CONTROL, "no-store");
    set(&mut response, header::PRAGMA, "no-cache");
    response
}

/// Answers with an error as RFC 6749 §5.2 words it.
pub(super) fn error(error: OAuthError) -> Response {
    let status = StatusCode::from_u16(error.status()).expect("a status of ours");
    let mut response = json(status, &error);
    if error.code == OAuthErrorCode::TemporarilyUnavailable {
        set(&mut response, header::RETRY_AFTER, "1");
    }
    response
}

/// What is told where the store fails; the reason is for the log.
pub(super) fn unavailable(error: &StoreError) -> OAuthError {
    tracing::error!(%error, "the authorization server cannot use its store");
    OAuthError::new(
        OAuthErrorCode::TemporarilyUnavailable,
        "the server cannot answer at the moment; try again",
    )
}

/// Sends the browser elsewhere with 303, so that no body of a form goes along (RFC 9700 §4.12).
pub(super) fn see_other(location: &str) -> Option<Response> {
    let location = HeaderValue::try_from(location).ok()?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(header::LOCATION, location);
    set(&mut response, header::CACHE_CONTROL, "no-store");
    set(&mut response, header::REFERRER_POLICY, "no-referrer");
    Some(response)
}

/// Returns a client's redirect URI with an error for it (RFC 6749 §4.1.2.1, RFC 9207 §2).
pub(super) fn error_location(
    redirect_uri: &str,
    error: OAuthError,
    state: Option<&str>,
    issuer: &Origin,
) -> String {
    let mut parameters = vec![
        ("error", error.code.as_str()),
        ("error_description", error.description),
    ];
    parameters.extend(state.map(|state| ("state", state)));
    parameters.push(("iss", issuer.as_str()));
    RedirectUri::with_parameters(redirect_uri, &parameters)
}

/// Sets a header to a value that is known here.
pub(super) fn set(response: &mut Response, name: HeaderName, value: &'static str) {
    let value = HeaderValue::from_static(value);
    response.headers_mut().insert(name, value);
}
