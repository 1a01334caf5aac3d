//! Reads client registrations and writes the answer ([RFC 7591](https://www.rfc-editor.org/rfc/rfc7591)).
//!
//! Only the form is judged here: what has which type, and how much of it there may be.
//! Whether the client may be as it says is judged in [`crate::issuer::register`].
//! `null` and an empty text count as absent, and members that mean nothing to us are not looked at.

use std::fmt;

use portcullis_base::{ClientSecret, Plain, SafeUrl, Secret};
use serde::Serialize;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::error::{OAuthError, OAuthErrorCode};
use crate::issuer::client::{ApplicationType, Client, TokenEndpointAuthMethod};
use crate::redirect_uri::RedirectUri;
use crate::scope::Scopes;

/// The longest registration, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;

/// How many texts a list may have.
const MAX_LIST: usize = 20;

/// The longest `client_name`, in characters.
const MAX_NAME: usize = 200;

/// The longest other text, in bytes.
const MAX_TEXT: usize = 2048;

/// What a client says of itself, as it was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientMetadataRequest {
    /// `redirect_uris`, one at least.
    pub redirect_uris: Vec<String>,
    /// `client_name`, without white space around it.
    pub client_name: Option<String>,
    /// `client_uri`, an http or https URL.
    pub client_uri: Option<String>,
    /// `token_endpoint_auth_method`.
    pub token_endpoint_auth_method: Option<String>,
    /// `grant_types`.
    pub grant_types: Option<Vec<String>>,
    /// `response_types`.
    pub response_types: Option<Vec<String>>,
    /// `scope`.
    pub scope: Option<String>,
    /// `application_type`.
    pub application_type: Option<String>,
}

impl ClientMetadataRequest {
    /// Reads the body of a registration.
    ///
    /// # Errors
    ///
    /// When it is no JSON object, has a member twice, or a member that we read is of another type or size than it should be.
    pub fn read(body: &[u8]) -> Result<Self, OAuthError> {
        let members = Members::read(body).ok_or(invalid(
            "the body must be a JSON object of at most 65536 bytes, with each member once",
        ))?;
        // "The `jwks_uri` and `jwks` parameters MUST NOT both be present in the same request or response" (RFC 7591 §2).
        if members.has("jwks") && members.has("jwks_uri") {
            return Err(invalid("`jwks` and `jwks_uri` exclude each other"));
        }
        for (name, description) in [
            ("logo_uri", "`logo_uri` must be an http or https URL"),
            ("policy_uri", "`policy_uri` must be an http or https URL"),
            ("tos_uri", "`tos_uri` must be an http or https URL"),
            ("jwks_uri", "`jwks_uri` must be an http or https URL"),
        ] {
            members.url(name, description)?;
        }
        Ok(Self {
            redirect_uris: members.redirect_uris()?,
            client_name: members.name()?,
            client_uri: members.url("client_uri", "`client_uri` must be an http or https URL")?,
            token_endpoint_auth_method: members.text(
                "token_endpoint_auth_method",
                "`token_endpoint_auth_method` must be a text",
            )?,
            grant_types: members.list(
                "grant_types",
                "`grant_types` must be a list of at most 20 texts",
            )?,
            response_types: members.list(
                "response_types",
                "`response_types` must be a list of at most 20 texts",
            )?,
            scope: members.text("scope", "`scope` must be a text of at most 2048 bytes")?,
            // Clients are known to send anything here; what is no text is inferred like what is absent.
            application_type: members.text("application_type", "").unwrap_or_default(),
        })
    }
}

const fn invalid(description: &'static str) -> OAuthError {
    OAuthError::new(OAuthErrorCode::InvalidClientMetadata, description)
}

/// The members of an object, each of them once.
struct Members(Map<String, Value>);

impl Members {
    /// The reader of JSON bounds the depth itself.
    fn read(body: &[u8]) -> Option<Self> {
        let is_short = body.len() <= MAX_BYTES;
        is_short.then(|| serde_json::from_slice(body).ok())?
    }

    fn has(&self, name: &str) -> bool {
        self.present(name).is_some()
    }

