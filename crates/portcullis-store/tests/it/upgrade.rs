//! Databases of an earlier schema: opened by the present program, while the one before still writes to them.
//!
//! `schemas/3.*.sql` are dumps of databases that the program of schema 3 made, with one of each object and two people signed in.

use portcullis_base::{ApiKey, Plain, Rng as _};
use portcullis_store::{
    GrantSelection, Keyring, MasterKey, OpenDatabaseError, RotationProgress, Store, VariableValue,
};

use crate::engines::{Counted, Database, Engine, NOW};
use crate::people::{digest, later, refresh_token, refresh_token_of, renewal};
use crate::samples::{actor, slug};

const SQLITE: &str = include_str!("schemas/3.sqlite.sql");
const POSTGRES: &str = include_str!("schemas/3.postgres.sql");

/// Runs each body on both engines, on a database of schema 3.
macro_rules! on_schema_3 {
    ($($name:ident)*) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::restored(super::Engine::Sqlite, "").await).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test]
            async fn $name() {
                let name = concat!("schema_3_", stringify!($name));
                super::$name(super::restored(super::Engine::Postgres, name).await).await;
            })*
        }
    };
}

on_schema_3! {
    everything_in_it_works
    every_document_has_its_first_revision
    the_program_before_goes_on_writing
    a_migration_that_fails_changes_nothing
    a_later_schema_is_worked_with_where_it_says_so
    whoever_only_looks_leaves_the_schema_as_it_is
}

async fn restored(engine: Engine, test: &str) -> Database {
    let mut database = Database::new(engine, test).await;
    // The first that the program of the dumps drew from the same numbers.
    database.keyring = Keyring::new(MasterKey::new(&Counted::default()));
    // Later numbers than those that made what is in the dump.
    for _ in 0..1000 {
        database.rng.fill(&mut [0; 32]);
    }
    let dump = match engine {
        Engine::Sqlite => SQLITE,
        Engine::Postgres => POSTGRES,
    };
    database.run_script(dump).await;
    database
}

/// Sees that what was sealed opens.
async fn read_secrets(store: &Store) {
    let snapshot = store.snapshot().await.unwrap();
    assert_eq!(snapshot.toolsets[0].environment, Some(slug("production")));
    let VariableValue::Secret(value) = &snapshot.environments[0].variables["KEY"].value else {
        panic!("a secret is in the clear");
    };
    assert_eq!(value.expose(), "hunter2");
    let secrets = [
        snapshot.providers[0].client_secret.as_ref(),
        snapshot.manifests[0].client_secret.as_ref(),
    ];
    let secrets = secrets.map(|secret| secret.unwrap().expose());
    assert_eq!(secrets, ["client secret", "manifest secret"]);
}

async fn everything_in_it_works(database: Database) {
    let store = database.open().await;
    read_secrets(&store).await;
    let key = Plain::<ApiKey>::of_bytes(&[7; 32]).digest();
    assert_eq!(
        store.api_key_by_digest(&key).await.unwrap().unwrap().name,
        "ci"
    );
    // The answer of this one was lost with the program before; it is given again.
    for name in ["a", "b"] {
        let renewed = store.renew(refresh_token(name), renewal("d", later(2)), later(2));
        let successor = renewed.await.unwrap().unwrap().successor;
        let stored = store
            .refresh_token(&successor.digest())
            .await
            .unwrap()
            .unwrap();
        let connection = stored.grant.connection.unwrap();
        let opened = refresh_token_of(&store, connection).await.unwrap();
        assert_eq!(opened.unwrap().expose(), "refresh-1");
        database.execute("DELETE FROM access_tokens").await;
    }
    let new = MasterKey::new(&*database.rng);
    store
        .begin_rotation(new.clone(), actor(), NOW)
        .await
        .unwrap();
    while store.continue_rotation(&new, actor(), NOW).await.unwrap() != RotationProgress::Done {}
    drop(store);
    let store = database.try_open(&Keyring::new(new)).await.unwrap();
    read_secrets(&store).await;
}

/// Statements of the program of schema 3 that write all that a sign-in and a refresh write, with their values put in.
const BEFORE: [&str; 9] = [
    "INSERT INTO clients (id, origin, metadata, secret, remember_consent, created_at_ms, used_at_ms) \
     SELECT 'pc_client_old', origin, metadata, secret, remember_consent, created_at_ms, used_at_ms \
     FROM clients WHERE id = 'pc_client_1'",
    "INSERT INTO flows (id, client_id, request, browser, status, created_at_ms, expires_at_ms) \
     SELECT 'flow_00000000000000000000000000000001', 'pc_client_old', request, browser, status, created_at_ms, expires_at_ms \
     FROM flows LIMIT 1",
    "UPDATE flows SET status = 'ended' WHERE id = 'flow_00000000000000000000000000000001' AND status <> 'ended'",
    "INSERT INTO connections (id, subject_id, provider, toolset, status, access_token, \
     access_key_id, refresh_token, refresh_key_id, scopes, expires_at_ms, generation, updated_at_ms) \
     SELECT id, subject_id, provider, toolset, status, access_token, access_key_id, refresh_token, \
     refresh_key_id, scopes, expires_at_ms, 1, updated_at_ms FROM connections WHERE id <> '' \
     ON CONFLICT (id) DO UPDATE SET status = excluded.status, access_token = excluded.access_token, \
     generation = connections.generation + 1, renewing_until_ms = NULL",
    "INSERT INTO grants (id, client_id, subject_id, toolset, scopes, connection_id, \
     created_at_ms, ended_at_ms, end_reason) \
     SELECT 'gr_00000000000000000000000000000001', 'pc_client_old', subject_id, toolset, scopes, \
     connection_id, created_at_ms, NULL, NULL FROM grants LIMIT 1",
    "INSERT INTO access_tokens (digest, grant_id, scopes, created_at_ms, expires_at_ms, refreshed) \
     SELECT {digest}, 'gr_00000000000000000000000000000001', scopes, created_at_ms, expires_at_ms, NULL \
     FROM access_tokens LIMIT 1",
    "INSERT INTO refresh_tokens (digest, grant_id, parent, generation, created_at_ms, expires_at_ms) \
     SELECT {digest}, 'gr_00000000000000000000000000000001', NULL, 0, created_at_ms, expires_at_ms \
     FROM refresh_tokens LIMIT 1",
    "UPDATE documents SET source = 'old.yaml'",
    "INSERT INTO audit (id, at_ms, actor, action, target) \
     VALUES ('aud_00000000000000000000000000000001', 0, 'old', 'test.done', 'pets')",
];

