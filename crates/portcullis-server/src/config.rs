//! The configuration file: what it may say, and what it means.
//!
//! Knows: one TOML file or one OpenAPI document on disk, and the environment variables of the process, which are handed in.
//! Does not know: the store, except for the words for what is kept there; `apply.rs` compares and writes.
//!
//! To add a setting: declare the key in `file.rs`, read it in `judge.rs` or `objects.rs`, and make `docs/configuration.md` anew with `portcullis reference`.

pub mod apply;
mod difference;
mod file;
mod judge;
mod objects;
mod problem;
mod reading;
mod reference;
mod settings;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use portcullis_base::{Secret, Slug};

use crate::compiled::KnownDocuments;

use file::File;
use objects::remote;
use reading::{Draft, Reading};

pub use difference::{Change, Difference, Fate, ObjectKind};
pub use objects::remote::{RemoteContent, RemoteContents, RemoteDocument};
pub use objects::{
    ClientObject, DocumentObject, EnvironmentObject, ManifestObject, Objects, ProviderObject,
    ToolsetObject,
};
pub use problem::{ConfigurationError, Problem};
pub use reference::markdown;
pub use settings::{
    AccessSettings, AllowedUpstream, AuthorizationSettings, InvalidAllowedUpstream,
    InvalidListenAddress, ListenAddress, LogLevel, LoggingSettings, MasterKeySource, Overrides,
    Settings, StorageSettings, UpstreamSettings,
};

/// A configuration that can be used.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// What the program needs to know before it looks at any object.
    pub settings: Settings,
    /// The objects that the file owns.
    pub objects: Objects,
    /// The files that it was read from: when one changes, so may the configuration.
    pub files: Vec<PathBuf>,
    source: Source,
}

/// What a configuration is read from, kept to read it again.
#[derive(Clone, Debug)]
struct Source {
    path: PathBuf,
    overrides: Overrides,
    process: HashMap<String, Secret>,
    remote: RemoteContents,
}

impl Configuration {
    /// Reads the TOML file at `path`, or makes a configuration of the OpenAPI document there.
    ///
    /// A name that ends in `.toml` is a configuration file; `process` holds the environment variables of the process.
    ///
    /// # Errors
    ///
    /// When anything about it is wrong; the report says everything that is.
    pub fn load(
        path: &Path,
        overrides: Overrides,
        process: HashMap<String, Secret>,
    ) -> Result<Self, ConfigurationError> {
        Self::load_remote(path, overrides, process, RemoteContents::default())
    }

    /// As [`Configuration::load`], with what its documents from URLs hold.
    ///
    /// # Errors
    ///
    /// As [`Configuration::load`].
    pub fn load_remote(
        path: &Path,
        overrides: Overrides,
        process: HashMap<String, Secret>,
        remote: RemoteContents,
    ) -> Result<Self, ConfigurationError> {
        let source = Source {
            path: path.to_owned(),
            overrides,
            process,
            remote,
        };
        Self::of(source, &KnownDocuments::default(), None)
    }

    /// Reads which documents of the file at `path` come from URLs, and the settings that say where these may be fetched.
    ///
    /// # Errors
    ///
    /// When anything about these is wrong.
    pub fn remote_documents(
        path: &Path,
        overrides: Overrides,
        process: HashMap<String, Secret>,
    ) -> Result<(Settings, Vec<RemoteDocument>), ConfigurationError> {
        let source = Source {
            path: path.to_owned(),
            overrides,
            process,
            remote: RemoteContents::default(),
        };
        source.remote_documents()
    }

    /// Reads again which documents come from URLs.
    ///
    /// # Errors
    ///
    /// As [`Configuration::remote_documents`].
    pub fn remote_documents_again(&self) -> Result<Vec<RemoteDocument>, ConfigurationError> {
        Ok(self.source.remote_documents()?.1)
    }

    /// Reads everything again, with what its documents from URLs hold now; compiles only documents that changed.
    ///
    /// # Errors
    ///
    /// As [`Configuration::load`].
    pub fn reload_remote(&self, remote: RemoteContents) -> Result<Self, ConfigurationError> {
        let source = Source {
            remote,
            ..self.source.clone()
        };
        Self::of(source, &self.objects.compiled(), None)
    }

    /// Reads everything again as if the document that comes from `source`, which stands for its URL, held this, to see what a change would make of it.
    ///
    /// # Errors
    ///
    /// As [`Configuration::load`].
    pub fn with_remote(
        &self,
        slug: &Slug,
        source: &str,
        content: Arc<[u8]>,
    ) -> Result<Self, ConfigurationError> {
        let mut remote = self.source.remote.clone();
        remote.add(slug.clone(), source, Ok(content.into()));
        self.reload_remote(remote)
    }

    /// Reads the TOML file at `path` as if it held `text`, to see what a change would make of it.
    ///
    /// # Errors
    ///
    /// As [`Configuration::load`].
    pub fn of_text(
        path: &Path,
        text: &str,
        overrides: Overrides,
        process: HashMap<String, Secret>,
        remote: RemoteContents,
    ) -> Result<Self, ConfigurationError> {
        let source = Source {
            path: path.to_owned(),
            overrides,
            process,
            remote,
        };
        let draft = Draft { path, text };
        Self::of(source, &KnownDocuments::default(), Some(draft))
    }

    /// Reads everything again, from the same place and with the same command line; compiles only documents that changed.
    ///
    /// # Errors
    ///
    /// As [`Configuration::load`].
    pub fn reload(&self) -> Result<Self, ConfigurationError> {
        Self::of(self.source.clone(), &self.objects.compiled(), None)
    }

