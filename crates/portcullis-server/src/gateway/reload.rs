//! Publishes what the store holds, and reads the configuration again while the gateway serves.
//!
//! The store is what is published; the configuration only changes the store.
//! So a change by another process, such as `portcullis apply`, is published and not undone, until the files say something new.
//! Whatever cannot be used changes nothing: what is published stays, and the log says why.
//! What was judged for another listener, be it by a changed file or by another process, is judged again for the one that runs.

mod compile;
mod look;

use std::collections::BTreeSet;
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use portcullis_base::{Clock, Origin, Rng, Slug};
use portcullis_openapi::{ReadError, UnreadableNames};
use portcullis_store::{
    Inbound, OAuthManifest, Revision, Snapshot, Store, StoreError, TokenValidation, Toolset,
};
use thiserror::Error;
use tokio::sync::{Mutex, Notify};
use tokio::task::{JoinError, spawn_blocking};

use super::stamps::Stamps;
use super::{report, restart};
use crate::catalogue::{Catalogue, CatalogueError};
use crate::config::apply::{self, ApplyError};
use crate::config::{Configuration, ConfigurationError, RemoteContents, Settings};
use crate::document::fetches::Fetches;
use crate::document::load::{self, LoadError};
use crate::http::health::Probe;
use crate::http::tls::{Certificates, Reload};
use crate::storage::{self, StorageError};
use crate::telemetry::metrics::Metrics;

/// Why what is stored was not published.
#[derive(Debug, Error)]
pub enum PublishError {
    /// The store failed, or its secrets do not open.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The secrets were sealed under another master key, and the present one cannot be read.
    #[error("the secrets in the store do not open with the known master key: {0}")]
    MasterKey(StorageError),
    /// What is stored cannot be published.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// A stored document cannot be read at all.
    #[error("document `{document}` ({source_name}): {reason}")]
    Document {
        /// The document's slug.
        document: Slug,
        /// Where its content came from.
        source_name: String,
        /// What is wrong with it.
        reason: ReadError,
    },
    /// The names of a document's tools cannot be read.
    #[error("document `{document}`: {reason}")]
    Names {
        /// The document's slug.
        document: Slug,
        /// What is wrong with them.
        reason: UnreadableNames,
    },
    /// Others changed a document again and again while it was read.
    #[error("the documents change while they are read; this is tried again")]
    Unsteady,
    /// The compilation of a document broke off.
    #[error("a document could not be compiled: {0}")]
    BrokenOff(#[from] JoinError),
}

/// Why a configuration was not taken up.
#[derive(Debug, Error)]
pub enum ReloadError {
    /// Something about it is wrong.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// What documents from URLs hold cannot be read from the store.
    #[error(transparent)]
    Contents(LoadError),
    /// The reading broke off.
    #[error("the configuration could not be read: {0}")]
    BrokenOff(#[from] JoinError),
    /// It opens a toolset that the present listener would show to other machines.
    #[error(
        "toolset `{toolset}` asks for no key, and other machines reach the listener until Portcullis is started again"
    )]
    Exposed {
        /// The toolset.
        toolset: Slug,
    },
    /// Its objects cannot be written.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// What is stored now cannot be published.
    #[error(transparent)]
    Publish(#[from] PublishError),
}

impl From<LoadError> for ReloadError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Configuration(error) => Self::Configuration(error),
            error => Self::Contents(error),
        }
    }
}

/// What a reloader works on.
pub(crate) struct Surroundings {
    pub(crate) store: Store,
    pub(crate) catalogue: Arc<ArcSwap<Catalogue>>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) fetches: Fetches,
    pub(crate) certificates: Option<Arc<Certificates>>,
    pub(crate) public_url: Origin,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rng: Arc<dyn Rng>,
}

/// Keeps what is published in step with the store and the files; cheap to clone.
#[derive(Clone)]
pub struct Reloader(Arc<Inner>);

