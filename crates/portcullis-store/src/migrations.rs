//! The schema's versions, each as one file per engine under the same name.
//!
//! They run when a database is opened, under a lock, so that replicas may start together.
//! A migration that has been released is never changed; a database of a later version is refused.

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};

use crate::engine::OpenDatabaseError;

/// Whose spelling of the schema.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Flavour {
    Sqlite,
    Postgres,
}

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

const VERSIONS: [Version; 2] = versions! {
    1 "0001_objects"
    2 "0002_sign_in"
};

/// Brings the schema up to date.
pub(crate) async fn run<C: Migrate>(
    connection: &mut C,
    flavour: Flavour,
) -> Result<(), OpenDatabaseError> {
    let migrations = VERSIONS.iter().map(|version| {
        let sql = match flavour {
            Flavour::Sqlite => version.sqlite,
            Flavour::Postgres => version.postgres,
        };
        Migration::new(
            version.number,
            version.name.into(),
            MigrationType::Simple,
            sql.into_sql_str(),
            false,
        )
    });
    Migrator::with_migrations(migrations.collect())
        .run_direct(None, connection, false)
        .await
        .map_err(failure)
}

fn failure(error: MigrateError) -> OpenDatabaseError {
    match error {
        MigrateError::VersionMissing(stored) => OpenDatabaseError::NewerSchema {
            stored,
            known: VERSIONS.last().map_or(0, |version| version.number),
        },
        MigrateError::Execute(error) => OpenDatabaseError::Store(error.into()),
        error => OpenDatabaseError::Migration(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
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
    fn versions_are_counted_from_one() {
        for (version, expected) in VERSIONS.iter().zip(1..) {
            assert_eq!(version.number, expected);
            assert!(version.name.starts_with(&format!("{expected:04}_")));
        }
    }
}
