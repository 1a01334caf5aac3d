//! Manifests as files: read, written as people read them, and replaced as a whole.

use std::io::{self, Write as _};
use std::path::Path;

use portcullis_oauth::manifest::{InvalidManifest, Manifest};
use thiserror::Error;

/// The most bytes of a manifest, as in a configuration.
pub const MAX_BYTES: u64 = 256 * 1024;

/// Why a file is of no use.
#[derive(Debug, Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("{path} cannot be read: {source}")]
    Unreadable {
        /// The path.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// It is larger than a manifest can be.
    #[error("{0} has more than {MAX_BYTES} bytes")]
    TooLarge(String),
    /// It is something else.
    #[error("{path} is no manifest: {reason}")]
    NoManifest {
        /// The path.
        path: String,
        /// Why not.
        reason: InvalidManifest,
    },
    /// It is there already.
    #[error("{0} is there already")]
    Exists(String),
    /// It cannot be written.
    #[error("{path} cannot be written: {source}")]
    Unwritable {
        /// The path.
        path: String,
        /// What the system says.
        source: io::Error,
    },
}

/// Reads a manifest.
///
/// # Errors
///
/// When the file cannot be read, or holds none.
pub fn read(path: &Path) -> Result<Manifest, FileError> {
    let unreadable = |source| FileError::Unreadable {
        path: path.display().to_string(),
        source,
    };
    if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_BYTES {
        return Err(FileError::TooLarge(path.display().to_string()));
    }
    let content = std::fs::read(path).map_err(unreadable)?;
    Manifest::parse(&content).map_err(|reason| FileError::NoManifest {
        path: path.display().to_string(),
        reason,
    })
}

/// Writes a manifest as people read it, with every member.
#[must_use]
pub fn pretty(manifest: &Manifest) -> String {
    let members = serde_json::Value::Object(manifest.members().clone());
    format!("{members:#}\n")
}

/// Writes a file that is not there yet.
///
/// # Errors
///
/// When it is, or cannot be written.
pub fn create(path: &Path, text: &str) -> Result<(), FileError> {
    let shown = path.display();
    let written = std::fs::File::create_new(path).and_then(|mut it| it.write_all(text.as_bytes()));
    written.map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => FileError::Exists(shown.to_string()),
        _ => FileError::Unwritable {
            path: shown.to_string(),
            source,
        },
    })
}

/// Replaces a file as a whole, so that nobody ever reads half of it; who may read it stays.
///
/// # Errors
///
/// When it is not there, or the file or its folder cannot be written.
pub fn replace(path: &Path, text: &str) -> Result<(), FileError> {
    replaced(path, text).map_err(|source| FileError::Unwritable {
        path: path.display().to_string(),
        source,
    })
}

fn replaced(path: &Path, text: &str) -> io::Result<()> {
    // Behind a link, the file that it leads to.
    let path = path.canonicalize()?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    std::fs::write(&new, text)?;
    std::fs::set_permissions(&new, std::fs::metadata(&path)?.permissions())?;
    std::fs::rename(&new, &path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_made_once_and_replaced_as_often_as_one_likes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let absent = replace(&path, "a").unwrap_err();
        assert!(absent.to_string().contains("cannot be written"), "{absent}");
        create(&path, "a").unwrap();
        let again = create(&path, "b").unwrap_err();
        assert!(again.to_string().contains("is there already"), "{again}");
        replace(&path, "c").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "c");
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(left.len(), 1);
    }

    #[test]
    fn a_file_that_is_too_large_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let length = usize::try_from(MAX_BYTES).unwrap() + 1;
        create(&path, &" ".repeat(length)).unwrap();
        assert!(matches!(read(&path), Err(FileError::TooLarge(_))));
        replace(&path, "<!doctype html>").unwrap();
        assert!(matches!(read(&path), Err(FileError::NoManifest { .. })));
    }
}
