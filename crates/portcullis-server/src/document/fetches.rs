//! What was fetched of documents that the store does not have yet, for as long as it need not be fetched again.
//!
//! A configuration that is refused is read again at every look, and its documents shall not be fetched as often.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use portcullis_base::{Clock, Slug, Timestamp};
use portcullis_store::Validators;
use tokio::sync::Mutex as AsyncMutex;

use super::fetch::{Fetched, Fetcher};
use super::refresh::REST;
use crate::config::{RemoteContent, RemoteDocument};

/// Fetches documents, and remembers for a while what came of it.
pub struct Fetches {
    fetcher: Fetcher,
    clock: Arc<dyn Clock>,
    /// By slug and what stands for the URL.
    kept: Mutex<HashMap<(Slug, String), Arc<Place>>>,
}

/// What came of one document, where it was fetched; held while it is, so that nobody fetches it twice and nobody waits for another one.
type Place = AsyncMutex<Option<Kept>>;

struct Kept {
    outcome: Result<RemoteContent, String>,
    until: Timestamp,
}

const NO_PANIC: &str = "nobody panics with the lock";

impl Fetches {
    /// Makes one that remembers nothing.
    #[must_use]
    pub fn new(fetcher: Fetcher, clock: Arc<dyn Clock>) -> Self {
        Self {
            fetcher,
            clock,
            kept: Mutex::default(),
        }
    }

    /// Returns what fetches.
    pub(crate) fn fetcher(&self) -> &Fetcher {
        &self.fetcher
    }

    /// Returns what a document's URL holds, or held within the time after which it is looked at again; a failure is remembered for five minutes at most.
    ///
    /// # Errors
    ///
    /// When it cannot be fetched, for people.
    pub async fn of(&self, document: &RemoteDocument) -> Result<RemoteContent, String> {
        let place = self.place(document);
        let mut kept = place.lock().await;
        let now = self.clock.now();
        if let Some(known) = kept.as_ref().filter(|known| now < known.until) {
            return known.outcome.clone();
        }
        // What is not what the URL has any more need not stay beside it.
        *kept = None;
        let outcome = self.fetch(document).await;
        let every = Duration::from_secs(u64::from(document.settings.refresh_seconds));
        let rest = if outcome.is_ok() {
            every
        } else {
            every.min(REST)
        };
        *kept = Some(Kept {
            outcome: outcome.clone(),
            until: self.clock.now().after(rest),
        });
        outcome
    }

    /// Forgets what none of the documents holds any more, and waits for nobody who fetches.
    pub(crate) fn keep_only(&self, documents: &[&RemoteDocument]) {
        let mut kept = self.kept.lock().expect(NO_PANIC);
        kept.retain(|(slug, source), _| {
            let mut documents = documents.iter();
            documents.any(|it| it.slug == *slug && it.source() == *source)
        });
    }

    fn place(&self, document: &RemoteDocument) -> Arc<Place> {
        let key = (document.slug.clone(), document.source());
        let mut kept = self.kept.lock().expect(NO_PANIC);
        Arc::clone(kept.entry(key).or_default())
    }

    async fn fetch(&self, document: &RemoteDocument) -> Result<RemoteContent, String> {
        let nothing = Validators::default();
        match self.fetcher.fetch(&document.url, &nothing).await {
            Ok(Fetched::Content(content)) => {
                Ok(RemoteContent::new(content.bytes.into(), content.remarks))
            }
            Ok(Fetched::Same) => Err("it says that it has what nobody has seen".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}
