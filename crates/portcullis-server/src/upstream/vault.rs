//! The vault: the tokens of people's connections, unsealed for a call and for no longer than that takes.
//!
//! Decides whether a connection can be used, and what ends with it when it cannot: every grant that rests on it, because a client that is only told 401 would refresh our token and come again for ever.

use std::sync::Arc;

use portcullis_base::{ConnectionId, Timestamp};
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
    /// The person has to sign in again.
    #[error("the connection to the provider has ended")]
    Ended,
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
            connections: Memory::default(),
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
        let connection = if let Some(connection) = self.connections.recall(&id, now) {
            connection
        } else {
            let stored = Box::pin(self.store.connection(id)).await?;
            let stored = stored.ok_or(VaultError::Ended)?;
            self.connections.remember(id, stored, now)
        };
        if is_good(&connection, now) {
            Ok(connection)
        } else {
            Err(VaultError::Ended)
        }
    }

    /// Ends a connection that the provider or the API does not honour any more, and the grants that rest on it.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn lose(&self, id: ConnectionId, now: Timestamp) -> Result<(), StoreError> {
        let status = ConnectionStatus::NeedsReauthorization;
        self.store.set_connection_status(id, status, now).await?;
        let reason = EndReason::ConnectionLost;
        let ended = self.store.end_grants_of_connection(id, reason, now).await?;
        self.connections.forget(&id);
        tracing::info!(connection.id = %id, grants = ended, "a connection has ended, and the grants on it");
        Ok(())
    }
}

/// A token without a known expiry is good until somebody says otherwise.
fn is_good(connection: &Connection, now: Timestamp) -> bool {
    connection.status == ConnectionStatus::Active
        && connection
            .tokens
            .expires_at
            .is_none_or(|expiry| now < expiry)
}
