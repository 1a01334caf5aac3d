//! Calls in a person's name: whose token they bear, and what becomes of it where the API refuses it.
//!
//! A token that can be renewed is renewed, once, and the call is made again: an API that answers 401 has not carried it out.
//! Otherwise the person signs in again, unless he has just done so: then the API's answer is the result, and nobody goes round in a circle.

use std::sync::Arc;
use std::time::Duration;

use portcullis_base::Blame;
use portcullis_oauth::guard::admit::TokenFault;
use portcullis_oauth::guard::external::Refusal as ExternalFault;
use portcullis_oauth::issuer::person::Connection;
use portcullis_openapi::RequestPlan;

use super::caller::{Bearer, Refusal};
use super::endpoint::Exchange;
use crate::catalogue::PublishedTool;
use crate::upstream::credentials::{ConnectionSource, CredentialSources, listed_scopes};
use crate::upstream::external::{Lent, TradeError};
use crate::upstream::vault::VaultError;
use crate::upstream::{Answer, CallError, Complaint};

/// Tokens that the provider gave within this time are not dead: an API that refuses them would refuse the next ones too.
pub(super) const NEW_CONNECTION: Duration = Duration::from_mins(1);

/// Why the API's answer is not the result.
pub(super) enum Unanswered {
    /// The person has to sign in again.
    Refused(Refusal),
    /// There is no answer.
    Failed {
        /// What the model reads.
        text: String,
        /// What the log says.
        cause: String,
        blame: Blame,
    },
}

impl From<CallError> for Unanswered {
    fn from(error: CallError) -> Self {
        Self::Failed {
            text: error.to_string(),
            cause: error.cause().to_owned(),
            blame: error.blame(),
        }
    }
}

/// What became of a connection that the API refuses.
enum Replaced {
    With(Arc<Connection>),
    Ended(Refusal),
    /// Nothing would help.
    Stays,
}

impl Exchange {
    /// Makes a call in the caller's name, again where his token could be renewed.
    pub(super) async fn answer(
        &self,
        tool: &PublishedTool,
        plan: RequestPlan,
    ) -> Result<Answer, Unanswered> {
        let lent = self.lent(tool).await;
        let lent = lent.map_err(|error| self.untraded(&error))?;
        let connection = self.caller.connection.clone();
        // Only a connection that can be renewed has the plan needed again.
        let renewable = connection.as_ref().filter(|it| it.is_renewable);
        let again = renewable.map(|_| plan.clone());
        let external = self.toolset.external.as_ref();
        let is_trading = external.is_some_and(|external| external.manifest.is_trading());
        let trades = (is_trading && lent.is_some()).then(|| plan.clone());
        let upstream = &self.state.upstream;
        let sources = self.sources(connection.as_deref(), lent.as_ref());
        let answer = upstream.call(tool, plan, &sources).await?;
        if !answer.refuses_connection() {
            return self.heard(tool, connection.as_deref(), answer);
        }
        let Some(connection) = connection else {
            return match trades {
                Some(plan) => self.traded_anew(tool, plan).await,
                None => self.refused_token(answer).await,
            };
        };
        match (self.replaced(&connection).await?, again) {
            (Replaced::With(renewed), Some(plan)) => {
                let sources = self.sources(Some(&renewed), None);
                let answer = upstream.call(tool, plan, &sources).await?;
                self.heard(tool, Some(&renewed), answer)
            }
            (Replaced::Ended(refusal), _) => Err(Unanswered::Refused(refusal)),
            (Replaced::With(_) | Replaced::Stays, _) => Ok(answer),
        }
    }

    /// Takes the API's answer for the result, unless it finds a scope missing that the person can be asked for.
    fn heard(
        &self,
        tool: &PublishedTool,
        connection: Option<&Connection>,
        answer: Answer,
    ) -> Result<Answer, Unanswered> {
        let refusal = match answer.complaint() {
            Some(Complaint::Lacking(named)) => self.steps_up(tool, connection, named),
            Some(Complaint::Refused) | None => None,
        };
        refusal.map_or(Ok(answer), |refusal| Err(Unanswered::Refused(refusal)))
    }

    /// Trades the caller's token once more, whose fruit the API refuses, and makes the call again.
    async fn traded_anew(
        &self,
        tool: &PublishedTool,
        plan: RequestPlan,
    ) -> Result<Answer, Unanswered> {
        if let Some((bearer, external)) = self.caller.bearer().zip(self.toolset.external.as_ref()) {
            let tokens = &self.state.external;
            tokens.forget_trade(&bearer.token, &external.manifest).await;
        }
        let lent = self.lent(tool).await;
        let lent = lent.map_err(|error| self.untraded(&error))?;
        let sources = self.sources(None, lent.as_ref());
        let answer = self.state.upstream.call(tool, plan, &sources).await?;
        if answer.refuses_connection() {
            return self.refused_token(answer).await;
        }
        Ok(answer)
    }

