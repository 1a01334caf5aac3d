//! Refresh tokens at work: each gives one successor, however often and by however many it is presented.
//!
//! The lineage of a grant is a line: who presents a token that has been replaced gets the newest one that came of it.
//! It branches only where the data key has changed in between, and then each branch goes on.
//! The access tokens that come with one successor expire together: processes that share a refresh token and look at nothing but what they hold would drift apart otherwise, hour by hour, until one comes too late.

use std::time::Duration;

use portcullis_base::{Digest, Plain, RefreshToken, Timestamp};
use portcullis_oauth::issuer::grant::{Renewal, Renewed};

use crate::engine::{Connection, execute, fetch_all, fetch_optional};
use crate::error::StoreError;
use crate::seal::Seal;
use crate::store::Store;

/// How many replaced tokens are passed on the way to the newest; more are not replaced within the ten minutes that one stays good in at most, at ten a second.
const LONGEST_WAY: usize = 10_000;

/// How long an access token is good at least that is to expire with others.
const SHORTEST_LIFE: Duration = Duration::from_secs(10);

impl Store {
    /// Gives what comes after a refresh token, and an access token with it: the newest token that came of it, or the first.
    ///
    /// Gives nothing, and stores nothing, where the token is unknown or has expired, what came of it has been in use for too long, or its grant has ended.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn renew(
        &self,
        presented: Plain<RefreshToken>,
        renewal: Renewal,
        now: Timestamp,
    ) -> Result<Option<Renewed>, StoreError> {
        let sealer = self.sealer();
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move {
                    let connection = &mut connection;
                    let Some(used) = replace(&presented, &renewal, now, connection).await? else {
                        return Ok(None);
                    };
                    let seal = sealer.current(connection).await?;
                    let last = newest(&seal, presented, used.generation, connection).await?;
                    let successor = seal.successor(&last.token);
                    let replaced = last.token.digest();
                    let mut renewal = renewal;
                    if last.is_new {
                        insert(&used.grant, &successor, &last, &renewal, now, connection).await?;
                    } else if let Some(end) =
                        end_of_others(&used.grant, &replaced, now, connection).await?
                    {
                        let end = end.max(now.after(SHORTEST_LIFE));
                        renewal.access_expires_at = renewal.access_expires_at.min(end);
                    }
                    add_access(&used.grant, &renewal, &replaced, now, connection).await?;
                    let access_expires_at = renewal.access_expires_at;
                    Ok(Some(Renewed {
                        successor,
                        access_expires_at,
                    }))
                })
            })
            .await
    }

    /// Notes, without waiting, that an access token is used for the first time: whoever refreshed has got the answer.
    pub fn confirm_access_token(&self, access: Digest, refreshed: Digest, now: Timestamp) {
        let store = self.clone();
        tokio::spawn(async move {
            let noted = store.note_use(access, refreshed, now).await;
            if let Err(error) = noted {
                // Until it is noted, a refresh token stays good that need not.
                tracing::warn!(%error, "the first use of an access token cannot be noted");
            }
        });
    }

    async fn note_use(
        &self,
        access: Digest,
        refreshed: Digest,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move {
                    let connection = &mut connection;
                    execute!(
                        connection,
                        "UPDATE access_tokens SET used_at_ms = $1 \
                         WHERE digest = $2 AND used_at_ms IS NULL",
                        now.as_millis(),
                        access.as_bytes().as_slice()
                    )?;
                    confirm(refreshed.as_bytes(), now, connection).await
                })
            })
            .await
    }
}

/// What is known of the token that is presented.
struct Used {
    grant: String,
    generation: i64,
}

/// The last of a line that has a successor, or is about to have one.
struct Last {
    token: Plain<RefreshToken>,
    generation: i64,
    /// Whether the successor is not there yet.
    is_new: bool,
}

