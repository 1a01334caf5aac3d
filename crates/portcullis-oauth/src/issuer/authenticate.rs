//! Client authentication at `/token` and its siblings ([RFC 6749 §2.3](https://www.rfc-editor.org/rfc/rfc6749#section-2.3)).
//!
//! First what a request presents is read, so that the client can be looked up; then the two are compared.
//! A client that nobody knows costs the same comparison as one whose secret is wrong.
//! Assertions (RFC 7523) are not read here.

use base64::alphabet;
use base64::engine::{DecodePaddingMode, Engine as _, GeneralPurpose, GeneralPurposeConfig};
use portcullis_base::{Digest, Secret};
use subtle::{Choice, ConstantTimeEq as _};
use thiserror::Error;

use super::client::{Client, ClientId, ClientOrigin, TokenEndpointAuthMethod};
use crate::wire::error::{OAuthError, OAuthErrorCode};
use crate::wire::form::{self, Parameters};

/// The challenge of a client that tried `Authorization` and failed.
const CHALLENGE: &str = r#"Basic realm="token""#;

/// Base64 with or without padding, as clients send it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a request says about its client; nothing of it is believed yet.
#[derive(Clone, Debug)]
pub struct PresentedClient {
    ids: Vec<ClientId>,
    secret: PresentedSecret,
}

#[derive(Clone, Debug)]
enum PresentedSecret {
    /// `none`
    Absent,
    /// `client_secret_basic`, in each reading.
    Basic(Vec<Secret>),
    /// `client_secret_post`
    Post(Secret),
}

/// A client that is not let through.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{cause}")]
pub struct ClientRefused {
    /// Why; for the log.
    pub cause: RefusalCause,
    /// Whether the client tried `Authorization`.
    tried_header: bool,
}

/// Why a client is not let through.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum RefusalCause {
    /// There are several `Authorization` headers.
    #[error("the request has more than one Authorization header")]
    RepeatedHeader,
    /// There are two methods in one request.
    #[error("the client authenticates by more than one method at once")]
    TwoMethods,
    /// The header names one client and the form another.
    #[error("the Authorization header and `client_id` name different clients")]
    TwoClients,
    /// The header is not of the form that Basic has.
    #[error("the Authorization header is not Basic with an id and a secret")]
    MalformedHeader,
    /// The client sends an assertion.
    #[error("client assertions are not supported")]
    Assertion,
    /// There is no `client_id`, or none that could be.
    #[error("`client_id` is missing or malformed")]
    NoClient,
    /// Nobody is registered under that id.
    #[error("the client is unknown")]
    UnknownClient,
    /// The client has a secret and does not present it.
    #[error("the client presents no secret though it has one")]
    MissingSecret,
    /// The client has no secret and presents one.
    #[error("the client presents a secret though it has none")]
    SuperfluousSecret,
    /// The secret is another.
    #[error("the client presents a wrong secret")]
    WrongSecret,
    /// The client named another method when it registered.
    #[error("the client authenticates by another method than the one it registered")]
    OtherMethod,
    /// The client may not ask about tokens.
    #[error("only a client that the operator registered with a secret may introspect")]
    MayNotIntrospect,
}

/// Reads what a request presents, given the values of all its `Authorization` headers.
///
/// # Errors
///
/// When there is not exactly one method, the header is malformed, or no client is named.
pub fn present<'a>(
    authorization: impl IntoIterator<Item = &'a [u8]>,
    form: &Parameters,
) -> Result<PresentedClient, ClientRefused> {
    let mut headers = authorization.into_iter();
    let header = headers.next();
    let refused = |cause| ClientRefused {
        cause,
        tried_header: header.is_some(),
    };
    if headers.next().is_some() {
        return Err(refused(RefusalCause::RepeatedHeader));
    }
    let asserts = form.has("client_assertion") || form.has("client_assertion_type");
    // RFC 6749 §2.3: "The client MUST NOT use more than one authentication method in each request."
    let methods = [header.is_some(), form.has("client_secret"), asserts];
    if methods.into_iter().filter(|is_used| *is_used).count() > 1 {
        return Err(refused(RefusalCause::TwoMethods));
    }
    if asserts {
        return Err(refused(RefusalCause::Assertion));
    }
    match header {
        Some(header) => by_header(header, form).map_err(refused),
        None => by_form(form).map_err(refused),
    }
}

