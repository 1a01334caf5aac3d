//! Whether an access token of ours opens a toolset.
//!
//! A token is good for the one toolset that it was granted for: "MCP servers MUST validate that access tokens were issued specifically for them as the intended audience" (MCP 2026-07-28, authorization, "Token Handling").

use portcullis_base::{Slug, Timestamp};
use thiserror::Error;

use crate::issuer::grant::AccessTokenRow;
use crate::scope::Scopes;

/// Why a token opens nothing here; the text goes on after "the access token", and is for the log.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum TokenFault {
    /// It does not have an access token's form.
    #[error("does not have an access token's form")]
    NoToken,
    /// It is stored nowhere.
    #[error("is unknown")]
    Unknown,
    /// It is for another toolset.
    #[error("is for another toolset")]
    OtherToolset,
    /// It has expired.
    #[error("has expired")]
    Expired,
    /// Its grant has ended.
    #[error("was revoked")]
    Ended,
}

/// Judges a token, `row` being what is stored of it.
///
/// # Errors
///
/// When it does not open the toolset.
pub fn admit<'a>(
    row: Option<&'a AccessTokenRow>,
    toolset: &Slug,
    now: Timestamp,
) -> Result<&'a AccessTokenRow, TokenFault> {
    let row = row.ok_or(TokenFault::Unknown)?;
    if row.grant.toolset != *toolset {
        return Err(TokenFault::OtherToolset);
    }
    if row.grant.ended.is_some() {
        return Err(TokenFault::Ended);
    }
    if now >= row.expires_at {
        return Err(TokenFault::Expired);
    }
    Ok(row)
}

/// Returns the scopes that the token lacks for an operation; with none, the operation is allowed.
#[must_use]
pub fn lacks(token: &Scopes, needed: &Scopes) -> bool {
    !needed.is_subset(token)
}
