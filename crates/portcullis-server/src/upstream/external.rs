//! Access tokens of providers' own authorization servers: judged before anything is called, and traded for what the API takes.
//!
//! Every rule is `portcullis-oauth`'s; this fetches what the rules need, by the one way out, and remembers what was found out about a token.
//! A token is remembered by its digest, and never longer than it is good; whoever presents one that is being asked about waits for the same answer.
//! Where nobody can tell whether a token is good, nothing is called: the caller is told to come again, and not to sign in.

mod actor;
mod ask;
mod resolve;
mod trade;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use portcullis_base::{Blame, Clock, Digest, Secret, Timestamp};
use portcullis_oauth::guard::external::{DEFAULT_LEEWAY, ExternalAccess, Refusal};
use portcullis_oauth::guard::{introspection, jwt, probe};
use thiserror::Error;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::timeout;

use super::providers::{ProviderError, Providers};
use crate::http::quota::FailureQuota;
use trade::Trades;

pub use resolve::{
    Registration, ResolvedDelegation, ResolvedManifest, Trade, UnusableManifest, Validation,
};
pub use trade::{Lent, TradeError};

/// How many tokens are remembered at most.
const CAPACITY: u64 = 10_000;

/// For how long a signature is believed without looking at it again, and so a key that the provider has withdrawn.
const SIGNATURE_AGE: Duration = Duration::from_mins(5);

/// For how long it is remembered that a token is not good, or that nobody could tell.
const REFUSAL_AGE: Duration = Duration::from_secs(10);
const FAILURE_AGE: Duration = Duration::from_secs(2);

/// How many tokens that were not good before are asked about at a time, for each manifest, and as many that were: strangers could have providers flooded by us, and shall not stand in the way of those who are known.
const MOST_ASKED: usize = 32;

/// How long one waits for his turn.
const TURN: Duration = Duration::from_secs(3);

/// How many tokens of one address may turn out not to be good within a minute, where the provider had to be asked: many people may come by one address, and each brings one now and then that has expired.
const REFUSALS: u32 = 240;

/// How many manifests are kept count of.
const MANIFESTS: u64 = 1000;

/// What is known of the tokens that callers bring.
pub struct ExternalTokens {
    providers: Arc<Providers>,
    known: Cache<Digest, Arc<Mutex<Option<Known>>>>,
    trades: Trades,
    asking: Cache<Digest, Arc<Asking>>,
    refusals: FailureQuota,
    clock: Arc<dyn Clock>,
}

/// A token that is good.
#[derive(Debug, PartialEq, Eq)]
pub struct Good {
    /// What it says.
    pub access: ExternalAccess,
    /// When it was first presented here, as far as is remembered.
    pub since: Timestamp,
}

/// Why a token opens nothing.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ExternalError {
    /// It is not good.
    #[error(transparent)]
    Refused(Refusal),
    /// Nobody can tell.
    #[error(transparent)]
    Untold(#[from] Untold),
}

/// Why nobody can tell whether a token is good.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Untold {
    /// The provider is of no use.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The provider does not answer our question.
    #[error("a token cannot be judged: {0}")]
    Unanswered(Refusal),
    /// Too many tokens are asked about already.
    #[error("too many tokens are asked about at the moment")]
    Busy,
    /// Too many that came from there were not good.
    #[error("too many tokens from this address were refused")]
    Refusals,
}

impl Untold {
    /// Says who can mend it.
    #[must_use]
    pub fn blame(&self) -> Blame {
        match self {
            Self::Provider(error) => error.blame(),
            Self::Unanswered(Refusal::NotAllowedToAsk { .. }) => Blame::Operator,
            Self::Unanswered(_) => Blame::Upstream,
            Self::Busy => Blame::Us,
            Self::Refusals => Blame::Caller,
        }
    }
}

impl From<Refusal> for ExternalError {
    fn from(refusal: Refusal) -> Self {
        if refusal.is_invalid_token() {
            Self::Refused(refusal)
        } else {
            Self::Untold(Untold::Unanswered(refusal))
        }
    }
}

/// Who is asked about at one provider.
struct Asking {
    strangers: Semaphore,
    known: Semaphore,
}

