//! The server's parts over real sockets.

mod hand;
mod http;
mod issuer;
mod mcp;
mod upstream;
