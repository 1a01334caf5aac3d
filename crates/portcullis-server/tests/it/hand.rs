//! What tests of several parts share: a clock that is turned by hand, and a guard that lets loopback be reached.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use portcullis_base::{Clock, Timestamp};
use portcullis_server::upstream::policy::EgressPolicy;

/// A clock that is turned by hand.
#[derive(Default)]
pub(crate) struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

impl Hand {
    pub(crate) fn turn(&self, by: Duration) {
        let millis = i64::try_from(by.as_millis()).expect("a time that can pass");
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

/// Allows the whole of loopback.
pub(crate) fn loopback() -> EgressPolicy {
    EgressPolicy::default().allow_network("127.0.0.0/8".parse().expect("a block"))
}
