//! Connections: a subject's tokens at a provider, sealed.

use portcullis_base::{ConnectionId, Slug, SubjectId, Timestamp};
use portcullis_oauth::issuer::grant::EndReason;
use portcullis_oauth::issuer::person::{
    Connection as Connected, ConnectionStatus, ConnectionTokens,
};

use super::grants;
use crate::engine::row::row;
use crate::engine::{Connection, execute, fetch_optional};
use crate::error::StoreError;
use crate::rows::{instant, parse, parse_scopes, parse_word, word};
use crate::seal::{Place, Sealer};
use crate::store::Store;

pub(super) const TABLE: &str = "connections";

row! {
    struct Row {
        id: String,
        subject_id: String,
        provider: String,
        toolset: String,
        status: String,
        access_token: Vec<u8>,
        scopes: String,
        expires_at_ms: Option<i64>,
        generation: i64,
        updated_at_ms: i64,
        has_refresh_token: i64,
    }
}

impl Store {
    /// Finds a connection, whether or not it can be used, and opens its access token.
    ///
    /// # Errors
    ///
    /// When the database cannot be read, or the token does not open.
    pub async fn connection(&self, id: ConnectionId) -> Result<Option<Connected>, StoreError> {
        let mut reader = self.engine().reader().await?;
        let connection = &mut reader.connection();
        let row = fetch_optional!(
            connection,
            Row,
            "SELECT id, subject_id, provider, toolset, status, access_token, scopes, \
             expires_at_ms, generation, updated_at_ms, \
             CAST(CASE WHEN refresh_token IS NULL THEN 0 ELSE 1 END AS BIGINT) \
             AS has_refresh_token \
             FROM connections WHERE id = $1",
            id.to_string()
        )?;
        match row {
            Some(row) => Ok(Some(open(&row, &self.sealer(), connection).await?)),
            None => Ok(None),
        }
    }

    /// Ends a connection whose tokens of this generation are honoured no more, and in the same transaction the grants that rest on it.
    ///
    /// Tokens that were replaced meanwhile are not meant: then nothing changes, and it gives `false`.
    /// A connection that had ended before takes with it the grants that were made on it since, and gives `true`.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn lose_connection(
        &self,
        id: ConnectionId,
        generation: i64,
        reason: EndReason,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sealer = self.sealer();
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move {
                    let connection = &mut connection;
                    // Whatever comes of it, the row is written, so that nobody renews the connection meanwhile.
                    let row = fetch_optional!(
                        connection,
                        (String,),
                        "UPDATE connections SET status = CASE \
                         WHEN generation = $1 AND status = $2 THEN $3 ELSE status END \
                         WHERE id = $4 RETURNING status",
                        generation,
                        word(&ConnectionStatus::Active),
                        word(&ConnectionStatus::NeedsReauthorization),
                        id.to_string()
                    )?;
                    if row.is_some_and(|(status,)| status == word(&ConnectionStatus::Active)) {
                        return Ok(false);
                    }
                    grants::end_on(id, reason, &sealer, now, connection).await?;
                    Ok(true)
                })
            })
            .await
    }
}

/// Gives the tokens to the connection of a subject to a provider for a toolset, which is made where there is none.
///
/// Each toolset has its own: a provider's tokens may be for one API, with the scopes of one toolset.
/// A refresh token that the provider did not give anew stays.
pub(super) async fn connect(
    (subject, provider, toolset): (SubjectId, &Slug, &Slug),
    tokens: &ConnectionTokens,
    sealer: &Sealer,
    now: Timestamp,
    connection: &mut Connection<'_>,
) -> Result<ConnectionId, StoreError> {
    // Whoever calls has written the subject's row: nobody else connects this subject meanwhile.
    let known = fetch_optional!(
        connection,
        (String,),
        "SELECT id FROM connections WHERE subject_id = $1 AND provider = $2 AND toolset = $3",
        subject.to_string(),
        provider.as_str(),
        toolset.as_str()
    )?;
    let id = match known {
        Some((id,)) => parse(TABLE, "id", &id, ConnectionId::parse(&id))?,
        None => ConnectionId::new(now, sealer.rng()),
    };
    let row = id.to_string();
    let seal = sealer.current(connection).await?;
    let refresh = tokens.refresh.as_ref();
    execute!(
        connection,
        "INSERT INTO connections (id, subject_id, provider, toolset, status, access_token, \
         access_key_id, refresh_token, refresh_key_id, scopes, expires_at_ms, generation, \
         updated_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12) \
         ON CONFLICT (id) DO UPDATE SET status = excluded.status, \
         access_token = excluded.access_token, access_key_id = excluded.access_key_id, \
         refresh_token = COALESCE(excluded.refresh_token, connections.refresh_token), \
         refresh_key_id = COALESCE(excluded.refresh_key_id, connections.refresh_key_id), \
         scopes = excluded.scopes, expires_at_ms = excluded.expires_at_ms, \
         generation = connections.generation + 1, renewing_until_ms = NULL, \
         updated_at_ms = excluded.updated_at_ms",
        &row,
        subject.to_string(),
        provider.as_str(),
        toolset.as_str(),
        word(&ConnectionStatus::Active),
        seal.seal(&tokens.access, place("access_token", &row)),
        seal.data_key_id(),
        refresh.map(|token| seal.seal(token, place("refresh_token", &row))),
        refresh.map(|_| seal.data_key_id()),
        tokens.scopes.to_string(),
        tokens.expires_at.map(Timestamp::as_millis),
        now.as_millis()
    )?;
    Ok(id)
}

async fn open(
    row: &Row,
    sealer: &Sealer,
    connection: &mut Connection<'_>,
) -> Result<Connected, StoreError> {
    let id = row.id.as_str();
    let subject = SubjectId::parse(&row.subject_id);
    let access = sealer
        .open_fresh(&row.access_token, place("access_token", id), connection)
        .await?;
    Ok(Connected {
        id: parse(TABLE, "id", id, ConnectionId::parse(id))?,
        subject: parse(TABLE, "subject_id", id, subject)?,
        provider: parse(TABLE, "provider", id, Slug::parse(&row.provider))?,
        toolset: parse(TABLE, "toolset", id, Slug::parse(&row.toolset))?,
        status: parse_word(TABLE, "status", id, &row.status)?,
        access,
        expires_at: instant(row.expires_at_ms),
        scopes: parse_scopes(TABLE, id, &row.scopes)?,
        is_renewable: row.has_refresh_token != 0,
        generation: row.generation,
        updated_at: Timestamp::from_millis(row.updated_at_ms),
    })
}

pub(super) fn place<'a>(column: &'static str, id: &'a str) -> Place<'a> {
    Place {
        table: TABLE,
        column,
        row: id,
    }
}
