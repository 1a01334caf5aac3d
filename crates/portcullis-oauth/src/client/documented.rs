//! Whether an OpenAPI document means a provider: by the URLs that its security schemes name.
//!
//! Decides by URLs alone, without metadata, and only on the word of a URL that is the provider's own to give away.

use portcullis_base::SafeUrl;
use url::Host;

use super::issuer::ExpectedIssuer;
use super::profile::TENANT;
use super::provider::ResolvedProvider;

/// What follows an issuer where OpenID Connect puts its metadata.
pub(crate) const DISCOVERY: &str = "/.well-known/openid-configuration";

impl ResolvedProvider {
    /// Tells whether a document that sends people to `authorization_url` means this provider.
    ///
    /// Where only metadata knows the endpoint, every URL below the issuer's is its own.
    #[must_use]
    pub fn is_at(&self, authorization_url: &str) -> bool {
        let Ok(url) = SafeUrl::parse(authorization_url) else {
            return false;
        };
        match &self.endpoints().authorization {
            Some(own) => is_same(own, &url) || self.shared().any(|shared| is_same(&shared, &url)),
            None => self
                .issuer()
                .and_then(ExpectedIssuer::exact)
                .and_then(|issuer| SafeUrl::parse(issuer).ok())
                .is_some_and(|issuer| is_below(&issuer, &url)),
        }
    }

    /// Tells whether a document whose `openIdConnectUrl` is `url` means this provider.
    #[must_use]
    pub fn is_discovered_at(&self, url: &str) -> bool {
        let Some(named) = url.strip_suffix(DISCOVERY) else {
            return false;
        };
        let is_named = |issuer: &str| {
            let issuer = SafeUrl::parse(issuer.trim_end_matches('/'));
            issuer.is_ok_and(|issuer| SafeUrl::parse(named).is_ok_and(|it| is_same(&issuer, &it)))
        };
        match self.issuer() {
            None => false,
            Some(ExpectedIssuer::Exact(issuer)) => is_named(issuer),
            Some(ExpectedIssuer::PerTenant { before, after, .. }) => {
                let shared = self.profile().shared_tenants.iter().map(String::as_str);
                let mut tenants = shared.chain(self.tenant());
                tenants.any(|tenant| is_named(&format!("{before}{tenant}{after}")))
            }
        }
    }

    /// Tells whether a URL is at a host of the provider's: the one where people sign in, its issuer's, or one below either.
    #[must_use]
    pub fn has_host_of(&self, url: &str) -> bool {
        let issuer = self.issuer().and_then(ExpectedIssuer::exact);
        let issuer = issuer.and_then(|issuer| SafeUrl::parse(issuer).ok());
        let authorization = self.endpoints().authorization.clone();
        let Ok(url) = SafeUrl::parse(url) else {
            return false;
        };
        let own = authorization.into_iter().chain(issuer);
        own.into_iter().any(|own| is_host_or_below(&own, &url))
    }

    /// Returns the authorization endpoint as documents write it that mean no tenant; none where the operator means another place than the profile does.
    fn shared(&self) -> impl Iterator<Item = SafeUrl> {
        let template = self.profile().endpoints.authorization.as_ref();
        let template = template.filter(|_| self.tenant().is_some());
        template.into_iter().flat_map(|template| {
            let shared = self.profile().shared_tenants.iter();
            shared.filter_map(|tenant| SafeUrl::parse(&template.replace(TENANT, tenant)).ok())
        })
    }

    /// Returns what stands in the profile's template of the authorization endpoint in the place of the tenant.
    fn tenant(&self) -> Option<&str> {
        let template = self.profile().endpoints.authorization.as_ref()?;
        let (before, after) = template.split_once(TENANT)?;
        let own = self.endpoints().authorization.as_ref()?.as_url().as_str();
        let tenant = own.strip_prefix(before)?.strip_suffix(after)?;
        (!tenant.is_empty() && !tenant.contains('/')).then_some(tenant)
    }
}

/// Addresses have no hosts below them; ports are as many servers of one host.
pub(crate) fn is_host_or_below(own: &SafeUrl, other: &SafeUrl) -> bool {
    let (Some(own), Some(other)) = (own.as_url().host(), other.as_url().host()) else {
        return false;
    };
    match (own, other) {
        (Host::Domain(own), Host::Domain(other)) => {
            let before = other.strip_suffix(own);
            before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
        }
        (own, other) => own == other,
    }
}

/// Compares URLs as browsers read them; a query counts only where our own has one.
pub(crate) fn is_same(own: &SafeUrl, other: &SafeUrl) -> bool {
    let (query, others) = (own.as_url().query(), other.as_url().query());
    own.origin() == other.origin()
        && path(own) == path(other)
        && (query.is_none() || query == others)
}

fn is_below(issuer: &SafeUrl, url: &SafeUrl) -> bool {
    issuer.origin() == url.origin()
        && path(url)
            .strip_prefix(path(issuer))
            .is_some_and(|rest| rest.starts_with('/'))
}

