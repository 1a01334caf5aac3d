//! `POST /api/v1/manifests/check`: what clients would make of a manifest, and whether its provider answers.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use portcullis_base::Slug;
use portcullis_oauth::manifest::Manifest;
use portcullis_oauth::resource::Resource;
use serde::Deserialize;
use serde_json::Value;

use crate::admin::problem::Problem;
use crate::admin::{AdminState, answer, to_its_end};
use crate::config::Configuration;
use crate::doctor::{Examination, Part};
use crate::manifest::discover::of_url;
use crate::manifest::examine::{Trial, examine};
use crate::manifest::subject::{Subject, Whom, resource};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// A manifest of the configuration.
    manifest: Option<Slug>,
    /// The issuer, or an MCP server of the provider's own.
    url: Option<String>,
    /// A manifest itself.
    content: Option<Value>,
    /// The toolset that it is for.
    toolset: Option<Slug>,
    /// What clients send as `resource`, instead.
    resource: Option<String>,
    /// Whether it is judged as the gateway would serve it again.
    #[serde(default)]
    republished: bool,
    /// Whether a client is registered at the provider, for trying out.
    #[serde(default)]
    register: bool,
}

pub(in crate::admin::v1) async fn check(
    State(state): State<Arc<AdminState>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let wanted: Wanted = answer::read(&headers, body).await?;
    let subjects = subjects(&state, &wanted).await?;
    let parts = if wanted.register {
        // A client that was registered is deleted, though nobody waits for the answer.
        to_its_end(async move { try_out(&state, &subjects).await }).await?
    } else {
        look_at(&state, &subjects).await
    };
    Ok(answer::json(StatusCode::OK, &Examination { parts }))
}

async fn look_at(state: &AdminState, subjects: &[Subject]) -> Vec<Part> {
    let mut parts = Vec::new();
    for subject in subjects {
        parts.push(examine(&state.visitor, &subject.examinee(), Trial::None).await);
    }
    parts
}

async fn try_out(state: &AdminState, subjects: &[Subject]) -> Result<Vec<Part>, Problem> {
    let trial = Trial::Register(&*state.reloader.around().rng);
    let mut parts = Vec::new();
    for subject in subjects {
        let issuer = subject.manifest.issuer().to_owned();
        state.record("manifest.tried", issuer).await?;
        parts.push(examine(&state.visitor, &subject.examinee(), trial).await);
    }
    Ok(parts)
}

async fn subjects(state: &AdminState, wanted: &Wanted) -> Result<Vec<Subject>, Problem> {
    let configuration = state.configuration().await;
    let resource = target(state, &configuration, wanted)?;
    let mut subjects = match (&wanted.manifest, &wanted.url, &wanted.content) {
        (Some(slug), None, None) => {
            let whom = resource.as_ref().map_or(Whom::Attached, Whom::Resource);
            let public_url = Some(state.public_url());
            Subject::described(&configuration, slug, whom, public_url)?
        }
        (None, Some(url), None) => {
            let found = of_url(&state.visitor, url).await?;
            vec![other(url.clone(), found.manifest, resource)]
        }
        (None, None, Some(content)) => {
            let manifest = Manifest::parse(content.to_string().as_bytes());
            let manifest = manifest
                .map_err(|error| Problem::unprocessable("no-manifest", error.to_string()))?;
            vec![other("content".to_owned(), manifest, resource)]
        }
        _ => {
            let detail = "send one of `manifest`, `url` and `content`";
            return Err(Problem::bad_request("no-source", detail));
        }
    };
    for subject in &mut subjects {
        subject.republished |= wanted.republished;
    }
    Ok(subjects)
}

fn other(name: String, manifest: Manifest, resource: Option<Resource>) -> Subject {
    Subject {
        name,
        manifest,
        resource,
        republished: false,
        validation: None,
    }
}

fn target(
    state: &AdminState,
    configuration: &Configuration,
    wanted: &Wanted,
) -> Result<Option<Resource>, Problem> {
    match (&wanted.toolset, &wanted.resource) {
        (None, None) => Ok(None),
        (Some(toolset), None) => {
            let public_url = Some(state.public_url());
            Ok(Some(resource(configuration, toolset, public_url)?))
        }
        (None, Some(url)) => {
            let parsed = Resource::parse(url);
            let refused = |error| Problem::bad_request("resource", format!("{error}"));
            parsed.map(Some).map_err(refused)
        }
        (Some(_), Some(_)) => Err(Problem::bad_request(
            "resource",
            "send one of `toolset` and `resource`",
        )),
    }
}
