//! Who calls, and with which values of his own.
//!
//! Decides from headers alone, before a body is read; the one row it needs is looked up in [`super::keys`].
//! Each inbound mode accepts only its own credential, and `headers` authenticates nobody: who comes in by it brings every value himself.

use std::collections::HashMap;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use portcullis_base::{
    AccessToken, ApiKey, ApiKeyId, Digest, Origin, Plain, Secret, Slug, Timestamp, is_ours,
};
use portcullis_oauth::guard::admit::TokenFault;
use portcullis_oauth::guard::bearer::{BearerError, bearer};
use portcullis_oauth::guard::challenge::{BearerErrorCode, Challenge};
use portcullis_oauth::guard::external::Refusal as ExternalFault;
use portcullis_oauth::issuer::grant::AccessTokenRow;
use portcullis_oauth::issuer::person::Connection;
use portcullis_oauth::resource::naming_query;
use portcullis_oauth::scope::Scopes;
use portcullis_openapi::variables::is_protocol_header;
use portcullis_store::{ApiKeyRow, Inbound};
use thiserror::Error;

use crate::catalogue::PublishedToolset;
use crate::upstream::external::Good;

/// What the headers of variables begin with.
const VARIABLE_PREFIX: &str = "mcp-";

/// The parameter by which RFC 6750 §2.3 lets tokens travel in URLs, where logs and histories keep them.
const TOKEN_PARAMETER: &str = "access_token";

/// Who calls.
#[derive(Clone, Debug)]
pub struct Caller {
    /// How he was admitted.
    pub identity: Identity,
    /// What he passes for the variables that the operator declared caller-supplied.
    pub values: CallerValues,
    /// His connection to the provider, where he signed in and calls need its token.
    pub connection: Option<Arc<Connection>>,
}

/// How a caller was admitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// As anyone.
    Open,
    /// By an API key.
    ApiKey(ApiKeyId),
    /// By an access token of ours: a person who signed in.
    Person(Arc<AccessTokenRow>),
    /// By an access token of the provider's own.
    External(Bearer),
    /// As anyone, with nothing but his own values.
    Headers,
}

/// A caller with an access token of the provider's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// The token.
    pub token: Secret,
    /// What is known of it.
    pub good: Arc<Good>,
    /// Whether nobody but the API behind judges it.
    pub is_unvalidated: bool,
}

impl Caller {
    /// Tells whether values of the toolset's environment may be used for this caller.
    #[must_use]
    pub fn may_use_environment(&self) -> bool {
        match &self.identity {
            Identity::Open | Identity::ApiKey(_) | Identity::Person(_) => true,
            // Of a token that nobody has judged nobody knows who holds it.
            Identity::External(bearer) => !bearer.is_unvalidated,
            Identity::Headers => false,
        }
    }

    /// Returns the access token of a person who signed in.
    #[must_use]
    pub fn token(&self) -> Option<&Arc<AccessTokenRow>> {
        match &self.identity {
            Identity::Person(token) => Some(token),
            Identity::Open | Identity::ApiKey(_) | Identity::External(_) | Identity::Headers => {
                None
            }
        }
    }

    /// Returns the access token of the provider's own that he came in by.
    #[must_use]
    pub fn bearer(&self) -> Option<&Bearer> {
        match &self.identity {
            Identity::External(bearer) => Some(bearer),
            _ => None,
        }
    }

    /// Returns the scopes that he was granted, where that is known.
    #[must_use]
    pub fn scopes(&self) -> Option<&Scopes> {
        match &self.identity {
            Identity::Person(token) => Some(&token.scopes),
            Identity::External(bearer) => bearer.good.access.scopes.as_ref(),
            Identity::Open | Identity::ApiKey(_) | Identity::Headers => None,
        }
    }
}

/// Values that a caller passes, by variable.
#[derive(Clone, Debug, Default)]
pub struct CallerValues(HashMap<String, Secret>);

impl CallerValues {
    /// Reads the declared variables out of a request's headers; all others are left alone.
    ///
    /// # Errors
    ///
    /// When a declared variable is given twice, or its value is not text.
    pub fn read(headers: &HeaderMap, toolset: &PublishedToolset) -> Result<Self, Refusal> {
        let mut values = HashMap::new();
        if toolset.caller_supplied.is_empty() {
            return Ok(Self(values));
        }
        for (name, value) in headers {
            let Some(variable) = variable_of(name) else {
                continue;
            };
            if !toolset.caller_supplied.contains(&variable) {
                continue;
            }
            let text = std::str::from_utf8(value.as_bytes())
                .map_err(|_| Refusal::VariableNotText(name.clone()))?;
            if values
                .insert(variable, Secret::new(text.to_owned()))
                .is_some()
            {
                return Err(Refusal::VariableRepeated(name.clone()));
            }
        }
        Ok(Self(values))
    }

    /// Returns the value of a variable.
    #[must_use]
    pub fn value(&self, variable: &str) -> Option<&Secret> {
        self.0.get(variable)
    }

