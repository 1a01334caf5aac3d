//! What a provider serves now, compared with the file that the operator keeps.

use std::path::{Path, PathBuf};

use portcullis_base::Digest;
use portcullis_oauth::manifest::Manifest;
use portcullis_oauth::manifest::difference::{Change, difference};
use thiserror::Error;

use super::discover::{Found, NotFound, of_issuer};
use super::file::{self, FileError, pretty};
use super::visit::Visitor;

/// A manifest, and what its issuer serves in its place.
#[derive(Debug)]
pub struct Comparison {
    path: PathBuf,
    before: Manifest,
    /// What is served.
    pub found: Found,
}

/// Why nothing can be compared.
#[derive(Debug, Error)]
pub enum RefreshError {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// Nothing is served.
    #[error(transparent)]
    NotFound(#[from] NotFound),
}

impl Comparison {
    /// Compares the manifest in the file at `path`.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or its issuer serves nothing.
    pub async fn of(visitor: &Visitor, path: &Path) -> Result<Self, RefreshError> {
        let before = file::read(path)?;
        let found = of_issuer(visitor, before.issuer()).await?;
        Ok(Self {
            path: path.to_owned(),
            before,
            found,
        })
    }

    /// Returns the members that differ.
    #[must_use]
    pub fn changes(&self) -> Vec<Change<'_>> {
        difference(&self.before, &self.found.manifest)
    }

    /// Returns what stands for this very change.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        let [before, after] = [&self.before, &self.found.manifest].map(pretty);
        Digest::of_fields([before.as_bytes(), after.as_bytes()])
    }

    /// Writes what is served into the file.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn write(&self) -> Result<(), FileError> {
        file::replace(&self.path, &pretty(&self.found.manifest))
    }
}
