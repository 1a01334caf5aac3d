//! SQLite: a file in write-ahead mode, one connection that writes and some that read.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection as _, SqliteConnection, SqlitePool};

use super::{OpenDatabaseError, dialect};
use crate::error::StoreError;
use crate::migrations::{self, Flavour};

/// How long a statement waits for another process that holds the write lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Readers that may work at the same time.
const MAX_READERS: u32 = 8;

/// The largest file that is searched for damage at each start; it takes about a second per gigabyte.
const MAX_CHECKED_BYTES: u64 = 256 << 20;

/// Opens the file, which is made where there is none; gives the writer's pool of one and the readers' pool.
pub(super) async fn open(path: &Path) -> Result<(SqlitePool, SqlitePool), OpenDatabaseError> {
    let _lock = lock(path).await?;
    let found = find_or_create(path)?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT);
    if let Found::File { bytes } = found {
        inspect(&options, bytes)
            .await
            .map_err(|error| name_file(error, path))?;
    }
    let writer = options
        .clone()
        .journal_mode(SqliteJournalMode::Wal)
        // With NORMAL the last commits may be lost with the power.
        .synchronous(SqliteSynchronous::Full)
        .pragma("secure_delete", "ON");
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .test_before_acquire(false)
        .connect_lazy_with(writer);
    migrate(&writer)
        .await
        .map_err(|error| name_file(error, path))?;
    let readers = SqlitePoolOptions::new()
        .max_connections(MAX_READERS)
        .test_before_acquire(false)
        .connect_lazy_with(options.pragma("query_only", "ON"));
    Ok((writer, readers))
}

/// Waits for other processes that open the same database: one of them may be making it.
///
/// The lock is on a file beside it; closing any handle of the database itself would drop SQLite's own locks.
async fn lock(path: &Path) -> Result<File, OpenDatabaseError> {
    let beside = beside(path, "-lock");
    let locked = tokio::task::spawn_blocking(move || {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(beside)?;
        file.lock()?;
        Ok(file)
    });
    locked
        .await
        .unwrap_or_else(|stopped| Err(std::io::Error::other(stopped)))
        .map_err(|error| OpenDatabaseError::File {
            path: path.to_owned(),
            reason: error.to_string(),
        })
}

/// What was at the path.
enum Found {
    New,
    File { bytes: u64 },
}

/// Looks at the file before SQLite does: SQLite would take an empty or a missing one for a new database.
fn find_or_create(path: &Path) -> Result<Found, OpenDatabaseError> {
    let refused = |error: std::io::Error| OpenDatabaseError::File {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.len() == 0 => Err(OpenDatabaseError::Empty {
            path: path.to_owned(),
        }),
        Ok(metadata) => Ok(Found::File {
            bytes: metadata.len(),
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let log = beside(path, "-wal");
            if log.exists() {
                let path = path.to_owned();
                return Err(OpenDatabaseError::LogWithoutDatabase { path, log });
            }
            // SQLite gives its log and index the mode of the file.
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(path)
                .map_err(refused)?;
            Ok(Found::New)
        }
        Err(error) => Err(refused(error)),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Brings the schema up to date, in one transaction.
async fn migrate(writer: &SqlitePool) -> Result<(), OpenDatabaseError> {
    let mut transaction = writer
        .begin_with(dialect::SQLITE_BEGIN_WRITE)
        .await
        .map_err(StoreError::from)?;
    migrations::run(&mut *transaction, Flavour::Sqlite).await?;
    sqlx::query(dialect::SQLITE_MARK)
        .execute(&mut *transaction)
        .await
        .map_err(StoreError::from)?;
    transaction.commit().await.map_err(StoreError::from)?;
    Ok(())
}

/// Sees that the file is ours and whole, without writing to it.
async fn inspect(options: &SqliteConnectOptions, bytes: u64) -> Result<(), OpenDatabaseError> {
    let connection = &mut SqliteConnection::connect_with(options)
        .await
        .map_err(StoreError::from)?;
    let mark: i64 = scalar(connection, dialect::SQLITE_READ_MARK).await?;
    let tables: i64 = scalar(connection, dialect::SQLITE_COUNT_TABLES).await?;
    if tables > 0 && mark != dialect::SQLITE_APPLICATION_ID {
        return Err(OpenDatabaseError::Foreign {
            database: String::new(),
        });
    }
    if bytes <= MAX_CHECKED_BYTES {
        let report: String = scalar(connection, dialect::SQLITE_CHECK).await?;
        if report != "ok" {
            return Err(StoreError::Damaged(report).into());
        }
    }
    Ok(())
}

async fn scalar<T>(connection: &mut SqliteConnection, sql: &'static str) -> Result<T, StoreError>
where
    T: for<'r> sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite> + Send + Unpin,
{
    Ok(sqlx::query_scalar(sql).fetch_one(connection).await?)
}

/// Adds the file's name to what went wrong.
fn name_file(error: OpenDatabaseError, path: &Path) -> OpenDatabaseError {
    match error {
        OpenDatabaseError::Store(StoreError::Damaged(reason)) => OpenDatabaseError::Damaged {
            path: path.to_owned(),
            reason,
        },
        OpenDatabaseError::Store(StoreError::Unavailable(reason)) => OpenDatabaseError::File {
            path: path.to_owned(),
            reason,
        },
        OpenDatabaseError::Foreign { .. } => OpenDatabaseError::Foreign {
            database: format!("the database file {}", path.display()),
        },
        error => error,
    }
}
