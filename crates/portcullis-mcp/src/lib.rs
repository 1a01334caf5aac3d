//! The MCP wire rules without I/O.
//!
//! Knows: the protocol versions and their two eras, JSON-RPC envelopes, the headers that must agree with the body, error codes, and how lists and results are written for each version.
//! Does not know: HTTP types, who calls, what a tool does; the endpoint hands in headers and body and sends what comes back.
//!
//! To add a protocol version, extend [`ProtocolVersion`] and let the compiler and the tables of tests lead on.
//! To add a method, extend [`Method`] in `request.rs` and answer it in `answer.rs`.

mod answer;
mod envelope;
mod error;
mod header;
mod introduction;
mod read;
mod reply;
mod request;
mod result;
mod tool_list;
mod version;

pub use answer::{Answer, answer};
pub use envelope::Id;
pub use error::ProtocolError;
pub use header::{Field, Headers};
pub use introduction::Introduction;
pub use read::{Incoming, MAX_BATCH, read};
pub use reply::{Reply, progress};
pub use request::{Method, ProgressToken, Request, ToolCall};
pub use result::{Content, ToolResult};
pub use tool_list::{Annotations, Page, ToolDefinition, ToolList};
pub use version::ProtocolVersion;
