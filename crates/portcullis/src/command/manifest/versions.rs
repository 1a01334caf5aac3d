//! `portcullis manifest versions`: what a manifest was, as the store keeps it.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;
use portcullis_base::{Clock as _, Slug};
use portcullis_server::ambient::{SystemClock, SystemRng};
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
        Some(digest) => print!("{}", named(&versions, digest)?.content),
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

/// Returns the only version whose digest begins as `start`.
fn named<'a>(versions: &'a [ManifestVersion], start: &str) -> anyhow::Result<&'a ManifestVersion> {
    let start = start.to_ascii_lowercase();
    let fits = |it: &&ManifestVersion| format!("{:x}", it.digest).starts_with(&start);
    let mut found = versions.iter().filter(fits);
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only),
        (Some(_), Some(_)) => bail!("several versions begin with `{start}`; write more of it"),
        _ => bail!("no version begins with `{start}`; without `--show`, all are listed"),
    }
}
