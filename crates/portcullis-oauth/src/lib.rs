//! Every OAuth rule that needs no I/O.
//!
//! Knows: what a presented bearer token looks like, what a challenge says, how a client authenticates at a token endpoint and reads its answer, and what another authorization server says of itself and of its tokens.
//! Does not know: sockets, storage, the time or entropy; whoever calls passes `now` and random values in.
//!
//! To add a parameter or an error code of a request or an answer, extend the file of its message in `wire`.
//! To add a method of client authentication, add a variant to [`client_auth::ClientAuthentication`].

mod claims;
pub mod client;
pub mod client_auth;
pub mod guard;
pub mod issuer;
pub mod json_pointer;
pub mod jws;
pub mod manifest;
pub mod pkce;
pub mod redirect_uri;
pub mod resource;
pub mod scope;
pub mod wire;
