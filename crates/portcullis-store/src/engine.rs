//! The two engines, and how one text of SQL runs on either.
//!
//! Everything above asks for a connection or a transaction and uses the macros [`execute!`], [`fetch_all!`] and [`fetch_optional!`]; only the files of this folder know which engine answers.
//! Placeholders are `$1`, `$2`, … on both; what the engines spell differently stands in `dialect.rs` and nowhere else.
//! A statement on SQLite is a call that returns, without a thread or a task in between; only PostgreSQL is awaited.

pub(crate) mod dialect;
pub(crate) mod listener;
mod postgres;
mod readers;
pub(crate) mod row;
mod sqlite;
pub(crate) mod statement;
mod writer;

use std::path::PathBuf;

use futures_util::future::BoxFuture;
use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres, Transaction};
use thiserror::Error;

use crate::error::StoreError;
use crate::seal::{LostSecrets, SealError};
use readers::{Lent, Readers};
use writer::Writer;

/// Why a database cannot be opened.
#[derive(Clone, Debug, Error)]
pub enum OpenDatabaseError {
    /// The URL is of no engine that we know.
    #[error(
        "the storage URL has to be `sqlite:PATH` or `postgres://USER@HOST/NAME`, not `{scheme}:…`"
    )]
    UnknownScheme {
        /// What stands before the colon.
        scheme: String,
    },
    /// The URL of a PostgreSQL server is malformed.
    #[error("the storage URL is no PostgreSQL URL: {reason}")]
    InvalidUrl {
        /// What is wrong; without the password.
        reason: String,
    },
    /// The file cannot be made or opened.
    #[error("the database file {}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        reason: String,
    },
    /// There is a file with nothing in it.
    #[error(
        "the database file {} is empty, as if it had been cut off; restore it from a backup, or remove it to begin anew",
        path.display()
    )]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The database file is gone, its log is not.
    #[error(
        "the database file {} is missing but its log {} is there; restore both from a backup, or remove the log to begin anew",
        path.display(), log.display()
    )]
    LogWithoutDatabase {
        /// The file.
        path: PathBuf,
        /// The write-ahead log.
        log: PathBuf,
    },
    /// The file is not SQLite's, or its pages are damaged.
    #[error("the database file {} is damaged or no SQLite database: {reason}; restore it from a backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the check found.
        reason: String,
    },
    /// The database belongs to another program.
    #[error("{database} holds the tables of another program; name another database")]
    Foreign {
        /// The file or server.
        database: String,
    },
    /// A later version of this program has changed the schema, and this one cannot work with it.
    #[error(
        "the database has schema version {stored}, and this version of Portcullis knows {known} and cannot work with it: run the version that wrote it, or a later one"
    )]
    NewerSchema {
        /// The version in the database.
        stored: i64,
        /// The latest version known here.
        known: i64,
    },
    /// An earlier version of this program made the schema, and whoever only looks leaves it so.
    #[error(
        "the database has schema version {stored}, and this version of Portcullis works with {known}: it is brought up to date when a gateway of this version starts, or by `portcullis apply`, and not by what only looks"
    )]
    OlderSchema {
        /// The version in the database; 0 where it has no tables yet.
        stored: i64,
        /// The latest version known here.
        known: i64,
    },
    /// A migration failed or was changed after it had been applied.
    #[error("the database's schema cannot be brought up to date: {0}; nothing was changed")]
    Migration(String),
    /// The secrets were sealed under another master key.
    #[error(
        "{mismatch}; what cannot be read without it: {lost}; where it is lost for good, `portcullis key abandon` gives that up and keeps the rest"
    )]
    KeyLost {
        /// Which key would fit, and which was given.
        mismatch: SealError,
        /// How much that is.
        lost: Box<LostSecrets>,
    },
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A database.
#[derive(Debug)]
pub(crate) enum Engine {
    Sqlite { writer: Writer, readers: Readers },
    Postgres { pool: PgPool, telling: Telling },
}

/// What becomes of a schema that is not the latest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    /// It is brought up to date, and made where there is none.
    Migrating,
    /// It stays, and an earlier one is refused.
    Looking,
}

/// A connection of either engine, borrowed for some statements.
pub(crate) enum Connection<'c> {
    Sqlite(&'c mut rusqlite::Connection),
    Postgres(&'c mut PgConnection, Telling),
}

/// Whether other processes are told what a transaction changed: not by one that reads, and not by a server that cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Telling {
    Always,
    Never,
}

/// A connection of either engine, to read from.
pub(crate) enum Reader {
    Sqlite(Lent),
    Postgres(PoolConnection<Postgres>),
}

/// A transaction of either engine that sees one state of the database throughout.
pub(crate) enum ReadTransaction {
    Sqlite(Lent),
    Postgres(Transaction<'static, Postgres>),
}

impl Engine {
    /// Opens the database that `url` names and brings its schema up to date.
    pub(crate) async fn open(url: &str) -> Result<Self, OpenDatabaseError> {
        Self::open_with(url, Opening::Migrating).await
    }

    /// Opens the database that `url` names as it is.
    pub(crate) async fn look(url: &str) -> Result<Self, OpenDatabaseError> {
        Self::open_with(url, Opening::Looking).await
    }

