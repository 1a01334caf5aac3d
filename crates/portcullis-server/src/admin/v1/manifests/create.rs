//! `POST /api/v1/manifests`: fetches a provider's metadata into a file beside the configuration.
//!
//! Where it is fetched from goes through the same guard as every call: a request cannot allow what `[upstream] allow` does not.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use portcullis_base::Slug;
use portcullis_oauth::manifest::Manifest;
use serde::{Deserialize, Serialize};

use super::file_of;
use crate::admin::problem::Problem;
use crate::admin::{AdminState, answer, on_files, to_its_end};
use crate::config::Configuration;
use crate::doctor::Part;
use crate::manifest::discover::{Found, of_schemes, of_url};
use crate::manifest::examine::{Examinee, Trial, examine};
use crate::manifest::{file, table};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// The issuer, or an MCP server of the provider's own.
    url: Option<String>,
    /// A document of the configuration, whose scheme names the provider.
    document: Option<Slug>,
    /// What the manifest shall be called.
    name: Option<Slug>,
    /// Whether nothing is written.
    #[serde(default)]
    dry_run: bool,
}

#[derive(Serialize)]
struct Answer<'a> {
    name: &'a Slug,
    /// The file, as the configuration file names it.
    file: String,
    created: bool,
    place: &'a str,
    remarks: &'a [String],
    manifest: &'a Manifest,
    table: String,
    report: Part,
}

pub(in crate::admin::v1) async fn create(
    State(state): State<Arc<AdminState>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let wanted: Wanted = answer::read(&headers, body).await?;
    let configuration = state.configuration().await;
    let found = find(&state, &configuration, &wanted).await?;
    let name = wanted.name.or_else(|| table::name(&found.manifest));
    let no_name = || {
        let detail = "the issuer gives no name away; send `name`";
        Problem::bad_request("no-name", detail)
    };
    let name = name.ok_or_else(no_name)?;
    let path = file_of(&configuration, &name);
    // Whatever is wrong with it is said before anybody asks for it.
    let text = file::writable(&path, &found.manifest)?;
    let examinee = Examinee {
        name: name.as_str(),
        manifest: &found.manifest,
        resource: None,
        republished: false,
        validation: None,
    };
    let report = examine(&state.visitor, &examinee, Trial::None).await;
    if !wanted.dry_run {
        let (name, path) = (name.clone(), path.clone());
        to_its_end(async move {
            let _editing = state.editing.lock().await;
            on_files(move || file::create(&path, &text)).await??;
            state.record("manifest.created", name.to_string()).await
        })
        .await?;
    }
    let file = path.file_name().unwrap_or_default();
    let file = file.to_string_lossy().into_owned();
    let answer = Answer {
        table: table::table(&name, &file, &found.manifest),
        name: &name,
        file,
        created: !wanted.dry_run,
        place: &found.place,
        remarks: &found.remarks,
        manifest: &found.manifest,
        report,
    };
    let status = if wanted.dry_run {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    Ok(answer::json(status, &answer))
}

async fn find(
    state: &AdminState,
    configuration: &Configuration,
    wanted: &Wanted,
) -> Result<Found, Problem> {
    let visitor = &state.visitor;
    match (&wanted.url, &wanted.document) {
        (Some(url), None) => Ok(of_url(visitor, url).await?),
        (None, Some(slug)) => {
            let document = configuration.objects.documents.get(slug);
            let document = document.ok_or_else(|| {
                Problem::not_found("no-document", format!("there is no document `{slug}`"))
            })?;
            Ok(of_schemes(visitor, &document.compiled.schemes).await?)
        }
        _ => Err(Problem::bad_request(
            "no-source",
            "send `url`, or `document`, and not both",
        )),
    }
}
