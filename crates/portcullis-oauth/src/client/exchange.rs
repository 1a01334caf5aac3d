//! A token of the caller's for a token that an API takes: token exchange ([RFC 8693](https://www.rfc-editor.org/rfc/rfc8693)), assertions ([RFC 7523 §2.1](https://www.rfc-editor.org/rfc/rfc7523#section-2.1)), and Microsoft Entra's on-behalf-of, which is an assertion with a word added.
//!
//! The caller's token has been judged before ([`crate::guard::external`]); one that failed is never sent anywhere.
//! Whoever remembers an answer does so under [`cache_key`], and no longer than either token is good.

use portcullis_base::{Digest, SafeUrl, Secret};
use serde_json::Value;
use thiserror::Error;

use crate::wire::token::granted::{self, AnswerPointers};
use crate::wire::token::{IssuedToken, TokenAnswerError};

const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// What a token is to an exchange (RFC 8693 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExchangedType {
    /// An access token of the authorization server that is asked, of whatever form.
    AccessToken,
    /// A JSON Web Token, of whatever authorization server.
    Jwt,
}

impl ExchangedType {
    /// Returns the identifier.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "urn:ietf:params:oauth:token-type:access_token",
            Self::Jwt => "urn:ietf:params:oauth:token-type:jwt",
        }
    }
}

/// A token that goes into an exchange, and what it is.
#[derive(Clone, Copy, Debug)]
pub struct TypedToken<'a> {
    /// The token.
    pub token: &'a Secret,
    /// Its type.
    pub kind: ExchangedType,
}

/// What is asked of a token endpoint by token exchange (RFC 8693 §2.1); what is absent or empty is not sent.
#[derive(Clone, Copy, Debug)]
pub struct TokenExchangeRequest<'a> {
    /// The caller's token.
    pub subject: TypedToken<'a>,
    /// The token of whoever acts for the caller, which is us.
    pub actor: Option<TypedToken<'a>>,
    /// The API, by a name that the authorization server knows.
    pub audience: Option<&'a str>,
    /// The API, by its URL.
    pub resource: Option<&'a str>,
    /// The scopes.
    pub scope: Option<&'a str>,
    /// What the answer is to be.
    pub requested: Option<ExchangedType>,
}

impl<'a> TokenExchangeRequest<'a> {
    /// Returns the fields of the form, without those that authenticate the client.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &'a str)> {
        present([
            ("grant_type", Some(TOKEN_EXCHANGE)),
            ("subject_token", Some(self.subject.token.expose())),
            ("subject_token_type", Some(self.subject.kind.as_str())),
            ("actor_token", self.actor.map(|actor| actor.token.expose())),
            (
                "actor_token_type",
                self.actor.map(|actor| actor.kind.as_str()),
            ),
            ("audience", self.audience),
            ("resource", self.resource),
            ("scope", self.scope),
            (
                "requested_token_type",
                self.requested.map(ExchangedType::as_str),
            ),
        ])
    }
}

/// What is asked of a token endpoint with an assertion (RFC 7523 §2.1); what is absent or empty is not sent.
#[derive(Clone, Copy, Debug)]
pub struct AssertionRequest<'a> {
    /// The assertion: the caller's token, which must be a JSON Web Token.
    pub assertion: &'a Secret,
    /// The resource (RFC 8707).
    pub resource: Option<&'a str>,
    /// The scopes.
    pub scope: Option<&'a str>,
}

impl<'a> AssertionRequest<'a> {
    /// Returns the fields of the form, without those that authenticate the client.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &'a str)> {
        present([
            ("grant_type", Some(JWT_BEARER)),
            ("assertion", Some(self.assertion.expose())),
            ("resource", self.resource),
            ("scope", self.scope),
        ])
    }
}

/// What is asked of Microsoft Entra on behalf of a person ([protocol](https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow)).
///
/// There is no `resource`, which version 2 of its endpoints refuses beside scopes.
#[derive(Clone, Copy, Debug)]
pub struct OnBehalfOfRequest<'a> {
    /// The person's token, which must be for our application.
    pub assertion: &'a Secret,
    /// The scopes of the API, with its name in front of them.
    pub scope: &'a str,
}

impl<'a> OnBehalfOfRequest<'a> {
    /// Returns the fields of the form, without those that authenticate the client.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &'a str)> {
        present([
            ("grant_type", Some(JWT_BEARER)),
            ("assertion", Some(self.assertion.expose())),
            ("scope", Some(self.scope)),
            ("requested_token_use", Some("on_behalf_of")),
        ])
    }
}

fn present<'a, const N: usize>(
    fields: [(&'static str, Option<&'a str>); N],
) -> impl Iterator<Item = (&'static str, &'a str)> {
    fields
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?)))
}

/// Why an exchange brings no token.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ExchangeError {
    /// The answer holds no bearer token; `N_A` is none either (RFC 8693 §2.2.1).
    #[error(transparent)]
    Answer(#[from] TokenAnswerError),
    /// The token is not one that an API takes.
    #[error("the token is no access token: `issued_token_type` is another")]
    OtherType,
}

/// Reads the answer to any of the requests.
///
/// `issued_token_type` is of token exchange alone, and some servers leave it out there too; where it is there, it must be that of an access token or of a JSON Web Token.
/// A refresh token in the answer is not kept: the caller's own token is what renews an exchange.
///
/// # Errors
///
/// When the answer holds no token that is sent as a bearer token.
pub fn read_answer(status: u16, body: &[u8]) -> Result<IssuedToken, ExchangeError> {
    let answer = granted::read(status, body, &AnswerPointers::default())?;
    let issued = answer.members.expose().get("issued_token_type");
    let is_taken = |kind: &Value| {
        [ExchangedType::AccessToken, ExchangedType::Jwt]
            .iter()
            .any(|taken| kind == taken.as_str())
    };
    if issued.is_some_and(|kind| !kind.is_null() && !is_taken(kind)) {
        return Err(ExchangeError::OtherType);
    }
    Ok(IssuedToken {
        access_token: answer.access_token,
        expires_in: answer.expires_in,
        scope: answer.scope.filter(|scope| !scope.is_empty()),
    })
}

/// Computes what the answer to a request is remembered under: a digest of everything that decides it.
///
/// Two callers never share an answer, since their tokens are among the fields; further parameters that the operator adds belong among them too.
#[must_use]
pub fn cache_key<'n, 'v>(
    token_endpoint: &SafeUrl,
    client_id: &str,
    fields: impl IntoIterator<Item = (&'n str, &'v str)>,
) -> Digest {
    let mut parts = vec![token_endpoint.as_url().as_str(), client_id];
    for (name, value) in fields {
        parts.extend([name, value]);
    }
    Digest::of_fields(parts.into_iter().map(str::as_bytes))
}

#[cfg(test)]
mod tests;