struct Inner {
    around: Surroundings,
    /// The settings that the gateway was started with.
    running: Settings,
    /// Held throughout a reload, so that one follows the other.
    state: Mutex<State>,
    /// What keeps requests from being answered.
    missing: ArcSwapOption<String>,
    /// Woken when the store may hold something else.
    revised: Arc<Notify>,
}

struct State {
    /// The last that could be used.
    configuration: Arc<Configuration>,
    /// Its files, as they were when it was read.
    stamps: Stamps,
    /// Its files, as they were at the last look.
    seen: Option<Stamps>,
    /// What is published.
    revision: Option<Revision>,
    /// Why the files cannot be used at present, as it was told.
    refused: Option<Vec<String>>,
    /// Why the store cannot be published at present, as it was told.
    unpublished: Option<String>,
}

impl Reloader {
    /// Begins with a configuration that was applied.
    pub(super) fn new(mut configuration: Configuration, around: Surroundings) -> Self {
        configuration.let_contents_go();
        let state = State {
            stamps: Stamps::of(&configuration.files),
            seen: None,
            configuration: Arc::new(configuration),
            revision: None,
            refused: None,
            unpublished: None,
        };
        Self(Arc::new(Inner {
            around,
            running: state.configuration.settings.clone(),
            state: Mutex::new(state),
            missing: ArcSwapOption::empty(),
            revised: Arc::default(),
        }))
    }

    /// Returns the URLs of the published MCP endpoints, in order.
    #[must_use]
    pub fn endpoints(&self) -> Vec<String> {
        let catalogue = self.catalogue();
        let mut slugs: Vec<&str> = catalogue.toolsets.keys().map(String::as_str).collect();
        slugs.sort_unstable();
        slugs.into_iter().map(|slug| self.endpoint(slug)).collect()
    }

    /// Returns what tells whether requests can be answered.
    #[must_use]
    pub fn probe(&self) -> Arc<Probe> {
        let inner = Arc::clone(&self.0);
        Arc::new(move || match &*inner.missing.load() {
            None => Ok(()),
            Some(missing) => Err(String::clone(missing)),
        })
    }

    /// Compiles what the store holds and publishes it; calls under way finish on what was published before.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, its secrets do not open, or it holds what cannot be published; nothing changes then.
    pub async fn publish(&self) -> Result<(), PublishError> {
        let mut state = self.0.state.lock().await;
        self.publish_as(&mut state).await
    }

    /// Reads the configuration and the certificate again and takes up what they say; the log tells what came of it.
    pub async fn reload(&self) {
        self.reload_certificate();
        // Whoever asks has mended something.
        self.0.around.fetches.keep_only(&[]);
        let remote = self.contents().await;
        let mut state = self.0.state.lock().await;
        state.refused = None;
        self.reload_as(&mut state, remote).await;
    }

    /// Reads the configuration again and takes up what it says.
    ///
    /// # Errors
    ///
    /// When it cannot be used; nothing changes then.
    pub async fn try_reload(&self) -> Result<(), ReloadError> {
        let remote = self.contents().await;
        let mut state = self.0.state.lock().await;
        self.try_reload_as(&mut state, remote).await
    }

    /// Reads what the documents from URLs hold, and fetches them where the store does not know; without the lock, since that may take minutes.
    async fn contents(&self) -> Result<RemoteContents, LoadError> {
        let around = &self.0.around;
        let configuration = self.configuration().await;
        load::contents_again(&configuration, &around.store, &around.fetches).await
    }

    /// Returns what is to be woken when the store may hold something else.
    pub(super) fn revised(&self) -> Arc<Notify> {
        Arc::clone(&self.0.revised)
    }

    pub(super) fn catalogue(&self) -> Arc<Catalogue> {
        self.0.around.catalogue.load_full()
    }

    /// Returns what it works on.
    pub(crate) fn around(&self) -> &Surroundings {
        &self.0.around
    }

