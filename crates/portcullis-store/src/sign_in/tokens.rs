//! Access and refresh tokens: stored as digests, read with their grants.

use portcullis_base::{Digest, Timestamp};
use portcullis_oauth::issuer::grant::{AccessTokenRow, Grant, NewTokens, RefreshTokenRow};

use super::grants::GrantRow;
use crate::engine::row::row;
use crate::engine::{Connection, execute, fetch_optional};
use crate::error::StoreError;
use crate::rows::{instant, parse, parse_digest, parse_key, parse_scopes};
use crate::store::Store;

const ACCESS_TOKENS: &str = "access_tokens";
const REFRESH_TOKENS: &str = "refresh_tokens";

row! {
    struct AccessRow {
        digest: Vec<u8>,
        scopes: String,
        created_at_ms: i64,
        expires_at_ms: i64,
        unconfirmed: Option<Vec<u8>>,
        ..grant: GrantRow,
    }
}

row! {
    struct RefreshRow {
        digest: Vec<u8>,
        parent: Option<Vec<u8>>,
        generation: i64,
        created_at_ms: i64,
        expires_at_ms: i64,
        replaced_at_ms: Option<i64>,
        confirmed_at_ms: Option<i64>,
        ..grant: GrantRow,
    }
}

impl Store {
    /// Finds the access token with this digest, whether or not it is still good.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn access_token(
        &self,
        digest: &Digest,
    ) -> Result<Option<AccessTokenRow>, StoreError> {
        let mut reader = self.engine().reader().await?;
        let row = fetch_optional!(
            &mut reader.connection(),
            AccessRow,
            "SELECT tokens.digest, tokens.scopes, tokens.created_at_ms, tokens.expires_at_ms, \
             CASE WHEN tokens.used_at_ms IS NULL THEN tokens.refreshed END AS unconfirmed, \
             grants.id AS grant_id, grants.client_id, grants.subject_id, grants.toolset, \
             grants.scopes AS grant_scopes, grants.connection_id, \
             grants.created_at_ms AS granted_at_ms, grants.ended_at_ms, grants.end_reason \
             FROM access_tokens AS tokens JOIN grants ON grants.id = tokens.grant_id \
             WHERE tokens.digest = $1",
            digest.as_bytes().as_slice()
        )?;
        row.map(AccessTokenRow::try_from).transpose()
    }

    /// Finds the refresh token with this digest, whether or not it is still good.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn refresh_token(
        &self,
        digest: &Digest,
    ) -> Result<Option<RefreshTokenRow>, StoreError> {
        let mut reader = self.engine().reader().await?;
        let row = fetch_optional!(
            &mut reader.connection(),
            RefreshRow,
            "SELECT tokens.digest, tokens.parent, tokens.generation, tokens.created_at_ms, \
             tokens.expires_at_ms, tokens.replaced_at_ms, tokens.confirmed_at_ms, \
             grants.id AS grant_id, grants.client_id, grants.subject_id, grants.toolset, \
             grants.scopes AS grant_scopes, grants.connection_id, \
             grants.created_at_ms AS granted_at_ms, grants.ended_at_ms, grants.end_reason \
             FROM refresh_tokens AS tokens JOIN grants ON grants.id = tokens.grant_id \
             WHERE tokens.digest = $1",
            digest.as_bytes().as_slice()
        )?;
        row.map(RefreshTokenRow::try_from).transpose()
    }
}

/// Stores the first tokens of a grant.
pub(super) async fn insert(
    grant: &str,
    tokens: &NewTokens,
    now: Timestamp,
    connection: &mut Connection<'_>,
) -> Result<(), StoreError> {
    execute!(
        connection,
        "INSERT INTO access_tokens (digest, grant_id, scopes, created_at_ms, expires_at_ms) \
         VALUES ($1, $2, $3, $4, $5)",
        tokens.access.as_bytes().as_slice(),
        grant,
        tokens.scopes.to_string(),
        now.as_millis(),
        tokens.access_expires_at.as_millis()
    )?;
    let Some(refresh) = &tokens.refresh else {
        return Ok(());
    };
    execute!(
        connection,
        "INSERT INTO refresh_tokens (digest, grant_id, generation, created_at_ms, expires_at_ms) \
         VALUES ($1, $2, 0, $3, $4)",
        refresh.digest.as_bytes().as_slice(),
        grant,
        now.as_millis(),
        refresh.expires_at.as_millis()
    )?;
    Ok(())
}

impl TryFrom<AccessRow> for AccessTokenRow {
    type Error = StoreError;

    fn try_from(row: AccessRow) -> Result<Self, StoreError> {
        let (digest, key) = parse_key(ACCESS_TOKENS, &row.digest)?;
        Ok(Self {
            digest,
            grant: Grant::try_from(row.grant)?,
            scopes: parse_scopes(ACCESS_TOKENS, &key, &row.scopes)?,
            created_at: Timestamp::from_millis(row.created_at_ms),
            expires_at: Timestamp::from_millis(row.expires_at_ms),
            unconfirmed: row
                .unconfirmed
                .map(|bytes| parse_digest(ACCESS_TOKENS, "refreshed", &key, &bytes))
                .transpose()?,
        })
    }
}

impl TryFrom<RefreshRow> for RefreshTokenRow {
    type Error = StoreError;

    fn try_from(row: RefreshRow) -> Result<Self, StoreError> {
        let (digest, key) = parse_key(REFRESH_TOKENS, &row.digest)?;
        let parent = row.parent.as_ref();
        let generation = u32::try_from(row.generation);
        Ok(Self {
            digest,
            grant: Grant::try_from(row.grant)?,
            parent: parent
                .map(|bytes| parse_digest(REFRESH_TOKENS, "parent", &key, bytes))
                .transpose()?,
            generation: parse(REFRESH_TOKENS, "generation", &key, generation)?,
            created_at: Timestamp::from_millis(row.created_at_ms),
            expires_at: Timestamp::from_millis(row.expires_at_ms),
            replaced_at: instant(row.replaced_at_ms),
            confirmed_at: instant(row.confirmed_at_ms),
        })
    }
}
