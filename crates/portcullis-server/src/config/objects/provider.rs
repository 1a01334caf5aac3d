//! Reads the providers that people sign in at.
//!
//! Decides where a secret comes from and which value a fault is about; what a profile needs and what goes together is judged where providers are resolved.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use portcullis_base::Slug;
use portcullis_oauth::client::allow::AllowRule;
use portcullis_oauth::client::provider::InvalidProvider;
use portcullis_oauth::scope::Scopes;
use portcullis_store::{ProviderEndpoints, ProviderSettings};
use toml::Spanned;

use super::ProviderObject;
use crate::config::file::{Named, UpstreamProvider, Value};
use crate::config::problem::did_you_mean;
use crate::config::reading::Reading;
use crate::upstream::providers::catalogue::{
    UnusableProvider, profile, profile_names, resolve_settings,
};

/// From an hour to a year.
const KEEP_ALIVE_SECONDS: RangeInclusive<u64> = 3_600..=31_536_000;

/// Reads every provider of the file; one with a fault is there all the same, so that toolsets are not blamed for it.
pub(in crate::config) fn providers(
    reading: &mut Reading<'_>,
    tables: &Named<UpstreamProvider>,
) -> BTreeMap<Slug, ProviderObject> {
    let mut providers = BTreeMap::new();
    for (name, table) in tables {
        if let Some(slug) = reading.any_slug(name) {
            let problems = reading.problems.len();
            let provider = ProviderObject {
                settings: settings(reading, name.span(), table),
                client_secret: reading
                    .client_secret(
                        table.client_secret_file.as_ref(),
                        table.client_secret_env.as_ref(),
                    )
                    .map(|(secret, _)| secret),
            };
            // What goes together can be told only of values that are in order.
            if reading.problems.len() == problems {
                judge(reading, name, table, &provider);
            }
            providers.insert(slug, provider);
        }
    }
    providers
}

fn settings(
    reading: &mut Reading<'_>,
    span: Range<usize>,
    table: &UpstreamProvider,
) -> ProviderSettings {
    let text = |value: &Value<String>| value.as_ref().map(|text| text.get_ref().clone());
    let scopes = reading.all_parsed(&table.scopes, scope);
    let rules = reading.all_parsed(&table.allow, str::parse::<AllowRule>);
    let allow = if rules.len() == table.allow.len() {
        rules.iter().map(AllowRule::to_string).collect()
    } else {
        // Nobody shall take a list with a fault for an empty one.
        table.allow.iter().map(|it| it.get_ref().clone()).collect()
    };
    let parameters = table.parameters.iter();
    ProviderSettings {
        profile: named_profile(reading, span, table),
        name: text(&table.name),
        client_id: text(&table.client_id).unwrap_or_default(),
        issuer: text(&table.issuer),
        tenant: text(&table.tenant),
        endpoints: ProviderEndpoints {
            authorization: text(&table.authorization_endpoint),
            token: text(&table.token_endpoint),
            userinfo: text(&table.userinfo_endpoint),
            jwks: text(&table.jwks_uri),
            revocation: text(&table.revocation_endpoint),
        },
        scopes,
        allow,
        parameters: parameters
            .map(|(name, value)| (name.get_ref().clone(), value.clone()))
            .collect(),
        keep_alive_seconds: table.keep_alive_seconds.as_ref().map(|value| {
            let kept = reading.seconds_within(Some(value), Duration::ZERO, KEEP_ALIVE_SECONDS);
            kept.as_secs()
        }),
    }
}

pub(super) fn scope(text: &str) -> Result<String, String> {
    let scopes = Scopes::parse(text).map_err(|error| error.to_string())?;
    match scopes.iter().count() {
        1 => Ok(scopes.to_string()),
        _ => Err("write each scope by itself, as in `[\"read:user\", \"read:org\"]`".to_owned()),
    }
}

