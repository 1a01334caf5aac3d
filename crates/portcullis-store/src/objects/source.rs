//! The table `document_sources`: the documents that come from a URL, and when each is looked at next.
//!
//! A look is claimed by moving the time of the next one: one replica looks, and where it is gone, another one does after that time.
//! That time is also what the claim is known by: a look that took longer finds another one there, and counts for nothing.

use std::time::Duration;

use portcullis_base::{DocumentId, Slug, Timestamp};

use crate::document::{
    ChangePolicy, Document, DueDocument, LookOutcome, LookState, RemoteSettings, Validators,
};
use crate::engine::row::row;
use crate::engine::{Connection, execute, fetch_optional};
use crate::error::StoreError;
use crate::rows::{instant, parse, parse_word, word};
use crate::store::Store;

pub(super) const TABLE: &str = "document_sources";

row! {
    struct Row {
        document_id: String,
        slug: String,
        url: String,
        changes: String,
        refresh_seconds: i64,
        etag: Option<String>,
        last_modified: Option<String>,
        due_at_ms: i64,
    }
}

impl Store {
    /// Claims for `claim` the look at a document's URL that is due; nothing where none is, or somebody else was faster.
    ///
    /// # Errors
    ///
    /// When the database cannot be used.
    pub async fn claim_document_look(
        &self,
        claim: Duration,
        now: Timestamp,
    ) -> Result<Option<DueDocument>, StoreError> {
        let mut reader = self.engine().reader().await?;
        let due = fetch_optional!(
            &mut reader.connection(),
            (String, i64),
            "SELECT document_id, due_at_ms FROM document_sources \
             WHERE due_at_ms <= $1 AND changes <> $2 ORDER BY due_at_ms, document_id LIMIT 1",
            now.as_millis(),
            word(&ChangePolicy::Pin)
        )?;
        drop(reader);
        let Some((id, due_at)) = due else {
            return Ok(None);
        };
        let until = now.after(claim).as_millis();
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move {
                    let connection = &mut connection;
                    let claimed = execute!(
                        connection,
                        "UPDATE document_sources SET due_at_ms = $1 \
                         WHERE document_id = $2 AND due_at_ms = $3",
                        until,
                        &id,
                        due_at
                    )?;
                    match claimed {
                        0 => Ok(None),
                        _ => find(&id, connection).await,
                    }
                })
            })
            .await
    }

    /// Returns what a look at a document's URL has to know; nothing where it comes from none.
    ///
    /// # Errors
    ///
    /// When the database cannot be read, or a row cannot be.
    pub async fn document_source(&self, id: DocumentId) -> Result<Option<DueDocument>, StoreError> {
        let mut reader = self.engine().reader().await?;
        find(&id.to_string(), &mut reader.connection()).await
    }

    /// Tells whether a look still counts: the document comes from the same URL, and nobody has begun another look since.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn holds_document_look(&self, due: &DueDocument) -> Result<bool, StoreError> {
        let mut reader = self.engine().reader().await?;
        let held = fetch_optional!(
            &mut reader.connection(),
            (String,),
            "SELECT document_id FROM document_sources \
             WHERE document_id = $1 AND url = $2 AND due_at_ms = $3",
            due.id.to_string(),
            &due.source,
            due.until.as_millis()
        )?;
        Ok(held.is_some())
    }

    /// Notes what came of a look, and when the next one is due; says whether the look still counted.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn note_document_look(
        &self,
        due: &DueDocument,
        outcome: LookOutcome,
        next: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (validators, failure) = match outcome {
            LookOutcome::Read(validators) => (validators, None),
            // Then the same content is read again, in case the cause lay here.
            LookOutcome::Failed(failure) => (Validators::default(), Some(failure)),
        };
        let (id, source, until) = (due.id.to_string(), due.source.clone(), due.until);
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move {
                    let noted = execute!(
                        &mut connection,
                        "UPDATE document_sources SET etag = $1, last_modified = $2, failure = $3, \
                         looked_at_ms = $4, due_at_ms = $5 \
                         WHERE document_id = $6 AND url = $7 AND due_at_ms = $8",
                        validators.etag,
                        validators.last_modified,
                        failure,
                        now.as_millis(),
                        next.as_millis(),
                        &id,
                        &source,
                        until.as_millis()
                    )?;
                    Ok(noted > 0)
                })
            })
            .await
    }

    /// Tells when a document's URL was looked at; nothing where it comes from none.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn document_look(&self, id: DocumentId) -> Result<Option<LookState>, StoreError> {
        let mut reader = self.engine().reader().await?;
        let row = fetch_optional!(
            &mut reader.connection(),
            (Option<i64>, Option<String>),
            "SELECT looked_at_ms, failure FROM document_sources WHERE document_id = $1",
            id.to_string()
        )?;
        Ok(row.map(|(looked_at_ms, failure)| LookState {
            looked_at: instant(looked_at_ms),
            failure,
        }))
    }
}

async fn find(
    id: &str,
    connection: &mut Connection<'_>,
) -> Result<Option<DueDocument>, StoreError> {
    let row = fetch_optional!(
        connection,
        Row,
        "SELECT document_id, slug, url, changes, refresh_seconds, etag, last_modified, \
         due_at_ms FROM document_sources JOIN documents ON id = document_id WHERE document_id = $1",
        id
    )?;
    row.map(due).transpose()
}

fn due(row: Row) -> Result<DueDocument, StoreError> {
    let id = row.document_id.as_str();
    Ok(DueDocument {
        id: parse(TABLE, "document_id", id, DocumentId::parse(id))?,
        slug: parse(TABLE, "slug", id, Slug::parse(&row.slug))?,
        remote: RemoteSettings {
            changes: parse_word(TABLE, "changes", id, &row.changes)?,
            refresh_seconds: u32::try_from(row.refresh_seconds).unwrap_or(u32::MAX),
        },
        source: row.url,
        validators: Validators {
            etag: row.etag,
            last_modified: row.last_modified,
        },
        until: Timestamp::from_millis(row.due_at_ms),
    })
}

/// Writes whether and how a document comes from a URL; another URL is another source, of which nothing is known yet.
pub(super) async fn put(
    document: &Document,
    connection: &mut Connection<'_>,
) -> Result<(), StoreError> {
    let id = document.id.to_string();
    let Some(remote) = document.remote else {
        execute!(
            connection,
            "DELETE FROM document_sources WHERE document_id = $1",
            &id
        )?;
        return Ok(());
    };
    let rest = Duration::from_secs(u64::from(remote.refresh_seconds));
    execute!(
        connection,
        "INSERT INTO document_sources (document_id, url, changes, refresh_seconds, due_at_ms) \
         VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (document_id) DO UPDATE SET changes = excluded.changes, \
         etag = CASE WHEN document_sources.url = excluded.url THEN document_sources.etag END, \
         last_modified = CASE WHEN document_sources.url = excluded.url \
             THEN document_sources.last_modified END, \
         due_at_ms = CASE WHEN document_sources.url = excluded.url \
             AND document_sources.refresh_seconds = excluded.refresh_seconds \
             THEN document_sources.due_at_ms ELSE excluded.due_at_ms END, \
         failure = CASE WHEN document_sources.url = excluded.url \
             THEN document_sources.failure END, \
         refresh_seconds = excluded.refresh_seconds, url = excluded.url",
        &id,
        &document.source,
        word(&remote.changes),
        i64::from(remote.refresh_seconds),
        document.updated_at.after(rest).as_millis()
    )?;
    Ok(())
}
