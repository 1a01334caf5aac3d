//! One tool call: from a plan to the API's answer.
//!
//! Decides in which order things happen, and what is said when they fail.
//! What the model reads names the setting that helps; where a caller chose the address, it says no more than that there is no answer, so that nobody can feel his way through the network.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use portcullis_base::{Blame, Clock, Rng, Secret};
use portcullis_openapi::{PlanError, RequestPlan};
use thiserror::Error;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::answer::Answer;
use super::credentials::{
    ChosenBy, ClientGrant, Credential, CredentialError, CredentialSources, Decision, decide,
};
use super::http::{Http, HttpAnswer, HttpError};
use super::policy::EgressPolicy;
use super::redact::Redactor;
use super::request::{Attachment, RequestError, write};
use super::retry::{Attempt, wait};
use super::tokens::{Held, TokenError, Tokens};
use crate::catalogue::PublishedTool;
use crate::telemetry::metrics::Metrics;

/// How long a call may take, how large its answer may be, and how many there may be.
#[derive(Clone, Copy, Debug)]
pub struct UpstreamLimits {
    /// The time for a connection.
    pub connect: Duration,
    /// The time for a call as a whole: token, repetitions and answer.
    pub call: Duration,
    /// The most bytes of an answer, after decompression.
    pub max_response_bytes: usize,
    /// The most calls under way at once.
    pub max_calls: usize,
}

/// The way to the APIs.
pub struct Upstream {
    http: Http,
    tokens: Tokens,
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
    limits: UpstreamLimits,
    places: Semaphore,
}

/// Why there is no answer; the text is what the model reads.
#[derive(Debug, Error)]
#[error("{text}")]
pub struct CallError {
    text: String,
    cause: Option<String>,
    blame: Blame,
}

impl CallError {
    fn new(blame: Blame, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            cause: None,
            blame,
        }
    }

    /// Adds what only the log says.
    fn because(self, cause: String) -> Self {
        Self {
            cause: Some(cause),
            ..self
        }
    }

    /// Returns the whole reason, for the log.
    #[must_use]
    pub fn cause(&self) -> &str {
        self.cause.as_deref().unwrap_or(&self.text)
    }

    /// Returns who has to mend it.
    #[must_use]
    pub fn blame(&self) -> Blame {
        self.blame
    }
}

impl Upstream {
    /// Makes the way out that a policy leaves open.
    #[must_use]
    pub fn new(
        policy: EgressPolicy,
        limits: UpstreamLimits,
        metrics: Arc<Metrics>,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Self {
        Self {
            http: Http::new(policy, limits.connect),
            tokens: Tokens::new(Arc::clone(&metrics), Arc::clone(&clock), rng),
            metrics,
            clock,
            limits,
            places: Semaphore::new(limits.max_calls),
        }
    }

    /// Returns the way out, for requests that are no calls.
    #[must_use]
    pub fn http(&self) -> &Http {
        &self.http
    }

    /// Sends a planned request with the credentials that the tool needs.
    ///
    /// Dropping the future takes the request back.
    ///
    /// # Errors
    ///
    /// When too many calls are under way, a credential or the address is missing, the guard refuses, or no answer comes.
    pub async fn call(
        &self,
        tool: &PublishedTool,
        plan: RequestPlan,
        sources: &CredentialSources<'_>,
    ) -> Result<Answer, CallError> {
        let Ok(_place) = self.places.try_acquire() else {
            return Err(self.too_many());
        };
        let decision = decide(tool, *sources).map_err(|error| {
            let blame = blame_of(&error, sources);
            CallError::new(blame, error.to_string())
        })?;
        let call = Call {
            upstream: self,
            tool,
            decision: &decision,
        };
        let deadline = Instant::now() + self.limits.call;
        let tokens = timeout_at(deadline, call.tokens())
            .await
            .unwrap_or_else(|_| Err(call.without_token()))?;
        timeout_at(deadline, call.run(plan, tokens))
            .await
            .unwrap_or_else(|_| Err(call.without_answer()))
    }

    fn too_many(&self) -> CallError {
        let text =
            "the gateway has too many calls under way; nothing was sent, so try again in a moment";
        let most = self.limits.max_calls;
        CallError::new(Blame::Operator, text).because(format!(
            "{most} calls are under way, which `upstream.max_calls` allows"
        ))
    }
}

fn blame_of(error: &CredentialError, sources: &CredentialSources<'_>) -> Blame {
    match error {
        CredentialError::Missing(_) if !sources.environment_allowed => Blame::Caller,
        CredentialError::Missing(_)
        | CredentialError::Server(_)
        | CredentialError::OtherOrigin { .. }
        | CredentialError::Elsewhere { .. } => Blame::Operator,
    }
}

/// A call under way.
struct Call<'a> {
    upstream: &'a Upstream,
    tool: &'a PublishedTool,
    decision: &'a Decision<'a>,
}

