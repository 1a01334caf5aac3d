//! `GET /api/v1/manifests/{manifest}/versions`: what a manifest was, as the store keeps it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use portcullis_store::ManifestVersion;
use serde::Serialize;
use serde_json::Value;

use super::slug;
use crate::admin::problem::Problem;
use crate::admin::{AdminState, answer};
use crate::manifest::versions::only;

#[derive(Serialize)]
struct All {
    versions: Vec<Version>,
}

#[derive(Serialize)]
struct Version {
    digest: String,
    /// When it was last taken up, in milliseconds since the epoch.
    created_at_ms: i64,
    size_bytes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest: Option<Value>,
}

pub(in crate::admin::v1) async fn list(
    State(state): State<Arc<AdminState>>,
    Path(manifest): Path<String>,
) -> Result<Response, Problem> {
    let versions = stored(&state, &manifest).await?;
    let versions = versions.iter().map(Version::of).collect();
    Ok(answer::json(StatusCode::OK, &All { versions }))
}

pub(in crate::admin::v1) async fn show(
    State(state): State<Arc<AdminState>>,
    Path((manifest, digest)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let versions = stored(&state, &manifest).await?;
    let version = only(&versions, &digest);
    let version = version.map_err(|error| Problem::not_found("no-version", error.to_string()))?;
    let shown = Version {
        manifest: serde_json::from_str(&version.content).ok(),
        ..Version::of(version)
    };
    Ok(answer::json(StatusCode::OK, &shown))
}

async fn stored(state: &AdminState, manifest: &str) -> Result<Vec<ManifestVersion>, Problem> {
    let slug = slug(manifest)?;
    let versions = state.store().manifest_versions(&slug).await;
    let versions = versions.map_err(|error| {
        tracing::error!(%error, "the versions of a manifest cannot be read");
        Problem::internal("the versions cannot be read; the reason is in the log")
    })?;
    if versions.is_empty() {
        let detail = format!("the store has no manifest `{slug}`");
        return Err(Problem::not_found("no-manifest", detail));
    }
    Ok(versions)
}

impl Version {
    fn of(version: &ManifestVersion) -> Self {
        Self {
            digest: format!("{:x}", version.digest),
            created_at_ms: version.created_at.as_millis(),
            size_bytes: version.content.len(),
            manifest: None,
        }
    }
}
