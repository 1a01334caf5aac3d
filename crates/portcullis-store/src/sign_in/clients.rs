//! Clients: those that registered themselves go again where nobody ever granted them anything, and those of the operator come and go with the other objects.

use portcullis_base::Timestamp;
use portcullis_oauth::issuer::client::{Client, ClientId, ClientOrigin};
use portcullis_oauth::issuer::grant::EndReason;

use super::OPERATOR;
use super::grants::{self, End};
use crate::audit::{Actor, AuditEntry};
use crate::engine::row::row;
use crate::engine::{Connection, execute, fetch_all, fetch_optional};
use crate::error::StoreError;
use crate::rows::{parse, parse_digest, parse_json, parse_word, to_json, word};
use crate::seal::Sealer;
use crate::store::Store;

const TABLE: &str = "clients";

row! {
    struct Row {
        id: String,
        origin: String,
        /// `tests/fixtures/` holds a text of each form that was ever written.
        metadata: String,
        secret: Option<Vec<u8>>,
        remember_consent: i64,
        created_at_ms: i64,
    }
}

impl Store {
    /// Stores a client.
    ///
    /// # Errors
    ///
    /// When there is one of the id, or the database cannot be written.
    pub async fn insert_client(&self, client: &Client, now: Timestamp) -> Result<(), StoreError> {
        let sealer = self.sealer();
        let client = client.clone();
        // The row says when it was made; a use within a minute of that need not be noted.
        self.client_uses()
            .is_due(client.id.clone(), client.created_at);
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move {
                    let connection = &mut connection;
                    execute!(
                        connection,
                        "INSERT INTO clients \
                         (id, origin, metadata, secret, remember_consent, created_at_ms, \
                         used_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $6)",
                        client.id.as_str(),
                        word(&client.origin),
                        to_json(&client.metadata),
                        client.secret.as_ref().map(|it| it.as_bytes().as_slice()),
                        i64::from(client.remembers_consent),
                        client.created_at.as_millis()
                    )?;
                    let actor = match client.origin {
                        ClientOrigin::Dynamic => Actor::new(client.id.as_str()),
                        ClientOrigin::PreRegistered => Actor::new(OPERATOR),
                    };
                    AuditEntry::new(actor, "client.registered", client.id.to_string())
                        .insert(connection, sealer.rng(), now)
                        .await
                })
            })
            .await
    }

    /// Finds a client.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn client(&self, id: &ClientId) -> Result<Option<Client>, StoreError> {
        let mut reader = self.engine().reader().await?;
        let row = fetch_optional!(
            &mut reader.connection(),
            Row,
            "SELECT id, origin, metadata, secret, remember_consent, created_at_ms \
             FROM clients WHERE id = $1",
            id.as_str()
        )?;
        row.map(Client::try_from).transpose()
    }

    /// Notes that a client was used; at most once a minute per client, and without waiting.
    ///
    /// A note that cannot be written is logged and lost.
    pub fn touch_client(&self, id: &ClientId, now: Timestamp) {
        if !self.client_uses().is_due(id.clone(), now) {
            return;
        }
        let store = self.clone();
        let id = id.clone();
        self.background().spawn(async move {
            if let Err(error) = store.write_use_of_client(&id, now).await {
                tracing::warn!(client.id = %id, %error, "the use of a client was not noted");
            }
        });
    }

    async fn write_use_of_client(&self, id: &ClientId, now: Timestamp) -> Result<(), StoreError> {
        let id = id.to_string();
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move {
                    execute!(
                        &mut connection,
                        "UPDATE clients SET used_at_ms = $1 WHERE id = $2 AND used_at_ms < $1",
                        now.as_millis(),
                        id
                    )?;
                    Ok(())
                })
            })
            .await
    }

    /// Removes up to `limit` clients that registered themselves, never got a grant, were not used since `before`, and have neither a flow under way nor a code; gives their number.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn delete_unused_clients(
        &self,
        before: Timestamp,
        now: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move {
                    execute!(
                        &mut connection,
                        "DELETE FROM clients WHERE id IN (SELECT id FROM clients \
                         WHERE origin = 'dynamic' AND granted_at_ms IS NULL AND used_at_ms < $1 \
                         AND NOT EXISTS (SELECT 1 FROM flows \
                             WHERE flows.client_id = clients.id AND flows.expires_at_ms > $2) \
                         AND NOT EXISTS (SELECT 1 FROM authorization_codes AS codes \
                             WHERE codes.client_id = clients.id) \
                         ORDER BY used_at_ms LIMIT $3)",
                        before.as_millis(),
                        now.as_millis(),
                        i64::from(limit)
                    )
                })
            })
            .await
    }
}

