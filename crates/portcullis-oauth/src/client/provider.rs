//! An upstream provider as one operator uses it: a profile, our client id and secret there, and what the operator says otherwise.
//!
//! Decides what an operator's settings mean together, and refuses those that would let a person's token go to two places that do not belong together.
//! Endpoints that only metadata knows are still missing here; [`super::ready::ReadyProvider`] has them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use portcullis_base::{SafeUrl, Secret, Slug};
use thiserror::Error;

use super::allow::{AllowKind, AllowRule, InvalidAllowRule, asks_for};
use super::issuer::ExpectedIssuer;
use super::place::{Endpoints, Place};
use super::profile::{EndpointTexts, ProviderProfile, RESERVED};
use crate::scope::Scopes;

/// What the provider knows us by.
#[derive(Clone, Debug)]
pub struct ClientRegistration {
    /// `client_id`.
    pub id: String,
    /// `client_secret`; absent where we are a public client there.
    pub secret: Option<Secret>,
}

/// What an operator says of a provider beside its profile; every field is a setting of the same name.
#[derive(Clone, Debug, Default)]
pub struct ProviderOverrides {
    /// What people call it.
    pub name: Option<String>,
    /// The issuer.
    pub issuer: Option<String>,
    /// What fills `{tenant}` in the profile's templates.
    pub tenant: Option<String>,
    /// Its endpoints.
    pub endpoints: EndpointTexts,
    /// Scopes that are always asked for beside those of a document, in the provider's words.
    pub scopes: Vec<String>,
    /// Who may sign in, as [`AllowRule`]s; everyone where there is none.
    pub allow: Vec<String>,
    /// Further parameters of every authorization request.
    pub parameters: BTreeMap<String, String>,
    /// After how long a connection is renewed that nobody uses; never where absent.
    pub keep_alive: Option<Duration>,
}

/// A provider as one operator uses it.
#[derive(Clone, Debug)]
pub struct ResolvedProvider {
    slug: Slug,
    name: String,
    profile: Arc<ProviderProfile>,
    client: ClientRegistration,
    issuer: Option<ExpectedIssuer>,
    endpoints: Endpoints,
    sends_iss: bool,
    is_public: bool,
    scopes: Vec<String>,
    allow: Vec<AllowRule>,
    parameters: BTreeMap<String, String>,
    keep_alive: Option<Duration>,
}

/// Why settings make no provider.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum InvalidProvider {
    /// There is no client id.
    #[error("`client_id` is empty")]
    NoClientId,
    /// The name cannot be shown.
    #[error("`name` must have between 1 and {MAX_NAME} characters, on one line")]
    Name,
    /// The profile's endpoints need a tenant.
    #[error("`tenant` is not set, but {0} has other endpoints for every tenant")]
    NoTenant(String),
    /// The tenant is no part of a host or a path.
    #[error("`tenant` must consist of letters, digits, dashes and dots")]
    Tenant,
    /// A setting is missing.
    #[error("`{setting}` is not set, and {instead}")]
    Missing {
        /// The setting.
        setting: &'static str,
        /// Why nothing stands in for it.
        instead: &'static str,
    },
    /// A setting is no URL that can be used.
    #[error("`{setting}` is no URL that can be used: {reason}")]
    Url {
        /// The setting.
        setting: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A scope is none.
    #[error("`scopes`: {0}")]
    Scopes(#[from] crate::scope::InvalidScopes),
    /// A rule is none.
    #[error("`allow`: {0}")]
    Rule(#[from] InvalidAllowRule),
    /// A rule is about something that the provider never vouches for.
    #[error(
        "`allow`: {provider} vouches for nothing that `{rule}` could be compared with; it could be compared with: {known}"
    )]
    Unverifiable {
        /// What people call the provider.
        provider: String,
        /// The rule.
        rule: String,
        /// The kinds of rules that work.
        known: String,
    },
    /// A parameter is one that we set.
    #[error("`parameters`: `{0}` is set by the gateway itself")]
    Reserved(String),
}

/// The most characters of a provider's name.
const MAX_NAME: usize = 60;

