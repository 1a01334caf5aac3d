//! Grants, and the tokens that are issued under them.

use std::time::Duration;

use portcullis_base::{
    ConnectionId, Digest, GrantId, Plain, RefreshToken, Slug, SubjectId, Timestamp,
};
use serde::{Deserialize, Serialize};

use super::client::ClientId;
use crate::scope::Scopes;

/// What a subject granted a client at one toolset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its id.
    pub id: GrantId,
    /// The client.
    pub client: ClientId,
    /// The subject.
    pub subject: SubjectId,
    /// The toolset.
    pub toolset: Slug,
    /// The scopes.
    pub scopes: Scopes,
    /// The connection that calls use, where the provider's token is kept.
    pub connection: Option<ConnectionId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When and why it ended, where it has.
    pub ended: Option<Ended>,
}

/// The end of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: EndReason,
}

/// Why a grant ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Its code was presented twice.
    CodeReplayed,
    /// A refresh token of it was presented after its successor was used.
    RefreshTokenReplayed,
    /// The connection that it rests on is dead.
    ConnectionLost,
    /// The client or the person gave it up.
    Revoked,
    /// The toolset, or the provider that people sign in to it at, is another one now or gone.
    Reconfigured,
}

/// An access token, with what a call needs to know of its grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessTokenRow {
    /// The digest of the token.
    pub digest: Digest,
    /// The grant.
    pub grant: Grant,
    /// The scopes that this token carries: the grant's, or fewer.
    pub scopes: Scopes,
    /// When it was issued.
    pub created_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
    /// The refresh token that it was issued for, where nobody has used it before: its use says that the answer arrived.
    pub unconfirmed: Option<Digest>,
}

/// A refresh token, with its grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshTokenRow {
    /// The digest of the token.
    pub digest: Digest,
    /// The grant.
    pub grant: Grant,
    /// The token that this one replaced, where it is not the first.
    pub parent: Option<Digest>,
    /// How many came before it.
    pub generation: u32,
    /// When it was issued.
    pub created_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
    /// When it first gave a successor, where it did.
    pub replaced_at: Option<Timestamp>,
    /// When its successor, or an access token that came with that, was first used.
    pub confirmed_at: Option<Timestamp>,
}

/// What is stored of a token, of whichever kind it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredToken {
    /// Of an access token.
    Access(AccessTokenRow),
    /// Of a refresh token.
    Refresh(RefreshTokenRow),
}

impl StoredToken {
    /// Returns the grant that it was issued under.
    #[must_use]
    pub fn grant(&self) -> &Grant {
        match self {
            Self::Access(row) => &row.grant,
            Self::Refresh(row) => &row.grant,
        }
    }
}

/// Tokens to store at once: those of a redemption or of a refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTokens {
    /// The digest of the access token.
    pub access: Digest,
    /// The scopes of the access token.
    pub scopes: Scopes,
    /// When the access token expires.
    pub access_expires_at: Timestamp,
    /// The refresh token, where one is issued.
    pub refresh: Option<NewRefreshToken>,
}

/// What a refresh gives, to store at once; the refresh token is the store's to derive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// The digest of the access token.
    pub access: Digest,
    /// The scopes of the access token.
    pub scopes: Scopes,
    /// When the access token expires at the latest.
    pub access_expires_at: Timestamp,
    /// When the refresh token expires, where it is a new one.
    pub refresh_expires_at: Timestamp,
    /// For how long the presented token is still good once what came of it is in use.
    pub replaced: Duration,
}

/// What a refresh gave.
#[derive(Debug)]
pub struct Renewed {
    /// The refresh token that comes after the presented one.
    pub successor: Plain<RefreshToken>,
    /// When the access token expires.
    pub access_expires_at: Timestamp,
}

/// A refresh token to store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewRefreshToken {
    /// The digest.
    pub digest: Digest,
    /// When it expires.
    pub expires_at: Timestamp,
}
