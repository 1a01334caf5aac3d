//! `tools/call`: a tool's plan, its way to the API, and what becomes of the answer.

use std::sync::Arc;

use portcullis_base::Blame;
use portcullis_mcp::{Content, Id, ProtocolError, ProtocolVersion, Reply, ToolCall, ToolResult};
use portcullis_openapi::{self as openapi, Outcome, RequestPlan};
use tokio::time::Instant;

use super::borrowed::Unanswered;
use super::caller::Refusal;
use super::dynamic::{self, Asked, Inner};
use super::endpoint::Exchange;
use crate::catalogue::PublishedTool;

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
        let inner = match dynamic::asked(exchange, call) {
            Asked::Itself => None,
            Asked::Inner(inner) => Some(inner),
            Asked::Answered(name, result) => {
                exchange.particulars.tool(name);
                // No API has a part in it, so that it is no call of one.
                if result.is_error {
                    exchange.particulars.blame(Blame::Caller);
                }
                return Err(result.reply(id, version, &toolset.introduction).into());
            }
        };
        let note = inner.as_ref().and_then(Inner::note);
        let inner = inner.as_ref().map(Inner::call);
        let call = inner.as_ref().unwrap_or(call);
        let found = toolset.tools.get_key_value(&*call.name);
        let found = found.filter(|(_, tool)| exchange.narrowing.admits(tool));
        let Some((name, tool)) = found else {
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
            Ok(mut plan) => {
                plan.notes.extend(note);
                Ok(Self {
                    exchange: Arc::clone(exchange),
                    id: id.clone().into_owned(),
                    version,
                    tool: tool.clone(),
                    plan,
                })
            }
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
            mut plan,
            ..
        } = self;
        let notes = std::mem::take(&mut plan.notes);
        let (mut result, blame, refusal) = match exchange.answer(&tool, plan).await {
            Ok(answer) => {
                let response = answer.response();
                let blame = blame_of(response.status);
                let outcome = tool.tool.outcome(&response, &tool.presentation);
                (result_of(outcome), blame, None)
            }
            Err(Unanswered::Refused(refusal)) => {
                let (text, blame) = match &refusal {
                    Refusal::Scope(_) => (refusal.to_string(), Blame::Caller),
                    _ => (CONNECTION_REFUSED.to_owned(), Blame::Upstream),
                };
                (ToolResult::error(text), Some(blame), Some(refusal))
            }
            Err(Unanswered::Failed { text, cause, blame }) => {
                exchange.particulars.cause(&cause);
                (ToolResult::error(text), Some(blame), None)
            }
        };
        exchange.count(blame, begun);
        result.content.extend(notes.into_iter().map(Content::Text));
        Finished {
            reply: result.reply(&self.id, self.version, &exchange.toolset.introduction),
            refusal,
        }
    }
}

impl Exchange {
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