/// Why nothing stands in for an endpoint once the place is another.
const MOVED: &str =
    "the profile's own does not belong to the other endpoints or the issuer that are set";
const NO_METADATA: &str = "neither the profile nor metadata says it";
const NOWHERE: &str = "nothing else says where the provider is";

impl ResolvedProvider {
    /// Puts a profile and an operator's settings together.
    ///
    /// # Errors
    ///
    /// When something is missing, wrong, or does not go together.
    pub fn resolve(
        slug: Slug,
        profile: Arc<ProviderProfile>,
        client: ClientRegistration,
        overrides: &ProviderOverrides,
    ) -> Result<Self, InvalidProvider> {
        if client.id.trim().is_empty() {
            return Err(InvalidProvider::NoClientId);
        }
        for scope in &overrides.scopes {
            Scopes::parse(scope)?;
        }
        if let Some(name) = overrides
            .parameters
            .keys()
            .find(|name| RESERVED.contains(&name.as_str()))
        {
            return Err(InvalidProvider::Reserved(name.clone()));
        }
        let place = Place::of(&profile, &client.id, overrides)?;
        let provider = Self {
            slug,
            name: name(&profile, overrides, &place)?,
            allow: rules(&profile, &overrides.allow)?,
            client,
            issuer: place.issuer,
            endpoints: place.endpoints,
            sends_iss: profile.sends_iss && !place.moved,
            is_public: profile.is_public_at(overrides.tenant.as_deref()) && !place.moved,
            scopes: overrides.scopes.clone(),
            parameters: overrides.parameters.clone(),
            keep_alive: overrides.keep_alive,
            profile,
        };
        provider.complain(if place.moved { MOVED } else { NO_METADATA })?;
        Ok(provider)
    }

    /// Returns its slug.
    #[must_use]
    pub fn slug(&self) -> &Slug {
        &self.slug
    }

    /// Returns what people call it: the operator's name, the profile's, or, where the profile is of no one provider, the host where people sign in.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns its profile.
    #[must_use]
    pub fn profile(&self) -> &ProviderProfile {
        &self.profile
    }

    /// Returns what it knows us by.
    #[must_use]
    pub fn client(&self) -> &ClientRegistration {
        &self.client
    }

    /// Returns the issuer that is expected.
    #[must_use]
    pub fn issuer(&self) -> Option<&ExpectedIssuer> {
        self.issuer.as_ref()
    }

    /// Returns after how long a connection is renewed that nobody uses, so that the provider does not take it for forgotten.
    #[must_use]
    pub fn keep_alive(&self) -> Option<Duration> {
        self.keep_alive
    }

    /// Returns who may sign in.
    #[must_use]
    pub fn allow(&self) -> &[AllowRule] {
        &self.allow
    }

    /// Tells whether anybody in the world is let in, without the operator having said so.
    #[must_use]
    pub fn is_open_by_default(&self) -> bool {
        self.is_public && self.allow.is_empty()
    }

    /// Returns the scopes that the operator always asks for.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// Returns the operator's further parameters of an authorization request.
    #[must_use]
    pub fn parameters(&self) -> &BTreeMap<String, String> {
        &self.parameters
    }

    /// Returns the issuer whose metadata is needed before the provider can be used, where it is.
    #[must_use]
    pub fn metadata_issuer(&self) -> Option<&str> {
        if !self.profile.discovery || self.has_endpoints() {
            return None;
        }
        self.issuer.as_ref()?.exact()
    }

    /// Returns the scopes without which the provider would not tell what the rules are about.
    pub(super) fn scopes_for_rules(&self) -> impl Iterator<Item = &String> {
        let emails = self
            .profile
            .emails
            .as_ref()
            .filter(|_| asks_for(&self.allow, AllowKind::Email));
        let organisations = self.profile.organisations.as_ref();
        let organisations =
            organisations.filter(|_| asks_for(&self.allow, AllowKind::Organisation));
        let emails = emails.and_then(|list| list.scope.as_ref());
        let organisations = organisations.and_then(|list| list.scope.as_ref());
        emails.into_iter().chain(organisations)
    }

