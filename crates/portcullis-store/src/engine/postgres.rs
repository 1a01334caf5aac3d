//! PostgreSQL: one pool, read committed, the server's own group commit.

use std::str::FromStr as _;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgConnection, PgPool};

use super::{Connection, OpenDatabaseError, Opening, Telling, dialect};
use crate::error::StoreError;
use crate::migrations;

/// Connections per process; more would only queue inside the server.
const MAX_CONNECTIONS: u32 = 16;

/// How long a request may wait for a connection before it is turned away.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) async fn open(
    url: &str,
    opening: Opening,
) -> Result<(PgPool, Telling), OpenDatabaseError> {
    let options =
        PgConnectOptions::from_str(url).map_err(|error| OpenDatabaseError::InvalidUrl {
            reason: error.to_string(),
        })?;
    let options = options.application_name("portcullis");
    let telling = prepare(&options, opening).await?;
    let pool = PgPoolOptions::new()
        .max_connections(MAX_CONNECTIONS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_lazy_with(options);
    Ok((pool, telling))
}

/// Sees to the schema, in one transaction; finds out whether the server can notify.
async fn prepare(
    options: &PgConnectOptions,
    opening: Opening,
) -> Result<Telling, OpenDatabaseError> {
    let mut connection = PgConnection::connect_with(options)
        .await
        .map_err(StoreError::from)?;
    let mut transaction = connection.begin().await.map_err(StoreError::from)?;
    lock(&mut transaction).await?;
    if count_foreign_tables(&mut transaction).await? > 0 {
        return Err(OpenDatabaseError::Foreign {
            database: format!(
                "the PostgreSQL database {} on {}",
                options.get_database().unwrap_or("of that user"),
                options.get_host()
            ),
        });
    }
    sqlx::query(dialect::POSTGRES_LOCK_TIMEOUT)
        .execute(&mut *transaction)
        .await
        .map_err(StoreError::from)?;
    let tables = &mut Connection::Postgres(&mut transaction, Telling::Never);
    match opening {
        Opening::Migrating => migrations::run(tables).await?,
        Opening::Looking => migrations::see(tables).await?,
    }
    transaction.commit().await.map_err(StoreError::from)?;
    let telling = try_telling(&mut connection).await;
    connection.close().await.map_err(StoreError::from)?;
    Ok(telling)
}

/// Tells nobody anything, to see whether that is possible: servers that only speak PostgreSQL's protocol may know no notifications.
async fn try_telling(connection: &mut PgConnection) -> Telling {
    let told = sqlx::query(dialect::POSTGRES_NOTIFY)
        .bind(dialect::POSTGRES_NO_CHANNEL)
        .bind("")
        .execute(connection)
        .await;
    match told {
        Ok(_) => Telling::Always,
        Err(error) => {
            tracing::info!(%error, "the database cannot notify: changes by other processes are noticed within two seconds");
            Telling::Never
        }
    }
}

/// Waits for other processes that open the same database: one of them may be making it.
async fn lock(transaction: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query(dialect::POSTGRES_LOCK)
        .execute(transaction)
        .await?;
    Ok(())
}

async fn count_foreign_tables(transaction: &mut PgConnection) -> Result<i64, StoreError> {
    let count = sqlx::query_scalar(dialect::POSTGRES_COUNT_FOREIGN_TABLES)
        .fetch_one(transaction)
        .await?;
    Ok(count)
}

pub(super) async fn write<T, E, F>(pool: &PgPool, telling: Telling, body: F) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    F: for<'c> FnOnce(Connection<'c>) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
{
    let mut transaction = pool.begin().await.map_err(StoreError::from)?;
    let outcome = body(Connection::Postgres(&mut transaction, telling)).await?;
    transaction.commit().await.map_err(StoreError::from)?;
    Ok(outcome)
}
