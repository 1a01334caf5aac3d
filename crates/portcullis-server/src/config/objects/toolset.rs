//! Reads toolsets: what they refer to, and whether their ways in are safe to open.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use portcullis_base::Slug;
use portcullis_oauth::issuer::redeem::TokenLifetimes;
use portcullis_openapi::Method;
use portcullis_openapi::variables::VariableSpec;
use portcullis_store::{Inbound, Selection, ToolsetDocument};
use toml::Spanned;

use super::{
    DocumentObject, EnvironmentObject, ManifestObject, ProviderObject, ToolsetObject, answers,
    external, lifetimes, sign_in,
};
use crate::config::file::{self, Named};
use crate::config::problem::did_you_mean;
use crate::config::reading::Reading;

/// What toolsets may refer to, and who may reach them.
pub(in crate::config) struct Surroundings<'a> {
    /// The providers of the configuration.
    pub(in crate::config) providers: &'a BTreeMap<Slug, ProviderObject>,
    /// Its OAuth manifests.
    pub(in crate::config) manifests: &'a BTreeMap<Slug, ManifestObject>,
    /// Its documents.
    pub(in crate::config) documents: &'a BTreeMap<Slug, DocumentObject>,
    /// Its environments.
    pub(in crate::config) environments: &'a BTreeMap<Slug, EnvironmentObject>,
    /// Whether the ways in that ask for nothing must stay closed.
    pub(in crate::config) authenticated_only: bool,
    /// How long tokens are good where a toolset does not say otherwise.
    pub(in crate::config) lifetimes: TokenLifetimes,
}

/// Reads every toolset of the file.
pub(in crate::config) fn toolsets(
    reading: &mut Reading<'_>,
    tables: &Named<file::Toolset>,
    surroundings: &Surroundings<'_>,
) -> BTreeMap<Slug, ToolsetObject> {
    let mut toolsets = BTreeMap::new();
    for (name, table) in tables {
        if let Some(slug) = reading.slug(name) {
            let toolset = toolset(reading, name.span(), table, surroundings);
            sign_in::judge(reading, table, &toolset, surroundings);
            external::judge(reading, name.span(), table, &toolset, surroundings);
            toolsets.insert(slug, toolset);
        }
    }
    toolsets
}

fn toolset(
    reading: &mut Reading<'_>,
    span: Range<usize>,
    table: &file::Toolset,
    surroundings: &Surroundings<'_>,
) -> ToolsetObject {
    let documents = documents(reading, span.clone(), table, surroundings);
    let specs: Vec<&VariableSpec> = documents
        .iter()
        .filter_map(|entry| surroundings.documents.get(&entry.document))
        .flat_map(|document| &document.variables)
        .collect();
    let inbound = inbound(reading, table, surroundings);
    let caller_supplied = caller_supplied(reading, table, &specs);
    if inbound.contains(&Inbound::Headers) && table.caller_supplied.is_empty() {
        let names: Vec<String> = specs
            .iter()
            .map(|spec| format!("`{}`", spec.name))
            .collect();
        reading.refuse(
            table.inbound.as_ref().map_or(span, Spanned::span),
            "callers that come in by `headers` could pass nothing, since `caller_supplied` is empty",
            format!("add to `caller_supplied` what they may pass: {}", names.join(", ")),
        );
    }
    ToolsetObject {
        title: table.title.clone(),
        instructions: table.instructions.clone(),
        documents,
        dynamic: table.dynamic,
        answers: answers::answers(reading, table),
        environment: environment(reading, table, surroundings),
        provider: provider(reading, table, &inbound, surroundings),
        manifest: external::manifest(reading, table, &inbound, surroundings),
        lifetimes: lifetimes::own(reading, table, &inbound, surroundings.lifetimes),
        inbound,
        caller_supplied,
    }
}

fn documents(
    reading: &mut Reading<'_>,
    span: Range<usize>,
    table: &file::Toolset,
    surroundings: &Surroundings<'_>,
) -> Vec<ToolsetDocument> {
    if table.documents.is_empty() {
        reading.refuse(
            span,
            "the toolset publishes no document",
            "add `documents = [\"…\"]` with the slugs of documents",
        );
    }
    let mut documents: Vec<ToolsetDocument> = Vec::new();
    for name in &table.documents {
        let Some(document) = find(reading, name, "document", surroundings.documents) else {
            continue;
        };
        if documents.iter().any(|entry| entry.document == document) {
            reading.refuse(
                name.span(),
                format!("the document `{document}` stands here twice"),
                "leave one out",
            );
            continue;
        }
        let select = selection(reading, &table.select, &document);
        documents.push(ToolsetDocument { document, select });
    }
    for name in table.select.keys() {
        if !table.documents.contains(name) {
            let listed = table.documents.iter().map(|it| it.get_ref().as_str());
            reading.refuse(
                name.span(),
                format!("`{}` is not among the toolset's documents", name.get_ref()),
                did_you_mean(name.get_ref(), listed),
            );
        }
    }
    documents
}

fn selection(
    reading: &mut Reading<'_>,
    tables: &Named<file::Select>,
    document: &Slug,
) -> Selection {
    let mut tables = tables.iter();
    let Some((_, table)) = tables.find(|(name, _)| name.get_ref() == document.as_str()) else {
        return Selection::default();
    };
    Selection {
        tags: table.tags.clone(),
        methods: methods(reading, &table.methods),
        paths: table.paths.clone(),
        operations: table.operations.clone(),
        include: table.include.clone(),
        exclude: table.exclude.clone(),
        deprecated: table.deprecated,
    }
}

