//! How a connection is renewed: once, whoever and however many need it.
//!
//! In one process those who need it wait for the same attempt; among processes the claim in its row decides who asks the provider, and the others take over what comes of it.
//! The next tokens are on disk before anybody uses them, and the attempt goes on where the call that began it is given up: a provider that replaces refresh tokens would not give them again.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use moka::future::Cache;
use portcullis_base::{ConnectionId, Retry, Secret, Slug, Timestamp};
use portcullis_oauth::client::provider::ResolvedProvider;
use portcullis_oauth::client::ready::ReadyProvider;
use portcullis_oauth::issuer::person::{Connection, ConnectionStatus, ConnectionTokens};
use portcullis_store::StoreError;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::{Vault, VaultError, is_good};
use crate::upstream::providers::{ProviderError, RenewalError};

/// How long a claim lasts: longer than a provider is waited for with our secret sent in two ways, and than its answer is tried to be stored.
const CLAIM: Duration = Duration::from_mins(1);

/// How long a call waits whose token is still good.
const SOON: Duration = Duration::from_secs(2);

/// How often, and how many times, others look whether the holder of a claim is done.
const LOOK: Duration = Duration::from_millis(100);
const MOST_LOOKS: usize = 100;

/// How often the next tokens are tried to be stored, where the store is busy or away.
const ATTEMPTS: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// How long a provider is left alone after a failure; doubled each time, up to the longest.
const FIRST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_mins(1);

/// How long a provider is left alone at most because it says so (`Retry-After`).
const LONGEST_ASKED_REST: Duration = Duration::from_mins(10);

/// How many connections are kept in mind at most.
const CAPACITY: u64 = 10_000;

/// The renewals under way, those that failed a moment ago, and the providers that want to be left alone.
pub(super) struct Renewals {
    slots: Cache<ConnectionId, Arc<Mutex<Option<Failure>>>>,
    resting: std::sync::Mutex<HashMap<Slug, (ProviderError, Timestamp)>>,
}

impl Default for Renewals {
    fn default() -> Self {
        Self {
            slots: Cache::builder().max_capacity(CAPACITY).build(),
            resting: std::sync::Mutex::default(),
        }
    }
}

impl Renewals {
    async fn slot(&self, id: ConnectionId) -> Arc<Mutex<Option<Failure>>> {
        self.slots.get_with(id, async { Arc::default() }).await
    }

    /// Leaves a provider alone until then, with whatever connection.
    fn rest(&self, provider: &Slug, error: &ProviderError, until: Timestamp) {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.insert(provider.clone(), (error.clone(), until));
    }

    /// Says why a provider is left alone, where it is.
    fn resting(&self, provider: &Slug, now: Timestamp) -> Option<VaultError> {
        let resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        let (error, until) = resting.get(provider).filter(|(_, until)| now < *until)?;
        Some(VaultError::Later {
            error: error.clone(),
            retry_after: Some(until.since(now)),
        })
    }
}

struct Failure {
    error: ProviderError,
    rest: Duration,
    until: Timestamp,
}

impl Vault {
    /// Renews a connection whose token is still good, unless somebody does already; nothing where that takes long or fails.
    pub(super) async fn renewed_soon(
        self: &Arc<Self>,
        stored: &Connection,
        provider: &Arc<ResolvedProvider>,
    ) -> Option<Connection> {
        let slot = self.renewals.slot(stored.id).await;
        // Others use what they have meanwhile.
        drop(slot.try_lock().ok()?);
        let renewed = timeout(SOON, self.renewed(stored, provider)).await.ok()?;
        renewed
            .inspect_err(|error| tracing::debug!(connection.id = %stored.id, %error, "a connection is not renewed yet"))
            .ok()
    }

