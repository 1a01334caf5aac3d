//! Metadata documents: what we tell clients about ourselves ([RFC 8414](https://www.rfc-editor.org/rfc/rfc8414)) and about each toolset ([RFC 9728](https://www.rfc-editor.org/rfc/rfc9728)).
//!
//! Everything is built from the configured public URL, never from a request.
//! Clients compare the issuer byte for byte, here, in `authorization_servers` and in the `iss` of a response; it has no trailing slash anywhere.
//! Only what exists is announced.

use portcullis_base::{Origin, Slug};
use serde::Serialize;

use crate::pkce;
use crate::resource::{Resource, naming_query};
use crate::scope::{OFFLINE_ACCESS, Scopes};

/// How clients of every kind authenticate.
const AUTH_METHODS: [&str; 3] = ["none", "client_secret_basic", "client_secret_post"];

/// What we are as authorization server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuthorizationServerMetadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    registration_endpoint: String,
    revocation_endpoint: String,
    introspection_endpoint: String,
    scopes_supported: Vec<String>,
    response_types_supported: [&'static str; 1],
    response_modes_supported: [&'static str; 1],
    grant_types_supported: [&'static str; 2],
    token_endpoint_auth_methods_supported: [&'static str; 3],
    revocation_endpoint_auth_methods_supported: [&'static str; 3],
    introspection_endpoint_auth_methods_supported: [&'static str; 2],
    code_challenge_methods_supported: [&'static str; 1],
    authorization_response_iss_parameter_supported: bool,
}

/// What a toolset is as protected resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProtectedResourceMetadata {
    resource: String,
    authorization_servers: [String; 1],
    scopes_supported: Vec<String>,
    bearer_methods_supported: [&'static str; 1],
    resource_name: String,
}

/// Describes the authorization server; `scopes` are those of all toolsets.
///
/// `offline_access` is added, because clients that want a refresh token ask for it only where it is announced.
#[must_use]
pub fn authorization_server(issuer: &Origin, scopes: &Scopes) -> AuthorizationServerMetadata {
    let mut scopes_supported = of_resources(scopes);
    scopes_supported.push(OFFLINE_ACCESS.to_owned());
    AuthorizationServerMetadata {
        issuer: issuer.to_string(),
        authorization_endpoint: format!("{issuer}/authorize"),
        token_endpoint: format!("{issuer}/token"),
        registration_endpoint: format!("{issuer}/register"),
        revocation_endpoint: format!("{issuer}/revoke"),
        introspection_endpoint: format!("{issuer}/introspect"),
        scopes_supported,
        response_types_supported: ["code"],
        response_modes_supported: ["query"],
        grant_types_supported: ["authorization_code", "refresh_token"],
        token_endpoint_auth_methods_supported: AUTH_METHODS,
        revocation_endpoint_auth_methods_supported: AUTH_METHODS,
        // Who has no secret learns nothing about tokens.
        introspection_endpoint_auth_methods_supported: [
            "client_secret_basic",
            "client_secret_post",
        ],
        code_challenge_methods_supported: [pkce::METHOD],
        authorization_response_iss_parameter_supported: true,
    }
}

/// Describes the MCP endpoint of a toolset; `scopes` are those that its tools need.
///
/// `offline_access` is left out, since it is no scope of the resource.
#[must_use]
pub fn protected_resource(
    public_url: &Origin,
    toolset: &Slug,
    title: &str,
    authorization_server: String,
    scopes: &Scopes,
) -> ProtectedResourceMetadata {
    ProtectedResourceMetadata {
        resource: Resource::of_toolset(public_url, toolset).to_string(),
        authorization_servers: [authorization_server],
        scopes_supported: of_resources(scopes),
        bearer_methods_supported: ["header"],
        resource_name: title.to_owned(),
    }
}

impl ProtectedResourceMetadata {
    /// Names the resource with the query that the client asked for it by; see [`naming_query`].
    #[must_use]
    pub fn named_with(mut self, query: Option<&str>) -> Self {
        if let Some(query) = naming_query(query) {
            self.resource = format!("{}?{query}", self.resource);
        }
        self
    }
}

fn of_resources(scopes: &Scopes) -> Vec<String> {
    let scopes = scopes.iter().filter(|scope| *scope != OFFLINE_ACCESS);
    scopes.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn documents() -> (String, String) {
        let us = Origin::parse("https://mcp.example/").unwrap();
        let toolset = Slug::parse("pets").unwrap();
        let scopes = Scopes::parse("pets:write pets:read offline_access").unwrap();
        (
            serde_json::to_string_pretty(&authorization_server(&us, &scopes)).unwrap(),
            serde_json::to_string_pretty(&protected_resource(
                &us,
                &toolset,
                "Pets",
                us.to_string(),
                &scopes,
            ))
            .unwrap(),
        )
    }

    #[test]
    fn the_authorization_server_announces_what_there_is() {
        insta::assert_snapshot!(documents().0);
    }

    #[test]
    fn a_toolset_names_its_authorization_server_and_its_scopes() {
        insta::assert_snapshot!(documents().1);
    }

    #[test]
    fn c_18_the_issuer_is_the_same_text_everywhere() {
        let (server, resource) = documents();
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        let (server, resource) = (read(&server), read(&resource));
        assert_eq!(server["issuer"], "https://mcp.example");
        assert_eq!(server["issuer"], resource["authorization_servers"][0]);
        assert_eq!(
            server["authorization_response_iss_parameter_supported"],
            true
        );
    }

    #[test]
    fn p_02_c_16_only_s256_and_the_query_are_announced() {
        let server = serde_json::from_str::<serde_json::Value>(&documents().0).unwrap();
        assert_eq!(
            server["code_challenge_methods_supported"],
            serde_json::json!(["S256"])
        );
        assert_eq!(
            server["response_modes_supported"],
            serde_json::json!(["query"])
        );
        assert_eq!(
            server["response_types_supported"],
            serde_json::json!(["code"])
        );
    }
}
