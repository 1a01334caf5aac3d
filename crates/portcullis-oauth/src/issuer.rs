//! We as authorization server: what a client may register, ask for and receive.
//!
//! Every rule is a function of a request, what is stored, the operator's policy and the time; what comes out says what to store and what to answer.
//! Types of this module are what the store keeps.
//!
//! To add a parameter of a request, begin in [`crate::wire`]; the rule about it goes beside its siblings here.

pub mod authenticate;
pub mod authorize;
pub mod client;
pub mod code;
pub mod flow;
pub mod grant;
pub mod introspect;
pub mod person;
pub mod redeem;
pub mod refresh;
pub mod register;
pub mod remember;
pub mod revoke;
