//! What separates the objects of a configuration from those in the store, for people; pure.
//!
//! A secret is never shown, nor whether it grew or shrank: only that it changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fmt::Display;

use portcullis_base::Slug;
use portcullis_oauth::issuer::client::{Client, ClientOrigin, VerifiedClientMetadata};
use portcullis_store::{
    Document, Environment, OAuthManifest, Owner, RemoteSettings, Snapshot, Toolset,
    ToolsetDocument, UpstreamProvider, VariableValue,
};

use super::{
    ClientObject, DocumentObject, EnvironmentObject, ManifestObject, Objects, ProviderObject,
    ToolsetObject,
};

/// What applying a configuration changes, object by object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// The changes, in the order of kinds and names.
    pub changes: Vec<Change>,
}

/// The change of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The kind of object.
    pub kind: ObjectKind,
    /// The object: its slug, or the id of a client.
    pub name: String,
    /// What becomes of it.
    pub fate: Fate,
}

/// The kinds of object that a configuration describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ObjectKind {
    /// A provider at which people sign in.
    Provider,
    /// The OAuth manifest of a provider.
    Manifest,
    /// An MCP client that the operator registers.
    Client,
    /// An OpenAPI document.
    Document,
    /// A named set of variables.
    Environment,
    /// The tools published together.
    Toolset,
}

/// What becomes of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is new.
    Added,
    /// It stays, with these changes.
    Changed(Vec<String>),
    /// It is in the file no longer.
    Removed,
}

impl Difference {
    /// Compares what a configuration describes with what the file owns in the store.
    #[must_use]
    pub fn between(stored: &Snapshot, desired: &Objects) -> Self {
        let mut changes = Vec::new();
        let providers = owned(&stored.providers, |it| (it.owner, &it.slug));
        compare(
            ObjectKind::Provider,
            &providers,
            &desired.providers,
            provider,
            &mut changes,
        );
        let manifests = owned(&stored.manifests, |it| (it.owner, &it.slug));
        compare(
            ObjectKind::Manifest,
            &manifests,
            &desired.manifests,
            manifest,
            &mut changes,
        );
        let clients = stored.clients.iter();
        let clients = clients
            .filter(|it| it.origin == ClientOrigin::PreRegistered)
            .map(|it| (it.id.clone(), it))
            .collect();
        compare(
            ObjectKind::Client,
            &clients,
            &desired.clients,
            client,
            &mut changes,
        );
        let documents = owned(&stored.documents, |it| (it.owner, &it.slug));
        compare(
            ObjectKind::Document,
            &documents,
            &desired.documents,
            document,
            &mut changes,
        );
        let environments = owned(&stored.environments, |it| (it.owner, &it.slug));
        compare(
            ObjectKind::Environment,
            &environments,
            &desired.environments,
            environment,
            &mut changes,
        );
        let toolsets = owned(&stored.toolsets, |it| (it.owner, &it.slug));
        compare(
            ObjectKind::Toolset,
            &toolsets,
            &desired.toolsets,
            toolset,
            &mut changes,
        );
        Self { changes }
    }

    /// Tells whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Returns a line for each change.
    pub fn lines(&self) -> impl Iterator<Item = String> + '_ {
        self.changes.iter().map(Change::to_string)
    }

    /// Adds to what changes about a document.
    pub(super) fn add_to_document(&mut self, slug: &Slug, detail: String) {
        let name = slug.as_str();
        let mut changes = self.changes.iter_mut();
        let found = changes.find(|it| it.kind == ObjectKind::Document && it.name == name);
        match found.map(|change| &mut change.fate) {
            Some(Fate::Changed(details)) => details.push(detail),
            Some(Fate::Added | Fate::Removed) => {}
            None => self.changes.push(Change {
                kind: ObjectKind::Document,
                name: name.to_owned(),
                fate: Fate::Changed(vec![detail]),
            }),
        }
    }

    /// Returns what becomes of an object, unless it stays as it is.
    pub(super) fn fate(&self, kind: ObjectKind, name: &str) -> Option<&Fate> {
        self.changes
            .iter()
            .find(|change| change.kind == kind && change.name == name)
            .map(|change| &change.fate)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, name, fate } = self;
        match fate {
            Fate::Added => write!(f, "+ {kind} {name}"),
            Fate::Removed if *kind == ObjectKind::Client => {
                write!(f, "- {kind} {name}: the access that people gave it ends")
            }
            Fate::Removed => write!(f, "- {kind} {name}"),
            Fate::Changed(details) => write!(f, "~ {kind} {name}: {}", details.join(", ")),
        }
    }
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Provider => "provider",
            Self::Manifest => "manifest",
            Self::Client => "client",
            Self::Document => "document",
            Self::Environment => "environment",
            Self::Toolset => "toolset",
        })
    }
}

