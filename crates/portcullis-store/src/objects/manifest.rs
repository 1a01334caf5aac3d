//! The tables `manifests` and `manifest_versions`.

use portcullis_base::{Digest, ManifestId, Slug, Timestamp};

use super::{ApplyError, taken};
use crate::engine::row::row;
use crate::engine::{Connection, execute, fetch_all};
use crate::error::StoreError;
use crate::manifest::{ManifestVersion, OAuthManifest};
use crate::rows::{owner_text, parse, parse_digest, parse_json, parse_owner, to_json};
use crate::seal::{Place, Sealer};
use crate::store::Store;

const TABLE: &str = "manifests";
const VERSIONS: &str = "manifest_versions";

row! {
    struct Row {
        id: String,
        slug: String,
        owner: String,
        source: String,
        content: String,
        settings: String,
        client_secret: Option<Vec<u8>>,
        updated_at_ms: i64,
    }
}

row! {
    struct VersionRow {
        digest: Vec<u8>,
        content: String,
        created_at_ms: i64,
    }
}

impl Store {
    /// Returns every content that a manifest had, the newest first; also of one that is gone.
    ///
    /// # Errors
    ///
    /// When the database cannot be read, or a row cannot be.
    pub async fn manifest_versions(&self, slug: &Slug) -> Result<Vec<ManifestVersion>, StoreError> {
        let mut reader = self.engine().reader().await?;
        let connection = &mut reader.connection();
        let rows = fetch_all!(
            connection,
            VersionRow,
            "SELECT digest, content, created_at_ms FROM manifest_versions \
             WHERE slug = $1 ORDER BY created_at_ms DESC, digest",
            slug.as_str()
        )?;
        let version = |row: VersionRow| {
            Ok(ManifestVersion {
                digest: parse_digest(VERSIONS, "digest", slug.as_str(), &row.digest)?,
                content: row.content.into(),
                created_at: Timestamp::from_millis(row.created_at_ms),
            })
        };
        rows.into_iter().map(version).collect()
    }
}

pub(super) async fn all(
    sealer: &Sealer,
    connection: &mut Connection<'_>,
) -> Result<Vec<OAuthManifest>, StoreError> {
    let rows = fetch_all!(
        connection,
        Row,
        "SELECT id, slug, owner, source, content, settings, client_secret, updated_at_ms \
         FROM manifests ORDER BY slug"
    )?;
    rows.into_iter().map(|row| manifest(row, sealer)).collect()
}

fn manifest(row: Row, sealer: &Sealer) -> Result<OAuthManifest, StoreError> {
    let secret = row.client_secret.as_ref();
    Ok(OAuthManifest {
        id: parse(TABLE, "id", &row.id, ManifestId::parse(&row.id))?,
        slug: parse(TABLE, "slug", &row.id, Slug::parse(&row.slug))?,
        owner: parse_owner(TABLE, &row.id, &row.owner)?,
        source: row.source,
        content: row.content.into(),
        settings: parse_json(TABLE, "settings", &row.id, &row.settings)?,
        client_secret: secret
            .map(|record| sealer.open(record, place(&row.id)))
            .transpose()?,
        updated_at: Timestamp::from_millis(row.updated_at_ms),
    })
}

fn place(id: &str) -> Place<'_> {
    Place {
        table: TABLE,
        column: "client_secret",
        row: id,
    }
}

pub(super) async fn put(
    manifest: &OAuthManifest,
    sealer: &Sealer,
    connection: &mut Connection<'_>,
) -> Result<(), ApplyError> {
    let id = manifest.id.to_string();
    let secret = manifest.client_secret.as_ref();
    let (record, data_key) = sealer.seal_option(secret, place(&id), connection).await?;
    execute!(
        connection,
        "INSERT INTO manifests \
         (id, slug, owner, source, content, settings, client_secret, data_key_id, updated_at_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         ON CONFLICT (id) DO UPDATE SET slug = excluded.slug, owner = excluded.owner, \
         source = excluded.source, content = excluded.content, settings = excluded.settings, \
         client_secret = excluded.client_secret, data_key_id = excluded.data_key_id, \
         updated_at_ms = excluded.updated_at_ms",
        &id,
        manifest.slug.as_str(),
        owner_text(manifest.owner),
        &manifest.source,
        &*manifest.content,
        to_json(&manifest.settings),
        record,
        data_key,
        manifest.updated_at.as_millis()
    )
    .map_err(|error| taken(error, "manifest", &manifest.slug))?;
    keep_version(manifest, connection).await?;
    Ok(())
}

async fn keep_version(
    manifest: &OAuthManifest,
    connection: &mut Connection<'_>,
) -> Result<(), StoreError> {
    execute!(
        connection,
        "INSERT INTO manifest_versions (slug, digest, content, created_at_ms) \
         VALUES ($1, $2, $3, $4) \
         ON CONFLICT (slug, digest) DO UPDATE SET created_at_ms = excluded.created_at_ms",
        manifest.slug.as_str(),
        Digest::of(manifest.content.as_bytes())
            .as_bytes()
            .as_slice(),
        &*manifest.content,
        manifest.updated_at.as_millis()
    )?;
    Ok(())
}
