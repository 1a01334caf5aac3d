//! What a provider serves now, compared with the file that the operator keeps.

use std::path::{Path, PathBuf};

use portcullis_base::Digest;
use portcullis_oauth::manifest::Manifest;
use portcullis_oauth::manifest::difference::{Change, difference};
use thiserror::Error;

use super::discover::{Found, NotFound, of_issuer};
use super::file::{self, FileError, pretty};
use super::visit::Visitor;
use crate::config::{Configuration, ConfigurationError};

/// A manifest, and what its issuer serves in its place.
#[derive(Debug)]
pub struct Comparison {
    path: PathBuf,
    before: Manifest,
    /// What is served.
    pub found: Found,
}

/// Why nothing can be compared, or what is served cannot be written.
#[derive(Debug, Error)]
pub enum RefreshError {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// Nothing is served.
    #[error(transparent)]
    NotFound(#[from] NotFound),
    /// A configuration could not be used with what is served.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
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

    /// Returns what `present`, which names the file, means once what is served is written; where nothing differs, what it means now.
    ///
    /// # Errors
    ///
    /// When it cannot be used then.
    pub fn configuration(&self, present: &Configuration) -> Result<Configuration, RefreshError> {
        if self.changes().is_empty() {
            return Ok(present.reload()?);
        }
        let text = file::writable(&self.path, &self.found.manifest)?;
        Ok(present.with_file(&self.path, &text)?)
    }

    /// Writes what is served into the file.
    ///
    /// Whoever knows the configuration asks [`Comparison::configuration`] first.
    ///
    /// # Errors
    ///
    /// When it is too large, or cannot be written.
    pub fn write(&self) -> Result<(), FileError> {
        let text = file::writable(&self.path, &self.found.manifest)?;
        file::replace(&self.path, &text)
    }
}
