//! Version 1 of the admin API: its routes, and the document that describes them.

mod manifests;

use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use http::StatusCode;

use super::problem::Problem;
use super::{AdminState, answer};
use manifests::{attach, check, create, list, refresh, versions};

/// What the routes take and answer, as OpenAPI.
const DOCUMENT: &str = include_str!("v1/openapi.json");

/// Returns the routes, by their paths below `/api/v1`.
pub(super) fn routes() -> Router<Arc<AdminState>> {
    Router::new()
        .route("/openapi.json", get(document))
        .route("/manifests", get(list::list).post(create::create))
        .route("/manifests/check", post(check::check))
        .route("/manifests/attach", post(attach::attach))
        .route("/manifests/{manifest}/refresh", post(refresh::refresh))
        .route("/manifests/{manifest}/versions", get(versions::list))
        .route(
            "/manifests/{manifest}/versions/{digest}",
            get(versions::show),
        )
        .method_not_allowed_fallback(async || {
            let detail =
                "the admin API has no such method here; `/api/v1/openapi.json` says what there is";
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", detail)
        })
        .fallback(async || {
            let detail =
                "the admin API has no such path; `/api/v1/openapi.json` says what there is";
            Problem::not_found("path", detail)
        })
}

async fn document() -> Response {
    let mut response = DOCUMENT.into_response();
    answer::mark(&mut response, "application/json");
    response
}

#[cfg(test)]
mod tests {
    use portcullis_base::Digest;

    use super::*;
    use crate::compiled::KnownDocuments;

    #[test]
    fn the_document_says_all_that_a_client_needs() {
        let digest = Digest::of(DOCUMENT.as_bytes());
        let document = KnownDocuments::default().document(digest, DOCUMENT.as_bytes());
        let document = document.unwrap();
        let diagnostics: Vec<String> = document
            .diagnostics
            .iter()
            .map(|it| format!("{it:?}"))
            .collect();
        assert_eq!(diagnostics, Vec::<String>::new());
        let tools: Vec<&str> = document.tools.iter().map(|it| it.name.as_str()).collect();
        insta::assert_snapshot!(tools.join(" "), @"listManifests createManifest checkManifest attachManifest refreshManifest listManifestVersions showManifestVersion");
    }
}
