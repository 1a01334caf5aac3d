//! What goes by itself once nobody can need it any more.

use std::collections::BTreeSet;
use std::time::Duration;

use portcullis_base::Timestamp;
use portcullis_oauth::issuer::person::{CONSENT_LIFETIME, SESSION_IDLE, SESSION_LIFETIME};

use crate::engine::{Connection, execute, fetch_all};
use crate::error::StoreError;
use crate::store::Store;

/// How long a code is remembered after it was issued, so that a replay is recognised.
const CODE_MEMORY: Duration = Duration::from_hours(24);

/// How long a connection is kept without anything that rests on it, for a person who comes again.
const CONNECTION_MEMORY: Duration = Duration::from_hours(24);

/// How long a grant is kept after its end, for whoever asks why it ended.
const GRANT_MEMORY: Duration = Duration::from_hours(30 * 24);

/// What a batch is bounded by.
#[derive(Clone, Copy)]
struct Batch {
    now: Timestamp,
    limit: i64,
}

impl Store {
    /// Removes up to `limit` rows of each kind that has run out, and what nothing holds any more; gives the number of rows.
    ///
    /// Flows, access and refresh tokens go when they have expired, browser sessions when they no longer stand, consents when they are remembered no longer, codes a day after they were issued, and grants thirty days after their end or with their last token.
    /// A connection goes when no grant that still stands and no code that is still good rests on it, a day after the provider gave its tokens.
    /// A subject that nobody could name goes with its last grant, and its connection with it.
    ///
    /// # Errors
    ///
    /// When the database cannot be written; nothing was removed then.
    pub async fn sweep_sign_in(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let batch = Batch {
            now,
            limit: limit.into(),
        };
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move {
                    let connection = &mut connection;
                    let expired = expired(batch, connection).await?;
                    let held = held(batch, connection).await?;
                    let connections = connections(batch, connection).await?;
                    Ok(expired + held + connections)
                })
            })
            .await
    }
}

/// Removes what holds nothing else.
async fn expired(batch: Batch, connection: &mut Connection<'_>) -> Result<u64, StoreError> {
    let flows = execute!(
        connection,
        "DELETE FROM flows WHERE id IN \
         (SELECT id FROM flows WHERE expires_at_ms <= $1 ORDER BY expires_at_ms LIMIT $2)",
        batch.now.as_millis(),
        batch.limit
    )?;
    let sessions = execute!(
        connection,
        "DELETE FROM browser_sessions WHERE digest IN \
         (SELECT digest FROM browser_sessions \
         WHERE used_at_ms <= $1 OR created_at_ms <= $2 LIMIT $3)",
        batch.now.before(SESSION_IDLE).as_millis(),
        batch.now.before(SESSION_LIFETIME).as_millis(),
        batch.limit
    )?;
    let consents = execute!(
        connection,
        "DELETE FROM consents WHERE digest IN \
         (SELECT digest FROM consents WHERE created_at_ms <= $1 \
         ORDER BY created_at_ms LIMIT $2)",
        batch.now.before(CONSENT_LIFETIME).as_millis(),
        batch.limit
    )?;
    Ok(flows + sessions + consents)
}

/// Removes tokens, codes and grants, and then the grants and subjects that they were the last to need.
async fn held(batch: Batch, connection: &mut Connection<'_>) -> Result<u64, StoreError> {
    let access = fetch_all!(
        connection,
        (String,),
        "DELETE FROM access_tokens WHERE digest IN \
         (SELECT digest FROM access_tokens WHERE expires_at_ms <= $1 \
         ORDER BY expires_at_ms LIMIT $2) RETURNING grant_id",
        batch.now.as_millis(),
        batch.limit
    )?;
    let refresh = fetch_all!(
        connection,
        (String,),
        "DELETE FROM refresh_tokens WHERE digest IN \
         (SELECT digest FROM refresh_tokens WHERE expires_at_ms <= $1 \
         ORDER BY expires_at_ms LIMIT $2) RETURNING grant_id",
        batch.now.as_millis(),
        batch.limit
    )?;
    let codes = fetch_all!(
        connection,
        (String,),
        "DELETE FROM authorization_codes WHERE digest IN \
         (SELECT digest FROM authorization_codes WHERE created_at_ms <= $1 \
         ORDER BY created_at_ms LIMIT $2) RETURNING subject_id",
        batch.now.before(CODE_MEMORY).as_millis(),
        batch.limit
    )?;
    let ended = fetch_all!(
        connection,
        (String,),
        "DELETE FROM grants WHERE id IN \
         (SELECT id FROM grants WHERE ended_at_ms <= $1 \
         ORDER BY ended_at_ms LIMIT $2) RETURNING subject_id",
        batch.now.before(GRANT_MEMORY).as_millis(),
        batch.limit
    )?;
    let removed = access.len() + refresh.len() + codes.len() + ended.len();
    let touched: BTreeSet<(String,)> = access.into_iter().chain(refresh).collect();
    let faded = faded(touched, connection).await?;
    let mut removed = (removed + faded.len()) as u64;
    let subjects: BTreeSet<(String,)> = codes.into_iter().chain(ended).chain(faded).collect();
    for (subject,) in subjects {
        removed += execute!(
            connection,
            "DELETE FROM subjects WHERE id = $1 AND issuer IS NULL \
             AND NOT EXISTS (SELECT 1 FROM grants WHERE subject_id = $1) \
             AND NOT EXISTS (SELECT 1 FROM authorization_codes WHERE subject_id = $1)",
            subject
        )?;
    }
    Ok(removed)
}

/// Removes those of `grants` that did not end and have no token left; gives their subjects.
async fn faded(
    grants: BTreeSet<(String,)>,
    connection: &mut Connection<'_>,
) -> Result<Vec<(String,)>, StoreError> {
    let mut subjects = Vec::new();
    for (grant,) in grants {
        subjects.extend(fetch_all!(
            connection,
            (String,),
            "DELETE FROM grants WHERE id = $1 AND ended_at_ms IS NULL \
             AND NOT EXISTS (SELECT 1 FROM access_tokens WHERE grant_id = $1) \
             AND NOT EXISTS (SELECT 1 FROM refresh_tokens WHERE grant_id = $1) \
             RETURNING subject_id",
            grant
        )?);
    }
    Ok(subjects)
}

/// Removes connections that nobody can use any more, so that tokens of people who left do not lie about.
async fn connections(batch: Batch, connection: &mut Connection<'_>) -> Result<u64, StoreError> {
    execute!(
        connection,
        "DELETE FROM connections WHERE id IN \
         (SELECT id FROM connections WHERE updated_at_ms <= $1 \
         AND NOT EXISTS (SELECT 1 FROM grants \
             WHERE grants.connection_id = connections.id AND grants.ended_at_ms IS NULL) \
         AND NOT EXISTS (SELECT 1 FROM authorization_codes AS codes \
             WHERE codes.connection_id = connections.id \
             AND codes.redeemed_at_ms IS NULL AND codes.expires_at_ms > $2) LIMIT $3)",
        batch.now.before(CONNECTION_MEMORY).as_millis(),
        batch.now.as_millis(),
        batch.limit
    )
}
