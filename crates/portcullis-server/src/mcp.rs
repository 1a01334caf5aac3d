//! The MCP endpoint: who calls, what is called, and the answer.
//!
//! Decides: whether a caller is admitted and with which values, and how an answer travels.
//! Does not decide: what a lawful message is (`portcullis-mcp`), what a request to an API looks like (`portcullis-openapi`), or which credential it bears ([`crate::upstream`]).

mod borrowed;
mod call;
pub mod caller;
pub mod dynamic;
pub mod endpoint;
pub mod keys;
mod narrowing;
mod page;
mod progress;
pub mod publish;
mod rejection;
mod response;
mod step_up;
