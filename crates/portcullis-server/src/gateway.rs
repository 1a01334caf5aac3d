//! The assembly: a configuration becomes a running gateway.
//!
//! Decides the order in which the parts are started and stopped, and nothing about what they do.
//! Addresses are bound before the store is touched: a gateway that cannot listen changes nothing.

mod announce;
mod bind;
mod origin;
mod reload;
mod report;
mod restart;
mod stamps;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::Router;
use portcullis_base::{Clock, InvalidOrigin, Rng};
use portcullis_store::{OpenDatabaseError, Store, StoreError};
use thiserror::Error;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::admin;
use crate::ambient::{SystemClock, SystemRng};
use crate::catalogue::Catalogue;
use crate::config::apply::{self, ApplyError};
use crate::config::{AllowedUpstream, Configuration, Difference, Fate, Settings, UpstreamSettings};
use crate::document::fetch::Fetcher;
use crate::document::fetches::Fetches;
use crate::document::refresh::DocumentRefresher;
use crate::http::certificate_watch;
use crate::http::health::{Operations, operations};
use crate::http::listener::{BindError, Listener};
use crate::http::serve::serve;
use crate::http::surround::{Surroundings, surround};
use crate::issuer::{self, IssuerParts};
use crate::jobs;
use crate::manifest::visit::Visitor;
use crate::manifest::watch::ManifestWatch;
use crate::mcp::endpoint::{self, EndpointState};
use crate::mcp::keys::KeyCache;
use crate::shared_clock::SharedClock;
use crate::storage::{self, StorageError};
use crate::telemetry::metrics::Metrics;
use crate::upstream::external::ExternalTokens;
use crate::upstream::keeper::Keeper;
use crate::upstream::policy::EgressPolicy;
use crate::upstream::providers::Providers;
use crate::upstream::revoker::Revoker;
use crate::upstream::vault::{Vault, VaultParts};
use crate::upstream::{Upstream, UpstreamLimits};

use bind::Sockets;
use origin::{policy, port, public_url};

pub use reload::{PublishError, ReloadError, Reloader};

/// Why the gateway does not start.
#[derive(Debug, Error)]
pub enum GatewayError {
    /// An address cannot be listened on.
    #[error("{source}; {advice}")]
    Address {
        /// What the system says.
        source: BindError,
        /// What to do about it.
        advice: String,
    },
    /// The listener cannot be made.
    #[error(transparent)]
    Bind(BindError),
    /// Another program holds the database.
    #[error(
        "another program has locked {database}; end it, be it a backup or an open transaction, and start again"
    )]
    Locked {
        /// The database, without a password.
        database: String,
    },
    /// The store cannot be opened.
    #[error(transparent)]
    Storage(StorageError),
    /// The objects of the configuration cannot be written.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// What is stored cannot be published.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The origin that follows from the port is none.
    #[error(transparent)]
    PublicUrl(#[from] InvalidOrigin),
}

/// A gateway that listens; [`Gateway::run`] lets it answer.
pub struct Gateway {
    listener: Listener,
    operations: Option<Listener>,
    router: Router,
    operations_router: Router,
    draining: CancellationToken,
    reloader: Reloader,
    manifests: ManifestWatch,
    keys: Arc<KeyCache>,
    catalogue: Arc<ArcSwap<Catalogue>>,
    vault: Arc<Vault>,
    common: Arc<SharedClock>,
    parts: VaultParts,
}

impl Gateway {
    /// Listens, opens the store, applies the configuration's objects, and compiles what is stored.
    ///
    /// # Errors
    ///
    /// When a part cannot be started; nothing is left running then.
    pub async fn start(configuration: Configuration) -> Result<Self, GatewayError> {
        Self::start_counted(configuration, Metrics::new()).await
    }

