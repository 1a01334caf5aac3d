//! The assembly: a configuration becomes a running gateway.
//!
//! Decides the order in which the parts are started and stopped, and nothing about what they do.

mod reload;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::Router;
use portcullis_base::{Clock, InvalidOrigin, Origin, Rng};
use portcullis_store::{Store, StoreError};
use thiserror::Error;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::ambient::{SystemClock, SystemRng};
use crate::catalogue::{Catalogue, CatalogueError};
use crate::config::apply::{self, ApplyError};
use crate::config::{AllowedUpstream, Configuration, Settings, UpstreamSettings};
use crate::http::certificate_watch;
use crate::http::health::{Operations, operations};
use crate::http::judge::OriginPolicy;
use crate::http::listener::{BindError, Listener};
use crate::http::serve::serve;
use crate::http::settings::{BodyLimits, ListenerSettings};
use crate::http::surround::{Surroundings, surround};
use crate::mcp::endpoint::{self, EndpointState};
use crate::mcp::keys::KeyCache;
use crate::storage::{self, StorageError};
use crate::telemetry::metrics::Metrics;
use crate::upstream::{EgressPolicy, Upstream, UpstreamLimits};

pub use reload::{ReloadError, Reloader};

/// Why the gateway does not start, or has stopped.
#[derive(Debug, Error)]
pub enum GatewayError {
    /// The store cannot be opened.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The objects of the configuration cannot be written.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// What is stored cannot be published.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// An address cannot be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The origin that follows from the port is none.
    #[error(transparent)]
    PublicUrl(#[from] InvalidOrigin),
}

/// A gateway that listens; [`Gateway::run`] lets it answer.
pub struct Gateway {
    listener: Listener,
    operations: Option<Listener>,
    router: Router,
    probe: Operations,
    public_url: Origin,
    reloader: Reloader,
    store: Store,
    settings: Settings,
    shutdown: CancellationToken,
}

impl Gateway {
    /// Opens the store, applies the configuration's objects, compiles what is stored, and listens.
    ///
    /// # Errors
    ///
    /// When a part cannot be started; nothing is left running then.
    pub async fn start(configuration: Configuration) -> Result<Self, GatewayError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let rng: Arc<dyn Rng> = Arc::new(SystemRng);
        let settings = configuration.settings.clone();
        let store = storage::open(&settings.storage, clock.now(), Arc::clone(&rng)).await?;
        let difference = apply::apply(&store, &configuration.objects, clock.now(), &*rng).await?;
        for change in difference.lines() {
            tracing::info!("{change}");
        }
        let metrics = Arc::new(Metrics::new());
        let listener = Listener::bind(settings.listener.clone()).await?;
        let listener = listener.counted_by(metrics.connections.clone());
        let public_url = match &settings.access.public_url {
            Some(url) => url.clone(),
            None => Origin::parse(&format!("http://localhost:{}", port(&listener)))?,
        };
        let catalogue = Arc::new(ArcSwap::from_pointee(Catalogue::default()));
        let reloader = Reloader::new(
            configuration,
            store.clone(),
            Arc::clone(&catalogue),
            Arc::clone(&metrics),
            listener.certificates(),
            Arc::clone(&clock),
            Arc::clone(&rng),
        );
        reloader.publish().await?;
        let state = Arc::new(EndpointState {
            catalogue,
            keys: KeyCache::new(store.clone()),
            upstream: Arc::new(upstream(&settings.upstream, &metrics, &clock, &rng)),
            metrics: Arc::clone(&metrics),
            clock: Arc::clone(&clock),
            public_url: public_url.clone(),
            body_limits: body_limits(&settings),
        });
        let shutdown = CancellationToken::new();
        let probe = Operations {
            probe: reloader.probe(),
            shutdown: shutdown.clone(),
            metrics: Arc::clone(&metrics),
        };
        let surroundings = surroundings(&settings, &listener, &public_url, metrics, clock, rng);
        let (operations_listener, router) =
            routes(&settings, endpoint::router(state), &probe, surroundings).await?;
        Ok(Self {
            listener,
            operations: operations_listener,
            router,
            probe,
            public_url,
            reloader,
            store,
            settings,
            shutdown,
        })
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

    /// Returns what reads the configuration again.
    #[must_use]
    pub fn reloader(&self) -> Reloader {
        self.reloader.clone()
    }

    /// Returns the URLs of the published MCP endpoints, in order.
    #[must_use]
    pub fn endpoints(&self) -> Vec<String> {
        self.reloader.endpoints(&self.public_url)
    }

    /// Answers until `shutdown` is cancelled, then finishes the requests under way.
    ///
    /// Dropping the future ends everything at once.
    pub async fn run(self, shutdown: CancellationToken) {
        for url in self.endpoints() {
            tracing::info!(url, "MCP endpoint published");
        }
        let tasks = TaskTracker::new();
        let background = CancellationToken::new();
        tasks.spawn(self.reloader.clone().watch(background.clone()));
        if let Some(certificates) = self.listener.certificates() {
            tasks.spawn(certificate_watch::watch(certificates, background.clone(), Arc::new(SystemClock)));
        }
        // The operations listener outlives the drain, so that load balancers can see it.
        let operations_end = CancellationToken::new();
        if let Some(listener) = self.operations {
            tasks.spawn(serve(listener, operations(self.probe), operations_end.clone()));
        }
        let draining = self.shutdown.clone();
        let watched = shutdown.clone();
        tasks.spawn(async move {
            watched.cancelled().await;
            tracing::info!("stopping: requests under way may finish");
            draining.cancel();
        });
        let drained = serve(self.listener, self.router, shutdown).await;
        if drained.cut_off > 0 {
            tracing::warn!(connections = drained.cut_off, "connections cut off at the drain deadline");
        }
        operations_end.cancel();
        background.cancel();
        tasks.close();
        tasks.wait().await;
        self.store.close().await;
        tracing::info!("stopped");
    }
}

fn port(listener: &Listener) -> u16 {
    listener.addresses().first().map_or(0, SocketAddr::port)
}

/// Decides where the operations routes are: on a listener of their own, or within the main router.
async fn routes(
    settings: &Settings,
    endpoints: Router,
    probe: &Operations,
    surroundings: Surroundings,
) -> Result<(Option<Listener>, Router), BindError> {
    if settings.operations.is_empty() {
        let router = endpoints.merge(operations(probe.clone()));
        return Ok((None, surround(router, surroundings)));
    }
    let listener = Listener::bind(ListenerSettings {
        addresses: settings.operations.clone(),
        ..ListenerSettings::loopback(0)
    })
    .await?;
    Ok((Some(listener), surround(endpoints, surroundings)))
}

fn surroundings(
    settings: &Settings,
    listener: &Listener,
    public_url: &Origin,
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
) -> Surroundings {
    let bound = ListenerSettings { addresses: listener.addresses(), ..settings.listener.clone() };
    let access = &settings.access;
    Surroundings {
        policy: OriginPolicy::new(&bound, public_url, &access.allowed_hosts, &access.allowed_origins),
        proxies: settings.listener.proxies.clone(),
        metrics,
        clock,
        rng,
    }
}

fn body_limits(settings: &Settings) -> BodyLimits {
    BodyLimits {
        max_bytes: settings.access.max_body_bytes,
        timeout: settings.access.body_timeout,
        ..BodyLimits::default()
    }
}
