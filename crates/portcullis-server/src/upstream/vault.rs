//! The vault: the tokens of people's connections, unsealed for a call and for no longer than that takes.
//!
//! Decides whether a connection can be used, when it is renewed, and what ends with it when it cannot be: every grant that rests on it, because a client that is only told 401 would refresh our token and come again for ever.
//! How it is renewed is `vault/renewal.rs`'s.

mod renewal;

use std::sync::Arc;
use std::time::Duration;

use portcullis_base::{Blame, Clock, ConnectionId, GrantId, Timestamp};
use portcullis_oauth::client::provider::ResolvedProvider;
use portcullis_oauth::issuer::grant::EndReason;
use portcullis_oauth::issuer::person::{Connection, ConnectionStatus};
use portcullis_store::{Store, StoreError};
use thiserror::Error;

use super::providers::{ProviderError, Providers};
use crate::memory::Memory;
use crate::telemetry::metrics::Metrics;
use renewal::Renewals;

/// How long before its end a token is renewed: a tenth of its life, and at most this.
const LONGEST_MARGIN: Duration = Duration::from_mins(2);

/// How old tokens must be for an API's 401 to be their end: newer ones would be refused as well.
const SETTLED: Duration = Duration::from_secs(5);

/// The connections of the store, through a short memory, and what renews them.
pub struct Vault {
    store: Store,
    connections: Memory<ConnectionId, Connection>,
    providers: Arc<Providers>,
    renewals: Renewals,
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
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
    /// Its tokens have expired, and nobody can tell whether the provider gives others.
    #[error("the connection to the provider cannot be renewed at the moment: {error}")]
    Later {
        /// Why not now.
        error: ProviderError,
        /// For how long the provider wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// Another process renews it, and takes long.
    #[error("the connection to the provider is being renewed")]
    Busy,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl VaultError {
    /// Says who can mend it.
    #[must_use]
    pub fn blame(&self) -> Blame {
        match self {
            Self::Ended { .. } | Self::Gone => Blame::Caller,
            Self::Later { error, .. } => error.blame(),
            Self::Busy => Blame::Upstream,
            Self::Store(error) => error.blame(),
        }
    }
}

/// What a vault is made of, and what revokes the tokens that left it.
#[derive(Clone)]
pub struct VaultParts {
    /// Where connections are kept.
    pub store: Store,
    /// The way to the providers.
    pub providers: Arc<Providers>,
    /// Where renewals are counted.
    pub metrics: Arc<Metrics>,
    /// For lifetimes.
    pub clock: Arc<dyn Clock>,
}

impl Vault {
    /// Makes a vault over what is stored.
    #[must_use]
    pub fn new(parts: VaultParts) -> Self {
        Self {
            store: parts.store,
            connections: Memory::of_secrets(),
            providers: parts.providers,
            renewals: Renewals::default(),
            metrics: parts.metrics,
            clock: parts.clock,
        }
    }

    /// Returns a connection that can be used as far as we know, renewed where its token is about to expire.
    ///
    /// # Errors
    ///
    /// When it has ended or cannot be renewed at the moment, or the store cannot be used.
    pub async fn connection(
        self: &Arc<Self>,
        id: ConnectionId,
        provider: Option<&Arc<ResolvedProvider>>,
        now: Timestamp,
    ) -> Result<Arc<Connection>, VaultError> {
        let remembered = self.connections.recall(&id, now);
        if let Some(connection) = remembered.filter(|connection| is_fresh(connection, now)) {
            return Ok(connection);
        }
        // On the heap, so that the many calls that find it remembered have no room set aside for this.
        Box::pin(self.look_up(id, provider, now)).await
    }

    async fn look_up(
        self: &Arc<Self>,
        id: ConnectionId,
        provider: Option<&Arc<ResolvedProvider>>,
        now: Timestamp,
    ) -> Result<Arc<Connection>, VaultError> {
        // A connection that ended a moment ago may have been renewed since.
        let stored = self.store.connection(id).await?;
        let stored = stored.ok_or(VaultError::Gone)?;
        let provider = provider.filter(|provider| is_renewed_at(&stored, provider));
        match provider.filter(|_| !is_fresh(&stored, now)) {
            // It is still good: nobody waits long, whatever becomes of the renewal.
            Some(provider) if is_good(&stored, now) => {
                let renewed = self.renewed_soon(&stored, provider).await;
                Ok(self
                    .connections
                    .remember(id, renewed.unwrap_or(stored), now))
            }
            Some(provider) => match self.renewed(&stored, provider).await {
                Ok(renewed) => Ok(self.connections.remember(id, renewed, now)),
                Err(error) => {
                    self.connections.forget(&id);
                    Err(error)
                }
            },
            None if is_good(&stored, now) => Ok(self.connections.remember(id, stored, now)),
            None => {
                self.connections.forget(&id);
                Err(VaultError::Ended {
                    generation: stored.generation,
                })
            }
        }
    }

    /// Renews a connection whose token the API refuses, or finds that somebody has; nothing where that would not help.
    ///
    /// # Errors
    ///
    /// When it has ended or cannot be renewed at the moment, or the store cannot be used.
    pub async fn replace(
        self: &Arc<Self>,
        refused: &Connection,
        provider: &Arc<ResolvedProvider>,
        now: Timestamp,
    ) -> Result<Option<Arc<Connection>>, VaultError> {
        self.connections.forget(&refused.id);
        let stored = self.store.connection(refused.id).await?;
        let stored = stored.ok_or(VaultError::Gone)?;
        if stored.generation != refused.generation && is_good(&stored, now) {
            return Ok(Some(self.connections.remember(refused.id, stored, now)));
        }
        let is_settled = now.since(stored.updated_at) >= SETTLED;
        if !is_renewed_at(&stored, provider) || !is_settled {
            return Ok(None);
        }
        let renewed = self.renewed(&stored, provider).await?;
        Ok(Some(self.connections.remember(refused.id, renewed, now)))
    }

    /// Renews a connection whose tokens are older than `idle`, be they good or not; says whether it was renewed.
    ///
    /// # Errors
    ///
    /// When it has ended or cannot be renewed at the moment, or the store cannot be used.
    pub async fn keep_alive(
        self: &Arc<Self>,
        id: ConnectionId,
        provider: &Arc<ResolvedProvider>,
        idle: Duration,
    ) -> Result<bool, VaultError> {
        let stored = self.store.connection(id).await?;
        let stored = stored.ok_or(VaultError::Gone)?;
        let is_idle = self.clock.now().since(stored.updated_at) >= idle;
        if !is_idle || !is_renewed_at(&stored, provider) {
            return Ok(false);
        }
        self.connections.forget(&id);
        self.renewed(&stored, provider).await?;
        Ok(true)
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

/// A refresh token goes to the provider that gave it and to no other.
fn is_renewed_at(connection: &Connection, provider: &ResolvedProvider) -> bool {
    connection.status == ConnectionStatus::Active
        && connection.is_renewable
        && *provider.slug() == connection.provider
}

/// A token without a known expiry is good until somebody says otherwise.
fn is_good(connection: &Connection, now: Timestamp) -> bool {
    connection.status == ConnectionStatus::Active
        && connection.expires_at.is_none_or(|expiry| now < expiry)
}

/// Tells whether a connection is good and need not be renewed yet.
fn is_fresh(connection: &Connection, now: Timestamp) -> bool {
    is_good(connection, now)
        && connection.expires_at.is_none_or(|expiry| {
            let margin = margin(connection, expiry);
            !connection.is_renewable || now < expiry.before(margin)
        })
}

/// Connections that were made together are not renewed together.
fn margin(connection: &Connection, expiry: Timestamp) -> Duration {
    let life = expiry.since(connection.updated_at);
    let margin = (life / 10).min(LONGEST_MARGIN);
    let [byte, ..] = *portcullis_base::Digest::of(connection.id.to_string().as_bytes()).as_bytes();
    margin / 2 + margin * u32::from(byte) / 510
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_base::{Secret, Slug, SubjectId};
    use portcullis_oauth::scope::Scopes;

    use crate::ambient::SystemRng;

    fn connection(life: Option<Duration>, is_renewable: bool) -> Connection {
        let made = Timestamp::from_millis(0);
        Connection {
            id: ConnectionId::new(made, &SystemRng),
            subject: SubjectId::new(made, &SystemRng),
            provider: Slug::parse("idp").expect("a slug"),
            toolset: Slug::parse("pets").expect("a slug"),
            status: ConnectionStatus::Active,
            access: Secret::new("token".to_owned()),
            expires_at: life.map(|life| made.after(life)),
            scopes: Scopes::default(),
            is_renewable,
            generation: 1,
            updated_at: made,
        }
    }

    #[test]
    fn a_token_is_renewed_before_it_expires_and_not_long_before() {
        for (life, earliest, latest) in [(3600, 3480, 3540), (600, 540, 570), (10, 9, 10)] {
            for _ in 0..50 {
                let connection = connection(Some(Duration::from_secs(life)), true);
                let fresh_at = |seconds| {
                    let at = Timestamp::from_millis(0).after(Duration::from_secs(seconds));
                    is_fresh(&connection, at)
                };
                assert!(fresh_at(earliest - 1), "{life}");
                assert!(!fresh_at(latest), "{life}");
            }
        }
    }

    #[test]
    fn what_cannot_be_renewed_is_used_to_its_end() {
        let hour = Duration::from_hours(1);
        let at = |millis| Timestamp::from_millis(millis);
        let connection = connection(Some(hour), false);
        assert!(is_fresh(&connection, at(3_599_999)));
        assert!(!is_fresh(&connection, at(3_600_000)));
    }

    #[test]
    fn a_token_without_a_known_expiry_is_not_renewed_unasked() {
        let connection = connection(None, true);
        assert!(is_fresh(&connection, Timestamp::from_millis(i64::MAX)));
    }
}
