//! How often one address may do what costs us or others something before anybody is known.
//!
//! [`AddressQuota`] counts whatever is done; [`FailureQuota`] counts only what came to nothing, so that many people behind one address are not in each other's way.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use governor::clock::DefaultClock;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use moka::future::Cache;
use portcullis_base::Timestamp;

/// How many addresses are remembered at least before those that have been quiet are forgotten.
const SWEEP_AT: usize = 4096;

/// What each address has begun lately.
pub(crate) struct AddressQuota {
    limiter: RateLimiter<IpAddr, HashMapStateStore<IpAddr>, DefaultClock>,
    /// How many addresses there are when the next sweep comes.
    sweep_at: AtomicUsize,
}

impl AddressQuota {
    pub(crate) fn per_minute(most: NonZeroU32) -> Self {
        Self {
            limiter: RateLimiter::hashmap(Quota::per_minute(most)),
            sweep_at: AtomicUsize::new(SWEEP_AT),
        }
    }

    /// Counts one more, unless that is too many; requests whose address is unknown share one quota.
    pub(crate) fn takes(&self, address: Option<IpAddr>) -> bool {
        if self.limiter.len() >= self.sweep_at.load(Ordering::Relaxed) {
            self.sweep();
        }
        self.limiter.check_key(&known(address)).is_ok()
    }

    /// Forgets the addresses that have been quiet.
    ///
    /// The next sweep comes when there are twice as many as are left: a flood from many addresses would otherwise have every request look at all of them.
    fn sweep(&self) {
        self.limiter.retain_recent();
        let next = SWEEP_AT.max(2 * self.limiter.len());
        self.sweep_at.store(next, Ordering::Relaxed);
    }
}

/// The time within which failures are counted together.
const WINDOW: Duration = Duration::from_mins(1);

/// How many addresses are remembered for their failures.
const FAILING: u64 = 10_000;

/// How often each address has failed lately.
pub(crate) struct FailureQuota {
    most: u32,
    failed: Cache<IpAddr, Failed>,
}

#[derive(Clone, Copy)]
struct Failed {
    since: Timestamp,
    count: u32,
}

impl FailureQuota {
    pub(crate) fn per_minute(most: u32) -> Self {
        let failed = Cache::builder().max_capacity(FAILING).build();
        Self { most, failed }
    }

    /// Tells whether an address has failed so often that it has to wait; requests whose address is unknown share one quota.
    pub(crate) async fn is_spent(&self, address: Option<IpAddr>, now: Timestamp) -> bool {
        let failed = self.failed.get(&known(address)).await;
        failed.is_some_and(|it| it.lasts(now) && it.count >= self.most)
    }

    /// Counts a failure.
    pub(crate) async fn count(&self, address: Option<IpAddr>, now: Timestamp) {
        let entry = self.failed.entry(known(address));
        let counted = entry.and_upsert_with(|before| {
            let before = before.map(moka::Entry::into_value);
            let before = before.filter(|it| it.lasts(now));
            let (since, count) = before.map_or((now, 0), |it| (it.since, it.count));
            std::future::ready(Failed {
                since,
                count: count.saturating_add(1),
            })
        });
        counted.await;
    }
}

impl Failed {
    fn lasts(&self, now: Timestamp) -> bool {
        (self.since..self.since.after(WINDOW)).contains(&now)
    }
}

fn known(address: Option<IpAddr>) -> IpAddr {
    neighbourhood(address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
}

/// One subscriber has a whole /64 of addresses.
fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = u128::from(address) >> 64 << 64;
            IpAddr::V6(network.into())
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str) -> IpAddr {
        address.parse().unwrap()
    }

    #[test]
    fn r_16_a_flood_from_many_addresses_is_not_swept_at_each_of_them() {
        let quota = AddressQuota::per_minute(NonZeroU32::new(1).unwrap());
        let address = |index: usize| {
            let index = u32::try_from(index).unwrap();
            Some(IpAddr::V4(Ipv4Addr::from(index)))
        };
        for index in 0..=SWEEP_AT {
            assert!(quota.takes(address(index)));
        }
        // All of them are recent, so that none was forgotten, and the next sweep is far off.
        assert_eq!(quota.limiter.len(), SWEEP_AT + 1);
        assert_eq!(quota.sweep_at.load(Ordering::Relaxed), 2 * SWEEP_AT);
        assert!(!quota.takes(address(0)));
    }

    #[test]
    fn r_16_neighbours_share_a_quota_and_strangers_do_not() {
        let quota = AddressQuota::per_minute(NonZeroU32::new(1).unwrap());
        assert!(quota.takes(Some(at("2001:db8::1"))));
        assert!(!quota.takes(Some(at("2001:db8::ffff:2"))));
        assert!(quota.takes(Some(at("2001:db8:0:1::1"))));
        assert!(quota.takes(Some(at("192.0.2.1"))));
        assert!(!quota.takes(Some(at("::ffff:192.0.2.1"))));
        assert!(quota.takes(None));
    }

    #[tokio::test]
    async fn x_07_failures_are_forgotten_after_a_minute_and_neighbours_share_them() {
        let quota = FailureQuota::per_minute(2);
        let (now, ours) = (Timestamp::from_millis(0), Some(at("2001:db8::1")));
        for _ in 0..2 {
            assert!(!quota.is_spent(ours, now).await);
            quota.count(ours, now).await;
        }
        assert!(quota.is_spent(Some(at("2001:db8::2")), now).await);
        assert!(!quota.is_spent(Some(at("192.0.2.1")), now).await);
        assert!(!quota.is_spent(None, now).await);
        let later = now.after(WINDOW);
        assert!(!quota.is_spent(ours, later).await);
        quota.count(ours, later).await;
        assert!(!quota.is_spent(ours, later).await);
        // A clock that was set back counts nothing for longer.
        quota.count(ours, later).await;
        assert!(quota.is_spent(ours, later).await);
        assert!(!quota.is_spent(ours, now).await);
    }
}
