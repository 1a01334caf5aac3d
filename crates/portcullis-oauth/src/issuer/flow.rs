//! Flows: authorization requests on their way from `/authorize` to a code or an end without one.
//!
//! A flow belongs to the browser that began it, goes forward only, and ends within ten minutes of its last step.

use std::time::Duration;

use portcullis_base::{Digest, FlowId, Secret, Slug, SubjectId, Timestamp};
use serde::{Deserialize, Serialize};

use super::client::ClientId;
use crate::pkce::CodeChallenge;
use crate::scope::Scopes;

/// How long a person has for the consent page, and then for the provider.
pub const STEP_LIFETIME: Duration = Duration::from_mins(10);

/// How long a flow lives at most, however often the person goes back and approves again.
pub const FLOW_LIFETIME: Duration = Duration::from_mins(20);

/// A flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Its id, which pages and log lines name.
    pub id: FlowId,
    /// What the client asks for.
    pub request: AuthorizationRequest,
    /// The digest of the cookie of the browser that it belongs to.
    pub browser: Digest,
    /// How far it has come.
    pub state: FlowState,
    /// When it began.
    pub created_at: Timestamp,
    /// When it can go on no more.
    pub expires_at: Timestamp,
}

/// What a client asks for, verified; stored as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthorizationRequest {
    /// The client.
    pub client: ClientId,
    /// `redirect_uri`, exactly as it was sent.
    pub redirect_uri: String,
    /// `state`, exactly as it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The toolset that `resource` names; absent where the person has to choose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub toolset: Option<Slug>,
    /// The scopes that were asked for and exist; those of nobody's are left out.
    pub scopes: Scopes,
    /// `code_challenge`.
    pub code_challenge: CodeChallenge,
}

/// How far a flow has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlowState {
    /// The person has not decided.
    Pending,
    /// The person approved and was sent to the provider.
    AtProvider(AtProvider),
    /// It is over, be it with a code or without.
    Ended,
}

/// A flow at an upstream provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtProvider {
    /// The provider's slug.
    pub provider: Slug,
    /// The digest of the `state` that it was given.
    pub state: Digest,
    /// The PKCE verifier of our request to it.
    pub verifier: Secret,
    /// The OpenID Connect `nonce` of our request to it.
    pub nonce: Secret,
    /// The toolset that the person approved access to.
    pub toolset: Slug,
    /// The scopes that the person approved.
    pub scopes: Scopes,
    /// Whose earlier consent this rests on, where nobody was asked: nobody else may come back from the provider.
    pub consent_of: Option<SubjectId>,
}

impl Flow {
    /// Tells whether the flow can still go on in the browser whose cookie has this digest.
    #[must_use]
    pub fn is_open_in(&self, browser: &Digest, now: Timestamp) -> bool {
        self.browser == *browser && now < self.expires_at && self.state != FlowState::Ended
    }
}