    /// Renews a connection, or waits for whoever does.
    pub(super) async fn renewed(
        self: &Arc<Self>,
        stored: &Connection,
        provider: &Arc<ResolvedProvider>,
    ) -> Result<Connection, VaultError> {
        let vault = Arc::clone(self);
        let provider = Arc::clone(provider);
        let (id, generation) = (stored.id, stored.generation);
        let attempt = async move { vault.in_turn(id, generation, &provider).await };
        match tokio::spawn(attempt).await {
            Ok(outcome) => outcome,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    async fn in_turn(
        &self,
        id: ConnectionId,
        generation: i64,
        provider: &Arc<ResolvedProvider>,
    ) -> Result<Connection, VaultError> {
        let slot = self.renewals.slot(id).await;
        let mut failure = slot.lock().await;
        // Whoever came before may have renewed it.
        let stored = self.stored(id).await?;
        if stored.generation != generation && is_good(&stored, self.clock.now()) {
            return Ok(stored);
        }
        if let Some(failure) = failure.as_ref().filter(|it| self.clock.now() < it.until) {
            return Err(VaultError::Later {
                error: failure.error.clone(),
                retry_after: Some(failure.until.since(self.clock.now())),
            });
        }
        if let Some(later) = self.renewals.resting(provider.slug(), self.clock.now()) {
            return Err(later);
        }
        match self.attempt(stored, provider).await {
            Err(VaultError::Later { error, retry_after }) => {
                self.metrics.connection_renewal("failed");
                let rest = failure.as_ref().map_or(FIRST_REST, |it| it.rest * 2);
                let rest = rest.min(LONGEST_REST);
                let asked = retry_after.unwrap_or_default().min(LONGEST_ASKED_REST);
                if retry_after.is_some() {
                    let until = self.clock.now().after(asked);
                    self.renewals.rest(provider.slug(), &error, until);
                }
                *failure = Some(Failure {
                    error: error.clone(),
                    rest,
                    until: self.clock.now().after(rest.max(asked)),
                });
                Err(VaultError::Later {
                    error,
                    retry_after: Some(rest.max(asked)),
                })
            }
            outcome => {
                *failure = None;
                outcome
            }
        }
    }

    async fn attempt(
        &self,
        stored: Connection,
        provider: &Arc<ResolvedProvider>,
    ) -> Result<Connection, VaultError> {
        // Before the claim, which is for the one request that must not be made twice.
        let ready = self.providers.ready(provider).await;
        let ready = ready.map_err(|error| VaultError::Later {
            error,
            retry_after: None,
        })?;
        let mut stored = stored;
        for _ in 0..MOST_LOOKS {
            let now = self.clock.now();
            let until = now.after(CLAIM);
            let (id, generation) = (stored.id, stored.generation);
            let claimed = self.store.claim_renewal(id, generation, until, now).await?;
            if let Some(refresh_token) = claimed {
                let claim = Claim {
                    refresh_token,
                    until,
                };
                return self.ask(stored, &ready, claim).await;
            }
            if is_good(&stored, now) {
                return Err(VaultError::Busy);
            }
            pause(LOOK).await;
            let after = self.stored(id).await?;
            if after.status != ConnectionStatus::Active || !after.is_renewable {
                return Err(VaultError::Ended {
                    generation: after.generation,
                });
            }
            if after.generation != generation && is_good(&after, self.clock.now()) {
                return Ok(after);
            }
            stored = after;
        }
        Err(VaultError::Busy)
    }

    /// Asks the provider, with the claim in hand.
    async fn ask(
        &self,
        stored: Connection,
        ready: &ReadyProvider,
        claim: Claim,
    ) -> Result<Connection, VaultError> {
        let (id, generation) = (stored.id, stored.generation);
        let Claim {
            refresh_token,
            until,
        } = claim;
        let renewed = self
            .providers
            .renew(ready, &refresh_token, &stored.scopes)
            .await;
        match renewed {
            Ok(tokens) => {
                self.keep(id, generation, tokens).await?;
                // Whoever was faster, or ended it, counts.
                let after = self.stored(id).await?;
                if !is_good(&after, self.clock.now()) {
                    return Err(VaultError::Ended {
                        generation: after.generation,
                    });
                }
                self.metrics.connection_renewal("renewed");
                Ok(after)
            }
            Err(RenewalError::Ended) => {
                self.store
                    .give_up_renewal(id, generation, until, true)
                    .await?;
                self.metrics.connection_renewal("ended");
                tracing::info!(connection.id = %id, upstream.provider = %stored.provider, "the provider honours a refresh token no more; the person signs in again once the access token is at its end");
                if is_good(&stored, self.clock.now()) {
                    return Ok(Connection {
                        is_renewable: false,
                        ..stored
                    });
                }
                Err(VaultError::Ended { generation })
            }
            Err(RenewalError::Later { error, retry_after }) => {
                self.store
                    .give_up_renewal(id, generation, until, false)
                    .await?;
                Err(VaultError::Later { error, retry_after })
            }
        }
    }

    /// Stores the next tokens, and tries again where the store is away: they are in hand, and would not be given twice.
    async fn keep(
        &self,
        id: ConnectionId,
        generation: i64,
        tokens: ConnectionTokens,
    ) -> Result<(), StoreError> {
        let mut rest = FIRST_PAUSE;
        for attempt in 1.. {
            let now = self.clock.now();
            let stored = self
                .store
                .renew_connection(id, generation, tokens.clone(), now);
            match stored.await {
                Ok(true) => return Ok(()),
                Ok(false) => {
                    tracing::warn!(connection.id = %id, "a connection was renewed elsewhere, or ended, while its next tokens came");
                    return Ok(());
                }
                Err(error) if attempt < ATTEMPTS && error.retry() != Retry::Never => {
                    tracing::warn!(connection.id = %id, %error, "the next tokens of a connection cannot be stored yet");
                    pause(rest).await;
                    rest *= 2;
                }
                Err(error) => {
                    tracing::error!(connection.id = %id, %error, "the next tokens of a connection are lost; where the provider replaces refresh tokens, the person has to sign in again");
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    async fn stored(&self, id: ConnectionId) -> Result<Connection, VaultError> {
        self.store.connection(id).await?.ok_or(VaultError::Gone)
    }
}

/// The right to ask the provider.
struct Claim {
    refresh_token: Secret,
    until: Timestamp,
}

#[expect(
    clippy::disallowed_methods,
    reason = "whoever waits for another process or for the store has nothing else to wait on"
)]
async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
