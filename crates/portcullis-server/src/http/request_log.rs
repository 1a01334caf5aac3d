//! One log line and one count per request, when its answer has ended or was given up.
//!
//! The line has the route's template, never the path or the query, which may carry what nobody should read; no header, no argument, no body.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::MatchedPath;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body::{Body as HttpBody, Frame, SizeHint};
use portcullis_base::{ApiKeyId, Blame, Digest, FlowId, GrantId, RequestId, Slug};
use portcullis_oauth::guard::external::ExternalAccess;
use tokio::time::Instant;

use crate::telemetry::metrics::{Metrics, known_method};

/// The route of a request that no route matches.
const NO_ROUTE: &str = "(none)";

/// The address of whoever sent a request, as a request extension: the peer's, or what a trusted proxy says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// What the endpoint finds out about a request and the log line should say, as a request extension.
///
/// It is filled in as things become known, so that a request that is given up half way says what it was.
#[derive(Clone, Debug, Default)]
pub struct Particulars(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    toolset: Option<Slug>,
    tool: Option<String>,
    api_key: Option<ApiKeyId>,
    grant: Option<GrantId>,
    /// The client of a caller with a provider's own token, and a digest that tells the person from others.
    external: Option<(String, String)>,
    flow: Option<FlowId>,
    blame: Option<Blame>,
    cause: Option<String>,
}

impl Particulars {
    /// Says which published toolset is called.
    pub fn toolset(&self, toolset: &Slug) {
        self.known().toolset = Some(toolset.clone());
    }

    /// Says which tool is called: the published name, not the caller's text.
    pub fn tool(&self, name: &str) {
        self.known().tool = Some(name.to_owned());
    }

    /// Says by which key the caller came in.
    pub fn api_key(&self, id: ApiKeyId) {
        self.known().api_key = Some(id);
    }

    /// Says under which grant the caller came in.
    pub fn grant(&self, id: GrantId) {
        self.known().grant = Some(id);
    }

    /// Says whose token of a provider's own the caller came in by; the person is told from others by a digest, and named by nobody.
    pub fn external(&self, access: &ExternalAccess) {
        let subject = access.subject.as_deref().map(|subject| {
            let person = [access.issuer.as_bytes(), subject.as_bytes()];
            Digest::of_fields(person).fingerprint()
        });
        let unknown = || "unknown".to_owned();
        let client = access.client.clone().unwrap_or_else(unknown);
        self.known().external = Some((client, subject.unwrap_or_else(unknown)));
    }

    /// Says which flow of a sign-in the request belongs to.
    pub fn flow(&self, id: FlowId) {
        self.known().flow = Some(id);
    }

    /// Returns the flow that the request belongs to, where that is known.
    #[must_use]
    pub fn flow_id(&self) -> Option<FlowId> {
        self.known().flow
    }

    /// Says who is to blame for the failure, also where the status is 200.
    pub fn blame(&self, blame: Blame) {
        self.known().blame = Some(blame);
    }

    /// Says why a call failed; of several causes in one request the first.
    pub fn cause(&self, cause: &str) {
        let mut known = self.known();
        if known.cause.is_none() {
            known.cause = Some(cause.to_owned());
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request's line, written when this is dropped.
pub(super) struct Line {
    id: RequestId,
    method: Method,
    route: Option<MatchedPath>,
    client: Option<IpAddr>,
    particulars: Particulars,
    metrics: Arc<Metrics>,
    begun: Instant,
    status: Option<StatusCode>,
    size_bytes: u64,
    whole: bool,
}

impl Line {
    /// Begins the line and puts [`RequestId`], [`ClientAddress`] and [`Particulars`] on the request.
    pub(super) fn begin(
        request: &mut Request<Body>,
        id: RequestId,
        client: Option<IpAddr>,
        metrics: &Arc<Metrics>,
    ) -> Self {
        let particulars = Particulars::default();
        let extensions = request.extensions_mut();
        extensions.insert(id);
        extensions.insert(particulars.clone());
        if let Some(address) = client {
            extensions.insert(ClientAddress(address));
        }
        Self {
            id,
            method: request.method().clone(),
            route: request.extensions().get::<MatchedPath>().cloned(),
            client,
            particulars,
            metrics: Arc::clone(metrics),
            begun: Instant::now(),
            status: None,
            size_bytes: 0,
            whole: false,
        }
    }

    pub(super) fn blame(&self, blame: Blame) {
        self.particulars.blame(blame);
    }

    /// Ends the line with the answer's body.
    pub(super) fn end(mut self, response: Response<Body>) -> Response<Body> {
        self.status = Some(response.status());
        response.map(|body| {
            self.whole = body.is_end_stream();
            Body::new(LoggedBody { body, line: self })
        })
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let duration = self.begun.elapsed();
        // The peer went away before there was an answer; 499 is what proxies write for that.
        let status = self.status.map_or(499, |status| status.as_u16());
        if let Some(status) = self.status {
            self.metrics.request(&self.method, status, duration);
        }
        let known = self.particulars.known();
        let method = known_method(&self.method);
        let route = self.route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
        let given_up = (!self.whole).then_some(true);
        let duration_ms = millis(duration);
        tracing::info!(
            target: "portcullis::request",
            {
            request.id = %self.id,
            method,
            route,
            status,
            duration_ms,
            size_bytes = self.size_bytes,
            client.address = self.client.map(tracing::field::display),
            toolset = known.toolset.as_ref().map(Slug::as_str),
            tool.name = known.tool.as_deref(),
            api_key.id = known.api_key.map(tracing::field::display),
            grant.id = known.grant.map(tracing::field::display),
            client.id = known.external.as_ref().map(|(client, _)| client.as_str()),
            subject.digest = known.external.as_ref().map(|(_, subject)| subject.as_str()),
            flow.id = known.flow.map(tracing::field::display),
            blame = known.blame.map(Blame::as_str),
            cause = known.cause.as_deref(),
            given_up
            },
            "{method} {route} answered {status} in {duration_ms} ms"
        );
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A body that counts its bytes and holds the line until it has ended.
struct LoggedBody {
    body: Body,
    line: Line,
}

impl HttpBody for LoggedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let frame = Pin::new(&mut this.body).poll_frame(cx);
        match &frame {
            Poll::Ready(Some(Ok(frame))) => {
                let length = frame.data_ref().map_or(0, Bytes::len);
                this.line.size_bytes += u64::try_from(length).unwrap_or(u64::MAX);
                this.line.whole = this.body.is_end_stream();
            }
            Poll::Ready(None) => this.line.whole = true,
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
