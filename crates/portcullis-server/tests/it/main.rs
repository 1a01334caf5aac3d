//! The server's parts over real sockets.

mod http;
mod mcp;
mod upstream;