    /// As [`Gateway::start`], with numbers that somebody else has a part in.
    ///
    /// # Errors
    ///
    /// As [`Gateway::start`].
    pub async fn start_counted(
        configuration: Configuration,
        metrics: Metrics,
    ) -> Result<Self, GatewayError> {
        let metrics = Arc::new(metrics);
        let sockets = Sockets::bind(&configuration.settings, &metrics).await?;
        let common = Arc::new(SharedClock::new(Arc::new(SystemClock)));
        let clock: Arc<dyn Clock> = Arc::clone(&common) as _;
        let rng: Arc<dyn Rng> = Arc::new(SystemRng);
        let opened = storage::open(
            &configuration.settings.storage,
            clock.now(),
            Arc::clone(&rng),
        );
        let store = opened
            .await
            .map_err(|error| of_storage(error, &configuration.settings))?;
        if let Err(error) = common.set_by(&store).await {
            tracing::warn!(%error, "the database does not tell the time");
        }
        let parts = Parts {
            common,
            configuration,
            metrics,
            sockets,
            store: store.clone(),
            clock,
            rng,
        };
        let started = parts.assemble().await;
        if started.is_err() {
            store.close().await;
        }
        started
    }

    /// Returns the port that MCP clients reach.
    #[must_use]
    pub fn port(&self) -> u16 {
        port(&self.listener)
    }

    /// Returns the address of the operations listener, where there is one of its own.
    #[must_use]
    pub fn operations_address(&self) -> Option<SocketAddr> {
        self.operations.as_ref()?.addresses().first().copied()
    }

    /// Returns what MCP clients reach, with all that is around it.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Returns the routes for operators, as they are served where nothing else is.
    pub fn operations_router(&self) -> Router {
        self.operations_router.clone()
    }

    /// Returns what reads the configuration again.
    #[must_use]
    pub fn reloader(&self) -> Reloader {
        self.reloader.clone()
    }

    /// Returns the URLs of the published MCP endpoints, in order.
    #[must_use]
    pub fn endpoints(&self) -> Vec<String> {
        self.reloader.endpoints()
    }

    /// Answers until `shutdown` is cancelled, then finishes the requests under way.
    ///
    /// Dropping the future ends everything at once.
    pub async fn run(self, shutdown: CancellationToken) {
        self.announce().await;
        let mut tasks = JoinSet::new();
        let background = CancellationToken::new();
        let parts = self.parts;
        tasks.spawn(self.reloader.watch(background.clone()));
        tasks.spawn(jobs::follow(
            parts.store.notices(),
            self.keys,
            self.reloader.revised(),
            background.clone(),
        ));
        let time = jobs::keep_time(self.common, parts.store.clone(), background.clone());
        tasks.spawn(time);
        tasks.spawn(jobs::sweep(
            parts.store.clone(),
            Arc::clone(&parts.clock),
            background.clone(),
        ));
        let revoker = Revoker::new(parts.clone(), Arc::clone(&self.catalogue));
        tasks.spawn(jobs::revoke_at_providers(revoker, background.clone()));
        let keeper = Keeper::new(self.vault, parts.clone(), Arc::clone(&self.catalogue));
        tasks.spawn(jobs::keep_connections(keeper, background.clone()));
        tasks.spawn(jobs::watch_manifests(
            self.manifests,
            self.catalogue,
            background.clone(),
        ));
        let refresher = DocumentRefresher {
            store: parts.store.clone(),
            fetcher: self.reloader.around().fetches.fetcher().clone(),
            metrics: Arc::clone(&parts.metrics),
            clock: Arc::clone(&parts.clock),
            revised: self.reloader.revised(),
        };
        tasks.spawn(jobs::refresh_documents(
            refresher,
            self.reloader.clone(),
            background.clone(),
        ));
        if let Some(certificates) = self.listener.certificates() {
            let clock = Arc::clone(&parts.clock);
            tasks.spawn(certificate_watch::watch(
                certificates,
                background.clone(),
                clock,
            ));
        }
        // The operations listener outlives the drain, so that load balancers can see it.
        let operations_end = CancellationToken::new();
        if let Some(listener) = self.operations {
            let served = serve(listener, self.operations_router, operations_end.clone());
            tasks.spawn(async move {
                served.await;
            });
        }
        let (asked, draining) = (shutdown.clone(), self.draining);
        tasks.spawn(async move {
            asked.cancelled().await;
            tracing::info!("stopping: requests under way may finish");
            draining.cancel();
        });
        let drained = serve(self.listener, self.router, shutdown).await;
        if drained.cut_off > 0 {
            tracing::warn!(
                connections = drained.cut_off,
                "connections cut off at the drain deadline"
            );
        }
        operations_end.cancel();
        background.cancel();
        while tasks.join_next().await.is_some() {}
        parts.store.close().await;
        tracing::info!("stopped");
    }
}

