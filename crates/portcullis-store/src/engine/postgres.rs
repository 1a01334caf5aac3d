//! PostgreSQL: one pool, read committed, the server's own group commit.

use std::str::FromStr as _;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgConnection, PgPool};

use super::{Connection, OpenDatabaseError, dialect};
use crate::error::StoreError;
use crate::migrations;

/// Connections per process; more would only queue inside the server.
const MAX_CONNECTIONS: u32 = 16;

/// How long a request may wait for a connection before it is turned away.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) async fn open(url: &str) -> Result<PgPool, OpenDatabaseError> {
    let options =
        PgConnectOptions::from_str(url).map_err(|error| OpenDatabaseError::InvalidUrl {
            reason: error.to_string(),
        })?;
    let options = options.application_name("portcullis");
    migrate(&options).await?;
    Ok(PgPoolOptions::new()
        .max_connections(MAX_CONNECTIONS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_lazy_with(options))
}

/// Brings the schema up to date, in one transaction.
async fn migrate(options: &PgConnectOptions) -> Result<(), OpenDatabaseError> {
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
    migrations::run(&mut Connection::Postgres(&mut transaction)).await?;
    transaction.commit().await.map_err(StoreError::from)?;
    connection.close().await.map_err(StoreError::from)?;
    Ok(())
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

pub(super) async fn write<T, E, F>(pool: &PgPool, body: F) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    F: for<'c> FnOnce(Connection<'c>) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
{
    let mut transaction = pool.begin().await.map_err(StoreError::from)?;
    let outcome = body(Connection::Postgres(&mut transaction)).await?;
    transaction.commit().await.map_err(StoreError::from)?;
    Ok(outcome)
}
