//! The route `/{toolset}/mcp`: from a request's head to its answer.
//!
//! The order of judgement: the toolset, a browser's visit, the credential, the method, the media type, the body.
//! `Host`, `Origin` and CORS are judged before, around all routes ([`crate::http::surround`]).

use std::net::IpAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::any;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, header};
use portcullis_base::{Blame, Clock, ConnectionId, Origin, Secret, Slug, Timestamp};
use portcullis_mcp::{Answer, Field, Headers, Incoming, Page, Reply, answer, read};
use portcullis_oauth::client::provider::ResolvedProvider;
use portcullis_oauth::guard::admit::{TokenFault, admit as judge_token};
use portcullis_oauth::guard::external::Refusal as ExternalFault;
use portcullis_oauth::issuer::grant::AccessTokenRow;
use portcullis_oauth::issuer::person::Connection;
use portcullis_store::StoreError;

use super::call::{Call, Finished};
use super::caller::{self, Bearer, Caller, CallerValues, Identity, Presented, Refusal};
use super::keys::KeyCache;
use super::narrowing::Narrowing;
use super::progress::Progress;
use super::rejection::Rejection;
use super::{page, progress, response};
use crate::catalogue::{Catalogue, PublishedToolset};
use crate::http::body;
use crate::http::request_log::{ClientAddress, Particulars};
use crate::http::settings::BodyLimits;
use crate::telemetry::metrics::Metrics;
use crate::upstream::Upstream;
use crate::upstream::external::{ExternalError, ExternalTokens};
use crate::upstream::vault::{Vault, VaultError};

const MCP_PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const MCP_METHOD: HeaderName = HeaderName::from_static("mcp-method");
const MCP_NAME: HeaderName = HeaderName::from_static("mcp-name");

/// How many calls of one batch are made at the same time.
const BATCH_CONCURRENCY: usize = 8;

/// What the endpoint works with.
pub struct EndpointState {
    /// What is published.
    pub catalogue: Arc<ArcSwap<Catalogue>>,
    /// The credentials that callers present.
    pub keys: Arc<KeyCache>,
    /// The connections of people who signed in.
    pub vault: Arc<Vault>,
    /// What is known of tokens that providers issued for us themselves.
    pub external: ExternalTokens,
    /// The way to the APIs.
    pub upstream: Arc<Upstream>,
    /// Where calls are counted.
    pub metrics: Arc<Metrics>,
    /// For the expiry of keys.
    pub clock: Arc<dyn Clock>,
    /// What URLs begin with.
    pub public_url: Origin,
    /// How large and how slow a body may be.
    pub body_limits: BodyLimits,
}

/// Makes the router of all MCP endpoints.
///
/// Clients add or drop a trailing slash and do not follow redirects, so that both forms are served.
pub fn router(state: Arc<EndpointState>) -> Router {
    Router::new()
        .route("/{toolset}/mcp", any(handle))
        .route("/{toolset}/mcp/", any(handle))
        .fallback(not_found)
        .with_state(state)
}

async fn handle(
    State(state): State<Arc<EndpointState>>,
    Path(slug): Path<String>,
    request: Request,
) -> Response {
    let particulars = request
        .extensions()
        .get::<Particulars>()
        .cloned()
        .unwrap_or_default();
    let toolset = state.catalogue.load().toolsets.get(&slug).cloned();
    let outcome = match toolset {
        Some(toolset) => {
            particulars.toolset(&toolset.slug);
            // On the heap at once: the router's layers would move it from one to the next.
            Box::pin(serve(state, toolset, request, &particulars)).await
        }
        None if page::is_visit(request.method(), request.headers()) => {
            Ok(page::not_found(&state.public_url))
        }
        None => Err(Rejection::UnknownToolset),
    };
    let response = outcome.unwrap_or_else(|rejection| {
        particulars.blame(rejection.blame());
        particulars.cause(&rejection.cause());
        rejection.response()
    });
    response::mark(response)
}

/// Answers what no route is for: a person with a page, everybody else with JSON.
async fn not_found(State(state): State<Arc<EndpointState>>, request: Request) -> Response {
    response::mark(if page::is_visit(request.method(), request.headers()) {
        page::not_found(&state.public_url)
    } else {
        Rejection::NoRoute.response()
    })
}

