//! Documents, toolsets, environments and providers.

use std::time::Duration;

use portcullis_base::Secret;
use portcullis_store::{ApplyError, Object, ObjectId, StoreError, VariableValue};

use super::on_both_engines;
use crate::engines::{Database, NOW};
use crate::samples::{
    actor, changes, document, environment, manifest, new_document, provider, put, slug, toolset,
};

on_both_engines! {
    objects_read_back_as_they_were_put
    a_put_replaces_the_object_of_the_same_id
    a_providers_secret_can_be_taken_away
    manifests_read_back_as_they_were_put
    every_content_of_a_manifest_is_kept
    removed_objects_are_gone
    a_stale_change_is_refused
    a_failed_change_leaves_nothing_behind
    a_taken_slug_is_named
    a_toolset_cannot_name_what_does_not_exist
    two_changes_at_once_do_not_overwrite_each_other
    every_change_leaves_an_audit_row
    a_row_that_cannot_be_is_named
}

async fn objects_read_back_as_they_were_put(database: Database) {
    let store = database.open().await;
    let document = document("petstore", &*database.rng);
    let environment = environment("production", "hunter2", &*database.rng);
    let mut toolset = toolset("pets", &["petstore"], &*database.rng);
    toolset.environment = Some(slug("production"));
    toolset.provider = Some(slug("github"));
    let providers = [
        provider("github", Some("hunter2"), &*database.rng),
        provider("public", None, &*database.rng),
    ];
    put(
        &store,
        vec![
            Object::Toolset(toolset.clone()),
            new_document(&document),
            Object::Environment(environment.clone()),
            Object::Provider(providers[0].clone()),
            Object::Provider(providers[1].clone()),
        ],
    )
    .await;
    store.close().await;

    let snapshot = database.open().await.snapshot().await.unwrap();
    assert_eq!(snapshot.documents, [document]);
    assert_eq!(snapshot.toolsets, [toolset]);
    assert_eq!(snapshot.environments, [environment]);
    assert_eq!(snapshot.providers, providers);
}

async fn a_providers_secret_can_be_taken_away(database: Database) {
    let store = database.open().await;
    let mut github = provider("github", Some("hunter2"), &*database.rng);
    for secret in [Some("hunter2"), Some("swordfish"), None] {
        github.client_secret = secret.map(|text| Secret::new(text.to_owned()));
        put(&store, vec![Object::Provider(github.clone())]).await;
        let snapshot = store.snapshot().await.unwrap();
        assert_eq!(snapshot.providers, [github.clone()]);
    }
}

async fn manifests_read_back_as_they_were_put(database: Database) {
    let store = database.open().await;
    let manifests = [
        manifest("acme", Some("hunter2"), &*database.rng),
        manifest("public", None, &*database.rng),
    ];
    let mut toolset = toolset("pets", &[], &*database.rng);
    toolset.manifest = Some(slug("acme"));
    let mut objects: Vec<_> = manifests
        .iter()
        .map(|it| Object::Manifest(Box::new(it.clone())))
        .collect();
    objects.push(Object::Toolset(toolset.clone()));
    put(&store, objects).await;
    let snapshot = store.snapshot().await.unwrap();
    assert_eq!(snapshot.manifests, manifests);
    assert_eq!(snapshot.toolsets, [toolset]);

    let removal = changes(
        &store,
        Vec::new(),
        vec![ObjectId::Manifest(manifests[0].id)],
    )
    .await;
    let refused = store.apply(removal, NOW).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "toolset `pets` needs manifest `acme`, which does not exist"
    );
}

async fn every_content_of_a_manifest_is_kept(database: Database) {
    let store = database.open().await;
    let mut acme = manifest("acme", None, &*database.rng);
    for (minute, content) in ["first", "second", "second", "first"].iter().enumerate() {
        acme.content = (*content).into();
        acme.updated_at = NOW.after(Duration::from_secs(60 * minute as u64));
        put(&store, vec![Object::Manifest(Box::new(acme.clone()))]).await;
    }
    let removal = changes(&store, Vec::new(), vec![ObjectId::Manifest(acme.id)]).await;
    store.apply(removal, NOW).await.unwrap();
    let versions = store.manifest_versions(&slug("acme")).await.unwrap();
    let contents: Vec<_> = versions
        .iter()
        .map(|it| (&*it.content, it.created_at.since(NOW).as_secs() / 60))
        .collect();
    assert_eq!(contents, [("first", 3), ("second", 2)]);
}

async fn a_put_replaces_the_object_of_the_same_id(database: Database) {
    let store = database.open().await;
    let mut petstore = document("petstore", &*database.rng);
    let mut production = environment("production", "hunter2", &*database.rng);
    put(
        &store,
        vec![
            new_document(&petstore),
            Object::Environment(production.clone()),
        ],
    )
    .await;
    petstore.slug = slug("shop");
    production.variables.remove("URL");
    let key = production.variables.get_mut("KEY").unwrap();
    key.value = VariableValue::Secret(Secret::new("swordfish".to_owned()));
    put(
        &store,
        vec![
            new_document(&petstore),
            Object::Environment(production.clone()),
        ],
    )
    .await;
    let snapshot = store.snapshot().await.unwrap();
    assert_eq!(snapshot.documents, [petstore]);
    assert_eq!(snapshot.environments, [production]);
}

