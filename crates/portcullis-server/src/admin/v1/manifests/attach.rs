//! `POST /api/v1/manifests/attach`: lets a toolset take a provider's own tokens, after showing what that changes.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use portcullis_base::Slug;
use serde::{Deserialize, Serialize};

use super::decision::{Confirmation, Decision, Run};
use super::file_of;
use crate::admin::problem::Problem;
use crate::admin::{AdminState, answer, on_files, to_its_end};
use crate::config::Configuration;
use crate::doctor::Finding;
use crate::manifest::proposal::{self, Proposal};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// A manifest of the configuration, or one that was created and is not described there yet.
    manifest: Slug,
    /// The toolset.
    toolset: Slug,
    /// Whether a manifest that is not described yet is served again under the toolset's URL.
    #[serde(default)]
    republish: bool,
    #[serde(default)]
    dry_run: Run,
    #[serde(default)]
    confirm: Confirmation,
    fingerprint: Option<String>,
}

#[derive(Serialize)]
struct Attached {
    /// Whether the file was written.
    changed: bool,
    /// Whether the running gateway has taken it up.
    taken_up: bool,
    changes: Vec<String>,
    /// The ways in that are there no more.
    closed: Vec<String>,
    /// How many grants end, where people signed in at the gateway.
    grants_ended: u64,
    findings: Vec<Finding>,
    fingerprint: String,
}

pub(in crate::admin::v1) async fn attach(
    State(state): State<Arc<AdminState>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let wanted: Wanted = answer::read(&headers, body).await?;
    let attached = to_its_end(async move { change(&state, wanted).await }).await?;
    Ok(answer::json(StatusCode::OK, &attached))
}

async fn change(state: &AdminState, wanted: Wanted) -> Result<Attached, Problem> {
    let _editing = state.editing.lock().await;
    let configuration = state.configuration().await;
    let (manifest, toolset) = (wanted.manifest.clone(), wanted.toolset.clone());
    let republish = wanted.republish;
    let proposal = on_files(move || propose(&configuration, &manifest, &toolset, republish));
    let proposal = Arc::new(proposal.await??);
    let mut attached = preview(state, &proposal, &wanted.toolset).await?;
    let fingerprint = proposal.fingerprint();
    let named = wanted.fingerprint.as_deref();
    let then = proposal.configuration();
    if proposal.is_empty() {
        attached.taken_up = state.has_taken_up(then, &wanted.manifest).await;
        return Ok(attached);
    }
    if Decision::of(wanted.dry_run, wanted.confirm, named, &fingerprint)? == Decision::Preview {
        return Ok(attached);
    }
    let written = Arc::clone(&proposal);
    on_files(move || written.write()).await??;
    state.reloader.reload().await;
    let target = format!("{} to {}", wanted.manifest, wanted.toolset);
    state.record("manifest.attached", target).await?;
    attached.changed = true;
    attached.taken_up = state.has_taken_up(then, &wanted.manifest).await;
    Ok(attached)
}

fn propose(
    configuration: &Configuration,
    manifest: &Slug,
    toolset: &Slug,
    republish: bool,
) -> Result<Proposal, Problem> {
    let file = file_of(configuration, manifest);
    let wanted = if configuration.objects.manifests.contains_key(manifest) {
        if republish {
            let detail = format!(
                "write `republish = true` into `[manifests.{manifest}]`; the table is not changed"
            );
            return Err(Problem::bad_request("republish", detail));
        }
        proposal::Wanted::Described(manifest)
    } else if file.is_file() {
        proposal::Wanted::File {
            path: &file,
            name: Some(manifest.clone()),
            republish,
        }
    } else {
        let detail = format!(
            "there is neither a table `[manifests.{manifest}]` nor a file `{manifest}-oauth.json` beside the configuration file"
        );
        return Err(Problem::not_found("no-manifest", detail));
    };
    let read = |text: &str| configuration.with_text(text);
    Ok(Proposal::of(configuration.path(), &wanted, toolset, read)?)
}

async fn preview(
    state: &AdminState,
    proposal: &Proposal,
    toolset: &Slug,
) -> Result<Attached, Problem> {
    let ends_grants = proposal.closed().iter().any(|way| way == "oauth");
    let grants_ended = if ends_grants {
        let counted = state.store().count_grants(toolset).await;
        counted.map_err(|error| {
            tracing::error!(%error, "the grants of a toolset cannot be counted");
            Problem::internal("the grants cannot be counted; the reason is in the log")
        })?
    } else {
        0
    };
    Ok(Attached {
        changed: false,
        taken_up: false,
        changes: proposal.changes().to_vec(),
        closed: proposal.closed().to_vec(),
        grants_ended,
        findings: proposal.findings(toolset, Some(state.public_url())),
        fingerprint: format!("{:x}", proposal.fingerprint()),
    })
}
