//! The words every Portcullis crate shares.
//!
//! Knows: identifiers, secrets and their digests, instants, who is to blame for a failure and whether to try again.
//! Does not know: HTTP, storage, any clock or source of entropy; both come in as [`Clock`] and [`Rng`].
//!
//! To add a row id, extend the list in `id.rs`.
//! To add a kind of token that we issue, add a [`TokenKind`] in `token.rs`.

mod blame;
mod digest;
mod id;
mod secret;
mod slug;
mod time;
mod token;
mod url;

pub use blame::{Blame, Retry};
pub use digest::{Digest, InvalidDigest};
pub use id::{
    ApiKeyId, AuditId, ConnectionId, DataKeyId, DocumentId, EnvironmentId, FlowId, GrantId,
    InvalidId, ManifestId, ProviderId, RequestId, RevocationId, SubjectId, ToolsetId, VariableId,
};
pub use secret::Secret;
pub use slug::{InvalidSlug, Slug};
pub use time::{Clock, Timestamp};
pub use token::{
    AccessToken, ApiKey, AuthorizationCode, Browser, BrowserSession, ClientSecret, InvalidToken,
    Plain, RefreshToken, TokenKind, UpstreamState, is_ours,
};
pub use url::{InvalidOrigin, InvalidSafeUrl, Origin, SafeUrl};

/// A source of unpredictable bytes.
///
/// The released program has one implementation, over the operating system; tests pass a seeded one.
pub trait Rng: Send + Sync {
    /// Fills `buffer` with unpredictable bytes.
    fn fill(&self, buffer: &mut [u8]);
}
