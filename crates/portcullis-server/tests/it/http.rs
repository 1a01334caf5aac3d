//! The listener and what surrounds every request, seen from the other end of a socket.

mod drain;
mod framing;
mod judgement;
mod limits;
mod peer;
mod tls;
