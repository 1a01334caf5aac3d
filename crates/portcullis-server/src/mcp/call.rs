//! `tools/call`: a tool's plan, its way to the API, and what becomes of the answer.

use std::sync::Arc;
use std::time::Duration;

use portcullis_base::Blame;
use portcullis_mcp::{Content, Id, ProtocolError, ProtocolVersion, Reply, ToolCall, ToolResult};
use portcullis_oauth::guard::admit::{TokenFault, lacks};
use portcullis_oauth::guard::external::Refusal as ExternalFault;
use portcullis_oauth::scope::Scopes;
use portcullis_openapi::{self as openapi, Outcome, RequestPlan};
use tokio::time::Instant;

use super::caller::{Bearer, Refusal};
use super::endpoint::Exchange;
use crate::catalogue::PublishedTool;
use crate::upstream::credentials::{ConnectionSource, CredentialSources, needed_scopes};
use crate::upstream::external::{Lent, TradeError};

/// Tokens that the provider gave within this time are not dead: an API that refuses them would refuse the next ones too.
const NEW_CONNECTION: Duration = Duration::from_mins(1);

/// What the model reads where no answer of its own can say it.
const CONNECTION_REFUSED: &str = "the API does not accept your sign-in any more; sign in again";

/// What a request comes to.
pub(super) struct Finished {
    /// The reply; it counts where the answer has begun already, or holds other replies too.
    pub(super) reply: Reply,
    /// What an answer of its own says instead: that the person has to sign in, again or for more.
    pub(super) refusal: Option<Refusal>,
}

impl From<Reply> for Finished {
    fn from(reply: Reply) -> Self {
        Self {
            reply,
            refusal: None,
        }
    }
}

impl From<Finished> for Reply {
    fn from(finished: Finished) -> Self {
        finished.reply
    }
}

/// A call whose request is planned and not yet sent.
pub(super) struct Call {
    exchange: Arc<Exchange>,
    id: Id<'static>,
    version: ProtocolVersion,
    tool: PublishedTool,
    plan: RequestPlan,
}

impl Call {
    /// Plans a call.
    ///
    /// # Errors
    ///
    /// When no request comes of it: the reply to send. An unknown tool is an error of the protocol, a bad argument a result that the model can read.
    pub(super) fn prepare(
        exchange: &Arc<Exchange>,
        id: &Id<'_>,
        version: ProtocolVersion,
        call: &ToolCall<'_>,
    ) -> Result<Self, Finished> {
        let toolset = &exchange.toolset;
        let Some((name, tool)) = toolset.tools.get_key_value(&*call.name) else {
            exchange.particulars.blame(Blame::Caller);
            let error = ProtocolError::unknown_tool(&call.name);
            return Err(Reply::error(Some(id), &error, version).into());
        };
        exchange.particulars.tool(name);
        if let Some(refusal) = exchange.lacks_scopes(tool) {
            exchange.count(Some(Blame::Caller), Instant::now());
            let result = ToolResult::error(refusal.to_string());
            return Err(Finished {
                reply: result.reply(id, version, &toolset.introduction),
                refusal: Some(refusal),
            });
        }
        match tool.tool.plan(call.arguments) {
            Ok(plan) => Ok(Self {
                exchange: Arc::clone(exchange),
                id: id.clone().into_owned(),
                version,
                tool: tool.clone(),
                plan,
            }),
            Err(error) => {
                exchange.count(Some(Blame::Caller), Instant::now());
                let result = ToolResult::error(error.to_string());
                Err(result.reply(id, version, &toolset.introduction).into())
            }
        }
    }

