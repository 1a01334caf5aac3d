//! Reads the OAuth manifests of providers that register MCP clients themselves.
//!
//! Decides which value a fault is about; what goes together is judged where manifests are resolved.

use std::collections::BTreeMap;
use std::ops::Range;

use portcullis_base::Slug;
use portcullis_store::{ExchangeSettings, ManifestSettings, ProbeSettings, TokenValidation};
use toml::Spanned;

use super::{ManifestObject, ProviderObject};
use crate::config::file::Named;
use crate::config::file::manifest::{Exchange, OAuthManifest, Probe};
use crate::config::reading::Reading;
use crate::manifest::file;
use crate::upstream::external::{ResolvedManifest, UnusableManifest};

/// Reads every manifest of the file; one with a fault is there all the same, so that toolsets are not blamed for it.
pub(in crate::config) fn manifests(
    reading: &mut Reading<'_>,
    tables: &Named<OAuthManifest>,
    providers: &BTreeMap<Slug, ProviderObject>,
) -> BTreeMap<Slug, ManifestObject> {
    let mut manifests = BTreeMap::new();
    for (name, table) in tables {
        let Some(slug) = reading.any_slug(name) else {
            continue;
        };
        if providers.contains_key(&slug) {
            reading.refuse(
                name.span(),
                format!("`{slug}` is the name of a provider too, and schemes could mean either"),
                "choose another name for the manifest",
            );
        }
        let problems = reading.problems.len();
        let manifest = manifest(reading, name.span(), table);
        // What goes together can be told only of values that are in order.
        if reading.problems.len() == problems {
            judge(reading, name, table, &manifest);
        }
        manifests.insert(slug, manifest);
    }
    manifests
}

fn manifest(
    reading: &mut Reading<'_>,
    span: Range<usize>,
    table: &OAuthManifest,
) -> ManifestObject {
    let (source, content) = content(reading, span.clone(), table).unwrap_or_default();
    let secret = reading.client_secret(
        table.client_secret_file.as_ref(),
        table.client_secret_env.as_ref(),
    );
    ManifestObject {
        source,
        content: content.into(),
        settings: settings(reading, span, table),
        client_secret: secret.map(|(secret, _)| secret),
    }
}

fn content(
    reading: &mut Reading<'_>,
    span: Range<usize>,
    table: &OAuthManifest,
) -> Option<(String, String)> {
    let Some(named) = &table.file else {
        reading.refuse(
            span,
            "the manifest has no file",
            "add `file = \"path\"`, the provider's metadata as `portcullis manifest create` writes it",
        );
        return None;
    };
    let path = reading.path(named.get_ref());
    reading.files.push(path.clone());
    let draft = reading.draft.and_then(|it| it.at(&path));
    let read = draft.map_or_else(|| file::text(&path), |text| Ok(text.to_owned()));
    match read {
        Ok(content) => Some((path.display().to_string(), content)),
        Err(error) => {
            reading.refuse(
                named.span(),
                format!("{} cannot be read: {error}", path.display()),
                "name the file that holds the provider's metadata",
            );
            None
        }
    }
}

fn settings(
    reading: &mut Reading<'_>,
    span: Range<usize>,
    table: &OAuthManifest,
) -> ManifestSettings {
    let validation = table.validation.as_ref().map(|it| *it.get_ref());
    let validation = validation.unwrap_or_else(|| {
        reading.refuse(
            span,
            "it is not said how tokens are judged",
            "add `validation = \"jwt\"`, or `introspection`, or `probe`",
        );
        TokenValidation::Jwt
    });
    let cache = table.cache_seconds.as_ref();
    ManifestSettings {
        validation,
        audiences: reading.all_parsed(&table.audiences, filled),
        clients_without_audience: reading.all_parsed(&table.clients_without_audience, filled),
        token_issuer: text(table.token_issuer.as_ref()),
        algorithms: texts(&table.algorithms),
        probe: table.probe.as_ref().map(|it| probe(it.get_ref())),
        cache_seconds: cache.map(|_| reading.seconds(cache, 0).as_secs()),
        client_id: text(table.client_id.as_ref()),
        delegation: table.upstream.as_ref().map(|it| *it.get_ref()),
        scopes: texts(&table.scopes),
        exchange: table
            .exchange
            .as_ref()
            .map_or_else(ExchangeSettings::default, |it| exchange(it.get_ref())),
        republished: table.republish,
    }
}

fn probe(table: &Probe) -> ProbeSettings {
    ProbeSettings {
        url: text(table.url.as_ref()).unwrap_or_default(),
        audience: text(table.audience.as_ref()).unwrap_or_default(),
        accepted: texts(&table.accepted),
        alive: text(table.alive.as_ref()),
        subject: text(table.subject.as_ref()),
        client: text(table.client.as_ref()),
        scope: text(table.scope.as_ref()),
        expires_at: text(table.expires_at.as_ref()),
        expires_in: text(table.expires_in.as_ref()),
    }
}

