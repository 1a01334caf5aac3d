//! Documents with their tools compiled, each once for everybody who asks about the same bytes.
//!
//! Knows nothing of slugs and of where a document is published.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use portcullis_base::{Digest, Origin, SafeUrl};
use portcullis_openapi::{
    Diagnostic, Document, DocumentView, Limits, ReadError, RememberedNames, SecurityScheme,
    ServerTemplate, ServerVariable, Tool,
};

/// A document whose operations are compiled.
#[derive(Debug)]
pub struct CompiledDocument {
    /// The digest of the bytes that it was compiled from.
    pub digest: Digest,
    /// The URL that it came from, where it came from one.
    pub url: Option<String>,
    /// What people call the API.
    pub title: String,
    /// The operations, named without memory of what they were called.
    pub tools: Vec<Arc<Tool>>,
    /// The security schemes.
    pub schemes: Vec<SecurityScheme>,
    /// The variables of the operations' servers, each once.
    pub server_variables: Vec<ServerVariable>,
    /// The origins of the document's own servers, where its credentials may go.
    pub origins: BTreeSet<String>,
    /// The operations whose server has another origin than the document's own servers, by the tool's name.
    pub strays: HashMap<String, Origin>,
    /// Remarks about the document, then those about its operations.
    pub diagnostics: Vec<Diagnostic>,
}

impl CompiledDocument {
    /// Returns what anybody sees of it, where its tools are those.
    #[must_use]
    pub fn view<'a>(&'a self, tools: &'a [Arc<Tool>]) -> DocumentView<'a> {
        DocumentView {
            title: &self.title,
            tools,
            schemes: &self.schemes,
            origins: &self.origins,
        }
    }

    /// Compiles a document's bytes, which came from `url` where they came from one.
    ///
    /// # Errors
    ///
    /// When the bytes are no document that can be read.
    pub fn compile(digest: Digest, content: &[u8], url: Option<&str>) -> Result<Self, ReadError> {
        let document = Document::parse(content, &Limits::default())?;
        let document = match url.and_then(|url| SafeUrl::parse(url).ok()) {
            Some(url) => document.at(url.as_url().clone()),
            None => document,
        };
        let (tools, of_operations) = document.tools();
        let mut diagnostics = document.diagnostics;
        diagnostics.extend(of_operations);
        let origins = origins(&document.servers, &tools);
        Ok(Self {
            digest,
            url: url.map(str::to_owned),
            strays: strays(&origins, &tools),
            origins: origins.iter().map(|it| it.as_str().to_owned()).collect(),
            server_variables: server_variables(&tools),
            title: document.title,
            tools: tools.into_iter().map(Arc::new).collect(),
            schemes: document.schemes,
            diagnostics,
        })
    }
}

/// Lists the variables of all servers by their names; the first of a name counts.
fn server_variables(tools: &[Tool]) -> Vec<ServerVariable> {
    let mut found: Vec<ServerVariable> = Vec::new();
    let of_tools = tools
        .iter()
        .filter_map(|tool| tool.request.server_variables.as_ref());
    for variable in of_tools.flat_map(|server| &server.variables) {
        if !found.iter().any(|known| known.name == variable.name) {
            found.push(variable.clone());
        }
    }
    found
}

/// Finds the origins of the document's own servers; without any, the document calls where all its operations do.
fn origins(servers: &[String], tools: &[Tool]) -> BTreeSet<Origin> {
    let own: BTreeSet<_> = servers.iter().filter_map(|url| origin(url)).collect();
    if !own.is_empty() {
        return own;
    }
    let of_all: BTreeSet<_> = called(tools).map(|(_, origin)| origin).collect();
    if of_all.len() == 1 { of_all } else { own }
}

/// Finds the operations that call another origin than the document does.
fn strays(own: &BTreeSet<Origin>, tools: &[Tool]) -> HashMap<String, Origin> {
    called(tools)
        .filter(|(_, origin)| !own.contains(origin))
        .map(|(name, origin)| (name.to_owned(), origin))
        .collect()
}

/// Lists where operations call, by the tool's name.
fn called(tools: &[Tool]) -> impl Iterator<Item = (&str, Origin)> {
    tools.iter().filter_map(|tool| match &tool.request.server {
        ServerTemplate::Url(url) => Some((tool.name.as_str(), origin(url)?)),
        ServerTemplate::Unknown(_) => None,
    })
}

fn origin(url: &str) -> Option<Origin> {
    Some(SafeUrl::parse(url).ok()?.origin())
}

