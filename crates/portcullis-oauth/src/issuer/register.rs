//! Dynamic client registration: who may register as what ([RFC 7591](https://www.rfc-editor.org/rfc/rfc7591)).
//!
//! Anybody may register, so nothing that a client says of itself is believed; it only says how the client can be answered.
//! "The authorization server MAY reject or replace any of the client's requested metadata values" (§3.2.1): replaced is what clients are known to get wrong, refused is what could hurt somebody.

use portcullis_base::{ClientSecret, Plain, Rng, Timestamp};

use super::client::{
    ApplicationType, Client, ClientId, ClientOrigin, TokenEndpointAuthMethod,
    VerifiedClientMetadata,
};
use crate::redirect_uri::{InvalidRedirectUri, PrivateUseSchemes, RedirectKind, RedirectUri};
use crate::scope::{OFFLINE_ACCESS, Scopes};
use crate::wire::error::{OAuthError, OAuthErrorCode};
use crate::wire::registration::ClientMetadataRequest;

/// What the operator's configuration says about registrations.
#[derive(Clone, Copy, Debug)]
pub struct RegistrationPolicy<'a> {
    /// The private-use schemes that redirect URIs may have.
    pub private_use_schemes: &'a PrivateUseSchemes,
    /// The scopes of all toolsets.
    pub scopes: &'a Scopes,
}

/// Judges what a client says of itself.
///
/// # Errors
///
/// When nothing safe and useful can be made of it.
pub fn verify(
    request: &ClientMetadataRequest,
    policy: &RegistrationPolicy<'_>,
) -> Result<VerifiedClientMetadata, OAuthError> {
    let redirect_uris = redirect_uris(&request.redirect_uris, policy.private_use_schemes)?;
    let default_name = redirect_uris.first().map_or("", RedirectUri::host);
    let name = request.client_name.as_deref().unwrap_or(default_name);
    answers_with_code(request)?;
    Ok(VerifiedClientMetadata {
        name: name.to_owned(),
        auth_method: auth_method(request)?,
        auth_method_defaulted: request.token_endpoint_auth_method.is_none(),
        application_type: application_type(request, &redirect_uris),
        refreshes: refreshes(request)?,
        scope: scope(request, policy.scopes)?,
        client_uri: request
            .client_uri
            .clone()
            .filter(|uri| uri.starts_with("https:")),
        redirect_uris,
    })
}

/// Makes a client of what was verified, with a secret where its method of authentication needs one.
///
/// Id and secret consist of `A-Z`, `a-z`, `0-9`, `-` and `_`, since some clients encode them before they are sent and some do not.
#[must_use]
pub fn register(
    metadata: VerifiedClientMetadata,
    now: Timestamp,
    rng: &dyn Rng,
) -> (Client, Option<Plain<ClientSecret>>) {
    let has_secret = metadata.auth_method != TokenEndpointAuthMethod::None;
    let secret = has_secret.then(|| Plain::new(rng));
    let client = Client {
        id: ClientId::new(rng),
        origin: ClientOrigin::Dynamic,
        metadata,
        secret: secret.as_ref().map(Plain::digest),
        remembers_consent: false,
        created_at: now,
    };
    (client, secret)
}

/// Keeps each URI that can be registered, once.
///
/// Some clients name a private-use scheme beside addresses that work everywhere; where nobody listed it they do without, and the answer shows them what was kept.
/// Whoever sends anything worse is told so.
fn redirect_uris(
    texts: &[String],
    schemes: &PrivateUseSchemes,
) -> Result<Vec<RedirectUri>, OAuthError> {
    let mut kept = Vec::new();
    for text in texts {
        match RedirectUri::register(text, schemes) {
            Ok(uri) if kept.contains(&uri) => {}
            Ok(uri) => kept.push(uri),
            Err(InvalidRedirectUri::UnlistedScheme) => {}
            Err(invalid) => return Err(unregistrable(invalid)),
        }
    }
    if kept.is_empty() {
        return Err(unregistrable(InvalidRedirectUri::UnlistedScheme));
    }
    Ok(kept)
}

fn unregistrable(invalid: InvalidRedirectUri) -> OAuthError {
    OAuthError::new(OAuthErrorCode::InvalidRedirectUri, invalid.description())
}

const fn invalid(description: &'static str) -> OAuthError {
    OAuthError::new(OAuthErrorCode::InvalidClientMetadata, description)
}

fn auth_method(request: &ClientMetadataRequest) -> Result<TokenEndpointAuthMethod, OAuthError> {
    match request.token_endpoint_auth_method.as_deref() {
        Some("none") => Ok(TokenEndpointAuthMethod::None),
        Some("client_secret_post") => Ok(TokenEndpointAuthMethod::ClientSecretPost),
        // "If unspecified or omitted, the default is `client_secret_basic`" (RFC 7591 §2).
        Some("client_secret_basic") | None => Ok(TokenEndpointAuthMethod::ClientSecretBasic),
        Some(_) => Err(invalid(
            "`token_endpoint_auth_method` must be `none`, `client_secret_basic` or `client_secret_post`",
        )),
    }
}

/// Decides whether the client gets refresh tokens; grants that we do not know are left out.
///
/// Without `grant_types` RFC 7591 means codes only, but clients that say nothing are known to refresh all the same, and those that do not lose nothing.
fn refreshes(request: &ClientMetadataRequest) -> Result<bool, OAuthError> {
    let Some(grant_types) = request
        .grant_types
        .as_deref()
        .filter(|types| !types.is_empty())
    else {
        return Ok(true);
    };
    let has = |name: &str| grant_types.iter().any(|grant_type| grant_type == name);
    let is_useful = has("authorization_code");
    is_useful
        .then(|| has("refresh_token"))
        .ok_or(invalid("`grant_types` must have `authorization_code`"))
}

fn answers_with_code(request: &ClientMetadataRequest) -> Result<(), OAuthError> {
    let has_code = match request.response_types.as_deref() {
        None | Some([]) => true,
        Some(types) => types.iter().any(|response_type| response_type == "code"),
    };
    has_code
        .then_some(())
        .ok_or(invalid("`response_types` must have `code`"))
}

/// Keeps of the scopes those that exist; whoever named none of them named none.
fn scope(request: &ClientMetadataRequest, known: &Scopes) -> Result<Option<Scopes>, OAuthError> {
    let Some(scope) = &request.scope else {
        return Ok(None);
    };
    let asked =
        Scopes::parse(scope).map_err(|_| invalid("`scope` holds characters that no scope has"))?;
    let existing = asked.filter(|scope| scope == OFFLINE_ACCESS || known.contains(scope));
    Ok(Some(existing).filter(|existing| !existing.is_empty()))
}

/// Decides what kind of program the client is: what it says, unless its redirect URIs say otherwise.
fn application_type(
    request: &ClientMetadataRequest,
    redirect_uris: &[RedirectUri],
) -> ApplicationType {
    let is_local = |uri: &RedirectUri| !matches!(uri.kind(), RedirectKind::Https { .. });
    let says_native = request.application_type.as_deref() == Some("native");
    if says_native || redirect_uris.iter().any(is_local) {
        ApplicationType::Native
    } else {
        ApplicationType::Web
    }
}

#[cfg(test)]
mod tests;
