//! Keeps connections alive that nobody uses, at providers that end refresh tokens which rest.
//!
//! A few at a time, in the order of their ids, so that they spread over the day and one that fails holds up no other.
//! Several replicas may do this at once: whoever has the claim on a connection renews it, and the others find it renewed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use portcullis_base::{Clock, ConnectionId, Slug};
use portcullis_oauth::client::provider::ResolvedProvider;
use portcullis_store::{IdleConnections, Store, StoreError};

use super::vault::{Vault, VaultError, VaultParts};
use crate::catalogue::Catalogue;

/// How many connections of a provider are renewed at one look.
const AT_ONCE: u32 = 20;

/// What keeps connections alive.
pub struct Keeper {
    vault: Arc<Vault>,
    store: Store,
    clock: Arc<dyn Clock>,
    /// Which providers there are.
    catalogue: Arc<ArcSwap<Catalogue>>,
    /// Where the next look begins, by provider.
    places: HashMap<Slug, ConnectionId>,
}

impl Keeper {
    /// Makes one.
    #[must_use]
    pub fn new(vault: Arc<Vault>, parts: VaultParts, catalogue: Arc<ArcSwap<Catalogue>>) -> Self {
        Self {
            vault,
            store: parts.store,
            clock: parts.clock,
            catalogue,
            places: HashMap::new(),
        }
    }

    /// Renews a few connections at every provider for which the operator asks for it; says how many.
    ///
    /// # Errors
    ///
    /// When the store cannot be used.
    pub async fn look(&mut self) -> Result<usize, StoreError> {
        let catalogue = self.catalogue.load_full();
        let mut renewed = 0;
        for provider in catalogue.providers.values() {
            if let Some(idle) = provider.keep_alive() {
                renewed += self.keep(provider, idle).await?;
            }
        }
        Ok(renewed)
    }

    async fn keep(
        &mut self,
        provider: &Arc<ResolvedProvider>,
        idle: Duration,
    ) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let wanted = IdleConnections {
            provider: provider.slug(),
            before: now.before(idle),
            after: self.places.remove(provider.slug()),
            limit: AT_ONCE,
        };
        let mut renewed = 0;
        for id in self.store.idle_connections(wanted, now).await? {
            self.places.insert(provider.slug().clone(), id);
            match self.vault.keep_alive(id, provider, idle).await {
                Ok(is_renewed) => renewed += usize::from(is_renewed),
                Err(VaultError::Store(error)) => return Err(error),
                // A provider that is not well is left alone until the next look.
                Err(error @ VaultError::Later { .. }) => {
                    tracing::debug!(upstream.provider = %provider.slug(), %error, "connections are not kept alive for now");
                    break;
                }
                Err(error) => {
                    tracing::debug!(connection.id = %id, %error, "a connection is not kept alive");
                }
            }
        }
        Ok(renewed)
    }
}
