//! `/authorize`: what becomes of an authorization request ([OAuth 2.1 §4.1](https://datatracker.ietf.org/doc/draft-ietf-oauth-v2-1/), RFC 6749 §4.1.1).
//!
//! Until client and redirect URI are known to belong together, an error is a page and never a redirect (RFC 6749 §4.1.2.1: "MUST NOT automatically redirect the user-agent to the invalid redirection URI").
//! After that it goes to the client: at once where its redirect URI is somebody's own machine or vouched for by the operator, and otherwise by a link that the person follows, so that whoever registers himself makes no open redirector of us (RFC 9700 §4.11.2).

use portcullis_base::{Origin, Slug};
use thiserror::Error;

use super::client::{Client, ClientId, ClientOrigin};
use super::flow::AuthorizationRequest;
use crate::pkce::{self, CodeChallenge};
use crate::redirect_uri::{RedirectKind, RedirectUri};
use crate::resource::Resource;
use crate::scope::Scopes;
use crate::wire::error::{OAuthError, OAuthErrorCode};
use crate::wire::form::Parameters;

/// The longest `state` that is kept for a client; each open flow holds one.
const MAX_STATE_BYTES: usize = 8192;

/// What the operator's configuration says about authorization requests.
#[derive(Clone, Copy, Debug)]
pub struct AuthorizationPolicy<'a> {
    /// What the URLs of our MCP endpoints begin with; our issuer.
    pub public_url: &'a Origin,
    /// The toolsets that take our tokens, with their scopes.
    pub toolsets: &'a [(Slug, Scopes)],
    /// Hosts of redirect URIs that errors may go to at once.
    pub trusted_redirect_hosts: &'a [String],
}

/// What becomes of an authorization request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// A page with status 400, and no way to anywhere.
    Untrusted(Untrusted),
    /// The client is told.
    Refused(Refused),
    /// The person is asked.
    Pending(AuthorizationRequest),
}

/// Why nobody is redirected anywhere.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Untrusted {
    /// There is no `client_id`, or none that could be.
    #[error("the request names no client: `client_id` is missing or malformed")]
    NoClient,
    /// Nobody registered under that id.
    #[error(
        "the client is not registered here; disconnect and connect it again, so that it registers"
    )]
    UnknownClient,
    /// There is no `redirect_uri`, and the client has several or none that could be meant.
    #[error("the request has no `redirect_uri`")]
    NoRedirectUri,
    /// The URI is none that the client registered.
    #[error("the `redirect_uri` of the request is none that the client registered")]
    OtherRedirectUri,
}

/// An error that goes to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The redirect URI, exactly as it was sent.
    pub redirect_uri: String,
    /// `state`, exactly as it was sent.
    pub state: Option<String>,
    /// What is wrong.
    pub error: OAuthError,
    /// Whether the browser may go there without the person's doing.
    pub at_once: bool,
}

/// Returns the client that a request names, so that it can be looked up.
///
/// # Errors
///
/// When it names none.
pub fn client_of(parameters: &Parameters) -> Result<ClientId, Untrusted> {
    let id = parameters.get("client_id").ok_or(Untrusted::NoClient)?;
    ClientId::parse(id).map_err(|_| Untrusted::NoClient)
}

/// Judges a request whose client was looked up.
pub fn authorize(
    parameters: &Parameters,
    client: Option<&Client>,
    policy: &AuthorizationPolicy<'_>,
) -> Outcome {
    let Some(client) = client else {
        return Outcome::Untrusted(Untrusted::UnknownClient);
    };
    let redirect_uri = match redirect_uri(parameters, client) {
        Ok(uri) => uri,
        Err(untrusted) => return Outcome::Untrusted(untrusted),
    };
    let state = parameters.get("state").map(str::to_owned);
    match requested(parameters, client, policy) {
        Ok(requested) => Outcome::Pending(AuthorizationRequest {
            client: client.id.clone(),
            redirect_uri: redirect_uri.presented.to_owned(),
            state,
            toolset: requested.toolset,
            scopes: requested.scopes,
            code_challenge: requested.code_challenge,
        }),
        Err(error) => Outcome::Refused(Refused {
            at_once: is_trusted(redirect_uri.registered, client, policy),
            redirect_uri: redirect_uri.presented.to_owned(),
            state,
            error,
        }),
    }
}

