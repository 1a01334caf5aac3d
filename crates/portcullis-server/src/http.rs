//! Sockets, TLS, and the judgement of a request before anybody reads its body.
//!
//! Decides: which connections are held and for how long, which `Host` and `Origin` may speak, whose address a request bears, and what one log line says of it.
//! Does not decide: who the caller is or what he may do; that is the endpoint's.
//!
//! The way of a request: [`listener`] holds the sockets, [`serve`] reads from them under time limits, [`surround`] gives the request an id, has [`judge`] decide whether it goes on, and writes its log line; between the two the router answers.

pub mod body;
pub mod certificate_watch;
mod connection;
mod expiry;
pub mod forwarded;
pub mod health;
pub mod judge;
pub mod listener;
pub(crate) mod quota;
pub mod request_log;
pub mod serve;
pub mod settings;
pub mod surround;
pub mod tls;
mod unread;
