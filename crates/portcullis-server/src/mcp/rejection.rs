//! Why a request ends before its message is read, and what the client is told.

use axum::response::Response;
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use portcullis_base::{Blame, Origin};
use portcullis_oauth::guard::challenge::BearerErrorCode;
use portcullis_store::StoreError;
use thiserror::Error;

use super::{caller, response};
use crate::catalogue::PublishedToolset;
use crate::http::body::BodyError;
use crate::upstream::external::Untold;
use crate::upstream::vault::VaultError;

/// Why a request is not read.
#[derive(Debug, Error)]
pub(super) enum Rejection {
    #[error("there is no MCP endpoint at this URL")]
    UnknownToolset,
    #[error("there is nothing at this URL; MCP endpoints are at `/{{toolset}}/mcp`")]
    NoRoute,
    #[error("{0}")]
    Caller(caller::Refusal, Option<HeaderValue>),
    #[error("the gateway cannot tell at the moment whether the credential is valid; try again")]
    Store(StoreError),
    #[error(
        "the gateway cannot tell at the moment whether the access token is valid: {0}; try again"
    )]
    Untold(Untold),
    #[error("{0}; try again")]
    Later(VaultError),
    #[error("an MCP endpoint takes POST only")]
    Method,
    #[error("the body must be declared as `Content-Type: application/json`")]
    MediaType,
    #[error("{0}")]
    Body(BodyError),
}

impl Rejection {
    /// Refuses a caller, with the challenge that his client goes by.
    pub(super) fn caller(
        refusal: caller::Refusal,
        toolset: &PublishedToolset,
        public_url: &Origin,
        query: Option<&str>,
    ) -> Self {
        let challenge = refusal.challenge(toolset, public_url, query);
        Self::Caller(refusal, challenge)
    }

    pub(super) fn blame(&self) -> Blame {
        match self {
            Self::Store(error) => error.blame(),
            Self::Untold(error) => error.blame(),
            Self::Later(error) => error.blame(),
            _ => Blame::Caller,
        }
    }

    /// Returns the reason for the log, which says more of a credential than its holder is told.
    pub(super) fn cause(&self) -> String {
        match self {
            Self::Caller(caller::Refusal::Key(fault), _) => format!("the API key {fault}"),
            Self::Caller(caller::Refusal::Token(fault), _) => format!("the access token {fault}"),
            rejection => rejection.to_string(),
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::UnknownToolset | Self::NoRoute => StatusCode::NOT_FOUND,
            Self::Caller(refusal, _) => refusal.status(),
            Self::Untold(Untold::Refusals) => StatusCode::TOO_MANY_REQUESTS,
            Self::Store(_) | Self::Untold(_) | Self::Later(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Body(error) => error.status(),
        }
    }

    /// Returns the `error` member, in OAuth's words where it has one (RFC 6749 §5.2, RFC 6750 §3.1).
    fn code(&self) -> &'static str {
        match self {
            Self::UnknownToolset | Self::NoRoute => "not_found",
            Self::Caller(refusal, _) => refusal
                .code()
                .map_or("unauthorized", BearerErrorCode::as_str),
            Self::Store(_) | Self::Untold(_) | Self::Later(_) => "temporarily_unavailable",
            Self::Method | Self::MediaType | Self::Body(_) => "invalid_request",
        }
    }

    /// Makes the response; the cause of [`Rejection::Store`] is logged here and told to nobody.
    pub(super) fn response(&self) -> Response {
        let body = serde_json::json!({
            "error": self.code(),
            "error_description": self.to_string(),
        });
        let mut response = response::json(self.status(), Bytes::from(body.to_string()));
        match self {
            Self::Caller(_, challenge) => {
                if let Some(challenge) = challenge {
                    let headers = response.headers_mut();
                    headers.insert(header::WWW_AUTHENTICATE, challenge.clone());
                }
            }
            Self::Method => response::set(&mut response, header::ALLOW, "POST"),
            Self::Store(error) => {
                tracing::error!(%error, "cannot look up a credential");
                response::set(&mut response, header::RETRY_AFTER, "1");
            }
            Self::Later(VaultError::Later {
                retry_after: Some(rest),
                ..
            }) => {
                // Rounded up, or whoever comes in time is told the same again.
                let seconds = rest.as_millis().div_ceil(1000).max(1);
                if let Ok(value) = HeaderValue::try_from(seconds.to_string()) {
                    response.headers_mut().insert(header::RETRY_AFTER, value);
                }
            }
            Self::Untold(Untold::Refusals) => {
                response::set(&mut response, header::RETRY_AFTER, "60");
            }
            Self::Untold(_) | Self::Later(_) => {
                response::set(&mut response, header::RETRY_AFTER, "5");
            }
            Self::UnknownToolset | Self::NoRoute | Self::MediaType | Self::Body(_) => {}
        }
        response
    }
}
