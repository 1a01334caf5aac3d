//! Makes the store's objects those of a configuration: what differs, in one transaction.
//!
//! Only objects that the file owns are touched; an object of the admin API that has the same slug is a conflict, never overwritten.

use std::collections::BTreeMap;

use portcullis_base::{
    DocumentId, EnvironmentId, ProviderId, Rng, Slug, Timestamp, ToolsetId, VariableId,
};
use portcullis_store::{
    Actor, Changes, Document, Environment, Object, ObjectId, Owner, Snapshot, Store, StoreError,
    Toolset, UpstreamProvider, Variable,
};
use thiserror::Error;

use super::difference::{Difference, Fate, ObjectKind};
use super::{
    Configuration, DocumentObject, EnvironmentObject, Objects, ProviderObject, ToolsetObject,
};

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
    let difference = Difference::between(&stored, desired);
    let changes = Changes {
        base: stored.revision,
        actor: Actor::new(format!("file:{}", configuration.path().display())),
        put: Put {
            stored: &stored,
            difference: &difference,
            now,
            rng,
        }
        .objects(desired),
        remove: removed(&stored, &difference),
    };
    Ok(Prepared {
        difference,
        changes,
    })
}

impl Prepared {
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
        now,
        rng,
    };
    let mut snapshot = Snapshot::default();
    for object in put.objects(desired) {
        match object {
            Object::Document(document) => snapshot.documents.push(document),
            Object::Environment(environment) => snapshot.environments.push(environment),
            Object::Toolset(toolset) => snapshot.toolsets.push(toolset),
            Object::Provider(provider) => snapshot.providers.push(provider),
        }
    }
    snapshot
}

