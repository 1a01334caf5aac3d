//! Writes our answer to a question about a token ([RFC 7662 §2.2](https://www.rfc-editor.org/rfc/rfc7662#section-2.2)).
//!
//! The answer of another server is read in [`crate::guard::introspection`].

use portcullis_base::{Origin, SubjectId, Timestamp};
use serde::Serialize;

use crate::issuer::client::ClientId;
use crate::resource::Resource;
use crate::scope::Scopes;

/// What is told of a token that is good.
#[derive(Clone, Debug)]
pub struct IntrospectedToken<'a> {
    /// Whether it is an access token.
    pub is_access_token: bool,
    /// Its scopes.
    pub scope: &'a Scopes,
    /// The client that it was issued to.
    pub client: &'a ClientId,
    /// Whose it is.
    pub subject: SubjectId,
    /// What it is for.
    pub audience: Resource,
    /// Who issued it.
    pub issuer: &'a Origin,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
}

/// The answer.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Introspection<'a> {
    /// Of a token that is good, and the asking client's own.
    Active(Told<'a>),
    /// Of every other: why, nobody is told.
    Inactive(Untold),
}

/// The members of the long answer.
#[derive(Clone, Debug, Serialize)]
pub struct Told<'a> {
    #[serde(rename = "active")]
    is_active: bool,
    scope: &'a Scopes,
    client_id: &'a ClientId,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    exp: i64,
    iat: i64,
    sub: String,
    aud: String,
    iss: &'a str,
}

/// The member of the short answer.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Untold {
    #[serde(rename = "active")]
    is_active: bool,
}

impl<'a> From<Option<IntrospectedToken<'a>>> for Introspection<'a> {
    fn from(token: Option<IntrospectedToken<'a>>) -> Self {
        let Some(token) = token else {
            return Self::Inactive(Untold { is_active: false });
        };
        Self::Active(Told {
            is_active: true,
            scope: token.scope,
            client_id: token.client,
            token_type: token.is_access_token.then_some("Bearer"),
            exp: seconds(token.expires_at),
            iat: seconds(token.issued_at),
            sub: token.subject.to_string(),
            aud: token.audience.to_string(),
            iss: token.issuer.as_str(),
        })
    }
}

fn seconds(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(1000)
}
