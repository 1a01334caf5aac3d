//! What a provider says of itself: OpenID Connect Discovery 1.0 and [RFC 8414](https://www.rfc-editor.org/rfc/rfc8414).
//!
//! Unknown members are left alone; the issuer must be exactly the one that was asked.

use portcullis_base::SafeUrl;
use serde::Deserialize;
use thiserror::Error;

use super::profile::SecretMethod;
use crate::pkce;

/// The part of a metadata document that we use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderMetadata {
    /// `authorization_endpoint`.
    pub authorization: Option<SafeUrl>,
    /// `token_endpoint`.
    pub token: Option<SafeUrl>,
    /// `userinfo_endpoint`.
    pub userinfo: Option<SafeUrl>,
    /// `jwks_uri`.
    pub jwks: Option<SafeUrl>,
    /// `revocation_endpoint` (RFC 7009), where it is one that can be used: nobody's sign-in depends on it.
    pub revocation: Option<SafeUrl>,
    /// `authorization_response_iss_parameter_supported` (RFC 9207).
    pub sends_iss: bool,
    /// How a secret is sent, by `token_endpoint_auth_methods_supported`.
    pub secret_method: Option<SecretMethod>,
    /// `scopes_supported`, where it is told.
    pub scopes: Option<Vec<String>>,
    /// `code_challenge_methods_supported`, where it is told.
    pub challenge_methods: Option<Vec<String>>,
}

/// Why a document is not used.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum InvalidMetadata {
    /// It is no metadata document.
    #[error("it is no JSON document of the form that providers publish")]
    Malformed,
    /// It is about somebody else.
    #[error("it names another issuer than the one that was asked")]
    OtherIssuer,
    /// A member is no URL that can be used.
    #[error("its `{0}` is no URL that can be used")]
    Url(&'static str),
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    userinfo_endpoint: Option<String>,
    jwks_uri: Option<String>,
    revocation_endpoint: Option<String>,
    authorization_response_iss_parameter_supported: Option<bool>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    scopes_supported: Option<Vec<String>>,
    code_challenge_methods_supported: Option<Vec<String>>,
}

/// The well-known place of OpenID Connect Discovery 1.0.
pub(crate) const OPENID: &str = "/.well-known/openid-configuration";

/// The well-known place of RFC 8414.
pub(crate) const OAUTH: &str = "/.well-known/oauth-authorization-server";

/// Returns where the metadata of an issuer may stand, the usual place first.
///
/// OpenID Connect Discovery 1.0 §4.1 appends to the path, RFC 8414 §3.1 puts the path behind.
#[must_use]
pub fn locations(issuer: &SafeUrl) -> [String; 2] {
    let origin = issuer.as_url().origin().ascii_serialization();
    // "any terminating '/' MUST be removed"
    let path = issuer.as_url().path().trim_end_matches('/');
    [
        format!("{origin}{path}{OPENID}"),
        format!("{origin}{OAUTH}{path}"),
    ]
}

impl ProviderMetadata {
    /// Reads the document of `issuer`.
    ///
    /// # Errors
    ///
    /// When it is malformed, about another issuer, or names endpoints that are no URLs.
    pub fn read(body: &[u8], issuer: &str) -> Result<Self, InvalidMetadata> {
        let document: Document =
            serde_json::from_slice(body).map_err(|_| InvalidMetadata::Malformed)?;
        // "The issuer value returned MUST be identical to the Issuer URL that was used"
        if document.issuer != issuer {
            return Err(InvalidMetadata::OtherIssuer);
        }
        let methods = document.token_endpoint_auth_methods_supported;
        Ok(Self {
            authorization: url("authorization_endpoint", document.authorization_endpoint)?,
            token: url("token_endpoint", document.token_endpoint)?,
            userinfo: url("userinfo_endpoint", document.userinfo_endpoint)?,
            jwks: url("jwks_uri", document.jwks_uri)?,
            revocation: document
                .revocation_endpoint
                .and_then(|text| SafeUrl::parse(&text).ok()),
            sends_iss: document.authorization_response_iss_parameter_supported == Some(true),
            secret_method: methods.and_then(|methods| secret_method(&methods)),
            scopes: document.scopes_supported,
            challenge_methods: document.code_challenge_methods_supported,
        })
    }

    /// Tells whether a scope may be asked for: the document lists it, or no scopes at all.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        let Some(scopes) = &self.scopes else {
            return true;
        };
        scopes.iter().any(|listed| listed == scope)
    }

    /// Tells whether PKCE may be used as we do: the document lists S256, or no methods at all.
    #[must_use]
    pub fn takes_s256(&self) -> bool {
        let Some(methods) = &self.challenge_methods else {
            return true;
        };
        methods.iter().any(|method| method == pkce::METHOD)
    }
}