/// Whose token is asked about.
#[derive(Clone, Copy)]
enum Whose {
    /// It was good before.
    Known,
    /// It was not.
    Stranger,
}

impl Default for Asking {
    fn default() -> Self {
        Self {
            strangers: Semaphore::new(MOST_ASKED),
            known: Semaphore::new(MOST_ASKED),
        }
    }
}

struct Known {
    verdict: Result<Arc<Good>, ExternalError>,
    until: Timestamp,
}

impl ExternalTokens {
    /// Makes a memory, empty, that asks by way of `providers`.
    #[must_use]
    pub fn new(providers: Arc<Providers>, clock: Arc<dyn Clock>) -> Self {
        Self {
            providers,
            known: Cache::builder().max_capacity(CAPACITY).build(),
            trades: Trades::new(Arc::clone(&clock)),
            asking: Cache::builder().max_capacity(MANIFESTS).build(),
            refusals: FailureQuota::per_minute(REFUSALS),
            clock,
        }
    }

    /// Judges a token that is presented at `endpoint`, a URL of ours, from `address`.
    ///
    /// # Errors
    ///
    /// When it is not good there, or nobody can tell.
    pub async fn judge(
        &self,
        token: &Secret,
        manifest: &ResolvedManifest,
        endpoint: &str,
        address: Option<IpAddr>,
    ) -> Result<Arc<Good>, ExternalError> {
        let slot = self.slot(token, manifest, endpoint).await;
        let mut slot = slot.lock().await;
        let now = self.clock.now();
        if let Some(known) = slot.as_ref().filter(|known| now < known.until) {
            return known.verdict.clone();
        }
        let before = slot.as_ref().and_then(|known| known.verdict.as_ref().ok());
        let since = before.map_or(now, |good| good.since);
        let outcome = match before {
            Some(_) => {
                self.ask_in_turn(token, manifest, endpoint, Whose::Known)
                    .await
            }
            None => {
                self.ask_about_a_stranger(token, manifest, endpoint, address)
                    .await
            }
        };
        let now = self.clock.now();
        let known = Known::new(outcome, manifest, since, now);
        let verdict = known.verdict.clone();
        *slot = Some(known);
        verdict
    }

    /// Refuses a token for a moment that the API behind refuses: whoever was answered with an event stream is told to sign in with his next request.
    pub async fn reject(&self, token: &Secret, manifest: &ResolvedManifest, endpoint: &str) {
        let slot = self.slot(token, manifest, endpoint).await;
        *slot.lock().await = Some(Known {
            verdict: Err(ExternalError::Refused(Refusal::NotTaken)),
            until: self.clock.now().after(REFUSAL_AGE),
        });
    }

    /// Forgets what a token was traded for.
    pub async fn forget_trade(&self, token: &Secret, manifest: &ResolvedManifest) {
        self.trades.forget(token, manifest).await;
    }

    /// Asks about a token that was not good before, unless too many that came from its address were not.
    async fn ask_about_a_stranger(
        &self,
        token: &Secret,
        manifest: &ResolvedManifest,
        endpoint: &str,
        address: Option<IpAddr>,
    ) -> Result<ExternalAccess, ExternalError> {
        // A signature costs the provider nothing: newer keys are fetched twice a minute at most.
        let is_asking = manifest.is_asking();
        if is_asking && self.refusals.is_spent(address, self.clock.now()).await {
            return Err(Untold::Refusals.into());
        }
        let whose = Whose::Stranger;
        let outcome = self.ask_in_turn(token, manifest, endpoint, whose).await;
        if is_asking && matches!(outcome, Err(ExternalError::Refused(_))) {
            self.refusals.count(address, self.clock.now()).await;
        }
        outcome
    }

    async fn ask_in_turn(
        &self,
        token: &Secret,
        manifest: &ResolvedManifest,
        endpoint: &str,
        whose: Whose,
    ) -> Result<ExternalAccess, ExternalError> {
        if !manifest.is_asking() {
            return self.ask(token, manifest, endpoint).await;
        }
        let asking = self
            .asking
            .get_with(manifest.digest, async { Arc::default() });
        let asking = asking.await;
        let turns = match whose {
            Whose::Known => &asking.known,
            Whose::Stranger => &asking.strangers,
        };
        let turn = timeout(TURN, turns.acquire()).await;
        let Ok(Ok(_turn)) = turn else {
            return Err(Untold::Busy.into());
        };
        self.ask(token, manifest, endpoint).await
    }

