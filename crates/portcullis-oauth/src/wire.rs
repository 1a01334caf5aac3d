//! Messages as the RFCs write them.

pub mod error;
pub mod form;
pub mod metadata;
pub mod token;
