//! What only SQLite can meet: its file and its one writer. Faults of the writer are tested in `src/store.rs`.

use portcullis_base::Digest;
use portcullis_oauth::issuer::flow::FlowState;
use portcullis_store::{ApplyError, Object, OpenDatabaseError};

use crate::engines::{Database, Engine, NOW};
use crate::people::{at_provider, connection_tokens, flow, granted, sign_in, with_client};
use crate::samples::{
    actor, api_key, changes, document, environment, new_document, provider, put, written,
};

async fn database() -> Database {
    Database::new(Engine::Sqlite, "").await
}

#[tokio::test]
async fn l_01_the_files_hold_no_secret_in_the_clear() {
    let database = database().await;
    let store = database.open().await;
    let production = environment("production", "canary-of-the-environment", &*database.rng);
    put(&store, vec![Object::Environment(production)]).await;
    let (plain, row) = api_key("ci", &*database.rng);
    store.insert_api_key(row, actor(), NOW).await.unwrap();
    for _ in ["with its log", "closed"] {
        // The search itself finds what is there.
        assert!(files_hold(&database, b"production"));
        assert!(!files_hold(&database, b"canary-of-the-environment"));
        assert!(!files_hold(&database, plain.expose().as_bytes()));
        store.close().await;
    }
}

#[tokio::test]
async fn l_01_the_files_hold_nothing_of_a_sign_in_in_the_clear() {
    let database = database().await;
    let store = database.open().await;
    with_client(&store).await;
    let github = provider("github", Some("canary-of-the-provider"), &*database.rng);
    put(&store, vec![Object::Provider(github)]).await;
    let mut flow = flow(&*database.rng);
    flow.state = FlowState::AtProvider(at_provider("canary-of-the-state"));
    store.insert_flow(flow).await.unwrap();
    for refresh in [Some("canary-of-the-refresh-token"), None] {
        let access = format!("canary-of-the-access-token-{}", refresh.is_some());
        let mut sign_in = sign_in(&access, &*database.rng);
        sign_in.tokens = Some(connection_tokens(&access, refresh));
        granted(&store, &access, sign_in, &*database.rng).await;
    }
    let state = Digest::of(b"canary-of-the-state");
    let taken = store.take_flow_by_state(&state, NOW).await;
    assert!(taken.unwrap().is_some());
    for _ in ["with its log", "closed"] {
        // The search itself finds what is there.
        assert!(files_hold(&database, b"pets:read"));
        assert!(!files_hold(&database, b"canary-of-the"));
        store.close().await;
    }
}

#[tokio::test]
async fn l_08_the_files_hold_no_master_key() {
    let database = database().await;
    let store = database.open().await;
    let production = environment("production", "hunter2", &*database.rng);
    put(&store, vec![Object::Environment(production)]).await;
    let key = &database.keyring.current;
    let text = key.to_text();
    let digits = text.expose().as_bytes().chunks(2);
    let bytes: Vec<u8> = digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    for _ in ["with its log", "closed"] {
        assert!(files_hold(&database, key.id().as_str().as_bytes()));
        assert!(!files_hold(&database, text.expose().as_bytes()));
        assert!(!files_hold(&database, &bytes));
        store.close().await;
    }
}

/// Searches the database, its log and its index.
fn files_hold(database: &Database, needle: &[u8]) -> bool {
    std::fs::read_dir(database.folder.path())
        .unwrap()
        .any(|file| {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            bytes.windows(needle.len()).any(|window| window == needle)
        })
}

#[tokio::test]
async fn the_files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let database = database().await;
    let store = database.open().await;
    put(
        &store,
        vec![new_document(&document("petstore", &*database.rng))],
    )
    .await;
    for file in std::fs::read_dir(database.folder.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?} {mode:o}", file.path());
    }
}

