//! What calls bear in the name of a caller with a provider's token: the token itself, or another one that it is traded for.
//!
//! A traded token is remembered under everything that was asked with, and no longer than either token is good; calls that need the same one wait for one request.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use portcullis_base::{Blame, Clock, Digest, SafeUrl, Secret, Slug, Timestamp};
use portcullis_oauth::client::exchange::{
    AssertionRequest, ExchangeError, ExchangedType, OnBehalfOfRequest, TokenExchangeRequest,
    TypedToken, cache_key, read_answer,
};
use portcullis_oauth::wire::token::{IssuedToken, TokenAnswerError};
use portcullis_store::{ExchangeActor, ExchangeSettings};
use thiserror::Error;
use tokio::sync::Mutex;

use super::super::providers::exchange::Asked;
use super::super::providers::token_endpoint::told;
use super::super::providers::{Endpoint, ProviderError, Providers};
use super::actor::Actors;
use super::{ExternalTokens, Good, ResolvedDelegation, ResolvedManifest, Trade, ask};

/// How many traded tokens are remembered at most, and for how long unused.
const CAPACITY: u64 = 10_000;
const IDLE: Duration = Duration::from_hours(1);

/// How long before its end a traded token is not used any more; at most half of its life.
const MARGIN: Duration = Duration::from_secs(30);

/// For how long a traded token is used of which the provider does not say how long it is good.
const UNKNOWN_LIFE: Duration = Duration::from_mins(5);

/// For how long a failure is told again.
pub(super) const FAILURE_AGE: Duration = Duration::from_secs(5);

/// What a call bears.
#[derive(Clone, Debug)]
pub struct Lent {
    /// The manifest that it comes by.
    pub manifest: Slug,
    /// The token.
    pub token: Secret,
}

/// Why there is nothing to bear.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TradeError {
    /// The provider honours the caller's token no more.
    #[error("the provider does not take your access token any more; sign in again")]
    Ended,
    /// The provider refuses.
    #[error(
        "the provider `{provider}` gives no token for the API ({code}); what it said is in the gateway's log"
    )]
    Refused {
        /// The manifest's slug.
        provider: Slug,
        /// The code of the error, where it is one that everybody knows.
        code: &'static str,
        /// Who can mend it.
        blame: Blame,
    },
    /// The provider gives us no token of our own.
    #[error(
        "the provider `{provider}` gives the gateway no token to act for others with ({problem}); what it said is in the gateway's log"
    )]
    NoActor {
        /// The manifest's slug.
        provider: Slug,
        /// The code of the error, where it is one that everybody knows.
        problem: &'static str,
    },
    /// The provider cannot be asked, or does not answer as it should.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The answer holds no token that an API takes.
    #[error("the provider `{provider}` gives no token for the API: {reason}")]
    Answer {
        /// The manifest's slug.
        provider: Slug,
        /// Why it is none.
        reason: ExchangeError,
    },
}

impl TradeError {
    /// Says who can mend it.
    #[must_use]
    pub fn blame(&self) -> Blame {
        match self {
            Self::Ended => Blame::Caller,
            Self::Refused { blame, .. } => *blame,
            Self::NoActor { .. } => Blame::Operator,
            Self::Provider(error) => error.blame(),
            Self::Answer { .. } => Blame::Upstream,
        }
    }
}

/// The traded tokens that are there.
pub(super) struct Trades {
    slots: Cache<Digest, Arc<Mutex<Option<Traded>>>>,
    actors: Actors,
    clock: Arc<dyn Clock>,
}

struct Traded {
    outcome: Result<Secret, TradeError>,
    until: Timestamp,
    /// Whether the provider ever gave a token for this one: otherwise its refusal says nothing of the person's sign-in.
    has_worked: bool,
}

