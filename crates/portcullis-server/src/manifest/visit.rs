//! Single questions to a provider: bounded in time and size, by way of the egress guard, and without following redirects.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Uri, header};
use http_body_util::Full;
use portcullis_base::SafeUrl;
use portcullis_oauth::manifest::InvalidManifest;
use thiserror::Error;
use tokio::time::timeout;

use super::file::MAX_BYTES;
use crate::config::UpstreamSettings;
use crate::doctor::finding::quoted;
use crate::gateway::egress_policy;
use crate::upstream::http::{Http, HttpAnswer, HttpError};
use crate::upstream::policy::EgressRefusal;

/// The time for one answer.
const TIME: Duration = Duration::from_secs(10);

/// Whoever asks providers what they say of themselves.
#[derive(Clone, Debug)]
pub struct Visitor {
    http: Http,
}

/// Why a place gives no document.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Unfit {
    /// Nobody allowed to go there.
    #[error(transparent)]
    NotAllowed(#[from] EgressRefusal),
    /// There is no answer.
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    /// It is elsewhere, says whoever answers.
    #[error("it answers with a redirect to {to} (status {status}), and none is followed")]
    Redirect {
        /// The status.
        status: u16,
        /// Where to, quoted.
        to: String,
    },
    /// It is not there.
    #[error("it answers with status {0}")]
    Status(u16),
    /// It has no end.
    #[error("it answers with more than {0} bytes")]
    TooLarge(usize),
    /// It is something else.
    #[error(transparent)]
    Document(#[from] InvalidManifest),
}

impl Unfit {
    /// Tells whether other places at the same origin are as little use.
    pub(super) fn holds_for_origin(&self) -> bool {
        matches!(self, Self::NotAllowed(_) | Self::Unreachable(_))
    }
}

impl Visitor {
    /// Makes a visitor that goes where the settings let the gateway go.
    #[must_use]
    pub fn new(settings: &UpstreamSettings) -> Self {
        Self::by(Http::new(egress_policy(settings), settings.connect))
    }

    /// Makes a visitor that goes out through `http`.
    #[must_use]
    pub fn by(http: Http) -> Self {
        Self { http }
    }

    /// Fetches a document, whose form is for the caller to judge.
    pub(super) async fn document(&self, url: &SafeUrl) -> Result<Vec<u8>, Unfit> {
        let answer = self.ask(Question::get(url)).await?;
        let status = answer.status.as_u16();
        match status {
            _ if answer.truncated_at.is_some() => Err(Unfit::TooLarge(MAX_BYTES)),
            200 => Ok(answer.body),
            300..=399 => Err(Unfit::Redirect {
                status,
                to: quoted(text(&answer, &header::LOCATION)),
            }),
            _ => Err(Unfit::Status(status)),
        }
    }

    /// Asks a question, and gives whatever is answered.
    pub(super) async fn ask(&self, question: Question<'_>) -> Result<HttpAnswer, Unfit> {
        let request = question.request()?;
        match timeout(TIME, self.http.exchange(request, MAX_BYTES)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(HttpError::Refused(refusal))) => Err(refusal.into()),
            Ok(Err(error)) => Err(Unfit::Unreachable(error.to_string())),
            Err(_) => {
                let seconds = TIME.as_secs();
                Err(Unfit::Unreachable(format!("no answer within {seconds} s")))
            }
        }
    }
}

/// A request in the making.
pub(super) struct Question<'a> {
    method: Method,
    url: &'a SafeUrl,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

impl<'a> Question<'a> {
    pub(super) fn get(url: &'a SafeUrl) -> Self {
        Self::new(Method::GET, url)
    }

    pub(super) fn new(method: Method, url: &'a SafeUrl) -> Self {
        let json = HeaderValue::from_static("application/json, text/event-stream;q=0.5");
        Self {
            method,
            url,
            headers: vec![(header::ACCEPT, json)],
            body: Bytes::new(),
        }
    }

    pub(super) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Adds a body of JSON.
    pub(super) fn json(mut self, body: &serde_json::Value) -> Self {
        self.body = Bytes::from(body.to_string());
        self.with(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        )
    }

    fn request(self) -> Result<Request<Full<Bytes>>, Unfit> {
        let uri = Uri::try_from(self.url.as_url().as_str());
        let uri = uri.map_err(|error| Unfit::Unreachable(error.to_string()))?;
        let mut request = Request::new(Full::new(self.body));
        *request.method_mut() = self.method;
        *request.uri_mut() = uri;
        request.headers_mut().extend(self.headers);
        Ok(request)
    }
}

/// Returns a header's value; nothing where it is absent or no text.
pub(super) fn text<'a>(answer: &'a HttpAnswer, name: &HeaderName) -> &'a str {
    let value = answer.headers.get(name);
    value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}
