//! Logs and metrics.
//!
//! Decides where log lines go and that they can neither be forged nor hold anybody up, and which labels a metric may have.
//! Does not decide what is worth a line; that is said where the thing happens.

pub mod logging;
pub mod metrics;
