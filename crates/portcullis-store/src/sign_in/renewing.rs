//! Connections that are renewed: by one process at a time, and only where nobody was faster.
//!
//! The claim in the row keeps other processes from asking the provider with the same refresh token; the generation decides whose answer counts.
//! A claim that ran out is anybody's, for its holder may be gone.

use portcullis_base::{ConnectionId, Secret, Timestamp};
use portcullis_oauth::issuer::person::{ConnectionStatus, ConnectionTokens};

use super::connections::place;
use super::parting;
use crate::engine::{execute, fetch_optional};
use crate::error::StoreError;
use crate::rows::word;
use crate::store::Store;

impl Store {
    /// Claims the renewal of a connection until `until`, and gives its refresh token; nothing where its tokens are of another generation, it has none to renew, or somebody else has the claim.
    ///
    /// # Errors
    ///
    /// When the database cannot be written, or the token does not open.
    pub async fn claim_renewal(
        &self,
        id: ConnectionId,
        generation: i64,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Secret>, StoreError> {
        let sealer = self.sealer();
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move {
                    let connection = &mut connection;
                    let id = id.to_string();
                    let row = fetch_optional!(
                        connection,
                        (Vec<u8>,),
                        "UPDATE connections SET renewing_until_ms = $1 \
                         WHERE id = $2 AND generation = $3 AND status = $4 \
                         AND refresh_token IS NOT NULL \
                         AND (renewing_until_ms IS NULL OR renewing_until_ms <= $5) \
                         RETURNING refresh_token",
                        until.as_millis(),
                        &id,
                        generation,
                        word(&ConnectionStatus::Active),
                        now.as_millis()
                    )?;
                    let Some((record,)) = row else {
                        return Ok(None);
                    };
                    let place = place("refresh_token", &id);
                    let opened = sealer.open_fresh(&record, place, connection).await?;
                    Ok(Some(opened))
                })
            })
            .await
    }

    /// Stores the next tokens of a connection; says whether those of this generation were still there to be replaced.
    ///
    /// A refresh token that the provider did not give anew stays.
    /// Where the connection was revoked meanwhile, the next tokens are to be revoked as well.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn renew_connection(
        &self,
        id: ConnectionId,
        generation: i64,
        tokens: ConnectionTokens,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sealer = self.sealer();
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move {
                    let connection = &mut connection;
                    let row = id.to_string();
                    let seal = sealer.current(connection).await?;
                    let refresh = tokens.refresh.as_ref();
                    let stored = execute!(
                        connection,
                        "UPDATE connections SET access_token = $1, access_key_id = $2, \
                         refresh_token = COALESCE($3, refresh_token), \
                         refresh_key_id = COALESCE($4, refresh_key_id), \
                         scopes = $5, expires_at_ms = $6, generation = generation + 1, \
                         renewing_until_ms = NULL, updated_at_ms = $7 \
                         WHERE id = $8 AND generation = $9 AND status = $10",
                        seal.seal(&tokens.access, place("access_token", &row)),
                        seal.data_key_id(),
                        refresh.map(|token| seal.seal(token, place("refresh_token", &row))),
                        refresh.map(|_| seal.data_key_id()),
                        tokens.scopes.to_string(),
                        tokens.expires_at.map(Timestamp::as_millis),
                        now.as_millis(),
                        &row,
                        generation,
                        word(&ConnectionStatus::Active)
                    )?;
                    if stored == 0 {
                        parting::give_back(&row, &tokens, &sealer, now, connection).await?;
                    }
                    Ok(stored > 0)
                })
            })
            .await
    }

    /// Gives the claim on a renewal back that brought nothing and was held until `held`; takes the refresh token away where the provider honours it no more.
    ///
    /// A claim that ran out and is somebody else's now stays his.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn give_up_renewal(
        &self,
        id: ConnectionId,
        generation: i64,
        held: Timestamp,
        spent: bool,
    ) -> Result<(), StoreError> {
        let statement = if spent {
            "UPDATE connections SET renewing_until_ms = NULL, refresh_token = NULL, \
             refresh_key_id = NULL WHERE id = $1 AND generation = $2 AND renewing_until_ms = $3"
        } else {
            "UPDATE connections SET renewing_until_ms = NULL \
             WHERE id = $1 AND generation = $2 AND renewing_until_ms = $3"
        };
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move {
                    let held = held.as_millis();
                    execute!(&mut connection, statement, id.to_string(), generation, held)?;
                    Ok(())
                })
            })
            .await
    }
}