fn path(url: &SafeUrl) -> &str {
    let path = url.as_url().path();
    path.strip_suffix('/').unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::client::fixtures::{openid, plain, resolve};
    use crate::client::provider::ProviderOverrides;

    fn provider(profile: Value, set: impl FnOnce(&mut ProviderOverrides)) -> ResolvedProvider {
        let mut overrides = ProviderOverrides::default();
        set(&mut overrides);
        resolve(profile, &overrides).unwrap()
    }

    fn with_tenants(tenant: &str) -> ResolvedProvider {
        let profile = json!({
            "name": "Tenants",
            "issuer": "https://login.example/{tenantid}/v2.0",
            "shared_tenants": ["common"],
            "endpoints": {
                "authorization": "https://login.example/{tenant}/authorize",
                "token": "https://login.example/{tenant}/token",
                "jwks": "https://login.example/{tenant}/keys"
            },
            "scopes": {"identity": ["openid"]},
            "identity": [{"from": "id_token", "subject": "/sub"}]
        });
        provider(profile, |o| o.tenant = Some(tenant.to_owned()))
    }

    #[test]
    fn the_authorization_endpoint_says_which_provider_is_meant() {
        let acme = provider(plain(), |_| {});
        for (url, expected) in [
            ("https://acme.example/authorize", true),
            ("https://ACME.example:443/authorize/", true),
            ("https://acme.example/authorize?access_type=offline", true),
            ("https://acme.example/authorize/more", false),
            ("https://acme.example/Authorize", false),
            ("http://acme.example/authorize", false),
            ("https://acme.example.evil.example/authorize", false),
            ("https://acme.example@evil.example/authorize", false),
            ("/authorize", false),
            ("", false),
        ] {
            assert_eq!(acme.is_at(url), expected, "{url}");
        }
    }

    #[test]
    fn a_query_of_our_own_endpoint_counts() {
        let acme = provider(plain(), |o| {
            o.endpoints.authorization = Some("https://acme.example/authorize?p=one".to_owned());
        });
        assert!(acme.is_at("https://acme.example/authorize?p=one"));
        assert!(!acme.is_at("https://acme.example/authorize?p=two"));
        assert!(!acme.is_at("https://acme.example/authorize"));
    }

    #[test]
    fn where_the_endpoint_is_not_known_it_lies_below_the_issuer() {
        for issuer in [
            "https://as.example/realms/one",
            "https://as.example/realms/one/",
        ] {
            let one = provider(openid(), |o| o.issuer = Some(issuer.to_owned()));
            assert!(one.is_at("https://as.example/realms/one/protocol/auth"));
            for other in [
                "https://as.example/realms/one2/auth",
                "https://as.example/realms/one/../two/auth",
                "https://as.example/realms/two/auth",
                "https://evil.example/realms/one/auth",
                "https://as.example/realms/one",
            ] {
                assert!(!one.is_at(other), "{issuer} {other}");
            }
        }
    }

    #[test]
    fn the_discovery_url_says_which_issuer_is_meant() {
        for issuer in ["https://as.example/one", "https://as.example/one/"] {
            let one = provider(openid(), |o| o.issuer = Some(issuer.to_owned()));
            for (url, expected) in [
                (
                    "https://as.example/one/.well-known/openid-configuration",
                    true,
                ),
                (
                    "https://as.example/two/.well-known/openid-configuration",
                    false,
                ),
                ("https://as.example/.well-known/openid-configuration", false),
                ("https://as.example/one", false),
            ] {
                assert_eq!(one.is_discovered_at(url), expected, "{issuer} {url}");
            }
        }
        let plain = provider(plain(), |_| {});
        assert!(!plain.is_discovered_at("https://acme.example/.well-known/openid-configuration"));
    }

    #[test]
    fn a_document_may_mean_no_tenant_but_never_another_one() {
        let ours = with_tenants("acme.example");
        for (tenant, expected) in [("acme.example", true), ("common", true), ("other", false)] {
            let authorization = format!("https://login.example/{tenant}/authorize");
            assert_eq!(ours.is_at(&authorization), expected, "{tenant}");
            let discovery =
                format!("https://login.example/{tenant}/v2.0/.well-known/openid-configuration");
            assert_eq!(ours.is_discovered_at(&discovery), expected, "{tenant}");
        }
    }

    #[test]
    fn the_profiles_place_counts_for_nothing_once_the_operator_means_another() {
        let mut profile = plain();
        profile["endpoints"]["userinfo"] = Value::Null;
        profile["identity"] = json!([]);
        let moved = provider(profile, |o| {
            o.endpoints.authorization = Some("https://inside.example/authorize".to_owned());
            o.endpoints.token = Some("https://inside.example/token".to_owned());
        });
        assert!(moved.is_at("https://inside.example/authorize"));
        assert!(!moved.is_at("https://acme.example/authorize"));
    }
}
