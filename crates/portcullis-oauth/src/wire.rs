//! Messages as the RFCs write them.

pub mod token;
