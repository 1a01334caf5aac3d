//! SQLite's readers: connections that cannot write, each lent to one reader at a time.
//!
//! Statements run on the thread that asks, even where that thread drives other tasks: what is in memory is read in microseconds, which is less than waking another thread costs.
//! The longest read is that of all objects after a change; it copies the documents, and whatever is made of them afterwards takes longer.
//! Nothing awaits anything between two statements, so that there are never more readers than threads.
//! In write-ahead mode no reader waits for a writer; where another process locks the whole file, a reader gives up soon rather than keep its thread.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{dialect, sqlite, statement};
use crate::error::StoreError;

/// How long a reader waits for another process that locks the whole file.
const BUSY_TIMEOUT: Duration = Duration::from_millis(100);

/// Connections that are kept open while nobody reads.
const MAX_IDLE: usize = 16;

/// Where readers get their connections from.
#[derive(Debug)]
pub(crate) struct Readers {
    path: PathBuf,
    idle: Arc<Idle>,
}

/// The connections that nobody has; `None` once the store is closed.
#[derive(Debug)]
struct Idle(Mutex<Option<Vec<rusqlite::Connection>>>);

/// A connection that goes back when it is dropped.
#[derive(Debug)]
pub(crate) struct Lent {
    connection: Option<rusqlite::Connection>,
    idle: Arc<Idle>,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            idle: Arc::new(Idle(Mutex::new(Some(Vec::new())))),
        }
    }

    /// Lends a connection to read from.
    pub(super) fn lend(&self) -> Result<Lent, StoreError> {
        let connection = match self.idle.take()? {
            Some(connection) => connection,
            None => sqlite::connect(&self.path, BUSY_TIMEOUT, dialect::SQLITE_READER)?,
        };
        Ok(Lent {
            connection: Some(connection),
            idle: Arc::clone(&self.idle),
        })
    }

    /// Lends a connection on which all statements see one state of the database.
    pub(super) fn begin(&self) -> Result<Lent, StoreError> {
        let mut lent = self.lend()?;
        statement::execute(lent.connection(), dialect::SQLITE_BEGIN_READ, &[])?;
        Ok(lent)
    }

    /// Lends no more connections, and closes them.
    pub(super) fn close(&self) {
        self.idle.0.lock().expect(NO_PANIC).take();
    }
}

const NO_PANIC: &str = "nobody panics with the lock";

impl Idle {
    fn take(&self) -> Result<Option<rusqlite::Connection>, StoreError> {
        let mut idle = self.0.lock().expect(NO_PANIC);
        let idle = idle
            .as_mut()
            .ok_or_else(|| StoreError::Unavailable("the store is closed".to_owned()))?;
        Ok(idle.pop())
    }

    fn give_back(&self, connection: rusqlite::Connection) {
        let mut idle = self.0.lock().expect(NO_PANIC);
        if let Some(idle) = idle.as_mut()
            && idle.len() < MAX_IDLE
        {
            idle.push(connection);
        }
    }
}

impl Lent {
    pub(super) fn connection(&mut self) -> &mut rusqlite::Connection {
        self.connection.as_mut().expect("it goes back once only")
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        let ended = connection.is_autocommit()
            || statement::execute(&connection, dialect::SQLITE_ROLL_BACK, &[]).is_ok();
        if ended {
            self.idle.give_back(connection);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNT: &str = "SELECT COUNT(*) FROM notes";

    fn database(folder: &tempfile::TempDir) -> (rusqlite::Connection, Readers) {
        let path = folder.path().join("store.db");
        let writer = rusqlite::Connection::open(&path).unwrap();
        let sql = "PRAGMA journal_mode = WAL; CREATE TABLE notes (text TEXT)";
        writer.execute_batch(sql).unwrap();
        (writer, Readers::new(path))
    }

    fn count(lent: &mut Lent) -> Result<i64, StoreError> {
        let rows: Vec<(i64,)> = statement::fetch_all(lent.connection(), COUNT, &[])?;
        Ok(rows[0].0)
    }

    #[test]
    fn readers_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let (_writer, readers) = database(&folder);
        let mut lent = readers.lend().unwrap();
        let written = statement::execute(lent.connection(), "DELETE FROM notes", &[]);
        let error = StoreError::from(written.unwrap_err());
        assert!(matches!(error, StoreError::ReadOnly(_)), "{error:?}");
    }

    #[test]
    fn a_connection_that_went_back_sees_what_was_written_since() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, readers) = database(&folder);
        let mut lent = readers.begin().unwrap();
        assert_eq!(count(&mut lent).unwrap(), 0);
        writer
            .execute_batch("INSERT INTO notes VALUES ('a')")
            .unwrap();
        assert_eq!(count(&mut lent).unwrap(), 0);
        drop(lent);
        assert_eq!(count(&mut readers.lend().unwrap()).unwrap(), 1);
        assert_eq!(readers.idle.0.lock().unwrap().as_ref().unwrap().len(), 1);
    }

    #[test]
    fn a_file_that_another_process_locks_refuses_readers_as_busy() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, readers) = database(&folder);
        let sql = "PRAGMA locking_mode = EXCLUSIVE; INSERT INTO notes VALUES ('a')";
        drop(writer);
        let other = rusqlite::Connection::open(folder.path().join("store.db")).unwrap();
        other.execute_batch(sql).unwrap();
        let mut lent = readers.lend().unwrap();
        lent.connection().busy_timeout(Duration::ZERO).unwrap();
        let error = count(&mut lent).unwrap_err();
        assert!(matches!(error, StoreError::Busy(_)), "{error:?}");
        drop(other);
        assert_eq!(count(&mut lent).unwrap(), 1);
    }
}