fn methods(reading: &mut Reading<'_>, names: &[Spanned<String>]) -> Vec<String> {
    let mut methods = Vec::new();
    for name in names {
        let word = name.get_ref().to_ascii_uppercase();
        if Method::ALL.iter().any(|method| method.as_str() == word) {
            methods.push(word);
        } else {
            reading.refuse(
                name.span(),
                format!("`{}` is no method of an operation", name.get_ref()),
                did_you_mean(&word, Method::ALL.iter().map(|method| method.as_str())),
            );
        }
    }
    methods
}

fn environment(
    reading: &mut Reading<'_>,
    table: &file::Toolset,
    surroundings: &Surroundings<'_>,
) -> Option<Slug> {
    let name = table.environment.as_ref()?;
    find(reading, name, "environment", surroundings.environments)
}

fn provider(
    reading: &mut Reading<'_>,
    table: &file::Toolset,
    inbound: &BTreeSet<Inbound>,
    surroundings: &Surroundings<'_>,
) -> Option<Slug> {
    let people_sign_in = inbound.contains(&Inbound::OAuth);
    let Some(name) = &table.provider else {
        if let Some(list) = table.inbound.as_ref().filter(|_| people_sign_in) {
            let slugs: Vec<&str> = surroundings.providers.keys().map(Slug::as_str).collect();
            let advice = match slugs.as_slice() {
                [] => {
                    "describe one in `[providers.…]`, and name it by `provider = \"…\"`".to_owned()
                }
                [only] => format!("add `provider = \"{only}\"`"),
                all => format!("add `provider = \"…\"` with one of `{}`", all.join("`, `")),
            };
            let message = "`oauth` needs a provider that people sign in at";
            reading.refuse(list.span(), message, advice);
        }
        return None;
    };
    if !people_sign_in {
        reading.refuse(
            name.span(),
            "nobody signs in at the provider, since `oauth` is not among the ways in",
            "add `oauth` to `inbound`, or leave `provider` out",
        );
    }
    find(reading, name, "provider", surroundings.providers)
}

pub(super) fn find<T>(
    reading: &mut Reading<'_>,
    name: &Spanned<String>,
    kind: &str,
    there: &BTreeMap<Slug, T>,
) -> Option<Slug> {
    find_among(reading, name, kind, there.keys())
}

pub(super) fn find_among<'a>(
    reading: &mut Reading<'_>,
    name: &Spanned<String>,
    kind: &str,
    there: impl Iterator<Item = &'a Slug> + Clone,
) -> Option<Slug> {
    let word = name.get_ref().as_str();
    let found = there.clone().find(|slug| slug.as_str() == word).cloned();
    if found.is_none() {
        reading.refuse(
            name.span(),
            format!("there is no {kind} `{word}`"),
            did_you_mean(word, there.map(Slug::as_str)),
        );
    }
    found
}

fn inbound(
    reading: &mut Reading<'_>,
    table: &file::Toolset,
    surroundings: &Surroundings<'_>,
) -> BTreeSet<Inbound> {
    let Some(list) = &table.inbound else {
        return BTreeSet::from([Inbound::ApiKey]);
    };
    let inbound: BTreeSet<Inbound> = list.get_ref().iter().copied().collect();
    if inbound.is_empty() {
        reading.refuse(
            list.span(),
            "the toolset has no way in",
            "write `inbound = [\"api_key\"]`, or leave it out",
        );
    }
    refuse_unasked(reading, list.span(), &inbound);
    let unauthenticated = inbound.contains(&Inbound::Open)
        || inbound.contains(&Inbound::Headers)
        || external::is_unjudged(table, &inbound, surroundings);
    if unauthenticated && surroundings.authenticated_only {
        reading.refuse(
            list.span(),
            "`open` and `headers` authenticate nobody, nor does `external` where the API alone judges tokens, and other machines can reach the listener",
            "use `api_key`, `oauth` or `external`; or, where that is what you want, set `allow_unauthenticated = true` in `[listener]` or pass `--allow-unauthenticated`",
        );
    }
    inbound
}

/// Refuses a way in that lets a client in before it is asked to sign in: clients do so only when they are refused.
fn refuse_unasked(reading: &mut Reading<'_>, span: Range<usize>, inbound: &BTreeSet<Inbound>) {
    let unasked = [(Inbound::Open, "open"), (Inbound::Headers, "headers")];
    let found = unasked.into_iter().find(|(way, _)| inbound.contains(way));
    let people_sign_in = inbound.contains(&Inbound::OAuth) || inbound.contains(&Inbound::External);
    // Whoever comes by his own headers beside a provider's token brings everything himself, and is told where to sign in all the same.
    let found =
        found.filter(|(way, _)| *way == Inbound::Open || !inbound.contains(&Inbound::External));
    if let Some((_, name)) = found.filter(|_| people_sign_in) {
        reading.refuse(
            span,
            format!("nobody would be asked to sign in, since `{name}` lets everybody in"),
            format!("leave `{name}` out, or publish a second toolset with it"),
        );
    }
}

fn caller_supplied(
    reading: &mut Reading<'_>,
    table: &file::Toolset,
    specs: &[&VariableSpec],
) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for name in &table.caller_supplied {
        let word = name.get_ref().as_str();
        let known: Vec<&str> = specs.iter().flat_map(|spec| spec.names()).collect();
        if known.contains(&word) {
            names.insert(word.to_owned());
        } else {
            reading.refuse(
                name.span(),
                format!("no document of the toolset reads a variable `{word}`"),
                did_you_mean(word, known),
            );
        }
    }
    names
}
