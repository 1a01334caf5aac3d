//! The store itself: opening, closing, and what all objects share.

use std::sync::Arc;

use portcullis_base::{Rng, Timestamp};
use tokio_util::task::TaskTracker;

use crate::api_keys::LastUses;
use crate::engine::{Engine, OpenDatabaseError, fetch_optional};
use crate::error::StoreError;
use crate::objects::Revision;
use crate::seal::{Keyring, MasterKey, Sealer};

/// Everything that Portcullis remembers; cheap to clone.
///
/// A write is on disk before it is answered.
#[derive(Clone, Debug)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    engine: Engine,
    sealer: Arc<Sealer>,
    last_uses: LastUses,
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
        let engine = Engine::open(url).await?;
        let sealer = Arc::new(Sealer::new(keyring, rng));
        let store = Self(Arc::new(Inner {
            engine,
            sealer,
            last_uses: LastUses::default(),
            background: TaskTracker::new(),
        }));
        if let Err(error) = store.open_data_keys(now).await {
            store.close().await;
            return Err(error.into());
        }
        Ok(store)
    }

    async fn open_data_keys(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.engine().read_transaction().await?;
        let found = self.sealer().load(&mut transaction.connection()).await?;
        drop(transaction);
        if found > 0 {
            return Ok(());
        }
        let sealer = self.sealer();
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move { sealer.ensure_data_key(&mut connection, now).await })
            })
            .await
    }

    /// Takes another master key to hand, as when the operator has put a new one in place.
    pub fn accept_master_key(&self, key: MasterKey) {
        self.0.sealer.accept(key);
    }

    /// Returns the number that changes whenever documents, toolsets, environments or data keys change.
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

    pub(crate) fn last_uses(&self) -> &LastUses {
        &self.0.last_uses
    }

    pub(crate) fn background(&self) -> &TaskTracker {
        &self.0.background
    }
}
