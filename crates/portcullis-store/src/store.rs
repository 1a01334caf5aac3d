//! The store itself: opening, closing, and what all objects share.

use std::sync::Arc;

use portcullis_base::{ApiKeyId, Rng, Timestamp};
use portcullis_oauth::issuer::client::ClientId;
use tokio_util::task::TaskTracker;

use crate::engine::{Engine, OpenDatabaseError, dialect, fetch_optional};
use crate::error::StoreError;
use crate::last_uses::LastUses;
use crate::objects::Revision;
use crate::seal::{Keyring, LostSecrets, MasterKey, MasterKeyId, SealError, Sealer};

/// Everything that Portcullis remembers; cheap to clone.
///
/// A write is on disk before it is answered.
#[derive(Clone, Debug)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    engine: Engine,
    sealer: Arc<Sealer>,
    key_uses: LastUses<ApiKeyId>,
    client_uses: LastUses<ClientId>,
    /// Writes that nobody waits for.
    background: TaskTracker,
}

impl Store {
    /// Opens the database at `url` and sees that the master keys fit it.
    ///
    /// `sqlite:PATH` is made where there is nothing at all; `postgres://…` has to be there, with a schema that is empty or ours.
    /// The schema is brought up to date, and a database without a data key gets one.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached, is damaged, is somebody else's or of a later version, or was written under another master key.
    pub async fn open(
        url: &str,
        keyring: Keyring,
        now: Timestamp,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, OpenDatabaseError> {
        let store = Self::over(Engine::open(url).await?, keyring, rng);
        let opened = store.open_data_keys(now).await;
        store.unless_failed(opened).await
    }

    /// As [`Store::open`], for those who only look: nothing is made or changed by it, but for SQLite's own files beside the database while it is open.
    ///
    /// # Errors
    ///
    /// As [`Store::open`], and when the schema is an earlier one or there is none.
    pub async fn look(
        url: &str,
        keyring: Keyring,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, OpenDatabaseError> {
        let store = Self::over(Engine::look(url).await?, keyring, rng);
        let loaded = store.load_data_keys().await;
        store.unless_failed(loaded.map(drop)).await
    }

    fn over(engine: Engine, keyring: Keyring, rng: Arc<dyn Rng>) -> Self {
        Self(Arc::new(Inner {
            engine,
            sealer: Arc::new(Sealer::new(keyring, rng)),
            key_uses: LastUses::default(),
            client_uses: LastUses::default(),
            background: TaskTracker::new(),
        }))
    }

    /// Closes the store where its keys could not be read.
    async fn unless_failed(self, keys: Result<(), StoreError>) -> Result<Self, OpenDatabaseError> {
        let Err(error) = keys else {
            return Ok(self);
        };
        let error = self.with_what_is_lost(error).await;
        self.close().await;
        Err(error)
    }

    /// Adds to a master key that does not fit how much it leaves unread.
    async fn with_what_is_lost(&self, error: StoreError) -> OpenDatabaseError {
        let StoreError::Seal(mismatch @ SealError::MasterKeyMismatch { .. }) = error else {
            return error.into();
        };
        let counted = async {
            let mut transaction = self.engine().read_transaction().await?;
            let keyring = self.sealer().keyring();
            LostSecrets::count(&keyring, &mut transaction.connection()).await
        };
        match counted.await {
            Ok(lost) => OpenDatabaseError::KeyLost {
                mismatch,
                lost: Box::new(lost),
            },
            Err(error) => error.into(),
        }
    }

    async fn open_data_keys(&self, now: Timestamp) -> Result<(), StoreError> {
        if self.load_data_keys().await? > 0 {
            return Ok(());
        }
        let sealer = self.sealer();
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move { sealer.ensure_data_key(&mut connection, now).await })
            })
            .await
    }

    /// Reads the data keys, and says how many there are.
    async fn load_data_keys(&self) -> Result<usize, StoreError> {
        let mut transaction = self.engine().read_transaction().await?;
        self.sealer().load(&mut transaction.connection()).await
    }

    /// Returns which master key the database was opened with.
    #[must_use]
    pub fn master_key_id(&self) -> MasterKeyId {
        self.0.sealer.keyring().current.id().clone()
    }

    /// Takes another master key to hand, as when the operator has put a new one in place.
    pub fn accept_master_key(&self, key: MasterKey) {
        self.0.sealer.accept(key);
    }

    /// Returns the number that changes whenever documents, toolsets, environments, providers, clients of the operator's or data keys change.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn revision(&self) -> Result<Revision, StoreError> {
        let mut reader = self.engine().reader().await?;
        let row = fetch_optional!(
            &mut reader.connection(),
            (i64,),
            "SELECT value FROM revision WHERE id = 1"
        )?;
        row.map(|(value,)| Revision::from_stored(value))
            .ok_or_else(|| StoreError::Damaged("the table revision has no row".to_owned()))
    }

    /// Returns the time of the server that keeps the database; nothing where it is a file of this machine.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn time(&self) -> Result<Option<Timestamp>, StoreError> {
        if let Engine::Sqlite { .. } = self.engine() {
            return Ok(None);
        }
        let mut reader = self.engine().reader().await?;
        let row = fetch_optional!(&mut reader.connection(), (i64,), dialect::POSTGRES_TIME)?;
        Ok(row.map(|(millis,)| Timestamp::from_millis(millis)))
    }

    /// Waits for the writes that have begun, and closes every connection.
    pub async fn close(&self) {
        self.0.background.close();
        self.0.background.wait().await;
        self.engine().close().await;
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    pub(crate) fn sealer(&self) -> Arc<Sealer> {
        Arc::clone(&self.0.sealer)
    }

    pub(crate) fn key_uses(&self) -> &LastUses<ApiKeyId> {
        &self.0.key_uses
    }

    pub(crate) fn client_uses(&self) -> &LastUses<ClientId> {
        &self.0.client_uses
    }

    pub(crate) fn background(&self) -> &TaskTracker {
        &self.0.background
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use portcullis_base::{Blame, Digest, Retry};

    use super::*;
    use crate::audit::{Actor, AuditEntry};
    use crate::engine::execute;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    #[derive(Default)]
    struct Counted(std::sync::atomic::AtomicU64);

    impl Rng for Counted {
        fn fill(&self, buffer: &mut [u8]) {
            let count = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let bytes = Digest::of(&count.to_be_bytes());
            buffer.copy_from_slice(&bytes.as_bytes()[..buffer.len()]);
        }
    }

    async fn store(folder: &tempfile::TempDir) -> (String, Store) {
        let url = format!("sqlite:{}", folder.path().join("store.db").display());
        let rng = Arc::new(Counted::default());
        let keyring = Keyring::new(MasterKey::new(&*rng));
        let store = Store::open(&url, keyring, NOW, rng).await.unwrap();
        (url, store)
    }

    /// Runs a pragma on the connection that writes.
    async fn pragma(store: &Store, pragma: &'static str) {
        store
            .engine()
            .write(move |mut connection| {
                Box::pin(async move {
                    execute!(&mut connection, pragma)?;
                    Ok::<_, StoreError>(())
                })
            })
            .await
            .unwrap();
    }

    /// Takes the write lock, as another process may.
    fn lock(url: &str) -> rusqlite::Connection {
        let path = url.strip_prefix("sqlite:").unwrap();
        let other = rusqlite::Connection::open(path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        other
    }

    fn entry(target: &str) -> AuditEntry {
        AuditEntry::new(Actor::new("cli"), "test.done", target.to_owned())
    }

    #[tokio::test]
    async fn a_full_disk_refuses_writes_while_reads_go_on_and_recovers_without_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let (_, store) = store(&folder).await;
        store.insert_audit(entry("small"), NOW).await.unwrap();
        // SQLite answers as it does when the volume is full.
        pragma(&store, "PRAGMA max_page_count = 1").await;
        let large = "x".repeat(1 << 20);
        let error = store.insert_audit(entry(&large), NOW).await.unwrap_err();
        assert!(matches!(error, StoreError::Full(_)), "{error:?}");
        assert_eq!(error.blame(), Blame::Operator);
        assert_eq!(error.retry(), Retry::After(Duration::from_secs(1)));
        assert_eq!(store.list_audit(None, 10).await.unwrap().len(), 1);
        pragma(&store, "PRAGMA max_page_count = 1073741823").await;
        store.insert_audit(entry(&large), NOW).await.unwrap();
        assert_eq!(store.list_audit(None, 10).await.unwrap().len(), 2);
    }

    #[tokio::test]
    async fn a_locked_database_refuses_writes_as_busy_while_reads_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let (url, store) = store(&folder).await;
        pragma(&store, "PRAGMA busy_timeout = 0").await;
        let other = lock(&url);
        let (one, two) = tokio::join!(
            store.insert_audit(entry("one"), NOW),
            store.insert_audit(entry("two"), NOW)
        );
        for error in [one.unwrap_err(), two.unwrap_err()] {
            assert!(matches!(error, StoreError::Busy(_)), "{error:?}");
        }
        assert!(store.snapshot().await.is_ok());
        other.execute_batch("ROLLBACK").unwrap();
        store.insert_audit(entry("three"), NOW).await.unwrap();
    }

    #[tokio::test]
    async fn a_write_that_panics_does_not_stop_the_writer() {
        let folder = tempfile::tempdir().unwrap();
        let (_, store) = store(&folder).await;
        let panicked = store
            .engine()
            .write(|_| Box::pin(async { panic!("a defect") as Result<(), StoreError> }))
            .await;
        assert!(panicked.is_err());
        store.insert_audit(entry("next"), NOW).await.unwrap();
    }

    #[tokio::test]
    async fn a_write_that_waits_for_something_else_is_refused_and_stops_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let (_, store) = store(&folder).await;
        let waiting = store
            .engine()
            .write(|mut connection| {
                Box::pin(async move {
                    execute!(&mut connection, "DELETE FROM revision")?;
                    std::future::pending::<Result<(), StoreError>>().await
                })
            })
            .await;
        let error = waiting.unwrap_err();
        assert!(matches!(error, StoreError::Statement(_)), "{error:?}");
        assert!(store.revision().await.is_ok());
    }

    #[tokio::test]
    async fn a_write_goes_on_where_its_caller_stops_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let (url, store) = store(&folder).await;
        let other = lock(&url);
        let write = store.insert_audit(entry("left"), NOW);
        assert!(futures_util::FutureExt::now_or_never(write).is_none());
        other.execute_batch("ROLLBACK").unwrap();
        store.insert_audit(entry("next"), NOW).await.unwrap();
        assert_eq!(store.list_audit(None, 10).await.unwrap().len(), 2);
    }

    #[tokio::test]
    async fn a_closed_store_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let (_, store) = store(&folder).await;
        store.close().await;
        for error in [
            store.insert_audit(entry("late"), NOW).await.unwrap_err(),
            store.revision().await.unwrap_err(),
        ] {
            assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        }
    }
}
