//! The table `documents`.

use portcullis_base::{Digest, DocumentId, Slug, Timestamp};

use super::{ApplyError, taken};
use crate::engine::row::row;
use crate::engine::{Connection, execute, fetch_all};
use crate::entity::Document;
use crate::error::StoreError;
use crate::rows::{owner_text, parse, parse_json, parse_owner, to_json};

const TABLE: &str = "documents";

row! {
    struct Row {
        id: String,
        slug: String,
        owner: String,
        source: String,
        content: Vec<u8>,
        digest: Vec<u8>,
        schemes: String,
        settings: String,
        updated_at_ms: i64,
    }
}

pub(super) async fn all(connection: &mut Connection<'_>) -> Result<Vec<Document>, StoreError> {
    let rows = fetch_all!(
        connection,
        Row,
        "SELECT id, slug, owner, source, content, digest, schemes, settings, updated_at_ms \
         FROM documents ORDER BY slug"
    )?;
    rows.into_iter().map(Document::try_from).collect()
}

pub(super) async fn put(
    document: &Document,
    connection: &mut Connection<'_>,
) -> Result<(), ApplyError> {
    execute!(
        connection,
        "INSERT INTO documents \
         (id, slug, owner, source, content, digest, schemes, settings, updated_at_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         ON CONFLICT (id) DO UPDATE SET slug = excluded.slug, owner = excluded.owner, \
         source = excluded.source, content = excluded.content, digest = excluded.digest, \
         schemes = excluded.schemes, settings = excluded.settings, updated_at_ms = excluded.updated_at_ms",
        document.id.to_string(),
        document.slug.as_str(),
        owner_text(document.owner),
        &document.source,
        &document.content[..],
        document.digest.as_bytes().as_slice(),
        to_json(&document.schemes),
        to_json(&document.settings),
        document.updated_at.as_millis()
    )
    .map_err(|error| taken(error, "document", &document.slug))?;
    Ok(())
}

impl TryFrom<Row> for Document {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: parse(TABLE, "id", &row.id, DocumentId::parse(&row.id))?,
            slug: parse(TABLE, "slug", &row.id, Slug::parse(&row.slug))?,
            owner: parse_owner(TABLE, &row.id, &row.owner)?,
            source: row.source,
            content: row.content.into(),
            digest: parse(TABLE, "digest", &row.id, Digest::from_slice(&row.digest))?,
            schemes: parse_json(TABLE, "schemes", &row.id, &row.schemes)?,
            settings: parse_json(TABLE, "settings", &row.id, &row.settings)?,
            updated_at: Timestamp::from_millis(row.updated_at_ms),
        })
    }
}