    /// Tells whether nothing is passed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(String, Secret)> for CallerValues {
    fn from_iter<I: IntoIterator<Item = (String, Secret)>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

/// Returns the variable that a header carries; the inverse of `portcullis_openapi::variables::header_name`.
fn variable_of(header: &HeaderName) -> Option<String> {
    let name = header.as_str().strip_prefix(VARIABLE_PREFIX)?;
    if is_protocol_header(header.as_str()) {
        return None;
    }
    // With an underscore in the header two headers would name one variable.
    (!name.contains('_')).then(|| name.to_ascii_uppercase().replace('-', "_"))
}

/// What a request presents, as far as the toolset cares.
#[derive(Debug)]
pub enum Presented {
    /// Whatever it presents, it is admitted.
    Admitted(Identity),
    /// An API key, to be looked up and judged by [`judge_key`].
    ApiKey(Digest),
    /// An access token, to be looked up and judged by [`portcullis_oauth::guard::admit::admit`].
    AccessToken(Digest),
    /// An access token of the provider's own, to be judged by [`crate::upstream::external`].
    External(Secret),
}

/// Reads the credential of a request.
///
/// # Errors
///
/// When the toolset needs a credential, and there is none that could be good.
pub fn present(
    headers: &HeaderMap,
    query: Option<&str>,
    toolset: &PublishedToolset,
) -> Result<Presented, Refusal> {
    let given = headers.get_all(header::AUTHORIZATION).iter();
    let presented = bearer(given.map(HeaderValue::as_bytes));
    if presented == Err(BearerError::Repeated) {
        return Err(Refusal::AuthorizationRepeated);
    }
    let accepts = |mode| toolset.inbound.contains(&mode);
    let ways = [Inbound::ApiKey, Inbound::OAuth, Inbound::External];
    let takes_tokens = ways.into_iter().any(accepts);
    if takes_tokens && presented != Err(BearerError::Absent) {
        return token(presented, toolset);
    }
    if accepts(Inbound::Open) {
        return Ok(Presented::Admitted(Identity::Open));
    }
    // Where there is another way in, who brings nothing is told of it.
    let brings_values = !accepts(Inbound::External) || carries_values(headers, toolset);
    if accepts(Inbound::Headers) && brings_values {
        return Ok(Presented::Admitted(Identity::Headers));
    }
    if query.is_some_and(names_a_token) {
        return Err(Refusal::CredentialInUrl);
    }
    Err(if accepts(Inbound::OAuth) || accepts(Inbound::External) {
        Refusal::SignInMissing
    } else {
        Refusal::CredentialMissing
    })
}

/// Judges the API key that a request presents, `row` being what is stored of it.
///
/// # Errors
///
/// When the key is unknown, revoked, expired, or opens other toolsets only.
pub fn judge_key(
    row: Option<&ApiKeyRow>,
    toolset: &Slug,
    now: Timestamp,
) -> Result<ApiKeyId, Refusal> {
    let row = row.ok_or(Refusal::Key(KeyFault::Unknown))?;
    let fault = if row.revoked_at.is_some() {
        KeyFault::Revoked
    } else if row.expires_at.is_some_and(|expiry| expiry <= now) {
        KeyFault::Expired
    } else if !row.toolsets.is_empty() && !row.toolsets.contains(toolset) {
        KeyFault::OtherToolset
    } else {
        return Ok(row.id);
    };
    Err(Refusal::Key(fault))
}

/// Tells the kinds of token apart by their prefix; an API key is no access token and the other way round.
///
/// What bears a prefix of ours is no token of a provider's: it is never asked about there, nor sent to an API.
fn token(
    presented: Result<&str, BearerError>,
    toolset: &PublishedToolset,
) -> Result<Presented, Refusal> {
    let accepts = |mode| toolset.inbound.contains(&mode);
    let no_token = if accepts(Inbound::OAuth) || accepts(Inbound::External) {
        Refusal::Token(TokenFault::NoToken)
    } else {
        Refusal::Key(KeyFault::NoKey)
    };
    let text = match presented {
        Ok(text) => text,
        Err(BearerError::OtherScheme) => return Err(Refusal::AuthorizationNotBearer),
        Err(_) => return Err(no_token),
    };
    if accepts(Inbound::OAuth)
        && let Ok(token) = Plain::<AccessToken>::parse(text)
    {
        return Ok(Presented::AccessToken(token.digest()));
    }
    if accepts(Inbound::ApiKey)
        && let Ok(key) = Plain::<ApiKey>::parse(text)
    {
        return Ok(Presented::ApiKey(key.digest()));
    }
    if accepts(Inbound::External) && !is_ours(text) {
        return Ok(Presented::External(Secret::new(text.to_owned())));
    }
    Err(no_token)
}

fn carries_values(headers: &HeaderMap, toolset: &PublishedToolset) -> bool {
    let mut variables = headers.keys().filter_map(variable_of);
    variables.any(|variable| toolset.caller_supplied.contains(&variable))
}

fn names_a_token(query: &str) -> bool {
    url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == TOKEN_PARAMETER)
}