/// Tells whether the browser may be sent to a client's redirect URI with an error, without the person's doing.
#[must_use]
pub fn may_be_told_at_once(
    redirect_uri: &str,
    client: &Client,
    policy: &AuthorizationPolicy<'_>,
) -> bool {
    let mut registered = client.metadata.redirect_uris.iter();
    registered
        .find(|uri| uri.matches(redirect_uri))
        .is_some_and(|uri| is_trusted(uri, client, policy))
}

fn is_trusted(uri: &RedirectUri, client: &Client, policy: &AuthorizationPolicy<'_>) -> bool {
    client.origin == ClientOrigin::PreRegistered
        || match uri.kind() {
            RedirectKind::Loopback => true,
            RedirectKind::Https { host } => {
                let mut trusted = policy.trusted_redirect_hosts.iter();
                trusted.any(|trusted| trusted.eq_ignore_ascii_case(host))
            }
            RedirectKind::PrivateUse { .. } => false,
        }
}

/// A redirect URI as it was sent, and the registered one that it is.
struct Matched<'a> {
    presented: &'a str,
    registered: &'a RedirectUri,
}

fn redirect_uri<'a>(
    parameters: &'a Parameters,
    client: &'a Client,
) -> Result<Matched<'a>, Untrusted> {
    let registered = client.metadata.redirect_uris.as_slice();
    let Some(presented) = parameters.get("redirect_uri") else {
        // RFC 6749 §3.1.2.3: it may be left out where exactly one is registered.
        return match registered {
            [only] => Ok(Matched {
                presented: only.as_str(),
                registered: only,
            }),
            _ => Err(Untrusted::NoRedirectUri),
        };
    };
    registered
        .iter()
        .find(|uri| uri.matches(presented))
        .map(|registered| Matched {
            presented,
            registered,
        })
        .ok_or(Untrusted::OtherRedirectUri)
}

struct Requested {
    toolset: Option<Slug>,
    scopes: Scopes,
    code_challenge: CodeChallenge,
}

fn requested(
    parameters: &Parameters,
    client: &Client,
    policy: &AuthorizationPolicy<'_>,
) -> Result<Requested, OAuthError> {
    use OAuthErrorCode as Code;
    if parameters
        .get("state")
        .is_some_and(|state| state.len() > MAX_STATE_BYTES)
    {
        return Err(OAuthError::new(
            Code::InvalidRequest,
            "`state` has at most 8192 bytes",
        ));
    }
    if parameters.has("request") {
        return Err(OAuthError::new(
            Code::RequestNotSupported,
            "request objects are not supported",
        ));
    }
    if parameters.has("request_uri") {
        return Err(OAuthError::new(
            Code::RequestUriNotSupported,
            "request objects are not supported",
        ));
    }
    match parameters.get("response_type") {
        Some("code") => {}
        Some(_) => {
            return Err(OAuthError::new(
                Code::UnsupportedResponseType,
                "`response_type` must be `code`",
            ));
        }
        None => {
            return Err(OAuthError::new(
                Code::InvalidRequest,
                "`response_type` is missing; it must be `code`",
            ));
        }
    }
    if parameters
        .get("response_mode")
        .is_some_and(|mode| mode != "query")
    {
        return Err(OAuthError::new(
            Code::InvalidRequest,
            "`response_mode` must be `query`",
        ));
    }
    let code_challenge = code_challenge(parameters)?;
    let toolset = toolset(parameters, policy)?;
    let scopes = scopes(parameters, client, toolset, policy)?;
    if prompts_nobody(parameters) {
        return Err(OAuthError::new(
            Code::InteractionRequired,
            "`prompt=none` is not supported: the person has to be asked",
        ));
    }
    Ok(Requested {
        toolset: toolset.cloned(),
        scopes,
        code_challenge,
    })
}

