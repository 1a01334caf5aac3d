//! Clients: software that asks for access, as it registered itself or as the operator registered it.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis_base::{Digest, Rng, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::redirect_uri::RedirectUri;
use crate::scope::Scopes;

/// What every id begins with that we give to a client which registers itself.
const GIVEN: &str = "pc_client_";

/// `client_id`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClientId(String);

/// The text can name no client.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("`client_id` has between 1 and 2048 visible ASCII characters")]
pub struct InvalidClientId;

impl ClientId {
    /// Makes a new id of 192 random bits; it can never be a URL.
    #[must_use]
    pub fn new(rng: &dyn Rng) -> Self {
        let mut random = [0; 24];
        rng.fill(&mut random);
        Self(format!("{GIVEN}{}", URL_SAFE_NO_PAD.encode(random)))
    }

    /// Reads a client id.
    ///
    /// # Errors
    ///
    /// When it is empty, too long, or holds what is not visible ASCII.
    pub fn parse(text: &str) -> Result<Self, InvalidClientId> {
        let lawful = (1..=2048).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        lawful.then(|| Self(text.to_owned())).ok_or(InvalidClientId)
    }

    /// Tells whether the id could be one that we gave to a client which registered itself.
    #[must_use]
    pub fn is_given(&self) -> bool {
        self.0.starts_with(GIVEN)
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ClientId {
    type Error = InvalidClientId;

    fn try_from(text: String) -> Result<Self, InvalidClientId> {
        Self::parse(&text)
    }
}

impl From<ClientId> for String {
    fn from(id: ClientId) -> Self {
        id.0
    }
}

/// A client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its id.
    pub id: ClientId,
    /// Who vouches for it.
    pub origin: ClientOrigin,
    /// What it says of itself, verified.
    pub metadata: VerifiedClientMetadata,
    /// The digest of its secret, where it has one.
    pub secret: Option<Digest>,
    /// Whether the operator lets people's consent to it be remembered; never of a client that registered itself.
    pub remembers_consent: bool,
    /// When it was registered.
    pub created_at: Timestamp,
}

/// Who vouches for a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientOrigin {
    /// Nobody: it registered itself (RFC 7591).
    Dynamic,
    /// The operator.
    PreRegistered,
}

/// Client metadata that passed every check; stored as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifiedClientMetadata {
    /// `client_name`, as people read it.
    pub name: String,
    /// `redirect_uris`, each exactly as it was sent.
    pub redirect_uris: Vec<RedirectUri>,
    /// `token_endpoint_auth_method`.
    pub auth_method: TokenEndpointAuthMethod,
    /// Whether the method was filled in because none was named.
    pub auth_method_defaulted: bool,
    /// `application_type`.
    pub application_type: ApplicationType,
    /// Whether `grant_types` has `refresh_token`.
    pub refreshes: bool,
    /// `scope`, where it named any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scopes>,
    /// `client_uri`, an https URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
}

/// `token_endpoint_auth_method`, as far as we offer it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenEndpointAuthMethod {
    /// A public client.
    None,
    /// By `Authorization: Basic`.
    ClientSecretBasic,
    /// By fields of the form.
    ClientSecretPost,
}

/// `application_type` (OpenID Connect Dynamic Client Registration 1.0 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationType {
    /// Runs on a server or in a browser.
    Web,
    /// Runs on a person's machine.
    Native,
}
