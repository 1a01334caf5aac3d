//! Serves another revision of a document: an earlier one, or the one that waits.
//!
//! The content that the source has and that is not served waits from then on, so that the next look at the source does not undo the switch.

use std::sync::Arc;

use portcullis_base::{Digest, Timestamp};
use portcullis_openapi::ToolDifference;
use portcullis_store::{Actor, ApplyError, Changes, DocumentRevision, Store};

use super::history::{History, HistoryError};

/// A switch that is thought out but not made.
#[derive(Debug)]
pub struct Switch {
    /// What becomes of the tools; nothing where what is served cannot be compared.
    pub difference: Option<ToolDifference>,
    /// What waits then.
    pub waiting: Option<Digest>,
    /// What is served then.
    pub bytes: Arc<[u8]>,
    changes: Changes,
}

impl Switch {
    /// Thinks out what serving a revision changes; nothing where it is served already.
    ///
    /// # Errors
    ///
    /// When the revision cannot be used, or the store cannot be read.
    pub async fn to(
        store: &Store,
        history: &History,
        revision: &DocumentRevision,
        actor: Actor,
        now: Timestamp,
    ) -> Result<Option<Self>, HistoryError> {
        let document = &history.document;
        if revision.digest == document.digest {
            return Ok(None);
        }
        let after = history.compile(store, revision).await?;
        let before = history.compile_served(store).await?;
        let difference = before.map(|before| before.difference(&after));
        // What the source has is what waits, or else what is served.
        let of_source = document.waiting.unwrap_or(document.digest);
        let waiting = (of_source != revision.digest).then_some(of_source);
        let bytes = Arc::clone(&after.bytes);
        let put = history.serving(&after.document, after.bytes, waiting, now);
        Ok(Some(Self {
            difference,
            waiting,
            bytes,
            changes: history.change(put, actor),
        }))
    }

    /// Makes the switch, in one transaction; running gateways take it up by themselves.
    ///
    /// # Errors
    ///
    /// When the objects have changed meanwhile, or the store fails.
    pub async fn commit(self, store: &Store, now: Timestamp) -> Result<(), ApplyError> {
        store.apply(self.changes, now).await.map(drop)
    }
}
