//! A whole gateway, of which the reloader is used by hand; nothing answers, and nothing waits.

mod documents;

use std::collections::HashMap;
use std::path::Path;

use portcullis_store::{
    Actor, Keyring, MasterKey, RotationProgress, create_key_file, read_key_file,
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::ambient::{SystemClock, SystemRng};
use crate::config::Overrides;
use crate::gateway::Gateway;

const DOCUMENT: &str = "openapi: 3.1.0
info: { title: Petstore, version: '1' }
servers: [{ url: https://petstore.example }]
paths:
  /pets:
    get: { operationId: listPets, responses: { '200': { description: ok } } }
";

const LOCAL: &str = "[listener]\nlisten = [\"127.0.0.1:0\"]\n";
const PUBLIC: &str = "[listener]
listen = [\"0.0.0.0:0\"]
operations_listen = [\"127.0.0.1:0\"]
public_url = \"https://mcp.example.com\"
trusted_proxies = [\"10.1.0.0/24\"]
";

fn objects(secret: &str, toolsets: &[(&str, &str)]) -> String {
    std::iter::once(format!(
        "[documents.petstore]\nfile = \"petstore.yaml\"\n[environments.production]\nPETSTORE_SERVER_URL_file = \"{secret}\"\n"
    ))
    .chain(toolsets.iter().map(|(slug, inbound)| {
        format!("[toolsets.{slug}]\ndocuments = [\"petstore\"]\nenvironment = \"production\"\ninbound = [\"{inbound}\"]\n")
    }))
    .collect()
}

fn write(folder: &TempDir, name: &str, text: &str) {
    std::fs::write(folder.path().join(name), text).unwrap();
}

fn load(folder: &TempDir, name: &str) -> Configuration {
    let path = folder.path().join(name);
    Configuration::load(&path, Overrides::default(), HashMap::new()).unwrap()
}

/// Starts a gateway that publishes `toolsets` on a listener.
async fn start(listener: &str, toolsets: &[(&str, &str)]) -> (TempDir, Gateway) {
    let folder = tempfile::tempdir().unwrap();
    write(&folder, "petstore.yaml", DOCUMENT);
    write(&folder, "secret", "https://petstore.example");
    let file = format!("{listener}{}", objects("secret", toolsets));
    write(&folder, "portcullis.toml", &file);
    let gateway = Gateway::start(load(&folder, "portcullis.toml")).await;
    (folder, gateway.unwrap())
}

/// Opens the gateway's store a second time, as another process does.
async fn other_process(folder: &TempDir) -> Store {
    let settings = load(folder, "portcullis.toml").settings.storage;
    let opened = storage::open(&settings, SystemClock.now(), Arc::new(SystemRng)).await;
    opened.unwrap()
}

fn slugs(reloader: &Reloader) -> Vec<String> {
    let path = |url: String| url.rsplit('/').nth(1).unwrap().to_owned();
    reloader.endpoints().into_iter().map(path).collect()
}

/// The names of the tools at `pets`.
fn tools(reloader: &Reloader) -> Vec<String> {
    let catalogue = reloader.catalogue();
    let mut names: Vec<_> = catalogue.toolsets["pets"].tools.keys().cloned().collect();
    names.sort();
    names
}

/// Looks as often as it takes to read files that have changed.
async fn look_twice(reloader: &Reloader) {
    reloader.look().await;
    reloader.look().await;
}

async fn rotate(store: &Store, key_file: &Path) {
    let next = key_file.with_extension("next");
    let new = create_key_file(&next, &SystemRng).unwrap();
    let now = SystemClock.now();
    let begun = store.begin_rotation(new.clone(), Actor::new("test"), now);
    begun.await.unwrap();
    std::fs::rename(&next, key_file).unwrap();
    loop {
        let continued = store.continue_rotation(&new, Actor::new("test"), now);
        if continued.await.unwrap() == RotationProgress::Done {
            return;
        }
    }
}

#[tokio::test]
async fn what_another_process_writes_is_published_and_not_undone() {
    let (folder, gateway) = start(LOCAL, &[("pets", "open")]).await;
    let reloader = gateway.reloader();
    assert_eq!(slugs(&reloader), ["pets"]);
    let file = format!("{LOCAL}{}", objects("secret", &[("other", "open")]));
    write(&folder, "other.toml", &file);
    let store = other_process(&folder).await;
    let other = load(&folder, "other.toml");
    apply::apply(&store, &other, SystemClock.now(), &SystemRng)
        .await
        .unwrap();
    for _ in 0..2 {
        reloader.look().await;
        assert_eq!(slugs(&reloader), ["other"]);
    }
    reloader.try_reload().await.unwrap();
    assert_eq!(slugs(&reloader), ["pets"]);
}

#[tokio::test]
async fn what_another_process_says_it_has_changed_is_published_at_once() {
    let (folder, gateway) = start(LOCAL, &[("pets", "open")]).await;
    let reloader = gateway.reloader();
    let file = format!("{LOCAL}{}", objects("secret", &[("other", "open")]));
    write(&folder, "other.toml", &file);
    let store = other_process(&folder).await;
    let other = load(&folder, "other.toml");
    // While this waits no time passes, so that the look that is taken every other second is never due.
    tokio::time::pause();
    let (release, held) = std::sync::mpsc::channel::<()>();
    let standing = spawn_blocking(move || held.recv());
    let shutdown = CancellationToken::new();
    let watching = tokio::spawn(reloader.watch(shutdown.clone()));
    apply::apply(&store, &other, SystemClock.now(), &SystemRng)
        .await
        .unwrap();
    reloader.revised().notify_one();
    while slugs(&reloader) != ["other"] {
        tokio::task::yield_now().await;
    }
    shutdown.cancel();
    watching.await.unwrap();
    release.send(()).unwrap();
    standing.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_configuration_that_cannot_be_used_changes_nothing_until_it_is_mended() {
    let (folder, gateway) = start(LOCAL, &[("pets", "open")]).await;
    let reloader = gateway.reloader();
    let file = format!("{LOCAL}{}", objects("new", &[("more", "open")]));
    write(&folder, "portcullis.toml", &file);
    look_twice(&reloader).await;
    assert_eq!(slugs(&reloader), ["pets"]);
    let refused = reloader.try_reload().await.unwrap_err();
    assert!(
        matches!(refused, ReloadError::Configuration(_)),
        "{refused}"
    );
    // Mended by a file that no usable configuration has named so far.
    write(&folder, "new", "https://petstore.example");
    look_twice(&reloader).await;
    assert_eq!(slugs(&reloader), ["more"]);
}

#[tokio::test]
async fn a_file_that_is_being_written_is_not_read() {
    let (folder, gateway) = start(LOCAL, &[("pets", "open")]).await;
    let reloader = gateway.reloader();
    let file = std::fs::read_to_string(folder.path().join("portcullis.toml")).unwrap();
    reloader.look().await;
    write(&folder, "portcullis.toml", "");
    reloader.look().await;
    assert_eq!(slugs(&reloader), ["pets"]);
    write(
        &folder,
        "portcullis.toml",
        &file.replace("toolsets.pets", "toolsets.more"),
    );
    reloader.look().await;
    assert_eq!(slugs(&reloader), ["pets"]);
    reloader.look().await;
    assert_eq!(slugs(&reloader), ["more"]);
}

#[tokio::test]
async fn a_changed_document_is_taken_up_at_the_next_look() {
    let (folder, gateway) = start(LOCAL, &[("pets", "open")]).await;
    let reloader = gateway.reloader();
    write(
        &folder,
        "petstore.yaml",
        &DOCUMENT
            .replace("/pets", "/shops")
            .replace("listPets", "listShops"),
    );
    assert!(keeps_no_content(&reloader).await);
    look_twice(&reloader).await;
    assert_eq!(tools(&reloader), ["listShops"]);
    assert!(keeps_no_content(&reloader).await);
}

/// Tells whether the contents of documents are in the store alone, and not in memory besides.
async fn keeps_no_content(reloader: &Reloader) -> bool {
    let configuration = reloader.configuration().await;
    let mut documents = configuration.objects.documents.values();
    documents.all(|document| document.content.is_empty())
}

#[tokio::test]
async fn a_master_key_that_another_process_changed_is_read_again() {
    let (folder, gateway) = start(LOCAL, &[("pets", "open")]).await;
    let reloader = gateway.reloader();
    let key_file = folder.path().join("portcullis-data/master.key");
    let store = other_process(&folder).await;
    // The gateway looks only after everything of the first two keys is gone.
    rotate(&store, &key_file).await;
    rotate(&store, &key_file).await;
    reloader.publish().await.unwrap();
    write(&folder, "secret", "https://b.example");
    reloader.try_reload().await.unwrap();
    let catalogue = reloader.catalogue();
    let environment = catalogue.toolsets["pets"].environment.as_ref().unwrap();
    let value = &environment.values["PETSTORE_SERVER_URL"];
    assert_eq!(value.text.expose(), "https://b.example");
    let settings = load(&folder, "portcullis.toml").settings.storage;
    let keyring = Keyring::new(read_key_file(&key_file).unwrap());
    let opened = Store::open(
        settings.url.expose(),
        keyring,
        SystemClock.now(),
        Arc::new(SystemRng),
    );
    assert_eq!(
        opened
            .await
            .unwrap()
            .snapshot()
            .await
            .unwrap()
            .environments
            .len(),
        1
    );
}

#[tokio::test]
async fn a_master_key_that_is_gone_is_not_made_anew() {
    let (folder, gateway) = start(LOCAL, &[("pets", "open")]).await;
    let reloader = gateway.reloader();
    let key_file = folder.path().join("portcullis-data/master.key");
    let store = other_process(&folder).await;
    rotate(&store, &key_file).await;
    std::fs::remove_file(&key_file).unwrap();
    let error = reloader.publish().await.unwrap_err();
    assert!(matches!(error, PublishError::MasterKey(_)), "{error}");
    std::fs::write(&key_file, MasterKey::new(&SystemRng).to_text().expose()).unwrap();
    assert!(reloader.publish().await.is_err());
    assert_eq!(slugs(&reloader), ["pets"]);
}

#[tokio::test]
async fn a_file_that_closes_the_listener_opens_no_toolset_before_the_next_start() {
    let (folder, gateway) = start(PUBLIC, &[("pets", "api_key")]).await;
    let reloader = gateway.reloader();
    let file = format!("{LOCAL}{}", objects("secret", &[("pets", "open")]));
    write(&folder, "portcullis.toml", &file);
    let refused = reloader.try_reload().await.unwrap_err();
    assert!(matches!(refused, ReloadError::Exposed { .. }), "{refused}");
    let stored = other_process(&folder).await.snapshot().await.unwrap();
    assert!(asks(&stored.toolsets[0].inbound, None, |_| true));
}

#[tokio::test]
async fn a_toolset_that_another_process_opens_is_withheld_from_other_machines() {
    let (folder, gateway) = start(PUBLIC, &[("pets", "api_key")]).await;
    let reloader = gateway.reloader();
    let toolsets = [("pets", "api_key"), ("more", "open")];
    let file = format!("{LOCAL}{}", objects("secret", &toolsets));
    write(&folder, "other.toml", &file);
    let store = other_process(&folder).await;
    let other = load(&folder, "other.toml");
    apply::apply(&store, &other, SystemClock.now(), &SystemRng)
        .await
        .unwrap();
    reloader.look().await;
    assert_eq!(slugs(&reloader), ["pets"]);
    let objects = objects("secret", &toolsets);
    let file = format!("{PUBLIC}allow_unauthenticated = true\n{objects}");
    write(&folder, "portcullis.toml", &file);
    reloader.try_reload().await.unwrap();
    assert_eq!(slugs(&reloader), ["more", "pets"]);
}

#[tokio::test]
async fn a_gateway_whose_store_does_not_answer_is_not_ready() {
    let (_folder, gateway) = start(LOCAL, &[("pets", "open")]).await;
    let reloader = gateway.reloader();
    let probe = reloader.probe();
    reloader.look().await;
    assert_eq!(probe(), Ok(()));
    reloader.0.around.store.close().await;
    reloader.look().await;
    let missing = probe().unwrap_err();
    assert!(missing.contains("database"), "{missing}");
    assert_eq!(slugs(&reloader), ["pets"]);
}

#[tokio::test]
async fn a_reload_takes_up_a_new_certificate_even_where_the_file_cannot_be_used() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder, "petstore.yaml", DOCUMENT);
    write(&folder, "secret", "https://petstore.example");
    write_certificate(&folder, 2040);
    let tls = "[listener.tls]\ncertificate_file = \"tls.crt\"\nkey_file = \"tls.key\"\n";
    let file = format!("{LOCAL}{tls}{}", objects("secret", &[("pets", "open")]));
    write(&folder, "portcullis.toml", &file);
    let gateway = Gateway::start(load(&folder, "portcullis.toml")).await;
    let reloader = gateway.unwrap().reloader();
    assert!(reloader.endpoints()[0].starts_with("https://localhost:"));
    let certificates = reloader.0.around.certificates.clone().unwrap();
    let before = certificates.not_after().unwrap();
    write_certificate(&folder, 2041);
    write(&folder, "portcullis.toml", "lisener = 1");
    reloader.reload().await;
    assert!(certificates.not_after().unwrap() > before);
    assert_eq!(slugs(&reloader), ["pets"]);
}

fn write_certificate(folder: &TempDir, year: i32) {
    let names = vec!["localhost".to_owned()];
    let mut parameters = rcgen::CertificateParams::new(names).unwrap();
    parameters.not_after = rcgen::date_time_ymd(year, 1, 31);
    let key = rcgen::KeyPair::generate().unwrap();
    write(
        folder,
        "tls.crt",
        &parameters.self_signed(&key).unwrap().pem(),
    );
    write(folder, "tls.key", &key.serialize_pem());
}
