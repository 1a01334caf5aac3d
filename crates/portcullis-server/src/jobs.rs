//! What happens by itself from time to time, on every replica, and harmlessly on several at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use portcullis_base::Clock;
use portcullis_store::{Notices, Store};
use tokio::sync::Notify;
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::catalogue::Catalogue;
use crate::document::refresh::{DocumentRefresher, Judge};
use crate::gateway::Reloader;
use crate::manifest::watch::ManifestWatch;
use crate::mcp::keys::KeyCache;
use crate::shared_clock::SharedClock;
use crate::upstream::keeper::Keeper;
use crate::upstream::revoker::Revoker;

/// How often what nobody can use any more is deleted.
const SWEEP_EVERY: Duration = Duration::from_mins(10);

/// How many rows of a kind one sweep deletes at a time, so that other writes get their turn.
const SWEEP_ROWS: u32 = 1000;

/// How long a client that registered itself is kept without being used.
const UNUSED_CLIENTS: Duration = Duration::from_hours(90 * 24);

/// How often it is looked whether a manifest is due to be compared with what its provider serves, whether connections have rested for long, whether a document's URL is due to be looked at, and what time it is at the database.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// How often it is looked whether a provider is to be asked to revoke a token: soon, since people come back.
const REVOKE_EVERY: Duration = Duration::from_secs(5);

/// Heeds what other processes change, until `shutdown` is cancelled.
pub(crate) async fn follow(
    notices: Notices,
    keys: Arc<KeyCache>,
    revised: Arc<Notify>,
    shutdown: CancellationToken,
) {
    shutdown
        .run_until_cancelled(keys.follow(notices, &revised))
        .await;
}

/// Comes at once and then again and again, later where what is done takes long.
fn ticks(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Sets the time by the database's once a minute, until `shutdown` is cancelled.
pub(crate) async fn keep_time(clock: Arc<SharedClock>, store: Store, shutdown: CancellationToken) {
    let working = async {
        let mut ticks = ticks(LOOK_EVERY);
        loop {
            ticks.tick().await;
            if let Err(error) = clock.set_by(&store).await {
                tracing::debug!(%error, "the database does not tell the time");
            }
        }
    };
    shutdown.run_until_cancelled(working).await;
}

/// Asks providers to revoke what nothing here needs any more, until `shutdown` is cancelled.
pub(crate) async fn revoke_at_providers(revoker: Revoker, shutdown: CancellationToken) {
    // What is cut off is anybody's once its claim has run out.
    let working = async {
        let mut ticks = ticks(REVOKE_EVERY);
        loop {
            ticks.tick().await;
            if let Err(error) = revoker.revoke_due().await {
                tracing::warn!(%error, "it cannot be read which tokens providers are to revoke");
            }
        }
    };
    shutdown.run_until_cancelled(working).await;
}

/// Keeps connections alive that nobody uses, until `shutdown` is cancelled.
pub(crate) async fn keep_connections(mut keeper: Keeper, shutdown: CancellationToken) {
    // A renewal that is cut off goes on by itself.
    let working = async {
        let mut ticks = ticks(LOOK_EVERY);
        loop {
            ticks.tick().await;
            if let Err(error) = keeper.look().await {
                tracing::warn!(%error, "it cannot be read which connections are to be kept alive");
            }
        }
    };
    shutdown.run_until_cancelled(working).await;
}

/// Compares the manifests of published toolsets with what their providers serve, until `shutdown` is cancelled.
pub(crate) async fn watch_manifests(
    mut watch: ManifestWatch,
    catalogue: Arc<ArcSwap<Catalogue>>,
    shutdown: CancellationToken,
) {
    let working = async {
        let mut ticks = ticks(LOOK_EVERY);
        loop {
            ticks.tick().await;
            let published = catalogue.load_full();
            let external = published.toolsets.values();
            let external = external.filter_map(|toolset| toolset.external.as_ref());
            // Several toolsets may have the same one.
            let attached: BTreeMap<_, _> = external
                .map(|it| (it.manifest.slug.clone(), Arc::clone(&it.manifest)))
                .collect();
            let attached: Vec<_> = attached.into_values().collect();
            watch.look(&attached).await;
        }
    };
    shutdown.run_until_cancelled(working).await;
}

/// Looks at the URLs of documents, until `shutdown` is cancelled.
pub(crate) async fn refresh_documents(
    refresher: DocumentRefresher,
    reloader: Reloader,
    shutdown: CancellationToken,
) {
    // A look that is cut off is anybody's once its claim has run out.
    let working = async {
        let mut ticks = ticks(LOOK_EVERY);
        loop {
            ticks.tick().await;
            let judge = Judge::new(reloader.configuration().await);
            if let Err(error) = refresher.look(&judge).await {
                tracing::warn!(%error, "it cannot be read which documents are to be looked at");
            }
        }
    };
    shutdown.run_until_cancelled(working).await;
}

/// Deletes flows, codes, tokens, sessions and clients that nobody can use any more, until `shutdown` is cancelled.
pub(crate) async fn sweep(store: Store, clock: Arc<dyn Clock>, shutdown: CancellationToken) {
    let working = async {
        let mut ticks = ticks(SWEEP_EVERY);
        loop {
            ticks.tick().await;
            let now = clock.now();
            loop {
                let swept = store.sweep_sign_in(now, SWEEP_ROWS).await;
                let clients = store
                    .delete_unused_clients(now.before(UNUSED_CLIENTS), now, SWEEP_ROWS)
                    .await;
                match (swept, clients) {
                    (Ok(0), Ok(0)) => break,
                    (Ok(rows), Ok(clients)) => tracing::debug!(rows, clients, "swept"),
                    (Err(error), _) | (_, Err(error)) => {
                        tracing::warn!(%error, "what nobody can use any more was not deleted");
                        break;
                    }
                }
            }
        }
    };
    shutdown.run_until_cancelled(working).await;
}