async fn serve(
    state: Arc<EndpointState>,
    toolset: Arc<PublishedToolset>,
    request: Request,
    particulars: &Particulars,
) -> Result<Response, Rejection> {
    let (parts, body) = request.into_parts();
    if page::is_visit(&parts.method, &parts.headers) {
        return Ok(page::response(&toolset, &state.public_url));
    }
    let caller = admit(&state, &toolset, &parts).await?;
    match &caller.identity {
        Identity::ApiKey(id) => particulars.api_key(*id),
        Identity::Person(token) => particulars.grant(token.grant.id),
        Identity::External(bearer) => particulars.external(&bearer.good.access),
        Identity::Open | Identity::Headers => {}
    }
    if parts.method != Method::POST {
        return Err(Rejection::Method);
    }
    if !is_json(&parts.headers) {
        return Err(Rejection::MediaType);
    }
    let body = body::collect(body, state.body_limits)
        .await
        .map_err(Rejection::Body)?;
    let exchange = Arc::new(Exchange {
        state,
        narrowing: Narrowing::read(parts.uri.query(), &toolset),
        toolset,
        caller,
        particulars: particulars.clone(),
    });
    Ok(exchange.respond(&parts.headers, &body).await)
}

async fn admit(
    state: &EndpointState,
    toolset: &PublishedToolset,
    parts: &Parts,
) -> Result<Caller, Rejection> {
    let query = parts.uri.query();
    let refuse = |refusal| Rejection::caller(refusal, toolset, &state.public_url, query);
    let presented = caller::present(&parts.headers, query, toolset).map_err(refuse)?;
    let now = state.clock.now();
    let mut connection = None;
    let identity = match presented {
        Presented::Admitted(identity) => identity,
        Presented::ApiKey(digest) => {
            let row = state.keys.key(&digest, now).await;
            let row = row.map_err(Rejection::Store)?;
            let id = caller::judge_key(row.as_deref(), &toolset.slug, now).map_err(refuse)?;
            state.keys.used(id, now);
            Identity::ApiKey(id)
        }
        Presented::AccessToken(digest) => {
            let row = state.keys.token(&digest, now).await;
            let row = row.map_err(Rejection::Store)?;
            let token =
                admitted(row, &toolset.slug, now).map_err(|fault| refuse(Refusal::Token(fault)))?;
            let found = state.connection(&token, toolset, now).await;
            connection = found.map_err(|error| match error {
                Unusable::Ended => refuse(Refusal::Token(TokenFault::Ended)),
                Unusable::Store(error) => Rejection::Store(error),
                Unusable::Later(error) => Rejection::Later(error),
            })?;
            Identity::Person(token)
        }
        Presented::External(token) => {
            let address = parts.extensions.get().map(|ClientAddress(it)| *it);
            let bearer = state.external_bearer(token, toolset, address).await;
            Identity::External(bearer.map_err(|error| match error {
                ExternalError::Refused(fault) => refuse(Refusal::External(fault)),
                ExternalError::Untold(error) => Rejection::Untold(error),
            })?)
        }
    };
    let values = CallerValues::read(&parts.headers, toolset).map_err(refuse)?;
    Ok(Caller {
        identity,
        values,
        connection,
    })
}

fn admitted(
    row: Option<Arc<AccessTokenRow>>,
    toolset: &Slug,
    now: Timestamp,
) -> Result<Arc<AccessTokenRow>, TokenFault> {
    judge_token(row.as_deref(), toolset, now)?;
    row.ok_or(TokenFault::Unknown)
}

impl EndpointState {
    /// Judges an access token of the provider's own.
    async fn external_bearer(
        &self,
        token: Secret,
        toolset: &PublishedToolset,
        address: Option<IpAddr>,
    ) -> Result<Bearer, ExternalError> {
        let external = toolset.external.as_ref().ok_or(ExternalFault::Inactive)?;
        let manifest = &external.manifest;
        let endpoint = toolset.endpoint(&self.public_url);
        let judged = self.external.judge(&token, manifest, &endpoint, address);
        let good = judged.await?;
        Ok(Bearer {
            token,
            good,
            is_unvalidated: manifest.is_unvalidated(),
        })
    }

