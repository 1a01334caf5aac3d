//! Whether an OpenAPI document means a manifest's authorization server: by the URLs that its security schemes name.

use portcullis_base::SafeUrl;

use super::Manifest;
use crate::client::documented::{DISCOVERY, is_host_or_below, is_same};

/// Returns the issuer whose metadata stands at `url`, where it is a place of OpenID Connect.
#[must_use]
pub fn discovered_issuer(url: &str) -> Option<&str> {
    url.strip_suffix(DISCOVERY)
}

impl Manifest {
    /// Tells whether a document that sends people to `authorization_url` means this authorization server.
    #[must_use]
    pub fn is_at(&self, authorization_url: &str) -> bool {
        let own = self.url("authorization_endpoint");
        let named = SafeUrl::parse(authorization_url).ok();
        own.zip(named)
            .is_some_and(|(own, named)| is_same(&own, &named))
    }

    /// Tells whether a document whose `openIdConnectUrl` is `url` means this authorization server.
    #[must_use]
    pub fn is_discovered_at(&self, url: &str) -> bool {
        let issuer = discovered_issuer(url);
        issuer.is_some_and(|issuer| issuer == self.issuer().trim_end_matches('/'))
    }

    /// Tells whether a URL is at a host of the authorization server's: the one where people sign in, its issuer's, or one below either.
    #[must_use]
    pub fn has_host_of(&self, url: &str) -> bool {
        let Ok(url) = SafeUrl::parse(url) else {
            return false;
        };
        let own = ["issuer", "authorization_endpoint"].map(|name| self.url(name));
        own.into_iter()
            .flatten()
            .any(|own| is_host_or_below(&own, &url))
    }

    /// Returns a member that is a URL which can be used.
    #[must_use]
    pub fn url(&self, name: &str) -> Option<SafeUrl> {
        SafeUrl::parse(self.text(name)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn manifest() -> Manifest {
        let document = json!({
            "issuer": "https://login.example/tenant",
            "authorization_endpoint": "https://people.example/authorize",
            "token_endpoint": "javascript:alert(1)"
        });
        Manifest::parse(document.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn a_document_means_the_server_whose_endpoint_it_names() {
        for (url, is_meant) in [
            ("https://people.example/authorize", true),
            ("https://people.example/authorize/", true),
            ("https://people.example/authorize?tenant=a", true),
            ("https://people.example/other", false),
            ("https://people.example.evil.example/authorize", false),
            ("/authorize", false),
        ] {
            assert_eq!(manifest().is_at(url), is_meant, "{url}");
        }
    }

    #[test]
    fn a_document_means_the_server_whose_discovery_it_names() {
        for (url, is_meant) in [
            (
                "https://login.example/tenant/.well-known/openid-configuration",
                true,
            ),
            (
                "https://login.example/.well-known/openid-configuration",
                false,
            ),
            ("https://login.example/tenant", false),
        ] {
            assert_eq!(manifest().is_discovered_at(url), is_meant, "{url}");
        }
    }

    #[test]
    fn hosts_of_the_server_are_its_own_and_those_below() {
        for (url, is_own) in [
            ("https://login.example/api", true),
            ("https://api.login.example/", true),
            ("https://people.example:8443/", true),
            ("https://example/", false),
            ("https://evil-login.example/", false),
        ] {
            assert_eq!(manifest().has_host_of(url), is_own, "{url}");
        }
    }

    #[test]
    fn what_is_no_web_address_is_no_url() {
        assert_eq!(manifest().url("token_endpoint"), None);
        assert_eq!(manifest().url("absent"), None);
    }
}