    /// Returns the settings that the gateway was started with.
    pub(super) fn running(&self) -> &Settings {
        &self.0.running
    }

    /// Returns the last configuration that could be used.
    pub(crate) async fn configuration(&self) -> Arc<Configuration> {
        Arc::clone(&self.0.state.lock().await.configuration)
    }

    fn endpoint(&self, slug: &str) -> String {
        format!("{}/{slug}/mcp", self.0.around.public_url)
    }

    async fn publish_as(&self, state: &mut State) -> Result<(), PublishError> {
        let before = self.catalogue();
        let (mut snapshot, compiled) = self.compiled(&state.configuration, &before).await?;
        if self.must_ask(&state.configuration.settings) {
            let manifests = &snapshot.manifests;
            let asks = |toolset: &Toolset| asks_or_tell(toolset, manifests);
            snapshot.toolsets.retain(asks);
        }
        let revision = snapshot.revision;
        let waiting = snapshot.documents.iter().filter(|it| it.waiting.is_some());
        let waiting = waiting.count();
        let published = Arc::clone(&before);
        let putting = move || Catalogue::build(&snapshot, &published, &compiled);
        let built = spawn_blocking(putting).await??;
        let around = &self.0.around;
        around.metrics.documents_waiting(waiting);
        around
            .metrics
            .publish(built.toolsets.values().map(|toolset| &toolset.slug));
        let built = Arc::new(built);
        around.catalogue.store(Arc::clone(&built));
        // The first is announced when the gateway begins to answer.
        if state.revision.replace(revision).is_some() {
            self.tell_toolsets(&before, &built);
        }
        Ok(())
    }

    /// Tells whether toolsets have to ask for a key: the listener is the one of the start, whatever is configured by now.
    fn must_ask(&self, configured: &Settings) -> bool {
        self.0.running.is_public() && !configured.access.allow_unauthenticated
    }

    fn tell_toolsets(&self, before: &Catalogue, after: &Catalogue) {
        let mut slugs: Vec<&String> = before.toolsets.keys().collect();
        slugs.extend(after.toolsets.keys());
        slugs.sort();
        slugs.dedup();
        for slug in slugs {
            let url = self.endpoint(slug);
            match (before.toolsets.get(slug), after.toolsets.get(slug)) {
                (None, _) => tracing::info!(url, "MCP endpoint published"),
                (_, None) => tracing::info!(url, "MCP endpoint withdrawn"),
                (Some(old), Some(new)) if old.tools.len() != new.tools.len() => {
                    tracing::info!(url, tools = new.tools.len(), "MCP endpoint changed");
                }
                _ => {}
            }
        }
    }

    /// Reads the store; where its secrets were sealed under another master key meanwhile, with that.
    async fn snapshot(&self) -> Result<Snapshot, PublishError> {
        let store = &self.0.around.store;
        match store.snapshot().await {
            Err(StoreError::Seal(_)) => {
                self.accept_master_key().map_err(PublishError::MasterKey)?;
                Ok(store.snapshot().await?)
            }
            outcome => Ok(outcome?),
        }
    }

    /// Reads the master key again, and takes it to hand.
    fn accept_master_key(&self) -> Result<(), StorageError> {
        let key = storage::master_key(&self.0.running.storage)?;
        self.0.around.store.accept_master_key(key);
        Ok(())
    }

    fn reload_certificate(&self) {
        let Some(certificates) = &self.0.around.certificates else {
            return;
        };
        match certificates.reload() {
            Ok(Reload::Unchanged) => {}
            Ok(Reload::Replaced) => tracing::info!("took up the new TLS certificate"),
            Err(error) => tracing::warn!(
                reason = %error,
                "kept the old TLS certificate: the new one cannot be used"
            ),
        }
    }

