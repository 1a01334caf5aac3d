//! People: who they are at a provider, what they are connected to, and what their browser remembers.

use std::time::Duration;

use portcullis_base::{ConnectionId, Digest, Secret, Slug, SubjectId, Timestamp};
use serde::{Deserialize, Serialize};

use super::client::ClientId;
use crate::scope::Scopes;

/// How long a browser session lives without being used.
pub const SESSION_IDLE: Duration = Duration::from_hours(1);

/// How long a browser session lives at most.
pub const SESSION_LIFETIME: Duration = Duration::from_hours(12);

/// How long a consent is remembered.
pub const CONSENT_LIFETIME: Duration = Duration::from_hours(90 * 24);

/// Who a provider says that a person is: the pair that is compared, never the e-mail address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The issuer: the provider's issuer URL, or its slug where it has none.
    pub issuer: String,
    /// What the issuer calls the person.
    pub subject: String,
    /// What people call the person, for pages only.
    pub label: Option<String>,
}

/// A subject's access token at an upstream provider, for one toolset; a refresh token stays sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Its id.
    pub id: ConnectionId,
    /// Whose it is.
    pub subject: SubjectId,
    /// The provider's slug.
    pub provider: Slug,
    /// The slug of the toolset that they are for.
    pub toolset: Slug,
    /// Whether it can be used.
    pub status: ConnectionStatus,
    /// The access token, in the clear.
    pub access: Secret,
    /// When it expires; unknown where the provider did not say.
    pub expires_at: Option<Timestamp>,
    /// The scopes that the provider granted, in its words.
    pub scopes: Scopes,
    /// Whether there is a refresh token to renew it with.
    pub is_renewable: bool,
    /// Counts the times that the tokens were replaced.
    pub generation: i64,
    /// When the tokens were last replaced.
    pub updated_at: Timestamp,
}

/// The tokens that a provider gives for a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionTokens {
    /// The access token.
    pub access: Secret,
    /// The refresh token, where the provider gave one.
    pub refresh: Option<Secret>,
    /// When the access token expires; unknown where the provider did not say.
    pub expires_at: Option<Timestamp>,
    /// The scopes that the provider granted, in its words.
    pub scopes: Scopes,
}

/// Whether a connection can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionStatus {
    /// Its token is good as far as we know.
    Active,
    /// The person has to sign in again.
    NeedsReauthorization,
    /// The person or the operator ended it.
    Revoked,
}

/// A browser in which somebody has signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// The digest of the cookie.
    pub digest: Digest,
    /// Who signed in.
    pub subject: SubjectId,
    /// The provider's slug.
    pub provider: Slug,
    /// What people call the person.
    pub label: Option<String>,
    /// When the session began.
    pub created_at: Timestamp,
    /// When it was last used.
    pub used_at: Timestamp,
}

impl SessionRow {
    /// Tells whether the session still stands.
    #[must_use]
    pub fn is_good(&self, now: Timestamp) -> bool {
        now.since(self.used_at) < SESSION_IDLE && now.since(self.created_at) < SESSION_LIFETIME
    }
}

/// A consent that is remembered: exactly this client, URI, toolset and scopes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RememberedConsent {
    /// Who consented.
    pub subject: SubjectId,
    /// To which client.
    pub client: ClientId,
    /// At which redirect URI.
    pub redirect_uri: String,
    /// To which toolset.
    pub toolset: Slug,
    /// To which scopes.
    pub scopes: Scopes,
}
