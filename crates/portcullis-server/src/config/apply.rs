//! Makes the store's objects those of a configuration: what differs, in one transaction.
//!
//! Only objects that the file owns are touched; an object of the admin API that has the same slug is a conflict, never overwritten.

mod documents;

use std::collections::BTreeMap;
use std::sync::Arc;

use portcullis_base::{
    Digest, DocumentId, EnvironmentId, ManifestId, ProviderId, Rng, Slug, Timestamp, ToolsetId,
    VariableId,
};
use portcullis_oauth::issuer::client::{Client, ClientId, ClientOrigin};
use portcullis_openapi::{ToolDifference, UnreadableNames};
use portcullis_store::{
    Actor, Changes, Document, DocumentPut, Environment, OAuthManifest, Object, ObjectId, Owner,
    Snapshot, Store, StoreError, Toolset, UpstreamProvider, Variable,
};
use thiserror::Error;
use tokio::task::JoinError;

use super::difference::{Difference, Fate, ObjectKind};
use super::{
    ClientObject, Configuration, DocumentObject, EnvironmentObject, ManifestObject, Objects,
    ProviderObject, ToolsetObject,
};
use documents::{Contents, waiting};

/// How often a change is thought out anew when others change objects meanwhile.
const ATTEMPTS: usize = 5;

