//! Documents of providers that are kept for a while: metadata and keys.
//!
//! Whoever needs one while it is fetched waits for the same answer.
//! A failure is told again for a few seconds, so that a provider that is down is not asked for every sign-in.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use portcullis_base::{Clock, Timestamp};
use tokio::sync::Mutex;

use super::error::ProviderError;

/// How long a document is believed.
const AGE: Duration = Duration::from_mins(10);

/// How long a failure is told again.
const FAILURE_AGE: Duration = Duration::from_secs(5);

/// How long a document must have been there before another is asked for because it lacks something.
const RENEWAL_PAUSE: Duration = Duration::from_secs(30);

/// How many documents are kept at most.
const CAPACITY: u64 = 1000;

/// The documents that are there.
pub(super) struct Kept<T> {
    slots: Cache<String, Arc<Mutex<Slot<T>>>>,
    clock: Arc<dyn Clock>,
}

struct Slot<T> {
    held: Option<(Arc<T>, Timestamp)>,
    failure: Option<(ProviderError, Timestamp)>,
    asked_at: Option<Timestamp>,
}

impl<T: Send + Sync + 'static> Kept<T> {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let slots = Cache::builder().max_capacity(CAPACITY).build();
        Self { slots, clock }
    }

    /// Returns a document; fetches it where it is not there or too old.
    pub(super) async fn document(
        &self,
        key: &str,
        fetch: impl Future<Output = Result<T, ProviderError>>,
    ) -> Result<Arc<T>, ProviderError> {
        let slot = self.slot(key).await;
        let mut slot = slot.lock().await;
        let now = self.clock.now();
        if let Some((document, at)) = &slot.held
            && is_within(AGE, *at, now)
        {
            return Ok(Arc::clone(document));
        }
        if let Some((error, at)) = &slot.failure
            && is_within(FAILURE_AGE, *at, now)
        {
            return Err(error.clone());
        }
        self.renew(&mut slot, fetch).await
    }

    /// Returns a newer document than `lacking`; none where that one is too new for another to be any better.
    pub(super) async fn newer(
        &self,
        key: &str,
        lacking: &Arc<T>,
        fetch: impl Future<Output = Result<T, ProviderError>>,
    ) -> Result<Option<Arc<T>>, ProviderError> {
        let slot = self.slot(key).await;
        let mut slot = slot.lock().await;
        if let Some((held, _)) = &slot.held
            && !Arc::ptr_eq(held, lacking)
        {
            // Somebody else has had it fetched already.
            return Ok(Some(Arc::clone(held)));
        }
        let now = self.clock.now();
        if slot
            .asked_at
            .is_some_and(|at| is_within(RENEWAL_PAUSE, at, now))
        {
            return Ok(None);
        }
        self.renew(&mut slot, fetch).await.map(Some)
    }

    /// What was held stays where nothing newer can be had; its age is bounded all the same.
    async fn renew(
        &self,
        slot: &mut Slot<T>,
        fetch: impl Future<Output = Result<T, ProviderError>>,
    ) -> Result<Arc<T>, ProviderError> {
        slot.asked_at = Some(self.clock.now());
        let outcome = fetch.await;
        let now = self.clock.now();
        match outcome {
            Ok(document) => {
                let document = Arc::new(document);
                slot.held = Some((Arc::clone(&document), now));
                slot.failure = None;
                Ok(document)
            }
            Err(error) => {
                slot.failure = Some((error.clone(), now));
                Err(error)
            }
        }
    }

    async fn slot(&self, key: &str) -> Arc<Mutex<Slot<T>>> {
        self.slots
            .get_with_by_ref(key, async { Arc::default() })
            .await
    }
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self {
            held: None,
            failure: None,
            asked_at: None,
        }
    }
}

/// Tells whether less than `age` has passed; nothing is believed that comes from a time ahead, as after a clock was set back.
fn is_within(age: Duration, at: Timestamp, now: Timestamp) -> bool {
    at <= now && now.since(at) < age
}
