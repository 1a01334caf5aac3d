//! Questions to a provider about a token: introspection and probes.

use portcullis_base::{SafeUrl, Secret};
use portcullis_oauth::client_auth::{
    ClientAuthentication, client_id_alone, client_secret_basic, client_secret_post,
};
use portcullis_oauth::guard::introspection::IntrospectionRequest;

use super::super::http::HttpAnswer;
use super::super::providers::exchange::Asked;
use super::super::providers::{Endpoint, ProviderError, Providers};
use super::ResolvedManifest;

/// Asks whether a token is active, and whom it is for.
pub(super) async fn introspect(
    providers: &Providers,
    token: &Secret,
    manifest: &ResolvedManifest,
    url: &SafeUrl,
) -> Result<HttpAnswer, ProviderError> {
    let asked = Asked {
        provider: &manifest.slug,
        endpoint: Endpoint::Introspection,
        url,
    };
    let request = IntrospectionRequest { token };
    let methods = "introspection_endpoint_auth_methods_supported";
    post(providers, &asked, manifest, methods, request.fields(), []).await
}

/// Tries a token out.
pub(super) async fn probe(
    providers: &Providers,
    token: &Secret,
    manifest: &ResolvedManifest,
    url: &SafeUrl,
) -> Result<HttpAnswer, ProviderError> {
    let asked = Asked {
        provider: &manifest.slug,
        endpoint: Endpoint::Probe,
        url,
    };
    let request = asked.bearing(token)?;
    asked.exchange(providers.http(), request).await
}

/// Sends a form with our credentials, in the way that the provider says it takes them.
pub(super) async fn post<'a>(
    providers: &Providers,
    asked: &Asked<'_>,
    manifest: &ResolvedManifest,
    methods: &str,
    fields: impl Iterator<Item = (&'static str, &'a str)>,
    further: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<HttpAnswer, ProviderError> {
    let request = asked.form(fields, authentication(manifest, methods), further)?;
    asked.exchange(providers.http(), request).await
}

/// Without a word from the provider, the header is what every server must take (RFC 6749 §2.3.1).
fn authentication(manifest: &ResolvedManifest, methods: &str) -> Option<ClientAuthentication> {
    let registration = manifest.registration.as_ref()?;
    let id = &registration.client_id;
    let Some(secret) = &registration.secret else {
        return Some(client_id_alone(id));
    };
    let listed = manifest.manifest.texts(methods);
    let listed = listed.or_else(|| {
        let fallback = "token_endpoint_auth_methods_supported";
        manifest.manifest.texts(fallback)
    });
    let has = |name| listed.as_ref().is_some_and(|listed| listed.contains(&name));
    Some(
        if has("client_secret_post") && !has("client_secret_basic") {
            client_secret_post(id, secret)
        } else {
            client_secret_basic(id, secret)
        },
    )
}
