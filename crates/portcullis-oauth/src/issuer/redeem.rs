//! `/token`: from a code to tokens (RFC 6749 §4.1.3); [`super::refresh`] goes on from there.
//!
//! Everything is judged before anything is consumed: a request that fails leaves the code as good as it was.

use std::time::Duration;

use portcullis_base::{AccessToken, GrantId, Plain, RefreshToken, Rng, Slug, Timestamp};
use thiserror::Error;

use super::authorize::{AuthorizationPolicy, known_toolset};
use super::client::Client;
use super::code::Code;
use super::grant::{Grant, NewRefreshToken, NewTokens};
use crate::scope::Scopes;
use crate::wire::error::{OAuthError, OAuthErrorCode};
use crate::wire::grant::CodeRequest;

/// Within this time a client that sends its code twice has lost the answer.
const LOST_ANSWER: Duration = Duration::from_secs(10);

/// For how long a refresh token still gives tokens once what came of it is in use, unless the operator says otherwise: bursts of processes that share one take up to 76 s in the field, most under a minute.
const REPLACED: Duration = Duration::from_mins(1);

/// How long tokens are good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenLifetimes {
    /// Access tokens.
    pub access: Duration,
    /// Refresh tokens, each from its own issue on.
    pub refresh: Duration,
    /// What a person allowed, however often it is refreshed; without an end where absent.
    pub grant: Option<Duration>,
    /// For how long a refresh token still gives tokens once what came of it is in use.
    pub replaced: Duration,
}

impl Default for TokenLifetimes {
    fn default() -> Self {
        Self {
            access: Duration::from_hours(1),
            refresh: Duration::from_hours(30 * 24),
            grant: None,
            replaced: REPLACED,
        }
    }
}

impl TokenLifetimes {
    /// Returns the lifetimes at a toolset that has some of its own.
    #[must_use]
    pub fn at(self, own: &OwnLifetimes) -> Self {
        Self {
            access: own.access.unwrap_or(self.access),
            refresh: own.refresh.unwrap_or(self.refresh),
            grant: own.grant.or(self.grant),
            replaced: self.replaced,
        }
    }
}

/// How long tokens for one toolset are good, where that differs from what holds for all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OwnLifetimes {
    /// Access tokens.
    pub access: Option<Duration>,
    /// Refresh tokens: how long a client may be away.
    pub refresh: Option<Duration>,
    /// What a person allowed, however often it is refreshed.
    pub grant: Option<Duration>,
}

/// Why a code is not redeemed; the text is for the log.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RedeemError {
    /// No such code was issued, or it was forgotten long ago.
    #[error("the code is unknown")]
    Unknown,
    /// It was issued to another client.
    #[error("the code was issued to another client")]
    OtherClient,
    /// `redirect_uri` differs from the request's.
    #[error("`redirect_uri` differs from that of the authorization request")]
    OtherRedirectUri,
    /// `code_verifier` is missing or does not fit.
    #[error("`code_verifier` does not fit the challenge of the authorization request")]
    Verifier,
    /// `resource` names something else.
    #[error("`resource` differs from that of the authorization request")]
    OtherResource,
    /// It is too late.
    #[error("the code has expired")]
    Expired,
    /// It was redeemed before, by the same client that now lost the answer.
    #[error("the code was redeemed a moment ago by the same client")]
    Repeated(GrantId),
    /// Another request with it was faster by a hair.
    #[error("the code is being redeemed by another request")]
    Raced,
    /// It was redeemed before, and now another client presents it: that one proves nothing, so what came of it stays.
    #[error("the code was issued to another client, which has redeemed it")]
    ReplayedByOther(GrantId),
    /// It was redeemed before; what came of it must end.
    #[error("the code was redeemed before, and what it gave is revoked")]
    Replayed(GrantId),
}

impl RedeemError {
    /// Returns what the client is told.
    #[must_use]
    pub fn outward(&self) -> OAuthError {
        match self {
            Self::OtherResource => OAuthError::new(
                OAuthErrorCode::InvalidTarget,
                "`resource` differs from that of the authorization request",
            ),
            Self::Verifier => OAuthError::new(
                OAuthErrorCode::InvalidGrant,
                "`code_verifier` does not fit the authorization request",
            ),
            Self::OtherRedirectUri => OAuthError::new(
                OAuthErrorCode::InvalidGrant,
                "`redirect_uri` differs from that of the authorization request",
            ),
            _ => OAuthError::new(
                OAuthErrorCode::InvalidGrant,
                "the code is unknown, expired or used, or was issued to another client",
            ),
        }
    }
}