/// Why a caller is not admitted.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Refusal {
    /// No credential, where one is needed.
    #[error("this endpoint needs an API key; send it as `Authorization: Bearer`")]
    CredentialMissing,
    /// No credential, where a person signs in.
    #[error(
        "this endpoint needs a sign-in; its authorization server is named in the resource metadata"
    )]
    SignInMissing,
    /// The credential is where logs can see it.
    #[error("credentials in URLs are not accepted; send them as `Authorization: Bearer`")]
    CredentialInUrl,
    /// Two credentials.
    #[error("the request has more than one `Authorization` header")]
    AuthorizationRepeated,
    /// Another scheme than `Bearer`.
    #[error("this endpoint takes credentials as `Authorization: Bearer`")]
    AuthorizationNotBearer,
    /// A credential that is not good here; the reason is for the log.
    #[error("the API key is not valid for this endpoint")]
    Key(KeyFault),
    /// An access token that is not good here; the reason is for the log.
    #[error("the access token is not valid for this endpoint")]
    Token(TokenFault),
    /// An access token of the provider's own that is not good here; what is wrong with it is nothing that its holder may not know.
    #[error("the access token is not valid for this endpoint: {0}")]
    External(ExternalFault),
    /// An access token that does not reach as far as the tool that is called.
    #[error("the tool needs permissions that were not granted")]
    Scope(Scopes),
    /// A variable twice.
    #[error("the request has more than one `{0}` header")]
    VariableRepeated(HeaderName),
    /// A value that is not UTF-8.
    #[error("the value of `{0}` is not UTF-8")]
    VariableNotText(HeaderName),
}

/// Why an API key is not good; the text goes on after "the API key".
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum KeyFault {
    /// It does not have an API key's form.
    #[error("does not have an API key's form")]
    NoKey,
    /// It is stored nowhere.
    #[error("is unknown")]
    Unknown,
    /// It was revoked.
    #[error("was revoked")]
    Revoked,
    /// It has expired.
    #[error("has expired")]
    Expired,
    /// It opens other toolsets only.
    #[error("opens other toolsets only")]
    OtherToolset,
}

impl Refusal {
    /// Returns the HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::CredentialMissing
            | Self::SignInMissing
            | Self::CredentialInUrl
            | Self::AuthorizationNotBearer
            | Self::Key(_)
            | Self::Token(_)
            | Self::External(_) => StatusCode::UNAUTHORIZED,
            Self::Scope(_) => StatusCode::FORBIDDEN,
            Self::AuthorizationRepeated | Self::VariableRepeated(_) | Self::VariableNotText(_) => {
                StatusCode::BAD_REQUEST
            }
        }
    }

    /// Returns the error code of RFC 6750 §3.1; none where the request presents nothing.
    #[must_use]
    pub fn code(&self) -> Option<BearerErrorCode> {
        match self {
            Self::CredentialMissing | Self::SignInMissing | Self::AuthorizationNotBearer => None,
            Self::Key(_) | Self::Token(_) | Self::External(_) => {
                Some(BearerErrorCode::InvalidToken)
            }
            Self::Scope(_) => Some(BearerErrorCode::InsufficientScope),
            Self::CredentialInUrl
            | Self::AuthorizationRepeated
            | Self::VariableRepeated(_)
            | Self::VariableNotText(_) => Some(BearerErrorCode::InvalidRequest),
        }
    }

    /// Returns the value of `WWW-Authenticate`: one challenge, which names the metadata document where people sign in.
    ///
    /// `query` is that of the URL that the client was given.
    #[must_use]
    pub fn challenge(
        &self,
        toolset: &PublishedToolset,
        public_url: &Origin,
        query: Option<&str>,
    ) -> Option<HeaderValue> {
        if !matches!(
            self.status(),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
        ) {
            return None;
        }
        let error = self.code();
        let description = error.map(|_| self.to_string());
        let query = naming_query(query).filter(|_| toolset.sign_in.is_some());
        let metadata = toolset
            .signing_in()
            .map(|_| protected_resource_url(public_url, &toolset.slug, query));
        let scope = match (self, toolset.signing_in()) {
            (Self::Scope(needed), _) => Some(needed.to_string()),
            (_, Some(sign_in)) => Some(sign_in.scopes.to_string()),
            (_, None) => None,
        };
        let challenge = Challenge {
            realm: Some(toolset.slug.as_str()),
            error,
            error_description: description.as_deref(),
            scope: scope.as_deref().filter(|scope| !scope.is_empty()),
            resource_metadata: metadata.as_deref(),
        };
        HeaderValue::try_from(challenge.to_string()).ok()
    }
}

/// Returns the URL of a toolset's metadata document (RFC 9728 §3.1), with the query that is part of the resource's name.
fn protected_resource_url(public_url: &Origin, toolset: &Slug, query: Option<&str>) -> String {
    let mut url = format!("{public_url}/.well-known/oauth-protected-resource/{toolset}/mcp");
    if let Some(query) = query {
        url.push('?');
        url.push_str(query);
    }
    url
}

#[cfg(test)]
mod tests;