impl Trades {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let slots = Cache::builder()
            .max_capacity(CAPACITY)
            .time_to_idle(IDLE)
            .build();
        Self {
            slots,
            actors: Actors::new(Arc::clone(&clock)),
            clock,
        }
    }

    /// Forgets what a token was traded for.
    pub(super) async fn forget(&self, token: &Secret, manifest: &ResolvedManifest) {
        if let Some(ResolvedDelegation::Trade {
            kind,
            endpoint,
            settings,
        }) = &manifest.delegation
        {
            let asked = Asking::new(*kind, token, settings);
            let slot = self.slots.get(&asked.key(manifest, endpoint)).await;
            if let Some(slot) = slot
                && let Some(traded) = slot.lock().await.as_mut()
            {
                traded.until = Timestamp::from_millis(0);
            }
        }
    }
}

impl ExternalTokens {
    /// Returns what calls bear in the name of a caller whose token is good; nothing where it is not for the API.
    ///
    /// # Errors
    ///
    /// When the provider does not trade the token.
    pub async fn lend(
        &self,
        token: &Secret,
        good: &Good,
        manifest: &ResolvedManifest,
    ) -> Result<Option<Lent>, TradeError> {
        let token = match &manifest.delegation {
            None => return Ok(None),
            Some(ResolvedDelegation::Forward) => token.clone(),
            Some(ResolvedDelegation::Trade {
                kind,
                endpoint,
                settings,
            }) => {
                let asked = Asking::new(*kind, token, settings);
                self.traded(&asked, good, manifest, endpoint).await?
            }
        };
        Ok(Some(Lent {
            manifest: manifest.slug.clone(),
            token,
        }))
    }

    async fn traded(
        &self,
        asked: &Asking<'_>,
        good: &Good,
        manifest: &ResolvedManifest,
        endpoint: &SafeUrl,
    ) -> Result<Secret, TradeError> {
        let key = asked.key(manifest, endpoint);
        let slot = self.trades.slots.get_with(key, async { Arc::default() });
        let slot = slot.await;
        let mut slot = slot.lock().await;
        let now = self.trades.clock.now();
        if let Some(traded) = slot.as_ref().filter(|traded| now < traded.until) {
            return traded.outcome.clone();
        }
        let has_worked = slot.as_ref().is_some_and(|traded| traded.has_worked);
        let outcome = self.trade(asked, manifest, endpoint).await;
        let outcome = outcome.map_err(|error| match error {
            TradeError::Ended if !has_worked => TradeError::Refused {
                provider: manifest.slug.clone(),
                code: "invalid_grant",
                blame: Blame::Operator,
            },
            error => error,
        });
        let now = self.trades.clock.now();
        let traded = Traded {
            has_worked: has_worked || outcome.is_ok(),
            until: match &outcome {
                Ok(issued) => {
                    let until = good_until(issued, now);
                    let callers = good.access.expires_at;
                    callers.map_or(until, |expiry| until.min(expiry))
                }
                Err(_) => now.after(FAILURE_AGE),
            },
            outcome: outcome.map(|issued| issued.access_token),
        };
        let outcome = traded.outcome.clone();
        *slot = Some(traded);
        outcome
    }

    async fn trade(
        &self,
        asked: &Asking<'_>,
        manifest: &ResolvedManifest,
        endpoint: &SafeUrl,
    ) -> Result<IssuedToken, TradeError> {
        let (providers, actors) = (&self.providers, &self.trades.actors);
        let actor = match asked.settings.actor {
            None => return trade(providers, asked, None, manifest, endpoint).await,
            Some(ExchangeActor::ClientCredentials) => {
                actors.token(providers, manifest, endpoint, None).await?
            }
        };
        let outcome = trade(providers, asked, Some(&actor), manifest, endpoint).await;
        if !matches!(outcome, Err(TradeError::Ended)) {
            return outcome;
        }
        // RFC 8693 §2.2.2: the provider does not say which of the two tokens it refuses.
        let newer = actors.token(providers, manifest, endpoint, Some(&actor));
        let newer = newer.await?;
        if newer == actor {
            return outcome;
        }
        trade(providers, asked, Some(&newer), manifest, endpoint).await
    }
}

