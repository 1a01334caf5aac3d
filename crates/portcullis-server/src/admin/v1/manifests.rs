//! `/api/v1/manifests`: what `portcullis manifest` does.

pub(super) mod attach;
pub(super) mod check;
pub(super) mod create;
mod decision;
pub(super) mod list;
pub(super) mod refresh;
pub(super) mod versions;

use std::path::PathBuf;

use portcullis_base::Slug;

use crate::admin::problem::Problem;
use crate::config::Configuration;

/// Returns the file beside the configuration in which a new manifest is kept.
fn file_of(configuration: &Configuration, manifest: &Slug) -> PathBuf {
    configuration
        .path()
        .with_file_name(format!("{manifest}-oauth.json"))
}

/// Reads a name that stands in the path.
fn slug(text: &str) -> Result<Slug, Problem> {
    Slug::parse(text).map_err(|error| Problem::not_found("no-manifest", error.to_string()))
}