    /// Returns the connection that a token's grant rests on, where the toolset's tools are called with one.
    ///
    /// A grant without one of the toolset's provider ends: its calls would bear the operator's credentials instead, or none.
    ///
    /// # Errors
    ///
    /// When the store fails, the connection cannot be renewed at the moment, or the grant has ended.
    async fn connection(
        &self,
        token: &AccessTokenRow,
        toolset: &PublishedToolset,
        now: Timestamp,
    ) -> Result<Option<Arc<Connection>>, Unusable> {
        let sign_in = toolset.sign_in.as_ref();
        let Some(sign_in) = sign_in.filter(|sign_in| sign_in.connects) else {
            return Ok(None);
        };
        let found = match token.grant.connection {
            Some(id) => self.usable(id, &sign_in.provider, now).await?,
            None => None,
        };
        let fits = |connection: &Arc<Connection>| {
            connection.provider == sign_in.provider && connection.toolset == toolset.slug
        };
        if let Some(connection) = found.filter(fits) {
            return Ok(Some(connection));
        }
        let ended = self.vault.end_grant(token.grant.id, now).await;
        self.keys.forget_token(&token.digest);
        ended?;
        Err(Unusable::Ended)
    }

    /// Returns a connection that can be used; one that cannot ends, and the grants on it.
    async fn usable(
        &self,
        id: ConnectionId,
        provider: &Slug,
        now: Timestamp,
    ) -> Result<Option<Arc<Connection>>, Unusable> {
        let provider = self.provider(provider);
        // The second time is for a connection that is renewed just now.
        for _ in 0..2 {
            match self.vault.connection(id, provider.as_ref(), now).await {
                Ok(connection) => return Ok(Some(connection)),
                Err(VaultError::Store(error)) => return Err(Unusable::Store(error)),
                Err(error @ (VaultError::Later { .. } | VaultError::Busy)) => {
                    return Err(Unusable::Later(error));
                }
                Err(VaultError::Gone) => return Ok(None),
                Err(VaultError::Ended { generation }) => {
                    if self.vault.lose(id, generation, now).await? {
                        return Ok(None);
                    }
                }
            }
        }
        // It has ended and has not: others change it at this moment.
        Err(Unusable::Later(VaultError::Busy))
    }

    /// Returns a provider as it is published at this moment.
    pub(super) fn provider(&self, slug: &Slug) -> Option<Arc<ResolvedProvider>> {
        let catalogue = self.catalogue.load();
        catalogue.providers.get(slug.as_str()).cloned()
    }

    /// Ends the connection that a call was made with, and the grants on it; says whether it has ended.
    pub(super) async fn lose(
        &self,
        token: &AccessTokenRow,
        connection: &Connection,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let generation = connection.generation;
        let has_ended = self.vault.lose(connection.id, generation, now).await?;
        if has_ended {
            self.keys.forget_token(&token.digest);
        }
        Ok(has_ended)
    }
}

/// Why a person's connection cannot be used.
enum Unusable {
    /// It has ended, and the grant with it.
    Ended,
    /// It may be used another time.
    Later(VaultError),
    Store(StoreError),
}

impl From<StoreError> for Unusable {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// One HTTP request of an admitted caller.
pub(super) struct Exchange {
    pub(super) state: Arc<EndpointState>,
    pub(super) toolset: Arc<PublishedToolset>,
    pub(super) narrowing: Narrowing,
    pub(super) caller: Caller,
    pub(super) particulars: Particulars,
}

impl Exchange {
    async fn respond(self: Arc<Self>, headers: &HeaderMap, body: &Bytes) -> Response {
        match read(&mirrored(headers), body) {
            Err(reply) => {
                self.particulars.blame(Blame::Caller);
                response::of(reply)
            }
            Ok(Incoming::Accepted) => response::of(Reply::accepted()),
            Ok(Incoming::Batch(items)) => {
                let items = items.into_iter().map(|item| match item {
                    Ok(request) => self.settle(&request).joined(),
                    Err(reply) => Err(reply.into()),
                });
                response::of(batch(items.collect()).await)
            }
            Ok(Incoming::Request(request)) => match self.settle(&request) {
                Settled::Page(page) => response::of_page(page),
                Settled::Finished(finished) => self.finish(finished),
                Settled::Call(call) => match request.progress_token {
                    Some(token) if accepts_events(headers) => {
                        match progress::respond(call.run(), token.into_owned()).await {
                            Progress::Ended(finished) => self.finish(finished),
                            Progress::Told(response) => response,
                        }
                    }
                    _ => self.finish(call.run().await),
                },
            },
        }
    }