/// The same bytes from the same place become the same tools.
impl PartialEq for CompiledDocument {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest && self.url == other.url
    }
}

impl Eq for CompiledDocument {}

/// A content, and the URL that it came from.
type Key = (Digest, Option<String>);

/// Documents that have been compiled before, and names of tools that have been read.
#[derive(Clone, Debug, Default)]
pub struct KnownDocuments {
    documents: HashMap<Key, Arc<CompiledDocument>>,
    names: HashMap<Digest, Arc<RememberedNames>>,
}

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
        self.document_from(None, digest, content)
    }

    /// As [`KnownDocuments::document`], of a document that came from `url`.
    ///
    /// # Errors
    ///
    /// As [`KnownDocuments::document`].
    pub fn document_from(
        &self,
        url: Option<&str>,
        digest: Digest,
        content: &[u8],
    ) -> Result<Arc<CompiledDocument>, ReadError> {
        match self.known(digest, url) {
            Some(known) => Ok(Arc::clone(known)),
            None => CompiledDocument::compile(digest, content, url).map(Arc::new),
        }
    }
}

impl KnownDocuments {
    /// Returns what became of the bytes with this digest from this place, where it is known.
    #[must_use]
    pub fn known(&self, digest: Digest, url: Option<&str>) -> Option<&Arc<CompiledDocument>> {
        self.documents.get(&(digest, url.map(str::to_owned)))
    }

    /// Adds a document that was compiled.
    pub fn add(&mut self, document: Arc<CompiledDocument>) {
        self.documents.insert(key(&document), document);
    }

    /// Returns the names with this digest, where they are known.
    #[must_use]
    pub fn names(&self, digest: Digest) -> Option<&Arc<RememberedNames>> {
        self.names.get(&digest)
    }

    /// Adds the names whose text has this digest.
    pub fn add_names(&mut self, digest: Digest, names: RememberedNames) {
        self.names.insert(digest, Arc::new(names));
    }
}

impl FromIterator<Arc<CompiledDocument>> for KnownDocuments {
    fn from_iter<I: IntoIterator<Item = Arc<CompiledDocument>>>(documents: I) -> Self {
        let documents = documents.into_iter();
        Self {
            documents: documents.map(|known| (key(&known), known)).collect(),
            names: HashMap::new(),
        }
    }
}

fn key(document: &CompiledDocument) -> Key {
    (document.digest, document.url.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTENT: &[u8] = br#"{"openapi":"3.1.0","info":{"title":"Pets","version":"1"},"paths":{"/pets":{"get":{"operationId":"listPets"}}}}"#;

    fn strays_of(servers: &str, operations: [&str; 2]) -> Vec<(String, String)> {
        let [one, other] = operations.map(|url| format!(r#"[{{"url":"{url}"}}]"#));
        let content = format!(
            r#"{{"openapi":"3.1.0","servers":{servers},"paths":{{"/a":{{
                "get":{{"operationId":"one","servers":{one}}},
                "post":{{"operationId":"other","servers":{other}}}}}}}}}"#
        );
        let compiled = CompiledDocument::compile(Digest::of(b""), content.as_bytes(), None)
            .expect("a document");
        let mut strays: Vec<_> = compiled.strays.into_iter().collect();
        strays.sort();
        let text = |(name, origin): (String, Origin)| (name, origin.as_str().to_owned());
        strays.into_iter().map(text).collect()
    }

    #[test]
    fn o_08_operations_that_call_another_origin_are_known() {
        let own = r#"[{"url":"https://api.example/v1"},{"url":"https://eu.api.example"}]"#;
        let calls = ["https://api.example/v2", "https://eu.api.example/v2"];
        assert_eq!(strays_of(own, calls), []);
        let calls = ["https://api.example", "https://uploads.example/x"];
        let stray = |name: &str, origin: &str| (name.to_owned(), origin.to_owned());
        let expected = stray("other", "https://uploads.example");
        assert_eq!(strays_of(own, calls), [expected]);
        let calls = ["http://api.example", "https://api.example:8443"];
        assert_eq!(strays_of(own, calls).len(), 2);
    }

    #[test]
    fn o_08_without_servers_of_its_own_a_document_calls_where_all_its_operations_do() {
        let calls = ["https://api.example/a", "https://api.example/b"];
        assert_eq!(strays_of("[]", calls), []);
        let calls = ["https://api.example/a", "https://other.example/b"];
        assert_eq!(strays_of(r#"[{"url":"/v1"}]"#, calls).len(), 2);
    }

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
