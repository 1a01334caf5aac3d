//! One of each object.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use portcullis_base::{
    ApiKey, ApiKeyId, Digest, DocumentId, EnvironmentId, ManifestId, Plain, ProviderId, Rng,
    Secret, Slug, ToolsetId, VariableId,
};
use portcullis_oauth::issuer::redeem::OwnLifetimes;
use portcullis_store::{
    Actor, AnswerSettings, ApiKeyRow, Changes, Document, DocumentContent, DocumentPut,
    DocumentSettings, Environment, Inbound, OAuthManifest, Object, ObjectId, Owner,
    ProviderSettings, SchemeSettings, Selection, Store, Toolset, ToolsetDocument, UpstreamProvider,
    Variable, VariableValue,
};

use crate::engines::NOW;

pub(crate) fn slug(text: &str) -> Slug {
    Slug::parse(text).unwrap()
}

pub(crate) fn actor() -> Actor {
    Actor::new("cli")
}

pub(crate) fn document(name: &str, rng: &dyn Rng) -> Document {
    let settings = SchemeSettings {
        resource: Some("https://api.example.com".to_owned()),
        parameters: BTreeMap::from([("tenant".to_owned(), "a".to_owned())]),
        ..SchemeSettings::default()
    };
    Document {
        id: DocumentId::new(NOW, rng),
        slug: slug(name),
        owner: Owner::File,
        source: format!("{name}.yaml"),
        digest: Digest::of(CONTENT.as_bytes()),
        names: None,
        waiting: None,
        remote: None,
        schemes: BTreeMap::from([("oauth".to_owned(), settings)]),
        settings: DocumentSettings {
            provider: Some("github".to_owned()),
            scopes: vec!["repo".to_owned()],
            origins: vec!["https://uploads.example.com".to_owned()],
        },
        updated_at: NOW,
    }
}

/// The content of every document.
pub(crate) const CONTENT: &str = "openapi: 3.1.0\ninfo: {title: Pets, version: '1'}";

/// A document as it is written with a content, and its tools' names where they are kept.
pub(crate) fn written(document: &Document, content: &str, names: &str) -> Object {
    Object::Document(Box::new(DocumentPut {
        document: Document {
            digest: Digest::of(content.as_bytes()),
            names: (!names.is_empty()).then(|| Digest::of(names.as_bytes())),
            ..document.clone()
        },
        content: Some(DocumentContent {
            bytes: content.as_bytes().into(),
            names: names.into(),
        }),
        waiting: None,
    }))
}

/// A document as it is written for the first time.
pub(crate) fn new_document(document: &Document) -> Object {
    written(document, CONTENT, "")
}

pub(crate) fn toolset(name: &str, documents: &[&str], rng: &dyn Rng) -> Toolset {
    Toolset {
        id: ToolsetId::new(NOW, rng),
        slug: slug(name),
        owner: Owner::Api,
        title: Some("Pets".to_owned()),
        instructions: None,
        documents: documents
            .iter()
            .map(|document| ToolsetDocument {
                document: slug(document),
                select: Selection {
                    tags: vec!["pet".to_owned()],
                    ..Selection::default()
                },
            })
            .collect(),
        dynamic: false,
        answers: AnswerSettings {
            max_result_bytes: Some(100_000),
            max_binary_bytes: None,
            project: BTreeMap::from([("list*".to_owned(), "[].name".to_owned())]),
        },
        environment: None,
        inbound: BTreeSet::from([Inbound::ApiKey, Inbound::Headers]),
        provider: None,
        manifest: None,
        caller_supplied: BTreeSet::from(["PETSTORE_API_KEY".to_owned()]),
        lifetimes: OwnLifetimes {
            access: Some(Duration::from_mins(15)),
            ..OwnLifetimes::default()
        },
        updated_at: NOW,
    }
}

/// An environment with a plain variable `URL` and a secret one `KEY`.
pub(crate) fn environment(name: &str, secret: &str, rng: &dyn Rng) -> Environment {
    let variable = |value| Variable {
        id: VariableId::new(NOW, rng),
        value,
    };
    Environment {
        id: EnvironmentId::new(NOW, rng),
        slug: slug(name),
        owner: Owner::File,
        variables: BTreeMap::from([
            (
                "URL".to_owned(),
                variable(VariableValue::Plain("https://api.example.com".to_owned())),
            ),
            (
                "KEY".to_owned(),
                variable(VariableValue::Secret(Secret::new(secret.to_owned()))),
            ),
        ]),
        updated_at: NOW,
    }
}

pub(crate) fn provider(name: &str, secret: Option<&str>, rng: &dyn Rng) -> UpstreamProvider {
    UpstreamProvider {
        id: ProviderId::new(NOW, rng),
        slug: slug(name),
        owner: Owner::File,
        settings: ProviderSettings {
            profile: "oidc".to_owned(),
            client_id: "gateway".to_owned(),
            issuer: Some("https://id.example.com".to_owned()),
            scopes: vec!["email".to_owned()],
            ..ProviderSettings::default()
        },
        client_secret: secret.map(|secret| Secret::new(secret.to_owned())),
        updated_at: NOW,
    }
}

pub(crate) fn manifest(name: &str, secret: Option<&str>, rng: &dyn Rng) -> OAuthManifest {
    OAuthManifest {
        id: ManifestId::new(NOW, rng),
        slug: slug(name),
        owner: Owner::File,
        source: "acme.json".to_owned(),
        content: r#"{"issuer": "https://as.example"}"#.into(),
        settings: serde_json::from_str(include_str!("../fixtures/manifest_settings_1.json"))
            .expect("settings"),
        client_secret: secret.map(|secret| Secret::new(secret.to_owned())),
        updated_at: NOW,
    }
}

pub(crate) fn api_key(name: &str, rng: &dyn Rng) -> (Plain<ApiKey>, ApiKeyRow) {
    let plain = Plain::new(rng);
    let row = ApiKeyRow {
        id: ApiKeyId::new(NOW, rng),
        name: name.to_owned(),
        digest: plain.digest(),
        toolsets: BTreeSet::from([slug("pets")]),
        created_at: NOW,
        expires_at: Some(NOW),
        last_used_at: None,
        revoked_at: None,
    };
    (plain, row)
}

/// A change on top of what the store holds.
pub(crate) async fn changes(store: &Store, put: Vec<Object>, remove: Vec<ObjectId>) -> Changes {
    Changes {
        base: store.revision().await.unwrap(),
        actor: actor(),
        put,
        remove,
    }
}

pub(crate) async fn put(store: &Store, objects: Vec<Object>) {
    let changes = changes(store, objects, Vec::new()).await;
    store.apply(changes, NOW).await.unwrap();
}
