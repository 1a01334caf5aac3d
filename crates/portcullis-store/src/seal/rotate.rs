//! Changing the master key while the gateway serves.
//!
//! 1. [`Store::begin_rotation`] seals every data key under the new master key too, and makes a new data key that both open; from here on new values are sealed under it.
//! 2. The caller puts the new master key where the gateway finds it; the database opens with either.
//! 3. [`Store::continue_rotation`], again and again: each call seals a batch of values anew, until none is left.
//! 4. The last call removes the former data keys, and everything that the former master key opens.
//!
//! Every step may be interrupted and repeated: what is left to do stands in the rows.

use std::time::Duration;

use portcullis_base::Timestamp;
use thiserror::Error;

use super::key::MasterKey;
use super::record::Place;
use super::sealer::Sealer;
use crate::audit::{Actor, AuditEntry};
use crate::engine::{Connection, execute, fetch_all, fetch_optional};
use crate::error::StoreError;
use crate::objects::bump_revision;
use crate::store::Store;

/// Values that are sealed anew in one transaction.
const BATCH: usize = 100;

/// How long a rotation that was begun belongs to whoever began it.
const OWN_TIME: Duration = Duration::from_hours(1);

/// Why a change of the master key was not begun.
#[derive(Clone, Debug, Error)]
pub enum BeginRotationError {
    /// Somebody else is changing it to another one.
    #[error(
        "the master key is being changed to {to} already; let that command finish, or begin again an hour after it was begun, and give all gateways the same key"
    )]
    UnderWay {
        /// The id of that key.
        to: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How far a rotation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationProgress {
    /// This many values are still sealed under a former data key.
    Remaining(u64),
    /// Only the new master key opens the database now.
    Done,
}

/// A column with sealed values, beside a column of its own for the id of the data key.
struct SealedColumn {
    table: &'static str,
    column: &'static str,
    /// Counts what is not sealed under data key `$1`.
    count: &'static str,
    /// Selects the ids and values of at most `$2` such rows.
    select: &'static str,
    /// Replaces value `$1` of row `$2` by `$3`, sealed under `$4`.
    update: &'static str,
}

/// Lists columns of tables that have an `id`: table, column, and the column that names the data key.
macro_rules! sealed_columns {
    ($($table:literal $column:literal $key:literal)*) => {
        [$(SealedColumn {
            table: $table,
            column: $column,
            count: concat!("SELECT COUNT(*) FROM ", $table, " WHERE ", $key, " <> $1"),
            select: concat!(
                "SELECT id, ", $column, " FROM ", $table,
                " WHERE ", $key, " <> $1 ORDER BY id LIMIT $2"
            ),
            update: concat!(
                "UPDATE ", $table, " SET ", $column, " = $3, ", $key, " = $4",
                " WHERE id = $2 AND ", $column, " = $1"
            ),
        }),*]
    };
}

const SEALED_COLUMNS: [SealedColumn; 8] = sealed_columns! {
    "variables" "sealed" "data_key_id"
    "providers" "client_secret" "data_key_id"
    "manifests" "client_secret" "data_key_id"
    "flows" "verifier" "verifier_key_id"
    "flows" "nonce" "nonce_key_id"
    "connections" "access_token" "access_key_id"
    "connections" "refresh_token" "refresh_key_id"
    "revocations" "token" "token_key_id"
};

impl Store {
    /// Begins to change the master key to `new`, or takes up a change that was begun.
    ///
    /// Afterwards the database opens with the former key and with `new`.
    ///
    /// # Errors
    ///
    /// When another rotation is under way, the database cannot be written, or a data key does not open.
    pub async fn begin_rotation(
        &self,
        new: MasterKey,
        actor: Actor,
        now: Timestamp,
    ) -> Result<(), BeginRotationError> {
        let sealer = self.sealer();
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move { begin(&sealer, &new, actor, now, &mut connection).await })
            })
            .await
    }

    /// Seals one more batch of values under the data key that `new` was given; removes the former keys when nothing is left.
    ///
    /// # Errors
    ///
    /// When the database cannot be written, a value does not open, or [`Store::begin_rotation`] was not called with `new`.
    pub async fn continue_rotation(
        &self,
        new: &MasterKey,
        actor: Actor,
        now: Timestamp,
    ) -> Result<RotationProgress, StoreError> {
        let sealer = self.sealer();
        let new = new.clone();
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move {
                    let connection = &mut connection;
                    let left = reseal_batch(&sealer, connection).await?;
                    if left > 0 {
                        return Ok(RotationProgress::Remaining(left));
                    }
                    finish(&sealer, &new, actor, now, connection).await?;
                    Ok(RotationProgress::Done)
                })
            })
            .await
    }

    /// Says whether a change of the master key to `new` has begun and not ended.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn rotation_is_unfinished(&self, new: &MasterKey) -> Result<bool, StoreError> {
        let mut reader = self.engine().reader().await?;
        let found = fetch_optional!(
            &mut reader.connection(),
            (String,),
            "SELECT id FROM data_keys WHERE retired_at_ms IS NULL AND master_key_id = $1 \
             AND 1 < (SELECT COUNT(DISTINCT master_key_id) FROM data_key_wraps)",
            new.id().as_str()
        )?;
        Ok(found.is_some())
    }
}