async fn removed_objects_are_gone(database: Database) {
    let store = database.open().await;
    let objects = vec![
        new_document(&document("petstore", &*database.rng)),
        Object::Toolset(toolset("pets", &["petstore"], &*database.rng)),
        Object::Environment(environment("production", "hunter2", &*database.rng)),
        Object::Provider(provider("github", Some("hunter2"), &*database.rng)),
    ];
    let ids: Vec<ObjectId> = objects.iter().map(Object::id).collect();
    put(&store, objects).await;
    let removal = changes(&store, Vec::new(), ids).await;
    let revision = store.apply(removal, NOW).await.unwrap();
    let snapshot = store.snapshot().await.unwrap();
    assert_eq!(snapshot.revision, revision);
    assert!(snapshot.documents.is_empty());
    assert!(snapshot.toolsets.is_empty());
    assert!(snapshot.environments.is_empty());
    assert!(snapshot.providers.is_empty());
}

async fn a_stale_change_is_refused(database: Database) {
    let store = database.open().await;
    let late = changes(
        &store,
        vec![new_document(&document("late", &*database.rng))],
        Vec::new(),
    )
    .await;
    put(
        &store,
        vec![new_document(&document("early", &*database.rng))],
    )
    .await;
    let refused = store.apply(late, NOW).await;
    assert!(matches!(refused, Err(ApplyError::Stale)), "{refused:?}");
    assert_eq!(store.snapshot().await.unwrap().documents.len(), 1);
}

async fn a_failed_change_leaves_nothing_behind(database: Database) {
    let store = database.open().await;
    let before = store.snapshot().await.unwrap();
    let change = changes(
        &store,
        vec![
            new_document(&document("petstore", &*database.rng)),
            new_document(&document("petstore", &*database.rng)),
        ],
        Vec::new(),
    )
    .await;
    assert!(store.apply(change, NOW).await.is_err());
    assert_eq!(store.snapshot().await.unwrap(), before);
    assert!(store.list_audit(None, 10).await.unwrap().is_empty());
}

async fn a_taken_slug_is_named(database: Database) {
    let store = database.open().await;
    let twice = [1, 2].map(|_| new_document(&document("petstore", &*database.rng)));
    let change = changes(&store, twice.into(), Vec::new()).await;
    let error = store.apply(change, NOW).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is another document `petstore` already"
    );
}

async fn a_toolset_cannot_name_what_does_not_exist(database: Database) {
    let store = database.open().await;
    let petstore = document("petstore", &*database.rng);
    let pets = toolset("pets", &["petstore"], &*database.rng);
    put(
        &store,
        vec![new_document(&petstore), Object::Toolset(pets.clone())],
    )
    .await;
    let removal = changes(&store, Vec::new(), vec![ObjectId::Document(petstore.id)]).await;
    let error = store.apply(removal, NOW).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "toolset `pets` needs document `petstore`, which does not exist"
    );

    let mut homeless = pets.clone();
    homeless.environment = Some(slug("production"));
    let mut strange = pets;
    strange.provider = Some(slug("github"));
    for (toolset, missing) in [
        (homeless, "environment `production`"),
        (strange, "provider `github`"),
    ] {
        let change = changes(&store, vec![Object::Toolset(toolset)], Vec::new()).await;
        let error = store.apply(change, NOW).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("toolset `pets` needs {missing}, which does not exist")
        );
    }
}

async fn two_changes_at_once_do_not_overwrite_each_other(database: Database) {
    let store = database.open().await;
    let [one, two] = ["one", "two"].map(|name| document(name, &*database.rng));
    let one = changes(&store, vec![new_document(&one)], Vec::new()).await;
    let two = changes(&store, vec![new_document(&two)], Vec::new()).await;
    let (one, two) = tokio::join!(store.apply(one, NOW), store.apply(two, NOW));
    let stale = [&one, &two]
        .into_iter()
        .filter(|outcome| matches!(outcome, Err(ApplyError::Stale)));
    assert_eq!(stale.count(), 1, "{one:?} {two:?}");
    assert_eq!(store.snapshot().await.unwrap().documents.len(), 1);
}

async fn every_change_leaves_an_audit_row(database: Database) {
    let store = database.open().await;
    let petstore = document("petstore", &*database.rng);
    put(&store, vec![new_document(&petstore)]).await;
    let removal = changes(&store, Vec::new(), vec![ObjectId::Document(petstore.id)]).await;
    let later = NOW.after(std::time::Duration::from_millis(1));
    store.apply(removal, later).await.unwrap();
    let rows = store.list_audit(None, 10).await.unwrap();
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row.action.as_str(), row.target.as_str(), row.actor.as_str()))
        .collect();
    let id = petstore.id.to_string();
    assert_eq!(
        told,
        [
            ("document.removed", id.as_str(), "cli"),
            ("document.put", id.as_str(), "cli"),
        ]
    );
    let earlier = store.list_audit(Some(rows[0].id), 10).await.unwrap();
    assert_eq!(earlier, rows[1..]);
    let entry = portcullis_store::AuditEntry::new(actor(), "gateway.started", "x".to_owned());
    store.insert_audit(entry, later).await.unwrap();
    assert_eq!(store.list_audit(None, 2).await.unwrap().len(), 2);
}

async fn a_row_that_cannot_be_is_named(database: Database) {
    let store = database.open().await;
    let petstore = document("petstore", &*database.rng);
    put(&store, vec![new_document(&petstore)]).await;
    database
        .execute("UPDATE documents SET owner = 'nobody'")
        .await;
    let error = store.snapshot().await.unwrap_err();
    assert!(matches!(error, StoreError::InvalidRow(_)), "{error:?}");
    assert_eq!(
        error.to_string(),
        format!(
            "table documents, column owner, row {}: expected `file` or `api`",
            petstore.id
        )
    );
}
