//! What is stored of the credentials that callers present, looked up once and then remembered for a moment.

use std::sync::Arc;

use portcullis_base::{ApiKeyId, Digest, Timestamp};
use portcullis_oauth::issuer::grant::AccessTokenRow;
use portcullis_store::{ApiKeyRow, Notice, Notices, Store, StoreError};
use tokio::sync::Notify;

use crate::memory::Memory;

/// API keys and access tokens of the store, through a short memory.
#[derive(Debug)]
pub struct KeyCache {
    store: Store,
    keys: Memory<Digest, ApiKeyRow>,
    tokens: Memory<Digest, AccessTokenRow>,
}

impl KeyCache {
    /// Makes the memory, empty.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self {
            store,
            keys: Memory::default(),
            tokens: Memory::default(),
        }
    }

    /// Returns what is stored of an API key, at most two seconds old.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn key(
        &self,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<Option<Arc<ApiKeyRow>>, StoreError> {
        if let Some(row) = self.keys.recall(digest, now) {
            return Ok(Some(row));
        }
        let begun = self.keys.begin();
        // On the heap, so that the many requests that find the row remembered have no room set aside for a query.
        let row = Box::pin(self.store.api_key_by_digest(digest)).await?;
        if row.is_none() {
            self.keys.forget(digest);
        }
        Ok(row.map(|row| self.keys.remember_since(begun, *digest, row, now)))
    }

    /// Returns what is stored of an access token, at most two seconds old.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn token(
        &self,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<Option<Arc<AccessTokenRow>>, StoreError> {
        if let Some(row) = self.tokens.recall(digest, now) {
            return Ok(Some(row));
        }
        let begun = self.tokens.begin();
        let row = Box::pin(self.store.access_token(digest)).await?;
        match &row {
            None => self.tokens.forget(digest),
            Some(row) => {
                if let Some(refreshed) = row.unconfirmed {
                    self.store.confirm_access_token(*digest, refreshed, now);
                }
            }
        }
        Ok(row.map(|row| self.tokens.remember_since(begun, *digest, row, now)))
    }

    /// Lets an access token be looked up anew, because its grant has ended.
    pub fn forget_token(&self, digest: &Digest) {
        self.tokens.forget(digest);
    }

    /// Lets go of what other processes say has ended, for ever; wakes `revised` where what is published may have changed.
    pub async fn follow(&self, mut notices: Notices, revised: &Notify) {
        loop {
            let notice = notices.next().await;
            if matches!(notice, Notice::Revised | Notice::Missed) {
                revised.notify_one();
            }
            self.heed(&notice);
        }
    }

    fn heed(&self, notice: &Notice) {
        match notice {
            Notice::Revised => {}
            Notice::ApiKeyRevoked(id) => self.keys.forget_where(|_, row| row.id == *id),
            Notice::GrantEnded(id) => self.tokens.forget_where(|_, row| row.grant.id == *id),
            Notice::AccessTokenEnded(of) => {
                self.tokens
                    .forget_where(|digest, _| digest.fingerprint() == *of);
            }
            Notice::Missed => {
                self.keys.forget_where(|_, _| true);
                self.tokens.forget_where(|_, _| true);
            }
        }
    }

    /// Notes that a key let somebody in.
    pub fn used(&self, id: ApiKeyId, now: Timestamp) {
        self.store.touch_api_key(id, now);
    }
}
