//! Everything that listens or dials.
//!
//! Knows: sockets, TLS, HTTP, configuration files, and how the crates without I/O are put to work.
//! Does not know: SQL, or any protocol rule; those live in the crates below.

pub mod admin;
pub mod ambient;
pub mod catalogue;
pub mod check;
pub mod compiled;
pub mod config;
pub mod doctor;
pub mod document;
pub mod gateway;
pub mod http;
pub mod issuer;
mod jobs;
pub mod manifest;
pub mod mcp;
mod memory;
pub mod page;
mod shared_clock;
pub mod storage;
pub mod telemetry;
pub mod upstream;
