//! The manifest of a provider's own authorization server: its metadata document ([RFC 8414 §2](https://www.rfc-editor.org/rfc/rfc8414#section-2)), every member kept.
//!
//! A toolset to which a manifest is attached sends clients to that server, and judges the tokens that they bring ([`crate::guard::external`]).
//! What clients would make of a manifest is [`check`]'s, how it is served again [`republish`]'s, and what a newer version changes [`difference`]'s.
//! Nothing is fetched here, and how long a document may be is the caller's to bound.

use portcullis_base::SafeUrl;
use serde::Serialize;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::client::metadata;

pub mod check;
pub mod difference;
pub mod documented;
pub mod protected_resource;
pub mod republish;

/// How much of a foreign issuer is shown.
const LONGEST_SHOWN: usize = 200;

/// A metadata document that names its issuer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Manifest {
    members: Map<String, Value>,
}

/// Why a document is no manifest.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum InvalidManifest {
    /// It is a web page.
    #[error("it is a web page, such as some servers answer with at every address, and no metadata")]
    WebPage,
    /// It is no JSON object.
    #[error("it is no JSON object")]
    NoObject,
    /// A member is missing or mistyped.
    #[error("its `{0}` is missing or of the wrong type")]
    Member(&'static str),
    /// It is about somebody else.
    #[error("it names {found:?} as its issuer, not {asked:?}; issuers are compared byte for byte")]
    OtherIssuer {
        /// The issuer that was asked.
        asked: String,
        /// The one that it names, cut to a reasonable length.
        found: String,
    },
}

/// Returns where the metadata of an issuer may stand, the place that clients look at first in front.
///
/// These are the three places of MCP's authorization server discovery, and after them those of the origin, since providers are known to serve a tenant's metadata there; what is found there must name the issuer all the same.
#[must_use]
pub fn locations(issuer: &SafeUrl) -> Vec<String> {
    let [appended, inserted] = metadata::locations(issuer);
    let openid_inserted = inserted.replacen(metadata::OAUTH, metadata::OPENID, 1);
    let mut places = vec![inserted, openid_inserted, appended];
    for well_known in [metadata::OAUTH, metadata::OPENID] {
        places.push(format!("{}{well_known}", issuer.origin()));
    }
    let mut seen = Vec::new();
    places.retain(|place| {
        let is_new = !seen.contains(place);
        seen.push(place.clone());
        is_new
    });
    places
}

impl Manifest {
    /// Reads the document of `issuer`.
    ///
    /// # Errors
    ///
    /// When it is no JSON object, or names no issuer or another one.
    pub fn read(body: &[u8], issuer: &str) -> Result<Self, InvalidManifest> {
        let manifest = Self::parse(body)?;
        // "The 'issuer' value returned MUST be identical to the authorization server's issuer identifier value into which the well-known URI string was inserted" (RFC 8414 §3.3)
        if manifest.issuer() != issuer {
            return Err(InvalidManifest::OtherIssuer {
                asked: issuer.to_owned(),
                found: manifest.issuer().chars().take(LONGEST_SHOWN).collect(),
            });
        }
        Ok(manifest)
    }

    /// Reads a document that an operator vouches for, whose issuer is the one that it names.
    ///
    /// # Errors
    ///
    /// When it is no JSON object, or names no issuer.
    pub fn parse(body: &[u8]) -> Result<Self, InvalidManifest> {
        let members = object(body)?;
        let manifest = Self { members };
        if manifest.issuer().is_empty() {
            return Err(InvalidManifest::Member("issuer"));
        }
        Ok(manifest)
    }

