//! Answers every request that needs no upstream.

use crate::envelope::Id;
use crate::{
    Introduction, Method, Page, ProtocolError, ProtocolVersion, Reply, Request, ToolCall, ToolList,
};

/// What becomes of a request.
#[derive(Debug)]
pub enum Answer<'r, 'a> {
    /// It is answered.
    Reply(Reply),
    /// A tool is to be called; [`crate::ToolResult::reply`] answers.
    Call(&'r ToolCall<'a>),
}

/// Answers a request from what the server says of itself and of its tools.
#[must_use]
pub fn answer<'r, 'a>(
    request: &'r Request<'a>,
    introduction: &Introduction,
    tools: &ToolList,
) -> Answer<'r, 'a> {
    let (id, version) = (&request.id, request.version);
    let error = |error: ProtocolError| Reply::error(Some(id), &error, version);
    Answer::Reply(match &request.method {
        Method::CallTool(call) => return Answer::Call(call),
        Method::Initialize => introduction.initialize(id, version),
        Method::Discover => introduction.discover(id, version),
        Method::Ping | Method::SetLoggingLevel => empty(id, version, introduction),
        Method::ListTools { cursor } => tools
            .page(id, cursor.as_deref(), version, introduction, None)
            .map_or_else(|error| error, Page::into_reply),
        Method::ListPrompts => no_items("prompts", id, version, introduction),
        Method::ListResources => no_items("resources", id, version, introduction),
        Method::ListResourceTemplates => no_items("resourceTemplates", id, version, introduction),
        Method::GetPrompt { name } => error(ProtocolError::UnknownPrompt(name.clone())),
        Method::ReadResource { uri } => error(ProtocolError::UnknownResource(uri.clone())),
        Method::Complete => no_completions(id, version, introduction),
    })
}

fn empty(id: &Id<'_>, version: ProtocolVersion, introduction: &Introduction) -> Reply {
    Reply::result(id, 2, |out| {
        out.push(b'{');
        introduction.end(out, version);
    })
}

fn no_items(
    kind: &str,
    id: &Id<'_>,
    version: ProtocolVersion,
    introduction: &Introduction,
) -> Reply {
    Reply::result(id, introduction.size_bytes(), |out| {
        out.extend_from_slice(format!("{{\"{kind}\":[]").as_bytes());
        introduction.end_cacheable(out, version);
    })
}

fn no_completions(id: &Id<'_>, version: ProtocolVersion, introduction: &Introduction) -> Reply {
    Reply::result(id, introduction.size_bytes(), |out| {
        out.extend_from_slice(br#"{"completion":{"values":[],"total":0,"hasMore":false}"#);
        introduction.end(out, version);
    })
}