    /// Sends the request and answers.
    ///
    /// Dropped before that, it takes the request with it in the revisions for which leaving is cancelling.
    /// In the older ones "Disconnection SHOULD NOT be interpreted as the client cancelling its request" (2025-11-25, streamable HTTP): there the request is carried out.
    pub(super) async fn run(self) -> Finished {
        if self.version.is_modern() {
            return self.carry_out().await;
        }
        match tokio::spawn(self.carry_out()).await {
            Ok(finished) => finished,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    async fn carry_out(self) -> Finished {
        let begun = Instant::now();
        let Self {
            exchange,
            tool,
            plan,
            ..
        } = self;
        let lent = match exchange.lent().await {
            Ok(lent) => lent,
            Err(error) => {
                exchange.count(Some(error.blame()), begun);
                exchange.particulars.cause(&error.to_string());
                let result = ToolResult::error(error.to_string());
                return Finished {
                    reply: result.reply(&self.id, self.version, &exchange.toolset.introduction),
                    refusal: exchange.refusal_of(&error),
                };
            }
        };
        let sources = exchange.sources(lent.as_ref());
        let mut refusal = None;
        let (result, blame) = match exchange.state.upstream.call(&tool, plan, &sources).await {
            Ok(answer) => {
                if answer.refuses_connection() {
                    refusal = match exchange.caller.bearer() {
                        Some(bearer) => exchange.reject(bearer).await,
                        None => exchange.lose_connection().await,
                    };
                }
                if refusal.is_some() {
                    (
                        ToolResult::error(CONNECTION_REFUSED.to_owned()),
                        Some(Blame::Upstream),
                    )
                } else {
                    let response = answer.response();
                    let blame = blame_of(response.status);
                    (result_of(tool.tool.outcome(&response)), blame)
                }
            }
            Err(error) => {
                exchange.particulars.cause(error.cause());
                (ToolResult::error(error.to_string()), Some(error.blame()))
            }
        };
        exchange.count(blame, begun);
        Finished {
            reply: result.reply(&self.id, self.version, &exchange.toolset.introduction),
            refusal,
        }
    }
}

impl Exchange {
    /// Returns what calls bear in the name of a caller with a token of the provider's own.
    async fn lent(&self) -> Result<Option<Lent>, TradeError> {
        let external = self.toolset.external.as_ref();
        let Some((bearer, external)) = self.caller.bearer().zip(external) else {
            return Ok(None);
        };
        let Bearer { token, good, .. } = bearer;
        let manifest = &external.manifest;
        self.state.external.lend(token, good, manifest).await
    }

    /// Has the caller sign in again where the provider does not take his token any more, unless he has just done so.
    fn refusal_of(&self, error: &TradeError) -> Option<Refusal> {
        let bearer = self.caller.bearer()?;
        let has_ended = *error == TradeError::Ended && !self.is_new(bearer);
        has_ended.then_some(Refusal::External(ExternalFault::Inactive))
    }

    /// Says where a call's credentials come from.
    fn sources<'a>(&'a self, lent: Option<&'a Lent>) -> CredentialSources<'a> {
        let connection = self.caller.connection.as_ref();
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

    /// Forgets a token of the provider's own that the API refuses, and has the caller sign in again there.
    ///
    /// Where it is new, another one would fare no better: then the API's answer is the result, and nobody goes round in a circle.
    async fn reject(&self, bearer: &Bearer) -> Option<Refusal> {
        let external = self.toolset.external.as_ref()?;
        let endpoint = self.toolset.endpoint(&self.state.public_url);
        let manifest = &external.manifest;
        let tokens = &self.state.external;
        tokens.reject(&bearer.token, manifest, &endpoint).await;
        (!self.is_new(bearer)).then_some(Refusal::External(ExternalFault::Inactive))
    }

    fn is_new(&self, bearer: &Bearer) -> bool {
        self.state.clock.now().since(bearer.good.since) < NEW_CONNECTION
    }

    /// Refuses a person whose token does not reach as far as a tool needs; the challenge asks for all of the tool's scopes at once.
    fn lacks_scopes(&self, tool: &PublishedTool) -> Option<Refusal> {
        let granted = self.caller.scopes()?;
        let sign_in = self.toolset.signing_in()?;
        let needed = needed_scopes(tool, &sign_in.provider, granted);
        // Some clients ask for what the challenge names and nothing else, so that it names what they have too.
        let wanted = granted.without(&Scopes::offline()).union(&needed);
        lacks(granted, &needed).then_some(Refusal::Scope(wanted))
    }

    /// Ends the caller's connection, which the API does not honour any more; the caller has to sign in again.
    ///
    /// Where the tokens are new, or were replaced while the call was under way, another sign-in would not help, or has happened: then the API's answer is the result.
    /// So it is where the end cannot be stored: the next call tries again.
    async fn lose_connection(&self) -> Option<Refusal> {
        let token = self.caller.token()?;
        let connection = self.caller.connection.as_ref()?;
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

    /// Counts a call that has ended.
    fn count(&self, blame: Option<Blame>, begun: Instant) {
        if let Some(blame) = blame {
            self.particulars.blame(blame);
        }
        self.state
            .metrics
            .tool_call(self.toolset.slug.as_str(), blame, begun.elapsed());
    }
}

/// Tells who has to mend what an API answered with a status that is no success.
fn blame_of(status: u16) -> Option<Blame> {
    match status {
        200..300 => None,
        400..500 => Some(Blame::Caller),
        _ => Some(Blame::Upstream),
    }
}

fn result_of(outcome: Outcome) -> ToolResult {
    ToolResult {
        content: outcome.content.into_iter().map(content_of).collect(),
        structured: outcome.structured,
        is_error: outcome.is_error,
    }
}

fn content_of(content: openapi::Content) -> Content {
    match content {
        openapi::Content::Text(text) => Content::Text(text),
        openapi::Content::Image { data_base64, mime } => Content::Image {
            base64: data_base64,
            mime_type: mime,
        },
        openapi::Content::Audio { data_base64, mime } => Content::Audio {
            base64: data_base64,
            mime_type: mime,
        },
        openapi::Content::EmbeddedText { uri, mime, text } => Content::EmbeddedText {
            uri,
            mime_type: mime,
            text,
        },
        openapi::Content::EmbeddedBlob { uri, mime, base64 } => Content::EmbeddedBlob {
            uri,
            mime_type: mime,
            base64,
        },
    }
}