    pub(super) fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    pub(super) fn sends_iss(&self) -> bool {
        self.sends_iss
    }

    fn has_endpoints(&self) -> bool {
        let needs_jwks = self.profile.reads_id_tokens() && self.endpoints.jwks.is_none();
        self.endpoints.authorization.is_some() && self.endpoints.token.is_some() && !needs_jwks
    }

    /// Complains of what is missing and will not be told by metadata either.
    fn complain(&self, instead: &'static str) -> Result<(), InvalidProvider> {
        if self.metadata_issuer().is_some() {
            return Ok(());
        }
        let missing = |setting| Err(InvalidProvider::Missing { setting, instead });
        let profile = &self.profile;
        let named = &profile.endpoints;
        match &self.endpoints {
            Endpoints {
                authorization: None,
                ..
            } if profile.discovery => Err(InvalidProvider::Missing {
                setting: "issuer",
                instead: NOWHERE,
            }),
            Endpoints {
                authorization: None,
                ..
            } => missing("authorization_endpoint"),
            Endpoints { token: None, .. } => missing("token_endpoint"),
            Endpoints { userinfo: None, .. } if named.userinfo.is_some() => {
                missing("userinfo_endpoint")
            }
            Endpoints { jwks: None, .. } if profile.reads_id_tokens() => missing("jwks_uri"),
            Endpoints { jwks: Some(_), .. }
                if profile.reads_id_tokens() && self.issuer.is_none() =>
            {
                missing("issuer")
            }
            _ => Ok(()),
        }
    }
}

fn name(
    profile: &ProviderProfile,
    overrides: &ProviderOverrides,
    place: &Place,
) -> Result<String, InvalidProvider> {
    if let Some(name) = overrides.name.as_deref().map(str::trim) {
        let is_fit = !name.is_empty()
            && name.chars().count() <= MAX_NAME
            && !name.contains(char::is_control);
        return is_fit.then(|| name.to_owned()).ok_or(InvalidProvider::Name);
    }
    let is_of_one = profile.issuer.is_some() || profile.endpoints.authorization.is_some();
    let host = || {
        let issuer = place.issuer.as_ref().and_then(ExpectedIssuer::exact);
        let issuer = issuer.and_then(|issuer| SafeUrl::parse(issuer).ok());
        let url = issuer.or_else(|| place.endpoints.authorization.clone())?;
        url.as_url().host_str().map(str::to_owned)
    };
    let host = if is_of_one { None } else { host() };
    Ok(host.unwrap_or_else(|| profile.name.clone()))
}

fn rules(profile: &ProviderProfile, texts: &[String]) -> Result<Vec<AllowRule>, InvalidProvider> {
    let rules: Vec<AllowRule> = texts
        .iter()
        .map(|text| text.parse())
        .collect::<Result<_, _>>()?;
    let known = verifiable(profile);
    for rule in &rules {
        if rule.kind() != AllowKind::Everybody && !known.contains(&rule.kind()) {
            let known: Vec<_> = known
                .iter()
                .map(|kind| format!("`{}:`", kind.as_str()))
                .collect();
            return Err(InvalidProvider::Unverifiable {
                provider: profile.name.clone(),
                rule: rule.to_string(),
                known: if known.is_empty() {
                    "nothing".to_owned()
                } else {
                    known.join(", ")
                },
            });
        }
    }
    Ok(rules)
}

/// Returns the kinds of rules that a provider's word can be compared with.
fn verifiable(profile: &ProviderProfile) -> Vec<AllowKind> {
    let sources = &profile.identity;
    let has_email = sources.iter().any(|source| source.email.is_some());
    let has_hd = sources.iter().any(|source| source.hd.is_some());
    let has_tid = sources.iter().any(|source| source.tid.is_some());
    [
        (has_email || profile.emails.is_some(), AllowKind::Email),
        (has_hd, AllowKind::HostedDomain),
        (has_tid, AllowKind::Tenant),
        (profile.organisations.is_some(), AllowKind::Organisation),
    ]
    .into_iter()
    .filter_map(|(known, kind)| known.then_some(kind))
    .collect()
}

#[cfg(test)]
mod tests;
