//! What is stored, as the rest of the program sees it.
//!
//! `settings` that only ever travel whole are kept as JSON; their shapes are versioned by the fixtures in `tests/fixtures/`.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_base::{
    ApiKeyId, Digest, EnvironmentId, ProviderId, Secret, Slug, Timestamp, ToolsetId, VariableId,
};
use portcullis_oauth::issuer::redeem::OwnLifetimes;
use serde::{Deserialize, Serialize};

/// Who may change an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The configuration file that names it: leaving the file removes it.
    File,
    /// The admin API or the console.
    Api,
}

/// What the operator says of a document as a whole: which credential its operations bear of which it says nothing itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DocumentSettings {
    /// The slug of the provider whose token the caller's connection lends to calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The scopes that a sign-in asks for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Origins that the token may go to beside those of the document's own servers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub origins: Vec<String>,
}

/// What the operator says of one security scheme beyond the values of its variables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SchemeSettings {
    /// Origins that the scheme's credential may go to beside those of the document's own servers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub origins: Vec<String>,
    /// `client_secret_basic`, `client_secret_post` or `private_key_jwt`; found out where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_method: Option<String>,
    /// The `resource` of the token request (RFC 8707).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Further parameters of the token request.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
    /// `kid` of the assertion of `private_key_jwt`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// `alg` of the assertion of `private_key_jwt`; `RS256` where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signing_algorithm: Option<String>,
    /// The slug of the provider whose token the caller's connection lends to calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
}

/// The tools published together at one MCP endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolset {
    /// The row's id.
    pub id: ToolsetId,
    /// The name in the endpoint's URL.
    pub slug: Slug,
    /// Who may change it.
    pub owner: Owner,
    /// A title for people.
    pub title: Option<String>,
    /// What the model is told about the tools as a whole.
    pub instructions: Option<String>,
    /// The documents whose operations it publishes.
    pub documents: Vec<ToolsetDocument>,
    /// Whether its tools are searched for instead of listed.
    pub dynamic: bool,
    /// How much of its answers the model is given.
    pub answers: AnswerSettings,
    /// The environment that credentials and server URLs are read from.
    pub environment: Option<Slug>,
    /// The ways in.
    pub inbound: BTreeSet<Inbound>,
    /// The provider that people sign in at, where they do.
    pub provider: Option<Slug>,
    /// The OAuth manifest of the provider whose own access tokens are a way in, where they are.
    pub manifest: Option<Slug>,
    /// Variables that callers may pass as headers.
    pub caller_supplied: BTreeSet<String>,
    /// How long our tokens for it are good, where that is its own.
    pub lifetimes: OwnLifetimes,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// How much of a toolset's answers the model is given; what is absent has its default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnswerSettings {
    /// The most bytes of JSON or text.
    pub max_result_bytes: Option<u64>,
    /// The most bytes of anything else.
    pub max_binary_bytes: Option<u64>,
    /// What is given of the answers of tools whose names match a pattern, as an expression of `JMESPath`.
    pub project: BTreeMap<String, String>,
}

/// One document of a toolset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolsetDocument {
    /// The document.
    pub document: Slug,
    /// Which of its operations.
    #[serde(default)]
    pub select: Selection,
}

/// Which operations of a document become tools; empty lists select everything but what the document advises against.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Selection {
    /// Only operations with one of these tags.
    pub tags: Vec<String>,
    /// Only tools whose name matches one of these patterns; `*` stands for any characters.
    pub include: Vec<String>,
    /// No tools whose name matches one of these patterns.
    pub exclude: Vec<String>,
    /// Only operations with one of these methods, in capitals.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// Only operations whose path matches one of these patterns.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// Only operations whose `operationId` matches one of these patterns.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<String>,
    /// Whether operations that the document advises against are among them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub deprecated: bool,
}

/// A way into a toolset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Inbound {
    /// Anyone who reaches the endpoint.
    Open,
    /// Holders of an API key that is good for the toolset.
    ApiKey,
    /// Anyone, with nothing but the credentials that the caller's own headers carry.
    Headers,
    /// Holders of an access token that we issued for the toolset.
    #[serde(rename = "oauth")]
    OAuth,
    /// Holders of an access token that the provider's own authorization server issued for the endpoint.
    External,
}

/// A named set of variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// The row's id.
    pub id: EnvironmentId,
    /// The name that toolsets refer to.
    pub slug: Slug,
    /// Who may change it.
    pub owner: Owner,
    /// The variables, by name.
    pub variables: BTreeMap<String, Variable>,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A variable of an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The row's id; part of what a sealed value is bound to.
    pub id: VariableId,
    /// The value.
    pub value: VariableValue,
}

/// A variable's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VariableValue {
    /// Stored and shown in the clear.
    Plain(String),
    /// Stored sealed, never shown.
    Secret(Secret),
}

/// A provider at which this gateway is registered as a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamProvider {
    /// The row's id; part of what the sealed secret is bound to.
    pub id: ProviderId,
    /// The name that toolsets and security schemes refer to.
    pub slug: Slug,
    /// Who may change it.
    pub owner: Owner,
    /// What the operator says of it.
    pub settings: ProviderSettings,
    /// The secret of our registration there, where it has one; stored sealed.
    pub client_secret: Option<Secret>,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// What the operator says of a provider; what is absent comes from its profile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderSettings {
    /// The name of the profile.
    pub profile: String,
    /// What people call the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The `client_id` of our registration there.
    pub client_id: String,
    /// The issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The tenant, where the profile's URLs have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Endpoints that are others than the profile says.
    #[serde(default, skip_serializing_if = "ProviderEndpoints::is_empty")]
    pub endpoints: ProviderEndpoints,
    /// Scopes that are asked for beside those of the toolset, in the provider's words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Who may sign in; everybody where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<String>,
    /// Further parameters of the authorization request.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
    /// After how many seconds a connection is renewed that nobody uses; never where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_alive_seconds: Option<u64>,
}

/// URLs of a provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProviderEndpoints {
    /// The authorization endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization: Option<String>,
    /// The token endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The userinfo endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo: Option<String>,
    /// The JSON Web Key Set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<String>,
    /// Where tokens are revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revocation: Option<String>,
}

impl ProviderEndpoints {
    /// Tells whether no URL is given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// An API key, as stored: the key itself is not here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeyRow {
    /// The row's id.
    pub id: ApiKeyId,
    /// What the operator calls it.
    pub name: String,
    /// The digest of the key.
    pub digest: Digest,
    /// The toolsets that it opens; empty means all of them.
    pub toolsets: BTreeSet<Slug>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working, where it does by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to within a minute or so.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked, where it was.
    pub revoked_at: Option<Timestamp>,
}