/// Reads the clients that the operator registered.
pub(crate) async fn pre_registered(
    connection: &mut Connection<'_>,
) -> Result<Vec<Client>, StoreError> {
    let rows = fetch_all!(
        connection,
        Row,
        "SELECT id, origin, metadata, secret, remember_consent, created_at_ms \
         FROM clients WHERE origin = 'pre_registered' ORDER BY id"
    )?;
    rows.into_iter().map(Client::try_from).collect()
}

/// Registers a client for the operator, or changes what was registered; says whether the id was free or the operator's.
///
/// People approved the client as it was, so that what they approved is forgotten.
pub(crate) async fn put_pre_registered(
    client: &Client,
    connection: &mut Connection<'_>,
) -> Result<bool, StoreError> {
    let put = execute!(
        connection,
        "INSERT INTO clients \
         (id, origin, metadata, secret, remember_consent, created_at_ms, used_at_ms) \
         VALUES ($1, 'pre_registered', $2, $3, $4, $5, $5) \
         ON CONFLICT (id) DO UPDATE SET metadata = excluded.metadata, secret = excluded.secret, \
         remember_consent = excluded.remember_consent WHERE clients.origin = 'pre_registered'",
        client.id.as_str(),
        to_json(&client.metadata),
        client.secret.as_ref().map(|it| it.as_bytes().as_slice()),
        i64::from(client.remembers_consent),
        client.created_at.as_millis()
    )?;
    if put == 0 {
        return Ok(false);
    }
    execute!(
        connection,
        "DELETE FROM consents WHERE client_id = $1",
        client.id.as_str()
    )?;
    Ok(true)
}

/// Removes a client of the operator's, and with it the flows, codes and grants that it has.
///
/// The grants end first, so that they leave what they would leave otherwise: a row in the audit, and tokens that the provider is to revoke.
pub(crate) async fn remove_pre_registered(
    id: &ClientId,
    actor: &Actor,
    sealer: &Sealer,
    now: Timestamp,
    connection: &mut Connection<'_>,
) -> Result<(), StoreError> {
    let grants = fetch_all!(
        connection,
        (String,),
        "SELECT grants.id FROM grants JOIN clients ON clients.id = grants.client_id \
         WHERE clients.id = $1 AND clients.origin = 'pre_registered' \
         AND grants.ended_at_ms IS NULL ORDER BY grants.id",
        id.as_str()
    )?;
    // Nobody gets another one by a code that is still about.
    execute!(
        connection,
        "DELETE FROM authorization_codes WHERE client_id IN \
         (SELECT id FROM clients WHERE id = $1 AND origin = 'pre_registered')",
        id.as_str()
    )?;
    let by = End {
        reason: EndReason::Revoked,
        actor,
        now,
    };
    for (grant,) in grants {
        grants::end(&grant, by, sealer, connection).await?;
    }
    execute!(
        connection,
        "DELETE FROM clients WHERE id = $1 AND origin = 'pre_registered'",
        id.as_str()
    )?;
    Ok(())
}

impl TryFrom<Row> for Client {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let secret = row.secret.as_ref();
        Ok(Self {
            id: parse(TABLE, "id", &row.id, ClientId::parse(&row.id))?,
            origin: parse_word(TABLE, "origin", &row.id, &row.origin)?,
            metadata: parse_json(TABLE, "metadata", &row.id, &row.metadata)?,
            secret: secret
                .map(|bytes| parse_digest(TABLE, "secret", &row.id, bytes))
                .transpose()?,
            remembers_consent: row.remember_consent == 1,
            created_at: Timestamp::from_millis(row.created_at_ms),
        })
    }
}
