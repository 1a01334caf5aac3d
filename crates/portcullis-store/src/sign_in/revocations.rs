//! Tokens that providers are to be asked to revoke: kept sealed until that is done, or was tried for long enough.
//!
//! A claim keeps other processes from asking at the same time; one that ran out is anybody's, since its holder may be gone.

use std::time::Duration;

use portcullis_base::{RevocationId, Secret, Slug, SubjectId, Timestamp};
use serde::{Deserialize, Serialize};

use super::parting::{self, Bond};
use crate::engine::row::row;
use crate::engine::{Connection, execute, fetch_all, fetch_optional};
use crate::error::StoreError;
use crate::rows::{parse, parse_word, word};
use crate::seal::{Place, Sealer};
use crate::store::Store;

const TABLE: &str = "revocations";

/// A token that is to be revoked now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueRevocation {
    /// Its id.
    pub id: RevocationId,
    /// The slug of the provider that gave it.
    pub provider: Slug,
    /// What it is.
    pub kind: RevokedKind,
    /// The token.
    pub token: Secret,
    /// How often it was tried, this time included.
    pub attempts: u32,
}

/// What a token is that is to be revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevokedKind {
    /// An access token.
    AccessToken,
    /// A refresh token.
    RefreshToken,
}

row! {
    struct Row {
        id: String,
        subject_id: String,
        provider: String,
        kind: String,
        token: Vec<u8>,
        attempts: i64,
    }
}

impl Store {
    /// Claims a token that is due for `claim`; nothing where none is, or somebody else was faster.
    ///
    /// Where the subject has come back to the provider meanwhile, the token stays what it is and is forgotten: its end could be that of the new ones.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn claim_revocation(
        &self,
        claim: Duration,
        now: Timestamp,
    ) -> Result<Option<DueRevocation>, StoreError> {
        if !self.has_due_revocation(now).await? {
            return Ok(None);
        }
        let sealer = self.sealer();
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move {
                    let connection = &mut connection;
                    while let Some(row) = take(claim, now, connection).await? {
                        if let Some(due) = due(&row, &sealer, now, connection).await? {
                            return Ok(Some(due));
                        }
                        remove(&row.id, connection).await?;
                    }
                    Ok(None)
                })
            })
            .await
    }

    async fn has_due_revocation(&self, now: Timestamp) -> Result<bool, StoreError> {
        let mut reader = self.engine().reader().await?;
        let row = fetch_optional!(
            &mut reader.connection(),
            (String,),
            "SELECT id FROM revocations WHERE next_at_ms <= $1 ORDER BY next_at_ms LIMIT 1",
            now.as_millis()
        )?;
        Ok(row.is_some())
    }

    /// Forgets a token that is revoked, or is to be tried no more.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn finish_revocation(&self, id: RevocationId) -> Result<(), StoreError> {
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move { remove(&id.to_string(), &mut connection).await })
            })
            .await
    }

    /// Lets a token that could not be revoked be tried again from `next` on.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn postpone_revocation(
        &self,
        id: RevocationId,
        next: Timestamp,
    ) -> Result<(), StoreError> {
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move {
                    execute!(
                        &mut connection,
                        "UPDATE revocations SET next_at_ms = $1 WHERE id = $2",
                        next.as_millis(),
                        id.to_string()
                    )?;
                    Ok(())
                })
            })
            .await
    }
}

/// Notes that a token is to be revoked, at once.
pub(super) async fn insert(
    bond: &Bond,
    kind: RevokedKind,
    token: &Secret,
    sealer: &Sealer,
    now: Timestamp,
    connection: &mut Connection<'_>,
) -> Result<(), StoreError> {
    let id = RevocationId::new(now, sealer.rng()).to_string();
    let seal = sealer.current(connection).await?;
    execute!(
        connection,
        "INSERT INTO revocations (id, subject_id, provider, kind, token, token_key_id, attempts, \
         next_at_ms, created_at_ms) VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $7)",
        &id,
        bond.subject.to_string(),
        bond.provider.as_str(),
        word(&kind),
        seal.seal(token, place(&id)),
        seal.data_key_id(),
        now.as_millis()
    )?;
    Ok(())
}

async fn take(
    claim: Duration,
    now: Timestamp,
    connection: &mut Connection<'_>,
) -> Result<Option<Row>, StoreError> {
    let taken = fetch_all!(
        connection,
        Row,
        "UPDATE revocations SET next_at_ms = $1, attempts = attempts + 1 \
         WHERE id = (SELECT id FROM revocations WHERE next_at_ms <= $2 \
             ORDER BY next_at_ms, id LIMIT 1) \
         AND next_at_ms <= $2 RETURNING id, subject_id, provider, kind, token, attempts",
        now.after(claim).as_millis(),
        now.as_millis()
    )?;
    Ok(taken.into_iter().next())
}

/// Opens a token that is still to be revoked.
async fn due(
    row: &Row,
    sealer: &Sealer,
    now: Timestamp,
    connection: &mut Connection<'_>,
) -> Result<Option<DueRevocation>, StoreError> {
    let id = row.id.as_str();
    let bond = Bond {
        subject: parse(TABLE, "subject_id", id, SubjectId::parse(&row.subject_id))?,
        provider: parse(TABLE, "provider", id, Slug::parse(&row.provider))?,
    };
    if parting::holds(&bond, now, connection).await? {
        return Ok(None);
    }
    let token = match sealer.open_fresh(&row.token, place(id), connection).await {
        Ok(token) => token,
        Err(StoreError::Seal(error)) => {
            tracing::warn!(%error, "a token that its provider was to revoke cannot be opened, and is forgotten");
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    Ok(Some(DueRevocation {
        id: parse(TABLE, "id", id, RevocationId::parse(id))?,
        provider: bond.provider,
        kind: parse_word(TABLE, "kind", id, &row.kind)?,
        token,
        attempts: u32::try_from(row.attempts).unwrap_or(u32::MAX),
    }))
}

async fn remove(id: &str, connection: &mut Connection<'_>) -> Result<(), StoreError> {
    execute!(connection, "DELETE FROM revocations WHERE id = $1", id)?;
    Ok(())
}

fn place(id: &str) -> Place<'_> {
    Place {
        table: TABLE,
        column: "token",
        row: id,
    }
}
