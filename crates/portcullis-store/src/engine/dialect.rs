//! The statements that the engines spell differently. There are no others outside `migrations/`.

/// What every connection to SQLite says first.
pub(super) const SQLITE_CONNECTION: &str = "PRAGMA foreign_keys = ON";

/// What the connection says that writes.
///
/// With `NORMAL` the last commits may be lost with the power.
/// What a write may have to undo stays in memory: from 64 KiB on SQLite would move it to a file, as it did in every fourth group of sign-ins.
/// In SQLite's own 2 MB of cache the pages of a large database are read again and again.
/// The log is put into the database at 16 MB instead of 4, since most of its pages are the same ones again.
pub(super) const SQLITE_WRITER: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
     PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384; \
     PRAGMA wal_autocheckpoint = 4000";

/// What the connections say that read.
pub(super) const SQLITE_READER: &str = "PRAGMA query_only = ON";

/// Takes SQLite's write lock at once: a transaction that reads first and writes later is refused without waiting where another writer came between.
pub(super) const SQLITE_BEGIN_WRITE: &str = "BEGIN IMMEDIATE";

/// Begins a write of a group.
pub(super) const SQLITE_SAVE: &str = "SAVEPOINT write";

/// Keeps what the last write of the group wrote.
pub(super) const SQLITE_KEEP: &str = "RELEASE write";

/// Undoes what the last write of the group wrote; another may follow.
pub(super) const SQLITE_UNDO: &str = "ROLLBACK TO write";

/// Puts the group on disk.
pub(super) const SQLITE_COMMIT: &str = "COMMIT";

/// Undoes the whole group.
pub(super) const SQLITE_ROLL_BACK: &str = "ROLLBACK";

/// SQLite's readers see one state from their first statement on.
pub(super) const SQLITE_BEGIN_READ: &str = "BEGIN DEFERRED";

/// PostgreSQL's default would let each statement see a later state.
pub(super) const POSTGRES_BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";

/// Marks a SQLite file as ours: `PcDB`.
pub(super) const SQLITE_APPLICATION_ID: i64 = 0x5063_4442;

/// Sets [`SQLITE_APPLICATION_ID`].
pub(super) const SQLITE_MARK: &str = "PRAGMA application_id = 1348682818";

/// Reads the mark.
pub(super) const SQLITE_READ_MARK: &str = "PRAGMA application_id";

/// Counts the tables of a SQLite file.
pub(super) const SQLITE_COUNT_TABLES: &str =
    "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table'";

/// Looks for damaged pages; answers `ok` where there are none.
pub(super) const SQLITE_CHECK: &str = "PRAGMA quick_check(1)";

/// Keeps other processes that open the database waiting until the transaction ends; any number will do that nobody else uses.
pub(super) const POSTGRES_LOCK: &str = "SELECT pg_advisory_xact_lock(1348682818)";

/// Reads the server's clock, in milliseconds since 1970.
pub(crate) const POSTGRES_TIME: &str =
    "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";

/// Tells those who listen to channel `$1` the text `$2`, once the transaction is committed.
pub(crate) const POSTGRES_NOTIFY: &str = "SELECT pg_notify($1, $2)";

/// The channel that changes are told on.
pub(crate) const POSTGRES_CHANNEL: &str = "portcullis";

/// A channel that nobody listens to.
pub(super) const POSTGRES_NO_CHANNEL: &str = "portcullis_nobody";

/// What the connection calls itself that listens.
pub(super) const POSTGRES_LISTENER: &str = "portcullis listener";

/// Gives up on a table that somebody else holds, rather than keep all who come later waiting; said once it is our turn.
pub(super) const POSTGRES_LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '5s'";

/// Counts the tables of other programs in the schema that we would use.
pub(super) const POSTGRES_COUNT_FOREIGN_TABLES: &str = "SELECT COUNT(*) FROM pg_catalog.pg_tables \
     WHERE schemaname = current_schema() \
     AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_tables \
         WHERE schemaname = current_schema() AND tablename = '_sqlx_migrations')";

/// Makes SQLite's table of the migrations that were applied.
pub(crate) const SQLITE_MIGRATIONS: &str = "CREATE TABLE IF NOT EXISTS _sqlx_migrations (\
     version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
     installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, \
     success BOOLEAN NOT NULL, checksum BLOB NOT NULL, execution_time BIGINT NOT NULL)";

/// Makes PostgreSQL's table of the migrations that were applied.
pub(crate) const POSTGRES_MIGRATIONS: &str = "CREATE TABLE IF NOT EXISTS _sqlx_migrations (\
     version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
     installed_on TIMESTAMPTZ NOT NULL DEFAULT now(), \
     success BOOLEAN NOT NULL, checksum BYTEA NOT NULL, execution_time BIGINT NOT NULL)";

/// Counts SQLite's tables of the migrations that were applied: one or none.
pub(crate) const SQLITE_COUNT_MIGRATIONS: &str =
    "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name = '_sqlx_migrations'";

/// Counts PostgreSQL's.
pub(crate) const POSTGRES_COUNT_MIGRATIONS: &str = "SELECT COUNT(*) FROM pg_catalog.pg_tables \
     WHERE schemaname = current_schema() AND tablename = '_sqlx_migrations'";
