//! `/token`: from a refresh token to its successor (RFC 6749 §6, OAuth 2.1 §4.3.1).
//!
//! Each use gives a successor, and always the same one: a client whose answer was lost, and processes that share a token, go on together.
//! A token stays good until its successor, or an access token that came with it, is used, and for a moment after; past that it is one that two parties hold, and everything that came of the grant ends.
//! docs/refresh.md says why, and what that hides.

use portcullis_base::{GrantId, Timestamp};
use thiserror::Error;

use super::authorize::AuthorizationPolicy;
use super::client::Client;
use super::grant::RefreshTokenRow;
use super::redeem::{TokenLifetimes, judge_resource};
use crate::scope::Scopes;
use crate::wire::error::{OAuthError, OAuthErrorCode};
use crate::wire::grant::RefreshRequest;

/// Why a refresh token is not good; the text is for the log.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RefreshError {
    /// No such token was issued.
    #[error("the refresh token is unknown")]
    Unknown,
    /// It was issued to another client.
    #[error("the refresh token was issued to another client")]
    OtherClient,
    /// It has expired.
    #[error("the refresh token has expired")]
    Expired,
    /// Its grant has ended.
    #[error("the grant of the refresh token has ended")]
    Ended,
    /// What came of it has been in use for too long, or another client presents it: two parties hold it.
    #[error("the refresh token was replaced before, and its grant is revoked")]
    Replayed(GrantId),
    /// The grant has reached its end, however often it was refreshed.
    #[error("the grant has reached its end, and the person has to sign in again")]
    TooOld,
    /// `resource` names something else.
    #[error("`resource` is not that of the grant")]
    OtherResource,
    /// `scope` asks for more than was granted.
    #[error("`scope` asks for more than was granted")]
    Scope,
}

impl RefreshError {
    /// Returns what the client is told.
    #[must_use]
    pub fn outward(&self) -> OAuthError {
        match self {
            Self::OtherResource => OAuthError::new(
                OAuthErrorCode::InvalidTarget,
                "`resource` is not that of the grant",
            ),
            Self::Scope => OAuthError::new(
                OAuthErrorCode::InvalidScope,
                "`scope` asks for more than was granted",
            ),
            _ => OAuthError::new(
                OAuthErrorCode::InvalidGrant,
                "the refresh token is unknown, expired or revoked, or was issued to another client",
            ),
        }
    }
}

/// What a client may do with a refresh token that is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refreshed {
    /// The scopes of the new access token.
    pub scopes: Scopes,
    /// Until when the grant may be refreshed at all.
    pub ends_at: Option<Timestamp>,
}

/// Judges a request to refresh.
///
/// # Errors
///
/// When there is nothing to refresh, or what came of the token is in use already.
pub fn refresh(
    row: Option<&RefreshTokenRow>,
    request: &RefreshRequest,
    client: &Client,
    policy: &AuthorizationPolicy<'_>,
    lifetimes: TokenLifetimes,
    now: Timestamp,
) -> Result<Refreshed, RefreshError> {
    let row = row.ok_or(RefreshError::Unknown)?;
    let grant = &row.grant;
    if grant.ended.is_some() {
        return Err(if grant.client == client.id {
            RefreshError::Ended
        } else {
            RefreshError::OtherClient
        });
    }
    if grant.client != client.id {
        // Whoever has a token that its client has replaced did not get it from that client's store by accident.
        return Err(match row.replaced_at {
            Some(_) => RefreshError::Replayed(grant.id),
            None => RefreshError::OtherClient,
        });
    }
    if !is_good(row, lifetimes, now) {
        return Err(RefreshError::Replayed(grant.id));
    }
    if now >= row.expires_at {
        return Err(RefreshError::Expired);
    }
    let ends_at = lifetimes.grant.map(|life| grant.created_at.after(life));
    if ends_at.is_some_and(|end| now >= end) {
        return Err(RefreshError::TooOld);
    }
    if !judge_resource(request.resource.as_deref(), &grant.toolset, policy) {
        return Err(RefreshError::OtherResource);
    }
    let scopes = match &request.scope {
        Some(asked) if asked.is_subset(&grant.scopes) => asked.clone(),
        Some(_) => return Err(RefreshError::Scope),
        None => grant.scopes.clone(),
    };
    Ok(Refreshed { scopes, ends_at })
}

/// Tells whether a token still gives tokens: nothing that came of it has been used, or not for long.
///
/// RFC 9700 §4.14.2: a token that comes again after its successor took over is one that two parties hold.
pub(super) fn is_good(row: &RefreshTokenRow, lifetimes: TokenLifetimes, now: Timestamp) -> bool {
    row.confirmed_at
        .is_none_or(|confirmed_at| now.since(confirmed_at) <= lifetimes.replaced)
}
