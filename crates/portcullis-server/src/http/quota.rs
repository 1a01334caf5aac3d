//! How often one address may do what costs us or others something before anybody is known.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};

use governor::clock::DefaultClock;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

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
        let address = address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        if self.limiter.len() >= self.sweep_at.load(Ordering::Relaxed) {
            self.sweep();
        }
        self.limiter.check_key(&neighbourhood(address)).is_ok()
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
}
