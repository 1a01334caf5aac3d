//! The metadata documents: of us as authorization server, and of each toolset as protected resource.
//!
//! They say nothing that a stranger may not know, change with the configuration only, and are fetched by web pages too.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use http::{StatusCode, header};
use portcullis_oauth::scope::Scopes;
use portcullis_oauth::wire::metadata::{
    ProtectedResourceMetadata, authorization_server as server_metadata, protected_resource,
};
use serde::Serialize;

use super::{IssuerState, Published, answer};

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
) -> Response {
    let published = state.published();
    match metadata(&state, &published, &slug) {
        Some(metadata) => document(&metadata),
        None => nothing().await,
    }
}

/// Answers clients that look at the origin's root, where it is clear which toolset is meant.
pub(super) async fn only_resource(State(state): State<Arc<IssuerState>>) -> Response {
    let published = state.published();
    let metadata = match published.toolsets.as_slice() {
        [(only, _)] => metadata(&state, &published, only.as_str()),
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
    published: &Published,
    slug: &str,
) -> Option<ProtectedResourceMetadata> {
    let toolset = published.toolset(slug)?;
    let sign_in = toolset.sign_in.as_ref()?;
    Some(protected_resource(
        &state.parts.public_url,
        &toolset.slug,
        &toolset.title,
        &sign_in.scopes,
    ))
}

fn document(metadata: &impl Serialize) -> Response {
    let mut response = answer::json(StatusCode::OK, metadata);
    response.headers_mut().remove(header::PRAGMA);
    answer::set(&mut response, header::CACHE_CONTROL, CACHE);
    response
}
