//! We as resource server: what a caller presents, and what he is told when it does not suffice.
//!
//! A token of our own is judged by [`admit`]; one of a provider's own authorization server by [`jwt`], [`introspection`] or [`probe`], which say the same of it ([`external`]).

pub mod admit;
pub mod bearer;
pub mod challenge;
pub mod external;
pub mod introspection;
pub mod jwt;
pub mod probe;
pub mod step_up;