    /// Reads everything as if the file held `text`, to see what a change would make of it; compiles only documents that changed.
    ///
    /// # Errors
    ///
    /// As [`Configuration::load`].
    pub fn with_text(&self, text: &str) -> Result<Self, ConfigurationError> {
        self.with_file(self.path(), text)
    }

    /// As [`Configuration::with_text`], of the manifest at `path`, as [`ManifestObject::source`] names it.
    ///
    /// # Errors
    ///
    /// As [`Configuration::load`].
    pub fn with_file(&self, path: &Path, text: &str) -> Result<Self, ConfigurationError> {
        let draft = Draft { path, text };
        Self::of(self.source.clone(), &self.objects.compiled(), Some(draft))
    }

    /// Lets the contents of documents go, which the store has now; what was compiled of them stays.
    pub fn let_contents_go(&mut self) {
        self.objects.let_contents_go();
        self.source.remote.let_contents_go();
    }

    /// Tells whether it stands in a configuration file, and not in a document alone.
    #[must_use]
    pub fn is_described(&self) -> bool {
        is_described(self.path())
    }

    /// Returns the path of the file or document.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.source.path
    }

    fn of(
        source: Source,
        known: &KnownDocuments,
        draft: Option<Draft<'_>>,
    ) -> Result<Self, ConfigurationError> {
        let path = source.path.as_path();
        let (settings, objects, files) =
            read(
                &source,
                known,
                draft,
                |reading, file, settings| match file {
                    Some(file) => objects::of_file(reading, file, settings),
                    None => objects::of_document(reading, path, settings.authenticated_only()),
                },
            )?;
        Ok(Self {
            settings,
            objects,
            files,
            source,
        })
    }
}

impl Source {
    fn remote_documents(&self) -> Result<(Settings, Vec<RemoteDocument>), ConfigurationError> {
        let nothing = KnownDocuments::default();
        let (settings, documents, _) = read(self, &nothing, None, |reading, file, _| {
            remote::all(reading, file)
        })?;
        Ok((settings, documents))
    }
}

impl Settings {
    /// Reads the settings only, for those who need no object and hold none of the objects' secrets.
    ///
    /// # Errors
    ///
    /// When anything about them is wrong.
    pub fn load(
        path: &Path,
        overrides: Overrides,
        process: HashMap<String, Secret>,
    ) -> Result<Self, ConfigurationError> {
        let source = Source {
            path: path.to_owned(),
            overrides,
            process,
            remote: RemoteContents::default(),
        };
        if !path.is_file() {
            let problem = Problem::new(
                "there is no such file",
                "give the configuration file, or the document, that is served",
            );
            return Err(ConfigurationError::new(path, None, vec![problem]));
        }
        Self::of(&source)
    }

    /// Returns the settings where there is no file at all.
    ///
    /// # Errors
    ///
    /// When the command line says what cannot be used.
    pub fn without_file(
        overrides: Overrides,
        process: HashMap<String, Secret>,
    ) -> Result<Self, ConfigurationError> {
        Self::of(&Source {
            path: PathBuf::new(),
            overrides,
            process,
            remote: RemoteContents::default(),
        })
    }

    fn of(source: &Source) -> Result<Self, ConfigurationError> {
        let (settings, (), _) = read(source, &KnownDocuments::default(), None, |_, _, _| ())?;
        Ok(settings)
    }
}

/// Reads the settings, of `draft` where it is of this file, and by `read_objects` what else is wanted of the file, where there is one.
fn read<T>(
    source: &Source,
    known: &KnownDocuments,
    draft: Option<Draft<'_>>,
    read_objects: impl FnOnce(&mut Reading<'_>, Option<&File>, &Settings) -> T,
) -> Result<(Settings, T, Vec<PathBuf>), ConfigurationError> {
    let path = source.path.as_path();
    let described = is_described(path);
    let (text, file) = if described {
        let text = draft.and_then(|it| it.at(path));
        let text = text.map_or_else(|| content(path), |text| Ok(text.into()))?;
        let file = parse(path, &text)?;
        (Some(text), file)
    } else {
        (None, File::default())
    };
    let folder = path.parent().filter(|_| described);
    let mut reading = Reading {
        folder: folder.unwrap_or(Path::new("")),
        process: &source.process,
        remote: &source.remote,
        draft,
        known,
        files: vec![path.to_owned()],
        problems: Vec::new(),
    };
    let settings = judge::settings(&mut reading, &file, &source.overrides);
    let objects = read_objects(&mut reading, described.then_some(&file), &settings);
    if reading.problems.is_empty() {
        Ok((settings, objects, reading.files))
    } else {
        Err(ConfigurationError::new(path, text, reading.problems))
    }
}

/// A name that ends in `.toml` is a configuration file's.
fn is_described(path: &Path) -> bool {
    path.extension().is_some_and(|it| it == "toml")
}

fn content(path: &Path) -> Result<Arc<str>, ConfigurationError> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let problem = Problem::new(error.to_string(), "check the path and who may read it");
        ConfigurationError::new(path, None, vec![problem])
    })?;
    Ok(text.into())
}

fn parse(path: &Path, text: &Arc<str>) -> Result<File, ConfigurationError> {
    toml::from_str(text).map_err(|error| {
        let problem = problem::of_toml(&error, text);
        ConfigurationError::new(path, Some(Arc::clone(text)), vec![problem])
    })
}

#[cfg(test)]
mod tests;
