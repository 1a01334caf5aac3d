//! What documents were and may become, and those that come from a URL.

use std::time::Duration;

use portcullis_base::{Digest, Timestamp};
use portcullis_store::{
    ChangePolicy, Document, DocumentPut, KEPT_REVISIONS, LookOutcome, Object, ObjectId,
    RemoteSettings, Store, Validators,
};

use super::on_both_engines;
use crate::engines::{Database, NOW};
use crate::samples::{CONTENT, changes, document, new_document, put, slug, written};

on_both_engines! {
    a_content_is_read_by_who_needs_it
    every_content_is_a_revision_and_one_that_comes_back_keeps_its_number
    the_oldest_revisions_go_but_what_is_served_and_what_waits_stays
    what_waits_is_kept_and_not_served
    a_change_around_the_content_leaves_it_alone
    what_an_earlier_program_wrote_becomes_a_revision
    one_replica_looks_at_a_url
    another_url_is_another_source
    a_pinned_document_is_never_due
}

async fn served(store: &Store) -> Document {
    store.snapshot().await.unwrap().documents.remove(0)
}

async fn told(store: &Store) -> Vec<(u32, u64)> {
    let revisions = store.document_revisions(&slug("pets")).await.unwrap();
    let told = revisions.iter().map(|it| (it.number, it.size_bytes));
    told.collect()
}

async fn a_content_is_read_by_who_needs_it(database: Database) {
    let store = database.open().await;
    let pets = document("pets", &*database.rng);
    put(&store, vec![written(&pets, CONTENT, "names")]).await;
    let pets = served(&store).await;
    assert_eq!(pets.names, Some(Digest::of(b"names")));
    let read = store.document_content(pets.id, pets.digest).await.unwrap();
    let read = read.unwrap();
    assert_eq!((&*read.bytes, &*read.names), (CONTENT.as_bytes(), "names"));
    let other = store.document_content(pets.id, Digest::of(b"other")).await;
    assert_eq!(other.unwrap(), None);
}

async fn every_content_is_a_revision_and_one_that_comes_back_keeps_its_number(database: Database) {
    let store = database.open().await;
    let pets = document("pets", &*database.rng);
    for content in ["1", "22", "22", "1", "333"] {
        put(&store, vec![written(&pets, content, "")]).await;
    }
    assert_eq!(told(&store).await, [(3, 3), (2, 2), (1, 1)]);
    let revisions = store.document_revisions(&slug("pets")).await.unwrap();
    let second = &revisions[1];
    assert_eq!(second.digest, Digest::of(b"22"));
    assert_eq!(
        (second.source.as_str(), second.actor.as_str()),
        ("pets.yaml", "cli")
    );
    let content = store.revision_content(&slug("pets"), second.digest).await;
    assert_eq!(content.unwrap().as_deref(), Some(b"22".as_slice()));

    let removal = changes(&store, Vec::new(), vec![ObjectId::Document(pets.id)]).await;
    store.apply(removal, NOW).await.unwrap();
    assert_eq!(told(&store).await.len(), 3);
}

async fn the_oldest_revisions_go_but_what_is_served_and_what_waits_stays(database: Database) {
    let store = database.open().await;
    let pets = document("pets", &*database.rng);
    let length = |length: u32| "x".repeat(length as usize);
    let kept = |from: u32, to: u32| (from..=to).rev().map(|it| (it, u64::from(it)));
    for number in 1..=KEPT_REVISIONS + 2 {
        put(&store, vec![written(&pets, &length(number), "")]).await;
    }
    let newest = KEPT_REVISIONS + 2;
    assert_eq!(told(&store).await, kept(3, newest).collect::<Vec<_>>());
    // The third is served again while the fourth waits.
    for number in newest + 1..=newest + KEPT_REVISIONS + 1 {
        let waiting = length(number);
        put(&store, vec![held(&pets, &length(3), &waiting)]).await;
    }
    let newest = newest + KEPT_REVISIONS + 1;
    let mut expected: Vec<_> = kept(newest - KEPT_REVISIONS + 1, newest).collect();
    expected.push((3, 3));
    assert_eq!(told(&store).await, expected);
}

/// A document with one content that is served and one that waits.
fn held(document: &Document, content: &str, waiting: &str) -> Object {
    let Object::Document(mut put) = written(document, content, "") else {
        unreachable!("a document");
    };
    put.document.waiting = Some(Digest::of(waiting.as_bytes()));
    put.waiting = Some(waiting.as_bytes().into());
    Object::Document(put)
}

async fn what_waits_is_kept_and_not_served(database: Database) {
    let store = database.open().await;
    let pets = document("pets", &*database.rng);
    put(&store, vec![held(&pets, "served", "waits")]).await;
    let document = served(&store).await;
    assert_eq!(document.digest, Digest::of(b"served"));
    assert_eq!(document.waiting, Some(Digest::of(b"waits")));
    assert_eq!(told(&store).await, [(2, 5), (1, 6)]);
    let waits = store
        .revision_content(&slug("pets"), Digest::of(b"waits"))
        .await;
    assert_eq!(waits.unwrap().as_deref(), Some(b"waits".as_slice()));
}

async fn a_change_around_the_content_leaves_it_alone(database: Database) {
    let store = database.open().await;
    let pets = document("pets", &*database.rng);
    put(&store, vec![written(&pets, CONTENT, "names")]).await;
    let before = served(&store).await;
    let mut after = before.clone();
    after.source = "elsewhere.yaml".to_owned();
    after.settings.scopes.clear();
    let change = DocumentPut {
        document: after.clone(),
        content: None,
        waiting: None,
    };
    put(&store, vec![Object::Document(Box::new(change))]).await;
    assert_eq!(served(&store).await, after);
    let read = store
        .document_content(after.id, after.digest)
        .await
        .unwrap();
    assert_eq!(&*read.unwrap().names, "names");
}