fn owned<T>(stored: &[T], of: impl Fn(&T) -> (Owner, &Slug)) -> BTreeMap<Slug, &T> {
    stored
        .iter()
        .filter(|object| of(object).0 == Owner::File)
        .map(|object| (of(object).1.clone(), object))
        .collect()
}

fn compare<Key: Ord + Display, Stored, Desired>(
    kind: ObjectKind,
    stored: &BTreeMap<Key, &Stored>,
    desired: &BTreeMap<Key, Desired>,
    details: impl Fn(&Stored, &Desired) -> Vec<String>,
    changes: &mut Vec<Change>,
) {
    let keys: BTreeSet<&Key> = stored.keys().chain(desired.keys()).collect();
    for key in keys {
        let fate = match (stored.get(key), desired.get(key)) {
            (None, _) => Fate::Added,
            (Some(_), None) => Fate::Removed,
            (Some(before), Some(after)) => match details(before, after) {
                same if same.is_empty() => continue,
                details => Fate::Changed(details),
            },
        };
        let name = key.to_string();
        changes.push(Change { kind, name, fate });
    }
}

fn document(before: &Document, after: &DocumentObject) -> Vec<String> {
    let mut details = Vec::new();
    if before.source != after.source {
        let word = if after.remote.is_some() {
            "url"
        } else {
            "file"
        };
        details.push(format!("{word} {}", after.source));
    }
    if before.remote.map(|it| it.changes) != after.remote.map(|it| it.changes) {
        details.push("changes".to_owned());
    }
    let refresh = |remote: Option<RemoteSettings>| remote.map(|it| it.refresh_seconds);
    if refresh(before.remote) != refresh(after.remote) {
        details.push("refresh_seconds".to_owned());
    }
    if before.digest != after.compiled.digest && !after.leaves_content_of(before) {
        let (old, new) = (
            before.digest.fingerprint(),
            after.compiled.digest.fingerprint(),
        );
        details.push(format!("content {old} -> {new}"));
    }
    for (name, change) in changed_keys(&before.schemes, &after.schemes) {
        details.push(format!("scheme {name} {change}"));
    }
    let (old, new) = (&before.settings, &after.settings);
    let compared = [
        ("provider", old.provider != new.provider),
        ("scopes", old.scopes != new.scopes),
        ("origins", old.origins != new.origins),
    ];
    let changed = compared.into_iter().filter(|(_, differs)| *differs);
    details.extend(changed.map(|(name, _)| name.to_owned()));
    details
}

fn provider(before: &UpstreamProvider, after: &ProviderObject) -> Vec<String> {
    let (old, new) = (&before.settings, &after.settings);
    let (from, to) = (&old.endpoints, &new.endpoints);
    let secret = before.client_secret != after.client_secret;
    let compared = [
        ("profile", old.profile != new.profile),
        ("name", old.name != new.name),
        ("client_id", old.client_id != new.client_id),
        ("client_secret", secret),
        ("issuer", old.issuer != new.issuer),
        ("tenant", old.tenant != new.tenant),
        (
            "authorization_endpoint",
            from.authorization != to.authorization,
        ),
        ("token_endpoint", from.token != to.token),
        ("userinfo_endpoint", from.userinfo != to.userinfo),
        ("jwks_uri", from.jwks != to.jwks),
        ("revocation_endpoint", from.revocation != to.revocation),
        ("scopes", old.scopes != new.scopes),
        ("allow", old.allow != new.allow),
        ("parameters", old.parameters != new.parameters),
        (
            "keep_alive_seconds",
            old.keep_alive_seconds != new.keep_alive_seconds,
        ),
    ];
    let changed = compared.into_iter().filter(|(_, differs)| *differs);
    changed.map(|(name, _)| name.to_owned()).collect()
}

