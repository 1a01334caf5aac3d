//! Documents as they are stored: what is served of each, what it was before, and what it may become.
//!
//! A snapshot holds no content: whoever has to compile a document reads its content then.
//! Names of tools are kept as text that only their writer understands.

use std::collections::BTreeMap;
use std::sync::Arc;

use portcullis_base::{Digest, DocumentId, Slug, Timestamp};
use serde::{Deserialize, Serialize};

use crate::entity::{DocumentSettings, Owner, SchemeSettings};

/// How many contents of a document are kept; the oldest go, except the one that is served and the one that waits.
pub const KEPT_REVISIONS: u32 = 10;

/// An OpenAPI document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The row's id.
    pub id: DocumentId,
    /// The name in variables and messages.
    pub slug: Slug,
    /// Who may change it.
    pub owner: Owner,
    /// Where the content came from: a path, or what stands for a URL, without a query that may carry a key.
    pub source: String,
    /// The digest of the content that is served; [`crate::Store::document_content`] reads it.
    pub digest: Digest,
    /// The digest of the names of its tools, where they are kept; they come with the content.
    pub names: Option<Digest>,
    /// The digest of a content that the source has and that is not served until the operator says so.
    pub waiting: Option<Digest>,
    /// What becomes of a change at the URL that it comes from, where it comes from one.
    pub remote: Option<RemoteSettings>,
    /// How its security schemes are served, by the scheme's name in the document.
    pub schemes: BTreeMap<String, SchemeSettings>,
    /// What the operator says of it as a whole.
    pub settings: DocumentSettings,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Document {
    /// Returns what stands for the URL that it comes from, where it comes from one.
    #[must_use]
    pub fn remote_source(&self) -> Option<&str> {
        self.remote.map(|_| self.source.as_str())
    }
}

/// What the operator says of a document that comes from a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteSettings {
    /// What becomes of a change.
    pub changes: ChangePolicy,
    /// After how many seconds the URL is looked at again.
    pub refresh_seconds: u32,
}

/// What becomes of a change at the URL of a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangePolicy {
    /// Nobody looks.
    Pin,
    /// A change of tools waits for the operator.
    #[default]
    Warn,
    /// It is taken up.
    Follow,
}

/// A content, and what its tools are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentContent {
    /// The document's bytes.
    pub bytes: Arc<[u8]>,
    /// The names of its tools, and of tools that it had; empty where they are not kept yet.
    pub names: Arc<str>,
}

/// A document as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentPut {
    /// The document; its digests are those of what is beside it, where that is given.
    pub document: Document,
    /// The content that is served, where it is another one or its tools are called otherwise.
    pub content: Option<DocumentContent>,
    /// The content that waits, where it is another one.
    pub waiting: Option<Arc<[u8]>>,
}

/// A content that a document had, has or may get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentRevision {
    /// Its number; a later content has a greater one.
    pub number: u32,
    /// The digest of the content.
    pub digest: Digest,
    /// How long the content is.
    pub size_bytes: u64,
    /// Where it came from.
    pub source: String,
    /// Who brought it.
    pub actor: String,
    /// When it came for the first time.
    pub created_at: Timestamp,
}

/// A document from a URL that is to be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueDocument {
    /// Its id.
    pub id: DocumentId,
    /// Its slug.
    pub slug: Slug,
    /// What stands for the URL.
    pub source: String,
    /// What the operator says of it.
    pub remote: RemoteSettings,
    /// What the URL said of the content that was read last.
    pub validators: Validators,
    /// When another look is due unless this one is noted before; it tells one claim from the next.
    pub until: Timestamp,
}

/// What a server says of a content, so that it need not be sent again (RFC 9110 §8.8).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// `ETag`.
    pub etag: Option<String>,
    /// `Last-Modified`.
    pub last_modified: Option<String>,
}

/// What came of a look at a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookOutcome {
    /// It has a content, be it the one it had, and what was to be done with it is done.
    Read(Validators),
    /// It has nothing that can be used.
    Failed(String),
}

/// When a URL was looked at, and why that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookState {
    /// When it was looked at last.
    pub looked_at: Option<Timestamp>,
    /// Why the last look brought nothing.
    pub failure: Option<String>,
}
