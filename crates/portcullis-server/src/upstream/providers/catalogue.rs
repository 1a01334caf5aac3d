//! The profiles that ship with the program, and what an operator's settings make of one.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use portcullis_base::{Secret, Slug};
use portcullis_oauth::client::profile::{EndpointTexts, ProviderProfile};
use portcullis_oauth::client::provider::{
    ClientRegistration, InvalidProvider, ProviderOverrides, ResolvedProvider,
};
use portcullis_store::{ProviderSettings, UpstreamProvider};
use thiserror::Error;

static SHIPPED: LazyLock<BTreeMap<String, Arc<ProviderProfile>>> = LazyLock::new(|| {
    let profiles: BTreeMap<String, ProviderProfile> =
        toml::from_str(include_str!("../providers.toml"))
            .expect("the text is compiled in, and a test reads it");
    let shared = profiles.into_iter();
    shared
        .map(|(name, profile)| (name, Arc::new(profile)))
        .collect()
});

/// Why what is stored of a provider makes none.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum UnusableProvider {
    /// There is no such profile.
    #[error("there is no profile `{name}`; there are {known}")]
    NoProfile {
        /// The name.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// The settings do not go together.
    #[error(transparent)]
    Settings(#[from] InvalidProvider),
}

/// Returns the names of all profiles.
pub fn profile_names() -> impl Iterator<Item = &'static str> {
    SHIPPED.keys().map(String::as_str)
}

/// Returns a profile.
#[must_use]
pub fn profile(name: &str) -> Option<Arc<ProviderProfile>> {
    SHIPPED.get(name).map(Arc::clone)
}

/// Puts a profile and what is stored of an operator's settings together.
///
/// # Errors
///
/// When there is no such profile, or the settings are incomplete, wrong, or do not go together.
pub fn resolve(stored: &UpstreamProvider) -> Result<ResolvedProvider, UnusableProvider> {
    let secret = stored.client_secret.as_ref();
    resolve_settings(&stored.slug, &stored.settings, secret)
}

/// Puts a profile and an operator's settings together.
///
/// # Errors
///
/// As [`resolve`].
pub fn resolve_settings(
    slug: &Slug,
    settings: &ProviderSettings,
    secret: Option<&Secret>,
) -> Result<ResolvedProvider, UnusableProvider> {
    let profile = profile(&settings.profile).ok_or_else(|| UnusableProvider::NoProfile {
        name: settings.profile.clone(),
        known: profile_names()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", "),
    })?;
    let client = ClientRegistration {
        id: settings.client_id.clone(),
        secret: secret.cloned(),
    };
    let overrides = ProviderOverrides {
        name: settings.name.clone(),
        issuer: settings.issuer.clone(),
        tenant: settings.tenant.clone(),
        endpoints: EndpointTexts {
            authorization: settings.endpoints.authorization.clone(),
            token: settings.endpoints.token.clone(),
            userinfo: settings.endpoints.userinfo.clone(),
            jwks: settings.endpoints.jwks.clone(),
            revocation: settings.endpoints.revocation.clone(),
        },
        scopes: settings.scopes.clone(),
        allow: settings.allow.clone(),
        parameters: settings.parameters.clone(),
        keep_alive: settings.keep_alive_seconds.map(Duration::from_secs),
    };
    let resolved = ResolvedProvider::resolve(slug.clone(), profile, client, &overrides);
    resolved.map_err(UnusableProvider::Settings)
}

#[cfg(test)]
mod tests {
    use portcullis_base::{ProviderId, Timestamp};
    use portcullis_oauth::client::ready::ReadyProvider;
    use portcullis_store::{Owner, ProviderEndpoints};

    use super::*;
    use crate::ambient::SystemRng;

    fn stored(settings: ProviderSettings) -> UpstreamProvider {
        UpstreamProvider {
            id: ProviderId::new(Timestamp::from_millis(0), &SystemRng),
            slug: Slug::parse("acme").unwrap(),
            owner: Owner::File,
            settings,
            client_secret: None,
            updated_at: Timestamp::from_millis(0),
        }
    }

    fn settings(profile: &str) -> ProviderSettings {
        ProviderSettings {
            profile: profile.to_owned(),
            client_id: "us".to_owned(),
            ..ProviderSettings::default()
        }
    }

    #[test]
    fn every_profile_is_complete() {
        let names: Vec<_> = profile_names().collect();
        assert_eq!(names, ["entra", "github", "google", "oauth2", "oidc"]);
        for name in names {
            let profile = profile(name).unwrap();
            assert_eq!(profile.check(), Ok(()), "{name}");
            assert!(
                !profile.hints.is_empty() && !profile.identity.is_empty(),
                "{name}"
            );
            let mut settings = settings(name);
            settings.tenant = Some("organizations".to_owned());
            if profile.discovery && profile.issuer.is_none() {
                settings.issuer = Some("https://as.example".to_owned());
            }
            let resolved = resolve(&stored(settings));
            assert!(resolved.is_ok(), "{name}: {:?}", resolved.err());
        }
    }

    #[test]
    fn f_09_github_revokes_tokens_of_our_own_client_id() {
        let provider = Arc::new(resolve(&stored(settings("github"))).unwrap());
        let ready = ReadyProvider::new(provider, None).unwrap();
        let revocation = ready.revocation().unwrap().as_url().as_str();
        assert_eq!(revocation, "https://api.github.com/applications/us/token");
    }

    #[test]
    fn no_profile_forwards_a_resource() {
        for name in profile_names() {
            assert!(!profile(name).unwrap().forward_resource, "{name}");
        }
    }

    #[test]
    fn c_20_the_address_that_entra_sends_counts_for_nothing() {
        let entra = profile("entra").unwrap();
        assert!(entra.emails.is_none());
        assert!(entra.identity.iter().all(|source| source.email.is_none()));
        let mut settings = settings("entra");
        settings.tenant = Some("organizations".to_owned());
        settings.allow = vec!["email:*@example.com".to_owned()];
        assert!(matches!(
            resolve(&stored(settings)),
            Err(UnusableProvider::Settings(
                InvalidProvider::Unverifiable { .. }
            ))
        ));
    }

    #[test]
    fn a_profile_that_is_not_there_is_named() {
        let error = resolve(&stored(settings("gitlab"))).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no profile `gitlab`; there are `entra`, `github`, `google`, `oauth2`, `oidc`"
        );
    }

    #[test]
    fn another_place_of_a_profile_is_meant_as_a_whole() {
        let mut settings = settings("github");
        settings.endpoints = ProviderEndpoints {
            authorization: Some("https://ghe.example/login/oauth/authorize".to_owned()),
            token: Some("https://ghe.example/login/oauth/access_token".to_owned()),
            ..ProviderEndpoints::default()
        };
        let error = resolve(&stored(settings.clone())).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("`userinfo_endpoint` is not set"),
            "{error}"
        );
        settings.endpoints.userinfo = Some("https://ghe.example/api/v3/user".to_owned());
        let resolved = resolve(&stored(settings)).unwrap();
        // Else an account of the one place would be taken for one of the other.
        assert_eq!(resolved.issuer(), None);
    }
}
