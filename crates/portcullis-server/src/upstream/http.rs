//! The only place from which bytes leave for the network.
//!
//! Decides nothing about what is sent; sees to it that it goes only where [`EgressPolicy`] lets it, that an answer has a bounded size, and that nothing else happens by itself: no redirects, no cookies, no proxies of the process's environment.
//! Time limits other than that of connecting are the caller's.
//!
//! A pool is bound to one policy, so that a connection that one policy allowed never serves another: use one [`Http`] per policy.
//! It is hyper's pooled client over a connector of our own and not a ready-made client, because the guard must see the whole origin and the very address that is dialled, and because it takes a quarter less of the processor's time per call.

mod body;
mod dial;
mod resolve;
mod stream;

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use http_body_util::Full;
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use thiserror::Error;

pub use resolve::{Resolve, SystemResolver};

use super::policy::{EgressPolicy, EgressRefusal};
use dial::Dialler;

/// How we introduce ourselves.
const USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("portcullis/", env!("CARGO_PKG_VERSION")));

/// How long an unused connection is kept; below the usual limits of servers, which would close it under a request.
const IDLE_TIMEOUT: Duration = Duration::from_secs(50);

/// How often a connection with HTTP/2 is asked whether it still lives, and how long it may take to say so: one that died in silence would take every later call with it.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(20);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// The most unused connections that are kept for one host.
const IDLE_PER_HOST: usize = 64;

/// The largest head of an answer.
const MAX_HEAD_BYTES: u32 = 64 * 1024;

/// The outbound client; clones share the pool.
#[derive(Clone, Debug)]
pub struct Http {
    client: Client<Dialler, Full<Bytes>>,
}

/// What a server answered.
#[derive(Debug)]
pub struct HttpAnswer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, its content coding undone.
    pub body: Vec<u8>,
    /// The number of bytes that the body was cut at, where it was cut.
    pub truncated_at: Option<usize>,
    /// The length that the server declared, where the body was not coded.
    pub declared_length: Option<u64>,
}

/// Why there is no answer.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum HttpError {
    /// The guard refused; nothing was sent.
    #[error(transparent)]
    Refused(#[from] EgressRefusal),
    /// No connection came about; nothing was sent.
    #[error("no connection: {0}")]
    Connect(String),
    /// The exchange broke off after the request may have been sent.
    #[error("the connection broke off")]
    Interrupted,
    /// The body has a content coding that was not asked for, or is not what the coding says.
    #[error("the answer's content coding cannot be undone")]
    Coding,
}

impl HttpError {
    /// Tells whether it is certain that the server got nothing of the request.
    #[must_use]
    pub fn is_unsent(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Connect(_))
    }
}

impl Http {
    /// Makes a client that resolves names as the system does.
    #[must_use]
    pub fn new(policy: EgressPolicy, connect_timeout: Duration) -> Self {
        Self::with_resolver(policy, connect_timeout, Arc::new(SystemResolver))
    }

    /// Makes a client with a resolver of its own.
    #[must_use]
    pub fn with_resolver(
        policy: EgressPolicy,
        connect_timeout: Duration,
        resolver: Arc<dyn Resolve>,
    ) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .http1_max_buf_size(MAX_HEAD_BYTES as usize)
            .http2_max_header_list_size(MAX_HEAD_BYTES)
            .http2_adaptive_window(true)
            .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
            .http2_keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
            .build(Dialler::new(policy, connect_timeout, resolver));
        Self { client }
    }

    /// Sends a request and reads the answer; of its body no more than `max_bytes`.
    ///
    /// Dropping the future takes the request back.
    ///
    /// # Errors
    ///
    /// When the guard refuses, no connection comes about, or the exchange breaks off.
    pub async fn exchange(
        &self,
        mut request: Request<Full<Bytes>>,
        max_bytes: usize,
    ) -> Result<HttpAnswer, HttpError> {
        let headers = request.headers_mut();
        headers.entry(header::USER_AGENT).or_insert(USER_AGENT);
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let response = self.client.request(request).await.map_err(|e| cause(&e))?;
        let (parts, incoming) = response.into_parts();
        let read = body::read(incoming, &parts.headers, max_bytes).await?;
        Ok(HttpAnswer {
            status: parts.status,
            headers: parts.headers,
            body: read.bytes,
            truncated_at: read.truncated_at,
            declared_length: read.declared_length,
        })
    }
}

/// Finds out what an error of the pool means; the dialler's own error is inside where there is one.
fn cause(error: &legacy::Error) -> HttpError {
    let mut inner: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = inner {
        if let Some(own) = error.downcast_ref::<HttpError>() {
            return own.clone();
        }
        inner = error.source();
    }
    if error.is_connect() {
        HttpError::Connect("the handshake failed".to_owned())
    } else {
        HttpError::Interrupted
    }
}
