//! The server's parts over real sockets.

#[expect(clippy::panic, reason = "tests share it")]
mod database;
mod document;
mod hand;
mod http;
mod issuer;
mod manifest;
mod mcp;
#[expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests share it"
)]
mod signer;
mod storage;
mod upstream;
