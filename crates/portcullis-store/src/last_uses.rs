//! When things were last used: noted at most once a minute each, and without waiting.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Mutex;
use std::time::Duration;

use portcullis_base::Timestamp;

/// How exact a last use is.
const RESOLUTION: Duration = Duration::from_mins(1);

/// The most things that are remembered; strangers decide how many clients there are.
const MAX_REMEMBERED: usize = 10_000;

/// When this process last noted the use of each thing.
#[derive(Debug)]
pub(crate) struct LastUses<K>(Mutex<HashMap<K, Timestamp>>);

impl<K> Default for LastUses<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash> LastUses<K> {
    /// Says whether a use at `now` is to be noted, and takes it as noted.
    pub(crate) fn is_due(&self, id: K, now: Timestamp) -> bool {
        let mut noted = self.0.lock().expect("nobody panics with the lock");
        let due = noted
            .get(&id)
            .is_none_or(|last| now.since(*last) >= RESOLUTION);
        if due {
            // What is forgotten is noted once more often.
            if noted.len() >= MAX_REMEMBERED {
                noted.clear();
            }
            noted.insert(id, now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_16_the_uses_of_any_number_of_clients_take_bounded_memory() {
        let uses = LastUses::default();
        let now = Timestamp::from_millis(0);
        for client in 0..3 * MAX_REMEMBERED {
            assert!(uses.is_due(client, now));
            assert!(!uses.is_due(client, now));
        }
        assert!(uses.0.lock().unwrap().len() <= MAX_REMEMBERED);
    }
}
