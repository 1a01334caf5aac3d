//! One time for all replicas: the database's, where they share a server of it.
//!
//! What one replica stores with a time is judged by another: a code that is good for a minute, a refresh token that was replaced a moment ago.
//! Machines whose clocks are minutes apart would refuse codes and take people's own processes for thieves.
//! So each looks at the database's clock when it starts and once a minute, and counts from there; timers are not touched.
//! Nothing is done on SQLite, whose processes share a machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use portcullis_base::{Clock, Timestamp};
use portcullis_store::{Store, StoreError};

/// Differences that are not worth a jump.
const NEGLIGIBLE: Duration = Duration::from_millis(500);

/// A difference that somebody should mend.
const GRAVE: Duration = Duration::from_secs(5);

/// A machine's clock, set by the database's.
pub(crate) struct SharedClock {
    machine: Arc<dyn Clock>,
    /// How far the database is ahead of the machine.
    ahead_ms: AtomicI64,
}

impl SharedClock {
    /// Begins with the machine's own time.
    pub(crate) fn new(machine: Arc<dyn Clock>) -> Self {
        Self {
            machine,
            ahead_ms: AtomicI64::new(0),
        }
    }

    /// Looks at the database's clock.
    ///
    /// # Errors
    ///
    /// When the database does not answer; the time goes on as before.
    pub(crate) async fn set_by(&self, store: &Store) -> Result<(), StoreError> {
        let asked_at = self.machine.now();
        if let Some(there) = store.time().await? {
            self.adopt(there, asked_at, self.machine.now());
        }
        Ok(())
    }

    /// Takes over what the database said between two moments, unless the difference is small or may come of the way there and back.
    fn adopt(&self, there: Timestamp, asked_at: Timestamp, answered_at: Timestamp) {
        let took = answered_at.since(asked_at);
        let here = asked_at.after(took / 2);
        let ahead = there.as_millis().saturating_sub(here.as_millis());
        let before = self.ahead_ms.load(Ordering::Relaxed);
        let change = Duration::from_millis(ahead.abs_diff(before));
        if change <= NEGLIGIBLE.max(took) {
            return;
        }
        self.ahead_ms.store(ahead, Ordering::Relaxed);
        if change >= GRAVE {
            tracing::warn!(
                ahead_ms = ahead,
                "this machine's clock is not that of the database; the database's counts"
            );
        }
    }
}

impl Clock for SharedClock {
    fn now(&self) -> Timestamp {
        let ahead = self.ahead_ms.load(Ordering::Relaxed);
        let machine = self.machine.now().as_millis();
        Timestamp::from_millis(machine.saturating_add(ahead))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Stopped(i64);

    impl Clock for Stopped {
        fn now(&self) -> Timestamp {
            at(self.0)
        }
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn clock(machine: i64) -> SharedClock {
        SharedClock::new(Arc::new(Stopped(machine)))
    }

    #[test]
    fn replicas_whose_clocks_are_minutes_apart_agree() {
        for machine in [850_000, 1_000_000, 1_150_000] {
            let clock = clock(machine);
            clock.adopt(at(1_000_000), at(machine - 5), at(machine + 5));
            assert_eq!(clock.now(), at(1_000_000), "{machine}");
        }
    }

    #[test]
    fn a_small_difference_or_an_answer_that_took_long_sets_nothing() {
        let clock = clock(1_000_000);
        clock.adopt(at(1_000_400), at(1_000_000), at(1_000_000));
        assert_eq!(clock.now(), at(1_000_000));
        // It may have looked at its clock at any time of these ten seconds.
        clock.adopt(at(1_010_000), at(1_000_000), at(1_010_000));
        assert_eq!(clock.now(), at(1_000_000));
    }
}