    async fn ask(
        &self,
        token: &Secret,
        manifest: &ResolvedManifest,
        endpoint: &str,
    ) -> Result<ExternalAccess, ExternalError> {
        let now = self.clock.now();
        match &manifest.validation {
            Validation::Jwt { .. } => self.signed(token, manifest, endpoint).await,
            Validation::Introspection { endpoint: url } => {
                let answer = ask::introspect(&self.providers, token, manifest, url).await;
                let answer = answer.map_err(Untold::Provider)?;
                let policy = manifest.policy(endpoint);
                let status = answer.status.as_u16();
                Ok(introspection::judge(status, &answer.body, &policy, now)?)
            }
            Validation::Probe { url, policy } => {
                let answer = ask::probe(&self.providers, token, manifest, url).await;
                let answer = answer.map_err(Untold::Provider)?;
                let status = answer.status.as_u16();
                Ok(probe::judge(status, &answer.body, policy, now)?)
            }
            Validation::Upstream => Ok(ExternalAccess {
                issuer: manifest.token_issuer().to_owned(),
                subject: None,
                client: None,
                scopes: None,
                expires_at: None,
            }),
        }
    }

    /// Judges a token by its signature; once more, with newer keys, where none fits.
    async fn signed(
        &self,
        token: &Secret,
        manifest: &ResolvedManifest,
        endpoint: &str,
    ) -> Result<ExternalAccess, ExternalError> {
        let Validation::Jwt {
            keys: url,
            algorithms,
        } = &manifest.validation
        else {
            return Err(Refusal::Malformed.into());
        };
        let policy = manifest.policy(endpoint);
        let slug = &manifest.slug;
        let keys = self.providers.signing_keys(slug, url).await;
        let keys = keys.map_err(Untold::Provider)?;
        let now = self.clock.now();
        match jwt::verify(token.expose(), &keys, algorithms, &policy, now) {
            Err(Refusal::UnknownKey) => {
                let newer = self.providers.newer_keys(slug, url, &keys).await;
                let newer = newer.map_err(Untold::Provider)?;
                let newer = newer.ok_or(Refusal::UnknownKey)?;
                Ok(jwt::verify(
                    token.expose(),
                    &newer,
                    algorithms,
                    &policy,
                    now,
                )?)
            }
            outcome => Ok(outcome?),
        }
    }

    async fn slot(
        &self,
        token: &Secret,
        manifest: &ResolvedManifest,
        endpoint: &str,
    ) -> Arc<Mutex<Option<Known>>> {
        let key = Digest::of_fields([
            manifest.digest.as_bytes().as_slice(),
            endpoint.as_bytes(),
            token.expose().as_bytes(),
        ]);
        self.known.get_with(key, async { Arc::default() }).await
    }
}

impl Known {
    fn new(
        outcome: Result<ExternalAccess, ExternalError>,
        manifest: &ResolvedManifest,
        since: Timestamp,
        now: Timestamp,
    ) -> Self {
        let age = match (&outcome, &manifest.validation) {
            (Ok(_), Validation::Jwt { .. } | Validation::Upstream) => SIGNATURE_AGE,
            (Ok(_), _) => manifest.cache,
            (Err(ExternalError::Refused(_)), _) => REFUSAL_AGE,
            (Err(ExternalError::Untold(_)), _) => FAILURE_AGE,
        };
        let mut until = now.after(age);
        if let Ok(ExternalAccess {
            expires_at: Some(expiry),
            ..
        }) = &outcome
        {
            // What the provider has said of a token is not believed beyond the time that it named (RFC 7662 §4).
            until = until.min(match manifest.validation {
                Validation::Jwt { .. } => expiry.after(DEFAULT_LEEWAY),
                _ => (*expiry).max(now),
            });
        }
        let good = |access| Arc::new(Good { access, since });
        Self {
            verdict: outcome.map(good),
            until,
        }
    }
}
