//! API keys.

use std::time::Duration;

use portcullis_base::Digest;
use portcullis_store::InsertApiKeyError;

use super::on_both_engines;
use crate::engines::{Database, NOW};
use crate::samples::{actor, api_key};

on_both_engines! {
    a_key_is_found_by_its_digest
    two_keys_cannot_share_a_name
    a_key_is_revoked_once
    the_last_use_is_noted_at_most_once_a_minute
}

async fn a_key_is_found_by_its_digest(database: Database) {
    let store = database.open().await;
    let (plain, row) = api_key("ci", &*database.rng);
    store
        .insert_api_key(row.clone(), actor(), NOW)
        .await
        .unwrap();
    let found = store.api_key_by_digest(&plain.digest()).await.unwrap();
    assert_eq!(found.as_ref(), Some(&row));
    let other = store.api_key_by_digest(&Digest::of(b"x")).await.unwrap();
    assert_eq!(other, None);
    assert_eq!(store.list_api_keys().await.unwrap(), [row]);
}

async fn two_keys_cannot_share_a_name(database: Database) {
    let store = database.open().await;
    let [one, two] = [1, 2].map(|_| api_key("ci", &*database.rng).1);
    store.insert_api_key(one, actor(), NOW).await.unwrap();
    let refused = store.insert_api_key(two, actor(), NOW).await;
    assert!(
        matches!(&refused, Err(InsertApiKeyError::NameTaken(name)) if name == "ci"),
        "{refused:?}"
    );
}

async fn a_key_is_revoked_once(database: Database) {
    let store = database.open().await;
    let (_, row) = api_key("ci", &*database.rng);
    let id = row.id;
    store.insert_api_key(row, actor(), NOW).await.unwrap();
    assert!(store.revoke_api_key(id, actor(), NOW).await.unwrap());
    let later = NOW.after(Duration::from_mins(1));
    assert!(!store.revoke_api_key(id, actor(), later).await.unwrap());
    let keys = store.list_api_keys().await.unwrap();
    assert_eq!(keys[0].revoked_at, Some(NOW));
    let audit = store.list_audit(None, 10).await.unwrap();
    assert_eq!(audit.len(), 2);
}

async fn the_last_use_is_noted_at_most_once_a_minute(database: Database) {
    let (_, row) = api_key("ci", &*database.rng);
    let id = row.id;
    let store = database.open().await;
    store.insert_api_key(row, actor(), NOW).await.unwrap();
    store.close().await;
    for (seconds, noted) in [([0, 1, 59], 0), ([0, 60, 119], 60)] {
        let store = database.open().await;
        for second in seconds {
            store.touch_api_key(id, NOW.after(Duration::from_secs(second)));
        }
        // Closing waits for the notes.
        store.close().await;
        let keys = database.open().await.list_api_keys().await.unwrap();
        let noted = NOW.after(Duration::from_secs(noted));
        assert_eq!(keys[0].last_used_at, Some(noted));
    }
}