fn refuse_foreign(stored: &Snapshot, desired: &Objects) -> Result<(), ApplyError> {
    let providers = stored.providers.iter().map(|it| {
        let taken = desired.providers.contains_key(&it.slug);
        (ObjectKind::Provider, it.owner, &it.slug, taken)
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
    let gone = |kind, slug| difference.fate(kind, slug) == Some(&Fate::Removed);
    let toolsets = stored
        .toolsets
        .iter()
        .filter(|it| it.owner == Owner::File && gone(ObjectKind::Toolset, &it.slug))
        .map(|it| ObjectId::Toolset(it.id));
    let environments = stored
        .environments
        .iter()
        .filter(|it| it.owner == Owner::File && gone(ObjectKind::Environment, &it.slug))
        .map(|it| ObjectId::Environment(it.id));
    let documents = stored
        .documents
        .iter()
        .filter(|it| it.owner == Owner::File && gone(ObjectKind::Document, &it.slug))
        .map(|it| ObjectId::Document(it.id));
    let providers = stored
        .providers
        .iter()
        .filter(|it| it.owner == Owner::File && gone(ObjectKind::Provider, &it.slug))
        .map(|it| ObjectId::Provider(it.id));
    toolsets
        .chain(environments)
        .chain(documents)
        .chain(providers)
        .collect()
}

/// Makes entities of objects; those that are there already keep their ids.
struct Put<'a> {
    stored: &'a Snapshot,
    difference: &'a Difference,
    now: Timestamp,
    rng: &'a dyn Rng,
}

impl Put<'_> {
    fn objects(&self, desired: &Objects) -> Vec<Object> {
        let providers = self
            .differing(ObjectKind::Provider, &desired.providers)
            .map(|(slug, it)| Object::Provider(self.provider(slug, it)));
        let documents = self
            .differing(ObjectKind::Document, &desired.documents)
            .map(|(slug, it)| Object::Document(self.document(slug, it)));
        let environments = self
            .differing(ObjectKind::Environment, &desired.environments)
            .map(|(slug, it)| Object::Environment(self.environment(slug, it)));
        let toolsets = self
            .differing(ObjectKind::Toolset, &desired.toolsets)
            .map(|(slug, it)| Object::Toolset(self.toolset(slug, it)));
        providers
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
            .filter(move |(slug, _)| self.difference.fate(kind, slug).is_some())
    }

    fn document(&self, slug: &Slug, object: &DocumentObject) -> Document {
        let before = self.stored.documents.iter().find(|it| it.slug == *slug);
        Document {
            id: before.map_or_else(|| DocumentId::new(self.now, self.rng), |it| it.id),
            slug: slug.clone(),
            owner: Owner::File,
            source: object.source.clone(),
            content: object.content.clone(),
            digest: object.compiled.digest,
            schemes: object.schemes.clone(),
            updated_at: self.now,
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
            environment: object.environment.clone(),
            inbound: object.inbound.clone(),
            provider: object.provider.clone(),
            caller_supplied: object.caller_supplied.clone(),
            updated_at: self.now,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use insta::assert_snapshot;
    use portcullis_base::Secret;
    use portcullis_store::{Keyring, MasterKey, VariableValue};

    use super::*;
    use crate::ambient::SystemRng;
    use crate::config::Overrides;

    const NOW: Timestamp = Timestamp::from_millis(1_000);

    const DOCUMENT: &str = r#"{"openapi":"3.1.0","info":{"title":"P","version":"1"},"paths":{},
        "components":{"securitySchemes":{"api_key":{"type":"apiKey","in":"header","name":"k"}}}}"#;

    const FILE: &str = "[documents.petstore]\nfile = \"petstore.json\"\n\
        [environments.production]\nPETSTORE_API_KEY_env = \"KEY\"\n\
        [toolsets.petstore]\ndocuments = [\"petstore\"]\nenvironment = \"production\"\n";

    struct Bench {
        folder: tempfile::TempDir,
        store: Store,
    }

    impl Bench {
        async fn new() -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            std::fs::write(folder.path().join("petstore.json"), DOCUMENT).expect("a file");
            let url = format!("sqlite:{}", folder.path().join("p.db").display());
            let keyring = Keyring::new(MasterKey::new(&SystemRng));
            let store = Store::open(&url, keyring, NOW, Arc::new(SystemRng)).await;
            Self {
                folder,
                store: store.expect("a store"),
            }
        }

        fn read(&self, toml: &str, key: &str) -> Configuration {
            let path = self.folder.path().join("portcullis.toml");
            std::fs::write(&path, toml).expect("a file");
            let process = [("KEY".to_owned(), Secret::new(key.to_owned()))].into();
            let read = Configuration::load(&path, Overrides::default(), process);
            read.expect("in order")
        }

        /// Applies a file, and says what changed.
        async fn apply(&self, toml: &str, key: &str) -> String {
            let configuration = self.read(toml, key);
            let difference = apply(&self.store, &configuration, NOW, &SystemRng).await;
            let lines: Vec<String> = difference.expect("applied").lines().collect();
            lines.join("\n")
        }
    }

    #[tokio::test]
    async fn the_difference_is_said_and_made() {
        let bench = Bench::new().await;
        assert_snapshot!(bench.apply(FILE, "one").await, @r"
        + document petstore
        + environment production
        + toolset petstore
        ");
        let first = bench.store.snapshot().await.expect("a snapshot");
        assert_eq!(bench.apply(FILE, "one").await, "");
        assert_snapshot!(bench.apply(FILE, "two").await, @"~ environment production: PETSTORE_API_KEY changed");
        let second = bench.store.snapshot().await.expect("a snapshot");
        assert_eq!(first.environments[0].id, second.environments[0].id);
        let value = &second.environments[0].variables["PETSTORE_API_KEY"].value;
        assert_eq!(*value, VariableValue::Secret(Secret::new("two".to_owned())));
        let other = FILE.replace("toolsets.petstore", "toolsets.pets").replace(
            "[toolsets",
            "PETSTORE_SERVER_URL = \"https://a.example\"\n[toolsets",
        );
        assert_snapshot!(bench.apply(&other, "two").await, @r"
        ~ environment production: PETSTORE_SERVER_URL added
        + toolset pets
        - toolset petstore
        ");
        assert_snapshot!(bench.apply("", "two").await, @r"
        - document petstore
        - environment production
        - toolset pets
        ");
        let last = bench.store.snapshot().await.expect("a snapshot");
        assert!(
            last.documents.is_empty() && last.environments.is_empty() && last.toolsets.is_empty()
        );
    }

    #[tokio::test]
    async fn a_provider_keeps_its_id_and_its_secret_is_not_told() {
        let bench = Bench::new().await;
        let file = "[providers.acme]\nprofile = \"google\"\nclient_id = \"us\"\n\
            client_secret_env = \"KEY\"\n";
        assert_eq!(bench.apply(file, "one").await, "+ provider acme");
        let first = bench.store.snapshot().await.expect("a snapshot");
        assert_eq!(bench.apply(file, "one").await, "");
        let other = file.replace("\"us\"", "\"them\"") + "scopes = [\"email\"]\n";
        assert_snapshot!(bench.apply(&other, "two").await, @"~ provider acme: client_id, client_secret, scopes");
        let second = bench.store.snapshot().await.expect("a snapshot");
        assert_eq!(first.providers[0].id, second.providers[0].id);
        let secret = second.providers[0].client_secret.clone();
        assert_eq!(secret, Some(Secret::new("two".to_owned())));
        assert_eq!(bench.apply("", "two").await, "- provider acme");
        let last = bench.store.snapshot().await.expect("a snapshot");
        assert!(last.providers.is_empty());
    }

    #[tokio::test]
    async fn l_07_a_difference_tells_that_a_secret_changed_and_nothing_of_it() {
        let bench = Bench::new().await;
        bench.apply(FILE, "before-canary").await;
        let configuration = bench.read(FILE, "after-canary");
        let prepared = prepare(&bench.store, &configuration, NOW, &SystemRng).await;
        let difference = prepared.expect("prepared").difference;
        let lines: Vec<String> = difference.lines().collect();
        assert!(lines.concat().contains("PETSTORE_API_KEY changed"));
        assert!(!format!("{lines:?} {difference:?}").contains("canary"));
    }

    #[tokio::test]
    async fn an_object_of_the_admin_api_is_never_overwritten() {
        let bench = Bench::new().await;
        bench.apply(FILE, "one").await;
        let mut stored = bench.store.snapshot().await.expect("a snapshot");
        let mut environment = stored.environments.remove(0);
        environment.owner = Owner::Api;
        let changes = Changes {
            base: stored.revision,
            actor: Actor::new("test"),
            put: vec![Object::Environment(environment)],
            remove: Vec::new(),
        };
        bench.store.apply(changes, NOW).await.expect("applied");
        let configuration = bench.read(FILE, "two");
        let refused = apply(&bench.store, &configuration, NOW, &SystemRng).await;
        assert!(matches!(refused, Err(ApplyError::Foreign { .. })));
    }

    #[tokio::test]
    async fn a_change_in_between_makes_a_prepared_change_stale() {
        let bench = Bench::new().await;
        let configuration = bench.read(FILE, "one");
        let prepared = prepare(&bench.store, &configuration, NOW, &SystemRng).await;
        bench.apply(FILE, "two").await;
        let outcome = prepared.expect("prepared").commit(&bench.store, NOW).await;
        assert!(matches!(
            outcome,
            Err(ApplyError::Refused(portcullis_store::ApplyError::Stale))
        ));
    }
}