fn manifest(before: &OAuthManifest, after: &ManifestObject) -> Vec<String> {
    let (old, new) = (&before.settings, &after.settings);
    let secret = before.client_secret != after.client_secret;
    let clients = old.clients_without_audience != new.clients_without_audience;
    let compared = [
        ("file", before.source != after.source),
        ("content", before.content != after.content),
        ("validation", old.validation != new.validation),
        ("audiences", old.audiences != new.audiences),
        ("clients_without_audience", clients),
        ("token_issuer", old.token_issuer != new.token_issuer),
        ("algorithms", old.algorithms != new.algorithms),
        ("probe", old.probe != new.probe),
        ("cache_seconds", old.cache_seconds != new.cache_seconds),
        ("client_id", old.client_id != new.client_id),
        ("client_secret", secret),
        ("upstream", old.delegation != new.delegation),
        ("exchange", old.exchange != new.exchange),
        ("republish", old.republished != new.republished),
    ];
    let changed = compared.into_iter().filter(|(_, differs)| *differs);
    changed.map(|(name, _)| name.to_owned()).collect()
}

fn client(before: &Client, after: &ClientObject) -> Vec<String> {
    let (old, new) = (&before.metadata, &after.metadata);
    let method = |it: &VerifiedClientMetadata| (it.auth_method, it.auth_method_defaulted);
    let compared = [
        ("name", old.name != new.name),
        ("redirect_uris", old.redirect_uris != new.redirect_uris),
        ("token_endpoint_auth_method", method(old) != method(new)),
        ("client_secret", before.secret != after.secret),
        (
            "remember_consent",
            before.remembers_consent != after.remembers_consent,
        ),
    ];
    let changed = compared.into_iter().filter(|(_, differs)| *differs);
    changed.map(|(name, _)| name.to_owned()).collect()
}

fn environment(before: &Environment, after: &EnvironmentObject) -> Vec<String> {
    let values: BTreeMap<String, VariableValue> = before
        .variables
        .iter()
        .map(|(name, variable)| (name.clone(), variable.value.clone()))
        .collect();
    changed_keys(&values, &after.variables)
        .map(|(name, change)| format!("{name} {change}"))
        .collect()
}

fn toolset(before: &Toolset, after: &ToolsetObject) -> Vec<String> {
    let mut details = Vec::new();
    let mut say = |changed: bool, detail: &str| {
        if changed {
            details.push(detail.to_owned());
        }
    };
    say(before.title != after.title, "title");
    say(before.instructions != after.instructions, "instructions");
    let slugs = |documents: &[ToolsetDocument]| -> Vec<Slug> {
        documents.iter().map(|it| it.document.clone()).collect()
    };
    let same_documents = slugs(&before.documents) == slugs(&after.documents);
    say(!same_documents, "documents");
    say(
        same_documents && before.documents != after.documents,
        "selection",
    );
    say(before.dynamic != after.dynamic, "dynamic");
    say(before.answers != after.answers, "answers");
    say(before.environment != after.environment, "environment");
    say(before.inbound != after.inbound, "inbound");
    say(before.provider != after.provider, "provider");
    say(before.manifest != after.manifest, "manifest");
    say(
        before.caller_supplied != after.caller_supplied,
        "caller_supplied",
    );
    say(before.lifetimes != after.lifetimes, "lifetimes of tokens");
    details
}

/// Returns the keys whose values differ, each with a word for how.
fn changed_keys<'a, T: PartialEq>(
    before: &'a BTreeMap<String, T>,
    after: &'a BTreeMap<String, T>,
) -> impl Iterator<Item = (&'a str, &'static str)> {
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    keys.into_iter().filter_map(|key| {
        let change = match (before.get(key), after.get(key)) {
            (None, _) => "added",
            (_, None) => "removed",
            (old, new) if old != new => "changed",
            _ => return None,
        };
        Some((key.as_str(), change))
    })
}
