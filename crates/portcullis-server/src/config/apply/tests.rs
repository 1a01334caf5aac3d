//! A configuration is applied: what changes, and what is left alone.

use std::sync::Arc;

use insta::assert_snapshot;
use portcullis_base::{Digest, Secret};
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
    assert!(last.documents.is_empty() && last.environments.is_empty() && last.toolsets.is_empty());
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
async fn a_client_is_an_object_and_the_access_to_it_ends_with_it() {
    const SECRETS: [&str; 2] = [
        "canary-0123456789abcdef0123456789",
        "canary-abcdef0123456789abcdef0123",
    ];
    let bench = Bench::new().await;
    let file = "[clients.assistant]\nredirect_uris = ['https://a.example/cb']\n\
        client_secret_env = 'KEY'\n";
    assert_eq!(bench.apply(file, SECRETS[0]).await, "+ client assistant");
    assert_eq!(bench.apply(file, SECRETS[0]).await, "");
    let other = file.replace("/cb", "/other") + "remember_consent = true\n";
    assert_snapshot!(bench.apply(&other, SECRETS[1]).await, @"~ client assistant: redirect_uris, client_secret, remember_consent");
    let stored = bench.store.snapshot().await.expect("a snapshot");
    let [client] = stored.clients.as_slice() else {
        panic!("one client");
    };
    assert_eq!(client.origin, ClientOrigin::PreRegistered);
    assert_eq!(client.secret, Some(Digest::of(SECRETS[1].as_bytes())));
    let renamed = other + "client_id = 'another'\n";
    assert_snapshot!(bench.apply(&renamed, SECRETS[1]).await, @r"
    + client another
    - client assistant: the access that people gave it ends
    ");
    assert_snapshot!(bench.apply("", SECRETS[1]).await, @"- client another: the access that people gave it ends");
    let last = bench.store.snapshot().await.expect("a snapshot");
    assert!(last.clients.is_empty());
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
