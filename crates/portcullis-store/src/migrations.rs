//! The schema's versions, each as one file per engine under the same name.
//!
//! They run when a database is opened, under a lock, so that replicas may start together.
//! A migration that has been released is never changed; a database of a later version is refused.

use aws_lc_rs::digest::{SHA384, digest};

use crate::engine::{Connection, OpenDatabaseError, dialect, execute, fetch_all};
use crate::error::StoreError;

struct Version {
    number: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! versions {
    ($($number:literal $name:literal)*) => {
        [$(Version {
            number: $number,
            name: $name,
            sqlite: include_str!(concat!("../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../migrations/postgres/", $name, ".sql")),
        }),*]
    };
}

const VERSIONS: [Version; 4] = versions! {
    1 "0001_objects"
    2 "0002_sign_in"
    3 "0003_manifests"
    4 "0004_revocations"
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
    let known = VERSIONS.last().map_or(0, |version| version.number);
    if let Some((stored, _)) = applied.last()
        && *stored > known
    {
        return Err(OpenDatabaseError::NewerSchema {
            stored: *stored,
            known,
        });
    }
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

    #[test]
    fn what_was_released_is_what_databases_say_was_applied() {
        let [first, ..] = &VERSIONS;
        for (sql, expected) in [
            (
                first.sqlite,
                "876d8d4c57059b961b4d1013c35ef504af791a8597ff702a4f2bc55cd1159e17431e8ab568c9a00321e4293110170bcb",
            ),
            (
                first.postgres,
                "459b62a47144811730b726ed4e9f7631f220a03220f3b6a974d267a28681eb38ca54c66251dd2d7a93aceb0021fdd79e",
            ),
        ] {
            let mut digits = String::new();
            for byte in checksum(sql) {
                write!(digits, "{byte:02x}").unwrap();
            }
            assert_eq!(digits, expected);
        }
    }

    #[test]
    fn versions_are_counted_from_one() {
        for (version, expected) in VERSIONS.iter().zip(1..) {
            assert_eq!(version.number, expected);
            assert!(version.name.starts_with(&format!("{expected:04}_")));
        }
    }
}
