//! What was looked up a moment ago, so that a busy caller costs one look-up every two seconds.
//!
//! Only what exists is remembered, so that strangers cannot fill the memory; what is revoked elsewhere stops working within two seconds, and at once where it is told.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use portcullis_base::Timestamp;

/// How long a row is believed.
const MAX_AGE: Duration = Duration::from_secs(2);

/// How many rows are held before stale ones are let go, unless they hold secrets.
const SWEEP_AT: usize = 4096;

/// Rows by what they are looked up by.
#[derive(Debug)]
pub(crate) struct Memory<K, R> {
    held: Mutex<Held<K, R>>,
    sweep_at: usize,
}

#[derive(Debug)]
struct Held<K, R> {
    rows: HashMap<K, Remembered<R>>,
    /// How often rows were let go that somebody may have been looking up.
    forgotten: u64,
}

/// A moment at which a look-up began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Begun(u64);

#[derive(Debug)]
struct Remembered<R> {
    row: Arc<R>,
    read_at: Timestamp,
}

impl<K, R> Default for Memory<K, R> {
    fn default() -> Self {
        Self {
            held: Mutex::new(Held {
                rows: HashMap::new(),
                forgotten: 0,
            }),
            sweep_at: SWEEP_AT,
        }
    }
}

impl<K, R> Memory<K, R> {
    /// Makes a memory whose rows are in the clear what is sealed elsewhere: each row that is taken in lets all stale ones go.
    pub(crate) fn of_secrets() -> Self {
        Self {
            sweep_at: 0,
            ..Self::default()
        }
    }
}

impl<K: Eq + Hash, R> Memory<K, R> {
    /// Returns a row that was read a moment ago.
    pub(crate) fn recall(&self, key: &K, now: Timestamp) -> Option<Arc<R>> {
        let held = self.held();
        let remembered = held.rows.get(key)?;
        is_fresh(remembered, now).then(|| Arc::clone(&remembered.row))
    }

    /// Marks the beginning of a look-up.
    pub(crate) fn begin(&self) -> Begun {
        Begun(self.held().forgotten)
    }

    /// Takes a row in.
    pub(crate) fn remember(&self, key: K, row: R, now: Timestamp) -> Arc<R> {
        let row = Arc::new(row);
        self.insert(&mut self.held(), key, &row, now);
        row
    }

    /// Takes a row in that was looked up, unless rows were let go since then: it may have been one of them.
    pub(crate) fn remember_since(&self, begun: Begun, key: K, row: R, now: Timestamp) -> Arc<R> {
        let row = Arc::new(row);
        let mut held = self.held();
        if held.forgotten == begun.0 {
            self.insert(&mut held, key, &row, now);
        }
        row
    }

    fn insert(&self, held: &mut Held<K, R>, key: K, row: &Arc<R>, now: Timestamp) {
        let rows = &mut held.rows;
        if rows.len() >= self.sweep_at {
            rows.retain(|_, remembered| is_fresh(remembered, now));
        }
        let remembered = Remembered {
            row: Arc::clone(row),
            read_at: now,
        };
        rows.insert(key, remembered);
    }

    /// Lets a row go.
    pub(crate) fn forget(&self, key: &K) {
        self.held().rows.remove(key);
    }

    /// Lets go of every row of which `is_gone` says so, those included that are being looked up.
    pub(crate) fn forget_where(&self, is_gone: impl Fn(&K, &R) -> bool) {
        let mut held = self.held();
        held.forgotten += 1;
        let rows = &mut held.rows;
        rows.retain(|key, remembered| !is_gone(key, &remembered.row));
    }

    fn held(&self) -> MutexGuard<'_, Held<K, R>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A row from the future was read before the clock was set back.
fn is_fresh<R>(remembered: &Remembered<R>, now: Timestamp) -> bool {
    remembered.read_at <= now && now.since(remembered.read_at) < MAX_AGE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_recalled_for_two_seconds() {
        let memory = Memory::default();
        let now = Timestamp::from_millis(10_000);
        memory.remember("a", 1, now);
        for (millis, found) in [
            (9_999, false),
            (10_000, true),
            (11_999, true),
            (12_000, false),
        ] {
            let recalled = memory.recall(&"a", Timestamp::from_millis(millis));
            assert_eq!(recalled.is_some(), found, "{millis}");
        }
    }

    #[test]
    fn secrets_that_are_stale_go_with_the_next_row() {
        let [rows, secrets] = [Memory::default(), Memory::of_secrets()];
        for memory in [&rows, &secrets] {
            for (key, millis) in [("a", 0), ("b", 1_999), ("c", 2_000)] {
                memory.remember(key, 1, Timestamp::from_millis(millis));
            }
        }
        assert_eq!(rows.held().rows.len(), 3);
        assert!(!secrets.held().rows.contains_key("a"));
        assert_eq!(secrets.held().rows.len(), 2);
    }

    #[test]
    fn a_row_that_is_let_go_while_it_is_looked_up_is_not_remembered() {
        let memory = Memory::default();
        let now = Timestamp::from_millis(0);
        memory.remember("b", 1, now);
        let begun = memory.begin();
        memory.forget_where(|key, _| *key == "a");
        memory.remember_since(begun, "a", 1, now);
        assert!(memory.recall(&"a", now).is_none());
        assert!(memory.recall(&"b", now).is_some());
        memory.remember_since(memory.begin(), "a", 1, now);
        assert!(memory.recall(&"a", now).is_some());
    }
}
