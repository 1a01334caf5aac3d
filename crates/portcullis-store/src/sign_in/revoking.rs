//! Tokens that a client gives up.
//!
//! A refresh token takes its grant along, which is [`Store::revoke_grants`]; an access token ends by itself, and with it a grant that has no other.

use portcullis_base::{Digest, GrantId, Timestamp};
use portcullis_oauth::issuer::grant::EndReason;

use super::grants::{self, End};
use super::renewal::confirm;
use crate::audit::{Actor, AuditEntry};
use crate::engine::{Connection, fetch_all, fetch_optional};
use crate::error::StoreError;
use crate::notices::Notice;
use crate::seal::Sealer;
use crate::store::Store;

impl Store {
    /// Ends an access token before its time; says whether it had not ended yet.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn revoke_access_token(
        &self,
        digest: Digest,
        actor: Actor,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sealer = self.sealer();
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move {
                    let connection = &mut connection;
                    let Some(grant) = expire(&digest, now, connection).await? else {
                        return Ok(false);
                    };
                    AuditEntry::new(actor.clone(), "access_token.revoked", grant.clone())
                        .insert(connection, sealer.rng(), now)
                        .await?;
                    Notice::of_token(&digest).tell(connection).await?;
                    end_without_tokens(&grant, &actor, &sealer, now, connection).await?;
                    Ok(true)
                })
            })
            .await
    }

    /// Records that a client wanted to revoke what another client was granted.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn note_foreign_revocation(
        &self,
        grant: GrantId,
        actor: Actor,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let entry = AuditEntry::new(actor, "revocation.refused", grant.to_string());
        self.insert_audit(entry, now).await
    }
}

/// Lets an access token expire at once; gives its grant.
async fn expire(
    digest: &Digest,
    now: Timestamp,
    connection: &mut Connection<'_>,
) -> Result<Option<String>, StoreError> {
    let expired = fetch_all!(
        connection,
        (String, Option<Vec<u8>>),
        "UPDATE access_tokens SET expires_at_ms = $1, used_at_ms = COALESCE(used_at_ms, $1) \
         WHERE digest = $2 AND expires_at_ms > $1 \
         AND EXISTS (SELECT 1 FROM grants \
             WHERE grants.id = access_tokens.grant_id AND grants.ended_at_ms IS NULL) \
         RETURNING grant_id, refreshed",
        now.as_millis(),
        digest.as_bytes().as_slice()
    )?;
    let Some((grant, refreshed)) = expired.into_iter().next() else {
        return Ok(None);
    };
    // Whoever gives it up has received it.
    if let Some(refreshed) = refreshed {
        confirm(&refreshed, now, connection).await?;
    }
    Ok(Some(grant))
}

async fn end_without_tokens(
    grant: &str,
    actor: &Actor,
    sealer: &Sealer,
    now: Timestamp,
    connection: &mut Connection<'_>,
) -> Result<(), StoreError> {
    let good = fetch_optional!(
        connection,
        (String,),
        "SELECT id FROM grants WHERE id = $1 \
         AND (EXISTS (SELECT 1 FROM access_tokens \
             WHERE grant_id = $1 AND expires_at_ms > $2) \
         OR EXISTS (SELECT 1 FROM refresh_tokens \
             WHERE grant_id = $1 AND expires_at_ms > $2))",
        grant,
        now.as_millis()
    )?;
    if good.is_none() {
        let by = End {
            reason: EndReason::Revoked,
            actor,
            now,
        };
        grants::end(grant, by, sealer, connection).await?;
    }
    Ok(())
}
