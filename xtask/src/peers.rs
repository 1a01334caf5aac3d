//! Real clients and real APIs: what they are, how they are started, and what is asked of them.
//!
//! Each kind is one file; all share the gateway of `gateway.rs`, started from the binary that people get.

pub(crate) mod clients;
pub(crate) mod conformance;
pub(crate) mod documents;
pub(crate) mod emulate;
pub(crate) mod gateway;
pub(crate) mod github;
pub(crate) mod programs;
pub(crate) mod requests;
pub(crate) mod sign_in;