    /// Returns the issuer.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.text("issuer").unwrap_or_default()
    }

    /// Returns a member that is a text, unless it is empty.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        let text = self.members.get(name)?.as_str()?;
        (!text.is_empty()).then_some(text)
    }

    /// Returns a member that is a list, its texts in order; what else is in it is left out.
    #[must_use]
    pub fn texts(&self, name: &str) -> Option<Vec<&str>> {
        let items = self.members.get(name)?.as_array()?;
        Some(items.iter().filter_map(Value::as_str).collect())
    }

    /// Tells whether a member is `true`.
    #[must_use]
    pub fn is_true(&self, name: &str) -> bool {
        self.members.get(name) == Some(&Value::Bool(true))
    }

    /// Returns every member, in the provider's order.
    #[must_use]
    pub fn members(&self) -> &Map<String, Value> {
        &self.members
    }
}

/// Reads a JSON object, and tells web pages apart, since they are what is found most often instead.
fn object(body: &[u8]) -> Result<Map<String, Value>, InvalidManifest> {
    if body.trim_ascii_start().starts_with(b"<") {
        return Err(InvalidManifest::WebPage);
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(InvalidManifest::NoObject),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn places(issuer: &str) -> Vec<String> {
        locations(&SafeUrl::parse(issuer).unwrap())
    }

    #[test]
    fn metadata_is_looked_for_where_clients_look_and_then_at_the_origin() {
        assert_eq!(
            places("https://as.example/t/"),
            [
                "https://as.example/.well-known/oauth-authorization-server/t",
                "https://as.example/.well-known/openid-configuration/t",
                "https://as.example/t/.well-known/openid-configuration",
                "https://as.example/.well-known/oauth-authorization-server",
                "https://as.example/.well-known/openid-configuration",
            ]
        );
        assert_eq!(
            places("https://as.example"),
            [
                "https://as.example/.well-known/oauth-authorization-server",
                "https://as.example/.well-known/openid-configuration",
            ]
        );
    }

    #[test]
    fn every_member_is_kept_in_its_order() {
        let text = r#"{"x_own":{"b":[1,null],"a":1e2},"issuer":"https://as.example","scopes_supported":["b",1,"a"],"flag":true,"void":null}"#;
        let manifest = Manifest::read(text.as_bytes(), "https://as.example").unwrap();
        assert_eq!(
            serde_json::to_string(&manifest).unwrap(),
            text.replace("1e2", "100.0")
        );
        assert_eq!(manifest.texts("scopes_supported"), Some(vec!["b", "a"]));
        assert_eq!(
            (manifest.texts("issuer"), manifest.text("void")),
            (None, None)
        );
        assert!(manifest.is_true("flag") && !manifest.is_true("issuer"));
    }

    #[test]
    fn c_18_a_manifest_of_another_issuer_is_refused() {
        let body = json!({"issuer": "https://as.example"}).to_string();
        for asked in [
            "https://as.example/",
            "https://AS.example",
            "https://evil.example",
            "",
        ] {
            let refused = InvalidManifest::OtherIssuer {
                asked: asked.to_owned(),
                found: "https://as.example".to_owned(),
            };
            assert_eq!(Manifest::read(body.as_bytes(), asked), Err(refused));
        }
        let long = json!({"issuer": "x".repeat(300)}).to_string();
        let error = Manifest::read(long.as_bytes(), "y")
            .unwrap_err()
            .to_string();
        assert!(error.contains(&"x".repeat(200)) && !error.contains(&"x".repeat(201)));
    }

    #[test]
    fn what_is_no_manifest_is_refused_and_told_apart() {
        for (body, refused) in [
            (
                "<!doctype html><title>Sign in</title>",
                InvalidManifest::WebPage,
            ),
            ("\n <html>", InvalidManifest::WebPage),
            ("", InvalidManifest::NoObject),
            ("[]", InvalidManifest::NoObject),
            ("{", InvalidManifest::NoObject),
            ("{}", InvalidManifest::Member("issuer")),
            (r#"{"issuer":""}"#, InvalidManifest::Member("issuer")),
            (
                r#"{"issuer":["https://as.example"]}"#,
                InvalidManifest::Member("issuer"),
            ),
        ] {
            assert_eq!(Manifest::parse(body.as_bytes()), Err(refused), "{body}");
        }
    }
}