fn by_header(header: &[u8], form: &Parameters) -> Result<PresentedClient, RefusalCause> {
    let (id, secret) = basic(header).ok_or(RefusalCause::MalformedHeader)?;
    let ids: Vec<ClientId> = readings(&id)
        .iter()
        .filter_map(|id| ClientId::parse(id).ok())
        .collect();
    if ids.is_empty() {
        return Err(RefusalCause::MalformedHeader);
    }
    let in_form = form.get("client_id");
    if in_form.is_some_and(|in_form| ids.iter().all(|id| id.as_str() != in_form)) {
        return Err(RefusalCause::TwoClients);
    }
    let secrets = readings(&secret).into_iter().map(Secret::new).collect();
    Ok(PresentedClient {
        ids,
        secret: PresentedSecret::Basic(secrets),
    })
}

/// An empty `client_secret` beside nothing else counts as absent (RFC 6749 §3.1); whoever has a secret is refused without it all the same.
fn by_form(form: &Parameters) -> Result<PresentedClient, RefusalCause> {
    let id = form
        .get("client_id")
        .and_then(|id| ClientId::parse(id).ok());
    let secret = form
        .get("client_secret")
        .map(|secret| Secret::new(secret.to_owned()));
    Ok(PresentedClient {
        ids: vec![id.ok_or(RefusalCause::NoClient)?],
        secret: secret.map_or(PresentedSecret::Absent, PresentedSecret::Post),
    })
}