    async fn refused_token(&self, answer: Answer) -> Result<Answer, Unanswered> {
        let refusal = match self.caller.bearer() {
            Some(bearer) => self.reject(bearer).await,
            None => None,
        };
        refusal.map_or(Ok(answer), |refusal| Err(Unanswered::Refused(refusal)))
    }

    /// Renews a connection that the API refuses, or ends it.
    async fn replaced(&self, connection: &Connection) -> Result<Replaced, Unanswered> {
        let provider = self.state.provider(&connection.provider);
        let provider = provider.filter(|_| connection.is_renewable);
        let now = self.state.clock.now();
        if let Some(provider) = provider {
            match self.state.vault.replace(connection, &provider, now).await {
                Ok(Some(renewed)) => return Ok(Replaced::With(renewed)),
                Ok(None) => return Ok(Replaced::Stays),
                Err(VaultError::Ended { .. } | VaultError::Gone) => {}
                Err(error) => {
                    let text = error.to_string();
                    return Err(Unanswered::Failed {
                        cause: text.clone(),
                        text: format!("{text}; nothing was carried out, so try again in a moment"),
                        blame: error.blame(),
                    });
                }
            }
        }
        let refusal = self.lose_connection(connection).await;
        Ok(refusal.map_or(Replaced::Stays, Replaced::Ended))
    }

    fn untraded(&self, error: &TradeError) -> Unanswered {
        match self.refusal_of(error) {
            Some(refusal) => Unanswered::Refused(refusal),
            None => Unanswered::Failed {
                text: error.to_string(),
                cause: error.to_string(),
                blame: error.blame(),
            },
        }
    }

    /// Returns what calls bear in the name of a caller with a token of the provider's own.
    ///
    /// Nothing where the tool is called with other credentials.
    async fn lent(&self, tool: &PublishedTool) -> Result<Option<Lent>, TradeError> {
        let external = self.toolset.external.as_ref();
        let Some((bearer, external)) = self.caller.bearer().zip(external) else {
            return Ok(None);
        };
        let Bearer { token, good, .. } = bearer;
        let manifest = &external.manifest;
        if listed_scopes(tool, &manifest.slug).next().is_none() {
            return Ok(None);
        }
        self.state.external.lend(token, good, manifest).await
    }

    /// Has the caller sign in again where the provider does not take his token any more, unless he has just done so.
    fn refusal_of(&self, error: &TradeError) -> Option<Refusal> {
        let bearer = self.caller.bearer()?;
        let has_ended = *error == TradeError::Ended && !self.is_new(bearer);
        has_ended.then_some(Refusal::External(ExternalFault::Inactive))
    }

    /// Says where a call's credentials come from.
    fn sources<'a>(
        &'a self,
        connection: Option<&'a Connection>,
        lent: Option<&'a Lent>,
    ) -> CredentialSources<'a> {
        let connection = connection.map(|connection| ConnectionSource {
            provider: &connection.provider,
            token: &connection.access,
        });
        let lent = lent.map(|lent| ConnectionSource {
            provider: &lent.manifest,
            token: &lent.token,
        });
        CredentialSources {
            environment: self.toolset.environment.as_deref(),
            caller: &self.caller.values,
            caller_supplied: &self.toolset.caller_supplied,
            environment_allowed: self.caller.may_use_environment(),
            connection: connection.or(lent),
        }
    }

    /// Refuses a token of the provider's own for a moment that the API refuses, and has the caller sign in again there.
    ///
    /// Where it is new, another one would fare no better: then the API's answer is the result, and nobody goes round in a circle.
    async fn reject(&self, bearer: &Bearer) -> Option<Refusal> {
        let external = self.toolset.external.as_ref()?;
        let endpoint = self.toolset.endpoint(&self.state.public_url);
        let manifest = &external.manifest;
        if self.is_new(bearer) {
            return None;
        }
        let tokens = &self.state.external;
        tokens.reject(&bearer.token, manifest, &endpoint).await;
        Some(Refusal::External(ExternalFault::NotTaken))
    }

    fn is_new(&self, bearer: &Bearer) -> bool {
        self.state.clock.now().since(bearer.good.since) < NEW_CONNECTION
    }

    /// Ends the caller's connection, which the API does not honour any more; the caller has to sign in again.
    ///
    /// Where the tokens are new, or were replaced while the call was under way, another sign-in would not help, or has happened: then the API's answer is the result.
    /// So it is where the end cannot be stored: the next call tries again.
    async fn lose_connection(&self, connection: &Connection) -> Option<Refusal> {
        let token = self.caller.token()?;
        let now = self.state.clock.now();
        if now.since(connection.updated_at) < NEW_CONNECTION {
            return None;
        }
        match self.state.lose(token, connection, now).await {
            Ok(true) => Some(Refusal::Token(TokenFault::Ended)),
            Ok(false) => None,
            Err(error) => {
                tracing::error!(%error, "a connection that has ended cannot be marked so");
                None
            }
        }
    }
}
