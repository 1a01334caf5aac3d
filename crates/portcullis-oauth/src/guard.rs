//! We as resource server: what a caller presents, and what he is told when it does not suffice.

pub mod admit;
pub mod bearer;
pub mod challenge;
