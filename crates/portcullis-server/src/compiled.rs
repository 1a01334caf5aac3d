//! Documents with their tools compiled, each once for everybody who asks about the same bytes.
//!
//! Knows nothing of slugs and of where a document is published.

use std::collections::HashMap;
use std::sync::Arc;

use portcullis_base::Digest;
use portcullis_openapi::{Diagnostic, Document, Limits, ReadError, SecurityScheme, Tool};

/// A document whose operations are compiled.
#[derive(Debug)]
pub struct CompiledDocument {
    /// The digest of the bytes that it was compiled from.
    pub digest: Digest,
    /// What people call the API.
    pub title: String,
    /// The operations.
    pub tools: Vec<Arc<Tool>>,
    /// The security schemes.
    pub schemes: Vec<SecurityScheme>,
    /// Remarks about the document, then those about its operations.
    pub diagnostics: Vec<Diagnostic>,
}

impl CompiledDocument {
    fn compile(digest: Digest, content: &[u8]) -> Result<Self, ReadError> {
        let document = Document::parse(content, &Limits::default())?;
        let (tools, of_operations) = document.tools();
        let mut diagnostics = document.diagnostics;
        diagnostics.extend(of_operations);
        Ok(Self {
            digest,
            title: document.title,
            tools: tools.into_iter().map(Arc::new).collect(),
            schemes: document.schemes,
            diagnostics,
        })
    }
}

/// The same bytes become the same tools.
impl PartialEq for CompiledDocument {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for CompiledDocument {}

/// Documents that have been compiled before.
#[derive(Clone, Debug, Default)]
pub struct KnownDocuments(HashMap<Digest, Arc<CompiledDocument>>);

impl KnownDocuments {
    /// Returns what becomes of a document's bytes; compiles them where they are new.
    ///
    /// # Errors
    ///
    /// When the bytes are no document that can be read.
    pub fn document(
        &self,
        digest: Digest,
        content: &[u8],
    ) -> Result<Arc<CompiledDocument>, ReadError> {
        match self.0.get(&digest) {
            Some(known) => Ok(Arc::clone(known)),
            None => CompiledDocument::compile(digest, content).map(Arc::new),
        }
    }
}

impl FromIterator<Arc<CompiledDocument>> for KnownDocuments {
    fn from_iter<I: IntoIterator<Item = Arc<CompiledDocument>>>(documents: I) -> Self {
        let documents = documents.into_iter();
        Self(documents.map(|known| (known.digest, known)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTENT: &[u8] = br#"{"openapi":"3.1.0","info":{"title":"Pets","version":"1"},"paths":{"/pets":{"get":{"operationId":"listPets"}}}}"#;

    #[test]
    fn what_is_known_is_not_compiled_again() {
        let digest = Digest::of(CONTENT);
        let nothing = KnownDocuments::default();
        let first = nothing.document(digest, CONTENT).expect("a document");
        assert_eq!(first.tools.len(), 1);
        let known: KnownDocuments = [Arc::clone(&first)].into_iter().collect();
        // Bytes that are no document show that they are not looked at.
        let again = known.document(digest, b"").expect("known");
        assert!(Arc::ptr_eq(&first, &again));
        let other = known.document(Digest::of(b""), b"");
        assert!(other.is_err());
    }
}
