//! Replies as HTTP responses.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use portcullis_mcp::Reply;

/// Makes the response of a reply.
pub(super) fn of(reply: Reply) -> Response {
    let status = StatusCode::from_u16(reply.status).expect("replies have statuses of HTTP");
    if reply.body.is_empty() {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        return response;
    }
    json(status, Bytes::from(reply.body))
}

/// Makes a response of JSON; clients compare the media type as text, so that it has no parameters.
pub(super) fn json(status: StatusCode, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    set(&mut response, header::CONTENT_TYPE, "application/json");
    response
}

/// Sets a header to a value that is known here.
pub(super) fn set(response: &mut Response, name: HeaderName, value: &'static str) {
    response
        .headers_mut()
        .insert(name, HeaderValue::from_static(value));
}

/// Marks a response as one that nobody keeps and nobody guesses the type of.
pub(super) fn mark(mut response: Response) -> Response {
    set(&mut response, header::CACHE_CONTROL, "no-store");
    set(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}
