//! The table `toolsets`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use portcullis_base::{Slug, Timestamp, ToolsetId};
use portcullis_oauth::issuer::redeem::OwnLifetimes;
use serde::{Deserialize, Serialize};

use super::{ApplyError, taken};
use crate::engine::row::row;
use crate::engine::{Connection, execute, fetch_all};
use crate::entity::{AnswerSettings, Inbound, Toolset, ToolsetDocument};
use crate::error::StoreError;
use crate::rows::{owner_text, parse, parse_json, parse_owner, to_json};

const TABLE: &str = "toolsets";

row! {
    struct Row {
        id: String,
        slug: String,
        owner: String,
        settings: String,
        updated_at_ms: i64,
    }
}

/// The column `settings`: what only ever travels whole.
///
/// `tests/fixtures/` holds a text of each form that was ever written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    instructions: Option<String>,
    documents: Vec<ToolsetDocument>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    dynamic: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_result_bytes: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_binary_bytes: Option<u64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    project: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    environment: Option<Slug>,
    inbound: BTreeSet<Inbound>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    provider: Option<Slug>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    manifest: Option<Slug>,
    #[serde(default)]
    caller_supplied: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    access_token_seconds: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh_token_seconds: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    grant_seconds: Option<u64>,
}

pub(crate) async fn all(connection: &mut Connection<'_>) -> Result<Vec<Toolset>, StoreError> {
    let rows = fetch_all!(
        connection,
        Row,
        "SELECT id, slug, owner, settings, updated_at_ms FROM toolsets ORDER BY slug"
    )?;
    rows.into_iter().map(Toolset::try_from).collect()
}

pub(super) async fn put(
    toolset: &Toolset,
    connection: &mut Connection<'_>,
) -> Result<(), ApplyError> {
    let settings = Settings {
        title: toolset.title.clone(),
        instructions: toolset.instructions.clone(),
        documents: toolset.documents.clone(),
        dynamic: toolset.dynamic,
        max_result_bytes: toolset.answers.max_result_bytes,
        max_binary_bytes: toolset.answers.max_binary_bytes,
        project: toolset.answers.project.clone(),
        environment: toolset.environment.clone(),
        inbound: toolset.inbound.clone(),
        provider: toolset.provider.clone(),
        manifest: toolset.manifest.clone(),
        caller_supplied: toolset.caller_supplied.clone(),
        access_token_seconds: toolset.lifetimes.access.as_ref().map(Duration::as_secs),
        refresh_token_seconds: toolset.lifetimes.refresh.as_ref().map(Duration::as_secs),
        grant_seconds: toolset.lifetimes.grant.as_ref().map(Duration::as_secs),
    };
    execute!(
        connection,
        "INSERT INTO toolsets (id, slug, owner, settings, updated_at_ms) \
         VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (id) DO UPDATE SET slug = excluded.slug, owner = excluded.owner, \
         settings = excluded.settings, updated_at_ms = excluded.updated_at_ms",
        toolset.id.to_string(),
        toolset.slug.as_str(),
        owner_text(toolset.owner),
        to_json(&settings),
        toolset.updated_at.as_millis()
    )
    .map_err(|error| taken(error, "toolset", &toolset.slug))?;
    Ok(())
}

impl TryFrom<Row> for Toolset {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let settings: Settings = parse_json(TABLE, "settings", &row.id, &row.settings)?;
        Ok(Self {
            id: parse(TABLE, "id", &row.id, ToolsetId::parse(&row.id))?,
            slug: parse(TABLE, "slug", &row.id, Slug::parse(&row.slug))?,
            owner: parse_owner(TABLE, &row.id, &row.owner)?,
            title: settings.title,
            instructions: settings.instructions,
            documents: settings.documents,
            dynamic: settings.dynamic,
            answers: AnswerSettings {
                max_result_bytes: settings.max_result_bytes,
                max_binary_bytes: settings.max_binary_bytes,
                project: settings.project,
            },
            environment: settings.environment,
            inbound: settings.inbound,
            provider: settings.provider,
            manifest: settings.manifest,
            caller_supplied: settings.caller_supplied,
            lifetimes: OwnLifetimes {
                access: settings.access_token_seconds.map(Duration::from_secs),
                refresh: settings.refresh_token_seconds.map(Duration::from_secs),
                grant: settings.grant_seconds.map(Duration::from_secs),
            },
            updated_at: Timestamp::from_millis(row.updated_at_ms),
        })
    }
}
