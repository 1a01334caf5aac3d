//! The metadata documents: of us as authorization server, and of each toolset as protected resource.
//!
//! They say nothing that a stranger may not know, change with the configuration only, and are fetched by web pages too.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use http::{StatusCode, header};
use portcullis_oauth::scope::Scopes;
use portcullis_oauth::wire::metadata::{
    ProtectedResourceMetadata, authorization_server as server_metadata, protected_resource,
};
use serde::Serialize;

use super::{IssuerState, answer};
use crate::catalogue::{Catalogue, PublishedToolset};

/// How long a document may be kept: soon enough for a change, long enough for a crowd.
const CACHE: &str = "public, max-age=300";

pub(super) async fn authorization_server(State(state): State<Arc<IssuerState>>) -> Response {
    let published = state.published();
    let scopes = published
        .toolsets
        .iter()
        .fold(Scopes::default(), |all, (_, scopes)| all.union(scopes));
    document(&server_metadata(&state.parts.public_url, &scopes))
}

pub(super) async fn resource(
    State(state): State<Arc<IssuerState>>,
    Path(slug): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let catalogue = state.parts.catalogue.load_full();
    // Elsewhere tokens are issued by others, for the endpoint as the operator told them.
    let is_ours = |it: &Arc<PublishedToolset>| it.sign_in.is_some();
    let query = query.filter(|_| catalogue.toolsets.get(&slug).is_some_and(is_ours));
    match metadata(&state, &catalogue, &slug) {
        Some(metadata) => document(&metadata.named_with(query.as_deref())),
        None => nothing().await,
    }
}

/// Answers clients that look at the origin's root, where it is clear which toolset is meant.
pub(super) async fn only_resource(State(state): State<Arc<IssuerState>>) -> Response {
    let catalogue = state.parts.catalogue.load_full();
    let mut toolsets = catalogue.toolsets.values();
    let mut toolsets = toolsets.by_ref().filter(|it| it.signing_in().is_some());
    let metadata = match (toolsets.next(), toolsets.next()) {
        (Some(only), None) => metadata(&state, &catalogue, only.slug.as_str()),
        _ => None,
    };
    match metadata {
        Some(metadata) => document(&metadata),
        None => nothing().await,
    }
}

/// Answers every other well-known path: clients try many and go on at a clean 404.
pub(super) async fn nothing() -> Response {
    let body = serde_json::json!({
        "error": "not_found",
        "error_description": "there is no such document here",
    });
    answer::json(StatusCode::NOT_FOUND, &body)
}

fn metadata(
    state: &IssuerState,
    catalogue: &Catalogue,
    slug: &str,
) -> Option<ProtectedResourceMetadata> {
    let toolset = catalogue.toolsets.get(slug)?;
    let sign_in = toolset.signing_in()?;
    let public_url = &state.parts.public_url;
    Some(protected_resource(
        public_url,
        &toolset.slug,
        &toolset.title,
        toolset.authorization_server(public_url),
        &sign_in.scopes,
    ))
}

/// Serves a provider's manifest as that of the toolset's own authorization server, where the operator says so.
pub(super) async fn republished(
    State(state): State<Arc<IssuerState>>,
    Path(slug): Path<String>,
) -> Response {
    let catalogue = state.parts.catalogue.load_full();
    let served = catalogue.toolsets.get(&slug).and_then(|toolset| {
        let manifest = &toolset.external.as_ref()?.manifest;
        let issuer = toolset.endpoint(&state.parts.public_url);
        manifest
            .republished
            .then(|| manifest.republication(&issuer))?
            .ok()
    });
    match served {
        Some(manifest) => document(&manifest),
        None => nothing().await,
    }
}

fn document(metadata: &impl Serialize) -> Response {
    let mut response = answer::json(StatusCode::OK, metadata);
    response.headers_mut().remove(header::PRAGMA);
    answer::set(&mut response, header::CACHE_CONTROL, CACHE);
    response
}
