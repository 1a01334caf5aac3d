//! What one process changes, another is told.

use std::time::Duration;

use futures_util::FutureExt as _;
use portcullis_store::{Notice, Notices};
use tokio::time::timeout;

use crate::engines::{Database, Engine, NOW};
use crate::people::{digest, granted, later, sign_in, with_client};
use crate::samples::{actor, api_key, document, new_document, put};

/// How long a notice may take before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(30);

async fn next(notices: &mut Notices) -> Notice {
    timeout(PATIENCE, notices.next()).await.unwrap()
}

#[tokio::test]
async fn what_one_process_changes_another_is_told() {
    let database = Database::new(Engine::Postgres, "what_one_process_changes").await;
    let [ours, theirs] = [database.open().await, database.open().await];
    let mut notices = theirs.notices();
    assert_eq!(next(&mut notices).await, Notice::Missed);
    with_client(&ours).await;
    let (_, key) = api_key("ci", &*database.rng);
    let id = key.id;
    ours.insert_api_key(key, actor(), NOW).await.unwrap();
    assert!(ours.revoke_api_key(id, actor(), NOW).await.unwrap());
    assert_eq!(next(&mut notices).await, Notice::ApiKeyRevoked(id));
    // Nothing is told of what did not happen.
    assert!(!ours.revoke_api_key(id, actor(), NOW).await.unwrap());
    let sign_in = sign_in("a", &*database.rng);
    let grant = granted(&ours, "a", sign_in, &*database.rng).await.id;
    let access = digest("a", "access");
    let revoked = ours.revoke_access_token(access, actor(), later(1)).await;
    assert!(revoked.unwrap());
    let of = access.fingerprint();
    assert_eq!(next(&mut notices).await, Notice::AccessTokenEnded(of));
    let ended = ours.revoke_grants(vec![grant], actor(), NOW).await;
    assert_eq!(ended.unwrap(), 1);
    assert_eq!(next(&mut notices).await, Notice::GrantEnded(grant));
    let pets = new_document(&document("pets", &*database.rng));
    put(&ours, vec![pets]).await;
    assert_eq!(next(&mut notices).await, Notice::Revised);
}

#[tokio::test]
async fn a_listener_whose_connection_breaks_listens_again_and_says_that_it_may_have_missed_something()
 {
    let database = Database::new(Engine::Postgres, "a_listener_whose_connection_breaks").await;
    let store = database.open().await;
    let mut notices = store.notices();
    assert_eq!(next(&mut notices).await, Notice::Missed);
    for name in ["one", "two"] {
        database
            .execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                 WHERE datname = current_database() AND application_name = 'portcullis listener'",
            )
            .await;
        assert_eq!(next(&mut notices).await, Notice::Missed);
        let object = new_document(&document(name, &*database.rng));
        put(&store, vec![object]).await;
        assert_eq!(next(&mut notices).await, Notice::Revised);
    }
}

#[tokio::test]
async fn a_database_that_cannot_notify_serves_all_the_same() {
    let database = Database::new(Engine::Postgres, "that_cannot_notify").await;
    // As on servers that speak PostgreSQL's protocol and are something else.
    database
        .execute("ALTER FUNCTION pg_catalog.pg_notify(text, text) RENAME TO pg_no_notify")
        .await;
    let store = database.open().await;
    let mut notices = store.notices();
    let (_, key) = api_key("ci", &*database.rng);
    let id = key.id;
    store.insert_api_key(key, actor(), NOW).await.unwrap();
    assert!(store.revoke_api_key(id, actor(), NOW).await.unwrap());
    assert!(notices.next().now_or_never().is_none());
}

#[tokio::test]
async fn sqlite_tells_nobody_and_works() {
    let database = Database::new(Engine::Sqlite, "").await;
    let store = database.open().await;
    let mut notices = store.notices();
    let pets = new_document(&document("pets", &*database.rng));
    put(&store, vec![pets]).await;
    assert!(notices.next().now_or_never().is_none());
}
