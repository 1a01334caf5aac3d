//! The end of what a subject has at a provider: with the last grant there its connections end, and their tokens are to be revoked by the provider.
//!
//! All connections at one provider end together and none before, since some providers answer the revocation of one token with the end of everything that the person granted us.
//! Here they end at once; the provider is asked later ([`super::revocations`]), and nothing waits for it.

use portcullis_base::{ConnectionId, Secret, Slug, SubjectId, Timestamp};
use portcullis_oauth::issuer::person::{ConnectionStatus, ConnectionTokens};

use super::connections::{TABLE, place};
use super::grants::End;
use super::revocations::{self, RevokedKind};
use crate::audit::AuditEntry;
use crate::engine::row::row;
use crate::engine::{Connection, execute, fetch_all, fetch_optional};
use crate::error::StoreError;
use crate::rows::{parse, word};
use crate::seal::Sealer;

/// A subject and a provider where it has connections.
#[derive(Clone, Debug)]
pub(super) struct Bond {
    pub(super) subject: SubjectId,
    pub(super) provider: Slug,
}

row! {
    struct Row {
        id: String,
        access_token: Vec<u8>,
        refresh_token: Option<Vec<u8>>,
        expires_at_ms: Option<i64>,
    }
}

/// Returns what a grant is part of, where it has a connection, and keeps everybody else from connecting or renewing until the transaction ends.
///
/// Rows are taken hold of in the order in which others do it: the subject, its connections, its grants.
pub(super) async fn hold(
    grant: &str,
    connection: &mut Connection<'_>,
) -> Result<Option<Bond>, StoreError> {
    let found = fetch_optional!(
        connection,
        (String, String, String),
        "SELECT connections.id, connections.subject_id, connections.provider \
         FROM grants JOIN connections ON connections.id = grants.connection_id \
         WHERE grants.id = $1 AND grants.ended_at_ms IS NULL",
        grant
    )?;
    let Some((id, subject, provider)) = found else {
        return Ok(None);
    };
    execute!(
        connection,
        "UPDATE subjects SET label = label WHERE id = $1",
        &subject
    )?;
    execute!(
        connection,
        "UPDATE connections SET generation = generation WHERE subject_id = $1 AND provider = $2",
        &subject,
        &provider
    )?;
    Ok(Some(Bond {
        subject: parse(TABLE, "subject_id", &id, SubjectId::parse(&subject))?,
        provider: parse(TABLE, "provider", &id, Slug::parse(&provider))?,
    }))
}

/// Tells whether anything rests on the connections, or is about to.
pub(super) async fn holds(
    bond: &Bond,
    now: Timestamp,
    connection: &mut Connection<'_>,
) -> Result<bool, StoreError> {
    let standing = fetch_all!(
        connection,
        (String,),
        "SELECT id FROM connections WHERE subject_id = $1 AND provider = $2 \
         AND (EXISTS (SELECT 1 FROM grants \
             WHERE grants.connection_id = connections.id AND grants.ended_at_ms IS NULL) \
         OR EXISTS (SELECT 1 FROM authorization_codes AS codes \
             WHERE codes.connection_id = connections.id \
             AND codes.redeemed_at_ms IS NULL AND codes.expires_at_ms > $3))",
        bond.subject.to_string(),
        bond.provider.as_str(),
        now.as_millis()
    )?;
    Ok(!standing.is_empty())
}

/// Ends the connections where nothing rests on them any more.
pub(super) async fn part(
    bond: &Bond,
    by: End<'_>,
    sealer: &Sealer,
    connection: &mut Connection<'_>,
) -> Result<(), StoreError> {
    if holds(bond, by.now, connection).await? {
        return Ok(());
    }
    let rows = fetch_all!(
        connection,
        Row,
        "SELECT id, access_token, refresh_token, expires_at_ms FROM connections \
         WHERE subject_id = $1 AND provider = $2 AND status <> $3",
        bond.subject.to_string(),
        bond.provider.as_str(),
        word(&ConnectionStatus::Revoked)
    )?;
    for row in rows {
        for (kind, token) in tokens(&row, by.now, sealer, connection).await? {
            revocations::insert(bond, kind, &token, sealer, by.now, connection).await?;
        }
        empty(&row.id, sealer, connection).await?;
        AuditEntry::new(by.actor.clone(), "connection.revoked", row.id)
            .insert(connection, sealer.rng(), by.now)
            .await?;
    }
    Ok(())
}

/// Opens the tokens of a connection that a provider may still honour, the refresh token first.
///
/// What does not open is no reason to let anything stand.
async fn tokens(
    row: &Row,
    now: Timestamp,
    sealer: &Sealer,
    connection: &mut Connection<'_>,
) -> Result<Vec<(RevokedKind, Secret)>, StoreError> {
    let is_good = row.expires_at_ms.is_none_or(|end| now.as_millis() < end);
    let access = Some(&row.access_token).filter(|_| is_good);
    let mut opened = Vec::new();
    for (kind, column, record) in [
        (
            RevokedKind::RefreshToken,
            "refresh_token",
            row.refresh_token.as_ref(),
        ),
        (RevokedKind::AccessToken, "access_token", access),
    ] {
        let Some(record) = record else {
            continue;
        };
        let place = place(column, &row.id);
        match sealer.open_fresh(record, place, connection).await {
            Ok(token) => opened.push((kind, token)),
            Err(StoreError::Seal(error)) => {
                tracing::warn!(connection.id = row.id, %error, "a token cannot be opened, so that its provider is not asked to revoke it");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(opened)
}

/// Takes the tokens out of a connection; by its status and generation nobody who renews it meanwhile puts others in.
async fn empty(
    id: &str,
    sealer: &Sealer,
    connection: &mut Connection<'_>,
) -> Result<(), StoreError> {
    let seal = sealer.current(connection).await?;
    let nothing = Secret::new(String::new());
    execute!(
        connection,
        "UPDATE connections SET status = $1, access_token = $2, access_key_id = $3, \
         refresh_token = NULL, refresh_key_id = NULL, renewing_until_ms = NULL, \
         generation = generation + 1 WHERE id = $4",
        word(&ConnectionStatus::Revoked),
        seal.seal(&nothing, place("access_token", id)),
        seal.data_key_id(),
        id
    )?;
    Ok(())
}

/// Has tokens revoked that came for a connection which was revoked meanwhile.
pub(super) async fn give_back(
    id: &str,
    tokens: &ConnectionTokens,
    sealer: &Sealer,
    now: Timestamp,
    connection: &mut Connection<'_>,
) -> Result<(), StoreError> {
    let found = fetch_optional!(
        connection,
        (String, String),
        "SELECT subject_id, provider FROM connections WHERE id = $1 AND status = $2",
        id,
        word(&ConnectionStatus::Revoked)
    )?;
    let Some((subject, provider)) = found else {
        return Ok(());
    };
    let bond = Bond {
        subject: parse(TABLE, "subject_id", id, SubjectId::parse(&subject))?,
        provider: parse(TABLE, "provider", id, Slug::parse(&provider))?,
    };
    let refresh = tokens.refresh.as_ref();
    let refresh = refresh.map(|token| (RevokedKind::RefreshToken, token));
    for (kind, token) in refresh
        .into_iter()
        .chain([(RevokedKind::AccessToken, &tokens.access)])
    {
        revocations::insert(&bond, kind, token, sealer, now, connection).await?;
    }
    let id: ConnectionId = parse(TABLE, "id", id, ConnectionId::parse(id))?;
    tracing::info!(connection.id = %id, "tokens came for a connection that was revoked meanwhile; they are revoked as well");
    Ok(())
}
