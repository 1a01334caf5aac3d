//! Authorization codes: stored as digests, redeemed once.

use portcullis_base::{ConnectionId, Digest, FlowId, GrantId, Slug, SubjectId, Timestamp};
use portcullis_oauth::issuer::client::ClientId;
use portcullis_oauth::issuer::code::{Code, Redeemed};
use portcullis_oauth::issuer::grant::{Grant, NewTokens};
use portcullis_oauth::pkce::CodeChallenge;

use super::complete::{NewCode, SignedIn};
use super::tokens;
use super::{GATEWAY, grants};
use crate::audit::{Actor, AuditEntry};
use crate::engine::row::row;
use crate::engine::{Connection, execute, fetch_optional};
use crate::error::StoreError;
use crate::rows::{parse, parse_key, parse_scopes};
use crate::seal::Sealer;
use crate::store::Store;

const TABLE: &str = "authorization_codes";

row! {
    struct Row {
        digest: Vec<u8>,
        flow_id: String,
        client_id: String,
        redirect_uri: String,
        code_challenge: String,
        toolset: String,
        scopes: String,
        subject_id: String,
        connection_id: Option<String>,
        created_at_ms: i64,
        expires_at_ms: i64,
        redeemed_at_ms: Option<i64>,
        grant_id: Option<String>,
    }
}

impl Store {
    /// Finds the code with this digest, whether or not it is still good.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn code(&self, digest: &Digest) -> Result<Option<Code>, StoreError> {
        let mut reader = self.engine().reader().await?;
        let row = fetch_optional!(
            &mut reader.connection(),
            Row,
            "SELECT digest, flow_id, client_id, redirect_uri, code_challenge, toolset, scopes, \
             subject_id, connection_id, created_at_ms, expires_at_ms, redeemed_at_ms, grant_id \
             FROM authorization_codes WHERE digest = $1",
            digest.as_bytes().as_slice()
        )?;
        row.map(Code::try_from).transpose()
    }

    /// Redeems a code: consumes it and stores the grant and the tokens; of several callers one succeeds.
    ///
    /// Gives `false`, and stores nothing, where the code is redeemed already or has expired.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn redeem_code(
        &self,
        digest: &Digest,
        grant: Grant,
        tokens: NewTokens,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sealer = self.sealer();
        let digest = *digest;
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move {
                    let connection = &mut connection;
                    if !consume(&digest, grant.id, now, connection).await? {
                        return Ok(false);
                    }
                    make(&grant, &tokens, &sealer, now, connection).await?;
                    Ok(true)
                })
            })
            .await
    }

    /// Records that a code was presented again where its grant was kept.
    ///
    /// Where the grant ends for it, [`Store::end_grant`] records it too.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn note_replayed_code(
        &self,
        grant: GrantId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let actor = Actor::new(GATEWAY);
        let entry = AuditEntry::new(actor, "code.replayed", grant.to_string());
        self.insert_audit(entry, now).await
    }
}

pub(super) async fn insert(
    code: &NewCode,
    signed_in: SignedIn,
    now: Timestamp,
    connection: &mut Connection<'_>,
) -> Result<(), StoreError> {
    execute!(
        connection,
        "INSERT INTO authorization_codes \
         (digest, flow_id, client_id, redirect_uri, code_challenge, toolset, scopes, \
         subject_id, connection_id, created_at_ms, expires_at_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        code.digest.as_bytes().as_slice(),
        code.flow.to_string(),
        code.client.as_str(),
        &code.redirect_uri,
        code.code_challenge.as_str(),
        code.toolset.as_str(),
        code.scopes.to_string(),
        signed_in.subject.to_string(),
        signed_in.connection.map(|id| id.to_string()),
        now.as_millis(),
        code.expires_at.as_millis()
    )?;
    Ok(())
}

async fn consume(
    digest: &Digest,
    grant: GrantId,
    now: Timestamp,
    connection: &mut Connection<'_>,
) -> Result<bool, StoreError> {
    let consumed = execute!(
        connection,
        "UPDATE authorization_codes SET redeemed_at_ms = $1, grant_id = $2 \
         WHERE digest = $3 AND redeemed_at_ms IS NULL AND expires_at_ms > $1",
        now.as_millis(),
        grant.to_string(),
        digest.as_bytes().as_slice()
    )?;
    Ok(consumed > 0)
}

async fn make(
    grant: &Grant,
    tokens: &NewTokens,
    sealer: &Sealer,
    now: Timestamp,
    connection: &mut Connection<'_>,
) -> Result<(), StoreError> {
    grants::insert(grant, connection).await?;
    tokens::insert(&grant.id.to_string(), tokens, now, connection).await?;
    execute!(
        connection,
        "UPDATE clients SET granted_at_ms = $1 WHERE id = $2 AND granted_at_ms IS NULL",
        now.as_millis(),
        grant.client.as_str()
    )?;
    let actor = Actor::new(grant.subject.to_string());
    AuditEntry::new(actor, "grant.made", grant.id.to_string())
        .insert(connection, sealer.rng(), now)
        .await
}

impl TryFrom<Row> for Code {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let (digest, key) = parse_key(TABLE, &row.digest)?;
        let connection = row.connection_id.as_deref().map(ConnectionId::parse);
        let challenge = CodeChallenge::parse(&row.code_challenge);
        let redeemed = match (row.redeemed_at_ms, &row.grant_id) {
            (Some(at), Some(grant)) => Some(Redeemed {
                at: Timestamp::from_millis(at),
                grant: parse(TABLE, "grant_id", &key, GrantId::parse(grant))?,
            }),
            _ => None,
        };
        Ok(Self {
            digest,
            flow: parse(TABLE, "flow_id", &key, FlowId::parse(&row.flow_id))?,
            client: parse(TABLE, "client_id", &key, ClientId::parse(&row.client_id))?,
            code_challenge: parse(TABLE, "code_challenge", &key, challenge)?,
            toolset: parse(TABLE, "toolset", &key, Slug::parse(&row.toolset))?,
            scopes: parse_scopes(TABLE, &key, &row.scopes)?,
            subject: parse(TABLE, "subject_id", &key, SubjectId::parse(&row.subject_id))?,
            connection: parse(TABLE, "connection_id", &key, connection.transpose())?,
            redirect_uri: row.redirect_uri,
            created_at: Timestamp::from_millis(row.created_at_ms),
            expires_at: Timestamp::from_millis(row.expires_at_ms),
            redeemed,
        })
    }
}
