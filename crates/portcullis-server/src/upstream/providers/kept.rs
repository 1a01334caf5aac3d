//! Documents of providers that are kept for a while: metadata and keys.
//!
//! Whoever needs one while it is fetched waits for the same answer.
//! A failure is told again for a few seconds, so that a provider that is down is not asked for every sign-in.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use moka::future::Cache;
use portcullis_base::{Clock, Timestamp};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::error::ProviderError;

/// How long a document is believed.
const AGE: Duration = Duration::from_mins(10);

/// How long a failure is told again.
const FAILURE_AGE: Duration = Duration::from_secs(5);

/// How long a document must have been there before another is asked for because it lacks something.
const RENEWAL_PAUSE: Duration = Duration::from_secs(30);

/// How many documents are kept at most.
const CAPACITY: u64 = 1000;

/// How long a document is used that nobody could renew.
const STALE_AGE: Duration = Duration::from_hours(1);

/// The documents that are there.
pub(super) struct Kept<T> {
    slots: Cache<String, Arc<Slot<T>>>,
    clock: Arc<dyn Clock>,
}

struct Slot<T> {
    held: RwLock<Option<(Arc<T>, Timestamp)>>,
    asked: Arc<Mutex<Asked>>,
}

/// How asking went.
#[derive(Default)]
struct Asked {
    failure: Option<(ProviderError, Timestamp)>,
    answered_at: Option<Timestamp>,
}

impl<T: Send + Sync + 'static> Kept<T> {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let slots = Cache::builder().max_capacity(CAPACITY).build();
        Self { slots, clock }
    }

    /// Returns a document; fetches it where it is not there or too old.
    ///
    /// One that cannot be renewed is used for an hour.
    pub(super) async fn document(
        &self,
        key: &str,
        fetch: impl Future<Output = Result<T, ProviderError>> + Send + 'static,
    ) -> Result<Arc<T>, ProviderError> {
        let slot = self.slot(key).await;
        if let Some(document) = slot.held(AGE, self.clock.now()) {
            return Ok(document);
        }
        let asked = Arc::clone(&slot.asked).lock_owned().await;
        let now = self.clock.now();
        // Whoever came before may have had it fetched.
        if let Some(document) = slot.held(AGE, now) {
            return Ok(document);
        }
        let renewed = match asked.failure(now) {
            Some(error) => Err(error),
            None => self.renew(&slot, asked, fetch).await,
        };
        renewed.or_else(|error| slot.held(STALE_AGE, self.clock.now()).ok_or(error))
    }

    /// Returns a newer document than `lacking`; none where that one is too new for another to be any better.
    pub(super) async fn newer(
        &self,
        key: &str,
        lacking: &Arc<T>,
        fetch: impl Future<Output = Result<T, ProviderError>> + Send + 'static,
    ) -> Result<Option<Arc<T>>, ProviderError> {
        let slot = self.slot(key).await;
        let asked = Arc::clone(&slot.asked).lock_owned().await;
        let now = self.clock.now();
        if let Some(held) = slot.held(STALE_AGE, now)
            && !Arc::ptr_eq(&held, lacking)
        {
            // Somebody else has had it fetched already.
            return Ok(Some(held));
        }
        // That nobody could ask says nothing of what is lacking.
        if let Some(error) = asked.failure(now) {
            return Err(error);
        }
        let is_new = |at| is_within(RENEWAL_PAUSE, at, now);
        if asked.answered_at.is_some_and(is_new) {
            return Ok(None);
        }
        self.renew(&slot, asked, fetch).await.map(Some)
    }

    /// Fetches a document, to the end even where nobody waits any more: a stranger who leaves shall not keep others from what he asked for.
    async fn renew(
        &self,
        slot: &Arc<Slot<T>>,
        mut asked: OwnedMutexGuard<Asked>,
        fetch: impl Future<Output = Result<T, ProviderError>> + Send + 'static,
    ) -> Result<Arc<T>, ProviderError> {
        let slot = Arc::clone(slot);
        let clock = Arc::clone(&self.clock);
        let renewal = async move {
            let outcome = fetch.await;
            let now = clock.now();
            match outcome {
                Ok(document) => {
                    let document = Arc::new(document);
                    slot.hold(Arc::clone(&document), now);
                    *asked = Asked {
                        failure: None,
                        answered_at: Some(now),
                    };
                    Ok(document)
                }
                Err(error) => {
                    asked.failure = Some((error.clone(), now));
                    Err(error)
                }
            }
        };
        match tokio::spawn(renewal).await {
            Ok(outcome) => outcome,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    async fn slot(&self, key: &str) -> Arc<Slot<T>> {
        self.slots
            .get_with_by_ref(key, async { Arc::default() })
            .await
    }
}

impl<T> Slot<T> {
    fn held(&self, age: Duration, now: Timestamp) -> Option<Arc<T>> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        let (document, at) = held.as_ref()?;
        is_within(age, *at, now).then(|| Arc::clone(document))
    }

    fn hold(&self, document: Arc<T>, now: Timestamp) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        *held = Some((document, now));
    }
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self {
            held: RwLock::new(None),
            asked: Arc::default(),
        }
    }
}

impl Asked {
    /// Returns a failure of a moment ago.
    fn failure(&self, now: Timestamp) -> Option<ProviderError> {
        let (error, at) = self.failure.as_ref()?;
        is_within(FAILURE_AGE, *at, now).then(|| error.clone())
    }
}

/// Tells whether less than `age` has passed; nothing is believed that comes from a time ahead, as after a clock was set back.
fn is_within(age: Duration, at: Timestamp, now: Timestamp) -> bool {
    at <= now && now.since(at) < age
}
