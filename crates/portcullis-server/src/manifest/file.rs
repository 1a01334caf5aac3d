//! Manifests as files: read, written as people read them, and replaced as a whole.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::Path;

use portcullis_oauth::manifest::{InvalidManifest, Manifest};
use thiserror::Error;

/// The most bytes of a manifest, wherever it comes from or goes; real ones have a few thousand.
pub const MAX_BYTES: usize = 256 * 1024;

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
    /// It would be larger than a manifest can be.
    #[error(
        "{path} would have {size_bytes} bytes, and a configuration takes at most {MAX_BYTES} of a manifest"
    )]
    WouldBeTooLarge {
        /// The path.
        path: String,
        /// How large it would be.
        size_bytes: usize,
    },
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
    if is_too_large(&std::fs::metadata(path).map_err(unreadable)?) {
        return Err(FileError::TooLarge(path.display().to_string()));
    }
    let content = std::fs::read(path).map_err(unreadable)?;
    Manifest::parse(&content).map_err(|reason| FileError::NoManifest {
        path: path.display().to_string(),
        reason,
    })
}

/// Reads a manifest's text, which nobody has judged.
pub(crate) fn text(path: &Path) -> io::Result<String> {
    if is_too_large(&std::fs::metadata(path)?) {
        let large = format!("it has more than {MAX_BYTES} bytes");
        return Err(io::Error::other(large));
    }
    std::fs::read_to_string(path)
}

fn is_too_large(metadata: &Metadata) -> bool {
    usize::try_from(metadata.len()).map_or(true, |length| length > MAX_BYTES)
}

/// Writes a manifest as the file at `path` shall hold it.
///
/// # Errors
///
/// When no configuration would take it, for its size: with the spaces that people need it is larger than it was served.
pub fn writable(path: &Path, manifest: &Manifest) -> Result<String, FileError> {
    let text = pretty(manifest);
    if text.len() > MAX_BYTES {
        return Err(FileError::WouldBeTooLarge {
            path: path.display().to_string(),
            size_bytes: text.len(),
        });
    }
    Ok(text)
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
/// When it is, or cannot be written; an incomplete file is removed.
pub fn create(path: &Path, text: &str) -> Result<(), FileError> {
    let shown = path.display();
    let made = make(path, 0o666, |file| file.write_all(text.as_bytes()));
    made.and_then(|()| sync_folder(path))
        .map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => FileError::Exists(shown.to_string()),
            _ => FileError::Unwritable {
                path: shown.to_string(),
                source,
            },
        })
}

/// Replaces a file as a whole, so that nobody ever reads half of it; its mode, owner and group stay.
///
/// It is on disk, directory entry included, before this returns.
///
/// # Errors
///
/// When it is not there, its owner and group cannot be kept, or the file or its folder cannot be written; it stays as it is then.
pub fn replace(path: &Path, text: &str) -> Result<(), FileError> {
    replaced(path, text).map_err(|source| FileError::Unwritable {
        path: path.display().to_string(),
        source,
    })
}

fn replaced(path: &Path, text: &str) -> io::Result<()> {
    // Behind a link, the file that it leads to.
    let path = path.canonicalize()?;
    let before = std::fs::metadata(&path)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    // Left where a write was cut off.
    match std::fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // Until it is known whose it is, nobody else reads it.
    make(&new, 0o600, |file| {
        file.write_all(text.as_bytes())?;
        keep_owner(file, &before)?;
        file.set_permissions(before.permissions())
    })?;
    if let Err(error) = std::fs::rename(&new, &path) {
        let _ = std::fs::remove_file(&new);
        return Err(error);
    }
    sync_folder(&path)
}

/// Makes a file with what `write` writes into it, or none.
fn make(path: &Path, mode: u32, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(mode).open(path)?;
    let written = write(&mut file).and_then(|()| file.sync_all());
    if written.is_err() {
        let _ = std::fs::remove_file(path);
    }
    written
}

/// Gives a file the owner and the group that another has.
fn keep_owner(file: &File, other: &Metadata) -> io::Result<()> {
    let own = file.metadata()?;
    if (own.uid(), own.gid()) == (other.uid(), other.gid()) {
        return Ok(());
    }
    fchown(file, Some(other.uid()), Some(other.gid())).map_err(|error| {
        let reason = format!("its owner and group cannot be kept: {error}");
        io::Error::new(error.kind(), reason)
    })
}

/// Puts a folder's entry for `path` on disk.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt as _, chown};

    use super::*;

    #[test]
    fn a_file_that_is_replaced_keeps_its_mode_owner_and_group() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        create(&path, "a").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        // Only the system's administrator can give a file away; for anybody else all are his own.
        let _ = chown(&path, Some(4711), Some(4712));
        let whose = || {
            let metadata = std::fs::metadata(&path).unwrap();
            (metadata.mode(), metadata.uid(), metadata.gid())
        };
        let before = whose();
        replace(&path, "b").unwrap();
        assert_eq!(whose(), before);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "b");
    }

    #[test]
    fn what_a_write_that_was_cut_off_left_is_no_obstacle() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        create(&path, "a").unwrap();
        let aside = folder.path().join("other");
        create(&aside, "other").unwrap();
        // A link there leads nowhere else either.
        std::os::unix::fs::symlink(&aside, folder.path().join("a.json.new")).unwrap();
        replace(&path, "b").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "b");
        assert_eq!(std::fs::read_to_string(&aside).unwrap(), "other");
    }

    #[test]
    fn a_file_that_cannot_be_written_whole_is_not_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let made = make(&path, 0o666, |file| {
            file.write_all(b"half")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert_eq!(made.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert!(!path.exists());
    }

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
        create(&path, &" ".repeat(MAX_BYTES + 1)).unwrap();
        assert!(matches!(read(&path), Err(FileError::TooLarge(_))));
        replace(&path, "<!doctype html>").unwrap();
        assert!(matches!(read(&path), Err(FileError::NoManifest { .. })));
    }
}
