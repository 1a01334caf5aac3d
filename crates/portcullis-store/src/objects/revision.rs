//! The table `document_revisions`: the contents that documents had, have or may get.

use std::sync::Arc;

use portcullis_base::{Digest, DocumentId, Slug, Timestamp};

use crate::audit::Actor;
use crate::document::{Document, DocumentRevision, KEPT_REVISIONS};
use crate::engine::row::row;
use crate::engine::{Connection, execute, fetch_all, fetch_optional};
use crate::error::StoreError;
use crate::rows::parse_digest;
use crate::store::Store;

const TABLE: &str = "document_revisions";

row! {
    struct Row {
        number: i64,
        digest: Vec<u8>,
        size_bytes: i64,
        source: String,
        actor: String,
        created_at_ms: i64,
    }
}

impl Store {
    /// Lists the contents that are kept of a document, the newest first; also of one that is gone.
    ///
    /// # Errors
    ///
    /// When the database cannot be read, or a row cannot be.
    pub async fn document_revisions(
        &self,
        slug: &Slug,
    ) -> Result<Vec<DocumentRevision>, StoreError> {
        let mut reader = self.engine().reader().await?;
        let rows = fetch_all!(
            &mut reader.connection(),
            Row,
            "SELECT number, digest, CAST(LENGTH(content) AS BIGINT) AS size_bytes, source, actor, \
             created_at_ms FROM document_revisions WHERE slug = $1 ORDER BY number DESC",
            slug.as_str()
        )?;
        let revision = |row: Row| {
            Ok(DocumentRevision {
                number: u32::try_from(row.number).unwrap_or(u32::MAX),
                digest: parse_digest(TABLE, "digest", slug.as_str(), &row.digest)?,
                size_bytes: u64::try_from(row.size_bytes).unwrap_or_default(),
                source: row.source,
                actor: row.actor,
                created_at: Timestamp::from_millis(row.created_at_ms),
            })
        };
        rows.into_iter().map(revision).collect()
    }

    /// Reads a content that is kept of a document.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn revision_content(
        &self,
        slug: &Slug,
        digest: Digest,
    ) -> Result<Option<Arc<[u8]>>, StoreError> {
        let mut reader = self.engine().reader().await?;
        let row = fetch_optional!(
            &mut reader.connection(),
            (Vec<u8>,),
            "SELECT content FROM document_revisions WHERE slug = $1 AND digest = $2",
            slug.as_str(),
            digest.as_bytes().as_slice()
        )?;
        Ok(row.map(|(content,)| content.into()))
    }
}

/// A content that is kept from now on, unless it is kept already.
pub(super) struct New<'a> {
    document: &'a Document,
    digest: Digest,
    bytes: &'a [u8],
}

impl<'a> New<'a> {
    pub(super) fn served(document: &'a Document, bytes: &'a [u8]) -> Self {
        Self::waiting(document, document.digest, bytes)
    }

    pub(super) fn waiting(document: &'a Document, digest: Digest, bytes: &'a [u8]) -> Self {
        Self {
            document,
            digest,
            bytes,
        }
    }

    pub(super) async fn keep(
        self,
        actor: &Actor,
        connection: &mut Connection<'_>,
    ) -> Result<(), StoreError> {
        execute!(
            connection,
            "INSERT INTO document_revisions \
             (slug, number, digest, content, source, actor, created_at_ms) \
             SELECT $1, COALESCE(MAX(number), 0) + 1, $2, $3, $4, $5, $6 \
             FROM document_revisions WHERE slug = $1 \
             ON CONFLICT (slug, digest) DO NOTHING",
            self.document.slug.as_str(),
            self.digest.as_bytes().as_slice(),
            self.bytes,
            &self.document.source,
            actor.as_str(),
            self.document.updated_at.as_millis()
        )?;
        Ok(())
    }
}

/// Keeps the content that a document has, where a program wrote it that keeps none.
pub(super) async fn keep_served(
    id: DocumentId,
    connection: &mut Connection<'_>,
) -> Result<(), StoreError> {
    execute!(
        connection,
        "INSERT INTO document_revisions \
         (slug, number, digest, content, source, actor, created_at_ms) \
         SELECT slug, \
         (SELECT COALESCE(MAX(number), 0) + 1 FROM document_revisions AS kept \
             WHERE kept.slug = documents.slug), \
         digest, content, source, 'unknown', updated_at_ms \
         FROM documents WHERE id = $1 \
         ON CONFLICT (slug, digest) DO NOTHING",
        id.to_string()
    )?;
    Ok(())
}

/// Forgets the oldest contents beyond those that are kept.
pub(super) async fn forget_oldest(
    slug: &Slug,
    connection: &mut Connection<'_>,
) -> Result<(), StoreError> {
    execute!(
        connection,
        "DELETE FROM document_revisions WHERE slug = $1 \
         AND number NOT IN (SELECT number FROM document_revisions WHERE slug = $1 \
             ORDER BY number DESC LIMIT $2) \
         AND NOT EXISTS (SELECT 1 FROM documents \
             WHERE documents.slug = document_revisions.slug \
             AND (documents.digest = document_revisions.digest \
                 OR documents.waiting_digest = document_revisions.digest))",
        slug.as_str(),
        i64::from(KEPT_REVISIONS)
    )?;
    Ok(())
}