/// Returns until when a token is used.
pub(super) fn good_until(issued: &IssuedToken, now: Timestamp) -> Timestamp {
    let life = issued.expires_in.map_or(UNKNOWN_LIFE, |life| {
        life.saturating_sub(MARGIN.min(life / 2))
    });
    now.after(life)
}

async fn trade(
    providers: &Providers,
    asking: &Asking<'_>,
    actor: Option<&Secret>,
    manifest: &ResolvedManifest,
    endpoint: &SafeUrl,
) -> Result<IssuedToken, TradeError> {
    let asked = Asked {
        provider: &manifest.slug,
        endpoint: Endpoint::Token,
        url: endpoint,
    };
    let methods = "token_endpoint_auth_methods_supported";
    let (fields, further) = (asking.fields(actor), asking.further());
    let fields = fields.into_iter();
    let answer = ask::post(providers, &asked, manifest, methods, fields, further).await?;
    read_answer(answer.status.as_u16(), &answer.body).map_err(|error| match error {
        ExchangeError::Answer(TokenAnswerError::Refused(refusal)) => {
            let code = refusal.known_code().unwrap_or("an error of its own");
            asked.log(&told(&refusal));
            // RFC 8693 §2.2.2: a subject token that is not good any more is an invalid request.
            let is_about_the_token = match asking.kind {
                Trade::Exchange => matches!(code, "invalid_grant" | "invalid_request"),
                Trade::OnBehalfOf | Trade::JwtBearer => code == "invalid_grant",
            };
            if is_about_the_token {
                return TradeError::Ended;
            }
            TradeError::Refused {
                provider: manifest.slug.clone(),
                code,
                blame: if refusal.is_about_the_client() {
                    Blame::Operator
                } else {
                    Blame::Upstream
                },
            }
        }
        reason => {
            asked.log(&reason.to_string());
            TradeError::Answer {
                provider: manifest.slug.clone(),
                reason,
            }
        }
    })
}

/// What is asked for a caller's token.
struct Asking<'a> {
    kind: Trade,
    token: &'a Secret,
    settings: &'a ExchangeSettings,
    scope: String,
}

impl<'a> Asking<'a> {
    fn new(kind: Trade, token: &'a Secret, settings: &'a ExchangeSettings) -> Self {
        Self {
            kind,
            token,
            settings,
            scope: settings.scopes.join(" "),
        }
    }

    fn fields<'f>(&'f self, actor: Option<&'f Secret>) -> Vec<(&'static str, &'f str)> {
        let scope = self.scope.as_str();
        match self.kind {
            Trade::Exchange => {
                let request = TokenExchangeRequest {
                    subject: access_token(self.token),
                    actor: actor.map(access_token),
                    audience: self.settings.audience.as_deref(),
                    resource: self.settings.resource.as_deref(),
                    scope: Some(scope),
                    requested: Some(ExchangedType::AccessToken),
                };
                request.fields().collect()
            }
            Trade::OnBehalfOf => {
                let assertion = self.token;
                OnBehalfOfRequest { assertion, scope }.fields().collect()
            }
            Trade::JwtBearer => {
                let request = AssertionRequest {
                    assertion: self.token,
                    resource: self.settings.resource.as_deref(),
                    scope: Some(scope),
                };
                request.fields().collect()
            }
        }
    }

    fn further(&self) -> impl Iterator<Item = (&str, &str)> {
        let parameters = self.settings.parameters.iter();
        parameters.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The actor counts by what he is, which the manifest's digest covers, and not by the token that he has at the moment.
    fn key(&self, manifest: &ResolvedManifest, endpoint: &SafeUrl) -> Digest {
        let client = manifest.registration.as_ref();
        let client = client.map_or("", |registration| &registration.client_id);
        let manifest = format!("{:?}", manifest.digest.as_bytes());
        let own = [("", manifest.as_str())];
        let fields = self
            .fields(None)
            .into_iter()
            .chain(self.further())
            .chain(own);
        cache_key(endpoint, client, fields)
    }
}

fn access_token(token: &Secret) -> TypedToken<'_> {
    TypedToken {
        token,
        kind: ExchangedType::AccessToken,
    }
}