/// What a gateway is assembled from.
struct Parts {
    common: Arc<SharedClock>,
    configuration: Configuration,
    metrics: Arc<Metrics>,
    sockets: Sockets,
    store: Store,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
}

/// Says what starting has changed in the store.
fn tell(difference: &Difference, file: &Path) {
    for change in difference.lines() {
        tracing::info!("applied: {change}");
    }
    if difference.changes.iter().any(|it| it.fate == Fate::Removed) {
        tracing::warn!(
            "the store held objects that `{}` does not describe, and they were removed; where another gateway serves them, give this one a store of its own by `--data-dir`",
            file.display()
        );
    }
}

impl Parts {
    async fn assemble(self) -> Result<Gateway, GatewayError> {
        let settings = self.configuration.settings.clone();
        let difference = apply::apply(
            &self.store,
            &self.configuration,
            self.clock.now(),
            &*self.rng,
        );
        let difference = difference.await?;
        tell(&difference, self.configuration.path());
        let listener = self.sockets.listener;
        let public_url = public_url(&settings, &listener)?;
        let catalogue = Arc::new(ArcSwap::from_pointee(Catalogue::default()));
        let reloader = Reloader::new(
            self.configuration,
            reload::Surroundings {
                store: self.store.clone(),
                catalogue: Arc::clone(&catalogue),
                metrics: Arc::clone(&self.metrics),
                fetches: Fetches::new(Fetcher::new(&settings.upstream), Arc::clone(&self.clock)),
                certificates: listener.certificates(),
                public_url: public_url.clone(),
                clock: Arc::clone(&self.clock),
                rng: Arc::clone(&self.rng),
            },
        );
        reloader.publish().await?;
        let draining = CancellationToken::new();
        let surroundings = Surroundings {
            policy: policy(&settings, &listener, &public_url),
            proxies: settings.listener.proxies.clone(),
            metrics: Arc::clone(&self.metrics),
            clock: Arc::clone(&self.clock),
            rng: Arc::clone(&self.rng),
        };
        let upstream = Arc::new(upstream(
            &settings.upstream,
            Arc::clone(&self.metrics),
            Arc::clone(&self.clock),
            Arc::clone(&self.rng),
        ));
        let providers = Providers::new(upstream.http().clone(), Arc::clone(&self.clock));
        let providers = Arc::new(providers);
        let parts = VaultParts {
            store: self.store.clone(),
            providers: Arc::clone(&providers),
            metrics: Arc::clone(&self.metrics),
            clock: Arc::clone(&self.clock),
        };
        let vault = Arc::new(Vault::new(parts.clone()));
        let manifests = ManifestWatch::new(
            Visitor::by(upstream.http().clone()),
            Arc::clone(&self.metrics),
            Arc::clone(&self.clock),
        );
        let operations_router = for_operators(&settings, &reloader, &draining, &upstream);
        let issuer = issuer::router(IssuerParts {
            store: self.store.clone(),
            catalogue: Arc::clone(&catalogue),
            providers: Arc::clone(&providers),
            metrics: Arc::clone(&self.metrics),
            clock: Arc::clone(&self.clock),
            rng: self.rng,
            public_url: public_url.clone(),
            settings: settings.authorization,
            body_limits: settings.access.body,
        });
        let keys = Arc::new(KeyCache::new(self.store.clone()));
        let state = Arc::new(EndpointState {
            catalogue: Arc::clone(&catalogue),
            keys: Arc::clone(&keys),
            vault: Arc::clone(&vault),
            external: ExternalTokens::new(providers, Arc::clone(&self.clock)),
            upstream,
            metrics: self.metrics,
            clock: Arc::clone(&self.clock),
            public_url,
            body_limits: settings.access.body,
        });
        let endpoints = endpoint::router(state).merge(issuer);
        // Without a listener of their own the operations routes are judged like all others.
        let router = match &self.sockets.operations {
            Some(_) => endpoints,
            None => endpoints.merge(operations_router.clone()),
        };
        Ok(Gateway {
            listener,
            operations: self.sockets.operations,
            router: surround(router, surroundings),
            operations_router,
            draining,
            reloader,
            manifests,
            keys,
            catalogue,
            vault,
            common: self.common,
            parts,
        })
    }
}

