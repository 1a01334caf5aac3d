//! Access tokens by client credentials (RFC 6749 §4.4): fetched when a call needs one, kept as long as they are good.
//!
//! Tokens are kept in memory only, under a digest of everything that went into the request, so that what one caller may have never serves another.
//! Calls that need the same token wait for one fetch.
//! A failure is remembered for a while, so that a provider that is down or refuses is not asked for every call.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use portcullis_base::{Blame, Clock, Digest, Rng, Secret, Timestamp};
use portcullis_oauth::client_auth::ClientAuthMethod;
use portcullis_oauth::wire::token::IssuedToken;
use thiserror::Error;
use tokio::sync::Mutex;

use super::credentials::{ChosenBy, ClientGrant, ClientProof};
use super::http::Http;
use super::policy::EgressRefusal;
use super::retry::asked_pause;
use crate::telemetry::metrics::Metrics;

mod fetch;

/// How many tokens are kept at most, and for how long unused.
const CAPACITY: u64 = 10_000;
const IDLE: Duration = Duration::from_hours(1);

/// The part of its life that a token is not used for any more, so that it does not expire on the way; at most [`LONGEST_MARGIN`].
const MARGIN_PART: u32 = 10;
const LONGEST_MARGIN: Duration = Duration::from_mins(1);

/// How old a token must be for an API's 401 to be its expiry: a newer one would be refused as well.
const SETTLED: Duration = Duration::from_secs(5);

/// How long a provider is left alone after a failure; doubled each time, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// The tokens that are there.
pub(super) struct Tokens {
    slots: Cache<Digest, Arc<Mutex<Slot>>>,
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
}

/// What is known of one token.
#[derive(Debug, Default)]
struct Slot {
    held: Option<Held>,
    failure: Option<Failure>,
    /// How the provider takes the client's credentials, once that has been found out.
    method: Option<ClientAuthMethod>,
}

/// A token that was issued.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) token: Secret,
    obtained_at: Timestamp,
    /// Absent where the provider does not say how long the token is good.
    good_until: Option<Timestamp>,
}

#[derive(Debug)]
struct Failure {
    error: TokenError,
    pause: Duration,
    until: Timestamp,
}

/// Why there is no token; the text says nothing that only the operator should read, which is in the log.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(super) enum TokenError {
    #[error(
        "the provider refused to issue a token for `{scheme}` ({code}); its answer is in the gateway's log"
    )]
    Refused {
        scheme: String,
        code: &'static str,
        blame: Blame,
    },
    #[error("no token was asked for `{scheme}`: {refusal}")]
    NotAllowed {
        scheme: String,
        refusal: EgressRefusal,
    },
    #[error(
        "the token endpoint for `{scheme}` could not be reached; the reason is in the gateway's log"
    )]
    Unreachable { scheme: String, blame: Blame },
    #[error(
        "the token endpoint for `{scheme}` gave no usable answer; what it said is in the gateway's log"
    )]
    Answer { scheme: String },
    #[error("the client assertion for `{scheme}` cannot be made: {reason}")]
    Assertion { scheme: String, reason: String },
}

impl TokenError {
    pub(super) fn blame(&self) -> Blame {
        match self {
            Self::Refused { blame, .. } | Self::Unreachable { blame, .. } => *blame,
            Self::Answer { .. } => Blame::Upstream,
            Self::NotAllowed { .. } | Self::Assertion { .. } => Blame::Operator,
        }
    }
}

impl Tokens {
    pub(super) fn new(metrics: Arc<Metrics>, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Self {
        let slots = Cache::builder()
            .max_capacity(CAPACITY)
            .time_to_idle(IDLE)
            .build();
        Self {
            slots,
            metrics,
            clock,
            rng,
        }
    }

    /// Returns the token for a grant; fetches it where there is none that is good.
    pub(super) async fn token(
        &self,
        http: &Http,
        grant: &ClientGrant<'_>,
    ) -> Result<Held, TokenError> {
        let slot = self.slot(grant).await;
        let mut slot = slot.lock().await;
        let now = self.clock.now();
        if let Some(held) = slot.held.as_ref().filter(|held| held.is_good(now)) {
            return Ok(held.clone());
        }
        if let Some(failure) = slot.failure.as_ref().filter(|failure| now < failure.until) {
            return Err(failure.error.clone());
        }
        match fetch::fetch(http, grant, slot.method, now, &*self.rng).await {
            Ok(fetched) => {
                self.metrics.token_fetched();
                let held = Held::new(fetched.token, self.clock.now());
                slot.method = Some(fetched.method);
                slot.failure = None;
                slot.held = Some(held.clone());
                Ok(held)
            }
            Err(failed) => {
                self.metrics.token_fetch_failed();
                let pause = pause(slot.failure.as_ref(), failed.retry_after);
                slot.held = None;
                slot.failure = Some(Failure {
                    error: failed.error.clone(),
                    pause,
                    until: self.clock.now().after(pause),
                });
                Err(failed.error)
            }
        }
    }

    /// Lets a token go that an API refused; tells whether another one may fare better.
    pub(super) async fn reject(&self, grant: &ClientGrant<'_>, refused: &Held) -> bool {
        let slot = self.slot(grant).await;
        let mut slot = slot.lock().await;
        let Some(held) = &slot.held else {
            return true;
        };
        if held.token != refused.token {
            // Another call has had it replaced already.
            return true;
        }
        if self.clock.now().since(held.obtained_at) < SETTLED {
            return false;
        }
        slot.held = None;
        true
    }

    async fn slot(&self, grant: &ClientGrant<'_>) -> Arc<Mutex<Slot>> {
        self.slots
            .get_with(digest(grant), async { Arc::default() })
            .await
    }
}

impl Held {
    fn new(issued: IssuedToken, now: Timestamp) -> Self {
        let good_until = issued.expires_in.map(|lifetime| {
            let margin = (lifetime / MARGIN_PART).min(LONGEST_MARGIN);
            now.after(lifetime.saturating_sub(margin))
        });
        Self {
            token: issued.access_token,
            obtained_at: now,
            good_until,
        }
    }

    fn is_good(&self, now: Timestamp) -> bool {
        self.good_until.is_none_or(|until| now < until)
    }
}

fn pause(previous: Option<&Failure>, asked: Option<Duration>) -> Duration {
    let own = previous.map_or(FIRST_PAUSE, |failure| failure.pause * 2);
    asked.map_or(own, |asked| asked.max(own)).min(LONGEST_PAUSE)
}

/// Computes what a token is kept under: two requests that differ in anything never share one; nor do two schemes, whose failures bear their names.
fn digest(grant: &ClientGrant<'_>) -> Digest {
    let (kind, proof, method) = match grant.proof {
        ClientProof::Secret { secret, method } => ("secret", secret, method),
        ClientProof::PrivateKey(key) => ("key", key, None),
    };
    let chosen_by = match grant.chosen_by {
        ChosenBy::Operator => "operator",
        ChosenBy::Caller => "caller",
    };
    let settings = grant.settings;
    let settings = settings.map(|settings| serde_json::to_vec(settings).unwrap_or_default());
    Digest::of_fields([
        grant.scheme.as_bytes(),
        grant.token_url.as_url().as_str().as_bytes(),
        chosen_by.as_bytes(),
        grant.client_id.expose().as_bytes(),
        kind.as_bytes(),
        proof.expose().as_bytes(),
        format!("{method:?}").as_bytes(),
        grant.scope.as_bytes(),
        grant.audience.map_or(b"-".as_slice(), str::as_bytes),
        settings.as_deref().unwrap_or_default(),
    ])
}
