//! API keys, looked up once and then remembered for a moment.
//!
//! Only keys that exist are remembered, so that strangers cannot fill the memory; a revoked key stops working within two seconds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use portcullis_base::{ApiKeyId, Digest, Timestamp};
use portcullis_store::{ApiKeyRow, Store, StoreError};

/// How long a row is believed.
const MAX_AGE: Duration = Duration::from_secs(2);

/// How many rows are held before stale ones are let go.
const SWEEP_AT: usize = 4096;

/// The API keys of the store, through a short memory.
#[derive(Debug)]
pub struct KeyCache {
    store: Store,
    rows: Mutex<HashMap<Digest, Remembered>>,
}

#[derive(Debug)]
struct Remembered {
    row: Arc<ApiKeyRow>,
    read_at: Timestamp,
}

impl KeyCache {
    /// Makes the memory, empty.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self {
            store,
            rows: Mutex::default(),
        }
    }

    /// Returns what is stored of a key, at most two seconds old.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn row(
        &self,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<Option<Arc<ApiKeyRow>>, StoreError> {
        if let Some(row) = self.remembered(digest, now) {
            return Ok(Some(row));
        }
        // On the heap, so that the many requests that find the row remembered have no room set aside for a query.
        let Some(row) = Box::pin(self.store.api_key_by_digest(digest)).await? else {
            self.rows().remove(digest);
            return Ok(None);
        };
        let row = Arc::new(row);
        self.remember(*digest, Arc::clone(&row), now);
        Ok(Some(row))
    }

    /// Notes that a key let somebody in.
    pub fn used(&self, id: ApiKeyId, now: Timestamp) {
        self.store.touch_api_key(id, now);
    }

    fn remembered(&self, digest: &Digest, now: Timestamp) -> Option<Arc<ApiKeyRow>> {
        let rows = self.rows();
        let remembered = rows.get(digest)?;
        is_fresh(remembered, now).then(|| Arc::clone(&remembered.row))
    }

    fn remember(&self, digest: Digest, row: Arc<ApiKeyRow>, now: Timestamp) {
        let mut rows = self.rows();
        if rows.len() >= SWEEP_AT {
            rows.retain(|_, remembered| is_fresh(remembered, now));
        }
        rows.insert(digest, Remembered { row, read_at: now });
    }

    fn rows(&self) -> MutexGuard<'_, HashMap<Digest, Remembered>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A row from the future was read before the clock was set back.
fn is_fresh(remembered: &Remembered, now: Timestamp) -> bool {
    remembered.read_at <= now && now.since(remembered.read_at) < MAX_AGE
}
