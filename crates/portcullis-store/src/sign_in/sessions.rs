//! What a person's browser has: its session, and the consents that are remembered.

use portcullis_base::{Digest, Slug, SubjectId, Timestamp};
use portcullis_oauth::issuer::person::{CONSENT_LIFETIME, RememberedConsent, SessionRow};

use super::complete::{NewSession, SignIn};
use crate::engine::row::row;
use crate::engine::{Connection, execute, fetch_optional};
use crate::error::StoreError;
use crate::rows::{parse, parse_key};
use crate::store::Store;

const TABLE: &str = "browser_sessions";

row! {
    struct Row {
        digest: Vec<u8>,
        subject_id: String,
        provider: String,
        label: Option<String>,
        created_at_ms: i64,
        used_at_ms: i64,
    }
}

impl Store {
    /// Finds the browser session whose cookie has this digest, whether or not it still stands.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn session(&self, digest: &Digest) -> Result<Option<SessionRow>, StoreError> {
        let mut reader = self.engine().reader().await?;
        let row = fetch_optional!(
            &mut reader.connection(),
            Row,
            "SELECT digest, subject_id, provider, label, created_at_ms, used_at_ms \
             FROM browser_sessions WHERE digest = $1",
            digest.as_bytes().as_slice()
        )?;
        row.map(SessionRow::try_from).transpose()
    }

    /// Notes that a browser session was used; whether it still stood is for the caller to judge before.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn use_session(&self, digest: &Digest, now: Timestamp) -> Result<(), StoreError> {
        let digest = *digest;
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move {
                    execute!(
                        &mut connection,
                        "UPDATE browser_sessions SET used_at_ms = $1 \
                         WHERE digest = $2 AND used_at_ms < $1",
                        now.as_millis(),
                        digest.as_bytes().as_slice()
                    )?;
                    Ok(())
                })
            })
            .await
    }

    /// Ends a browser session.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn end_session(&self, digest: &Digest) -> Result<(), StoreError> {
        let digest = *digest;
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move { remove(&digest, &mut connection).await })
            })
            .await
    }

    /// Tells whether exactly this consent is remembered, and no longer ago than [`CONSENT_LIFETIME`].
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn remembers(
        &self,
        consent: &RememberedConsent,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut reader = self.engine().reader().await?;
        let found = fetch_optional!(
            &mut reader.connection(),
            (i64,),
            "SELECT created_at_ms FROM consents WHERE digest = $1 AND created_at_ms > $2",
            digest_of(consent).as_bytes().as_slice(),
            now.before(CONSENT_LIFETIME).as_millis()
        )?;
        Ok(found.is_some())
    }
}

/// Begins the session of whoever signed in, and ends the one that it replaces.
pub(super) async fn begin(
    session: &NewSession,
    sign_in: &SignIn,
    subject: SubjectId,
    now: Timestamp,
    connection: &mut Connection<'_>,
) -> Result<(), StoreError> {
    if let Some(replaced) = &session.replaced {
        remove(replaced, connection).await?;
    }
    let identity = sign_in.identity.as_ref();
    execute!(
        connection,
        "INSERT INTO browser_sessions \
         (digest, subject_id, provider, label, created_at_ms, used_at_ms) \
         VALUES ($1, $2, $3, $4, $5, $5)",
        session.digest.as_bytes().as_slice(),
        subject.to_string(),
        sign_in.provider.as_str(),
        identity.and_then(|it| it.label.as_deref()),
        now.as_millis()
    )?;
    Ok(())
}

async fn remove(digest: &Digest, connection: &mut Connection<'_>) -> Result<(), StoreError> {
    execute!(
        connection,
        "DELETE FROM browser_sessions WHERE digest = $1",
        digest.as_bytes().as_slice()
    )?;
    Ok(())
}

pub(super) async fn remember(
    consent: &RememberedConsent,
    now: Timestamp,
    connection: &mut Connection<'_>,
) -> Result<(), StoreError> {
    execute!(
        connection,
        "INSERT INTO consents \
         (digest, subject_id, client_id, redirect_uri, toolset, scopes, created_at_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (digest) DO UPDATE SET created_at_ms = excluded.created_at_ms",
        digest_of(consent).as_bytes().as_slice(),
        consent.subject.to_string(),
        consent.client.as_str(),
        &consent.redirect_uri,
        consent.toolset.as_str(),
        consent.scopes.to_string(),
        now.as_millis()
    )?;
    Ok(())
}

/// Covers all that a consent is bound to: one key, however long the texts are.
fn digest_of(consent: &RememberedConsent) -> Digest {
    Digest::of_fields([
        consent.subject.to_string().as_bytes(),
        consent.client.as_str().as_bytes(),
        consent.redirect_uri.as_bytes(),
        consent.toolset.as_str().as_bytes(),
        consent.scopes.to_string().as_bytes(),
    ])
}

impl TryFrom<Row> for SessionRow {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let (digest, key) = parse_key(TABLE, &row.digest)?;
        Ok(Self {
            digest,
            subject: parse(TABLE, "subject_id", &key, SubjectId::parse(&row.subject_id))?,
            provider: parse(TABLE, "provider", &key, Slug::parse(&row.provider))?,
            label: row.label,
            created_at: Timestamp::from_millis(row.created_at_ms),
            used_at: Timestamp::from_millis(row.used_at_ms),
        })
    }
}
