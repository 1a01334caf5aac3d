//! A database of either engine that goes away with the test.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use portcullis_base::{Digest, Rng, Timestamp};
use portcullis_store::{Keyring, MasterKey, OpenDatabaseError, Store};
use sqlx::{Connection as _, Executor as _, PgConnection};
use tempfile::TempDir;

/// The instant of every test.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// Where the PostgreSQL server of the test run listens.
const URL_VARIABLE: &str = "PORTCULLIS_TEST_POSTGRES_URL";

/// Bytes that differ at each call and are the same in each run.
#[derive(Default)]
pub(crate) struct Counted(AtomicU64);

impl Rng for Counted {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(32) {
            let count = self.0.fetch_add(1, Ordering::Relaxed);
            let bytes = Digest::of(&count.to_be_bytes());
            chunk.copy_from_slice(&bytes.as_bytes()[..chunk.len()]);
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// A database, and what a test needs to open it again.
pub(crate) struct Database {
    pub(crate) url: String,
    pub(crate) keyring: Keyring,
    pub(crate) rng: Arc<Counted>,
    pub(crate) folder: TempDir,
    engine: Engine,
}

impl Database {
    pub(crate) async fn new(engine: Engine, test: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = match engine {
            Engine::Sqlite => format!("sqlite:{}", folder.path().join("store.db").display()),
            Engine::Postgres => new_postgres_database(test).await,
        };
        let rng = Arc::new(Counted::default());
        Self {
            url,
            keyring: Keyring::new(MasterKey::new(&*rng)),
            rng,
            folder,
            engine,
        }
    }

    pub(crate) async fn try_open(&self, keyring: &Keyring) -> Result<Store, OpenDatabaseError> {
        Store::open(&self.url, keyring.clone(), NOW, self.rng.clone()).await
    }

    pub(crate) async fn open(&self) -> Store {
        self.try_open(&self.keyring).await.unwrap()
    }

    pub(crate) async fn look(&self) -> Result<Store, OpenDatabaseError> {
        Store::look(&self.url, self.keyring.clone(), self.rng.clone()).await
    }

    /// The file of a SQLite database.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    /// Writes the bytes of a text of digits and letters as the engine does.
    pub(crate) fn blob_of(&self, text: &str) -> String {
        match self.engine {
            Engine::Sqlite => format!("CAST('{text}' AS BLOB)"),
            Engine::Postgres => format!("CAST('{text}' AS BYTEA)"),
        }
    }

    /// Runs a script of many statements past the store.
    pub(crate) async fn run_script(&self, sql: &'static str) {
        match self.engine {
            Engine::Sqlite => {
                let connection = rusqlite::Connection::open(self.file()).unwrap();
                connection.execute_batch(sql).unwrap();
            }
            Engine::Postgres => {
                let mut connection = PgConnection::connect(&self.url).await.unwrap();
                sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            }
        }
    }

    /// Opens a connection past the store, as another program does.
    pub(crate) async fn connect(&self) -> Other {
        match self.engine {
            Engine::Sqlite => {
                let connection = rusqlite::Connection::open(self.file()).unwrap();
                connection.busy_timeout(Duration::from_secs(5)).unwrap();
                Other::Sqlite(connection)
            }
            Engine::Postgres => Other::Postgres(PgConnection::connect(&self.url).await.unwrap()),
        }
    }

    /// Runs a statement past the store; gives the number of rows that it changed.
    pub(crate) async fn execute(&self, sql: &str) -> u64 {
        self.connect().await.execute(sql).await
    }
}

/// A connection past the store.
pub(crate) enum Other {
    Sqlite(rusqlite::Connection),
    Postgres(PgConnection),
}

impl Other {
    /// Runs a statement; gives the number of rows that it changed.
    pub(crate) async fn execute(&mut self, sql: &str) -> u64 {
        match self {
            Self::Sqlite(connection) => connection.execute(sql, []).unwrap() as u64,
            Self::Postgres(connection) => {
                let sql = sqlx::AssertSqlSafe(sql.to_owned());
                connection.execute(sql).await.unwrap().rows_affected()
            }
        }
    }
}

/// Makes a database named after the test, on the server that the test run has started.
#[expect(
    clippy::disallowed_methods,
    reason = "the test run names its server in the environment"
)]
async fn new_postgres_database(test: &str) -> String {
    let server = std::env::var(URL_VARIABLE).unwrap_or_else(|_| {
        panic!(
            "{URL_VARIABLE} is not set: run `cargo xtask test`, which starts a PostgreSQL server"
        )
    });
    let name = format!("store_{test}");
    let name = &name[..name.len().min(63)];
    let mut connection = PgConnection::connect(&server).await.unwrap();
    for sql in [
        format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
        format!("CREATE DATABASE {name}"),
    ] {
        connection.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
    }
    let (server, _) = server
        .rsplit_once('/')
        .expect("the URL ends in the name of a database");
    format!("{server}/{name}")
}
