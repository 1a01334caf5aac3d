//! `GET /api/v1/manifests`: what the configuration describes, and which toolsets it is attached to.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use portcullis_base::Slug;
use portcullis_oauth::manifest::Manifest;
use portcullis_store::{Delegation, TokenValidation};
use serde::Serialize;

use crate::admin::{AdminState, answer};

#[derive(Serialize)]
struct Listed<'a> {
    name: &'a Slug,
    issuer: Option<String>,
    file: &'a str,
    validation: TokenValidation,
    upstream: Option<Delegation>,
    republished: bool,
    toolsets: Vec<&'a Slug>,
}

#[derive(Serialize)]
struct All<'a> {
    manifests: Vec<Listed<'a>>,
}

pub(in crate::admin::v1) async fn list(State(state): State<Arc<AdminState>>) -> Response {
    let configuration = state.configuration().await;
    let objects = &configuration.objects;
    let manifests = objects.manifests.iter().map(|(name, object)| {
        let manifest = Manifest::parse(object.content.as_bytes());
        let toolsets = objects.toolsets.iter();
        let attached = toolsets.filter(|(_, it)| it.manifest.as_ref() == Some(name));
        Listed {
            name,
            issuer: manifest.ok().map(|it| it.issuer().to_owned()),
            file: &object.source,
            validation: object.settings.validation,
            upstream: object.settings.delegation,
            republished: object.settings.republished,
            toolsets: attached.map(|(toolset, _)| toolset).collect(),
        }
    });
    let all = All {
        manifests: manifests.collect(),
    };
    answer::json(StatusCode::OK, &all)
}
