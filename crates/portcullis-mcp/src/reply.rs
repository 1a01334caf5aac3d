//! Replies: an HTTP status and the bytes that go with it.

use crate::envelope::Id;
use crate::{ProgressToken, ProtocolError, ProtocolVersion};

/// What to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// JSON, or nothing at all.
    pub body: Vec<u8>,
}

impl Reply {
    /// Answers what needs no answer.
    pub fn accepted() -> Self {
        Self {
            status: 202,
            body: Vec::new(),
        }
    }

    /// Answers with an error; without an id where the request's could not be read.
    pub fn error(id: Option<&Id<'_>>, error: &ProtocolError, version: ProtocolVersion) -> Self {
        let message = serde_json::Value::from(error.to_string());
        let id = id.map_or_else(String::new, |id| format!("\"id\":{},", id.as_json()));
        let data = error
            .data()
            .map_or_else(String::new, |data| format!(",\"data\":{data}"));
        let code = error.code(version);
        Self {
            status: error.status(version),
            body: format!(
                "{{\"jsonrpc\":\"2.0\",{id}\"error\":{{\"code\":{code},\"message\":{message}{data}}}}}"
            )
            .into_bytes(),
        }
    }

    /// Answers a batch with the answers to its messages.
    pub fn batch(replies: &[Self]) -> Self {
        let size: usize = replies.iter().map(|reply| reply.body.len() + 1).sum();
        let mut body = Vec::with_capacity(size + 1);
        for reply in replies {
            body.push(if body.is_empty() { b'[' } else { b',' });
            body.extend_from_slice(&reply.body);
        }
        body.push(b']');
        Self { status: 200, body }
    }

    /// Answers with the result that `write` writes as a JSON object, `size_bytes` being a guess of its length.
    pub(crate) fn result(id: &Id<'_>, size_bytes: usize, write: impl FnOnce(&mut Vec<u8>)) -> Self {
        let id = id.as_json().as_bytes();
        let mut body = Vec::with_capacity(size_bytes + id.len() + 48);
        body.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"id\":");
        body.extend_from_slice(id);
        body.extend_from_slice(b",\"result\":");
        write(&mut body);
        body.push(b'}');
        Self { status: 200, body }
    }
}

/// Writes a progress notification: the count of those sent, since no total is known.
#[must_use]
pub fn progress(token: &ProgressToken<'_>, count: u64) -> Vec<u8> {
    format!(
        "{{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{{\"progressToken\":{},\"progress\":{count}}}}}",
        token.as_json()
    )
    .into_bytes()
}

/// Writes `text` as a JSON string.
pub(crate) fn write_string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a string always has a JSON form");
}