#[tokio::test]
async fn many_writers_at_once_all_succeed() {
    let database = database().await;
    let store = database.open().await;
    let writes = (0..100).map(|number| {
        let (_, row) = api_key(&format!("key{number}"), &*database.rng);
        store.insert_api_key(row, actor(), NOW)
    });
    for outcome in futures_util::future::join_all(writes).await {
        outcome.unwrap();
    }
    assert_eq!(store.list_api_keys().await.unwrap().len(), 100);
    assert_eq!(store.list_audit(None, 1000).await.unwrap().len(), 100);
}

#[tokio::test]
async fn a_failing_write_does_not_fail_its_neighbours() {
    let database = database().await;
    let store = database.open().await;
    // Fails at its second object, when the first is written already.
    let failing = changes(
        &store,
        [1, 2]
            .map(|_| new_document(&document("petstore", &*database.rng)))
            .into(),
        Vec::new(),
    )
    .await;
    let writes = (0..30).map(|number| {
        let (_, row) = api_key(&format!("key{number}"), &*database.rng);
        futures_util::future::join(
            store.insert_api_key(row, actor(), NOW),
            store.apply(failing.clone(), NOW),
        )
    });
    for (good, bad) in futures_util::future::join_all(writes).await {
        good.unwrap();
        assert!(matches!(bad, Err(ApplyError::SlugTaken { .. })), "{bad:?}");
    }
    assert!(store.snapshot().await.unwrap().documents.is_empty());
    assert_eq!(store.list_api_keys().await.unwrap().len(), 30);
    assert_eq!(store.list_audit(None, 1000).await.unwrap().len(), 30);
}

async fn refused(database: &Database) -> OpenDatabaseError {
    database.try_open(&database.keyring).await.unwrap_err()
}

#[tokio::test]
async fn an_empty_file_is_not_taken_for_a_new_database() {
    let database = database().await;
    std::fs::write(database.file(), "").unwrap();
    let error = refused(&database).await;
    assert!(matches!(error, OpenDatabaseError::Empty { .. }), "{error}");
}

#[tokio::test]
async fn a_log_without_its_database_is_not_taken_for_a_new_one() {
    let database = database().await;
    std::fs::write(database.folder.path().join("store.db-wal"), "x").unwrap();
    let error = refused(&database).await;
    assert!(
        matches!(error, OpenDatabaseError::LogWithoutDatabase { .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let database = database().await;
    let path = database.file();
    let text = "This is a letter, not a database. ".repeat(200);
    std::fs::write(&path, &text).unwrap();
    let error = refused(&database).await;
    assert!(
        matches!(error, OpenDatabaseError::Damaged { .. }),
        "{error}"
    );
    assert_eq!(std::fs::read_to_string(path).unwrap(), text);
}

#[tokio::test]
async fn a_damaged_page_is_found_at_the_start() {
    let database = database().await;
    let store = database.open().await;
    let large = document("large", &*database.rng);
    put(&store, vec![written(&large, &"x".repeat(100_000), "")]).await;
    store.close().await;
    let path = database.file();
    let mut bytes = std::fs::read(&path).unwrap();
    for page in bytes.chunks_mut(4096).skip(1) {
        page[..64].fill(0xff);
    }
    std::fs::write(&path, bytes).unwrap();
    let error = refused(&database).await;
    assert!(
        matches!(error, OpenDatabaseError::Damaged { .. }),
        "{error}"
    );
    assert!(error.to_string().contains("store.db"), "{error}");
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_left_alone() {
    let database = database().await;
    database.execute("CREATE TABLE notes (text TEXT)").await;
    let before = std::fs::read(database.file()).unwrap();
    let error = refused(&database).await;
    assert!(
        matches!(error, OpenDatabaseError::Foreign { .. }),
        "{error}"
    );
    let after = std::fs::read(database.file()).unwrap();
    assert!(before == after, "the file was changed");
}

#[tokio::test]
async fn a_folder_that_does_not_exist_is_named() {
    let mut database = database().await;
    database.url = database.url.replace("store.db", "missing/store.db");
    let error = refused(&database).await;
    assert!(error.to_string().contains("missing/store.db"), "{error}");
}
