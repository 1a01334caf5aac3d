//! The file of a master key: made with mode 0600, refused where others can read it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use portcullis_base::{Rng, Secret};
use thiserror::Error;

use super::key::{InvalidMasterKey, MasterKey};

/// More than any key's text.
const MAX_BYTES: u64 = 1024;

/// Why the file of a master key cannot be made or read.
#[derive(Debug, Error)]
pub enum KeyFileError {
    /// There is a file already.
    #[error("the master key file {} exists already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// There is no such file.
    #[error("there is no master key file {}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("the master key file {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// Others can read it.
    #[error(
        "the master key file {} has mode {mode:04o}, so others can read it: run `chmod 600 {}`",
        path.display(), path.display()
    )]
    ReadableByOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// What is in it is no key.
    #[error("the master key file {}: {source}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: InvalidMasterKey,
    },
}

/// Makes a new master key and writes it to a new file that only its owner can read.
///
/// The key is on disk, directory entry included, before this returns.
///
/// # Errors
///
/// When the file exists, or cannot be written; an incomplete file is removed.
pub fn create_key_file(path: &Path, rng: &dyn Rng) -> Result<MasterKey, KeyFileError> {
    let key = MasterKey::new(rng);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| failure(path, error))?;
    if let Err(error) = write(&mut file, &key, path) {
        let _ = std::fs::remove_file(path);
        return Err(failure(path, error));
    }
    Ok(key)
}

fn write(file: &mut File, key: &MasterKey, path: &Path) -> io::Result<()> {
    writeln!(file, "{}", key.to_text().expose())?;
    file.sync_all()?;
    sync_folder(path)
}

/// Puts a folder's entry for `path` on disk.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Reads a master key from a file that only its owner, and at most its group, can read.
///
/// # Errors
///
/// When the file is missing, unreadable, readable by everybody or writable by the group, or holds no key.
pub fn read_key_file(path: &Path) -> Result<MasterKey, KeyFileError> {
    let file = File::open(path).map_err(|error| failure(path, error))?;
    let metadata = file.metadata().map_err(|error| failure(path, error))?;
    let mode = metadata.permissions().mode() & 0o777;
    // Orchestrators mount secrets as 0440 or 0640 with a group of the container.
    if mode & 0o027 != 0 {
        return Err(KeyFileError::ReadableByOthers {
            path: path.to_owned(),
            mode,
        });
    }
    let mut text = String::new();
    file.take(MAX_BYTES)
        .read_to_string(&mut text)
        .map_err(|error| failure(path, error))?;
    let text = Secret::new(text);
    MasterKey::parse(text.expose()).map_err(|source| KeyFileError::Invalid {
        path: path.to_owned(),
        source,
    })
}

fn failure(path: &Path, source: io::Error) -> KeyFileError {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::AlreadyExists => KeyFileError::Exists { path },
        io::ErrorKind::NotFound => KeyFileError::Missing { path },
        _ => KeyFileError::Io { path, source },
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;

    use super::*;

    struct Fixed;
    impl Rng for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(7);
        }
    }

    #[test]
    fn a_new_key_file_is_for_its_owner_and_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let key = create_key_file(&path, &Fixed).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(read_key_file(&path).unwrap().id(), key.id());
    }

    #[test]
    fn a_key_file_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        create_key_file(&path, &Fixed).unwrap();
        assert!(matches!(
            create_key_file(&path, &Fixed),
            Err(KeyFileError::Exists { .. })
        ));
    }

    #[test]
    fn a_key_file_that_others_can_read_is_refused_with_the_command_that_mends_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        create_key_file(&path, &Fixed).unwrap();
        for (mode, lawful) in [(0o400, true), (0o640, true), (0o644, false), (0o660, false)] {
            std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let read = read_key_file(&path);
            assert_eq!(read.is_ok(), lawful, "{mode:o}");
            if let Err(error) = read {
                assert!(error.to_string().contains("chmod 600"), "{error}");
            }
        }
    }

    #[test]
    fn a_missing_file_and_one_without_a_key_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        assert!(matches!(
            read_key_file(&path),
            Err(KeyFileError::Missing { .. })
        ));
        std::fs::write(&path, "hunter2").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        let error = read_key_file(&path).unwrap_err();
        assert!(matches!(error, KeyFileError::Invalid { .. }));
        assert!(!error.to_string().contains("hunter2"));
    }
}