async fn begin(
    sealer: &Sealer,
    new: &MasterKey,
    actor: Actor,
    now: Timestamp,
    connection: &mut Connection<'_>,
) -> Result<(), BeginRotationError> {
    // Replicas that poll the revision learn of the new data key while their master key still opens it.
    bump_revision(connection).await?;
    if let Some(to) = other_under_way(new, now, connection).await? {
        return Err(BeginRotationError::UnderWay { to });
    }
    sealer.accept(new.clone());
    sealer.load(connection).await?;
    let data_keys = fetch_all!(connection, (String,), "SELECT id FROM data_keys")?;
    for (id,) in data_keys {
        sealer.wrap_again(connection, &id, new).await?;
    }
    if active_data_key_of(new, connection).await?.is_some() {
        return Ok(());
    }
    let keyring = sealer.keyring();
    let stored = fetch_all!(
        connection,
        (String,),
        "SELECT DISTINCT master_key_id FROM data_key_wraps"
    )?;
    let under: Vec<&MasterKey> = keyring
        .keys()
        .filter(|key| stored.iter().any(|(id,)| id == key.id().as_str()))
        .collect();
    sealer.create_data_key(connection, &under, new, now).await?;
    AuditEntry::new(actor, "master_key.rotation_begun", new.id().to_string())
        .insert(connection, sealer.rng(), now)
        .await?;
    Ok(())
}

/// Finds the key that somebody else began to change the master key to a while ago.
///
/// Two commands that put a key each in place would leave one of them with a key that opens nothing.
async fn other_under_way(
    new: &MasterKey,
    now: Timestamp,
    connection: &mut Connection<'_>,
) -> Result<Option<String>, StoreError> {
    let found = fetch_optional!(
        connection,
        (String,),
        "SELECT master_key_id FROM data_keys WHERE retired_at_ms IS NULL \
         AND master_key_id <> $1 AND created_at_ms > $2 \
         AND 1 < (SELECT COUNT(DISTINCT master_key_id) FROM data_key_wraps)",
        new.id().as_str(),
        now.before(OWN_TIME).as_millis()
    )?;
    Ok(found.map(|(to,)| to))
}

/// Finds the data key that was made for `new`.
async fn active_data_key_of(
    new: &MasterKey,
    connection: &mut Connection<'_>,
) -> Result<Option<(String,)>, StoreError> {
    fetch_optional!(
        connection,
        (String,),
        "SELECT id FROM data_keys WHERE retired_at_ms IS NULL AND master_key_id = $1",
        new.id().as_str()
    )
}

/// Seals up to [`BATCH`] values anew; gives the number that is left.
async fn reseal_batch(sealer: &Sealer, connection: &mut Connection<'_>) -> Result<u64, StoreError> {
    let seal = sealer.current(connection).await?;
    let mut left = 0;
    for sealed in &SEALED_COLUMNS {
        let rows = fetch_all!(
            connection,
            (String, Vec<u8>),
            sealed.select,
            seal.data_key_id(),
            i64::try_from(BATCH).unwrap_or(i64::MAX)
        )?;
        for (id, record) in rows {
            let place = Place {
                table: sealed.table,
                column: sealed.column,
                row: &id,
            };
            let secret = sealer.open(&record, place)?;
            execute!(
                connection,
                sealed.update,
                &record,
                &id,
                seal.seal(&secret, place),
                seal.data_key_id()
            )?;
        }
        let count = fetch_optional!(connection, (i64,), sealed.count, seal.data_key_id())?;
        left += count.map_or(0, |(count,)| u64::try_from(count).unwrap_or(0));
    }
    Ok(left)
}

/// Removes what the former master key opens.
///
/// Where a value was sealed under a former data key meanwhile, its foreign key keeps that data key from going.
async fn finish(
    sealer: &Sealer,
    new: &MasterKey,
    actor: Actor,
    now: Timestamp,
    connection: &mut Connection<'_>,
) -> Result<(), StoreError> {
    if active_data_key_of(new, connection).await?.is_none() {
        return Err(StoreError::Statement(format!(
            "no rotation to master key {} has begun",
            new.id()
        )));
    }
    execute!(
        connection,
        "DELETE FROM data_keys WHERE retired_at_ms IS NOT NULL"
    )?;
    execute!(
        connection,
        "DELETE FROM data_key_wraps WHERE master_key_id <> $1",
        new.id().as_str()
    )?;
    AuditEntry::new(actor, "master_key.rotation_done", new.id().to_string())
        .insert(connection, sealer.rng(), now)
        .await
}
