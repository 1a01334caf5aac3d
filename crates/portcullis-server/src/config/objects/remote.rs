//! Reads which documents come from URLs, and makes objects of what was fetched.
//!
//! Nothing is fetched here: whoever reads a configuration hands the contents in, or why there is none.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use portcullis_base::{Digest, SafeUrl, Slug};
use portcullis_openapi::Diagnostic;
use portcullis_openapi::variables::variables;
use portcullis_store::{ChangePolicy, DocumentSettings, RemoteSettings};
use toml::Spanned;

use super::DocumentObject;
use crate::config::file::{self, File};
use crate::config::problem::{Problem, did_you_mean};
use crate::config::reading::Reading;

/// How often a URL is looked at where the operator does not say.
const REFRESH_SECONDS: u64 = 3_600;

const POLICIES: [(&str, ChangePolicy); 3] = [
    ("pin", ChangePolicy::Pin),
    ("warn", ChangePolicy::Warn),
    ("follow", ChangePolicy::Follow),
];

/// A document that comes from a URL, as the file describes it.
#[derive(Clone, Debug)]
pub struct RemoteDocument {
    /// The slug.
    pub slug: Slug,
    /// The URL.
    pub url: SafeUrl,
    /// What the operator says of it.
    pub settings: RemoteSettings,
    /// Where the URL stands.
    pub(in crate::config) span: Range<usize>,
}

impl RemoteDocument {
    /// Returns what stands for the URL wherever it is kept or shown: its query, which may carry a key, is left out, but for what tells it from another.
    #[must_use]
    pub fn source(&self) -> String {
        match self.url.as_url().query() {
            None => self.url.as_url().to_string(),
            Some(query) => format!(
                "{}?{}",
                self.url,
                Digest::of(query.as_bytes()).fingerprint()
            ),
        }
    }
}

/// What documents from URLs hold, or why that is not known; by slug and what stands for the URL.
#[derive(Clone, Debug, Default)]
pub struct RemoteContents(HashMap<(Slug, String), Result<RemoteContent, String>>);

/// What a document from a URL holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteContent {
    digest: Digest,
    /// The document; empty once it was let go.
    bytes: Arc<[u8]>,
    remarks: Vec<Diagnostic>,
}

impl RemoteContents {
    /// Adds what a document holds, or why that is not known.
    pub fn add(&mut self, slug: Slug, source: &str, content: Result<RemoteContent, String>) {
        self.0.insert((slug, source.to_owned()), content);
    }

    /// Lets the documents go; what was compiled of them is found by their digests.
    pub(in crate::config) fn let_contents_go(&mut self) {
        for content in self.0.values_mut().flatten() {
            content.bytes = Arc::default();
        }
    }
}

impl RemoteContent {
    /// Makes one of a document, with remarks about its files where they were just fetched: the store keeps none.
    #[must_use]
    pub fn new(bytes: Arc<[u8]>, remarks: Vec<Diagnostic>) -> Self {
        Self {
            digest: Digest::of(&bytes),
            bytes,
            remarks,
        }
    }
}

impl From<Arc<[u8]>> for RemoteContent {
    fn from(bytes: Arc<[u8]>) -> Self {
        Self::new(bytes, Vec::new())
    }
}

/// Reads the documents of the file that come from URLs.
pub(in crate::config) fn all(
    reading: &mut Reading<'_>,
    file: Option<&File>,
) -> Vec<RemoteDocument> {
    let tables = file.into_iter().flat_map(|file| &file.documents);
    let mut found = Vec::new();
    for (name, table) in tables.filter(|(_, table)| table.file.is_none()) {
        if let Some(slug) = reading.slug(name) {
            found.extend(described(reading, &slug, table));
        }
    }
    found
}

/// Refuses what only a document from a URL has, beside a file.
pub(super) fn refuse(reading: &mut Reading<'_>, table: &file::Document) {
    if let Some(url) = &table.url {
        reading.refuse(
            url.span(),
            "a document has either a `file` or a `url`",
            "leave one of them out",
        );
    }
    let changes = table.changes.as_ref().map(Spanned::span);
    let refresh = table.refresh_seconds.as_ref().map(Spanned::span);
    for (key, span) in [("changes", changes), ("refresh_seconds", refresh)] {
        if let Some(span) = span {
            reading.refuse(
                span,
                format!("`{key}` is for documents that come from a `url`"),
                "leave it out; a file is read again whenever it changes",
            );
        }
    }
}

/// Reads what the file says of a document from a URL; nothing where it names none.
pub(super) fn described(
    reading: &mut Reading<'_>,
    slug: &Slug,
    table: &file::Document,
) -> Option<RemoteDocument> {
    let url = table.url.as_ref()?;
    let folder = table.folder.as_ref().map(Spanned::span);
    let root = table.root.as_ref().map(Spanned::span);
    for (key, span) in [("folder", folder), ("root", root)] {
        if let Some(span) = span {
            reading.refuse(
                span,
                format!("`{key}` is for documents that come from a `file`"),
                "leave it out; the files of this one are looked for at the URL's origin",
            );
        }
    }
    let parsed = reading.parsed(url, SafeUrl::parse);
    let changes = match &table.changes {
        None => ChangePolicy::default(),
        Some(word) => policy(reading, word),
    };
    let seconds = reading.seconds_within(
        table.refresh_seconds.as_ref(),
        std::time::Duration::from_secs(REFRESH_SECONDS),
        60..=31_536_000,
    );
    Some(RemoteDocument {
        slug: slug.clone(),
        url: parsed?,
        settings: RemoteSettings {
            changes,
            refresh_seconds: u32::try_from(seconds.as_secs()).unwrap_or(u32::MAX),
        },
        span: url.span(),
    })
}

fn policy(reading: &mut Reading<'_>, word: &Spanned<String>) -> ChangePolicy {
    let text = word.get_ref().as_str();
    let known = POLICIES.into_iter().find(|(name, _)| *name == text);
    if known.is_none() {
        reading.refuse(
            word.span(),
            format!("`{text}` is nothing that can become of a change"),
            did_you_mean(text, POLICIES.map(|(name, _)| name)),
        );
    }
    known.map(|(_, policy)| policy).unwrap_or_default()
}

/// Makes an object of what a document from a URL holds.
pub(super) fn object(
    reading: &Reading<'_>,
    described: &RemoteDocument,
) -> Result<DocumentObject, Problem> {
    let source = described.source();
    let slug = &described.slug;
    let unfetched = || Err("nobody has fetched it".to_owned());
    let content = reading.remote.0.get(&(slug.clone(), source.clone()));
    let content = content.cloned().unwrap_or_else(unfetched);
    let RemoteContent {
        digest,
        bytes,
        remarks,
    } = content.map_err(|reason| {
        Problem::new(
            format!("cannot fetch `{}`: {reason}", described.url),
            "the store has nothing of the document yet, so that its URL has to answer once; or fetch it yourself and name the `file`",
        )
    })?;
    let compiled = reading.known.document_from(Some(&source), digest, &bytes);
    let compiled = compiled.map_err(|error| {
        Problem::new(
            format!("cannot use what `{}` holds: {error}", described.url),
            "it must be an OpenAPI document, in JSON or YAML",
        )
    })?;
    Ok(DocumentObject {
        source,
        url: Some(described.url.clone()),
        remote: Some(described.settings),
        content: bytes,
        remarks,
        schemes: std::collections::BTreeMap::new(),
        settings: DocumentSettings::default(),
        variables: variables(slug.as_str(), &compiled.schemes, &compiled.server_variables),
        compiled,
    })
}