impl Call<'_> {
    async fn run(&self, plan: RequestPlan, mut tokens: Vec<Held>) -> Result<Answer, CallError> {
        // Only a token can be replaced by another, so only then is the plan needed again.
        let again = (!tokens.is_empty()).then(|| plan.clone());
        let mut sent = self.secrets(&tokens);
        let mut answer = self.attempt(plan, &tokens).await?;
        if answer.status == StatusCode::UNAUTHORIZED
            && let Some(plan) = again
            && self.renew(&mut tokens).await?
        {
            sent.extend(self.secrets(&tokens));
            answer = self.attempt(plan, &tokens).await?;
        }
        Ok(Answer::new(answer, self.decision, &Redactor::new(&sent)))
    }

    /// Returns the tokens that the credentials need, in their order.
    async fn tokens(&self) -> Result<Vec<Held>, CallError> {
        let mut tokens = Vec::new();
        for grant in self.grants() {
            let upstream = self.upstream;
            let token = upstream.tokens.token(&upstream.http, grant).await;
            tokens.push(token.map_err(|error| token_error(&error))?);
        }
        Ok(tokens)
    }

    /// Replaces tokens that the API refused; tells whether any is another one now.
    async fn renew(&self, tokens: &mut Vec<Held>) -> Result<bool, CallError> {
        let mut is_renewed = false;
        for (grant, held) in self.grants().zip(tokens.iter()) {
            is_renewed |= self.upstream.tokens.reject(grant, held).await;
        }
        if is_renewed {
            *tokens = self.tokens().await?;
        }
        Ok(is_renewed)
    }

    fn grants(&self) -> impl Iterator<Item = &ClientGrant<'_>> {
        self.decision
            .credentials
            .iter()
            .filter_map(|credential| match credential {
                Credential::ClientCredentials(grant) => Some(grant),
                _ => None,
            })
    }

    /// Writes the request and sends it, again where that is safe.
    async fn attempt(&self, plan: RequestPlan, tokens: &[Held]) -> Result<HttpAnswer, CallError> {
        let attachments = self.attachments(tokens);
        let request = write(plan, &self.decision.server, &attachments)
            .map_err(|error| self.request_error(error))?;
        self.send(&request).await
    }

    fn attachments<'a>(&'a self, tokens: &'a [Held]) -> Vec<Attachment<'a>> {
        let mut tokens = tokens.iter().map(|held| &held.token);
        let credentials = self.decision.credentials.iter();
        credentials
            .filter_map(|credential| match credential {
                Credential::ClientCredentials(_) => Attachment::of(credential, tokens.next()),
                _ => Attachment::of(credential, None),
            })
            .collect()
    }

    /// Returns what must not be seen in an answer: what is sent, and what it is made from.
    fn secrets(&self, tokens: &[Held]) -> Vec<Secret> {
        let made_from =
            self.decision
                .credentials
                .iter()
                .filter_map(|credential| match credential {
                    // Without a password the user name is the key.
                    Credential::Basic { username, password } if password.expose().is_empty() => {
                        Some(*username)
                    }
                    Credential::Basic { password, .. } => Some(*password),
                    _ => None,
                });
        let attachments = self.attachments(tokens);
        let sent = attachments.iter().map(Attachment::secret);
        made_from.chain(sent).cloned().collect()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the API is given the time that it asks for"
    )]
    async fn send(&self, request: &Request<Full<Bytes>>) -> Result<HttpAnswer, CallError> {
        let upstream = self.upstream;
        let mut retries = 0;
        loop {
            let begun = Instant::now();
            let exchange = upstream
                .http
                .exchange(request.clone(), upstream.limits.max_response_bytes);
            let outcome = exchange.await;
            let status = outcome.as_ref().ok().map(|answer| answer.status);
            upstream.metrics.upstream_request(status, begun.elapsed());
            let attempt = match &outcome {
                Ok(answer) => Attempt::Answered(answer.status, &answer.headers),
                Err(HttpError::Connect(_)) => Attempt::Unconnected,
                Err(error) => return Err(self.http_error(error)),
            };
            let pause = match self.decision.server_chosen_by {
                ChosenBy::Operator => {
                    wait(request.method(), attempt, retries, upstream.clock.now())
                }
                // Repetitions would tell by their time what the message does not.
                ChosenBy::Caller => None,
            };
            let Some(pause) = pause else {
                return outcome.map_err(|error| self.http_error(&error));
            };
            retries += 1;
            tokio::time::sleep(pause).await;
        }
    }

    fn request_error(&self, error: RequestError) -> CallError {
        let blame = match error {
            RequestError::Plan(PlanError::Server) => match self.decision.server_chosen_by {
                ChosenBy::Operator => Blame::Operator,
                ChosenBy::Caller => Blame::Caller,
            },
            RequestError::Plan(_) => Blame::Caller,
            _ => Blame::Operator,
        };
        CallError::new(blame, error.to_string())
    }

    fn http_error(&self, error: &HttpError) -> CallError {
        let chosen_by_caller = self.decision.server_chosen_by == ChosenBy::Caller;
        let told = match error {
            _ if chosen_by_caller => self.unreached(),
            HttpError::Refused(_) if self.decision.server_is_secret => CallError::new(
                Blame::Operator,
                "the call was not made: the API's address is not allowed; the gateway's log says why",
            ),
            HttpError::Refused(refusal) => {
                CallError::new(Blame::Operator, format!("the call was not made: {refusal}"))
            }
            HttpError::Connect(_) => CallError::new(
                Blame::Upstream,
                "the API cannot be reached; nothing was sent. The reason is in the gateway's log",
            ),
            HttpError::Interrupted => CallError::new(
                Blame::Upstream,
                self.unknown("the connection to the API broke off before the answer was complete"),
            ),
            HttpError::Coding => CallError::new(
                Blame::Upstream,
                self.unknown("the API's answer cannot be decompressed"),
            ),
        };
        told.because(self.without_secret_server(error.to_string()))
    }

    /// Says the same of every address that a caller chose, whatever is or is not there.
    fn unreached(&self) -> CallError {
        let text = self.unknown("no answer came from the address that you chose");
        CallError::new(Blame::Caller, text)
    }

    fn without_answer(&self) -> CallError {
        let seconds = self.upstream.limits.call.as_secs();
        let text = format!("the API did not answer within {seconds} s");
        match self.decision.server_chosen_by {
            ChosenBy::Operator => CallError::new(Blame::Upstream, self.unknown(&text)),
            ChosenBy::Caller => self.unreached().because(text),
        }
    }

    fn without_token(&self) -> CallError {
        let seconds = self.upstream.limits.call.as_secs();
        let text = format!("no token came within {seconds} s; nothing was sent to the API");
        CallError::new(Blame::Upstream, text)
    }

    /// Takes the API's host out of a text for the log, where the operator keeps it secret.
    fn without_secret_server(&self, text: String) -> String {
        let server = Url::parse(&self.decision.server).ok();
        let host = server.as_ref().and_then(Url::host_str);
        match host.filter(|_| self.decision.server_is_secret) {
            Some(host) => text.replace(host, "(secret)"),
            None => text,
        }
    }

    /// Adds to a text that the request may have been carried out, where that matters.
    fn unknown(&self, text: &str) -> String {
        if self.tool.tool.annotations.read_only {
            text.to_owned()
        } else {
            format!(
                "{text}; it is not known whether it carried the request out, so look before you try again"
            )
        }
    }
}

fn token_error(error: &TokenError) -> CallError {
    CallError::new(error.blame(), error.to_string())
}
