//! Providers for the tests of several rules.

use std::sync::Arc;

use portcullis_base::{Secret, Slug};
use serde_json::{Value, json};

use super::metadata::ProviderMetadata;
use super::provider::{ClientRegistration, InvalidProvider, ProviderOverrides, ResolvedProvider};
use super::ready::ReadyProvider;

/// Resolves a profile.
pub(super) fn resolve(
    profile: Value,
    overrides: &ProviderOverrides,
) -> Result<ResolvedProvider, InvalidProvider> {
    let profile = serde_json::from_value(profile).expect("a profile");
    let client = ClientRegistration {
        id: "our client".to_owned(),
        secret: Some(Secret::new("our secret".to_owned())),
    };
    ResolvedProvider::resolve(
        Slug::parse("acme").unwrap(),
        Arc::new(profile),
        client,
        overrides,
    )
}

/// Makes a provider that needs no metadata.
pub(super) fn ready(profile: Value, overrides: &ProviderOverrides) -> ReadyProvider {
    let provider = resolve(profile, overrides).expect("a provider");
    ReadyProvider::new(Arc::new(provider), None).expect("a provider that can be used")
}

/// A profile with endpoints of its own.
pub(super) fn plain() -> Value {
    json!({
        "name": "Acme",
        "endpoints": {
            "authorization": "https://acme.example/authorize",
            "token": "https://acme.example/token",
            "userinfo": "https://api.acme.example/user"
        },
        "identity": [{"from": "userinfo", "subject": "/id"}]
    })
}

/// A profile of OpenID Connect.
pub(super) fn openid() -> Value {
    json!({
        "name": "OpenID",
        "discovery": true,
        "scopes": {"identity": ["openid", "email"], "offline": "offline_access"},
        "identity": [{
            "from": "id_token", "subject": "/sub",
            "email": "/email", "email_verified": "/email_verified"
        }]
    })
}

/// Reads metadata of `https://as.example` with further members.
pub(super) fn metadata(members: &Value) -> ProviderMetadata {
    let mut document = json!({
        "issuer": "https://as.example",
        "authorization_endpoint": "https://as.example/authorize",
        "token_endpoint": "https://as.example/token",
        "userinfo_endpoint": "https://as.example/userinfo",
        "jwks_uri": "https://as.example/jwks"
    });
    for (name, value) in members.as_object().expect("members") {
        document[name] = value.clone();
    }
    ProviderMetadata::read(document.to_string().as_bytes(), "https://as.example").expect("metadata")
}

/// Makes a provider of OpenID Connect with metadata.
pub(super) fn discovered(members: &Value) -> ReadyProvider {
    let overrides = ProviderOverrides {
        issuer: Some("https://as.example".to_owned()),
        ..ProviderOverrides::default()
    };
    let provider = resolve(openid(), &overrides).expect("a provider");
    ReadyProvider::new(Arc::new(provider), Some(&metadata(members))).expect("a usable provider")
}