fn prompts_nobody(parameters: &Parameters) -> bool {
    let prompt = parameters.get("prompt").unwrap_or_default();
    prompt.split(' ').any(|word| word == "none")
}

/// OAuth 2.1 §4.1.1: a request without a challenge is refused; without a method it would be `plain`, which is refused as well.
fn code_challenge(parameters: &Parameters) -> Result<CodeChallenge, OAuthError> {
    let invalid = |description| OAuthError::new(OAuthErrorCode::InvalidRequest, description);
    let challenge = parameters
        .get("code_challenge")
        .ok_or_else(|| invalid("`code_challenge` is missing: PKCE with S256 is required"))?;
    if parameters.get("code_challenge_method") != Some(pkce::METHOD) {
        return Err(invalid("`code_challenge_method` must be `S256`"));
    }
    CodeChallenge::parse(challenge).map_err(|_| {
        invalid("`code_challenge` must be a SHA-256 digest in URL-safe Base64, 43 characters")
    })
}

/// RFC 8707 §2: what `resource` names must be ours, or the request is answered `invalid_target`.
///
/// Clients of MCP 2025-03-26 send none; it is clear what they mean where there is one toolset only, and otherwise the person is asked.
fn toolset<'a>(
    parameters: &Parameters,
    policy: &AuthorizationPolicy<'a>,
) -> Result<Option<&'a Slug>, OAuthError> {
    let invalid = |description| OAuthError::new(OAuthErrorCode::InvalidTarget, description);
    let Some(text) = parameters.get("resource") else {
        return match policy.toolsets {
            [] => Err(invalid("no MCP endpoint here takes tokens of this server")),
            [(only, _)] => Ok(Some(only)),
            _ => Ok(None),
        };
    };
    known_toolset(text, policy)
        .map(Some)
        .ok_or_else(|| invalid("`resource` is no MCP endpoint that takes tokens of this server"))
}

/// Returns the toolset that a `resource` names.
#[must_use]
pub fn known_toolset<'a>(resource: &str, policy: &AuthorizationPolicy<'a>) -> Option<&'a Slug> {
    let resource = Resource::parse(resource).ok()?;
    let named = resource.toolset_of(policy.public_url)?;
    let mut slugs = policy.toolsets.iter().map(|(slug, _)| slug);
    slugs.find(|slug| slug.as_str() == named)
}

/// Keeps of the scopes that were asked for those that exist; without any of them, those that the client registered are meant, and without these all that the toolset has.
///
/// RFC 6749 §3.3 lets us "fully or partially ignore the scope requested by the client"; the person is shown what is meant, and the answer says what was granted.
fn scopes(
    parameters: &Parameters,
    client: &Client,
    toolset: Option<&Slug>,
    policy: &AuthorizationPolicy<'_>,
) -> Result<Scopes, OAuthError> {
    let asked = Scopes::parse(parameters.get("scope").unwrap_or_default()).map_err(|_| {
        OAuthError::new(
            OAuthErrorCode::InvalidScope,
            "`scope` holds characters that no scope has",
        )
    })?;
    let known = policy
        .toolsets
        .iter()
        .filter(|(slug, _)| toolset.is_none_or(|toolset| toolset == slug))
        .fold(Scopes::default(), |known, (_, scopes)| known.union(scopes));
    let registered = client.metadata.scope.clone().unwrap_or_default();
    let meant = [asked.intersection(&known), registered.intersection(&known)];
    let meant = meant.into_iter().find(|scopes| !scopes.is_empty());
    let offline = asked.intersection(&Scopes::offline());
    Ok(meant.unwrap_or(known).union(&offline))
}

#[cfg(test)]
mod tests;
