//! What only PostgreSQL can meet: connections that break, and databases of others.

use std::time::Duration;

use portcullis_store::OpenDatabaseError;

use crate::engines::{Database, Engine};
use crate::samples::{document, new_document, put};

#[tokio::test]
async fn broken_connections_are_replaced() {
    let database = Database::new(Engine::Postgres, "broken_connections_are_replaced").await;
    let store = database.open().await;
    put(
        &store,
        vec![new_document(&document("before", &*database.rng))],
    )
    .await;
    // What a restart of the server does to those who are connected.
    database
        .execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await;
    put(
        &store,
        vec![new_document(&document("after", &*database.rng))],
    )
    .await;
    assert_eq!(store.snapshot().await.unwrap().documents.len(), 2);
}

#[tokio::test]
async fn the_time_is_told_by_the_server_and_by_no_file() {
    let database = Database::new(Engine::Postgres, "the_time_is_told").await;
    let store = database.open().await;
    let first = store.time().await.unwrap().unwrap();
    let second = store.time().await.unwrap().unwrap();
    // The first of 2025 is long ago everywhere, and these are one moment.
    assert!(first.as_millis() > 1_735_689_600_000);
    assert!(first <= second && second.since(first) < Duration::from_mins(10));
    let file = Database::new(Engine::Sqlite, "the_time_is_told").await;
    assert_eq!(file.open().await.time().await.unwrap(), None);
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_left_alone() {
    let database = Database::new(Engine::Postgres, "of_another_program").await;
    database.execute("CREATE TABLE notes (text TEXT)").await;
    let error = database.try_open(&database.keyring).await.unwrap_err();
    assert!(
        matches!(error, OpenDatabaseError::Foreign { .. }),
        "{error}"
    );
    // Were our tables there now, this would fail.
    database.execute("CREATE TABLE documents (id TEXT)").await;
}

#[tokio::test]
async fn l_04_a_password_in_the_url_is_not_told() {
    let mut database = Database::new(Engine::Sqlite, "").await;
    for url in [
        "postgres://portcullis:hunter2@127.0.0.1:1/store",
        "postgres://portcullis:hunter2@[::1/store",
        "mysql://portcullis:hunter2@127.0.0.1/store",
    ] {
        url.clone_into(&mut database.url);
        let error = database.try_open(&database.keyring).await.unwrap_err();
        let told = format!("{error} {error:?}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}
