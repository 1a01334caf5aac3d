//! What was looked up a moment ago, so that a busy caller costs one look-up every two seconds.
//!
//! Only what exists is remembered, so that strangers cannot fill the memory; what is revoked elsewhere stops working within two seconds.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use portcullis_base::Timestamp;

/// How long a row is believed.
const MAX_AGE: Duration = Duration::from_secs(2);

/// How many rows are held before stale ones are let go.
const SWEEP_AT: usize = 4096;

/// Rows by what they are looked up by.
#[derive(Debug)]
pub(crate) struct Memory<K, R>(Mutex<HashMap<K, Remembered<R>>>);

#[derive(Debug)]
struct Remembered<R> {
    row: Arc<R>,
    read_at: Timestamp,
}

impl<K, R> Default for Memory<K, R> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, R> Memory<K, R> {
    /// Returns a row that was read a moment ago.
    pub(crate) fn recall(&self, key: &K, now: Timestamp) -> Option<Arc<R>> {
        let rows = self.rows();
        let remembered = rows.get(key)?;
        is_fresh(remembered, now).then(|| Arc::clone(&remembered.row))
    }

    /// Takes a row in.
    pub(crate) fn remember(&self, key: K, row: R, now: Timestamp) -> Arc<R> {
        let row = Arc::new(row);
        let mut rows = self.rows();
        if rows.len() >= SWEEP_AT {
            rows.retain(|_, remembered| is_fresh(remembered, now));
        }
        let remembered = Remembered {
            row: Arc::clone(&row),
            read_at: now,
        };
        rows.insert(key, remembered);
        row
    }

    /// Lets a row go.
    pub(crate) fn forget(&self, key: &K) {
        self.rows().remove(key);
    }

    fn rows(&self) -> MutexGuard<'_, HashMap<K, Remembered<R>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A row from the future was read before the clock was set back.
fn is_fresh<R>(remembered: &Remembered<R>, now: Timestamp) -> bool {
    remembered.read_at <= now && now.since(remembered.read_at) < MAX_AGE
}
