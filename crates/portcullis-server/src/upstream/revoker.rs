//! Has providers revoke what people granted us, once nothing here needs it any more.
//!
//! By then everything has ended here; a provider that cannot be reached is asked again for a day and a half, and what it does not revoke until then expires by itself.
//! Several replicas may do this at once: each token is claimed by one of them.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use portcullis_base::Timestamp;
use portcullis_store::{DueRevocation, RevokedKind, StoreError};

use super::providers::ProviderError;
use super::vault::VaultParts;
use crate::catalogue::Catalogue;

/// How long a claim lasts: longer than a provider is waited for, its metadata included.
const CLAIM: Duration = Duration::from_mins(2);

/// How long a provider is left alone after a failure; four times as long each time, up to the longest.
const FIRST_REST: Duration = Duration::from_mins(1);
const LONGEST_REST: Duration = Duration::from_hours(6);

/// How often a token is tried at most.
const ATTEMPTS: u32 = 10;

/// What revokes tokens at their providers.
pub struct Revoker {
    parts: VaultParts,
    /// Which providers there are.
    catalogue: Arc<ArcSwap<Catalogue>>,
}

/// What came of one attempt.
enum Outcome {
    Revoked,
    /// The provider cannot be asked.
    NoEndpoint,
    Failed(Option<ProviderError>),
}

impl Revoker {
    /// Makes one.
    #[must_use]
    pub fn new(parts: VaultParts, catalogue: Arc<ArcSwap<Catalogue>>) -> Self {
        Self { parts, catalogue }
    }

    /// Asks for every token that is due, one after the other.
    ///
    /// # Errors
    ///
    /// When the store cannot be used.
    pub async fn revoke_due(&self) -> Result<(), StoreError> {
        let (store, clock) = (&self.parts.store, &self.parts.clock);
        while let Some(due) = store.claim_revocation(CLAIM, clock.now()).await? {
            let outcome = self.ask(&due).await;
            self.note(&due, outcome, clock.now()).await?;
        }
        Ok(())
    }

    async fn ask(&self, due: &DueRevocation) -> Outcome {
        let catalogue = self.catalogue.load_full();
        // Another replica may know of it already.
        let Some(provider) = catalogue.providers.get(due.provider.as_str()) else {
            return Outcome::Failed(None);
        };
        let hint = match due.kind {
            RevokedKind::AccessToken => "access_token",
            RevokedKind::RefreshToken => "refresh_token",
        };
        let asked = async {
            let ready = self.parts.providers.ready(provider).await?;
            self.parts.providers.revoke(&ready, &due.token, hint).await
        };
        match asked.await {
            Ok(true) => Outcome::Revoked,
            Ok(false) => Outcome::NoEndpoint,
            Err(error) => Outcome::Failed(Some(error)),
        }
    }

    async fn note(
        &self,
        due: &DueRevocation,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (store, metrics) = (&self.parts.store, &self.parts.metrics);
        match outcome {
            Outcome::Revoked => {
                metrics.provider_revocation("revoked");
                tracing::info!(upstream.provider = %due.provider, "a provider has revoked a token that nothing here needs any more");
            }
            Outcome::NoEndpoint => metrics.provider_revocation("not_offered"),
            Outcome::Failed(error) if due.attempts < ATTEMPTS => {
                metrics.provider_revocation("failed");
                let cause = cause(error);
                tracing::debug!(upstream.provider = %due.provider, cause, "a provider does not revoke a token yet");
                let next = now.after(rest(due.attempts));
                return store.postpone_revocation(due.id, next).await;
            }
            Outcome::Failed(error) => {
                metrics.provider_revocation("given_up");
                let cause = cause(error);
                tracing::warn!(upstream.provider = %due.provider, cause, "a provider does not revoke a token that nothing here needs any more; it is asked no more");
            }
        }
        store.finish_revocation(due.id).await
    }
}

fn cause(error: Option<ProviderError>) -> String {
    error.map_or_else(
        || "there is no such provider".to_owned(),
        |error| error.to_string(),
    )
}

fn rest(attempts: u32) -> Duration {
    let factor = 4_u32.saturating_pow(attempts.saturating_sub(1));
    FIRST_REST.saturating_mul(factor).min(LONGEST_REST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_left_alone_for_longer_each_time() {
        let minutes: Vec<_> = (1..ATTEMPTS).map(|it| rest(it).as_secs() / 60).collect();
        assert_eq!(minutes, [1, 4, 16, 64, 256, 360, 360, 360, 360]);
    }
}
