//! Opening a database: new, shared, or of another version.

use portcullis_store::{OpenDatabaseError, Store};

use super::on_both_engines;
use crate::engines::{Database, Engine};

on_both_engines! {
    replicas_may_start_together_on_an_empty_database
    a_database_of_a_later_version_is_refused
    a_changed_migration_is_refused
    whoever_only_looks_makes_nothing
}

async fn replicas_may_start_together_on_an_empty_database(database: Database) {
    let stores = futures_util::future::join_all((0..4).map(|_| database.open())).await;
    let snapshots = futures_util::future::join_all(stores.iter().map(Store::snapshot)).await;
    for snapshot in snapshots {
        snapshot.unwrap();
    }
    // One data key among them: each opens what the others seal.
    let key = &database.keyring.current;
    assert!(!stores[0].rotation_is_unfinished(key).await.unwrap());
}

async fn a_database_of_a_later_version_is_refused(database: Database) {
    database.open().await.close().await;
    database
        .execute(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             SELECT 9999, 'later', success, checksum, execution_time FROM _sqlx_migrations WHERE version = 1",
        )
        .await;
    let error = database.try_open(&database.keyring).await.unwrap_err();
    assert!(
        matches!(error, OpenDatabaseError::NewerSchema { stored: 9999, .. }),
        "{error}"
    );
}

async fn a_changed_migration_is_refused(database: Database) {
    database.open().await.close().await;
    let swap = "UPDATE _sqlx_migrations SET checksum = (SELECT content FROM documents)";
    database
        .execute(
            "INSERT INTO documents \
             (id, slug, owner, source, content, digest, schemes, updated_at_ms) \
             SELECT 'doc_', 's', 'file', 's', digest, digest, '{}', 0 \
             FROM (SELECT sealed AS digest FROM data_key_wraps) AS wraps",
        )
        .await;
    database.execute(swap).await;
    let error = database.try_open(&database.keyring).await.unwrap_err();
    assert!(matches!(error, OpenDatabaseError::Migration(_)), "{error}");
}

async fn whoever_only_looks_makes_nothing(database: Database) {
    for _ in 0..2 {
        match database.look().await.unwrap_err() {
            OpenDatabaseError::OlderSchema { stored: 0, .. } => {}
            OpenDatabaseError::File { path, .. } => assert!(!path.exists()),
            error => panic!("{error}"),
        }
    }
    let store = database.open().await;
    let looking = database.look().await.unwrap();
    assert_eq!(
        looking.revision().await.unwrap(),
        store.revision().await.unwrap()
    );
    looking.close().await;
    store.close().await;
}

#[tokio::test]
async fn whoever_only_looks_leaves_a_file_and_its_folder_as_they_are() {
    let database = Database::new(Engine::Sqlite, "").await;
    database.open().await.close().await;
    // As after a copy by other means.
    let pragma = "PRAGMA journal_mode = DELETE";
    let mode = |sql: &str| -> String {
        let connection = rusqlite::Connection::open(database.file()).unwrap();
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(mode(pragma), "delete");
    let folder = database.folder.path();
    std::fs::remove_file(folder.join("store.db-lock")).unwrap();
    let looking = database.look().await.unwrap();
    looking.revision().await.unwrap();
    looking.close().await;
    let files = std::fs::read_dir(folder).unwrap();
    let files: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files, ["store.db"]);
    assert_eq!(mode("PRAGMA journal_mode"), "delete");
}