    async fn open_with(url: &str, opening: Opening) -> Result<Self, OpenDatabaseError> {
        let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
        match scheme {
            "sqlite" => {
                let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
                let (writer, readers) = sqlite::open(path.as_ref(), opening).await?;
                Ok(Self::Sqlite { writer, readers })
            }
            "postgres" | "postgresql" => {
                let (pool, telling) = postgres::open(url, opening).await?;
                Ok(Self::Postgres { pool, telling })
            }
            scheme => Err(OpenDatabaseError::UnknownScheme {
                scheme: scheme.to_owned(),
            }),
        }
    }

    /// Runs `body` in a transaction and answers once it is on disk.
    ///
    /// An error of `body` undoes what it wrote and nothing else.
    /// `body` runs to its end even where the caller stops waiting.
    pub(crate) async fn write<T, E, F>(&self, body: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'c> FnOnce(Connection<'c>) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
    {
        match self {
            Self::Sqlite { writer, .. } => writer.write(body).await,
            Self::Postgres { pool, telling } => postgres::write(pool, *telling, body).await,
        }
    }

    /// Returns a connection to read from.
    pub(crate) async fn reader(&self) -> Result<Reader, StoreError> {
        Ok(match self {
            Self::Sqlite { readers, .. } => Reader::Sqlite(readers.lend()?),
            Self::Postgres { pool, .. } => Reader::Postgres(pool.acquire().await?),
        })
    }

    /// Begins a transaction that sees one state of the database throughout.
    pub(crate) async fn read_transaction(&self) -> Result<ReadTransaction, StoreError> {
        Ok(match self {
            Self::Sqlite { readers, .. } => ReadTransaction::Sqlite(readers.begin()?),
            Self::Postgres { pool, .. } => {
                ReadTransaction::Postgres(pool.begin_with(dialect::POSTGRES_BEGIN_READ).await?)
            }
        })
    }

    /// Waits for the writes that have begun, and closes every connection.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close();
                writer.close().await;
            }
            Self::Postgres { pool, .. } => pool.close().await,
        }
    }
}

impl Connection<'_> {
    /// Runs the statements of `sql`, none of which takes values.
    pub(crate) async fn batch(&mut self, sql: &'static str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => connection.execute_batch(sql)?,
            Self::Postgres(connection, _) => {
                sqlx::raw_sql(sql).execute(&mut **connection).await?;
            }
        }
        Ok(())
    }
}

impl Reader {
    pub(crate) fn connection(&mut self) -> Connection<'_> {
        match self {
            Self::Sqlite(lent) => Connection::Sqlite(lent.connection()),
            Self::Postgres(connection) => Connection::Postgres(connection, Telling::Never),
        }
    }
}

impl ReadTransaction {
    pub(crate) fn connection(&mut self) -> Connection<'_> {
        match self {
            Self::Sqlite(lent) => Connection::Sqlite(lent.connection()),
            Self::Postgres(transaction) => Connection::Postgres(transaction, Telling::Never),
        }
    }
}

/// Runs a statement; gives the number of rows that it changed.
macro_rules! execute {
    ($connection:expr, $sql:expr $(, $value:expr)* $(,)?) => {
        match $connection {
            $crate::engine::Connection::Sqlite(connection) => {
                $crate::engine::statement::execute(connection, $sql, &[$(&$value),*])
                    .map_err($crate::error::StoreError::from)
            }
            $crate::engine::Connection::Postgres(connection, _) => sqlx::query($sql)
                $(.bind($value))*
                .execute(&mut **connection)
                .await
                .map(|done| done.rows_affected())
                .map_err($crate::error::StoreError::from),
        }
    };
}

/// Runs a query; gives all rows, each as `$row`.
macro_rules! fetch_all {
    ($connection:expr, $row:ty, $sql:expr $(, $value:expr)* $(,)?) => {
        match $connection {
            $crate::engine::Connection::Sqlite(connection) => {
                $crate::engine::statement::fetch_all::<$row>(connection, $sql, &[$(&$value),*])
                    .map_err($crate::error::StoreError::from)
            }
            $crate::engine::Connection::Postgres(connection, _) => sqlx::query_as::<_, $row>($sql)
                $(.bind($value))*
                .fetch_all(&mut **connection)
                .await
                .map_err($crate::error::StoreError::from),
        }
    };
}

/// Runs a query of at most one row; gives it as `$row`.
macro_rules! fetch_optional {
    ($connection:expr, $row:ty, $sql:expr $(, $value:expr)* $(,)?) => {
        match $connection {
            $crate::engine::Connection::Sqlite(connection) => {
                $crate::engine::statement::fetch_optional::<$row>(connection, $sql, &[$(&$value),*])
                    .map_err($crate::error::StoreError::from)
            }
            $crate::engine::Connection::Postgres(connection, _) => sqlx::query_as::<_, $row>($sql)
                $(.bind($value))*
                .fetch_optional(&mut **connection)
                .await
                .map_err($crate::error::StoreError::from),
        }
    };
}

pub(crate) use {execute, fetch_all, fetch_optional};
