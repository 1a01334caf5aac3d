//! The server's parts over real sockets.

mod hand;
mod http;
mod mcp;
mod upstream;
