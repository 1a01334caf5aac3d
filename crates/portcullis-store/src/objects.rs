//! Documents, toolsets, environments, providers, and the clients that the operator registered: read whole, changed in one transaction.
//!
//! Who may change what is not judged here.

mod displaced;
mod document;
mod environment;
mod manifest;
mod provider;
mod revision;
mod source;
pub(crate) mod toolset;

use std::collections::BTreeMap;

use portcullis_base::{
    DocumentId, EnvironmentId, ManifestId, ProviderId, Slug, Timestamp, ToolsetId,
};
use portcullis_oauth::issuer::client::{Client, ClientId};
use thiserror::Error;

use self::displaced::Before;
use crate::audit::{Actor, AuditEntry};
use crate::document::{Document, DocumentPut};
use crate::engine::{Connection, execute, fetch_all, fetch_optional};
use crate::entity::{Environment, Toolset, UpstreamProvider};
use crate::error::StoreError;
use crate::manifest::OAuthManifest;
use crate::notices::Notice;
use crate::rows::parse;
use crate::seal::Sealer;
use crate::sign_in::clients;
use crate::store::Store;

/// Counts the changes of objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Revision(i64);

/// All objects as of one revision, secrets opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The revision.
    pub revision: Revision,
    /// The documents, by slug.
    pub documents: Vec<Document>,
    /// The toolsets, by slug.
    pub toolsets: Vec<Toolset>,
    /// The environments, by slug.
    pub environments: Vec<Environment>,
    /// The providers, by slug.
    pub providers: Vec<UpstreamProvider>,
    /// The OAuth manifests, by slug.
    pub manifests: Vec<OAuthManifest>,
    /// The clients that the operator registered, by id.
    pub clients: Vec<Client>,
}

/// A change of objects: all of it happens or nothing.
#[derive(Clone, Debug)]
pub struct Changes {
    /// The revision that the change was thought out for; another change in between makes it stale.
    pub base: Revision,
    /// Who makes it.
    pub actor: Actor,
    /// What is added, or replaces the object of the same id.
    pub put: Vec<Object>,
    /// What is removed.
    pub remove: Vec<ObjectId>,
}

/// An object of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    /// A document, with its content where that is another one.
    Document(Box<DocumentPut>),
    /// A toolset.
    Toolset(Toolset),
    /// An environment, with all of its variables.
    Environment(Environment),
    /// A provider, with its secret.
    Provider(UpstreamProvider),
    /// An OAuth manifest, with the secret of our registration.
    Manifest(Box<OAuthManifest>),
    /// A client that the operator registers.
    Client(Client),
}

/// The id of an object of any kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ObjectId {
    /// Of a document.
    Document(DocumentId),
    /// Of a toolset.
    Toolset(ToolsetId),
    /// Of an environment.
    Environment(EnvironmentId),
    /// Of a provider.
    Provider(ProviderId),
    /// Of an OAuth manifest.
    Manifest(ManifestId),
    /// Of a client that the operator registered.
    Client(ClientId),
}

