//! `portcullis manifest versions`: what a manifest was, as the store keeps it.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{anyhow, bail};
use portcullis_base::{Clock as _, Slug};
use portcullis_server::ambient::{SystemClock, SystemRng};
use portcullis_server::manifest::versions::only;
use portcullis_server::storage;
use portcullis_store::ManifestVersion;

use super::Surroundings;
use crate::command::key::date;

/// Runs the command.
pub(super) async fn run(
    surroundings: &Surroundings,
    slug: &Slug,
    show: Option<&str>,
) -> anyhow::Result<ExitCode> {
    let settings = surroundings.settings()?;
    let storage = &settings.storage;
    if !storage::may_exist(storage) {
        bail!("there is no store yet; `portcullis apply` or `serve` makes it");
    }
    let store = storage::open(storage, SystemClock.now(), Arc::new(SystemRng)).await?;
    let versions = store.manifest_versions(slug).await?;
    store.close().await;
    if versions.is_empty() {
        bail!("the store has no manifest `{slug}`; `portcullis apply` or `serve` writes it");
    }
    match show {
        Some(digest) => {
            let version = only(&versions, digest);
            let version =
                version.map_err(|error| anyhow!("{error}; without `--show`, all are listed"))?;
            print!("{}", version.content);
        }
        None => list(&versions),
    }
    Ok(ExitCode::SUCCESS)
}

fn list(versions: &[ManifestVersion]) {
    for version in versions {
        let size_bytes = version.content.len();
        println!(
            "{}  {size_bytes} bytes  {:x}",
            date(version.created_at),
            version.digest
        );
    }
}
