//! The admin API: what the command line does, for programs.
//!
//! Knows: the token that the operator set, the configuration file that the gateway serves, and who may ask.
//! Does not know: how anything is done; that is [`crate::manifest`]'s, which the command line calls too.
//! It is served where health and metrics are, and nowhere without a token in `[admin]`, so that there always is a configuration file.
//!
//! To add an endpoint: a file `v1/<thing>/<verb>.rs`, its route in `v1.rs`, and its description in `v1/openapi.json`.

mod answer;
mod guard;
mod problem;
mod published;
mod v1;

use std::future::Future;
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use portcullis_base::{Digest, Origin, Slug};
use portcullis_store::{Actor, AuditEntry, Store};
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use crate::config::Configuration;
use crate::gateway::Reloader;
use crate::http::quota::AddressQuota;
use crate::manifest::visit::Visitor;

use problem::Problem;

/// Who acts, in audit rows.
const ACTOR: &str = "admin";

/// Requests with a wrong token that one address may make within a minute before it is told to wait.
const FAILURES: NonZeroU32 = NonZeroU32::new(30).expect("more than none");

/// What the routes work with.
struct AdminState {
    /// The digest of the token.
    token: Digest,
    /// What is served, takes up what changes, and has store and clock at hand.
    reloader: Reloader,
    /// Whoever asks providers, by the gateway's own way out.
    visitor: Visitor,
    failures: AddressQuota,
    /// Held while a file is thought about and written.
    editing: Mutex<()>,
}

/// Makes the router of `/api/v1/…` for holders of the token with the digest `token`.
pub(crate) fn router(token: Digest, reloader: Reloader, visitor: Visitor) -> Router {
    let state = Arc::new(AdminState {
        token,
        reloader,
        visitor,
        failures: AddressQuota::per_minute(FAILURES),
        editing: Mutex::default(),
    });
    let routes = v1::routes().layer(from_fn_with_state(Arc::clone(&state), guard::guard));
    Router::new().nest("/api/v1", routes.with_state(state))
}

impl AdminState {
    fn store(&self) -> &Store {
        &self.reloader.around().store
    }

    /// The only origin whose pages may ask.
    fn public_url(&self) -> &Origin {
        &self.reloader.around().public_url
    }

    /// Returns what is served at the moment.
    async fn configuration(&self) -> Arc<Configuration> {
        self.reloader.configuration().await
    }

    /// Tells whether the gateway has taken up what `wanted` says of a manifest.
    async fn has_taken_up(&self, wanted: &Configuration, manifest: &Slug) -> bool {
        let catalogue = self.reloader.around().catalogue.load_full();
        published::is_published(&catalogue, wanted, manifest)
            && published::is_same(&*self.configuration().await, wanted, manifest)
    }

    /// Records a change that was made, and taken up if it could be: that does not wait for the store.
    async fn record(&self, action: &'static str, target: String) -> Result<(), Problem> {
        tracing::info!(action, target, "admin API: {action} {target}");
        let entry = AuditEntry::new(Actor::new(ACTOR), action, target);
        let now = self.reloader.around().clock.now();
        self.store().insert_audit(entry, now).await.map_err(|error| {
            tracing::error!(%error, action, "a change of the admin API was made, and could not be recorded");
            Problem::internal("the change was made, but could not be recorded; the reason is in the log")
        })
    }
}

/// Does what reads or writes files where nobody waits for it.
async fn on_files<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    spawn_blocking(work).await.map_err(|error| {
        tracing::error!(%error, "the change of a file broke off");
        Problem::internal("the change broke off; the reason is in the log")
    })
}

/// Finishes what must not stop half way, though whoever asked for it may hang up.
async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Problem>> + Send + 'static,
) -> Result<T, Problem> {
    tokio::spawn(work).await.unwrap_or_else(|error| {
        tracing::error!(%error, "a change of the admin API broke off");
        Err(Problem::internal(
            "the change broke off; the reason is in the log",
        ))
    })
}
