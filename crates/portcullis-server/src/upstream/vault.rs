//! The vault: the tokens of people's connections, unsealed for a call and for no longer than that takes.
//!
//! Decides whether a connection can be used, and what ends with it when it cannot: every grant that rests on it, because a client that is only told 401 would refresh our token and come again for ever.

use std::sync::Arc;

use portcullis_base::{ConnectionId, GrantId, Timestamp};
use portcullis_oauth::issuer::grant::EndReason;
use portcullis_oauth::issuer::person::{Connection, ConnectionStatus};
use portcullis_store::{Store, StoreError};
use thiserror::Error;

use crate::memory::Memory;

/// The connections of the store, through a short memory.
#[derive(Debug)]
pub struct Vault {
    store: Store,
    connections: Memory<ConnectionId, Connection>,
}

/// Why a connection cannot be used.
#[derive(Debug, Error)]
pub enum VaultError {
    /// Its tokens are honoured no more; the person has to sign in again.
    #[error("the connection to the provider has ended")]
    Ended {
        /// The generation of the tokens.
        generation: i64,
    },
    /// It is not there.
    #[error("the connection to the provider is not there any more")]
    Gone,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Vault {
    /// Makes a vault over what is stored.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self {
            store,
            connections: Memory::of_secrets(),
        }
    }

    /// Returns a connection that can be used as far as we know.
    ///
    /// # Errors
    ///
    /// When it has ended or its token has expired, or the store cannot be read.
    pub async fn connection(
        &self,
        id: ConnectionId,
        now: Timestamp,
    ) -> Result<Arc<Connection>, VaultError> {
        let remembered = self.connections.recall(&id, now);
        if let Some(connection) = remembered.filter(|connection| is_good(connection, now)) {
            return Ok(connection);
        }
        // A connection that ended a moment ago may have been renewed since.
        let stored = Box::pin(self.store.connection(id)).await?;
        let stored = stored.ok_or(VaultError::Gone)?;
        if is_good(&stored, now) {
            Ok(self.connections.remember(id, stored, now))
        } else {
            self.connections.forget(&id);
            Err(VaultError::Ended {
                generation: stored.generation,
            })
        }
    }

    /// Ends a connection whose tokens of this generation are honoured no more, and the grants that rest on it; says whether it has ended.
    ///
    /// It has not where the tokens were replaced meanwhile.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn lose(
        &self,
        id: ConnectionId,
        generation: i64,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.connections.forget(&id);
        let reason = EndReason::ConnectionLost;
        let has_ended = self
            .store
            .lose_connection(id, generation, reason, now)
            .await?;
        if has_ended {
            tracing::info!(connection.id = %id, "a connection has ended, and the grants on it");
        }
        Ok(has_ended)
    }

    /// Ends a grant that has no connection which its toolset can be called with.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn end_grant(&self, id: GrantId, now: Timestamp) -> Result<(), StoreError> {
        let reason = EndReason::ConnectionLost;
        if self.store.end_grant(id, reason, now).await? {
            tracing::info!(grant.id = %id, "a grant without a connection of use has ended");
        }
        Ok(())
    }
}

/// A token without a known expiry is good until somebody says otherwise.
fn is_good(connection: &Connection, now: Timestamp) -> bool {
    connection.status == ConnectionStatus::Active
        && connection.expires_at.is_none_or(|expiry| now < expiry)
}