    fn present(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn text(&self, name: &str, description: &'static str) -> Result<Option<String>, OAuthError> {
        let Some(value) = self.present(name) else {
            return Ok(None);
        };
        let text = value.as_str().filter(|text| text.len() <= MAX_TEXT);
        let text = text.ok_or(invalid(description))?.trim();
        Ok((!text.is_empty()).then(|| text.to_owned()))
    }

    fn name(&self) -> Result<Option<String>, OAuthError> {
        let description =
            "`client_name` must be a text of at most 200 characters without control characters";
        let name = self.text("client_name", description)?;
        let is_good =
            |name: &String| name.chars().count() <= MAX_NAME && !name.chars().any(is_invisible);
        match name {
            Some(name) if !is_good(&name) => Err(invalid(description)),
            name => Ok(name),
        }
    }

    fn url(&self, name: &str, description: &'static str) -> Result<Option<String>, OAuthError> {
        let url = self.text(name, description)?;
        match &url {
            Some(url) if SafeUrl::parse(url).is_err() => Err(invalid(description)),
            _ => Ok(url),
        }
    }

    fn list(
        &self,
        name: &str,
        description: &'static str,
    ) -> Result<Option<Vec<String>>, OAuthError> {
        self.present(name)
            .map(|value| texts(value).ok_or(invalid(description)))
            .transpose()
    }

    fn redirect_uris(&self) -> Result<Vec<String>, OAuthError> {
        self.present("redirect_uris")
            .and_then(texts)
            .filter(|uris| !uris.is_empty())
            .ok_or(OAuthError::new(
                OAuthErrorCode::InvalidRedirectUri,
                "`redirect_uris` must be a list of between 1 and 20 texts",
            ))
    }
}

/// Returns the texts of a list that holds nothing else.
fn texts(value: &Value) -> Option<Vec<String>> {
    let values = value.as_array().filter(|values| values.len() <= MAX_LIST)?;
    let texts = values.iter().map(|value| value.as_str().map(str::to_owned));
    texts.collect()
}

/// Tells whether a character breaks a line, or changes the direction or the look of its neighbours without being seen.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}'
        )
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Members, A::Error> {
        let mut members = Map::new();
        while let Some((name, value)) = access.next_entry::<String, Value>()? {
            // Of two values one reader takes the first and another the last.
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a member stands more than once"));
            }
        }
        Ok(Members(members))
    }
}

/// The answer to a registration: what was kept, and nothing of what was not.
#[derive(Clone, Copy, Debug)]
pub struct RegistrationResponse<'a> {
    /// The client.
    pub client: &'a Client,
    /// Its secret, where it has one; this is the only time that it is shown.
    pub secret: Option<&'a Plain<ClientSecret>>,
}

#[derive(Serialize)]
struct Body<'a> {
    client_id: &'a str,
    client_id_issued_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret_expires_at: Option<u8>,
    client_name: &'a str,
    redirect_uris: &'a [RedirectUri],
    grant_types: &'a [&'static str],
    response_types: [&'static str; 1],
    token_endpoint_auth_method: TokenEndpointAuthMethod,
    application_type: ApplicationType,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a Scopes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_uri: Option<&'a str>,
}

impl RegistrationResponse<'_> {
    /// Writes the body of the answer, in JSON; a member without a value is left out, since clients stumble over nulls.
    #[must_use]
    pub fn to_json(&self) -> Secret {
        let metadata = &self.client.metadata;
        let grant_types: &[&str] = if metadata.refreshes {
            &["authorization_code", "refresh_token"]
        } else {
            &["authorization_code"]
        };
        super::json(&Body {
            client_id: self.client.id.as_str(),
            client_id_issued_at: self.client.created_at.as_millis() / 1000,
            client_secret: self.secret.map(Plain::expose),
            // "REQUIRED if `client_secret` is issued"; 0 means never (RFC 7591 §3.2.1).
            client_secret_expires_at: self.secret.map(|_| 0),
            client_name: &metadata.name,
            redirect_uris: &metadata.redirect_uris,
            grant_types,
            response_types: ["code"],
            token_endpoint_auth_method: metadata.auth_method,
            application_type: metadata.application_type,
            scope: metadata.scope.as_ref(),
            client_uri: metadata.client_uri.as_deref(),
        })
    }
}

#[cfg(test)]
mod tests;
