//! The table `providers`.

use portcullis_base::{ProviderId, Slug, Timestamp};

use super::{ApplyError, taken};
use crate::engine::row::row;
use crate::engine::{Connection, execute, fetch_all};
use crate::entity::{ProviderSettings, UpstreamProvider};
use crate::error::StoreError;
use crate::rows::{owner_text, parse, parse_json, parse_owner, to_json};
use crate::seal::{Place, Sealer};

const TABLE: &str = "providers";

row! {
    struct Row {
        id: String,
        slug: String,
        owner: String,
        /// `tests/fixtures/` holds a text of each form that was ever written.
        settings: String,
        client_secret: Option<Vec<u8>>,
        updated_at_ms: i64,
    }
}

pub(super) async fn all(
    sealer: &Sealer,
    connection: &mut Connection<'_>,
) -> Result<Vec<UpstreamProvider>, StoreError> {
    let rows = fetch_all!(
        connection,
        Row,
        "SELECT id, slug, owner, settings, client_secret, updated_at_ms \
         FROM providers ORDER BY slug"
    )?;
    rows.iter().map(|row| provider(row, sealer)).collect()
}

/// Reads what is said of each provider; secrets stay sealed.
pub(super) async fn settings(
    connection: &mut Connection<'_>,
) -> Result<Vec<(ProviderId, Slug, ProviderSettings)>, StoreError> {
    let rows = fetch_all!(
        connection,
        (String, String, String),
        "SELECT id, slug, settings FROM providers"
    )?;
    rows.iter()
        .map(|(id, slug, settings)| {
            Ok((
                parse(TABLE, "id", id, ProviderId::parse(id))?,
                parse(TABLE, "slug", id, Slug::parse(slug))?,
                parse_json(TABLE, "settings", id, settings)?,
            ))
        })
        .collect()
}

fn provider(row: &Row, sealer: &Sealer) -> Result<UpstreamProvider, StoreError> {
    let secret = row.client_secret.as_ref();
    Ok(UpstreamProvider {
        id: parse(TABLE, "id", &row.id, ProviderId::parse(&row.id))?,
        slug: parse(TABLE, "slug", &row.id, Slug::parse(&row.slug))?,
        owner: parse_owner(TABLE, &row.id, &row.owner)?,
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
    provider: &UpstreamProvider,
    sealer: &Sealer,
    connection: &mut Connection<'_>,
) -> Result<(), ApplyError> {
    let id = provider.id.to_string();
    let secret = provider.client_secret.as_ref();
    let (record, data_key) = sealer.seal_option(secret, place(&id), connection).await?;
    execute!(
        connection,
        "INSERT INTO providers \
         (id, slug, owner, settings, client_secret, data_key_id, updated_at_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (id) DO UPDATE SET slug = excluded.slug, owner = excluded.owner, \
         settings = excluded.settings, client_secret = excluded.client_secret, \
         data_key_id = excluded.data_key_id, updated_at_ms = excluded.updated_at_ms",
        &id,
        provider.slug.as_str(),
        owner_text(provider.owner),
        to_json(&provider.settings),
        record,
        data_key,
        provider.updated_at.as_millis()
    )
    .map_err(|error| taken(error, "provider", &provider.slug))?;
    Ok(())
}