/// Makes the routes for operators: health and metrics, and the admin API where there is one.
fn for_operators(
    settings: &Settings,
    reloader: &Reloader,
    draining: &CancellationToken,
    upstream: &Upstream,
) -> Router {
    let routes = operations(Operations {
        probe: reloader.probe(),
        shutdown: draining.clone(),
        metrics: Arc::clone(&reloader.around().metrics),
    });
    let admin = settings.admin.map(|token| {
        let visitor = Visitor::by(upstream.http().clone());
        admin::router(token, reloader.clone(), visitor)
    });
    routes.merge(admin.unwrap_or_default())
}

fn upstream(
    settings: &UpstreamSettings,
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
) -> Upstream {
    let limits = UpstreamLimits {
        connect: settings.connect,
        call: settings.call,
        max_response_bytes: settings.max_response_bytes,
        max_calls: settings.max_calls,
    };
    Upstream::new(egress_policy(settings), limits, metrics, clock, rng)
}

/// Returns what the operator allows beside the public internet.
pub(crate) fn egress_policy(settings: &UpstreamSettings) -> EgressPolicy {
    let allowed = settings.allow.iter().cloned();
    allowed.fold(EgressPolicy::default(), |policy, place| match place {
        AllowedUpstream::Origin(origin) => policy.allow_origin(origin),
        AllowedUpstream::Network(block) => policy.allow_network(block),
    })
}

fn of_storage(error: StorageError, settings: &Settings) -> GatewayError {
    match error {
        StorageError::Database(OpenDatabaseError::Store(StoreError::Busy(_))) => {
            let url = settings.storage.url.expose();
            let database = url.strip_prefix("sqlite:").map_or_else(
                || "the database".to_owned(),
                |path| format!("the database file {path}"),
            );
            GatewayError::Locked { database }
        }
        error => GatewayError::Storage(error),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::config::Overrides;

    #[test]
    fn a_locked_database_is_named_without_its_password() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("portcullis.toml");
        std::fs::write(&path, "[storage]\nurl = 'sqlite:/kept/a.db'").unwrap();
        let mut settings = Settings::load(&path, Overrides::default(), HashMap::new()).unwrap();
        let busy = || {
            let busy = StoreError::Busy("database is locked".to_owned());
            StorageError::Database(OpenDatabaseError::Store(busy))
        };
        let told = of_storage(busy(), &settings).to_string();
        assert!(
            told.contains("locked the database file /kept/a.db;"),
            "{told}"
        );
        settings.storage.url = portcullis_base::Secret::new("postgres://a:s3cret@b/c".to_owned());
        let told = of_storage(busy(), &settings).to_string();
        assert!(told.contains("locked the database;") && !told.contains("s3cret"));
    }
}