/// Why a configuration was not applied; nothing of it was.
#[derive(Debug, Error)]
pub enum ApplyError {
    /// The admin API owns an object of the same name.
    #[error(
        "the {kind} `{slug}` belongs to the admin API; choose another slug, or remove it there"
    )]
    Foreign {
        /// The kind of object.
        kind: ObjectKind,
        /// The slug.
        slug: Slug,
    },
    /// The names of a document's tools cannot be read.
    #[error("document `{document}`: {reason}")]
    Names {
        /// The document.
        document: Slug,
        /// What is wrong with them.
        reason: UnreadableNames,
    },
    /// The compilation of a document broke off.
    #[error("a document could not be compiled: {0}")]
    BrokenOff(#[from] JoinError),
    /// The store refuses the change.
    #[error(transparent)]
    Refused(#[from] portcullis_store::ApplyError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A change that is thought out but not made.
#[derive(Debug)]
pub struct Prepared {
    /// What it changes.
    pub difference: Difference,
    /// What becomes of the tools of documents whose content changes.
    pub tools: BTreeMap<Slug, ToolDifference>,
    /// How many grants of people end with it, by the toolset.
    pub ended: BTreeMap<Slug, u64>,
    changes: Changes,
}

/// Thinks out what has to change.
///
/// # Errors
///
/// When the store cannot be read, or the admin API owns an object of the same name.
pub async fn prepare(
    store: &Store,
    configuration: &Configuration,
    now: Timestamp,
    rng: &dyn Rng,
) -> Result<Prepared, ApplyError> {
    let desired = &configuration.objects;
    let stored = store.snapshot().await?;
    refuse_foreign(&stored, desired)?;
    let mut difference = Difference::between(&stored, desired);
    let mut contents = Contents::read(store, &stored, desired).await?;
    contents.tell(&mut difference);
    let tools = std::mem::take(&mut contents.tools);
    let changes = Changes {
        base: stored.revision,
        actor: Actor::new(format!("file:{}", configuration.path().display())),
        put: Put {
            stored: &stored,
            difference: &difference,
            contents: &contents,
            now,
            rng,
        }
        .objects(desired),
        remove: removed(&stored, &difference),
    };
    Ok(Prepared {
        ended: store.grants_ended_by(&changes).await?,
        difference,
        tools,
        changes,
    })
}

impl Prepared {
    /// Returns a line for each toolset whose people have to sign in again.
    pub fn consequences(&self) -> impl Iterator<Item = String> + '_ {
        self.ended.iter().map(|(toolset, grants)| {
            let grants = match grants {
                1 => "1 sign-in".to_owned(),
                many => format!("{many} sign-ins"),
            };
            format!("! toolset {toolset}: {grants} of people end, and their clients send them to sign in again")
        })
    }

    /// Makes the change, in one transaction, and says what it was.
    ///
    /// # Errors
    ///
    /// When the objects have changed meanwhile, or the store fails.
    pub async fn commit(self, store: &Store, now: Timestamp) -> Result<Difference, ApplyError> {
        if !self.difference.is_empty() {
            store.apply(self.changes, now).await?;
        }
        Ok(self.difference)
    }
}

/// Makes the store's objects those of the configuration, and says what changed.
///
/// # Errors
///
/// As [`prepare`] and [`Prepared::commit`], except that a change by others in between is taken into account.
pub async fn apply(
    store: &Store,
    configuration: &Configuration,
    now: Timestamp,
    rng: &dyn Rng,
) -> Result<Difference, ApplyError> {
    let mut attempt = 1;
    loop {
        let prepared = prepare(store, configuration, now, rng).await?;
        match prepared.commit(store, now).await {
            Err(ApplyError::Refused(portcullis_store::ApplyError::Stale)) if attempt < ATTEMPTS => {
                attempt += 1;
            }
            outcome => return outcome,
        }
    }
}

/// Returns what an empty store would hold after the configuration was applied.
pub fn preview(configuration: &Configuration, now: Timestamp, rng: &dyn Rng) -> Snapshot {
    let desired = &configuration.objects;
    let stored = Snapshot::default();
    let difference = Difference::between(&stored, desired);
    let put = Put {
        stored: &stored,
        difference: &difference,
        contents: &Contents::default(),
        now,
        rng,
    };
    let mut snapshot = Snapshot::default();
    for object in put.objects(desired) {
        match object {
            Object::Document(put) => snapshot.documents.push(put.document),
            Object::Environment(environment) => snapshot.environments.push(environment),
            Object::Toolset(toolset) => snapshot.toolsets.push(toolset),
            Object::Provider(provider) => snapshot.providers.push(provider),
            Object::Manifest(manifest) => snapshot.manifests.push(*manifest),
            Object::Client(client) => snapshot.clients.push(client),
        }
    }
    snapshot
}

fn refuse_foreign(stored: &Snapshot, desired: &Objects) -> Result<(), ApplyError> {
    let providers = stored.providers.iter().map(|it| {
        let taken = desired.providers.contains_key(&it.slug);
        (ObjectKind::Provider, it.owner, &it.slug, taken)
    });
    let manifests = stored.manifests.iter().map(|it| {
        let taken = desired.manifests.contains_key(&it.slug);
        (ObjectKind::Manifest, it.owner, &it.slug, taken)
    });
    let documents = stored.documents.iter().map(|it| {
        let taken = desired.documents.contains_key(&it.slug);
        (ObjectKind::Document, it.owner, &it.slug, taken)
    });
    let environments = stored.environments.iter().map(|it| {
        let taken = desired.environments.contains_key(&it.slug);
        (ObjectKind::Environment, it.owner, &it.slug, taken)
    });
    let toolsets = stored.toolsets.iter().map(|it| {
        let taken = desired.toolsets.contains_key(&it.slug);
        (ObjectKind::Toolset, it.owner, &it.slug, taken)
    });
    let mut all = providers
        .chain(manifests)
        .chain(documents)
        .chain(environments)
        .chain(toolsets);
    match all.find(|(_, owner, _, taken)| *owner == Owner::Api && *taken) {
        Some((kind, _, slug, _)) => Err(ApplyError::Foreign {
            kind,
            slug: slug.clone(),
        }),
        None => Ok(()),
    }
}

fn removed(stored: &Snapshot, difference: &Difference) -> Vec<ObjectId> {
    let gone = |kind, name: &str| difference.fate(kind, name) == Some(&Fate::Removed);
    let toolsets = stored
        .toolsets
        .iter()
        .filter(|it| it.owner == Owner::File && gone(ObjectKind::Toolset, it.slug.as_str()))
        .map(|it| ObjectId::Toolset(it.id));
    let environments = stored
        .environments
        .iter()
        .filter(|it| it.owner == Owner::File && gone(ObjectKind::Environment, it.slug.as_str()))
        .map(|it| ObjectId::Environment(it.id));
    let documents = stored
        .documents
        .iter()
        .filter(|it| it.owner == Owner::File && gone(ObjectKind::Document, it.slug.as_str()))
        .map(|it| ObjectId::Document(it.id));
    let providers = stored
        .providers
        .iter()
        .filter(|it| it.owner == Owner::File && gone(ObjectKind::Provider, it.slug.as_str()))
        .map(|it| ObjectId::Provider(it.id));
    let manifests = stored
        .manifests
        .iter()
        .filter(|it| it.owner == Owner::File && gone(ObjectKind::Manifest, it.slug.as_str()))
        .map(|it| ObjectId::Manifest(it.id));
    let clients = stored
        .clients
        .iter()
        .filter(|it| gone(ObjectKind::Client, it.id.as_str()))
        .map(|it| ObjectId::Client(it.id.clone()));
    toolsets
        .chain(environments)
        .chain(documents)
        .chain(providers)
        .chain(manifests)
        .chain(clients)
        .collect()
}

/// Makes entities of objects; those that are there already keep their ids.
struct Put<'a> {
    stored: &'a Snapshot,
    difference: &'a Difference,
    contents: &'a Contents,
    now: Timestamp,
    rng: &'a dyn Rng,
}

