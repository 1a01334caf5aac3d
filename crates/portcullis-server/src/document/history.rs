//! The revisions of one document, and what separates two of them.
//!
//! Tools are compared under the names that they have or would get now, so that an operation is the same tool in both.

use std::sync::Arc;

use portcullis_base::{Digest, Slug, Timestamp};
use portcullis_openapi::{
    DocumentView, ReadError, RememberedNames, Tool, ToolDifference, UnreadableNames, difference,
};
use portcullis_store::{
    Actor, Changes, Document, DocumentContent, DocumentPut, DocumentRevision, Object, Revision,
    Store, StoreError,
};
use thiserror::Error;
use tokio::task::{JoinError, spawn_blocking};

use crate::compiled::CompiledDocument;

/// How often a document is read again when others change it meanwhile.
const ATTEMPTS: usize = 5;

/// Why nothing can be said of a document's revisions.
#[derive(Debug, Error)]
pub enum HistoryError {
    /// The store has no such document.
    #[error("the store has no document `{0}`; `portcullis apply` or `serve` writes it")]
    Unknown(Slug),
    /// Others changed the document again and again while it was read.
    #[error("document `{0}` changes while it is read; try again")]
    Unsteady(Slug),
    /// No revision bears the number.
    #[error(
        "document `{document}` has no revision {number}; `portcullis document revisions {document}` lists them"
    )]
    NoRevision {
        /// The document.
        document: Slug,
        /// The number.
        number: u32,
    },
    /// There is nothing to compare with.
    #[error("document `{0}` has one revision; there is nothing to compare it with")]
    OnlyOne(Slug),
    /// Nothing waits to be taken up.
    #[error("no revision of document `{0}` waits to be taken up")]
    NothingWaits(Slug),
    /// A revision cannot be read by this version of Portcullis.
    #[error("revision {number} of document `{document}` cannot be used: {reason}")]
    Unusable {
        /// The document.
        document: Slug,
        /// The number.
        number: u32,
        /// What is wrong with it.
        reason: ReadError,
    },
    /// The names of its tools cannot be read.
    #[error("document `{document}`: {reason}")]
    Names {
        /// The document.
        document: Slug,
        /// What is wrong with them.
        reason: UnreadableNames,
    },
    /// The compilation broke off.
    #[error("a document could not be compiled: {0}")]
    BrokenOff(#[from] JoinError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A document with everything that it was.
#[derive(Debug)]
pub struct History {
    /// The state of the store that it was read from.
    pub base: Revision,
    /// The document.
    pub document: Document,
    /// Its revisions, the newest first.
    pub revisions: Vec<DocumentRevision>,
    /// What its tools are called.
    pub(super) names: RememberedNames,
}

/// What the store serves of a document.
pub(super) struct Served {
    /// The state of the store that it was read from.
    base: Revision,
    pub(super) document: Document,
    pub(super) content: DocumentContent,
}

/// Reads what the store serves of a document; nothing where it has no such document.
pub(super) async fn read_served(
    store: &Store,
    slug: &Slug,
) -> Result<Option<Served>, HistoryError> {
    for _ in 0..ATTEMPTS {
        let snapshot = store.snapshot().await?;
        let mut documents = snapshot.documents.into_iter();
        let Some(document) = documents.find(|it| it.slug == *slug) else {
            return Ok(None);
        };
        let content = store.document_content(document.id, document.digest);
        // It may have been replaced since.
        if let Some(content) = content.await? {
            return Ok(Some(Served {
                base: snapshot.revision,
                document,
                content,
            }));
        }
    }
    Err(HistoryError::Unsteady(slug.clone()))
}

/// A revision with its tools.
pub(super) struct Compiled {
    pub(super) bytes: Arc<[u8]>,
    pub(super) document: CompiledDocument,
    tools: Vec<Arc<Tool>>,
}

impl History {
    /// Reads what the store keeps of a document.
    ///
    /// # Errors
    ///
    /// When the store has no such document, or cannot be read.
    pub async fn read(store: &Store, slug: &Slug) -> Result<Self, HistoryError> {
        let served = read_served(store, slug).await?;
        let served = served.ok_or_else(|| HistoryError::Unknown(slug.clone()))?;
        let mut history = Self {
            base: served.base,
            revisions: store.document_revisions(slug).await?,
            names: RememberedNames::default(),
            document: served.document,
        };
        history.names = history.remembered(served.content).await?;
        Ok(history)
    }

    async fn remembered(&self, content: DocumentContent) -> Result<RememberedNames, HistoryError> {
        if self.document.names.is_some() {
            return RememberedNames::parse(&content.names).map_err(|reason| HistoryError::Names {
                document: self.document.slug.clone(),
                reason,
            });
        }
        let (digest, source) = (self.document.digest, self.source());
        let compile = move || CompiledDocument::compile(digest, &content.bytes, source.as_deref());
        let compiled = spawn_blocking(compile).await?;
        Ok(compiled.map_or_else(
            |_| RememberedNames::default(),
            |document| RememberedNames::default().next(&document.tools),
        ))
    }

    /// Returns the revision with a number.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn revision(&self, number: u32) -> Result<&DocumentRevision, HistoryError> {
        let found = self.revisions.iter().find(|it| it.number == number);
        found.ok_or_else(|| HistoryError::NoRevision {
            document: self.document.slug.clone(),
            number,
        })
    }

    /// Returns the revision that is served, unless a program wrote it that keeps none.
    #[must_use]
    pub fn served(&self) -> Option<&DocumentRevision> {
        self.of(self.document.digest)
    }

    /// Returns the revision that waits to be taken up.
    #[must_use]
    pub fn waiting(&self) -> Option<&DocumentRevision> {
        self.of(self.document.waiting?)
    }

    fn source(&self) -> Option<String> {
        self.document.remote_source().map(str::to_owned)
    }

    fn of(&self, digest: Digest) -> Option<&DocumentRevision> {
        self.revisions.iter().find(|it| it.digest == digest)
    }

    /// Chooses what is compared: two revisions, one with what is served, what is served with what waits, or with what was before.
    ///
    /// # Errors
    ///
    /// When there is no such revision, or only one.
    pub fn chosen(
        &self,
        from: Option<u32>,
        to: Option<u32>,
    ) -> Result<(&DocumentRevision, &DocumentRevision), HistoryError> {
        let only_one = || HistoryError::OnlyOne(self.document.slug.clone());
        let served = self.served().ok_or_else(only_one)?;
        match (from, to, self.waiting()) {
            (Some(from), Some(to), _) => Ok((self.revision(from)?, self.revision(to)?)),
            (Some(from), None, _) => Ok((self.revision(from)?, served)),
            (None, _, Some(waiting)) => Ok((served, waiting)),
            (None, _, None) => {
                let mut earlier = self.revisions.iter();
                let before = earlier.find(|it| it.number < served.number);
                Ok((before.ok_or_else(only_one)?, served))
            }
        }
    }

    /// Returns the document as it is written to serve a content; `waiting` waits then.
    pub(super) fn serving(
        &self,
        compiled: &CompiledDocument,
        bytes: Arc<[u8]>,
        waiting: Option<Digest>,
        now: Timestamp,
    ) -> DocumentPut {
        let names: Arc<str> = self.names.next(&compiled.tools).to_text().into();
        DocumentPut {
            document: Document {
                digest: compiled.digest,
                names: Some(Digest::of(names.as_bytes())),
                waiting,
                updated_at: now,
                ..self.document.clone()
            },
            content: Some(DocumentContent { bytes, names }),
            waiting: None,
        }
    }

    /// Returns the change that writes the document, unless others change objects meanwhile.
    pub(super) fn change(&self, put: DocumentPut, actor: Actor) -> Changes {
        Changes {
            base: self.base,
            actor,
            put: vec![Object::Document(Box::new(put))],
            remove: Vec::new(),
        }
    }

    /// Compares the tools of two revisions.
    ///
    /// # Errors
    ///
    /// When one of them cannot be read.
    pub async fn difference(
        &self,
        store: &Store,
        from: &DocumentRevision,
        to: &DocumentRevision,
    ) -> Result<ToolDifference, HistoryError> {
        let from = self.compile(store, from).await?;
        let to = self.compile(store, to).await?;
        Ok(from.difference(&to))
    }

    /// Compiles what is served; nothing where this version of the program cannot.
    pub(super) async fn compile_served(
        &self,
        store: &Store,
    ) -> Result<Option<Compiled>, HistoryError> {
        let Some(served) = self.served() else {
            return Ok(None);
        };
        match self.compile(store, served).await {
            Ok(compiled) => Ok(Some(compiled)),
            Err(HistoryError::Unusable { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads and compiles a revision.
    pub(super) async fn compile(
        &self,
        store: &Store,
        revision: &DocumentRevision,
    ) -> Result<Compiled, HistoryError> {
        let slug = &self.document.slug;
        let (number, digest) = (revision.number, revision.digest);
        let bytes = store.revision_content(slug, digest).await?;
        let bytes = bytes.ok_or_else(|| HistoryError::NoRevision {
            document: slug.clone(),
            number,
        })?;
        let content = Arc::clone(&bytes);
        let source = self.source();
        let compile = move || CompiledDocument::compile(digest, &content, source.as_deref());
        let document = spawn_blocking(compile).await?;
        let document = document.map_err(|reason| HistoryError::Unusable {
            document: slug.clone(),
            number,
            reason,
        })?;
        Ok(Compiled {
            tools: self.names.apply(&document.tools),
            bytes,
            document,
        })
    }
}

impl Compiled {
    pub(super) fn view(&self) -> DocumentView<'_> {
        self.document.view(&self.tools)
    }

    pub(super) fn difference(&self, after: &Self) -> ToolDifference {
        difference(self.view(), after.view())
    }
}
