//! The schema's versions, each as one file per engine under the same name.
//!
//! They run when a database is opened, in one transaction and under a lock, so that replicas may start together and a migration that fails changes nothing.
//! A migration that has been released is never changed.
//!
//! Replicas are replaced one after another, so that the program of the version before goes on working on the new schema, and may be started on it again.
//! A change of the schema therefore takes releases:
//!
//! 1. *Expand*: the migration only adds, and whatever the program before writes stays good: new tables, columns that may be empty or have a default, indexes.
//! 2. *Move*: the program writes both forms, reads the new one where it is there, and fills it in where it is not.
//! 3. *Contract*: a later release takes away what no program of the release before reads or writes.
//!
//! Each version says from which earlier one on the program can work with it, and the database keeps that.
//! For an expansion that is the version before or an earlier one; for a contraction, the first version whose program did without what is taken away; the version itself where the replicas have to be stopped for it.
//! A program that finds a later version than it knows works where all later ones say that it can, and is refused otherwise.

use std::cmp::Ordering;

use aws_lc_rs::digest::{SHA384, digest};

use crate::engine::{Connection, OpenDatabaseError, dialect, execute, fetch_all, fetch_optional};
use crate::error::StoreError;

struct Version {
    number: i64,
    /// The earliest version whose program can work with this one.
    compatible_from: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! versions {
    ($($number:literal $name:literal from $compatible_from:literal)*) => {
        [$(Version {
            number: $number,
            compatible_from: $compatible_from,
            name: $name,
            sqlite: include_str!(concat!("../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../migrations/postgres/", $name, ".sql")),
        }),*]
    };
}

const VERSIONS: [Version; 6] = versions! {
    1 "0001_objects" from 1
    2 "0002_sign_in" from 1
    3 "0003_manifests" from 2
    4 "0004_revocations" from 3
    5 "0005_compatibility" from 4
    6 "0006_document_revisions" from 5
};

/// Brings the schema up to date, in the transaction of whoever calls.
///
/// The table of what was applied is the one that sqlx's migrator keeps: it made the first databases.
pub(crate) async fn run(connection: &mut Connection<'_>) -> Result<(), OpenDatabaseError> {
    connection.batch(table(connection)).await?;
    let applied = fetch_all!(
        connection,
        (i64, Vec<u8>),
        "SELECT version, checksum FROM _sqlx_migrations ORDER BY version"
    )?;
    let known = known();
    if let Some((stored, _)) = applied.last()
        && *stored > known
    {
        admit_newer(*stored, known, connection).await?;
    }
    let before = applied.len();
    for version in &VERSIONS {
        let found = applied.iter().find(|(number, _)| *number == version.number);
        match found {
            Some((_, stored)) if *stored == checksum(version.sql(connection)) => {}
            Some(_) => {
                let reason = format!("`{}` was changed after it had been applied", version.name);
                return Err(OpenDatabaseError::Migration(reason));
            }
            None => version.apply(connection).await.map_err(|error| {
                OpenDatabaseError::Migration(format!("`{}`: {error}", version.name))
            })?,
        }
    }
    if before < VERSIONS.len() {
        note_compatibility(connection).await?;
    }
    Ok(())
}

/// Sees that the schema is one that this program works with, and changes nothing.
pub(crate) async fn see(connection: &mut Connection<'_>) -> Result<(), OpenDatabaseError> {
    let counting = match connection {
        Connection::Sqlite(_) => dialect::SQLITE_COUNT_MIGRATIONS,
        Connection::Postgres(..) => dialect::POSTGRES_COUNT_MIGRATIONS,
    };
    let tables = fetch_optional!(connection, (i64,), counting)?;
    let stored = match tables {
        None | Some((0,)) => None,
        Some(_) => fetch_optional!(
            connection,
            (Option<i64>,),
            "SELECT MAX(version) FROM _sqlx_migrations"
        )?,
    };
    let stored = stored.and_then(|(version,)| version).unwrap_or(0);
    let known = known();
    match stored.cmp(&known) {
        Ordering::Less => Err(OpenDatabaseError::OlderSchema { stored, known }),
        Ordering::Equal => Ok(()),
        Ordering::Greater => admit_newer(stored, known, connection).await,
    }
}

/// Returns the latest version.
fn known() -> i64 {
    VERSIONS.last().map_or(0, |version| version.number)
}

/// Lets a program work with a schema that is later than what it knows, where each later version says that it can.
async fn admit_newer(
    stored: i64,
    known: i64,
    connection: &mut Connection<'_>,
) -> Result<(), OpenDatabaseError> {
    let later = fetch_all!(
        connection,
        (i64, Option<i64>),
        "SELECT version, compatible_from FROM _sqlx_migrations WHERE version > $1",
        known
    )
    .map_err(|error| OpenDatabaseError::Migration(error.to_string()))?;
    let admits = |from: Option<i64>| from.is_some_and(|from| from <= known);
    if !later.iter().all(|(_, from)| admits(*from)) {
        return Err(OpenDatabaseError::NewerSchema { stored, known });
    }
    tracing::warn!(
        stored,
        known,
        "a later version of Portcullis has changed the database; this one can work with it while the replicas are replaced"
    );
    Ok(())
}

/// Has the database say of each version which programs can work with it.
async fn note_compatibility(connection: &mut Connection<'_>) -> Result<(), StoreError> {
    for version in &VERSIONS {
        execute!(
            connection,
            "UPDATE _sqlx_migrations SET compatible_from = $1 \
             WHERE version = $2 AND compatible_from IS NULL",
            version.compatible_from,
            version.number
        )?;
    }
    Ok(())
}

fn table(connection: &Connection<'_>) -> &'static str {
    match connection {
        Connection::Sqlite(_) => dialect::SQLITE_MIGRATIONS,
        Connection::Postgres(..) => dialect::POSTGRES_MIGRATIONS,
    }
}

impl Version {
    async fn apply(&self, connection: &mut Connection<'_>) -> Result<(), StoreError> {
        let sql = self.sql(connection);
        connection.batch(sql).await?;
        execute!(
            connection,
            "INSERT INTO _sqlx_migrations \
             (version, description, success, checksum, execution_time) \
             VALUES ($1, $2, TRUE, $3, -1)",
            self.number,
            self.name,
            checksum(sql)
        )?;
        Ok(())
    }

    fn sql(&self, connection: &Connection<'_>) -> &'static str {
        match connection {
            Connection::Sqlite(_) => self.sqlite,
            Connection::Postgres(..) => self.postgres,
        }
    }
}

fn checksum(sql: &str) -> Vec<u8> {
    digest(&SHA384, sql.as_bytes()).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn both_folders_hold_the_versions_and_nothing_else() {
        let listed: Vec<String> = VERSIONS
            .iter()
            .map(|version| format!("{}.sql", version.name))
            .collect();
        for engine in ["sqlite", "postgres"] {
            let folder = format!("{}/migrations/{engine}", env!("CARGO_MANIFEST_DIR"));
            let mut found: Vec<String> = std::fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            found.sort();
            assert_eq!(found, listed, "{engine}");
        }
    }

    /// The SHA-384 of each file, by which databases recognise what was applied to them.
    const RELEASED: &str = include_str!("../migrations/checksums");

    #[test]
    fn what_was_released_is_what_databases_say_was_applied() {
        let mut found = String::new();
        for version in &VERSIONS {
            for (engine, sql) in [("sqlite", version.sqlite), ("postgres", version.postgres)] {
                let digits = checksum(sql)
                    .iter()
                    .fold(String::new(), |mut digits, byte| {
                        write!(digits, "{byte:02x}").unwrap();
                        digits
                    });
                writeln!(found, "{digits}  {engine}/{}.sql", version.name).unwrap();
            }
        }
        // A new version adds its two lines; a line that is there is never changed.
        assert_eq!(found, RELEASED);
    }

    #[test]
    fn versions_are_counted_from_one() {
        for (version, expected) in VERSIONS.iter().zip(1..) {
            assert_eq!(version.number, expected);
            assert!(version.name.starts_with(&format!("{expected:04}_")));
            assert!((1..=expected).contains(&version.compatible_from));
        }
    }
}