async fn what_an_earlier_program_wrote_becomes_a_revision(database: Database) {
    let store = database.open().await;
    let pets = document("pets", &*database.rng);
    put(&store, vec![written(&pets, "1", "")]).await;
    let (old, digest) = (database.blob_of("22"), database.blob_of(&"2".repeat(32)));
    let statement = format!("UPDATE documents SET content = {old}, digest = {digest}");
    assert_eq!(database.execute(&statement).await, 1);
    put(&store, vec![written(&pets, "333", "")]).await;
    assert_eq!(told(&store).await, [(3, 3), (2, 2), (1, 1)]);
}

const CLAIM: Duration = Duration::from_mins(2);

fn remote(document: &Document, url: &str, changes: ChangePolicy) -> Document {
    Document {
        source: url.to_owned(),
        remote: Some(RemoteSettings {
            changes,
            refresh_seconds: 3600,
        }),
        ..document.clone()
    }
}

fn at(minutes: u64) -> Timestamp {
    NOW.after(Duration::from_mins(minutes))
}

async fn one_replica_looks_at_a_url(database: Database) {
    let (store, other) = (database.open().await, database.open().await);
    let pets = document("pets", &*database.rng);
    let pets = remote(&pets, "https://a.example/pets.json", ChangePolicy::Warn);
    put(&store, vec![new_document(&pets)]).await;
    assert_eq!(served(&store).await, pets);
    assert_eq!(
        store.claim_document_look(CLAIM, at(59)).await.unwrap(),
        None
    );

    let (one, two) = tokio::join!(
        store.claim_document_look(CLAIM, at(60)),
        other.claim_document_look(CLAIM, at(60))
    );
    let mut claimed: Vec<_> = [one.unwrap(), two.unwrap()].into_iter().flatten().collect();
    assert_eq!(claimed.len(), 1);
    let due = claimed.remove(0);
    assert_eq!(
        (due.id, due.source.as_str()),
        (pets.id, "https://a.example/pets.json")
    );
    assert_eq!(due.validators, Validators::default());
    assert!(store.holds_document_look(&due).await.unwrap());
    // Whoever had it may be gone, and what he says when he comes back counts no more.
    let late = due;
    let due = other.claim_document_look(CLAIM, at(62)).await.unwrap();
    let due = due.unwrap();
    assert!(!store.holds_document_look(&late).await.unwrap());
    let read = LookOutcome::Read(Validators::default());
    let noted = store.note_document_look(&late, read, at(120), at(62)).await;
    assert!(!noted.unwrap());
    assert!(store.holds_document_look(&due).await.unwrap());

    let validators = Validators {
        etag: Some("\"1\"".to_owned()),
        last_modified: None,
    };
    let read = LookOutcome::Read(validators.clone());
    store
        .note_document_look(&due, read, at(120), at(62))
        .await
        .unwrap();
    assert_eq!(
        store.claim_document_look(CLAIM, at(119)).await.unwrap(),
        None
    );
    let due = store
        .claim_document_look(CLAIM, at(120))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(due.validators, validators);
    let failed = LookOutcome::Failed("it is not there".to_owned());
    store
        .note_document_look(&due, failed, at(180), at(121))
        .await
        .unwrap();
    let state = store.document_look(pets.id).await.unwrap().unwrap();
    assert_eq!(state.looked_at, Some(at(121)));
    assert_eq!(state.failure.as_deref(), Some("it is not there"));
}

async fn another_url_is_another_source(database: Database) {
    let store = database.open().await;
    let pets = document("pets", &*database.rng);
    let first = remote(&pets, "https://a.example/pets.json", ChangePolicy::Follow);
    put(&store, vec![new_document(&first)]).await;
    let due = store.document_source(pets.id).await.unwrap().unwrap();
    let validators = Validators {
        etag: Some("\"1\"".to_owned()),
        last_modified: None,
    };
    let read = LookOutcome::Read(validators.clone());
    store
        .note_document_look(&due, read, at(90), NOW)
        .await
        .unwrap();
    put(&store, vec![new_document(&first)]).await;
    let same = store.document_source(pets.id).await.unwrap().unwrap();
    assert_eq!(same.validators, validators);

    let second = remote(&pets, "https://b.example/pets.json", ChangePolicy::Follow);
    put(&store, vec![new_document(&second)]).await;
    let other = store.document_source(pets.id).await.unwrap().unwrap();
    assert_eq!(other.validators, Validators::default());
    // What was found at the former URL says nothing of this one.
    let late = LookOutcome::Failed("late".to_owned());
    store
        .note_document_look(&due, late, at(90), NOW)
        .await
        .unwrap();
    let state = store.document_look(pets.id).await.unwrap().unwrap();
    assert_eq!(state.failure, None);

    put(&store, vec![new_document(&pets)]).await;
    assert_eq!(store.document_source(pets.id).await.unwrap(), None);
}

async fn a_pinned_document_is_never_due(database: Database) {
    let store = database.open().await;
    let pets = document("pets", &*database.rng);
    let pets = remote(&pets, "https://a.example/pets.json", ChangePolicy::Pin);
    put(&store, vec![new_document(&pets)]).await;
    let due = store.claim_document_look(CLAIM, at(100_000)).await;
    assert_eq!(due.unwrap(), None);
    assert!(store.document_source(pets.id).await.unwrap().is_some());
}
