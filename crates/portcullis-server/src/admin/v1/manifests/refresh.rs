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

use super::decision::{Confirmation, Decision, Run};
use super::slug;
use crate::admin::problem::Problem;
use crate::admin::{AdminState, answer, on_files, to_its_end};
use crate::manifest::refresh::Comparison;
use crate::manifest::subject::NoSubject;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    dry_run: Run,
    #[serde(default)]
    confirm: Confirmation,
    fingerprint: Option<String>,
}

#[derive(Serialize)]
struct Refreshed {
    /// Whether the file was written.
    changed: bool,
    /// Whether the running gateway has taken it up.
    taken_up: bool,
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
    let comparison = Arc::new(Comparison::of(&state.visitor, &path).await?);
    let mut refreshed = Refreshed::of(&comparison);
    let read = Arc::clone(&comparison);
    let then = on_files(move || read.configuration(&configuration)).await?;
    if refreshed.changes.is_empty() {
        // Whatever is wrong with other files is not this one's.
        refreshed.taken_up = match then {
            Ok(then) => state.has_taken_up(&then, manifest).await,
            Err(_) => false,
        };
        return Ok(refreshed);
    }
    let then = then?;
    let named = wanted.fingerprint.as_deref();
    let fingerprint = comparison.fingerprint();
    if Decision::of(wanted.dry_run, wanted.confirm, named, &fingerprint)? == Decision::Preview {
        return Ok(refreshed);
    }
    on_files(move || comparison.write()).await??;
    state.reloader.reload().await;
    state
        .record("manifest.refreshed", manifest.to_string())
        .await?;
    refreshed.changed = true;
    refreshed.taken_up = state.has_taken_up(&then, manifest).await;
    Ok(refreshed)
}

impl Refreshed {
    /// Tells of a change that is not made.
    fn of(comparison: &Comparison) -> Self {
        Self {
            changed: false,
            taken_up: false,
            place: comparison.found.place.clone(),
            changes: comparison.changes().iter().map(Changed::of).collect(),
            fingerprint: format!("{:x}", comparison.fingerprint()),
        }
    }
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