/// Takes a token for used, where it is good; its own predecessor has been replaced for certain then.
async fn replace(
    presented: &Plain<RefreshToken>,
    renewal: &Renewal,
    now: Timestamp,
    connection: &mut Connection<'_>,
) -> Result<Option<Used>, StoreError> {
    let replaced = fetch_all!(
        connection,
        (String, i64, Option<Vec<u8>>),
        "UPDATE refresh_tokens SET replaced_at_ms = COALESCE(replaced_at_ms, $1) \
         WHERE digest = $2 AND expires_at_ms > $1 \
         AND (confirmed_at_ms IS NULL OR confirmed_at_ms >= $3) \
         AND EXISTS (SELECT 1 FROM grants \
             WHERE grants.id = refresh_tokens.grant_id AND grants.ended_at_ms IS NULL) \
         RETURNING grant_id, generation, parent",
        now.as_millis(),
        presented.digest().as_bytes().as_slice(),
        now.before(renewal.replaced).as_millis()
    )?;
    let Some((grant, generation, parent)) = replaced.into_iter().next() else {
        return Ok(None);
    };
    if let Some(parent) = &parent {
        confirm(parent, now, connection).await?;
    }
    Ok(Some(Used { grant, generation }))
}

/// Notes that what came of a refresh token is in use.
pub(super) async fn confirm(
    digest: &[u8],
    now: Timestamp,
    connection: &mut Connection<'_>,
) -> Result<(), StoreError> {
    execute!(
        connection,
        "UPDATE refresh_tokens SET confirmed_at_ms = $1 \
         WHERE digest = $2 AND confirmed_at_ms IS NULL",
        now.as_millis(),
        digest
    )?;
    Ok(())
}

/// Goes on from a token to the last one whose successor nobody has used.
async fn newest(
    seal: &Seal,
    presented: Plain<RefreshToken>,
    generation: i64,
    connection: &mut Connection<'_>,
) -> Result<Last, StoreError> {
    let mut last = Last {
        token: presented,
        generation,
        is_new: true,
    };
    for _ in 0..LONGEST_WAY {
        let successor = seal.successor(&last.token);
        let found = fetch_optional!(
            connection,
            (i64, Option<i64>),
            "SELECT generation, replaced_at_ms FROM refresh_tokens WHERE digest = $1",
            successor.digest().as_bytes().as_slice()
        )?;
        match found {
            None => return Ok(last),
            Some((_, None)) => {
                last.is_new = false;
                return Ok(last);
            }
            Some((generation, Some(_))) => {
                last = Last {
                    token: successor,
                    generation,
                    is_new: true,
                };
            }
        }
    }
    Err(StoreError::Busy(
        "a refresh token has been replaced too often to find the newest".to_owned(),
    ))
}

async fn insert(
    grant: &str,
    successor: &Plain<RefreshToken>,
    parent: &Last,
    renewal: &Renewal,
    now: Timestamp,
    connection: &mut Connection<'_>,
) -> Result<(), StoreError> {
    execute!(
        connection,
        "INSERT INTO refresh_tokens \
         (digest, grant_id, parent, generation, created_at_ms, expires_at_ms) \
         VALUES ($1, $2, $3, $4, $5, $6)",
        successor.digest().as_bytes().as_slice(),
        grant,
        parent.token.digest().as_bytes().as_slice(),
        parent.generation.saturating_add(1),
        now.as_millis(),
        renewal.refresh_expires_at.as_millis()
    )?;
    Ok(())
}

/// Returns when the first expires of the access tokens that came with the same successor and are in use; one that has expired already binds nobody.
async fn end_of_others(
    grant: &str,
    refreshed: &Digest,
    now: Timestamp,
    connection: &mut Connection<'_>,
) -> Result<Option<Timestamp>, StoreError> {
    let found = fetch_optional!(
        connection,
        (Option<i64>,),
        "SELECT MIN(expires_at_ms) FROM access_tokens \
         WHERE grant_id = $1 AND refreshed = $2 AND used_at_ms IS NOT NULL \
         AND expires_at_ms > $3",
        grant,
        refreshed.as_bytes().as_slice(),
        now.as_millis()
    )?;
    Ok(found.and_then(|(end,)| end).map(Timestamp::from_millis))
}

async fn add_access(
    grant: &str,
    renewal: &Renewal,
    refreshed: &Digest,
    now: Timestamp,
    connection: &mut Connection<'_>,
) -> Result<(), StoreError> {
    execute!(
        connection,
        "INSERT INTO access_tokens \
         (digest, grant_id, scopes, created_at_ms, expires_at_ms, refreshed) \
         VALUES ($1, $2, $3, $4, $5, $6)",
        renewal.access.as_bytes().as_slice(),
        grant,
        renewal.scopes.to_string(),
        now.as_millis(),
        renewal.access_expires_at.as_millis(),
        refreshed.as_bytes().as_slice()
    )?;
    Ok(())
}
