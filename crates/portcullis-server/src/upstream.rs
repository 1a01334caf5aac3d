//! The way out: the one HTTP client, and the credentials that its requests carry.
//!
//! Decides: where a call may go ([`policy`]), which credentials it bears ([`credentials`]), and when it is sent once more.
//! Does not decide: what a request looks like or what becomes of its answer; that is `portcullis-openapi`'s.

pub mod address;
mod answer;
mod call;
pub mod credentials;
pub mod external;
mod form;
pub mod http;
pub mod keeper;
pub mod policy;
pub mod providers;
mod redact;
mod request;
mod retry;
pub mod revoker;
mod tokens;
pub mod vault;

pub use answer::{Answer, Complaint};
pub use call::{CallError, Upstream, UpstreamLimits};
