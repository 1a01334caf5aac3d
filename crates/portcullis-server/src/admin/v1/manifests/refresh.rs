//! `POST /api/v1/manifests/{manifest}/refresh`: what the provider changed, written where it is confirmed.

use std::path::PathBuf;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use portcullis_base::Slug;
use portcullis_oauth::manifest::difference::Change;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::decision::Decision;
use super::slug;
use crate::admin::problem::Problem;
use crate::admin::{AdminState, answer, to_its_end};
use crate::manifest::refresh::Comparison;
use crate::manifest::subject::NoSubject;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    dry_run: bool,
    #[serde(default)]
    confirm: bool,
    fingerprint: Option<String>,
}

#[derive(Serialize)]
struct Refreshed {
    /// Whether the file was written.
    changed: bool,
    place: String,
    changes: Vec<Changed>,
    fingerprint: String,
}

#[derive(Serialize)]
struct Changed {
    member: String,
    before: Option<Value>,
    after: Option<Value>,
    is_grave: bool,
}

pub(in crate::admin::v1) async fn refresh(
    State(state): State<Arc<AdminState>>,
    Path(manifest): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let manifest = slug(&manifest)?;
    let wanted: Wanted = answer::read(&headers, body).await?;
    let refreshed = to_its_end(async move { change(&state, &manifest, &wanted).await }).await?;
    Ok(answer::json(StatusCode::OK, &refreshed))
}

async fn change(
    state: &AdminState,
    manifest: &Slug,
    wanted: &Wanted,
) -> Result<Refreshed, Problem> {
    let _editing = state.editing.lock().await;
    let configuration = state.configuration().await;
    let object = configuration.objects.manifests.get(manifest);
    let object = object.ok_or_else(|| NoSubject::NoManifest(manifest.clone()))?;
    let path = PathBuf::from(&object.source);
    let comparison = Comparison::of(&state.visitor, &path).await?;
    let fingerprint = comparison.fingerprint();
    let changes: Vec<Changed> = comparison.changes().iter().map(Changed::of).collect();
    let named = wanted.fingerprint.as_deref();
    let is_made = !changes.is_empty()
        && Decision::of(wanted.dry_run, wanted.confirm, named, &fingerprint)? == Decision::Make;
    if is_made {
        comparison.write()?;
        let target = manifest.to_string();
        state.record("manifest.refreshed", target).await?;
        state.reloader.reload().await;
    }
    Ok(Refreshed {
        changed: is_made,
        place: comparison.found.place.clone(),
        changes,
        fingerprint: format!("{fingerprint:x}"),
    })
}

impl Changed {
    fn of(change: &Change<'_>) -> Self {
        Self {
            member: change.member.to_owned(),
            before: change.before.cloned(),
            after: change.after.cloned(),
            is_grave: change.is_grave,
        }
    }
}