async fn every_document_has_its_first_revision(database: Database) {
    let store = database.open().await;
    let document = &store.snapshot().await.unwrap().documents[0];
    assert_eq!((document.names, document.waiting), (None, None));
    let revisions = store.document_revisions(&document.slug).await.unwrap();
    let told: Vec<_> = revisions
        .iter()
        .map(|it| (it.number, it.digest, it.actor.as_str()))
        .collect();
    assert_eq!(told, [(1, document.digest, "unknown")]);
    let content = store.document_content(document.id, document.digest).await;
    let kept = store
        .revision_content(&document.slug, document.digest)
        .await;
    assert_eq!(content.unwrap().map(|it| it.bytes), kept.unwrap());
}

async fn the_program_before_goes_on_writing(database: Database) {
    let mut old = database.connect().await;
    let store = database.open().await;
    let bytes = database.blob_of("0123456789abcdef0123456789abcdef");
    for statement in BEFORE {
        let changed = old.execute(&statement.replace("{digest}", &bytes)).await;
        assert!(changed > 0, "{statement}");
    }
    // What it wrote is read by the present program, and what that wrote by it.
    read_secrets(&store).await;
    let snapshot = store.snapshot().await.unwrap();
    assert_eq!(snapshot.documents[0].source, "old.yaml");
    let page = store
        .list_grants(&GrantSelection::default(), None)
        .await
        .unwrap();
    let of_old = page
        .grants
        .iter()
        .filter(|it| it.grant.client.as_str() == "pc_client_old");
    assert_eq!(of_old.count(), 1);
    let renewed = store.renew(refresh_token("b"), renewal("e", later(2)), later(2));
    assert!(renewed.await.unwrap().is_some());
    let access = store.access_token(&digest("e", "access")).await.unwrap();
    assert!(access.is_some());
    let changed = old
        .execute("UPDATE refresh_tokens SET confirmed_at_ms = 1 WHERE confirmed_at_ms IS NULL")
        .await;
    assert!(changed > 0);
}

async fn a_migration_that_fails_changes_nothing(database: Database) {
    // What the next migration would make is there already.
    database.execute("CREATE TABLE revocations (id TEXT)").await;
    let error = database.try_open(&database.keyring).await.unwrap_err();
    assert!(matches!(error, OpenDatabaseError::Migration(_)), "{error}");
    let mut old = database.connect().await;
    assert_eq!(
        old.execute("UPDATE _sqlx_migrations SET success = TRUE")
            .await,
        3
    );
    assert_eq!(old.execute("UPDATE grants SET ended_at_ms = NULL").await, 2);
    database.execute("DROP TABLE revocations").await;
    read_secrets(&database.open().await).await;
}

async fn a_later_schema_is_worked_with_where_it_says_so(database: Database) {
    database.open().await.close().await;
    let known = database
        .execute("UPDATE _sqlx_migrations SET success = TRUE")
        .await;
    for (version, from, admitted) in [
        (known + 1, known.to_string(), true),
        (known + 2, (known + 1).to_string(), false),
        (known + 2, "NULL".to_owned(), false),
        (known + 2, "1".to_owned(), true),
    ] {
        database
            .execute(&format!(
                "DELETE FROM _sqlx_migrations WHERE version = {version}"
            ))
            .await;
        database
            .execute(&format!(
                "INSERT INTO _sqlx_migrations \
                 (version, description, success, checksum, execution_time, compatible_from) \
                 SELECT {version}, 'later', success, checksum, execution_time, {from} \
                 FROM _sqlx_migrations WHERE version = 1"
            ))
            .await;
        match database.try_open(&database.keyring).await {
            Ok(store) => {
                assert!(admitted, "{version} from {from}");
                read_secrets(&store).await;
            }
            Err(OpenDatabaseError::NewerSchema { .. }) => {
                assert!(!admitted, "{version} from {from}");
            }
            Err(error) => panic!("{error}"),
        }
    }
}

async fn whoever_only_looks_leaves_the_schema_as_it_is(database: Database) {
    let look = || database.look();
    for _ in 0..2 {
        let refused = look().await.unwrap_err();
        let OpenDatabaseError::OlderSchema { stored: 3, known } = refused else {
            panic!("{refused:?}");
        };
        assert!(known > 3);
    }
    read_secrets(&database.open().await).await;
    read_secrets(&look().await.unwrap()).await;
}
