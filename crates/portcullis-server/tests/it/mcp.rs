//! The MCP endpoint with a real API behind it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests, and so are the functions that they share"
)]

mod admission;
mod api;
mod browser;
mod calls;
mod dynamic;
mod gateway;
mod narrowed;
mod transport;
