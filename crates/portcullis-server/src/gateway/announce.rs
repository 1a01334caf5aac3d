//! Tells the operator, when the gateway begins to answer, where it listens, what is published, and what is still missing.

use std::path::Path;

use portcullis_base::{Slug, Timestamp};
use portcullis_store::{ApiKeyRow, Inbound};

use super::Gateway;
use crate::catalogue::Catalogue;
use crate::config::Configuration;
use crate::http::listener::Listener;

impl Gateway {
    /// Writes the first log lines of a gateway that answers.
    pub(super) async fn announce(&self) {
        for address in self.listener.addresses() {
            tracing::info!(%address, "listening for MCP clients");
        }
        for address in self.operations.iter().flat_map(Listener::addresses) {
            tracing::info!(%address, "listening for /health/live, /health/ready and /metrics");
        }
        if self.reloader.running().admin.is_some() {
            tracing::info!("the admin API is at /api/v1/, where operations are");
        }
        let endpoints = self.endpoints();
        if endpoints.is_empty() {
            tracing::warn!("nothing is published: describe a toolset in `[toolsets.NAME]`");
        }
        for url in endpoints {
            tracing::info!(url, "MCP endpoint published");
        }
        tell_open_doors(&self.reloader.catalogue());
        self.tell_missing_keys().await;
    }

    async fn tell_missing_keys(&self) {
        let keys = match self.parts.store.list_api_keys().await {
            Ok(keys) => keys,
            Err(error) => {
                tracing::warn!(%error, "the API keys cannot be listed");
                return;
            }
        };
        let closed = without_key(&self.reloader.catalogue(), &keys, self.parts.clock.now());
        if closed.is_empty() {
            return;
        }
        let configuration = self.reloader.configuration().await;
        let command = key_command(&configuration);
        for toolset in closed {
            tracing::warn!(
                %toolset,
                "no API key opens the toolset `{toolset}` yet; make one with `{command}`"
            );
        }
    }
}

/// Tells of the toolsets that let in more people than the operator may think.
fn tell_open_doors(catalogue: &Catalogue) {
    for toolset in catalogue.toolsets.values() {
        for warning in catalogue.warnings(toolset) {
            tracing::warn!(toolset = %toolset.slug, "toolset `{}`: {warning}", toolset.slug);
        }
    }
}

/// Returns the toolsets that admit holders of a key only, and for which there is no key; in order.
fn without_key(catalogue: &Catalogue, keys: &[ApiKeyRow], now: Timestamp) -> Vec<Slug> {
    let opens = |key: &ApiKeyRow, slug: &Slug| {
        let good = key.revoked_at.is_none() && key.expires_at.is_none_or(|end| now < end);
        good && (key.toolsets.is_empty() || key.toolsets.contains(slug))
    };
    let mut closed: Vec<Slug> = catalogue
        .toolsets
        .values()
        .filter(|toolset| toolset.inbound.iter().all(|way| *way == Inbound::ApiKey))
        .filter(|toolset| !keys.iter().any(|key| opens(key, &toolset.slug)))
        .map(|toolset| toolset.slug.clone())
        .collect();
    closed.sort();
    closed
}

/// Returns the command that makes a key for the gateway of this configuration.
fn key_command(configuration: &Configuration) -> String {
    let path = configuration.path();
    let command = format!("portcullis key create NAME --config {}", path.display());
    let folder = path.parent().filter(|_| configuration.is_described());
    let usual = folder.unwrap_or(Path::new("")).join("portcullis-data");
    let data_dir = &configuration.settings.storage.data_dir;
    if *data_dir == usual {
        return command;
    }
    format!("{command} --data-dir {}", data_dir.display())
}