impl Put<'_> {
    fn objects(&self, desired: &Objects) -> Vec<Object> {
        let providers = self
            .differing(ObjectKind::Provider, &desired.providers)
            .map(|(slug, it)| Object::Provider(self.provider(slug, it)));
        let manifests = self
            .differing(ObjectKind::Manifest, &desired.manifests)
            .map(|(slug, it)| Object::Manifest(Box::new(self.manifest(slug, it))));
        let clients = desired
            .clients
            .iter()
            .filter(|(id, _)| {
                self.difference
                    .fate(ObjectKind::Client, id.as_str())
                    .is_some()
            })
            .map(|(id, it)| Object::Client(self.client(id, it)));
        let documents = self
            .differing(ObjectKind::Document, &desired.documents)
            .map(|(slug, it)| Object::Document(Box::new(self.document(slug, it))));
        let environments = self
            .differing(ObjectKind::Environment, &desired.environments)
            .map(|(slug, it)| Object::Environment(self.environment(slug, it)));
        let toolsets = self
            .differing(ObjectKind::Toolset, &desired.toolsets)
            .map(|(slug, it)| Object::Toolset(self.toolset(slug, it)));
        providers
            .chain(manifests)
            .chain(clients)
            .chain(documents)
            .chain(environments)
            .chain(toolsets)
            .collect()
    }

    fn differing<'a, T>(
        &'a self,
        kind: ObjectKind,
        objects: &'a BTreeMap<Slug, T>,
    ) -> impl Iterator<Item = (&'a Slug, &'a T)> {
        objects
            .iter()
            .filter(move |(slug, _)| self.difference.fate(kind, slug.as_str()).is_some())
    }

    fn document(&self, slug: &Slug, object: &DocumentObject) -> DocumentPut {
        let before = self.stored.documents.iter().find(|it| it.slug == *slug);
        let content = self.contents.written(slug, object);
        let names = content.as_ref().map(|it| it.names.as_bytes());
        let names = names.filter(|names| !names.is_empty()).map(Digest::of);
        // What is not written anew stays what is served, and beside it what waits.
        let kept = before.filter(|_| content.is_none());
        DocumentPut {
            document: Document {
                id: before.map_or_else(|| DocumentId::new(self.now, self.rng), |it| it.id),
                slug: slug.clone(),
                owner: Owner::File,
                source: object.source.clone(),
                digest: kept.map_or(object.compiled.digest, |it| it.digest),
                names: kept.map_or(names, |it| it.names),
                waiting: before.and_then(|before| waiting(before, object)),
                remote: object.remote,
                schemes: object.schemes.clone(),
                settings: object.settings.clone(),
                updated_at: self.now,
            },
            content,
            waiting: None,
        }
    }

    fn provider(&self, slug: &Slug, object: &ProviderObject) -> UpstreamProvider {
        let before = self.stored.providers.iter().find(|it| it.slug == *slug);
        UpstreamProvider {
            id: before.map_or_else(|| ProviderId::new(self.now, self.rng), |it| it.id),
            slug: slug.clone(),
            owner: Owner::File,
            settings: object.settings.clone(),
            client_secret: object.client_secret.clone(),
            updated_at: self.now,
        }
    }

    fn manifest(&self, slug: &Slug, object: &ManifestObject) -> OAuthManifest {
        let before = self.stored.manifests.iter().find(|it| it.slug == *slug);
        OAuthManifest {
            id: before.map_or_else(|| ManifestId::new(self.now, self.rng), |it| it.id),
            slug: slug.clone(),
            owner: Owner::File,
            source: object.source.clone(),
            content: Arc::clone(&object.content),
            settings: object.settings.clone(),
            client_secret: object.client_secret.clone(),
            updated_at: self.now,
        }
    }

    fn client(&self, id: &ClientId, object: &ClientObject) -> Client {
        let before = self.stored.clients.iter().find(|it| it.id == *id);
        Client {
            id: id.clone(),
            origin: ClientOrigin::PreRegistered,
            metadata: object.metadata.clone(),
            secret: object.secret,
            remembers_consent: object.remembers_consent,
            created_at: before.map_or(self.now, |it| it.created_at),
        }
    }

    fn environment(&self, slug: &Slug, object: &EnvironmentObject) -> Environment {
        let before = self.stored.environments.iter().find(|it| it.slug == *slug);
        let variable = |(name, value): (&String, &_)| {
            let known = before.and_then(|it| it.variables.get(name));
            let id = known.map_or_else(|| VariableId::new(self.now, self.rng), |it| it.id);
            let value = Clone::clone(value);
            (name.clone(), Variable { id, value })
        };
        Environment {
            id: before.map_or_else(|| EnvironmentId::new(self.now, self.rng), |it| it.id),
            slug: slug.clone(),
            owner: Owner::File,
            variables: object.variables.iter().map(variable).collect(),
            updated_at: self.now,
        }
    }

    fn toolset(&self, slug: &Slug, object: &ToolsetObject) -> Toolset {
        let before = self.stored.toolsets.iter().find(|it| it.slug == *slug);
        Toolset {
            id: before.map_or_else(|| ToolsetId::new(self.now, self.rng), |it| it.id),
            slug: slug.clone(),
            owner: Owner::File,
            title: object.title.clone(),
            instructions: object.instructions.clone(),
            documents: object.documents.clone(),
            dynamic: object.dynamic,
            answers: object.answers.clone(),
            environment: object.environment.clone(),
            inbound: object.inbound.clone(),
            provider: object.provider.clone(),
            manifest: object.manifest.clone(),
            caller_supplied: object.caller_supplied.clone(),
            lifetimes: object.lifetimes,
            updated_at: self.now,
        }
    }
}

#[cfg(test)]
mod tests;
