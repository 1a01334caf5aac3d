//! Where a provider is: its endpoints and its issuer, by the profile's templates and what the operator sets instead.
//!
//! An operator who names another place than the profile does means that place as a whole: of the profile's own nothing counts then, or tokens of one place would be shown to the other.

use portcullis_base::SafeUrl;
use url::form_urlencoded::byte_serialize;

use super::issuer::ExpectedIssuer;
use super::profile::{CLIENT_ID, ProviderProfile, TENANT};
use super::provider::{InvalidProvider, ProviderOverrides};

/// Where a provider is.
pub(super) struct Place {
    pub(super) issuer: Option<ExpectedIssuer>,
    pub(super) endpoints: Endpoints,
    /// Whether the operator means another place than the profile does, of which nothing then counts.
    pub(super) moved: bool,
}

/// The endpoints that are known without metadata.
#[derive(Clone, Debug, Default)]
pub(super) struct Endpoints {
    pub(super) authorization: Option<SafeUrl>,
    pub(super) token: Option<SafeUrl>,
    pub(super) userinfo: Option<SafeUrl>,
    pub(super) jwks: Option<SafeUrl>,
    pub(super) revocation: Option<SafeUrl>,
}

impl Place {
    pub(super) fn of(
        profile: &ProviderProfile,
        client_id: &str,
        overrides: &ProviderOverrides,
    ) -> Result<Self, InvalidProvider> {
        let set = Endpoints {
            authorization: url(
                "authorization_endpoint",
                overrides.endpoints.authorization.as_deref(),
            )?,
            token: url("token_endpoint", overrides.endpoints.token.as_deref())?,
            userinfo: url("userinfo_endpoint", overrides.endpoints.userinfo.as_deref())?,
            jwks: url("jwks_uri", overrides.endpoints.jwks.as_deref())?,
            revocation: url(
                "revocation_endpoint",
                overrides.endpoints.revocation.as_deref(),
            )?,
        };
        let tenant = tenant(overrides)?;
        let moved = is_elsewhere(
            set.authorization.as_ref(),
            profile.endpoints.authorization.as_ref(),
        ) || is_elsewhere(set.token.as_ref(), profile.endpoints.token.as_ref())
            || is_other_issuer(overrides.issuer.as_ref(), profile.issuer.as_ref());
        let fill = |template: Option<&String>| match template {
            Some(template) if !moved => filled(template, tenant, profile).map(Some),
            _ => Ok(None),
        };
        let or = |setting, set: Option<SafeUrl>, template: Option<&String>| match set {
            Some(url) => Ok(Some(url)),
            None => url(setting, fill(template)?.as_deref()),
        };
        let named = &profile.endpoints;
        let client_id: String = byte_serialize(client_id.as_bytes()).collect();
        let revocation = named.revocation.as_ref();
        let revocation = revocation.map(|template| template.replace(CLIENT_ID, &client_id));
        let endpoints = Endpoints {
            authorization: or(
                "authorization_endpoint",
                set.authorization,
                named.authorization.as_ref(),
            )?,
            token: or("token_endpoint", set.token, named.token.as_ref())?,
            userinfo: or("userinfo_endpoint", set.userinfo, named.userinfo.as_ref())?,
            jwks: or("jwks_uri", set.jwks, named.jwks.as_ref())?,
            revocation: or("revocation_endpoint", set.revocation, revocation.as_ref())?,
        };
        let issuer = match &overrides.issuer {
            Some(issuer) => Some(issuer.clone()),
            None => fill(profile.issuer.as_ref())?,
        };
        let issuer = issuer.map(|text| ExpectedIssuer::new(&text, tenant));
        if let Some(exact) = issuer.as_ref().and_then(ExpectedIssuer::exact) {
            url("issuer", Some(exact))?;
        }
        Ok(Self {
            issuer,
            endpoints,
            moved,
        })
    }
}

fn url(setting: &'static str, text: Option<&str>) -> Result<Option<SafeUrl>, InvalidProvider> {
    text.map(SafeUrl::parse)
        .transpose()
        .map_err(|error| InvalidProvider::Url {
            setting,
            reason: error.to_string(),
        })
}

/// Judges the operator's tenant: it stands in hosts and paths, and must not change what stands around it.
fn tenant(overrides: &ProviderOverrides) -> Result<Option<&str>, InvalidProvider> {
    let Some(tenant) = overrides.tenant.as_deref() else {
        return Ok(None);
    };
    let lawful = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let is_lawful = !tenant.is_empty()
        && tenant.chars().all(lawful)
        && !tenant.starts_with('.')
        && !tenant.ends_with('.')
        && !tenant.contains("..");
    is_lawful
        .then_some(Some(tenant))
        .ok_or(InvalidProvider::Tenant)
}

fn filled(
    template: &str,
    tenant: Option<&str>,
    profile: &ProviderProfile,
) -> Result<String, InvalidProvider> {
    if !template.contains(TENANT) {
        return Ok(template.to_owned());
    }
    let tenant = tenant.ok_or_else(|| InvalidProvider::NoTenant(profile.name.clone()))?;
    Ok(template.replace(TENANT, tenant))
}

/// Tells whether an endpoint that is set lies at another origin than the profile's.
fn is_elsewhere(set: Option<&SafeUrl>, template: Option<&String>) -> bool {
    set.zip(template).is_some_and(|(set, template)| {
        let named = SafeUrl::parse(&template.replace(TENANT, "t"));
        named.map_or(true, |named| named.origin() != set.origin())
    })
}

fn is_other_issuer(set: Option<&String>, named: Option<&String>) -> bool {
    let origin = |text: &String| SafeUrl::parse(text).map(|url| url.origin()).ok();
    set.zip(named)
        .is_some_and(|(set, named)| origin(set) != origin(named))
}