    /// Takes the configuration up, and tells what came of it unless it was told before.
    async fn reload_as(&self, state: &mut State, remote: Result<RemoteContents, LoadError>) {
        let outcome = self.try_reload_as(state, remote).await;
        let Err(error) = outcome else {
            state.refused = None;
            tracing::info!("the configuration was read again");
            return;
        };
        let lines = match &error {
            ReloadError::Configuration(error) => report::lines(error, state.configuration.path()),
            error => vec![error.to_string()],
        };
        if state.refused.as_ref() != Some(&lines) {
            for line in &lines {
                tracing::error!("kept what is published: {line}");
            }
            state.refused = Some(lines);
        }
    }

    async fn try_reload_as(
        &self,
        state: &mut State,
        remote: Result<RemoteContents, LoadError>,
    ) -> Result<(), ReloadError> {
        let around = &self.0.around;
        let stamps = state.stamps.again();
        let known = Arc::clone(&state.configuration);
        let configuration = match remote {
            Ok(remote) => {
                let read = spawn_blocking(move || known.reload_remote(remote)).await;
                read.map(|read| read.map_err(ReloadError::from))
            }
            Err(error) => Ok(Err(error.into())),
        };
        // What was read is not read again before it changes, whether or not it can be used.
        state.stamps = stamps;
        let mut configuration = configuration??;
        let read = Stamps::of(&configuration.files);
        state.stamps = read.or_earlier(&state.stamps);
        if self.must_ask(&configuration.settings) {
            refuse_exposure(&configuration)?;
        }
        if let Err(error) = self.accept_master_key() {
            tracing::warn!(%error, "the master key cannot be read again");
        }
        let now = around.clock.now();
        let difference = apply::apply(&around.store, &configuration, now, &*around.rng).await?;
        // The store has all of it now.
        around.fetches.keep_only(&[]);
        for change in difference.lines() {
            tracing::info!("applied: {change}");
        }
        for setting in restart::differing(&self.0.running, &configuration.settings) {
            tracing::warn!(
                setting,
                "the setting {setting} was changed; that takes effect at the next start"
            );
        }
        configuration.let_contents_go();
        state.configuration = Arc::new(configuration);
        Ok(self.publish_as(state).await?)
    }
}

/// Refuses a configuration with a toolset that asks for no key.
fn refuse_exposure(configuration: &Configuration) -> Result<(), ReloadError> {
    let objects = &configuration.objects;
    let judges = |slug: &Slug| {
        let manifest = objects.manifests.get(slug);
        manifest.is_none_or(|it| it.settings.validation != TokenValidation::Upstream)
    };
    let mut toolsets = objects.toolsets.iter();
    match toolsets.find(|(_, it)| !asks(&it.inbound, it.manifest.as_ref(), judges)) {
        Some((slug, _)) => Err(ReloadError::Exposed {
            toolset: slug.clone(),
        }),
        None => Ok(()),
    }
}

/// Tells whether a toolset asks for a key, and the operator if it does not.
fn asks_or_tell(toolset: &Toolset, manifests: &[OAuthManifest]) -> bool {
    let judges = |slug: &Slug| {
        let manifest = manifests.iter().find(|it| it.slug == *slug);
        manifest.is_none_or(|it| it.settings.validation != TokenValidation::Upstream)
    };
    let asks = asks(&toolset.inbound, toolset.manifest.as_ref(), judges);
    if !asks {
        tracing::error!(
            toolset = %toolset.slug,
            "withheld a toolset that asks for no key, since other machines reach the listener; use `api_key`, `oauth` or `external`, or set `allow_unauthenticated = true` in `[listener]`"
        );
    }
    asks
}

fn asks(
    inbound: &BTreeSet<Inbound>,
    manifest: Option<&Slug>,
    judges: impl Fn(&Slug) -> bool,
) -> bool {
    inbound.iter().all(|way| match way {
        Inbound::ApiKey | Inbound::OAuth => true,
        Inbound::External => manifest.is_some_and(&judges),
        Inbound::Open | Inbound::Headers => false,
    })
}

#[cfg(test)]
mod tests;
