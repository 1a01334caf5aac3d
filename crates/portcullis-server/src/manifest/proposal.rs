//! The attachment of a manifest to a toolset, thought out and not made: what it changes, what comes of it, and then the writing.
//!
//! Nothing is written before the result was read as a configuration, nor where the file has changed since it was looked at.

use std::io;
use std::path::{Path, PathBuf};

use portcullis_base::{Digest, Origin, Slug};
use thiserror::Error;

use super::attach::{AttachError, Attachment, Edited};
use super::file::{self, FileError};
use super::subject::{Subject, Whom};
use super::{examine, table};
use crate::config::{Configuration, ConfigurationError};
use crate::doctor::{Finding, Verdict};

/// What is attached.
#[derive(Clone, Debug)]
pub enum Wanted<'a> {
    /// A manifest that the configuration describes.
    Described(&'a Slug),
    /// A file that it does not describe yet.
    File {
        /// The file.
        path: &'a Path,
        /// What the manifest shall be called; otherwise as its issuer is.
        name: Option<Slug>,
        /// Whether it is served again under the toolset's URL.
        republish: bool,
    },
}

/// A change of the configuration file that can be made.
#[derive(Debug)]
pub struct Proposal {
    path: PathBuf,
    before: String,
    edited: Edited,
    configuration: Configuration,
    manifest: Slug,
}

/// Why nothing can be proposed, or a proposal was not written.
#[derive(Debug, Error)]
pub enum ProposalError {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The issuer gives no name away.
    #[error("the issuer gives no name away; name the manifest")]
    NoName,
    /// The operator knows what the manifest does not say.
    #[error(
        "the manifest does not say how tokens are judged; complete this table in {config}, then attach `{manifest}`:\n\n{table}"
    )]
    Incomplete {
        /// The configuration file.
        config: String,
        /// What the manifest is called.
        manifest: Slug,
        /// Its table.
        table: String,
    },
    /// The text cannot be changed.
    #[error(transparent)]
    Attach(#[from] AttachError),
    /// The result cannot be used.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// Somebody else was faster.
    #[error("{0} has changed meanwhile; look at what would change now")]
    Changed(String),
}

impl Proposal {
    /// Thinks out what attaching `wanted` to `toolset` changes in the configuration file at `path`, whose texts `read` reads.
    ///
    /// # Errors
    ///
    /// When the file, the manifest, or what would come of them cannot be used.
    pub fn of(
        path: &Path,
        wanted: &Wanted<'_>,
        toolset: &Slug,
        read: impl Fn(&str) -> Result<Configuration, ConfigurationError>,
    ) -> Result<Self, ProposalError> {
        let before = content(path)?;
        let (manifest, table) = described(path, wanted)?;
        let attachment = Attachment {
            manifest: &manifest,
            table: table.as_deref(),
            toolset,
        };
        let edited = attachment.edited(&before)?;
        // Whatever is wrong with it is said before anybody is asked.
        let configuration = read(&edited.text)?;
        Ok(Self {
            path: path.to_owned(),
            before,
            edited,
            configuration,
            manifest,
        })
    }

    /// Returns the manifest's name.
    #[must_use]
    pub fn manifest(&self) -> &Slug {
        &self.manifest
    }

    /// Tells whether everything is as it should be already.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.edited.text == self.before
    }

    /// Returns what changes, a line for each.
    #[must_use]
    pub fn changes(&self) -> &[String] {
        &self.edited.changes
    }

    /// Returns the ways in that are there and will be no more.
    #[must_use]
    pub fn closed(&self) -> &[String] {
        &self.edited.closed
    }

    /// Returns what the file then means.
    #[must_use]
    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// Returns what stands for this very change of this very file.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        Digest::of_fields([self.before.as_bytes(), self.edited.text.as_bytes()])
    }

    /// Returns what clients of the toolset will stumble over, as far as that stands in the manifest.
    #[must_use]
    pub fn findings(&self, toolset: &Slug, public_url: Option<&Origin>) -> Vec<Finding> {
        let described =
            |whom| Subject::described(&self.configuration, &self.manifest, whom, public_url);
        // A gateway whose URL is not known yet has a manifest all the same.
        let subjects = described(Whom::Toolset(toolset)).or_else(|_| described(Whom::Attached));
        let subjects = subjects.unwrap_or_default();
        let parts = subjects.iter().map(|it| examine::read(&it.examinee()));
        let findings = parts.flat_map(|part| part.findings);
        findings
            .filter(|it| matches!(it.verdict, Verdict::Doubtful | Verdict::Wrong))
            .collect()
    }

    /// Writes the file.
    ///
    /// # Errors
    ///
    /// When it has changed meanwhile, or cannot be written.
    pub fn write(&self) -> Result<(), ProposalError> {
        if content(&self.path)? != self.before {
            return Err(ProposalError::Changed(self.path.display().to_string()));
        }
        Ok(file::replace(&self.path, &self.edited.text)?)
    }
}

fn content(path: &Path) -> Result<String, FileError> {
    std::fs::read_to_string(path).map_err(|source| FileError::Unreadable {
        path: path.display().to_string(),
        source,
    })
}

/// Returns the manifest's name, and its table where a file is attached.
fn described(config: &Path, wanted: &Wanted<'_>) -> Result<(Slug, Option<String>), ProposalError> {
    let (path, name, republish) = match wanted {
        Wanted::Described(slug) => return Ok(((*slug).clone(), None)),
        Wanted::File {
            path,
            name,
            republish,
        } => (*path, name, *republish),
    };
    let manifest = file::read(path)?;
    let slug = name.clone().or_else(|| table::name(&manifest));
    let slug = slug.ok_or(ProposalError::NoName)?;
    let relative = relative(config, path).map_err(|source| FileError::Unreadable {
        path: path.display().to_string(),
        source,
    })?;
    let mut table = table::table(&slug, &relative.display().to_string(), &manifest);
    if !table::is_complete(&manifest) {
        return Err(ProposalError::Incomplete {
            config: config.display().to_string(),
            manifest: slug,
            table,
        });
    }
    if republish {
        table.push_str("republish = true\n");
    }
    Ok((slug, Some(table)))
}

/// Returns how the configuration file would name another file.
fn relative(config: &Path, file: &Path) -> io::Result<PathBuf> {
    let folder = config.parent().filter(|it| !it.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).canonicalize()?;
    let file = file.canonicalize()?;
    Ok(match file.strip_prefix(&folder) {
        Ok(relative) => relative.to_owned(),
        Err(_) => file,
    })
}
