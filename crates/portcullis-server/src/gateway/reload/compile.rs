//! Compiles the stored documents that neither the catalogue nor the configuration has compiled, one after the other.

use portcullis_base::Digest;
use portcullis_openapi::RememberedNames;
use portcullis_store::{Document, DocumentContent, Snapshot};
use tokio::task::spawn_blocking;

use super::{PublishError, Reloader};
use crate::catalogue::Catalogue;
use crate::compiled::{CompiledDocument, KnownDocuments};
use crate::config::Configuration;

/// How often the store is read again when a document was changed in between.
const ATTEMPTS: usize = 5;

impl Reloader {
    /// Reads the store, and compiles what of it is new.
    pub(super) async fn compiled(
        &self,
        configuration: &Configuration,
        before: &Catalogue,
    ) -> Result<(Snapshot, KnownDocuments), PublishError> {
        let mut known = configuration.objects.compiled();
        for _ in 0..ATTEMPTS {
            let snapshot = self.snapshot().await?;
            if self.compile(&snapshot, before, &mut known).await? {
                return Ok((snapshot, known));
            }
        }
        Err(PublishError::Unsteady)
    }

    /// Compiles what is new in a snapshot; says whether all of it was still there.
    async fn compile(
        &self,
        snapshot: &Snapshot,
        before: &Catalogue,
        known: &mut KnownDocuments,
    ) -> Result<bool, PublishError> {
        for document in &snapshot.documents {
            if before.unchanged(document).is_some() || is_known(document, known) {
                continue;
            }
            let store = &self.0.around.store;
            let Some(content) = store.document_content(document.id, document.digest).await? else {
                return Ok(false);
            };
            take(document, content, known).await?;
            if !is_known(document, known) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn is_known(document: &Document, known: &KnownDocuments) -> bool {
    let has_names = document
        .names
        .is_none_or(|digest| known.names(digest).is_some());
    known
        .known(document.digest, document.remote_source())
        .is_some()
        && has_names
}

async fn take(
    document: &Document,
    content: DocumentContent,
    known: &mut KnownDocuments,
) -> Result<(), PublishError> {
    let DocumentContent { bytes, names } = content;
    if document.names.is_some() {
        let read = RememberedNames::parse(&names);
        let read = read.map_err(|reason| PublishError::Names {
            document: document.slug.clone(),
            reason,
        })?;
        // The digest is that of what was read, whatever was written meanwhile.
        known.add_names(Digest::of(names.as_bytes()), read);
    }
    let digest = document.digest;
    if known.known(digest, document.remote_source()).is_none() {
        let url = document.remote_source().map(str::to_owned);
        let compile = move || CompiledDocument::compile(digest, &bytes, url.as_deref());
        let compiled = spawn_blocking(compile).await?;
        let compiled = compiled.map_err(|reason| PublishError::Document {
            document: document.slug.clone(),
            source_name: document.source.clone(),
            reason,
        })?;
        known.add(compiled.into());
    }
    Ok(())
}
