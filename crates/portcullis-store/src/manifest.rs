//! OAuth manifests as they are stored: what a provider says of its authorization server, and what the operator says of its tokens.
//!
//! The settings travel whole and are kept as JSON; `tests/fixtures/` holds a text of each form that was ever written.

use std::collections::BTreeMap;
use std::sync::Arc;

use portcullis_base::{Digest, ManifestId, Secret, Slug, Timestamp};
use serde::{Deserialize, Serialize};

use crate::entity::Owner;

/// The manifest of a provider whose own authorization server registers MCP clients and signs people in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthManifest {
    /// The row's id; part of what the sealed secret is bound to.
    pub id: ManifestId,
    /// The name that toolsets refer to.
    pub slug: Slug,
    /// Who may change it.
    pub owner: Owner,
    /// Where the content came from, for people: a path or a URL.
    pub source: String,
    /// The authorization server's metadata, with every member.
    pub content: Arc<str>,
    /// What the operator says of the provider's tokens.
    pub settings: ManifestSettings,
    /// The secret of our own registration there, where we ask about tokens or exchange them; stored sealed.
    pub client_secret: Option<Secret>,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A content that a manifest had at some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestVersion {
    /// The digest of the content.
    pub digest: Digest,
    /// The metadata.
    pub content: Arc<str>,
    /// When it was last taken up.
    pub created_at: Timestamp,
}

/// What the operator says of a provider's tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestSettings {
    /// How it is found out what a token is good for.
    pub validation: TokenValidation,
    /// The audiences that are accepted; the URL of the MCP endpoint where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audiences: Vec<String>,
    /// The client ids whose tokens are accepted where they name no audience.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clients_without_audience: Vec<String>,
    /// The issuer that tokens name, where it is another than the manifest's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_issuer: Option<String>,
    /// The algorithms that tokens are signed with; what the provider's keys allow where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub algorithms: Vec<String>,
    /// The request that tries a token out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<ProbeSettings>,
    /// For how long the provider's word about a token is believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_seconds: Option<u64>,
    /// The `client_id` of our own registration there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// What calls bear in the caller's name, where it comes from his token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delegation: Option<Delegation>,
    /// The scopes that clients are told to ask for where their tokens are exchanged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// What a token is exchanged for.
    #[serde(default, skip_serializing_if = "ExchangeSettings::is_empty")]
    pub exchange: ExchangeSettings,
    /// Whether we serve the manifest to clients as our own.
    #[serde(default)]
    pub republished: bool,
}

/// How it is found out what an access token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenValidation {
    /// By its signature (RFC 9068).
    Jwt,
    /// By asking the provider (RFC 7662).
    Introspection,
    /// By a request that its answer tells the audience of.
    Probe,
    /// By nobody but the API behind.
    Upstream,
}

/// What a call bears in the name of a caller with a token of the provider's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delegation {
    /// The token itself.
    Forward,
    /// A token that it is exchanged for (RFC 8693).
    Exchange,
    /// A token on behalf of its subject, as Microsoft Entra has it.
    OnBehalfOf,
    /// A token that it is the assertion for (RFC 7523).
    JwtBearer,
}

/// A request that tries a token out, and where its answer says what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProbeSettings {
    /// Where the request goes, with the token as `Authorization: Bearer`.
    pub url: String,
    /// The pointer to what is compared.
    pub audience: String,
    /// What may stand there.
    pub accepted: Vec<String>,
    /// The pointer to what must be `true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alive: Option<String>,
    /// The pointer to the person's name at the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The pointer to the client id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The pointer to the scopes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The pointer to when the token expires, in seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// The pointer to how many seconds the token is still good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<String>,
}

/// What a token is exchanged for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExchangeSettings {
    /// `audience` of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// `resource` of the request (RFC 8707).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The scopes that are asked for, in the provider's words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Who is said to act for the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<ExchangeActor>,
    /// Further parameters of the request.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
}

/// Who acts for the caller, by a token of his own beside the caller's (RFC 8693 §1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExchangeActor {
    /// We, by a token that our own registration at the provider fetches.
    ClientCredentials,
}

impl ExchangeSettings {
    /// Tells whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