/// Why a change was not made; nothing of it was.
#[derive(Clone, Debug, Error)]
pub enum ApplyError {
    /// The objects have changed since the change was thought out.
    #[error("the objects have changed meanwhile; read them again and repeat the change")]
    Stale,
    /// Another object of the kind has the slug.
    #[error("there is another {kind} `{slug}` already")]
    SlugTaken {
        /// The kind of object.
        kind: &'static str,
        /// The slug.
        slug: Slug,
    },
    /// A client that registered itself has the id.
    #[error("the client `{0}` registered itself")]
    ClientTaken(ClientId),
    /// A toolset would be left with a name of nothing.
    #[error("toolset `{toolset}` needs {kind} `{slug}`, which does not exist")]
    Dangling {
        /// The toolset.
        toolset: Slug,
        /// The kind of object that it names.
        kind: &'static str,
        /// The slug that it names.
        slug: Slug,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Revision {
    pub(crate) fn from_stored(value: i64) -> Self {
        Self(value)
    }
}

impl std::fmt::Display for Revision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Store {
    /// Reads all objects as of one revision, and opens their secrets.
    ///
    /// # Errors
    ///
    /// When the database cannot be read, a row cannot be, or a sealed value does not open.
    pub async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let mut transaction = self.engine().read_transaction().await?;
        let connection = &mut transaction.connection();
        let (value,) = fetch_optional!(
            connection,
            (i64,),
            "SELECT value FROM revision WHERE id = 1"
        )?
        .ok_or_else(|| StoreError::Damaged("the table revision has no row".to_owned()))?;
        let sealer = self.sealer();
        // Another process may have made a data key.
        sealer.load(connection).await?;
        Ok(Snapshot {
            revision: Revision(value),
            documents: document::all(connection).await?,
            toolsets: toolset::all(connection).await?,
            environments: environment::all(&sealer, connection).await?,
            providers: provider::all(&sealer, connection).await?,
            manifests: manifest::all(&sealer, connection).await?,
            clients: clients::pre_registered(connection).await?,
        })
    }

    /// Counts the grants that a change would end, by the toolset; nothing is changed.
    ///
    /// # Errors
    ///
    /// When the database cannot be read, or a row cannot be.
    pub async fn grants_ended_by(
        &self,
        changes: &Changes,
    ) -> Result<BTreeMap<Slug, u64>, StoreError> {
        let mut transaction = self.engine().read_transaction().await?;
        let connection = &mut transaction.connection();
        let displaced = Before::read(connection).await?.displaced(changes);
        drop(transaction);
        let mut ended = BTreeMap::new();
        for toolset in displaced.toolsets {
            let grants = self.count_grants(&toolset).await?;
            if grants > 0 {
                ended.insert(toolset, grants);
            }
        }
        Ok(ended)
    }

    /// Makes a change in one transaction, with an audit row for each object; gives the new revision.
    ///
    /// Where a provider is another one afterwards, or people sign in to a toolset elsewhere, or either is gone, the grants end and the connections are deleted with it.
    ///
    /// # Errors
    ///
    /// When the change is stale, a slug is taken, a toolset would name what does not exist, or the database cannot be written.
    pub async fn apply(&self, changes: Changes, now: Timestamp) -> Result<Revision, ApplyError> {
        let sealer = self.sealer();
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move { apply(&sealer, changes, now, &mut connection).await })
            })
            .await
    }
}

/// Counts a change of objects, and keeps other changes waiting until this one is done.
pub(crate) async fn bump_revision(connection: &mut Connection<'_>) -> Result<(), StoreError> {
    execute!(
        connection,
        "UPDATE revision SET value = value + 1 WHERE id = 1"
    )?;
    Notice::Revised.tell(connection).await
}

async fn apply(
    sealer: &Sealer,
    changes: Changes,
    now: Timestamp,
    connection: &mut Connection<'_>,
) -> Result<Revision, ApplyError> {
    let Revision(base) = changes.base;
    let current = execute!(
        connection,
        "UPDATE revision SET value = value + 1 WHERE id = 1 AND value = $1",
        base
    )?;
    if current == 0 {
        return Err(ApplyError::Stale);
    }
    Notice::Revised.tell(connection).await?;
    let displaced = Before::read(connection).await?.displaced(&changes);
    displaced
        .end(&changes.actor, sealer, now, connection)
        .await?;
    for id in &changes.remove {
        let action = remove(id, &changes.actor, sealer, now, connection).await?;
        AuditEntry::new(changes.actor.clone(), action, id.to_string())
            .insert(connection, sealer.rng(), now)
            .await?;
    }
    for object in &changes.put {
        let action = put(object, &changes.actor, sealer, connection).await?;
        AuditEntry::new(changes.actor.clone(), action, object.id().to_string())
            .insert(connection, sealer.rng(), now)
            .await?;
    }
    refuse_dangling_names(connection).await?;
    Ok(Revision(base.saturating_add(1)))
}

async fn remove(
    id: &ObjectId,
    actor: &Actor,
    sealer: &Sealer,
    now: Timestamp,
    connection: &mut Connection<'_>,
) -> Result<&'static str, StoreError> {
    let text = id.to_string();
    match id {
        ObjectId::Document(_) => {
            execute!(connection, "DELETE FROM documents WHERE id = $1", text)?;
            Ok("document.removed")
        }
        ObjectId::Toolset(_) => {
            execute!(connection, "DELETE FROM toolsets WHERE id = $1", text)?;
            Ok("toolset.removed")
        }
        ObjectId::Environment(_) => {
            execute!(connection, "DELETE FROM environments WHERE id = $1", text)?;
            Ok("environment.removed")
        }
        ObjectId::Provider(_) => {
            execute!(connection, "DELETE FROM providers WHERE id = $1", text)?;
            Ok("provider.removed")
        }
        ObjectId::Manifest(_) => {
            execute!(connection, "DELETE FROM manifests WHERE id = $1", text)?;
            Ok("manifest.removed")
        }
        ObjectId::Client(id) => {
            clients::remove_pre_registered(id, actor, sealer, now, connection).await?;
            Ok("client.removed")
        }
    }
}

