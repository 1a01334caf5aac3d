//! A manifest that we serve again, for providers that do not serve their metadata where clients look, or not as they must.
//!
//! Clients then take the toolset's URL for the issuer (RFC 8414 §3.3), so nothing may stay in it that ties the client to the provider's own issuer:
//! `iss` in the provider's answers, which clients compare with the issuer that they know (RFC 9207 §2.4), signed metadata, and assertions, whose audience names the authorization server (RFC 7523 §3).
//! Everything else is kept as the provider wrote it.

use serde_json::{Map, Value};
use thiserror::Error;

use super::Manifest;

/// What is served again, and as whom.
#[derive(Clone, Copy, Debug)]
pub struct Republication<'a> {
    /// The provider's manifest.
    pub manifest: &'a Manifest,
    /// Our issuer for the toolset, which the document is served under.
    pub issuer: &'a str,
    /// Whether the provider was seen to send `iss`, whatever its manifest says.
    pub iss_was_seen: bool,
}

/// Why a manifest cannot be served again.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Unpublishable {
    /// Clients would refuse each of the provider's answers.
    #[error(
        "the provider sends `iss` in its answers, and clients refuse an answer of another issuer than ours: name the provider's own issuer to clients, or let people sign in here (mode `oauth`)"
    )]
    SendsIss,
    /// No client could authenticate.
    #[error(
        "clients authenticate at the provider by signed assertions alone, which are made out to its own issuer: name the provider's own issuer to clients, or let people sign in here (mode `oauth`)"
    )]
    AssertionsOnly,
}

/// Members that hold for the provider's own issuer only.
const DROPPED: [&str; 5] = [
    "authorization_response_iss_parameter_supported",
    "signed_metadata",
    "token_endpoint_auth_signing_alg_values_supported",
    "revocation_endpoint_auth_signing_alg_values_supported",
    "introspection_endpoint_auth_signing_alg_values_supported",
];

/// Endpoints at which clients authenticate, and how they do; the token endpoint comes first.
const AUTHENTICATED: [(&str, &str); 3] = [
    ("token_endpoint", "token_endpoint_auth_methods_supported"),
    (
        "revocation_endpoint",
        "revocation_endpoint_auth_methods_supported",
    ),
    (
        "introspection_endpoint",
        "introspection_endpoint_auth_methods_supported",
    ),
];

/// Methods of client authentication by assertion.
const ASSERTIONS: [&str; 2] = ["private_key_jwt", "client_secret_jwt"];

impl Republication<'_> {
    /// Makes the manifest that is served; what clients would make of it is judged as of any other.
    ///
    /// # Errors
    ///
    /// When clients could not use it.
    pub fn served(&self) -> Result<Manifest, Unpublishable> {
        let sends_iss = self
            .manifest
            .is_true("authorization_response_iss_parameter_supported");
        if sends_iss || self.iss_was_seen {
            return Err(Unpublishable::SendsIss);
        }
        let mut members = self.manifest.members().clone();
        members.retain(|name, _| !DROPPED.contains(&name.as_str()));
        members.insert("issuer".to_owned(), Value::from(self.issuer));
        for (endpoint, methods) in AUTHENTICATED {
            let is_usable = without_assertions(&mut members, methods);
            match endpoint {
                "token_endpoint" if !is_usable => return Err(Unpublishable::AssertionsOnly),
                _ if !is_usable => members.retain(|name, _| name != endpoint && name != methods),
                _ => {}
            }
        }
        Ok(Manifest { members })
    }
}

/// Takes assertions off a list of methods, and tells whether a method is left, if any was listed.
fn without_assertions(members: &mut Map<String, Value>, methods: &str) -> bool {
    let Some(Value::Array(methods)) = members.get_mut(methods) else {
        return true;
    };
    let were_listed = !methods.is_empty();
    methods.retain(|method| !ASSERTIONS.iter().any(|assertion| method == assertion));
    !were_listed || !methods.is_empty()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const US: &str = "https://mcp.example/pets/mcp";

    fn document(members: &Value, iss_was_seen: bool) -> Result<String, Unpublishable> {
        let mut document = json!({
            "issuer": "https://as.example",
            "token_endpoint": "https://as.example/token",
            "x_own": [1, {"a": null}]
        });
        for (name, value) in members.as_object().unwrap() {
            document[name] = value.clone();
        }
        let manifest = Manifest::parse(document.to_string().as_bytes()).unwrap();
        let republication = Republication {
            manifest: &manifest,
            issuer: US,
            iss_was_seen,
        };
        republication
            .served()
            .map(|manifest| serde_json::to_string(&manifest).unwrap())
    }

    #[test]
    fn the_issuer_is_ours_and_everything_else_is_kept() {
        insta::assert_snapshot!(
            document(&json!({}), false).unwrap(),
            @r#"{"issuer":"https://mcp.example/pets/mcp","token_endpoint":"https://as.example/token","x_own":[1,{"a":null}]}"#
        );
    }

    #[test]
    fn c_18_a_provider_that_sends_iss_is_not_served_again() {
        let flag = |flag: bool| json!({"authorization_response_iss_parameter_supported": flag});
        assert_eq!(document(&flag(true), false), Err(Unpublishable::SendsIss));
        assert_eq!(document(&flag(false), true), Err(Unpublishable::SendsIss));
        let written = document(&flag(false), false).unwrap();
        assert!(!written.contains("iss_parameter"), "{written}");
    }

    #[test]
    fn what_holds_for_the_providers_own_issuer_is_dropped() {
        let members = json!({
            "signed_metadata": "a.b.c",
            "token_endpoint_auth_methods_supported": ["none", "private_key_jwt", "client_secret_jwt", "tls_client_auth"],
            "token_endpoint_auth_signing_alg_values_supported": ["RS256"],
            "revocation_endpoint": "https://as.example/revoke",
            "revocation_endpoint_auth_methods_supported": ["private_key_jwt"],
            "revocation_endpoint_auth_signing_alg_values_supported": ["RS256"],
            "introspection_endpoint": "https://as.example/introspect",
            "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_jwt"],
            "introspection_endpoint_auth_signing_alg_values_supported": ["RS256"]
        });
        insta::assert_snapshot!(
            document(&members, false).unwrap(),
            @r#"{"issuer":"https://mcp.example/pets/mcp","token_endpoint":"https://as.example/token","x_own":[1,{"a":null}],"token_endpoint_auth_methods_supported":["none","tls_client_auth"],"introspection_endpoint":"https://as.example/introspect","introspection_endpoint_auth_methods_supported":["client_secret_basic"]}"#
        );
    }

    #[test]
    fn a_provider_that_takes_assertions_alone_is_not_served_again() {
        let methods = |methods: Value| json!({"token_endpoint_auth_methods_supported": methods});
        let only = methods(json!(["private_key_jwt"]));
        assert_eq!(document(&only, false), Err(Unpublishable::AssertionsOnly));
        assert!(document(&methods(json!([])), false).is_ok());
    }
}