fn exchange(table: &Exchange) -> ExchangeSettings {
    ExchangeSettings {
        audience: text(table.audience.as_ref()),
        resource: text(table.resource.as_ref()),
        scopes: texts(&table.scopes),
        actor: table.actor.as_ref().map(|it| *it.get_ref()),
        parameters: table.parameters.clone(),
    }
}

/// Judges what only the manifest and its settings together can tell.
fn judge(
    reading: &mut Reading<'_>,
    name: &Spanned<String>,
    table: &OAuthManifest,
    object: &ManifestObject,
) {
    let Ok(slug) = Slug::parse(name.get_ref()) else {
        return;
    };
    let secret = object.client_secret.as_ref();
    let resolved = ResolvedManifest::new(&slug, &object.content, &object.settings, secret);
    let Err(fault) = resolved else {
        return;
    };
    let span = place(table, &fault).unwrap_or_else(|| name.span());
    reading.refuse(span, fault.to_string(), advice(&fault));
}

/// Returns where the value stands that a fault is about.
fn place(table: &OAuthManifest, fault: &UnusableManifest) -> Option<Range<usize>> {
    match fault {
        UnusableManifest::Manifest(_) => table.file.as_ref().map(Spanned::span),
        UnusableManifest::Endpoint { setting, .. } => match *setting {
            "upstream" => table.upstream.as_ref().map(Spanned::span),
            _ => table.validation.as_ref().map(Spanned::span),
        },
        UnusableManifest::Registration("upstream") => table.upstream.as_ref().map(Spanned::span),
        UnusableManifest::Registration(_) | UnusableManifest::Unjudged => {
            table.validation.as_ref().map(Spanned::span)
        }
        UnusableManifest::Algorithm(_) => table.algorithms.first().map(Spanned::span),
        UnusableManifest::Probe(_)
        | UnusableManifest::Idle {
            setting: "probe", ..
        } => table.probe.as_ref().map(Spanned::span),
        UnusableManifest::Idle { setting, .. } => match *setting {
            "audiences" => table.audiences.first().map(Spanned::span),
            "clients_without_audience" => table.clients_without_audience.first().map(Spanned::span),
            "algorithms" => table.algorithms.first().map(Spanned::span),
            "cache_seconds" => table.cache_seconds.as_ref().map(Spanned::span),
            "actor" => actor(table),
            "scopes" => table.scopes.first().map(Spanned::span),
            _ => table.exchange.as_ref().map(Spanned::span),
        },
        UnusableManifest::ActorSecret => actor(table),
        UnusableManifest::Scopes {
            setting: "scopes", ..
        } => table.scopes.first().map(Spanned::span),
        UnusableManifest::Scopes { .. } | UnusableManifest::NoScopes => {
            table.exchange.as_ref().map(Spanned::span)
        }
        UnusableManifest::Unpublishable(_) => None,
    }
}

fn actor(table: &OAuthManifest) -> Option<Range<usize>> {
    let exchange = table.exchange.as_ref()?.get_ref();
    exchange.actor.as_ref().map(Spanned::span)
}

fn advice(fault: &UnusableManifest) -> &'static str {
    match fault {
        UnusableManifest::Manifest(_) => {
            "`portcullis manifest create URL` fetches the metadata of a provider"
        }
        UnusableManifest::Endpoint { .. } => {
            "`portcullis manifest check` says what the provider offers; add the member to the file where you know better"
        }
        UnusableManifest::Registration(_) => {
            "register Portcullis there, and add `client_id = \"…\"` with `client_secret_file` or `client_secret_env`"
        }
        UnusableManifest::ActorSecret => "add `client_secret_file` or `client_secret_env`",
        UnusableManifest::Algorithm(_) => "for example `[\"RS256\"]`",
        UnusableManifest::Probe(_) => {
            "it needs `url`, `audience` and `accepted`; docs/external.md shows one"
        }
        UnusableManifest::Idle { .. } => "add what it needs, or leave it out",
        UnusableManifest::Unjudged => {
            "add `upstream = \"forward\"`, or choose another `validation`"
        }
        UnusableManifest::Scopes { .. } => {
            "write each scope by itself, as in `[\"read\", \"write\"]`"
        }
        UnusableManifest::NoScopes => "for example `scopes = [\"api://acme/.default\"]`",
        UnusableManifest::Unpublishable(_) => "leave `republish` out",
    }
}

fn filled(text: &str) -> Result<String, &'static str> {
    if text.is_empty() {
        return Err("write what stands in the provider's tokens");
    }
    Ok(text.to_owned())
}

fn text(value: Option<&Spanned<String>>) -> Option<String> {
    value.map(|text| text.get_ref().clone())
}

fn texts(values: &[Spanned<String>]) -> Vec<String> {
    values.iter().map(|it| it.get_ref().clone()).collect()
}
