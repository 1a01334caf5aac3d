//! Requests to a token endpoint, and its answers as they really come.
//!
//! The request is [RFC 6749 §4.4.2](https://www.rfc-editor.org/rfc/rfc6749#section-4.4.2), with `resource` of RFC 8707 and the `audience` that many providers ask for instead.
//! The answer (§5.1, §5.2) is read tolerantly, since providers stray: form-encoded, with lifetimes as text, with an error under status 200.
//! An expiry is never invented: what is not given, or is no number, is unknown.

use std::time::Duration;

use portcullis_base::Secret;
use serde_json::{Map, Value};
use thiserror::Error;
use url::form_urlencoded;

use crate::client_auth::FormField;

pub mod granted;

/// The longest text of an error that is kept.
const LONGEST_TEXT: usize = 500;

/// What a client asks of a token endpoint with its own credentials.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClientCredentialsRequest<'a> {
    /// The scopes, separated by spaces.
    pub scope: Option<&'a str>,
    /// The audience.
    pub audience: Option<&'a str>,
    /// The resource (RFC 8707).
    pub resource: Option<&'a str>,
}

impl<'a> ClientCredentialsRequest<'a> {
    /// Returns the fields of the form, without those that authenticate the client; what is empty is left out.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &'a str)> {
        [
            ("grant_type", Some("client_credentials")),
            ("scope", self.scope),
            ("audience", self.audience),
            ("resource", self.resource),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?)))
    }
}

/// Writes a form; of further parameters those that the form has already are left out.
#[must_use]
pub fn form<'a>(
    fields: impl IntoIterator<Item = (&'static str, &'a str)>,
    authentication: &[FormField],
    further: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Secret {
    let mut form = form_urlencoded::Serializer::new(String::new());
    let mut names = Vec::new();
    for (name, value) in fields {
        names.push(name);
        form.append_pair(name, value);
    }
    for field in authentication {
        names.push(field.name);
        form.append_pair(field.name, field.value.expose());
    }
    for (name, value) in further {
        if !names.contains(&name) {
            form.append_pair(name, value);
        }
    }
    Secret::new(form.finish())
}

/// A token that was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedToken {
    /// The access token, to be sent as `Authorization: Bearer`.
    pub access_token: Secret,
    /// How long it is good; absent where the provider does not say.
    pub expires_in: Option<Duration>,
    /// The scopes that were granted, where they are named.
    pub scope: Option<String>,
}

/// Why an answer holds no token.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TokenAnswerError {
    /// The provider refuses (RFC 6749 §5.2).
    #[error("{0}")]
    Refused(Refusal),
    /// The answer is neither JSON nor a form.
    #[error("status {status} with an answer that is neither JSON nor a form")]
    Unreadable {
        /// The status.
        status: u16,
    },
    /// The answer names neither a token nor an error.
    #[error("status {status} with neither `access_token` nor `error`")]
    Empty {
        /// The status.
        status: u16,
    },
    /// The token is of a type that is not sent as a bearer token.
    #[error("the token is of a type other than Bearer")]
    OtherType,
    /// The token holds characters that no header carries.
    #[error("the access token holds characters that a header cannot carry")]
    Unsendable,
}

/// An error as a provider words it; for the operator's log only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// `error`.
    pub error: String,
    /// `error_description`, cut to a reasonable length.
    pub error_description: Option<String>,
    /// `error_uri`.
    pub error_uri: Option<String>,
}

impl Refusal {
    /// Returns the code where it is one that RFC 6749 §5.2 or RFC 8707 defines, so that it may be shown to anyone.
    #[must_use]
    pub fn known_code(&self) -> Option<&'static str> {
        KNOWN_CODES.into_iter().find(|code| *code == self.error)
    }

    /// Tells whether another method of client authentication may help.
    #[must_use]
    pub fn is_about_the_client(&self) -> bool {
        self.status == 401
            || matches!(
                self.error.as_str(),
                "invalid_client" | "invalid_request" | "unauthorized_client"
            )
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "status {} with error {:?}", self.status, self.error)
    }
}

const KNOWN_CODES: [&str; 7] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "invalid_target",
];

/// Reads a token endpoint's answer, whatever its content type says.
///
/// # Errors
///
/// When it holds no bearer token.
pub fn read_answer(status: u16, body: &[u8]) -> Result<IssuedToken, TokenAnswerError> {
    let answer = granted::read(status, body, &granted::AnswerPointers::default())?;
    Ok(IssuedToken {
        access_token: answer.access_token,
        expires_in: answer.expires_in,
        scope: answer.scope.filter(|scope| !scope.is_empty()),
    })
}

/// A bare 401 is a refusal of the client, whatever its body is.
fn unreadable(status: u16) -> TokenAnswerError {
    match status {
        401 => TokenAnswerError::Refused(Refusal {
            status,
            error: "invalid_client".to_owned(),
            error_description: None,
            error_uri: None,
        }),
        _ => TokenAnswerError::Unreadable { status },
    }
}

fn members(body: &[u8]) -> Option<Map<String, Value>> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => return Some(members),
        Ok(_) => return None,
        Err(_) => {}
    }
    let text = std::str::from_utf8(body).ok()?.trim();
    let is_form = text.contains('=') && !text.contains(['<', '{', '\n', ' ']);
    is_form.then(|| {
        form_urlencoded::parse(text.as_bytes())
            .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
            .collect()
    })
}

fn refusal(status: u16, members: &Map<String, Value>) -> Option<Refusal> {
    let short = |name| text(members, name).map(short);
    Some(Refusal {
        status,
        error: short("error")?,
        error_description: short("error_description"),
        error_uri: short("error_uri"),
    })
}

fn short(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    members
        .get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

/// Reads `expires_in`, a number or the text of one; a fraction is cut off, what is negative or no number is unknown.
fn lifetime(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    if !seconds.is_finite() || seconds < 0.0 {
        return None;
    }
    Duration::try_from_secs_f64(seconds.trunc().min(f64::from(u32::MAX))).ok()
}

#[cfg(test)]
mod tests;
