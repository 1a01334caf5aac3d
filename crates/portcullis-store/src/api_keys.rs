//! API keys: stored as digests, found by digest, revoked for good.

use portcullis_base::{ApiKeyId, Digest, Timestamp};
use thiserror::Error;

use crate::audit::{Actor, AuditEntry};
use crate::engine::row::row;
use crate::engine::{execute, fetch_all, fetch_optional};
use crate::entity::ApiKeyRow;
use crate::error::StoreError;
use crate::notices::Notice;
use crate::rows::{parse, parse_json, to_json};
use crate::store::Store;

const TABLE: &str = "api_keys";

/// Why a key was not stored.
#[derive(Clone, Debug, Error)]
pub enum InsertApiKeyError {
    /// Another key has the name.
    #[error("there is an API key named `{0}` already")]
    NameTaken(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

row! {
    struct Row {
        id: String,
        name: String,
        digest: Vec<u8>,
        toolsets: String,
        created_at_ms: i64,
        expires_at_ms: Option<i64>,
        last_used_at_ms: Option<i64>,
        revoked_at_ms: Option<i64>,
    }
}

impl Store {
    /// Stores a key.
    ///
    /// # Errors
    ///
    /// When another key has the name, or the database cannot be written.
    pub async fn insert_api_key(
        &self,
        key: ApiKeyRow,
        actor: Actor,
        now: Timestamp,
    ) -> Result<(), InsertApiKeyError> {
        let sealer = self.sealer();
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move {
                    let connection = &mut connection;
                    execute!(
                        connection,
                        "INSERT INTO api_keys (id, name, digest, toolsets, created_at_ms, \
                         expires_at_ms, last_used_at_ms, revoked_at_ms) \
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                        key.id.to_string(),
                        &key.name,
                        key.digest.as_bytes().as_slice(),
                        to_json(&key.toolsets),
                        key.created_at.as_millis(),
                        key.expires_at.map(Timestamp::as_millis),
                        key.last_used_at.map(Timestamp::as_millis),
                        key.revoked_at.map(Timestamp::as_millis)
                    )
                    .map_err(|error| match error {
                        StoreError::Taken(_) => InsertApiKeyError::NameTaken(key.name.clone()),
                        error => error.into(),
                    })?;
                    AuditEntry::new(actor, "api_key.created", key.id.to_string())
                        .insert(connection, sealer.rng(), now)
                        .await?;
                    Ok(())
                })
            })
            .await
    }

    /// Lists all keys, the revoked ones too, the oldest first.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn list_api_keys(&self) -> Result<Vec<ApiKeyRow>, StoreError> {
        let mut reader = self.engine().reader().await?;
        let rows = fetch_all!(
            &mut reader.connection(),
            Row,
            "SELECT id, name, digest, toolsets, created_at_ms, expires_at_ms, \
             last_used_at_ms, revoked_at_ms FROM api_keys ORDER BY id"
        )?;
        rows.into_iter().map(ApiKeyRow::try_from).collect()
    }

    /// Finds the key with this digest, whether or not it is still good.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn api_key_by_digest(
        &self,
        digest: &Digest,
    ) -> Result<Option<ApiKeyRow>, StoreError> {
        let mut reader = self.engine().reader().await?;
        let row = fetch_optional!(
            &mut reader.connection(),
            Row,
            "SELECT id, name, digest, toolsets, created_at_ms, expires_at_ms, \
             last_used_at_ms, revoked_at_ms FROM api_keys WHERE digest = $1",
            digest.as_bytes().as_slice()
        )?;
        row.map(ApiKeyRow::try_from).transpose()
    }

    /// Revokes a key; says whether there was one that was not revoked yet.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn revoke_api_key(
        &self,
        id: ApiKeyId,
        actor: Actor,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sealer = self.sealer();
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move {
                    let connection = &mut connection;
                    let revoked = execute!(
                        connection,
                        "UPDATE api_keys SET revoked_at_ms = $1 \
                         WHERE id = $2 AND revoked_at_ms IS NULL",
                        now.as_millis(),
                        id.to_string()
                    )?;
                    if revoked == 0 {
                        return Ok(false);
                    }
                    AuditEntry::new(actor, "api_key.revoked", id.to_string())
                        .insert(connection, sealer.rng(), now)
                        .await?;
                    Notice::ApiKeyRevoked(id).tell(connection).await?;
                    Ok(true)
                })
            })
            .await
    }

    /// Notes that a key was used; at most once a minute per key, and without waiting.
    ///
    /// A note that cannot be written is logged and lost.
    pub fn touch_api_key(&self, id: ApiKeyId, now: Timestamp) {
        if !self.key_uses().is_due(id, now) {
            return;
        }
        let store = self.clone();
        self.background().spawn(async move {
            if let Err(error) = store.write_last_use(id, now).await {
                tracing::warn!(key.id = %id, %error, "the last use of an API key was not noted");
            }
        });
    }

    async fn write_last_use(&self, id: ApiKeyId, now: Timestamp) -> Result<(), StoreError> {
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move {
                    execute!(
                        &mut connection,
                        "UPDATE api_keys SET last_used_at_ms = $1 WHERE id = $2 \
                         AND (last_used_at_ms IS NULL OR last_used_at_ms < $1)",
                        now.as_millis(),
                        id.to_string()
                    )?;
                    Ok(())
                })
            })
            .await
    }
}

impl TryFrom<Row> for ApiKeyRow {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: parse(TABLE, "id", &row.id, ApiKeyId::parse(&row.id))?,
            digest: parse(TABLE, "digest", &row.id, Digest::from_slice(&row.digest))?,
            toolsets: parse_json(TABLE, "toolsets", &row.id, &row.toolsets)?,
            name: row.name,
            created_at: Timestamp::from_millis(row.created_at_ms),
            expires_at: row.expires_at_ms.map(Timestamp::from_millis),
            last_used_at: row.last_used_at_ms.map(Timestamp::from_millis),
            revoked_at: row.revoked_at_ms.map(Timestamp::from_millis),
        })
    }
}
