//! Connections: a subject's tokens at a provider, sealed.

use portcullis_base::{ConnectionId, Slug, SubjectId, Timestamp};
use portcullis_oauth::issuer::person::{
    Connection as Connected, ConnectionStatus, ConnectionTokens,
};

use crate::engine::{Connection, execute, fetch_optional};
use crate::error::StoreError;
use crate::rows::{instant, parse, parse_scopes, parse_word, word};
use crate::seal::{Place, Sealer};
use crate::store::Store;

const TABLE: &str = "connections";

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    subject_id: String,
    provider: String,
    status: String,
    access_token: Vec<u8>,
    refresh_token: Option<Vec<u8>>,
    scopes: String,
    expires_at_ms: Option<i64>,
    generation: i64,
}

impl Store {
    /// Finds a connection, whether or not it can be used, and opens its tokens.
    ///
    /// # Errors
    ///
    /// When the database cannot be read, or a token does not open.
    pub async fn connection(&self, id: ConnectionId) -> Result<Option<Connected>, StoreError> {
        let mut reader = self.engine().reader().await?;
        let connection = &mut reader.connection();
        let row = fetch_optional!(
            connection,
            Row,
            "SELECT id, subject_id, provider, status, access_token, refresh_token, scopes, \
             expires_at_ms, generation FROM connections WHERE id = $1",
            id.to_string()
        )?;
        match row {
            Some(row) => Ok(Some(open(&row, &self.sealer(), connection).await?)),
            None => Ok(None),
        }
    }

    /// Notes whether a connection can be used; its grants are not touched.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn set_connection_status(
        &self,
        id: ConnectionId,
        status: ConnectionStatus,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move {
                    execute!(
                        &mut connection,
                        "UPDATE connections SET status = $1, updated_at_ms = $2 WHERE id = $3",
                        word(&status),
                        now.as_millis(),
                        id.to_string()
                    )?;
                    Ok(())
                })
            })
            .await
    }
}

/// Gives the tokens to the connection of a subject to a provider, which is made where there is none.
///
/// A refresh token that the provider did not give anew stays.
pub(super) async fn connect(
    (subject, provider): (SubjectId, &Slug),
    tokens: &ConnectionTokens,
    sealer: &Sealer,
    now: Timestamp,
    connection: &mut Connection<'_>,
) -> Result<ConnectionId, StoreError> {
    // Whoever calls has written the subject's row: nobody else connects this subject meanwhile.
    let known = fetch_optional!(
        connection,
        (String,),
        "SELECT id FROM connections WHERE subject_id = $1 AND provider = $2",
        subject.to_string(),
        provider.as_str()
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
        "INSERT INTO connections (id, subject_id, provider, status, access_token, access_key_id, \
         refresh_token, refresh_key_id, scopes, expires_at_ms, generation, updated_at_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $11) \
         ON CONFLICT (id) DO UPDATE SET status = excluded.status, \
         access_token = excluded.access_token, access_key_id = excluded.access_key_id, \
         refresh_token = COALESCE(excluded.refresh_token, connections.refresh_token), \
         refresh_key_id = COALESCE(excluded.refresh_key_id, connections.refresh_key_id), \
         scopes = excluded.scopes, expires_at_ms = excluded.expires_at_ms, \
         generation = connections.generation + 1, updated_at_ms = excluded.updated_at_ms",
        &row,
        subject.to_string(),
        provider.as_str(),
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
    let refresh = match &row.refresh_token {
        Some(record) => {
            let place = place("refresh_token", id);
            Some(sealer.open_fresh(record, place, connection).await?)
        }
        None => None,
    };
    Ok(Connected {
        id: parse(TABLE, "id", id, ConnectionId::parse(id))?,
        subject: parse(TABLE, "subject_id", id, subject)?,
        provider: parse(TABLE, "provider", id, Slug::parse(&row.provider))?,
        status: parse_word(TABLE, "status", id, &row.status)?,
        tokens: ConnectionTokens {
            access,
            refresh,
            expires_at: instant(row.expires_at_ms),
            scopes: parse_scopes(TABLE, id, &row.scopes)?,
        },
        generation: row.generation,
    })
}

fn place<'a>(column: &'static str, id: &'a str) -> Place<'a> {
    Place {
        table: TABLE,
        column,
        row: id,
    }
}
