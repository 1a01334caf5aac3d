//! Grants as the operator looks for them: by whom, for whom, where, and by which provider.

use std::collections::HashMap;

use portcullis_base::{GrantId, Slug, SubjectId};
use portcullis_oauth::issuer::client::{ClientId, VerifiedClientMetadata};
use portcullis_oauth::issuer::grant::Grant;

use super::grants::GrantRow;
use crate::engine::fetch_all;
use crate::engine::row::row;
use crate::error::StoreError;
use crate::objects::toolset;
use crate::rows::{parse, parse_json};
use crate::store::Store;

/// How many grants are read at a time.
const PAGE: usize = 500;

/// Which grants are meant: those to which everything applies that is said here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrantSelection {
    /// This one.
    pub id: Option<GrantId>,
    /// Those of a client.
    pub client: Option<ClientId>,
    /// Those of a subject.
    pub subject: Option<SubjectId>,
    /// Those at a toolset.
    pub toolset: Option<Slug>,
    /// Those of people who signed in at a provider.
    pub provider: Option<Slug>,
}

/// A grant that has not ended, with the words that people know its parts by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedGrant {
    /// The grant.
    pub grant: Grant,
    /// The client's name.
    pub client_name: String,
    /// What people call the subject, for people only.
    pub label: Option<String>,
    /// The provider of its connection; where it has none, that of its toolset.
    pub provider: Option<Slug>,
}

/// Some of the grants that are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrantPage {
    /// The grants, in the order of their ids, which is that of their making.
    pub grants: Vec<ListedGrant>,
    /// After which one to go on, where there are more.
    pub next: Option<GrantId>,
}

row! {
    struct Row {
        label: Option<String>,
        provider: Option<String>,
        metadata: String,
        ..grant: GrantRow,
    }
}

impl Store {
    /// Lists some of the grants that are meant and have not ended, from the one after `after` on.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn list_grants(
        &self,
        selection: &GrantSelection,
        after: Option<GrantId>,
    ) -> Result<GrantPage, StoreError> {
        let mut transaction = self.engine().read_transaction().await?;
        let connection = &mut transaction.connection();
        let toolsets = toolset::all(connection).await?.into_iter();
        let providers = toolsets
            .filter_map(|it| Some((it.slug, it.provider?)))
            .collect();
        let rows = fetch_all!(
            connection,
            Row,
            "SELECT grants.id AS grant_id, grants.client_id, grants.subject_id, grants.toolset, \
             grants.scopes AS grant_scopes, grants.connection_id, \
             grants.created_at_ms AS granted_at_ms, grants.ended_at_ms, grants.end_reason, \
             subjects.label, connections.provider, clients.metadata \
             FROM grants JOIN clients ON clients.id = grants.client_id \
             JOIN subjects ON subjects.id = grants.subject_id \
             LEFT JOIN connections ON connections.id = grants.connection_id \
             WHERE grants.ended_at_ms IS NULL AND grants.id > $1 \
             AND (CAST($2 AS TEXT) IS NULL OR grants.id = $2) \
             AND (CAST($3 AS TEXT) IS NULL OR grants.client_id = $3) \
             AND (CAST($4 AS TEXT) IS NULL OR grants.subject_id = $4) \
             AND (CAST($5 AS TEXT) IS NULL OR grants.toolset = $5) \
             ORDER BY grants.id LIMIT $6",
            after.map_or_else(String::new, |id| id.to_string()),
            selection.id.map(|id| id.to_string()),
            selection.client.as_ref().map(ClientId::as_str),
            selection.subject.map(|id| id.to_string()),
            selection.toolset.as_ref().map(Slug::as_str),
            i64::try_from(PAGE).unwrap_or(i64::MAX)
        )?;
        let is_full = rows.len() >= PAGE;
        let rows = rows.into_iter().map(|row| listed(row, &providers));
        let mut grants: Vec<_> = rows.collect::<Result<_, _>>()?;
        let last = grants.last().map(|it| it.grant.id);
        if let Some(wanted) = &selection.provider {
            grants.retain(|it| it.provider.as_ref() == Some(wanted));
        }
        Ok(GrantPage {
            grants,
            next: last.filter(|_| is_full),
        })
    }
}

fn listed(row: Row, providers: &HashMap<Slug, Slug>) -> Result<ListedGrant, StoreError> {
    let grant = Grant::try_from(row.grant)?;
    let client = grant.client.as_str();
    let metadata: VerifiedClientMetadata =
        parse_json("clients", "metadata", client, &row.metadata)?;
    let provider = match (row.provider, grant.connection) {
        (Some(slug), Some(id)) => {
            let read = Slug::parse(&slug);
            Some(parse("connections", "provider", &id.to_string(), read)?)
        }
        _ => providers.get(&grant.toolset).cloned(),
    };
    Ok(ListedGrant {
        grant,
        client_name: metadata.name,
        label: row.label,
        provider,
    })
}
