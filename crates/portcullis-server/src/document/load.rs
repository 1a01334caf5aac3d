//! Reads configurations whose documents may come from URLs: what the store serves of them counts, and only what it does not know is fetched.
//!
//! So a URL that does not answer keeps no gateway from starting that has started with it before.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use portcullis_base::{Clock as _, Secret};
use portcullis_store::{Store, StoreError, Validators};

use super::fetch::{Fetched, Fetcher};
use crate::ambient::{SystemClock, SystemRng};
use crate::config::{
    Configuration, ConfigurationError, Overrides, RemoteContents, RemoteDocument, Settings,
};
use crate::storage;

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
    /// When anything about it is wrong, or a document that the store does not know cannot be fetched.
    pub async fn load(self) -> Result<Configuration, ConfigurationError> {
        let remote = self.contents().await?;
        Configuration::load_remote(self.path, self.overrides, self.process, remote)
    }

    /// Reads it with its documents as their URLs have them now, and looks at no store.
    ///
    /// # Errors
    ///
    /// When anything about it is wrong, or a document cannot be fetched.
    pub async fn load_fresh(self) -> Result<Configuration, ConfigurationError> {
        let (settings, documents) = self.remote_documents()?;
        let fetcher = Fetcher::new(&settings.upstream);
        let remote = of_documents(&documents, None, &fetcher).await;
        Configuration::load_remote(self.path, self.overrides, self.process, remote)
    }

    /// Returns what its documents from URLs hold: what the store serves, else what is fetched.
    ///
    /// # Errors
    ///
    /// When anything about the settings or the documents' URLs is wrong.
    pub async fn contents(&self) -> Result<RemoteContents, ConfigurationError> {
        let (settings, documents) = self.remote_documents()?;
        if documents.is_empty() {
            return Ok(RemoteContents::default());
        }
        let fetcher = Fetcher::new(&settings.upstream);
        // A store that does not open is told of by whoever needs it.
        let store = if storage::may_exist(&settings.storage) {
            let opened = storage::open(&settings.storage, SystemClock.now(), Arc::new(SystemRng));
            opened.await.ok()
        } else {
            None
        };
        let contents = of_documents(&documents, store.as_ref(), &fetcher).await;
        if let Some(store) = store {
            store.close().await;
        }
        Ok(contents)
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
    fetcher: &Fetcher,
) -> Result<RemoteContents, ConfigurationError> {
    let documents = configuration.remote_documents_again()?;
    Ok(of_documents(&documents, Some(store), fetcher).await)
}

async fn of_documents(
    documents: &[RemoteDocument],
    store: Option<&Store>,
    fetcher: &Fetcher,
) -> RemoteContents {
    let mut remote = RemoteContents::default();
    for document in documents {
        let stored = match store {
            Some(store) => stored(document, store).await.unwrap_or_default(),
            None => None,
        };
        match stored {
            Some(content) => {
                let url = document.url.as_url().as_str();
                remote.add(document.slug.clone(), url, Ok(content));
            }
            None => add_fetched(&mut remote, document, fetcher).await,
        }
    }
    remote
}

/// Reads what the store serves of a document, where that came from the same URL.
async fn stored(document: &RemoteDocument, store: &Store) -> Result<Option<Arc<[u8]>>, StoreError> {
    let snapshot = store.snapshot().await?;
    let url = Some(document.url.as_url().as_str());
    let mut documents = snapshot.documents.into_iter();
    let Some(found) = documents.find(|it| it.slug == document.slug && it.url() == url) else {
        return Ok(None);
    };
    let content = store.document_content(found.id, found.digest).await?;
    Ok(content.map(|content| content.bytes))
}

async fn add_fetched(remote: &mut RemoteContents, document: &RemoteDocument, fetcher: &Fetcher) {
    let found = fetcher.fetch(&document.url, &Validators::default()).await;
    let content = match found {
        Ok(Fetched::Content(content)) => Ok(content.bytes.into()),
        Ok(Fetched::Same) => Err("it says that it has what nobody has seen".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    let url = document.url.as_url().as_str();
    remote.add(document.slug.clone(), url, content);
}
