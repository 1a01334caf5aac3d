//! Why the store could not do what was asked, whatever was asked.
//!
//! Operations with causes of their own have enums of their own, beside the operation; each of those ends in a [`StoreError`].

use std::time::Duration;

use portcullis_base::{Blame, Retry};
use thiserror::Error;

use crate::seal::SealError;

/// How long a caller does well to wait before it writes again.
const PAUSE: Duration = Duration::from_secs(1);

/// A failure of the store itself.
///
/// Writes fail while reads go on wherever the engine allows it, and nothing needs a restart: the next attempt finds out.
#[derive(Clone, Debug, Error)]
pub enum StoreError {
    /// Somebody else holds what the statement needs, or too many wait already.
    #[error("the database is busy: {0}")]
    Busy(String),
    /// There is no room to write to.
    #[error("the database has no room left: {0}; free space on its volume")]
    Full(String),
    /// The database does not answer.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// The database answers that its files are damaged.
    #[error("the database is damaged: {0}; restore it from a backup")]
    Damaged(String),
    /// The database refuses every write.
    #[error("the database is read-only: {0}; give the gateway's user the right to write to it")]
    ReadOnly(String),
    /// A row holds what this program never writes.
    #[error(transparent)]
    InvalidRow(#[from] InvalidRow),
    /// A sealed value cannot be opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Another row has what must be there once.
    #[error("the database refused a change: {0}")]
    Taken(String),
    /// A rule of the schema was broken.
    #[error("the database refused a change: {0}")]
    Constraint(String),
    /// A statement failed for a reason that no caller can mend.
    #[error("a statement failed: {0}")]
    Statement(String),
}

/// A row that cannot be.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("table {table}, column {column}, row {row}: {reason}")]
pub struct InvalidRow {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The row's id.
    pub row: String,
    /// What is wrong; never the value.
    pub reason: String,
}

impl StoreError {
    /// Says who can mend it.
    #[must_use]
    pub fn blame(&self) -> Blame {
        match self {
            Self::Busy(_)
            | Self::InvalidRow(_)
            | Self::Taken(_)
            | Self::Constraint(_)
            | Self::Statement(_) => Blame::Us,
            Self::Full(_)
            | Self::Unavailable(_)
            | Self::Damaged(_)
            | Self::ReadOnly(_)
            | Self::Seal(_) => Blame::Operator,
        }
    }

    /// Says whether the same call can succeed later.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Busy(_) | Self::Full(_) | Self::Unavailable(_) => Retry::After(PAUSE),
            _ => Retry::Never,
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let message = error.to_string();
        match error.sqlite_extended_error_code() {
            Some(code) => from_sqlite(code, message),
            None => Self::Statement(message),
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => {
                let code = error.code().unwrap_or_default();
                from_postgres(&code, error.message().to_owned())
            }
            error @ (sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed) => Self::Unavailable(error.to_string()),
            error => Self::Statement(error.to_string()),
        }
    }
}

/// Reads an extended result code of SQLite; the low byte is the primary one.
fn from_sqlite(code: i32, message: String) -> StoreError {
    match (code & 0xff, code) {
        // SQLITE_CONSTRAINT_UNIQUE, _PRIMARYKEY.
        (_, 2067 | 1555) => StoreError::Taken(message),
        (5 | 6, _) => StoreError::Busy(message),
        (8, _) => StoreError::ReadOnly(message),
        // SQLITE_IOERR_WRITE, _FSYNC, _DIR_FSYNC, _TRUNCATE: the volume is full or gone.
        (10 | 14, _) => StoreError::Unavailable(message),
        (11 | 26, _) => StoreError::Damaged(message),
        (13, _) => StoreError::Full(message),
        (19, _) => StoreError::Constraint(message),
        _ => StoreError::Statement(format!("{message} (SQLite {code})")),
    }
}

/// Reads a SQLSTATE; its first two characters are the class.
fn from_postgres(code: &str, message: String) -> StoreError {
    match (code.get(..2).unwrap_or_default(), code) {
        (_, "23505") => StoreError::Taken(message),
        (_, "53100") => StoreError::Full(message),
        (_, "40001" | "40P01" | "55P03") => StoreError::Busy(message),
        (_, "25006") => StoreError::ReadOnly(message),
        ("08" | "53" | "57" | "58", _) => StoreError::Unavailable(message),
        ("23", _) => StoreError::Constraint(message),
        ("XX", _) => StoreError::Damaged(message),
        _ => StoreError::Statement(format!("{message} (SQLSTATE {code})")),
    }
}
