//! One of the contents that a manifest had, by the first digits of its digest.

use portcullis_store::ManifestVersion;
use thiserror::Error;

/// Why no version is meant.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum NoVersion {
    /// None begins so.
    #[error("no version begins with `{0}`")]
    None(String),
    /// Several do.
    #[error("several versions begin with `{0}`; write more of it")]
    Several(String),
}

/// Returns the only version whose digest begins as `start`, whatever the case of its letters.
///
/// # Errors
///
/// When none does, or more than one.
pub fn only<'a>(
    versions: &'a [ManifestVersion],
    start: &str,
) -> Result<&'a ManifestVersion, NoVersion> {
    let start = start.to_ascii_lowercase();
    let fits = |it: &&ManifestVersion| format!("{:x}", it.digest).starts_with(&start);
    let mut found = versions.iter().filter(fits);
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only),
        (Some(_), Some(_)) => Err(NoVersion::Several(start)),
        _ => Err(NoVersion::None(start)),
    }
}
