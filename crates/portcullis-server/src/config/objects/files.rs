//! Reads a document with the files that it refers to, from a folder or an archive, as one document.
//!
//! In a folder, a file is read only where it lies below the folder after every link was followed.

use std::path::{Path, PathBuf};

use portcullis_openapi::{Bundle, Bundler, FileName, Limits, ReadError, Tree};

use super::archive::{Archive, ArchiveError};
use crate::config::problem::Problem;
use crate::config::reading::Reading;

/// Where a document is read from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    /// The document, or an archive that holds it.
    pub(super) path: &'a Path,
    /// The folder that its files may be in, where the operator names one.
    pub(super) folder: Option<&'a Path>,
    /// The document's place in the archive, where the operator names it.
    pub(super) root: Option<&'a str>,
}

impl<'a> Source<'a> {
    /// A document whose files are in its own folder.
    pub(super) fn alone(path: &'a Path) -> Self {
        Self {
            path,
            folder: None,
            root: None,
        }
    }

    /// Reads the document; the files that it consists of are watched.
    pub(super) fn read(self, reading: &mut Reading<'_>) -> Result<Bundle, Problem> {
        let bytes = bounded(self.path).map_err(|fault| {
            fault.of(
                self.path,
                "a relative path is relative to the configuration file's folder",
            )
        })?;
        match Archive::of(&bytes) {
            Some(archive) => {
                let unusable = |error: ArchiveError| {
                    Problem::new(
                        format!("cannot use `{}`: {error}", self.path.display()),
                        "an archive holds one OpenAPI document and its files; where it holds several, name one by `root`",
                    )
                };
                let archive = archive.map_err(unusable)?;
                let main = archive.document(self.root).map_err(unusable)?;
                in_archive(&archive, main).map_err(|error| self.unreadable(&error))
            }
            None if self.root.is_some() => Err(Problem::new(
                format!("`{}` is no archive", self.path.display()),
                "`root` names the document in a `.zip`, `.tar` or `.tar.gz`; leave it out here",
            )),
            None => self.in_folder(bytes, reading),
        }
    }

    fn in_folder(self, bytes: Vec<u8>, reading: &mut Reading<'_>) -> Result<Bundle, Problem> {
        let own = self.path.parent().filter(|folder| *folder != Path::new(""));
        let own = own.unwrap_or(Path::new("."));
        let folder = Folder::new(self.folder.unwrap_or(own), own, self.path)?;
        let bundled = || {
            let limits = Limits::default();
            let main = folder.main.clone();
            let mut bundler = Bundler::new(main, Tree::Folder, bytes, &limits)?;
            loop {
                let wanted = bundler.wanted();
                if wanted.is_empty() {
                    return bundler.finish();
                }
                for name in wanted {
                    reading.files.push(folder.path.join(name.as_str()));
                    match folder.read(&name) {
                        Ok(bytes) => bundler.give(&name, &bytes)?,
                        Err(reason) => bundler.withhold(&name, reason)?,
                    }
                }
            }
        };
        bundled().map_err(|error: ReadError| self.unreadable(&error))
    }

    /// Says that the bytes are no document.
    pub(super) fn unreadable(self, error: &ReadError) -> Problem {
        Problem::new(
            format!("cannot use `{}`: {error}", self.path.display()),
            "it must be an OpenAPI document of version 3, in JSON or YAML",
        )
    }
}

fn in_archive(archive: &Archive, main: &FileName) -> Result<Bundle, ReadError> {
    let bytes = archive.file(main).unwrap_or_default().to_vec();
    let mut bundler = Bundler::new(main.clone(), Tree::Folder, bytes, &Limits::default())?;
    loop {
        let wanted = bundler.wanted();
        if wanted.is_empty() {
            return bundler.finish();
        }
        for name in wanted {
            match archive.file(&name) {
                Some(bytes) => bundler.give(&name, bytes)?,
                None => bundler.withhold(&name, "the archive does not hold it")?,
            }
        }
    }
}

/// A folder that files may be read from, with every link followed.
struct Folder {
    path: PathBuf,
    /// The document's place in it.
    main: FileName,
}

impl Folder {
    fn new(folder: &Path, own: &Path, document: &Path) -> Result<Self, Problem> {
        let shown = folder.display();
        let unreadable = |error: std::io::Error| {
            Problem::new(
                format!("cannot read the folder `{shown}`: {error}"),
                "`folder` names the folder that the document and its files are in",
            )
        };
        let path = folder.canonicalize().map_err(unreadable)?;
        let own = own.canonicalize().map_err(unreadable)?;
        let below = own.strip_prefix(&path).ok();
        let file = document.file_name().map(Path::new);
        let main = below
            .zip(file)
            .map(|(below, file)| below.join(file))
            .and_then(|path| FileName::parse(path.to_str()?).ok());
        let main = main.ok_or_else(|| {
            Problem::new(
                format!("`{}` is not below the folder `{shown}`", document.display()),
                "`folder` names a folder that the document itself is in",
            )
        })?;
        Ok(Self { path, main })
    }

    /// Reads a file, or says why not.
    fn read(&self, name: &FileName) -> Result<Vec<u8>, String> {
        let path = self.path.join(name.as_str());
        let path = path.canonicalize().map_err(|error| error.to_string())?;
        if !path.starts_with(&self.path) {
            return Err("a link leads out of the document's folder".to_owned());
        }
        if !path.is_file() {
            return Err("it is no file".to_owned());
        }
        bounded(&path).map_err(|fault| match fault {
            Fault::Io(error) => error.to_string(),
            Fault::TooLarge(bytes) => format!("it has {bytes} bytes"),
        })
    }
}

enum Fault {
    Io(std::io::Error),
    TooLarge(u64),
}

impl Fault {
    fn of(self, path: &Path, advice: &str) -> Problem {
        let shown = path.display();
        let max_bytes = Limits::default().max_bytes;
        match self {
            Self::Io(error) => Problem::new(format!("cannot read `{shown}`: {error}"), advice),
            Self::TooLarge(bytes) => Problem::new(
                format!(
                    "`{shown}` has {bytes} bytes, more than the {max_bytes} that a document may have"
                ),
                "leave out the parts that no tool needs",
            ),
        }
    }
}

/// Reads a file whose size is judged before its bytes are in memory.
fn bounded(path: &Path) -> Result<Vec<u8>, Fault> {
    let bytes = std::fs::metadata(path).map_err(Fault::Io)?.len();
    if usize::try_from(bytes).is_ok_and(|bytes| bytes > Limits::default().max_bytes) {
        return Err(Fault::TooLarge(bytes));
    }
    std::fs::read(path).map_err(Fault::Io)
}
