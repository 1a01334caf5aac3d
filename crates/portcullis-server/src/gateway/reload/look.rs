//! The look that a serving gateway takes every other second: at its files, and at the store's revision; at that also when another process says that it is another one.
//!
//! Files are looked at rather than watched, as [`crate::http::certificate_watch`] does and for the same reasons.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use super::{Reloader, State};

/// Time between two looks.
const INTERVAL: Duration = Duration::from_secs(2);
/// Time for the store to tell its revision.
const PATIENCE: Duration = Duration::from_secs(5);

impl Reloader {
    /// Looks again and again until `shutdown` is cancelled.
    pub(in crate::gateway) fn watch(
        &self,
        shutdown: CancellationToken,
    ) -> impl Future<Output = ()> + Send + 'static {
        let reloader = self.clone();
        async move {
            // Documents that are fetched for the files hold nobody up who looks at the store.
            let at_files = async {
                let mut ticks = ticks();
                loop {
                    ticks.tick().await;
                    reloader.look_at_files().await;
                }
            };
            let at_store = async {
                let mut ticks = ticks();
                loop {
                    tokio::select! {
                        _ = ticks.tick() => {}
                        () = reloader.0.revised.notified() => {}
                    }
                    reloader.look_at_revision().await;
                }
            };
            tokio::select! {
                () = at_files => {}
                () = at_store => {}
                () = shutdown.cancelled() => {}
            }
        }
    }

    /// Takes up what has changed; the log tells what came of it.
    pub async fn look(&self) {
        self.look_at_files().await;
        self.look_at_revision().await;
    }

    /// Takes up what has changed in the files.
    ///
    /// Files are read once they are the same at two looks: one that is being written may be empty at the first, and an empty configuration withdraws everything.
    /// What could not be used is tried again at every look, since the cause may lie in a file that is not known yet.
    async fn look_at_files(&self) {
        if self.are_files_due().await {
            let remote = self.contents().await;
            let mut state = self.0.state.lock().await;
            // They may have changed while a document was fetched.
            if state.seen == Some(state.stamps.again()) {
                self.reload_as(&mut state, remote).await;
            }
        }
    }

    async fn are_files_due(&self) -> bool {
        let mut state = self.0.state.lock().await;
        let stamps = state.stamps.again();
        let is_due = state.refused.is_some() || stamps != state.stamps;
        let seen = state.seen.replace(stamps);
        is_due && seen == state.seen
    }

    /// Takes up what has changed in the store; files have a pace of their own.
    async fn look_at_revision(&self) {
        let mut state = self.0.state.lock().await;
        let missing = self.look_at_store(&mut state).await.err();
        if let Some(missing) = &missing
            && state.unpublished.as_ref() != Some(missing)
        {
            tracing::error!("kept what is published: {missing}");
        } else if missing.is_none() && state.unpublished.is_some() {
            tracing::info!("the store can be published again");
        }
        state.unpublished = missing;
    }

    /// Publishes what is stored if it is not published yet; gives what keeps it from being so.
    async fn look_at_store(&self, state: &mut State) -> Result<(), String> {
        let told = timeout(PATIENCE, self.0.around.store.revision()).await;
        let revision = match told {
            Ok(Ok(revision)) => revision,
            Ok(Err(error)) => return Err(self.unready(error.to_string())),
            Err(_) => return Err(self.unready("the database does not answer".to_owned())),
        };
        // API keys can be looked up, so that callers can be answered from what is published.
        self.0.missing.store(None);
        if state.revision == Some(revision) {
            return Ok(());
        }
        self.publish_as(state)
            .await
            .map_err(|error| error.to_string())
    }

    /// Lets the readiness probe tell what is missing.
    fn unready(&self, missing: String) -> String {
        self.0.missing.store(Some(Arc::new(missing.clone())));
        missing
    }
}

fn ticks() -> Interval {
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