/// Splits `Basic base64(id:secret)`; the scheme is read in any case (RFC 9110 §11.1).
fn basic(header: &[u8]) -> Option<(String, String)> {
    let text = std::str::from_utf8(header).ok()?;
    let (scheme, encoded) = text.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(BASE64.decode(encoded.trim_matches(' ')).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

/// Returns what a half of the pair can mean: RFC 6749 §2.3.1 has it form-encoded, and many clients send it as it is.
fn readings(half: &str) -> Vec<String> {
    let mut readings = vec![half.to_owned()];
    if let Ok(decoded) = form::decode(half.as_bytes())
        && decoded != half
    {
        readings.push(decoded);
    }
    readings
}

impl PresentedClient {
    /// Returns the ids to look the client up by: one, or two where the header can be read in two ways.
    #[must_use]
    pub fn ids(&self) -> &[ClientId] {
        &self.ids
    }

    fn secrets(&self) -> &[Secret] {
        match &self.secret {
            PresentedSecret::Absent => &[],
            PresentedSecret::Basic(secrets) => secrets,
            PresentedSecret::Post(secret) => std::slice::from_ref(secret),
        }
    }

    fn method(&self) -> TokenEndpointAuthMethod {
        match self.secret {
            PresentedSecret::Absent => TokenEndpointAuthMethod::None,
            PresentedSecret::Basic(_) => TokenEndpointAuthMethod::ClientSecretBasic,
            PresentedSecret::Post(_) => TokenEndpointAuthMethod::ClientSecretPost,
        }
    }
}

/// Decides whether the client that was found under one of [`PresentedClient::ids`] is the one that sent the request.
///
/// # Errors
///
/// When there is none, its secret is missing, wrong or superfluous, or it authenticates in another way than it registered.
pub fn authenticate(
    presented: &PresentedClient,
    client: Option<&Client>,
) -> Result<(), ClientRefused> {
    let client = client.filter(|client| presented.ids.contains(&client.id));
    let is_right = has_secret(presented, client.and_then(|client| client.secret));
    judge(presented, client, is_right).map_err(|cause| ClientRefused {
        cause,
        tried_header: presented.method() == TokenEndpointAuthMethod::ClientSecretBasic,
    })
}

/// Decides whether a client that authenticated may ask about tokens: one that the operator registered, with a secret.
///
/// Others could be anybody who found a token (RFC 7662 §4).
///
/// # Errors
///
/// When it registered itself, or has no secret.
pub fn may_introspect(presented: &PresentedClient, client: &Client) -> Result<(), ClientRefused> {
    let is_confidential = presented.method() != TokenEndpointAuthMethod::None;
    if is_confidential && client.origin == ClientOrigin::PreRegistered {
        return Ok(());
    }
    Err(ClientRefused {
        cause: RefusalCause::MayNotIntrospect,
        tried_header: presented.method() == TokenEndpointAuthMethod::ClientSecretBasic,
    })
}

/// Compares in constant time, be there a secret to compare with or not.
fn has_secret(presented: &PresentedClient, expected: Option<Digest>) -> bool {
    // No text that can be presented is known to have this digest.
    let nobodys = Digest::of_fields([b"no secret".as_slice()]);
    let expected_or_not = expected.unwrap_or(nobodys);
    let mut is_right = Choice::from(0);
    for secret in presented.secrets() {
        let digest = Digest::of(secret.expose().as_bytes());
        is_right |= digest.as_bytes().ct_eq(expected_or_not.as_bytes());
    }
    bool::from(is_right) && expected.is_some()
}

fn judge(
    presented: &PresentedClient,
    client: Option<&Client>,
    is_right: bool,
) -> Result<(), RefusalCause> {
    use TokenEndpointAuthMethod as Method;
    let metadata = &client.ok_or(RefusalCause::UnknownClient)?.metadata;
    match (metadata.auth_method, presented.method()) {
        (Method::None, Method::None) => Ok(()),
        (Method::None, _) => Err(RefusalCause::SuperfluousSecret),
        (_, Method::None) => Err(RefusalCause::MissingSecret),
        _ if !is_right => Err(RefusalCause::WrongSecret),
        // Libraries that leave the method out send the secret in either way.
        (registered, used) if registered == used || metadata.auth_method_defaulted => Ok(()),
        _ => Err(RefusalCause::OtherMethod),
    }
}

impl ClientRefused {
    /// Returns what the client is told: that the request is wrong, or that it is not who it says, and no more.
    #[must_use]
    pub fn outward(self) -> OAuthError {
        let (code, description) = match self.cause {
            RefusalCause::RepeatedHeader => (
                OAuthErrorCode::InvalidRequest,
                "send at most one Authorization header",
            ),
            RefusalCause::TwoMethods | RefusalCause::TwoClients => (
                OAuthErrorCode::InvalidRequest,
                "authenticate one client by one method",
            ),
            RefusalCause::MalformedHeader => (
                OAuthErrorCode::InvalidClient,
                "the Authorization header must be Basic with client id and secret",
            ),
            RefusalCause::Assertion => (
                OAuthErrorCode::InvalidClient,
                "client assertions are not supported",
            ),
            RefusalCause::NoClient => (
                OAuthErrorCode::InvalidClient,
                "`client_id` is missing or malformed",
            ),
            RefusalCause::MayNotIntrospect => (
                OAuthErrorCode::InvalidClient,
                "only a client that the operator registered with a secret may introspect",
            ),
            _ => (
                OAuthErrorCode::InvalidClient,
                "the client is unknown, or did not authenticate as it registered",
            ),
        };
        OAuthError::new(code, description)
    }

    /// Returns the `WWW-Authenticate` of the answer, where it has one.
    ///
    /// "If the client attempted to authenticate via the `Authorization` request header field, the authorization server MUST […] include the `WWW-Authenticate` response header field" (RFC 6749 §5.2).
    #[must_use]
    pub fn challenge(self) -> Option<&'static str> {
        let is_about_the_client = self.outward().code == OAuthErrorCode::InvalidClient;
        (self.tried_header && is_about_the_client).then_some(CHALLENGE)
    }
}

#[cfg(test)]
mod tests;