    /// Answers with what a request comes to.
    fn finish(&self, finished: Finished) -> Response {
        let Some(refusal) = finished.refusal else {
            return response::of(finished.reply);
        };
        let query = self.narrowing.query();
        let rejection = Rejection::caller(refusal, &self.toolset, &self.state.public_url, query);
        self.particulars.blame(rejection.blame());
        self.particulars.cause(&rejection.cause());
        rejection.response()
    }

    /// Answers a request, or says which call will.
    fn settle(self: &Arc<Self>, request: &portcullis_mcp::Request<'_>) -> Settled {
        let (id, version) = (&request.id, request.version);
        if let Some(error) = self.narrowing.fault() {
            self.particulars.blame(Blame::Caller);
            return Settled::Finished(Reply::error(Some(id), error, version).into());
        }
        let PublishedToolset {
            introduction, list, ..
        } = &*self.toolset;
        if let portcullis_mcp::Method::ListTools { cursor } = &request.method {
            let admits = |name: &str| self.admits(name);
            let narrowed = self.narrowing.is_narrow() && self.toolset.search.is_none();
            let admits: Option<&dyn Fn(&str) -> bool> = narrowed.then_some(&admits);
            return match list.page(id, cursor.as_deref(), version, introduction, admits) {
                Ok(page) => Settled::Page(page),
                Err(reply) => Settled::Finished(reply.into()),
            };
        }
        match answer(request, introduction, list) {
            Answer::Reply(reply) => Settled::Finished(reply.into()),
            Answer::Call(call) => match Call::prepare(self, id, version, call) {
                Ok(call) => Settled::Call(Box::new(call)),
                Err(finished) => Settled::Finished(finished),
            },
        }
    }

    /// Tells whether the URL that the client was given has a tool.
    pub(super) fn admits(&self, name: &str) -> bool {
        let tool = self.toolset.tools.get(name);
        tool.is_some_and(|tool| self.narrowing.admits(tool))
    }
}

/// What becomes of a request before anything is sent to an API.
enum Settled {
    /// A page of the list, whose bytes nobody copies.
    Page(Page),
    Finished(Finished),
    Call(Box<Call>),
}

impl Settled {
    /// Puts a page together, where it is part of a batch.
    fn joined(self) -> Result<Call, Finished> {
        match self {
            Self::Page(page) => Err(page.into_reply().into()),
            Self::Finished(finished) => Err(finished),
            Self::Call(call) => Ok(*call),
        }
    }
}

async fn batch(items: Vec<Result<Call, Finished>>) -> Reply {
    let replies: Vec<_> = stream::iter(items)
        .map(|item| async {
            let finished = match item {
                Ok(call) => call.run().await,
                Err(finished) => finished,
            };
            finished.reply
        })
        .buffered(BATCH_CONCURRENCY)
        .collect()
        .await;
    Reply::batch(&replies)
}

fn mirrored(headers: &HeaderMap) -> Headers<'_> {
    let field = |name: HeaderName| {
        let mut values = headers.get_all(name).into_iter();
        match (values.next(), values.next()) {
            (None, _) => Field::Absent,
            (Some(value), None) => Field::One(value.as_bytes()),
            (Some(_), Some(_)) => Field::Repeated,
        }
    };
    Headers {
        protocol_version: field(MCP_PROTOCOL_VERSION),
        method: field(MCP_METHOD),
        name: field(MCP_NAME),
    }
}

/// Tells whether the body is declared as JSON.
///
/// Other types are refused, because a web page of any origin can have a browser send `text/plain` without asking first.
fn is_json(headers: &HeaderMap) -> bool {
    body::is_declared_as(headers, "application/json")
}

/// Tells whether the client takes an event stream; JSON is sent to whoever does not say so.
fn accepts_events(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|range| range.split(';').next())
        .any(|range| range.trim().eq_ignore_ascii_case("text/event-stream"))
}
