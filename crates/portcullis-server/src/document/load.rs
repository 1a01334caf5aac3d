//! Reads configurations whose documents may come from URLs: what the store serves of them counts, and only what it does not know is fetched.
//!
//! So a URL that does not answer keeps no gateway from starting that has started with it before.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use portcullis_base::{Clock as _, Secret, Slug};
use portcullis_store::Store;
use thiserror::Error;

use super::fetch::Fetcher;
use super::fetches::Fetches;
use super::history::{HistoryError, read_served};
use crate::ambient::{SystemClock, SystemRng};
use crate::config::{
    Configuration, ConfigurationError, Overrides, RemoteContent, RemoteContents, RemoteDocument,
    Settings, UpstreamSettings,
};
use crate::storage::{self, StorageError};

/// Why a configuration is not read.
#[derive(Debug, Error)]
pub enum LoadError {
    /// Something about it is wrong.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// The store cannot be opened.
    #[error("what the documents from URLs hold is in the store, which cannot be opened: {0}")]
    Storage(#[from] StorageError),
    /// The store cannot be read.
    #[error("what the documents from URLs hold is in the store, which cannot be read: {0}")]
    Store(#[from] HistoryError),
}

/// A configuration that is to be read.
#[derive(Clone, Debug)]
pub struct Loader<'a> {
    /// The file.
    pub path: &'a Path,
    /// What the command line says instead of it.
    pub overrides: Overrides,
    /// The environment variables of the process.
    pub process: HashMap<String, Secret>,
}

impl Loader<'_> {
    /// Reads it as [`Configuration::load`] does, with its documents from URLs as the store has them.
    ///
    /// # Errors
    ///
    /// When anything about it is wrong, a document that the store does not know cannot be fetched, or the store cannot be used.
    pub async fn load(&self) -> Result<Configuration, LoadError> {
        let (settings, documents) = self.remote_documents()?;
        let store = if documents.is_empty() || !storage::may_exist(&settings.storage) {
            None
        } else {
            let opened = storage::open(&settings.storage, SystemClock.now(), Arc::new(SystemRng));
            Some(opened.await?)
        };
        let remote = of_store(&documents, store, &settings.upstream).await?;
        Ok(self.read(remote)?)
    }

    /// As [`Loader::load`], for those who only look: the store stays as it is.
    ///
    /// # Errors
    ///
    /// As [`Loader::load`], and when an earlier version made the store.
    pub async fn look(&self) -> Result<Configuration, LoadError> {
        let remote = self.contents().await?;
        Ok(self.read(remote)?)
    }

    /// Reads it with its documents as their URLs have them now, and looks at no store.
    ///
    /// # Errors
    ///
    /// When anything about it is wrong, or a document cannot be fetched.
    pub async fn load_fresh(&self) -> Result<Configuration, ConfigurationError> {
        let (settings, documents) = self.remote_documents()?;
        let fetches = fetches(&settings.upstream);
        let mut remote = RemoteContents::default();
        for document in &documents {
            add(&mut remote, document, fetches.of(document).await);
        }
        self.read(remote)
    }

    /// Returns what its documents from URLs hold: what the store serves, which stays as it is, else what is fetched.
    ///
    /// # Errors
    ///
    /// When anything about the settings or the documents' URLs is wrong, the store cannot be used, or an earlier version made it.
    pub async fn contents(&self) -> Result<RemoteContents, LoadError> {
        let (settings, documents) = self.remote_documents()?;
        let store = if documents.is_empty() {
            None
        } else {
            storage::look(&settings.storage, Arc::new(SystemRng)).await?
        };
        of_store(&documents, store, &settings.upstream).await
    }

    /// Lists what would keep the configuration from being used if a document, which is named by its slug and what stands for its URL, held this, and does not keep it anyhow.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn spoiled_by(
        &self,
        store: &Store,
        document: (&Slug, &str),
        content: Arc<[u8]>,
    ) -> Result<Vec<String>, LoadError> {
        // What is wrong with the settings is so whatever the document holds.
        let Ok((settings, documents)) = self.remote_documents() else {
            return Ok(Vec::new());
        };
        let fetches = fetches(&settings.upstream);
        let before = of_documents(&documents, Some(store), &fetches).await?;
        let mut after = before.clone();
        after.add(document.0.clone(), document.1, Ok(content.into()));
        let mut problems = self.problems(after);
        if !problems.is_empty() {
            let present = self.problems(before);
            problems.retain(|problem| !present.contains(problem));
        }
        Ok(problems)
    }

    fn problems(&self, remote: RemoteContents) -> Vec<String> {
        let Err(error) = self.read(remote) else {
            return Vec::new();
        };
        error.problems().iter().map(ToString::to_string).collect()
    }

    fn read(&self, remote: RemoteContents) -> Result<Configuration, ConfigurationError> {
        let (overrides, process) = (self.overrides.clone(), self.process.clone());
        Configuration::load_remote(self.path, overrides, process, remote)
    }

    fn remote_documents(&self) -> Result<(Settings, Vec<RemoteDocument>), ConfigurationError> {
        let (overrides, process) = (self.overrides.clone(), self.process.clone());
        Configuration::remote_documents(self.path, overrides, process)
    }
}

/// As [`Loader::contents`], of a configuration that is served, whose file may say something else by now.
pub(crate) async fn contents_again(
    configuration: &Configuration,
    store: &Store,
    fetches: &Fetches,
) -> Result<RemoteContents, LoadError> {
    let documents = configuration.remote_documents_again()?;
    Ok(of_documents(&documents, Some(store), fetches).await?)
}

fn fetches(settings: &UpstreamSettings) -> Fetches {
    Fetches::new(Fetcher::new(settings), Arc::new(SystemClock))
}

/// Reads what the documents hold, and closes the store.
async fn of_store(
    documents: &[RemoteDocument],
    store: Option<Store>,
    settings: &UpstreamSettings,
) -> Result<RemoteContents, LoadError> {
    let contents = of_documents(documents, store.as_ref(), &fetches(settings)).await;
    if let Some(store) = store {
        store.close().await;
    }
    Ok(contents?)
}

async fn of_documents(
    documents: &[RemoteDocument],
    store: Option<&Store>,
    fetches: &Fetches,
) -> Result<RemoteContents, HistoryError> {
    let (mut remote, mut unknown) = (RemoteContents::default(), Vec::new());
    for document in documents {
        let stored = match store {
            Some(store) => stored(document, store).await?,
            None => None,
        };
        let content = if let Some(bytes) = stored {
            Ok(bytes.into())
        } else {
            unknown.push(document);
            fetches.of(document).await
        };
        add(&mut remote, document, content);
    }
    fetches.keep_only(&unknown);
    Ok(remote)
}

fn add(
    remote: &mut RemoteContents,
    document: &RemoteDocument,
    content: Result<RemoteContent, String>,
) {
    remote.add(document.slug.clone(), &document.source(), content);
}

/// Reads what the store serves of a document, where that came from the same URL.
async fn stored(
    document: &RemoteDocument,
    store: &Store,
) -> Result<Option<Arc<[u8]>>, HistoryError> {
    let source = document.source();
    let served = read_served(store, &document.slug).await?;
    let served = served.filter(|it| it.document.remote_source() == Some(&source));
    Ok(served.map(|it| it.content.bytes))
}