fn url(name: &'static str, text: Option<String>) -> Result<Option<SafeUrl>, InvalidMetadata> {
    text.map(|text| SafeUrl::parse(&text).map_err(|_| InvalidMetadata::Url(name)))
        .transpose()
}

fn secret_method(methods: &[String]) -> Option<SecretMethod> {
    let has = |name: &str| methods.iter().any(|method| method == name);
    if has("client_secret_post") {
        return Some(SecretMethod::Post);
    }
    has("client_secret_basic").then_some(SecretMethod::Basic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(document: &Value) -> Result<ProviderMetadata, InvalidMetadata> {
        ProviderMetadata::read(document.to_string().as_bytes(), "https://as.example/t")
    }

    fn places(issuer: &str) -> [String; 2] {
        locations(&SafeUrl::parse(issuer).unwrap())
    }

    #[test]
    fn metadata_stands_before_or_behind_the_path() {
        assert_eq!(
            places("https://as.example/t/"),
            [
                "https://as.example/t/.well-known/openid-configuration",
                "https://as.example/.well-known/oauth-authorization-server/t"
            ]
        );
        assert_eq!(
            places("https://as.example"),
            [
                "https://as.example/.well-known/openid-configuration",
                "https://as.example/.well-known/oauth-authorization-server"
            ]
        );
    }

    #[test]
    fn what_is_absent_or_null_is_unknown() {
        let metadata =
            read(&json!({"issuer": "https://as.example/t", "jwks_uri": null, "more": 1}));
        let metadata = metadata.unwrap();
        assert_eq!(
            (metadata.token.clone(), metadata.jwks.clone()),
            (None, None)
        );
        assert!(!metadata.sends_iss && metadata.has_scope("offline_access"));
        assert_eq!(metadata.secret_method, None);
    }

    #[test]
    fn the_form_is_taken_before_the_header() {
        for (methods, method) in [
            (
                json!(["client_secret_basic", "client_secret_post"]),
                Some(SecretMethod::Post),
            ),
            (
                json!(["none", "client_secret_basic"]),
                Some(SecretMethod::Basic),
            ),
            (json!(["private_key_jwt"]), None),
        ] {
            let metadata = read(&json!({
                "issuer": "https://as.example/t",
                "token_endpoint_auth_methods_supported": methods,
                "scopes_supported": ["openid"],
                "authorization_response_iss_parameter_supported": true
            }));
            let metadata = metadata.unwrap();
            assert_eq!(metadata.secret_method, method);
            assert!(metadata.sends_iss && !metadata.has_scope("offline_access"));
        }
    }

    #[test]
    fn c_18_the_metadata_of_another_issuer_is_refused() {
        for issuer in [
            "https://as.example/t/",
            "https://as.example",
            "https://AS.example/t",
            "",
        ] {
            assert_eq!(
                read(&json!({"issuer": issuer})),
                Err(InvalidMetadata::OtherIssuer)
            );
        }
        assert_eq!(read(&json!({})), Err(InvalidMetadata::Malformed));
        assert_eq!(read(&json!([])), Err(InvalidMetadata::Malformed));
    }

    #[test]
    fn a_revocation_endpoint_that_cannot_be_used_is_no_reason_to_use_nothing() {
        for (url, is_used) in [
            ("https://as.example/revoke", true),
            ("javascript:alert(1)", false),
            ("", false),
        ] {
            let document = json!({"issuer": "https://as.example/t", "revocation_endpoint": url});
            assert_eq!(
                read(&document).unwrap().revocation.is_some(),
                is_used,
                "{url}"
            );
        }
    }

    #[test]
    fn s256_may_be_used_unless_a_list_lacks_it() {
        for (methods, may) in [
            (json!(null), true),
            (json!(["plain", "S256"]), true),
            (json!(["plain"]), false),
            (json!([]), false),
        ] {
            let metadata = read(&json!({
                "issuer": "https://as.example/t",
                "code_challenge_methods_supported": methods
            }));
            assert_eq!(metadata.unwrap().takes_s256(), may, "{methods}");
        }
    }

    #[test]
    fn an_endpoint_that_is_no_web_address_is_refused() {
        for url in [
            "javascript:alert(1)",
            "file:///etc/passwd",
            "https://a@b.example/",
            "/token",
        ] {
            let document = json!({"issuer": "https://as.example/t", "token_endpoint": url});
            assert_eq!(
                read(&document),
                Err(InvalidMetadata::Url("token_endpoint")),
                "{url}"
            );
        }
    }
}
