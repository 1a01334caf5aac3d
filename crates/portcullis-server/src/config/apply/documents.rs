//! What becomes of the contents of documents, and what their tools are called then.
//!
//! A file is code: a content that is new in it is taken up.
//! A content that the operator has set aside, by restoring an earlier one, is not: it waits until the file says something else, or the operator takes it up.

use std::collections::BTreeMap;
use std::sync::Arc;

use portcullis_base::{Digest, Slug};
use portcullis_openapi::{RememberedNames, ToolDifference, difference};
use portcullis_store::{Document, DocumentContent, Owner, Snapshot, Store};
use tokio::task::spawn_blocking;

use super::ApplyError;
use crate::compiled::CompiledDocument;
use crate::config::difference::Difference;
use crate::config::{DocumentObject, Objects};

/// The contents that are written, by slug.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// What the tools are called then.
    names: BTreeMap<Slug, Arc<str>>,
    /// What becomes of the tools.
    pub(super) tools: BTreeMap<Slug, ToolDifference>,
    /// The documents whose names were not kept so far and change in nothing else.
    named: Vec<Slug>,
    /// The documents of which nothing waits any more.
    settled: Vec<Slug>,
}

impl Contents {
    /// Thinks out which contents are written; compiles those that they replace.
    pub(super) async fn read(
        store: &Store,
        stored: &Snapshot,
        desired: &Objects,
    ) -> Result<Self, ApplyError> {
        let mut contents = Self::default();
        for (slug, object) in &desired.documents {
            let mut owned = stored.documents.iter().filter(|it| it.owner == Owner::File);
            let before = owned.find(|it| it.slug == *slug);
            contents.add(store, slug, object, before).await?;
        }
        Ok(contents)
    }

    async fn add(
        &mut self,
        store: &Store,
        slug: &Slug,
        object: &DocumentObject,
        before: Option<&Document>,
    ) -> Result<(), ApplyError> {
        let digest = object.compiled.digest;
        let names = match before {
            Some(before) if object.leaves_content_of(before) => return Ok(()),
            Some(before) if before.digest == digest => {
                if before.waiting.is_some() {
                    self.settled.push(slug.clone());
                }
                if before.names.is_some() {
                    return Ok(());
                }
                self.named.push(slug.clone());
                RememberedNames::default().next(&object.compiled.tools)
            }
            Some(before) => self.replace(store, before, object).await?,
            None => RememberedNames::default().next(&object.compiled.tools),
        };
        self.names.insert(slug.clone(), names.to_text().into());
        Ok(())
    }

    /// Compares what a document was with what it becomes, and returns what the tools are called then.
    async fn replace(
        &mut self,
        store: &Store,
        before: &Document,
        object: &DocumentObject,
    ) -> Result<RememberedNames, ApplyError> {
        let Some(content) = store.document_content(before.id, before.digest).await? else {
            // Somebody else has changed it, so that the whole change is stale.
            return Ok(RememberedNames::default());
        };
        let remembered = RememberedNames::parse(&content.names);
        let mut remembered = remembered.map_err(|reason| ApplyError::Names {
            document: before.slug.clone(),
            reason,
        })?;
        let (digest, url) = (before.digest, before.remote_source().map(str::to_owned));
        let compile = move || CompiledDocument::compile(digest, &content.bytes, url.as_deref());
        // What an earlier version could read and this one cannot has no tools to compare.
        if let Ok(old) = spawn_blocking(compile).await? {
            if before.names.is_none() {
                remembered = RememberedNames::default().next(&old.tools);
            }
            let new = &object.compiled;
            let (was, is) = (remembered.apply(&old.tools), remembered.apply(&new.tools));
            let found = difference(old.view(&was), new.view(&is));
            self.tools.insert(before.slug.clone(), found);
        }
        Ok(remembered.next(&object.compiled.tools))
    }

    /// Returns what is written of a document's content, where anything is.
    pub(super) fn written(&self, slug: &Slug, object: &DocumentObject) -> Option<DocumentContent> {
        let names = self.names.get(slug)?;
        Some(DocumentContent {
            bytes: object.content.clone(),
            names: Arc::clone(names),
        })
    }

    /// Adds to the difference what the contents alone tell.
    pub(super) fn tell(&self, difference: &mut Difference) {
        for (slug, tools) in &self.tools {
            difference.add_to_document(slug, tools.summary());
        }
        for slug in &self.named {
            let detail = "the names of its tools are remembered from now on";
            difference.add_to_document(slug, detail.to_owned());
        }
        for slug in &self.settled {
            let detail = "what was set aside waits no more";
            difference.add_to_document(slug, detail.to_owned());
        }
    }
}

/// Returns what waits once a document is what the configuration says.
pub(super) fn waiting(before: &Document, object: &DocumentObject) -> Option<Digest> {
    before.waiting.filter(|_| object.leaves_content_of(before))
}

impl DocumentObject {
    /// Tells whether what is served stays, whatever the object holds: where the operator has set the file's content aside, and where the document comes from a URL, at which others look.
    pub(in crate::config) fn leaves_content_of(&self, before: &Document) -> bool {
        let is_set_aside = before.waiting == Some(self.compiled.digest);
        let has_same_url = self.remote.is_some() && before.remote_source() == Some(&self.source);
        is_set_aside || has_same_url
    }
}
