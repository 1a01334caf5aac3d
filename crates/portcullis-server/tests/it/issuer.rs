//! Signing in: from a client that nobody knows to a tool call with the person's own token.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests, and so are the functions that they share"
)]

mod announced;
mod attacks;
mod connections;
mod external;
mod journey;
mod keeping;
mod known;
mod neighbours;
mod overload;
mod parting;
mod person;
mod renewal;
mod replicas;
mod revoking;
mod site;
mod staying;
mod step_up;
mod token;
