//! Errors of the admin API as problem details ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)), with a stable word for programs in `code`.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use super::answer;
use crate::config::ConfigurationError;
use crate::http::body::BodyError;
use crate::manifest::discover::NotFound;
use crate::manifest::file::FileError;
use crate::manifest::proposal::ProposalError;
use crate::manifest::refresh::RefreshError;
use crate::manifest::subject::NoSubject;

/// Why a request is not answered with what it asks for.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
        }
    }

    pub(super) fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    pub(super) fn not_found(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, detail)
    }

    pub(super) fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    pub(super) fn unprocessable(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    pub(super) fn internal(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({
            "title": self.status.canonical_reason(),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = self.status;
        answer::mark(&mut response, "application/problem+json");
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            let minute = HeaderValue::from_static("60");
            response.headers_mut().insert(header::RETRY_AFTER, minute);
        }
        response
    }
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        Self::new(error.status(), "body", error.to_string())
    }
}

impl From<FileError> for Problem {
    fn from(error: FileError) -> Self {
        let detail = error.to_string();
        match error {
            FileError::Exists(_) => Self::conflict("file-exists", detail),
            FileError::Unwritable { .. } => Self::conflict("not-writable", detail),
            FileError::Unreadable { .. } => Self::conflict("not-readable", detail),
            FileError::WouldBeTooLarge { .. } => Self::unprocessable("unusable", detail),
            FileError::TooLarge(_) | FileError::NoManifest { .. } => {
                Self::unprocessable("no-manifest", detail)
            }
        }
    }
}

impl From<ProposalError> for Problem {
    fn from(error: ProposalError) -> Self {
        let detail = error.to_string();
        match error {
            ProposalError::File(error) => error.into(),
            ProposalError::Changed(_) => Self::conflict("changed-meanwhile", detail),
            ProposalError::NoName => Self::bad_request("no-name", detail),
            ProposalError::Incomplete { .. } => Self::unprocessable("incomplete", detail),
            ProposalError::Attach(_) => Self::unprocessable("not-attachable", detail),
            ProposalError::Configuration(error) => error.into(),
        }
    }
}

impl From<ConfigurationError> for Problem {
    fn from(error: ConfigurationError) -> Self {
        let problems = error.problems().iter();
        let lines = problems.map(|it| format!("{it}; {}", it.advice()));
        let lines: Vec<String> = lines.collect();
        Self::unprocessable("unusable", lines.join("\n"))
    }
}

impl From<NotFound> for Problem {
    fn from(error: NotFound) -> Self {
        Self::unprocessable("no-metadata", error.to_string())
    }
}

impl From<RefreshError> for Problem {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::File(error) => error.into(),
            RefreshError::NotFound(error) => error.into(),
            RefreshError::Configuration(error) => error.into(),
        }
    }
}

impl From<NoSubject> for Problem {
    fn from(error: NoSubject) -> Self {
        let detail = error.to_string();
        match error {
            NoSubject::NoManifest(_) => Self::not_found("no-manifest", detail),
            NoSubject::NoToolset(_) => Self::not_found("no-toolset", detail),
            NoSubject::NoUrl => Self::conflict("no-url", detail),
            NoSubject::Manifest(_) => Self::unprocessable("no-manifest", detail),
        }
    }
}
