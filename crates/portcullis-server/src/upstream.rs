//! The way out: the one HTTP client, and the credentials that its requests carry.
//!
//! Decides: where a call may go ([`policy`]) and which credentials it bears ([`credentials`]).
//! Does not decide: what a request looks like or what becomes of its answer; that is `portcullis-openapi`'s.

pub mod address;
pub mod credentials;
pub mod http;
pub mod policy;
