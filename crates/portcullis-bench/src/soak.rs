//! The people, their processes, the provider and the thieves of `cargo xtask soak`.
//!
//! What is started, killed, paused and judged is the business of `xtask`; time is the system's, which `xtask` may have turned forward for a process.

pub(crate) mod account;
mod chance;
mod credentials;
pub(crate) mod crowd;
pub(crate) mod process;
pub(crate) mod provider;
mod throng;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Returns the time since 1970, as this process sees it.
#[expect(
    clippy::disallowed_methods,
    reason = "the soak turns this clock by turning the system's"
)]
fn since_epoch() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a client that is told to come again later has nothing else to wait on"
)]
async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
