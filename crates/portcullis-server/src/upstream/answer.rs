//! What an API answered, and what it says of the credential that it was called with.

use http::{HeaderMap, HeaderName, StatusCode, header};
use portcullis_oauth::guard::step_up::insufficient_scope;
use portcullis_oauth::scope::Scopes;
use portcullis_openapi::UpstreamResponse;

use super::credentials::{Credential, Decision};
use super::http::HttpAnswer;
use super::redact::Redactor;

/// What an API answered, without the credentials that it was called with.
#[derive(Debug)]
pub struct Answer {
    status: u16,
    content_type: Option<String>,
    disposition: Option<String>,
    link: Option<String>,
    location: Option<String>,
    body: Vec<u8>,
    truncated_at: Option<usize>,
    declared_length: Option<u64>,
    complaint: Option<Complaint>,
}

/// What an API finds wrong with the person's token, where it was called with that and no other credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Complaint {
    /// It answers 401: the token is good for nothing.
    Refused,
    /// It answers 403 and says that the token lacks scopes; these, where it names them.
    Lacking(Scopes),
}

impl Answer {
    /// Takes the credentials out of an answer.
    pub(super) fn new(answer: HttpAnswer, decision: &Decision<'_>, redactor: &Redactor) -> Self {
        let complaint = match *decision.credentials {
            [Credential::Connection(_)] => complaint(&answer),
            _ => None,
        };
        let mut body = redactor.redact(answer.body);
        if answer.truncated_at.is_some() {
            redactor.redact_cut(&mut body);
        }
        let header = |name: HeaderName| {
            let value = answer.headers.get(name)?.to_str().ok()?;
            Some(redactor.redact_text(value.to_owned()))
        };
        Self {
            status: answer.status.as_u16(),
            content_type: header(header::CONTENT_TYPE),
            disposition: header(header::CONTENT_DISPOSITION),
            link: links(&answer.headers).map(|links| redactor.redact_text(links)),
            location: header(header::LOCATION),
            body,
            truncated_at: answer.truncated_at,
            declared_length: answer.declared_length,
            complaint,
        }
    }

    /// Returns what becomes the result of the call.
    #[must_use]
    pub fn response(&self) -> UpstreamResponse<'_> {
        UpstreamResponse {
            status: self.status,
            content_type: self.content_type.as_deref(),
            disposition: self.disposition.as_deref(),
            link: self.link.as_deref(),
            location: self.location.as_deref(),
            body: &self.body,
            truncated_at: self.truncated_at,
            declared_length: self.declared_length,
        }
    }

    /// Returns what the API finds wrong with the person's token.
    #[must_use]
    pub fn complaint(&self) -> Option<&Complaint> {
        self.complaint.as_ref()
    }

    /// Tells whether the API refuses the person's token.
    #[must_use]
    pub fn refuses_connection(&self) -> bool {
        self.complaint == Some(Complaint::Refused)
    }
}

/// Joins the values of `Link`, which may be several headers.
fn links(headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all(header::LINK).iter();
    let mut values = values.filter_map(|value| value.to_str().ok());
    let mut links = values.next()?.to_owned();
    for value in values {
        links.push_str(", ");
        links.push_str(value);
    }
    Some(links)
}

fn complaint(answer: &HttpAnswer) -> Option<Complaint> {
    match answer.status {
        StatusCode::UNAUTHORIZED => Some(Complaint::Refused),
        StatusCode::FORBIDDEN => {
            let challenges = answer.headers.get_all(header::WWW_AUTHENTICATE).iter();
            let challenges = challenges.filter_map(|value| value.to_str().ok());
            insufficient_scope(challenges).map(Complaint::Lacking)
        }
        _ => None,
    }
}
