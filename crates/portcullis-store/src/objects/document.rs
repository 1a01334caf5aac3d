//! The table `documents`, and what it says of sources and revisions.

use portcullis_base::{Digest, DocumentId, Slug, Timestamp};

use super::{ApplyError, revision, source, taken};
use crate::audit::Actor;
use crate::document::{Document, DocumentContent, DocumentPut, RemoteSettings};
use crate::engine::row::row;
use crate::engine::{Connection, execute, fetch_all, fetch_optional};
use crate::error::StoreError;
use crate::rows::{owner_text, parse, parse_digest, parse_json, parse_owner, parse_word, to_json};
use crate::store::Store;

const TABLE: &str = "documents";

row! {
    struct Row {
        id: String,
        slug: String,
        owner: String,
        source: String,
        digest: Vec<u8>,
        names_digest: Option<Vec<u8>>,
        waiting_digest: Option<Vec<u8>>,
        changes: Option<String>,
        refresh_seconds: Option<i64>,
        schemes: String,
        settings: String,
        updated_at_ms: i64,
    }
}

impl Store {
    /// Reads the content that a document has and the names of its tools; nothing where it has another content by now.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn document_content(
        &self,
        id: DocumentId,
        digest: Digest,
    ) -> Result<Option<DocumentContent>, StoreError> {
        let mut reader = self.engine().reader().await?;
        let row = fetch_optional!(
            &mut reader.connection(),
            (Vec<u8>, String),
            "SELECT content, names FROM documents WHERE id = $1 AND digest = $2",
            id.to_string(),
            digest.as_bytes().as_slice()
        )?;
        Ok(row.map(|(bytes, names)| DocumentContent {
            bytes: bytes.into(),
            names: names.into(),
        }))
    }
}

pub(super) async fn all(connection: &mut Connection<'_>) -> Result<Vec<Document>, StoreError> {
    let rows = fetch_all!(
        connection,
        Row,
        "SELECT id, slug, owner, source, digest, names_digest, waiting_digest, changes, \
         refresh_seconds, schemes, settings, updated_at_ms \
         FROM documents LEFT JOIN document_sources ON document_id = id ORDER BY slug"
    )?;
    rows.into_iter().map(Document::try_from).collect()
}

pub(super) async fn put(
    put: &DocumentPut,
    actor: &Actor,
    connection: &mut Connection<'_>,
) -> Result<(), ApplyError> {
    let DocumentPut {
        document,
        content,
        waiting,
    } = put;
    // What a program wrote that knew of no revisions is kept before it goes.
    revision::keep_served(document.id, connection).await?;
    let written = match content {
        Some(content) => whole(document, content, connection).await,
        None => around_content(document, connection).await,
    };
    written.map_err(|error| taken(error, "document", &document.slug))?;
    if let Some(content) = content {
        let revision = revision::New::served(document, &content.bytes);
        revision.keep(actor, connection).await?;
    }
    if let (Some(digest), Some(bytes)) = (document.waiting, waiting) {
        let revision = revision::New::waiting(document, digest, bytes);
        revision.keep(actor, connection).await?;
    }
    revision::forget_oldest(&document.slug, connection).await?;
    source::put(document, connection).await?;
    Ok(())
}

async fn whole(
    document: &Document,
    content: &DocumentContent,
    connection: &mut Connection<'_>,
) -> Result<u64, StoreError> {
    execute!(
        connection,
        "INSERT INTO documents \
         (id, slug, owner, source, content, digest, names, names_digest, waiting_digest, \
         schemes, settings, updated_at_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
         ON CONFLICT (id) DO UPDATE SET slug = excluded.slug, owner = excluded.owner, \
         source = excluded.source, content = excluded.content, digest = excluded.digest, \
         names = excluded.names, names_digest = excluded.names_digest, \
         waiting_digest = excluded.waiting_digest, schemes = excluded.schemes, \
         settings = excluded.settings, updated_at_ms = excluded.updated_at_ms",
        document.id.to_string(),
        document.slug.as_str(),
        owner_text(document.owner),
        &document.source,
        &content.bytes[..],
        document.digest.as_bytes().as_slice(),
        &*content.names,
        bytes(document.names),
        bytes(document.waiting),
        to_json(&document.schemes),
        to_json(&document.settings),
        document.updated_at.as_millis()
    )
}

/// Writes everything but the content and its names.
async fn around_content(
    document: &Document,
    connection: &mut Connection<'_>,
) -> Result<u64, StoreError> {
    execute!(
        connection,
        "UPDATE documents SET slug = $1, owner = $2, source = $3, waiting_digest = $4, \
         schemes = $5, settings = $6, updated_at_ms = $7 WHERE id = $8",
        document.slug.as_str(),
        owner_text(document.owner),
        &document.source,
        bytes(document.waiting),
        to_json(&document.schemes),
        to_json(&document.settings),
        document.updated_at.as_millis(),
        document.id.to_string()
    )
}

fn bytes(digest: Option<Digest>) -> Option<Vec<u8>> {
    digest.map(|digest| digest.as_bytes().to_vec())
}

impl TryFrom<Row> for Document {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let digest = |column, bytes: Option<Vec<u8>>| {
            let read = bytes.map(|bytes| parse_digest(TABLE, column, &row.id, &bytes));
            read.transpose()
        };
        let remote = row.changes.as_deref().zip(row.refresh_seconds);
        let remote = remote.map(|(changes, seconds)| {
            Ok::<_, StoreError>(RemoteSettings {
                changes: parse_word(source::TABLE, "changes", &row.id, changes)?,
                refresh_seconds: u32::try_from(seconds).unwrap_or(u32::MAX),
            })
        });
        Ok(Self {
            id: parse(TABLE, "id", &row.id, DocumentId::parse(&row.id))?,
            slug: parse(TABLE, "slug", &row.id, Slug::parse(&row.slug))?,
            owner: parse_owner(TABLE, &row.id, &row.owner)?,
            source: row.source,
            digest: parse_digest(TABLE, "digest", &row.id, &row.digest)?,
            names: digest("names_digest", row.names_digest)?,
            waiting: digest("waiting_digest", row.waiting_digest)?,
            remote: remote.transpose()?,
            schemes: parse_json(TABLE, "schemes", &row.id, &row.schemes)?,
            settings: parse_json(TABLE, "settings", &row.id, &row.settings)?,
            updated_at: Timestamp::from_millis(row.updated_at_ms),
        })
    }
}
