//! Authorization codes, as they are stored.

use std::time::Duration;

use portcullis_base::{ConnectionId, Digest, FlowId, GrantId, Slug, SubjectId, Timestamp};

use super::client::ClientId;
use crate::pkce::CodeChallenge;
use crate::scope::Scopes;

/// How long a code is good (RFC 6749 §4.1.2 allows ten minutes).
pub const CODE_LIFETIME: Duration = Duration::from_mins(1);

/// A code that was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// The digest of the code.
    pub digest: Digest,
    /// The flow that it ends.
    pub flow: FlowId,
    /// The client that may redeem it.
    pub client: ClientId,
    /// The `redirect_uri` of the request, exactly.
    pub redirect_uri: String,
    /// The challenge of the request.
    pub code_challenge: CodeChallenge,
    /// The toolset that it is for.
    pub toolset: Slug,
    /// The scopes that it carries.
    pub scopes: Scopes,
    /// Who granted it.
    pub subject: SubjectId,
    /// The connection that calls will use, where the provider's token is kept.
    pub connection: Option<ConnectionId>,
    /// When it was issued.
    pub created_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
    /// What became of it.
    pub redeemed: Option<Redeemed>,
}

/// The redemption of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redeemed {
    /// When.
    pub at: Timestamp,
    /// The grant that came of it.
    pub grant: GrantId,
}
