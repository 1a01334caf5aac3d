//! A master key that is gone: what cannot be read any more, and how the rest goes on without it.

use std::fmt;
use std::sync::Arc;

use portcullis_base::{Rng, Timestamp};

use super::key::Keyring;
use super::sealer::Sealer;
use crate::audit::{Actor, AuditEntry};
use crate::engine::{Connection, Engine, OpenDatabaseError, execute, fetch_all, fetch_optional};
use crate::error::StoreError;
use crate::objects::bump_revision;
use crate::sign_in::losing;
use crate::store::Store;

/// How much is sealed under keys that the master keys at hand do not open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LostSecrets {
    /// Variables of environments.
    pub variables: u64,
    /// Environments that have such variables.
    pub environments: u64,
    /// Providers with a client secret.
    pub providers: u64,
    /// Manifests with a client secret.
    pub manifests: u64,
    /// Connections of people to providers.
    pub connections: u64,
    /// Sign-ins under way.
    pub flows: u64,
    /// Tokens that providers were to revoke.
    pub revocations: u64,
}

/// The counts of [`LostSecrets`], in its order, for the data keys whose ids stand in `$1`.
///
/// For all of them at once: a rotation that stopped leaves one row with values under two.
const COUNTS: [&str; 7] = [
    "SELECT COUNT(*) FROM variables WHERE $1 LIKE '%' || data_key_id || '%'",
    "SELECT COUNT(DISTINCT environment_id) FROM variables WHERE $1 LIKE '%' || data_key_id || '%'",
    "SELECT COUNT(*) FROM providers WHERE $1 LIKE '%' || data_key_id || '%'",
    "SELECT COUNT(*) FROM manifests WHERE $1 LIKE '%' || data_key_id || '%'",
    "SELECT COUNT(*) FROM connections \
     WHERE $1 LIKE '%' || access_key_id || '%' OR $1 LIKE '%' || refresh_key_id || '%'",
    "SELECT COUNT(*) FROM flows \
     WHERE $1 LIKE '%' || verifier_key_id || '%' OR $1 LIKE '%' || nonce_key_id || '%'",
    "SELECT COUNT(*) FROM revocations WHERE $1 LIKE '%' || token_key_id || '%'",
];

/// What takes the secrets of objects away that are sealed under data key `$1`.
const OF_OBJECTS: [&str; 3] = [
    "DELETE FROM variables WHERE data_key_id = $1",
    "UPDATE providers SET client_secret = NULL, data_key_id = NULL WHERE data_key_id = $1",
    "UPDATE manifests SET client_secret = NULL, data_key_id = NULL WHERE data_key_id = $1",
];

impl Store {
    /// Gives up what the master key in `keyring` does not open, and keeps everything else; says what that was.
    ///
    /// Grants that rest on a connection which is given up end, so that people sign in again.
    /// The database opens with this master key afterwards.
    ///
    /// # Errors
    ///
    /// When the database cannot be opened for another reason, or not be written.
    pub async fn abandon(
        url: &str,
        keyring: Keyring,
        actor: Actor,
        now: Timestamp,
        rng: Arc<dyn Rng>,
    ) -> Result<LostSecrets, OpenDatabaseError> {
        let engine = Engine::open(url).await?;
        let sealer = Sealer::new(keyring, rng);
        let abandoned = engine
            .write(move |mut connection| {
                Box::pin(async move { abandon(&sealer, actor, now, &mut connection).await })
            })
            .await;
        engine.close().await;
        Ok(abandoned?)
    }

    /// Counts what is sealed in a database, whichever key opens it; `None` where none has sealed anything yet.
    ///
    /// # Errors
    ///
    /// When the database cannot be opened or read.
    pub async fn sealed(url: &str) -> Result<Option<LostSecrets>, OpenDatabaseError> {
        let engine = Engine::open(url).await?;
        let counted = sealed(&engine).await;
        engine.close().await;
        Ok(counted?)
    }
}

impl LostSecrets {
    /// Counts what no master key of the keyring opens.
    pub(crate) async fn count(
        keyring: &Keyring,
        connection: &mut Connection<'_>,
    ) -> Result<Self, StoreError> {
        let data_keys = lost_data_keys(keyring, connection).await?;
        Self::under(&data_keys, connection).await
    }

    /// Counts what is sealed under these data keys.
    async fn under(
        data_keys: &[String],
        connection: &mut Connection<'_>,
    ) -> Result<Self, StoreError> {
        let ids = data_keys.join(" ");
        let mut counts = [0; 7];
        for (count, sql) in counts.iter_mut().zip(COUNTS) {
            let row = fetch_optional!(connection, (i64,), sql, &ids)?;
            *count = row.map_or(0, |(count,)| count.unsigned_abs());
        }
        let [
            variables,
            environments,
            providers,
            manifests,
            connections,
            flows,
            revocations,
        ] = counts;
        Ok(Self {
            variables,
            environments,
            providers,
            manifests,
            connections,
            flows,
            revocations,
        })
    }
}

impl fmt::Display for LostSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "secret variables: {} in {} environments; client secrets: {} of providers, {} of manifests; \
             connections of people: {}; sign-ins under way: {}; tokens to revoke: {}",
            self.variables,
            self.environments,
            self.providers,
            self.manifests,
            self.connections,
            self.flows,
            self.revocations
        )
    }
}

async fn sealed(engine: &Engine) -> Result<Option<LostSecrets>, StoreError> {
    let mut transaction = engine.read_transaction().await?;
    let connection = &mut transaction.connection();
    let rows = fetch_all!(connection, (String,), "SELECT id FROM data_keys")?;
    if rows.is_empty() {
        return Ok(None);
    }
    let data_keys: Vec<String> = rows.into_iter().map(|(id,)| id).collect();
    Ok(Some(LostSecrets::under(&data_keys, connection).await?))
}

/// Lists the data keys that no master key of the keyring opens.
async fn lost_data_keys(
    keyring: &Keyring,
    connection: &mut Connection<'_>,
) -> Result<Vec<String>, StoreError> {
    let wraps = fetch_all!(
        connection,
        (String, Option<String>),
        "SELECT data_keys.id, data_key_wraps.master_key_id FROM data_keys \
         LEFT JOIN data_key_wraps ON data_key_wraps.data_key_id = data_keys.id ORDER BY data_keys.id"
    )?;
    let lost = wraps.chunk_by(|a, b| a.0 == b.0).filter(|wraps| {
        let mut masters = wraps.iter().filter_map(|(_, master)| master.as_deref());
        !masters.any(|master| keyring.find(master).is_some())
    });
    Ok(lost
        .filter_map(|wraps| Some(wraps.first()?.0.clone()))
        .collect())
}

async fn abandon(
    sealer: &Sealer,
    actor: Actor,
    now: Timestamp,
    connection: &mut Connection<'_>,
) -> Result<LostSecrets, StoreError> {
    bump_revision(connection).await?;
    let keyring = sealer.keyring();
    let lost = LostSecrets::count(&keyring, connection).await?;
    for data_key in lost_data_keys(&keyring, connection).await? {
        for statement in OF_OBJECTS {
            execute!(connection, statement, &data_key)?;
        }
        losing::lose(&data_key, sealer, now, connection).await?;
        execute!(connection, "DELETE FROM data_keys WHERE id = $1", &data_key)?;
    }
    sealer.load(connection).await?;
    sealer.ensure_data_key(connection, now).await?;
    let key = keyring.current.id().to_string();
    AuditEntry::new(actor, "master_key.abandoned", key)
        .insert(connection, sealer.rng(), now)
        .await?;
    Ok(lost)
}