/// Judges a request to redeem a code; that it is redeemed once only is the store's to decide.
///
/// # Errors
///
/// When it is not to be redeemed, or was before.
pub fn redeem(
    code: Option<&Code>,
    request: &CodeRequest,
    client: &Client,
    policy: &AuthorizationPolicy<'_>,
    now: Timestamp,
) -> Result<(), RedeemError> {
    let code = code.ok_or(RedeemError::Unknown)?;
    let judged = judge_code(code, request, client, policy);
    if let Some(redeemed) = code.redeemed {
        // RFC 6749 §4.1.2: "If an authorization code is used more than once, the authorization server MUST deny the request and SHOULD revoke (when possible) all tokens previously issued based on that authorization code."
        let grant = redeemed.grant;
        return Err(match judged {
            Ok(()) if now.since(redeemed.at) <= LOST_ANSWER => RedeemError::Repeated(grant),
            Err(RedeemError::OtherClient) => RedeemError::ReplayedByOther(grant),
            _ => RedeemError::Replayed(grant),
        });
    }
    judged?;
    if now >= code.expires_at {
        return Err(RedeemError::Expired);
    }
    Ok(())
}

fn judge_code(
    code: &Code,
    request: &CodeRequest,
    client: &Client,
    policy: &AuthorizationPolicy<'_>,
) -> Result<(), RedeemError> {
    if code.client != client.id {
        return Err(RedeemError::OtherClient);
    }
    // OAuth 2.1 takes the parameter out of this request; clients of OAuth 2.0 send it, and then it counts.
    if request
        .redirect_uri
        .as_ref()
        .is_some_and(|uri| *uri != code.redirect_uri)
    {
        return Err(RedeemError::OtherRedirectUri);
    }
    let verifier = request.code_verifier.as_ref();
    if !verifier.is_some_and(|verifier| code.code_challenge.is_of(verifier.expose())) {
        return Err(RedeemError::Verifier);
    }
    judge_resource(request.resource.as_deref(), &code.toolset, policy)
        .then_some(())
        .ok_or(RedeemError::OtherResource)
}

pub(super) fn judge_resource(
    resource: Option<&str>,
    toolset: &Slug,
    policy: &AuthorizationPolicy<'_>,
) -> bool {
    resource.is_none_or(|resource| known_toolset(resource, policy) == Some(toolset))
}

/// Tokens that were made and are not stored yet.
#[derive(Debug)]
pub struct Issued {
    /// The access token.
    pub access: Plain<AccessToken>,
    /// The refresh token, where the client may refresh.
    pub refresh: Option<Plain<RefreshToken>>,
    /// What is to be stored of them.
    pub stored: NewTokens,
}

/// Makes the grant that comes of a code.
#[must_use]
pub fn grant(code: &Code, now: Timestamp, rng: &dyn Rng) -> Grant {
    Grant {
        id: GrantId::new(now, rng),
        client: code.client.clone(),
        subject: code.subject,
        toolset: code.toolset.clone(),
        scopes: code.scopes.clone(),
        connection: code.connection,
        created_at: now,
        ended: None,
    }
}

/// Makes tokens with these scopes.
#[must_use]
pub fn issue(
    scopes: Scopes,
    client: &Client,
    lifetimes: TokenLifetimes,
    now: Timestamp,
    rng: &dyn Rng,
) -> Issued {
    let until = |life: Duration| now.after(lifetimes.grant.map_or(life, |end| end.min(life)));
    let access = Plain::<AccessToken>::new(rng);
    let refresh = client
        .metadata
        .refreshes
        .then(|| Plain::<RefreshToken>::new(rng));
    let stored = NewTokens {
        access: access.digest(),
        scopes,
        access_expires_at: until(lifetimes.access),
        refresh: refresh.as_ref().map(|token| NewRefreshToken {
            digest: token.digest(),
            expires_at: until(lifetimes.refresh),
        }),
    };
    Issued {
        access,
        refresh,
        stored,
    }
}

#[cfg(test)]
mod tests;
