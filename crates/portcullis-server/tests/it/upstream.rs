//! Calls to APIs and token endpoints on loopback.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "these are tests, and so are the functions that they share"
)]

pub(crate) mod api;
mod calls;
mod choices;
mod connections;
mod providers;
mod tokens;
mod unsaid;
mod way;