async fn put(
    object: &Object,
    actor: &Actor,
    sealer: &Sealer,
    connection: &mut Connection<'_>,
) -> Result<&'static str, ApplyError> {
    match object {
        Object::Document(document) => {
            document::put(document, actor, connection).await?;
            Ok("document.put")
        }
        Object::Toolset(toolset) => {
            toolset::put(toolset, connection).await?;
            Ok("toolset.put")
        }
        Object::Environment(environment) => {
            environment::put(environment, sealer, connection).await?;
            Ok("environment.put")
        }
        Object::Provider(provider) => {
            provider::put(provider, sealer, connection).await?;
            Ok("provider.put")
        }
        Object::Manifest(manifest) => {
            manifest::put(manifest, sealer, connection).await?;
            Ok("manifest.put")
        }
        Object::Client(client) => {
            if !clients::put_pre_registered(client, connection).await? {
                return Err(ApplyError::ClientTaken(client.id.clone()));
            }
            Ok("client.put")
        }
    }
}

/// Sees that every toolset finds its documents, its environment, its provider and its manifest.
async fn refuse_dangling_names(connection: &mut Connection<'_>) -> Result<(), ApplyError> {
    let documents = slugs("documents", "SELECT id, slug FROM documents", connection).await?;
    let environments = slugs(
        "environments",
        "SELECT id, slug FROM environments",
        connection,
    )
    .await?;
    let providers = slugs("providers", "SELECT id, slug FROM providers", connection).await?;
    let manifests = slugs("manifests", "SELECT id, slug FROM manifests", connection).await?;
    for toolset in toolset::all(connection).await? {
        let of_documents = toolset.documents.iter().map(|named| &named.document);
        let named = of_documents
            .map(|slug| ("document", slug, &documents))
            .chain(
                toolset
                    .environment
                    .iter()
                    .map(|slug| ("environment", slug, &environments)),
            )
            .chain(
                toolset
                    .provider
                    .iter()
                    .map(|slug| ("provider", slug, &providers)),
            )
            .chain(
                toolset
                    .manifest
                    .iter()
                    .map(|slug| ("manifest", slug, &manifests)),
            );
        for (kind, slug, known) in named {
            if !known.contains(slug) {
                return Err(ApplyError::Dangling {
                    toolset: toolset.slug,
                    kind,
                    slug: slug.clone(),
                });
            }
        }
    }
    Ok(())
}

async fn slugs(
    table: &'static str,
    sql: &'static str,
    connection: &mut Connection<'_>,
) -> Result<Vec<Slug>, StoreError> {
    fetch_all!(connection, (String, String), sql)?
        .into_iter()
        .map(|(id, slug)| Ok(parse(table, "slug", &id, Slug::parse(&slug))?))
        .collect()
}

/// Tells a taken slug from other broken rules.
fn taken(error: StoreError, kind: &'static str, slug: &Slug) -> ApplyError {
    match error {
        StoreError::Taken(_) => ApplyError::SlugTaken {
            kind,
            slug: slug.clone(),
        },
        error => error.into(),
    }
}

impl Object {
    /// Returns its id.
    #[must_use]
    pub fn id(&self) -> ObjectId {
        match self {
            Self::Document(put) => ObjectId::Document(put.document.id),
            Self::Toolset(toolset) => ObjectId::Toolset(toolset.id),
            Self::Environment(environment) => ObjectId::Environment(environment.id),
            Self::Provider(provider) => ObjectId::Provider(provider.id),
            Self::Manifest(manifest) => ObjectId::Manifest(manifest.id),
            Self::Client(client) => ObjectId::Client(client.id.clone()),
        }
    }
}

impl std::fmt::Display for ObjectId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Document(id) => id.fmt(f),
            Self::Toolset(id) => id.fmt(f),
            Self::Environment(id) => id.fmt(f),
            Self::Provider(id) => id.fmt(f),
            Self::Manifest(id) => id.fmt(f),
            Self::Client(id) => id.fmt(f),
        }
    }
}
