//! Grants: made with a code's redemption, ended once, kept for a while after.

use portcullis_base::{ConnectionId, GrantId, Slug, SubjectId, Timestamp};
use portcullis_oauth::issuer::client::ClientId;
use portcullis_oauth::issuer::grant::{EndReason, Ended, Grant};

use super::{GATEWAY, parting};
use crate::audit::{Actor, AuditEntry};
use crate::engine::row::row;
use crate::engine::{Connection, execute, fetch_all, fetch_optional};
use crate::error::StoreError;
use crate::notices::Notice;
use crate::rows::{parse, parse_scopes, parse_word, word};
use crate::seal::Sealer;
use crate::store::Store;

const TABLE: &str = "grants";

row! {
    /// The columns of a grant, named so that they can stand beside those of a token.
    pub(super) struct GrantRow {
        grant_id: String,
        client_id: String,
        subject_id: String,
        toolset: String,
        grant_scopes: String,
        connection_id: Option<String>,
        granted_at_ms: i64,
        ended_at_ms: Option<i64>,
        end_reason: Option<String>,
    }
}

row! {
    struct CountRow {
        grants: i64,
    }
}

impl Store {
    /// Returns how many grants at a toolset have not ended.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn count_grants(&self, toolset: &Slug) -> Result<u64, StoreError> {
        let mut reader = self.engine().reader().await?;
        let connection = &mut reader.connection();
        let row = fetch_optional!(
            connection,
            CountRow,
            "SELECT COUNT(*) AS grants FROM grants WHERE toolset = $1 AND ended_at_ms IS NULL",
            toolset.as_str()
        )?;
        Ok(row.map_or(0, |row| row.grants.unsigned_abs()))
    }

    /// Ends grants because somebody wants no more of them, and with each all of its tokens; gives the number of those that had not ended yet.
    ///
    /// # Errors
    ///
    /// When the database cannot be written; none has ended then.
    pub async fn revoke_grants(
        &self,
        ids: Vec<GrantId>,
        actor: Actor,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let sealer = self.sealer();
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move {
                    let mut ended = 0;
                    for id in ids {
                        let by = End {
                            reason: EndReason::Revoked,
                            actor: &actor,
                            now,
                        };
                        let connection = &mut connection;
                        ended += u64::from(end(&id.to_string(), by, &sealer, connection).await?);
                    }
                    Ok(ended)
                })
            })
            .await
    }

    /// Ends a grant, and with it all of its tokens; says whether it had not ended yet.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn end_grant(
        &self,
        id: GrantId,
        reason: EndReason,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sealer = self.sealer();
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move {
                    let by = End {
                        reason,
                        actor: &Actor::new(GATEWAY),
                        now,
                    };
                    end(&id.to_string(), by, &sealer, &mut connection).await
                })
            })
            .await
    }
}

/// How a grant ends.
#[derive(Clone, Copy)]
pub(super) struct End<'a> {
    pub(super) reason: EndReason,
    pub(super) actor: &'a Actor,
    pub(super) now: Timestamp,
}

/// Ends a grant; says whether it had not ended yet.
pub(super) async fn end(
    id: &str,
    by: End<'_>,
    sealer: &Sealer,
    connection: &mut Connection<'_>,
) -> Result<bool, StoreError> {
    let bond = match by.reason {
        EndReason::Revoked | EndReason::CodeReplayed | EndReason::RefreshTokenReplayed => {
            parting::hold(id, connection).await?
        }
        // What the provider does not honour, and what it is no provider of any more, need not be taken back.
        EndReason::ConnectionLost | EndReason::Reconfigured => None,
    };
    let ended = execute!(
        connection,
        "UPDATE grants SET ended_at_ms = $1, end_reason = $2 \
         WHERE id = $3 AND ended_at_ms IS NULL",
        by.now.as_millis(),
        word(&by.reason),
        id
    )?;
    if ended == 0 {
        return Ok(false);
    }
    note_end(id, by, sealer, connection).await?;
    if let Some(bond) = bond {
        parting::part(&bond, by, sealer, connection).await?;
    }
    Ok(true)
}

/// Ends every grant that rests on a connection.
pub(super) async fn end_on(
    id: ConnectionId,
    reason: EndReason,
    sealer: &Sealer,
    now: Timestamp,
    connection: &mut Connection<'_>,
) -> Result<(), StoreError> {
    let ended = fetch_all!(
        connection,
        (String,),
        "UPDATE grants SET ended_at_ms = $1, end_reason = $2 \
         WHERE connection_id = $3 AND ended_at_ms IS NULL RETURNING id",
        now.as_millis(),
        word(&reason),
        id.to_string()
    )?;
    let by = End {
        reason,
        actor: &Actor::new(GATEWAY),
        now,
    };
    for (grant,) in &ended {
        note_end(grant, by, sealer, connection).await?;
    }
    Ok(())
}

/// Records that a grant ended, and before it what was presented twice; tells the other processes.
async fn note_end(
    grant: &str,
    by: End<'_>,
    sealer: &Sealer,
    connection: &mut Connection<'_>,
) -> Result<(), StoreError> {
    let cause = match by.reason {
        EndReason::CodeReplayed => Some("code.replayed"),
        EndReason::RefreshTokenReplayed => Some("refresh_token.replayed"),
        EndReason::ConnectionLost | EndReason::Revoked | EndReason::Reconfigured => None,
    };
    for action in cause.into_iter().chain(["grant.ended"]) {
        AuditEntry::new(by.actor.clone(), action, grant.to_owned())
            .insert(connection, sealer.rng(), by.now)
            .await?;
    }
    let id: GrantId = parse(TABLE, "id", grant, GrantId::parse(grant))?;
    Notice::GrantEnded(id).tell(connection).await
}

pub(super) async fn insert(
    grant: &Grant,
    connection: &mut Connection<'_>,
) -> Result<(), StoreError> {
    execute!(
        connection,
        "INSERT INTO grants (id, client_id, subject_id, toolset, scopes, connection_id, \
         created_at_ms, ended_at_ms, end_reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        grant.id.to_string(),
        grant.client.as_str(),
        grant.subject.to_string(),
        grant.toolset.as_str(),
        grant.scopes.to_string(),
        grant.connection.map(|id| id.to_string()),
        grant.created_at.as_millis(),
        grant.ended.map(|ended| ended.at.as_millis()),
        grant.ended.map(|ended| word(&ended.reason))
    )?;
    Ok(())
}

impl TryFrom<GrantRow> for Grant {
    type Error = StoreError;

    fn try_from(row: GrantRow) -> Result<Self, StoreError> {
        let id = row.grant_id.as_str();
        let connection = row.connection_id.as_deref().map(ConnectionId::parse);
        let ended = match (row.ended_at_ms, &row.end_reason) {
            (Some(at), Some(reason)) => Some(Ended {
                at: Timestamp::from_millis(at),
                reason: parse_word(TABLE, "end_reason", id, reason)?,
            }),
            _ => None,
        };
        Ok(Self {
            id: parse(TABLE, "id", id, GrantId::parse(id))?,
            client: parse(TABLE, "client_id", id, ClientId::parse(&row.client_id))?,
            subject: parse(TABLE, "subject_id", id, SubjectId::parse(&row.subject_id))?,
            toolset: parse(TABLE, "toolset", id, Slug::parse(&row.toolset))?,
            scopes: parse_scopes(TABLE, id, &row.grant_scopes)?,
            connection: parse(TABLE, "connection_id", id, connection.transpose())?,
            created_at: Timestamp::from_millis(row.granted_at_ms),
            ended,
        })
    }
}
