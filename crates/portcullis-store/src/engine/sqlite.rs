//! SQLite: a file in write-ahead mode, one connection that writes and some that read.

use std::fs::{File, Metadata, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::FutureExt as _;
use rusqlite::OpenFlags;
use rusqlite::config::DbConfig;
use rusqlite::types::FromSql;

use super::readers::Readers;
use super::writer::Writer;
use super::{Connection, OpenDatabaseError, Opening, dialect, statement};
use crate::error::StoreError;
use crate::migrations;

/// How long the writer waits for another process that holds the write lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Statements that a connection keeps prepared: more than there are.
const MAX_PREPARED: usize = 256;

/// The largest file that is searched for damage at each start; it takes about a second per gigabyte.
const MAX_CHECKED_BYTES: u64 = 256 << 20;

/// Why nobody has to wait for what is asked of a connection.
const AT_ONCE: &str = "a statement on SQLite is done when it returns";

/// Opens the file, which is made where there is none, unless it is only looked at.
pub(super) async fn open(
    path: &Path,
    opening: Opening,
) -> Result<(Writer, Readers), OpenDatabaseError> {
    let path = path.to_owned();
    let opened = tokio::task::spawn_blocking(move || {
        let writer = prepare(&path, opening).map_err(|error| name_file(error, &path))?;
        Ok((Writer::spawn(writer)?, Readers::new(path)))
    });
    opened.await.unwrap_or_else(|stopped| {
        let reason = format!("opening it was given up: {stopped}");
        Err(StoreError::Unavailable(reason).into())
    })
}

/// Brings the file into the state that the gateway works with; gives the connection that writes.
fn prepare(path: &Path, opening: Opening) -> Result<rusqlite::Connection, OpenDatabaseError> {
    if opening == Opening::Looking {
        return look(path);
    }
    let _lock = lock(path).map_err(|error| refused(path, &error))?;
    if let Found::File { bytes } = find_or_create(path)? {
        inspect(path, bytes)?;
    }
    let mut writer = connect(path, BUSY_TIMEOUT, dialect::SQLITE_WRITER)?;
    migrate(&mut writer)?;
    Ok(writer)
}

/// Sees that the file is what the gateway works with; gives a connection that writes nothing.
///
/// SQLite makes files of its own beside it all the same, for as long as it is open.
fn look(path: &Path) -> Result<rusqlite::Connection, OpenDatabaseError> {
    // Whoever makes the database makes this file before; where it cannot be opened, nobody is waited for.
    let lock = File::open(beside(path, LOCK));
    let _lock = lock.ok().filter(|lock| lock.lock_shared().is_ok());
    let found = std::fs::metadata(path).map_err(|error| refused(path, &error))?;
    inspect(path, length(path, &found)?)?;
    let mut connection = connect(path, BUSY_TIMEOUT, dialect::SQLITE_READER)?;
    migrations::see(&mut Connection::Sqlite(&mut connection))
        .now_or_never()
        .expect(AT_ONCE)?;
    Ok(connection)
}

/// Opens a connection to the file, and says `pragmas` to it.
pub(super) fn connect(
    path: &Path,
    busy_timeout: Duration,
    pragmas: &str,
) -> Result<rusqlite::Connection, StoreError> {
    // Each connection is one thread's at a time, so that it needs no lock of its own.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = rusqlite::Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(busy_timeout)?;
    connection.set_prepared_statement_cache_capacity(MAX_PREPARED);
    // Otherwise a statement that could use a partial index is compiled anew for each value that it is given.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.execute_batch(dialect::SQLITE_CONNECTION)?;
    connection.execute_batch(pragmas)?;
    Ok(connection)
}

/// What the name of the file ends with that is locked while the database is opened.
const LOCK: &str = "-lock";

/// Waits for other processes that open the same database: one of them may be making it.
///
/// The lock is on a file beside it; closing any handle of the database itself would drop SQLite's own locks.
fn lock(path: &Path) -> std::io::Result<File> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(beside(path, LOCK))?;
    file.lock()?;
    Ok(file)
}

/// What was at the path.
enum Found {
    New,
    File { bytes: u64 },
}

/// Looks at the file before SQLite does: SQLite would take an empty or a missing one for a new database.
fn find_or_create(path: &Path) -> Result<Found, OpenDatabaseError> {
    match std::fs::metadata(path) {
        Ok(found) => Ok(Found::File {
            bytes: length(path, &found)?,
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
                .map_err(|error| refused(path, &error))?;
            Ok(Found::New)
        }
        Err(error) => Err(refused(path, &error)),
    }
}

/// Returns how long a file is that is not empty.
fn length(path: &Path, found: &Metadata) -> Result<u64, OpenDatabaseError> {
    match found.len() {
        0 => Err(OpenDatabaseError::Empty {
            path: path.to_owned(),
        }),
        bytes => Ok(bytes),
    }
}

fn refused(path: &Path, error: &std::io::Error) -> OpenDatabaseError {
    OpenDatabaseError::File {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Brings the schema up to date, in one transaction.
fn migrate(writer: &mut rusqlite::Connection) -> Result<(), OpenDatabaseError> {
    statement::execute(writer, dialect::SQLITE_BEGIN_WRITE, &[]).map_err(StoreError::from)?;
    migrations::run(&mut Connection::Sqlite(writer))
        .now_or_never()
        .expect(AT_ONCE)?;
    for sql in [dialect::SQLITE_MARK, dialect::SQLITE_COMMIT] {
        statement::execute(writer, sql, &[]).map_err(StoreError::from)?;
    }
    Ok(())
}

/// Sees that the file is ours and whole, without writing to it.
fn inspect(path: &Path, bytes: u64) -> Result<(), OpenDatabaseError> {
    let connection = &connect(path, BUSY_TIMEOUT, "")?;
    let mark: i64 = scalar(connection, dialect::SQLITE_READ_MARK)?;
    let tables: i64 = scalar(connection, dialect::SQLITE_COUNT_TABLES)?;
    if tables > 0 && mark != dialect::SQLITE_APPLICATION_ID {
        return Err(OpenDatabaseError::Foreign {
            database: String::new(),
        });
    }
    if bytes <= MAX_CHECKED_BYTES {
        let report: String = scalar(connection, dialect::SQLITE_CHECK)?;
        if report != "ok" {
            return Err(StoreError::Damaged(report).into());
        }
    }
    Ok(())
}

fn scalar<T: FromSql>(connection: &rusqlite::Connection, sql: &str) -> Result<T, StoreError> {
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
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
