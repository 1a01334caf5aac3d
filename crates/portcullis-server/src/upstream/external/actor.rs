//! Our own token at a provider, by which an exchange says who acts for the caller (RFC 8693 §1.1).
//!
//! It is asked for with our registration there and nothing else, so that it has no scopes but those that the provider gives unasked.
//! One token serves all callers: what it says is who we are.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use portcullis_base::{Clock, Digest, SafeUrl, Secret, Timestamp};
use portcullis_oauth::wire::token::{
    ClientCredentialsRequest, IssuedToken, TokenAnswerError, read_answer,
};
use tokio::sync::Mutex;

use super::super::providers::exchange::Asked;
use super::super::providers::token_endpoint::told;
use super::super::providers::{Endpoint, Providers};
use super::trade::{FAILURE_AGE, TradeError, good_until};
use super::{MANIFESTS, ResolvedManifest, ask};

/// How old a token must be to be what a provider refuses: a newer one would be refused as well.
const SETTLED: Duration = Duration::from_mins(1);

/// The tokens that are there, one for each manifest.
pub(super) struct Actors {
    slots: Cache<Digest, Arc<Mutex<Option<Held>>>>,
    clock: Arc<dyn Clock>,
}

struct Held {
    outcome: Result<Secret, TradeError>,
    since: Timestamp,
    until: Timestamp,
}

impl Actors {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let slots = Cache::builder().max_capacity(MANIFESTS).build();
        Self { slots, clock }
    }

    /// Returns our token; not the one that was `refused`, unless that is new.
    pub(super) async fn token(
        &self,
        providers: &Providers,
        manifest: &ResolvedManifest,
        endpoint: &SafeUrl,
        refused: Option<&Secret>,
    ) -> Result<Secret, TradeError> {
        let slot = self
            .slots
            .get_with(manifest.digest, async { Arc::default() });
        let slot = slot.await;
        let mut slot = slot.lock().await;
        let now = self.clock.now();
        if let Some(held) = slot.as_ref().filter(|held| held.serves(refused, now)) {
            return held.outcome.clone();
        }
        let outcome = fetch(providers, manifest, endpoint).await;
        let since = self.clock.now();
        let held = slot.insert(Held {
            since,
            until: match &outcome {
                Ok(issued) => good_until(issued, since),
                Err(_) => since.after(FAILURE_AGE),
            },
            outcome: outcome.map(|issued| issued.access_token),
        });
        held.outcome.clone()
    }
}

impl Held {
    fn serves(&self, refused: Option<&Secret>, now: Timestamp) -> bool {
        let is_refused = refused.is_some_and(|refused| self.outcome.as_ref() == Ok(refused));
        now < self.until && !(is_refused && now >= self.since.after(SETTLED))
    }
}

async fn fetch(
    providers: &Providers,
    manifest: &ResolvedManifest,
    endpoint: &SafeUrl,
) -> Result<IssuedToken, TradeError> {
    let asked = Asked {
        provider: &manifest.slug,
        endpoint: Endpoint::Token,
        url: endpoint,
    };
    let request = ClientCredentialsRequest::default();
    let methods = "token_endpoint_auth_methods_supported";
    let answer = ask::post(providers, &asked, manifest, methods, request.fields(), []).await?;
    read_answer(answer.status.as_u16(), &answer.body).map_err(|error| {
        let problem = match &error {
            TokenAnswerError::Refused(refusal) => {
                asked.log(&told(refusal));
                refusal.known_code().unwrap_or("an error of its own")
            }
            error => {
                asked.log(&error.to_string());
                "an answer without one"
            }
        };
        TradeError::NoActor {
            provider: manifest.slug.clone(),
            problem,
        }
    })
}