fn named_profile(
    reading: &mut Reading<'_>,
    span: Range<usize>,
    table: &UpstreamProvider,
) -> String {
    let Some(name) = &table.profile else {
        let names: Vec<String> = profile_names().map(|name| format!("`{name}`")).collect();
        reading.refuse(
            span,
            "the provider has no profile",
            format!("add `profile = \"…\"` with one of {}", names.join(", ")),
        );
        return String::new();
    };
    let word = name.get_ref();
    if profile(word).is_none() {
        let names: Vec<&str> = profile_names().collect();
        reading.refuse(
            name.span(),
            format!("there is no profile `{word}`"),
            did_you_mean(word, names),
        );
    }
    word.clone()
}

/// Judges what only the profile can tell.
fn judge(
    reading: &mut Reading<'_>,
    name: &Spanned<String>,
    table: &UpstreamProvider,
    provider: &ProviderObject,
) {
    let Ok(slug) = Slug::parse(name.get_ref()) else {
        return;
    };
    let secret = provider.client_secret.as_ref();
    match resolve_settings(&slug, &provider.settings, secret) {
        Ok(resolved) => {
            // A profile that says how the secret is sent is one of a provider that takes no client without.
            let profile = resolved.profile();
            if secret.is_none() && profile.token_endpoint_auth_method.is_some() {
                reading.refuse(
                    name.span(),
                    format!("{} takes no client without its secret", profile.name),
                    "add `client_secret_file = \"path\"` or `client_secret_env = \"VARIABLE\"`",
                );
            }
        }
        // Said already.
        Err(UnusableProvider::NoProfile { .. }) => {}
        Err(UnusableProvider::Settings(fault)) => {
            let span = place(table, &fault).unwrap_or_else(|| name.span());
            reading.refuse(span, fault.to_string(), advice(&fault));
        }
    }
}

/// Returns where the value stands that a fault is about.
fn place(table: &UpstreamProvider, fault: &InvalidProvider) -> Option<Range<usize>> {
    let value = |setting: &str| {
        let value = match setting {
            "issuer" => &table.issuer,
            "authorization_endpoint" => &table.authorization_endpoint,
            "token_endpoint" => &table.token_endpoint,
            "userinfo_endpoint" => &table.userinfo_endpoint,
            "jwks_uri" => &table.jwks_uri,
            "revocation_endpoint" => &table.revocation_endpoint,
            _ => return None,
        };
        value.as_ref().map(Spanned::span)
    };
    match fault {
        InvalidProvider::NoClientId => table.client_id.as_ref().map(Spanned::span),
        InvalidProvider::Name => table.name.as_ref().map(Spanned::span),
        InvalidProvider::Tenant => table.tenant.as_ref().map(Spanned::span),
        InvalidProvider::Url { setting, .. } => value(setting),
        InvalidProvider::Unverifiable { rule, .. } => {
            let mut rules = table.allow.iter();
            let rule = rules.find(|it| {
                let read = it.get_ref().parse::<AllowRule>();
                read.is_ok_and(|it| it.to_string() == *rule)
            });
            rule.map(Spanned::span)
        }
        InvalidProvider::Reserved(name) => {
            let mut names = table.parameters.keys();
            names.find(|it| it.get_ref() == name).map(Spanned::span)
        }
        InvalidProvider::NoTenant(_)
        | InvalidProvider::Missing { .. }
        | InvalidProvider::Scopes(_)
        | InvalidProvider::Rule(_) => None,
    }
}

fn advice(fault: &InvalidProvider) -> String {
    match fault {
        InvalidProvider::NoClientId => {
            "add `client_id = \"…\"`, as the provider shows it where this gateway is registered"
                .to_owned()
        }
        InvalidProvider::NoTenant(_) => {
            "add `tenant = \"…\"`: its id or a domain of it, or `organizations` for all".to_owned()
        }
        InvalidProvider::Name => "for example `Acme accounts`".to_owned(),
        InvalidProvider::Tenant => "for example `acme.onmicrosoft.com`".to_owned(),
        InvalidProvider::Missing { setting, .. } => format!("add `{setting} = \"https://…\"`"),
        InvalidProvider::Url { .. } => "for example `https://login.example.com/oauth`".to_owned(),
        InvalidProvider::Unverifiable { .. } | InvalidProvider::Reserved(_) => {
            "leave it out".to_owned()
        }
        InvalidProvider::Scopes(_) | InvalidProvider::Rule(_) => {
            "docs/configuration.md shows every key with an example".to_owned()
        }
    }
}
