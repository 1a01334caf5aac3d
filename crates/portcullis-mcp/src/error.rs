//! What can be wrong with a request, and the code each mistake bears in each era.

use thiserror::Error;

use crate::ProtocolVersion;

/// A request that gets a JSON-RPC error.
///
/// Texts from the caller are cut short in messages, and values of arguments never appear in them.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ProtocolError {
    /// The body is not UTF-8.
    #[error("the body is not UTF-8")]
    NotUtf8,
    /// The body is not JSON.
    #[error("the body is not JSON: see line {line}, column {column}")]
    NotJson {
        /// Counted from one.
        line: usize,
        /// Counted from one.
        column: usize,
    },
    /// The body nests too deep.
    #[error("the body nests deeper than {limit} levels")]
    TooDeep {
        /// The deepest that is accepted.
        limit: usize,
    },
    /// JSON, but no message.
    #[error("the body is no JSON-RPC 2.0 message")]
    NotAMessage,
    /// The id is neither a string nor an integer.
    #[error("the id must be a string or an integer")]
    InvalidId,
    /// The client answers a request that nobody made.
    #[error("this protocol version has no responses from clients")]
    UnexpectedResponse,
    /// A batch in a version that has none.
    #[error("batches exist in protocol version 2025-03-26 only")]
    BatchNotSupported,
    /// A batch of no messages, or of too many.
    #[error("a batch has 1 to {max} messages, not {count}")]
    BatchSize {
        /// How many it has.
        count: usize,
        /// How many it may have.
        max: usize,
    },
    /// A message that must stand alone.
    #[error("`{0}` cannot be part of a batch")]
    NotInBatch(&'static str),
    /// `params` or one of its members has the wrong shape.
    #[error("invalid params: {0}")]
    InvalidParams(&'static str),
    /// `_meta` lacks what every request of the version must carry.
    #[error("invalid params: `_meta` must have `{0}`")]
    MissingMeta(&'static str),
    /// A header is missing or differs from the body.
    #[error("header mismatch: `{0}` must be given once and be equal to the body's value")]
    HeaderMismatch(&'static str),
    /// A version that is not served.
    #[error("unsupported protocol version")]
    UnsupportedVersion {
        /// The version asked for, cut short.
        requested: String,
    },
    /// A method that the version does not have, or that is not served.
    #[error("method `{0}` not found")]
    MethodNotFound(String),
    /// A tool that the toolset does not have; see [`ProtocolError::unknown_tool`].
    #[error("unknown tool `{0}`")]
    UnknownTool(String),
    /// Tags in the endpoint's URL that no tool has; the text says which there are.
    #[error("no tool has one of the tags in the URL's `tags`: {0}")]
    UnknownTags(String),
    /// A prompt that does not exist.
    #[error("unknown prompt `{0}`")]
    UnknownPrompt(String),
    /// A resource that does not exist.
    #[error("unknown resource `{0}`")]
    UnknownResource(String),
    /// A cursor that was not handed out here.
    #[error("invalid cursor: begin again without one")]
    InvalidCursor,
}

impl ProtocolError {
    /// Makes the error of a call to a tool that does not exist.
    #[must_use]
    pub fn unknown_tool(name: &str) -> Self {
        Self::UnknownTool(clip(name))
    }

    /// Returns the JSON-RPC error code.
    #[must_use]
    pub fn code(&self, version: ProtocolVersion) -> i32 {
        match self {
            Self::NotUtf8 | Self::NotJson { .. } | Self::TooDeep { .. } => -32700,
            Self::NotAMessage
            | Self::InvalidId
            | Self::UnexpectedResponse
            | Self::BatchNotSupported
            | Self::BatchSize { .. }
            | Self::NotInBatch(_) => -32600,
            Self::MethodNotFound(_) => -32601,
            Self::UnknownResource(_) if !version.is_modern() => -32002,
            Self::InvalidParams(_)
            | Self::MissingMeta(_)
            | Self::UnknownTool(_)
            | Self::UnknownTags(_)
            | Self::UnknownPrompt(_)
            | Self::UnknownResource(_)
            | Self::InvalidCursor => -32602,
            Self::HeaderMismatch(_) => -32020,
            Self::UnsupportedVersion { .. } => -32022,
        }
    }

    /// Returns the HTTP status that goes with the error.
    ///
    /// Versions with a handshake put errors of lawful requests into a 200; 2026-07-28 says which are 400 and 404.
    #[must_use]
    pub fn status(&self, version: ProtocolVersion) -> u16 {
        match self {
            Self::InvalidParams(_) | Self::MethodNotFound(_) if !version.is_modern() => 200,
            Self::MethodNotFound(_) => 404,
            Self::UnknownTool(_)
            | Self::UnknownTags(_)
            | Self::UnknownPrompt(_)
            | Self::UnknownResource(_)
            | Self::InvalidCursor => 200,
            _ => 400,
        }
    }

    /// Returns the error's `data` as JSON text, where it has any.
    pub(crate) fn data(&self) -> Option<String> {
        match self {
            Self::UnsupportedVersion { requested } => Some(
                serde_json::json!({
                    "supported": ProtocolVersion::ALL.map(ProtocolVersion::as_str),
                    "requested": requested,
                })
                .to_string(),
            ),
            Self::UnknownResource(uri) => Some(serde_json::json!({ "uri": uri }).to_string()),
            _ => None,
        }
    }
}

/// Cuts a caller's text to what a message can bear.
pub(crate) fn clip(text: &str) -> String {
    text.chars().take(128).collect()
}
