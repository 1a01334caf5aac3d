//! Who may use the admin API: whoever presents the operator's token, and no page of another site.
//!
//! Cookies are not looked at, so that a browser never brings anything by itself; no answer has a CORS header, so that no page of another site reads one: not here, and not by [`crate::http::judge`], where MCP clients are served by the same listener.
//! The token has 32 characters at least, and only its digest is kept; what is compared is a digest too, in constant time.
//! Failures are bounded for each address. Whoever has the token is let in all the same: those who guess shall not lock the operator out.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use portcullis_base::{Digest, Origin, Secret};
use portcullis_oauth::guard::bearer::{BearerError, bearer};

use super::AdminState;
use super::problem::Problem;
use crate::http::request_log::ClientAddress;
use crate::http::serve::Peer;

const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"portcullis admin\"");
const INVALID: HeaderValue =
    HeaderValue::from_static("Bearer realm=\"portcullis admin\", error=\"invalid_token\"");

/// Lets those in who may ask.
pub(super) async fn guard(
    State(state): State<Arc<AdminState>>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    if !is_of_ours(headers, state.public_url()) {
        let detail = "pages of other sites may not use the admin API";
        return Problem::new(StatusCode::FORBIDDEN, "foreign-origin", detail).into_response();
    }
    match authenticate(headers, &state.token) {
        Ok(()) => next.run(request).await,
        Err(Unauthenticated::Absent) => {
            let detail = "send the admin token as `Authorization: Bearer`";
            unauthorized("no-token", detail, CHALLENGE)
        }
        Err(Unauthenticated::Wrong) => {
            let address = address(&request);
            if !state.failures.takes(address) {
                let detail = "too many wrong tokens from this address; try again in a minute";
                return Problem::new(StatusCode::TOO_MANY_REQUESTS, "failures", detail)
                    .into_response();
            }
            let client = address.map(|it| it.to_string());
            tracing::warn!(client.address = client, "admin API: a wrong token");
            unauthorized("wrong-token", "the admin token is another", INVALID)
        }
    }
}

/// Why somebody is not let in.
enum Unauthenticated {
    /// There is no token.
    Absent,
    /// It is another.
    Wrong,
}

fn authenticate(headers: &HeaderMap, expected: &Digest) -> Result<(), Unauthenticated> {
    let given = headers.get_all(header::AUTHORIZATION).iter();
    let token = bearer(given.map(HeaderValue::as_bytes)).map_err(|error| match error {
        BearerError::Absent | BearerError::OtherScheme => Unauthenticated::Absent,
        BearerError::Repeated | BearerError::Malformed => Unauthenticated::Wrong,
    })?;
    // `Secret` is compared in constant time.
    let [given, expected] =
        [Digest::of(token.as_bytes()), *expected].map(|digest| Secret::new(format!("{digest:x}")));
    if given == expected {
        Ok(())
    } else {
        Err(Unauthenticated::Wrong)
    }
}

/// Tells whether no page sends the request, or one of our own.
fn is_of_ours(headers: &HeaderMap, public_url: &Origin) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    origins.all(|origin| origin.as_bytes() == public_url.as_str().as_bytes())
}

fn address(request: &Request) -> Option<IpAddr> {
    let extensions = request.extensions();
    let told = extensions.get::<ClientAddress>().map(|it| it.0);
    told.or_else(|| extensions.get::<Peer>().map(|it| it.address.ip()))
}

fn unauthorized(code: &'static str, detail: &str, challenge: HeaderValue) -> Response {
    let mut response = Problem::new(StatusCode::UNAUTHORIZED, code, detail).into_response();
    let headers = response.headers_mut();
    headers.insert(header::WWW_AUTHENTICATE, challenge);
    response
}
