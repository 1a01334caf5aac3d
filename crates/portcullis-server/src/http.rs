//! Sockets, TLS, and the judgement of a request before anybody reads its body.
