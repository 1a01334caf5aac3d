//! What happens around every request before the router's handlers see it and after they have answered.
//!
//! In this order: it gets an id, then `Host` and `Origin` are judged, a CORS preflight is answered, the handler runs, and the answer gets its headers and the log its line.
//! Credentials and methods are judged inside, by the endpoint.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header};
use portcullis_base::{Blame, Clock, RequestId, Rng};

use super::forwarded::TrustedProxies;
use super::judge::{CrossOrigin, OriginPolicy, Refusal, Verdict};
use super::request_log::Line;
use super::serve::Peer;
use super::unread::Unread;
use crate::telemetry::metrics::Metrics;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What [`surround`] works with.
#[derive(Clone)]
pub struct Surroundings {
    /// Which hosts and origins may speak.
    pub policy: OriginPolicy,
    /// Whose word about the client's address is taken.
    pub proxies: TrustedProxies,
    /// Where requests are counted.
    pub metrics: Arc<Metrics>,
    /// For request ids.
    pub clock: Arc<dyn Clock>,
    /// For request ids.
    pub rng: Arc<dyn Rng>,
}

/// Puts the judgement and the log around all of a router's routes and its fallback.
///
/// Call it last: what is added to the router afterwards lies outside.
pub fn surround(router: Router, surroundings: Surroundings) -> Router {
    router.layer(from_fn_with_state(Arc::new(surroundings), around))
}

async fn around(
    State(surroundings): State<Arc<Surroundings>>,
    mut request: Request,
    next: Next,
) -> Response {
    // Always our own id: a client's would let it forge trails in the log.
    let id = RequestId::new(surroundings.clock.now(), &*surroundings.rng);
    let client = client_address(&surroundings.proxies, &request);
    let line = Line::begin(&mut request, id, client, &surroundings.metrics);
    let has_chunked_body = has_chunked_body(&request);
    let unread = Unread::of(&mut request);
    let verdict = surroundings
        .policy
        .judge(request.method(), request.uri(), request.headers());
    let mut response = match verdict {
        Verdict::Pass(origin) => pass(request, next, origin, &line, id).await,
        Verdict::Preflight(preflight) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            preflight.write(response.headers_mut());
            response
        }
        Verdict::Refused(refusal) => refused(refusal, &line),
    };
    mark(response.headers_mut(), id);
    let is_whole = match unread {
        Some(unread) => unread.discard().await,
        None => true,
    };
    if has_chunked_body || !is_whole {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    line.end(response)
}

async fn pass(
    request: Request,
    next: Next,
    origin: Option<CrossOrigin>,
    line: &Line,
    id: RequestId,
) -> Response {
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let mut response = answer.unwrap_or_else(|_| {
        tracing::error!(request.id = %id, "a request's handler panicked");
        line.blame(Blame::Us);
        let text = format!("internal error; the operator finds it in the log as {id}\n");
        plain(StatusCode::INTERNAL_SERVER_ERROR, text)
    });
    if let Some(origin) = origin {
        origin.write(response.headers_mut());
    }
    response
}

fn refused(refusal: Refusal, line: &Line) -> Response {
    line.blame(Blame::Caller);
    plain(refusal.status(), format!("{refusal}\n"))
}

fn plain(status: StatusCode, text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}

fn mark(headers: &mut HeaderMap, id: RequestId) {
    let id = HeaderValue::try_from(id.to_string()).expect("an id is visible ASCII");
    headers.insert(REQUEST_ID, id);
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
}

fn client_address(proxies: &TrustedProxies, request: &Request) -> Option<IpAddr> {
    let peer = request.extensions().get::<Peer>()?;
    Some(proxies.client_address(peer.address.ip(), request.headers()))
}

/// Tells whether the connection must end with this request, whatever becomes of its body.
///
/// RFC 9112 §6.1: with both `Content-Length` and `Transfer-Encoding` "the server MUST close the connection after responding".
/// The HTTP engine takes the length away before anybody sees it, so every chunked body ends its connection: what a careless proxy would smuggle behind it is never read.
fn has_chunked_body(request: &Request) -> bool {
    request.version() <= Version::HTTP_11
        && request.headers().contains_key(header::TRANSFER_ENCODING)
}
