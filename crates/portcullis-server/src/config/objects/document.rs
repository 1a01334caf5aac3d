//! Reads the documents that a configuration names.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use portcullis_base::{Digest, Origin, Slug};
use portcullis_oauth::scope::OFFLINE_ACCESS;
use portcullis_openapi::variables::{VariableSpec, judge_slug, variables};
use portcullis_openapi::{Bundle, SchemeKind, SecurityScheme};
use portcullis_store::{DocumentSettings, SchemeSettings};
use toml::Spanned;

use super::files::Source;
use super::provider::scope;
use super::remote;
use super::toolset::find_among;
use super::{DocumentObject, ManifestObject, ProviderObject};
use crate::compiled::CompiledDocument;
use crate::config::file::{self, Named};
use crate::config::problem::{Problem, did_you_mean};
use crate::config::reading::Reading;

const AUTH_METHODS: [&str; 3] = [
    "client_secret_basic",
    "client_secret_post",
    "private_key_jwt",
];

/// Whose tokens of the people who sign in may be a credential: providers and manifests, by slug.
pub(in crate::config) struct Lenders(BTreeSet<Slug>);

impl Lenders {
    pub(in crate::config) fn new(
        providers: &BTreeMap<Slug, ProviderObject>,
        manifests: &BTreeMap<Slug, ManifestObject>,
    ) -> Self {
        let slugs = providers.keys().chain(manifests.keys()).cloned();
        Self(slugs.collect())
    }
}

/// Reads every document of the file.
pub(in crate::config) fn documents(
    reading: &mut Reading<'_>,
    tables: &Named<file::Document>,
    lenders: &Lenders,
) -> BTreeMap<Slug, DocumentObject> {
    let mut documents = BTreeMap::new();
    for (name, table) in tables {
        let Some(slug) = reading.slug(name) else {
            continue;
        };
        let Some((span, read)) = read(reading, name, &slug, table) else {
            continue;
        };
        match read {
            Ok(mut document) => {
                let compiled = Arc::clone(&document.compiled);
                document.schemes = schemes(reading, &table.schemes, &compiled.schemes, lenders);
                document.settings = whole(reading, table, &compiled, lenders);
                documents.insert(slug, document);
            }
            Err(problem) => reading.problems.push(problem.at(span)),
        }
    }
    refuse_shared_names(reading, tables, &documents);
    documents
}

/// Reads a document from its file or URL; gives also where that stands.
fn read(
    reading: &mut Reading<'_>,
    name: &Spanned<String>,
    slug: &Slug,
    table: &file::Document,
) -> Option<(Range<usize>, Result<DocumentObject, Problem>)> {
    let Some(file) = &table.file else {
        if table.url.is_none() {
            reading.refuse(
                name.span(),
                format!("the document `{slug}` has neither a file nor a URL"),
                "add `file = \"path\"` or `url = \"https://…\"`, the OpenAPI document in JSON or YAML",
            );
        }
        let described = remote::described(reading, slug, table)?;
        return Some((described.span.clone(), remote::object(reading, &described)));
    };
    remote::refuse(reading, table);
    let path = reading.path(file.get_ref());
    let folder = table.folder.as_ref();
    let folder = folder.map(|folder| reading.path(folder.get_ref()));
    let source = Source {
        path: &path,
        folder: folder.as_deref(),
        root: table.root.as_ref().map(|root| root.get_ref().as_str()),
    };
    let read = parse(reading, source).map(|parsed| object(&path, slug, parsed));
    reading.files.push(path);
    Some((file.span(), read))
}

/// A document that was read, with what it becomes.
pub(super) struct Parsed {
    bundle: Bundle,
    pub(super) compiled: Arc<CompiledDocument>,
}

/// Reads a document and its files and compiles them, unless they are known.
pub(super) fn parse(reading: &mut Reading<'_>, source: Source<'_>) -> Result<Parsed, Problem> {
    let bundle = source.read(reading)?;
    let compiled = reading
        .known
        .document(Digest::of(&bundle.bytes), &bundle.bytes)
        .map_err(|error| source.unreadable(&error))?;
    Ok(Parsed { bundle, compiled })
}

/// Puts together what is kept of a document.
pub(super) fn object(path: &Path, slug: &Slug, parsed: Parsed) -> DocumentObject {
    let Parsed { bundle, compiled } = parsed;
    DocumentObject {
        source: path.display().to_string(),
        url: None,
        remote: None,
        content: bundle.bytes.into(),
        remarks: bundle.diagnostics,
        schemes: BTreeMap::new(),
        settings: DocumentSettings::default(),
        variables: variables(slug.as_str(), &compiled.schemes, &compiled.server_variables),
        compiled,
    }
}

/// Reads whose token the operations bear of which the document says nothing.
fn whole(
    reading: &mut Reading<'_>,
    table: &file::Document,
    compiled: &CompiledDocument,
    lenders: &Lenders,
) -> DocumentSettings {
    let scopes = reading.all_parsed(&table.scopes, document_scope);
    let origins = reading.all_parsed(&table.origins, Origin::parse);
    let lists = [(&table.scopes, "scopes"), (&table.origins, "origins")];
    let Some(name) = &table.provider else {
        let meant = lists
            .into_iter()
            .filter_map(|(list, key)| Some((list.first()?, key)));
        for (first, key) in meant {
            reading.refuse(
                first.span(),
                format!("`{key}` says nothing without `provider` beside it"),
                "name the provider whose token the operations bear of which the document says nothing; what is for one scheme stands in the scheme's table",
            );
        }
        return DocumentSettings::default();
    };
    let mut tools = compiled.tools.iter();
    if !compiled.tools.is_empty() && tools.all(|tool| tool.declares_security) {
        reading.refuse(
            name.span(),
            "the document says of each operation which credential it needs, if any",
            "leave `provider` out here; to bind a scheme of the document, set it in the scheme's table, `[documents.….schemes.…]`",
        );
    }
    let provider = find_among(reading, name, "provider", lenders.0.iter());
    DocumentSettings {
        provider: provider.map(|slug| slug.as_str().to_owned()),
        scopes,
        origins: origins.iter().map(|it| it.as_str().to_owned()).collect(),
    }
}

fn document_scope(text: &str) -> Result<String, String> {
    if text == OFFLINE_ACCESS {
        return Err("it opens nothing at an API; clients ask for it themselves".to_owned());
    }
    scope(text)
}

fn schemes(
    reading: &mut Reading<'_>,
    tables: &Named<file::Scheme>,
    schemes: &[SecurityScheme],
    lenders: &Lenders,
) -> BTreeMap<String, SchemeSettings> {
    let mut settings = BTreeMap::new();
    for (name, table) in tables {
        let word = name.get_ref().as_str();
        let Some(scheme) = schemes.iter().find(|scheme| scheme.name == word) else {
            let names = schemes.iter().map(|scheme| scheme.name.as_str());
            reading.refuse(
                name.span(),
                format!("the document has no security scheme `{word}`"),
                did_you_mean(word, names),
            );
            continue;
        };
        refuse_misplaced(reading, name, table, &scheme.kind);
        let mut read = scheme_settings(reading, table);
        let provider = table.provider.as_ref();
        let provider =
            provider.and_then(|name| find_among(reading, name, "provider", lenders.0.iter()));
        read.provider = provider.map(|slug| slug.as_str().to_owned());
        settings.insert(word.to_owned(), read);
    }
    settings
}

/// Refuses what means nothing for a scheme of its kind.
fn refuse_misplaced(
    reading: &mut Reading<'_>,
    name: &Spanned<String>,
    table: &file::Scheme,
    kind: &SchemeKind,
) {
    let word = name.get_ref();
    if speaks_of_tokens(table) && !fetches_tokens(kind) {
        reading.refuse(
            name.span(),
            format!("no token is fetched for the scheme `{word}`"),
            "only `origins` can be set for it, and `provider` where it is `http` `bearer`; the rest is for `oauth2` and `openIdConnect` schemes",
        );
    }
    let bears_tokens = fetches_tokens(kind) || *kind == SchemeKind::Bearer;
    if let Some(provider) = table.provider.as_ref().filter(|_| !bears_tokens) {
        reading.refuse(
            provider.span(),
            format!("a provider's token cannot be the credential of `{word}`"),
            "leave `provider` out; it is for `oauth2`, `openIdConnect` and `http` `bearer` schemes",
        );
    }
}

fn speaks_of_tokens(table: &file::Scheme) -> bool {
    let file::Scheme {
        origins: _,
        token_endpoint_auth_method,
        resource,
        parameters,
        key_id,
        signing_algorithm,
        provider: _,
    } = table;
    let texts = [
        token_endpoint_auth_method,
        resource,
        key_id,
        signing_algorithm,
    ];
    texts.into_iter().any(Option::is_some) || !parameters.is_empty()
}

fn fetches_tokens(kind: &SchemeKind) -> bool {
    matches!(
        kind,
        SchemeKind::OAuth2 { .. } | SchemeKind::OpenIdConnect { .. }
    )
}

fn scheme_settings(reading: &mut Reading<'_>, table: &file::Scheme) -> SchemeSettings {
    if let Some(method) = &table.token_endpoint_auth_method {
        let word = method.get_ref().as_str();
        if !AUTH_METHODS.contains(&word) {
            reading.refuse(
                method.span(),
                format!("`{word}` is no way to authenticate to a token endpoint"),
                did_you_mean(word, AUTH_METHODS),
            );
        }
    }
    let text = |value: &file::Value<String>| value.as_ref().map(|text| text.get_ref().clone());
    let origins = reading.all_parsed(&table.origins, Origin::parse);
    SchemeSettings {
        origins: origins.iter().map(|it| it.as_str().to_owned()).collect(),
        token_endpoint_auth_method: text(&table.token_endpoint_auth_method),
        resource: text(&table.resource),
        parameters: table.parameters.clone(),
        key_id: text(&table.key_id),
        signing_algorithm: text(&table.signing_algorithm),
        provider: None,
    }
}

/// Refuses a variable that two documents would read, since a value is for one place only.
fn refuse_shared_names(
    reading: &mut Reading<'_>,
    tables: &Named<file::Document>,
    documents: &BTreeMap<Slug, DocumentObject>,
) {
    let mut owners: HashMap<&str, &Slug> = HashMap::new();
    for (slug, document) in documents {
        let names = document.variables.iter().flat_map(VariableSpec::names);
        let taken = names.filter_map(|name| Some((name, owners.insert(name, slug)?)));
        if let Some((name, owner)) = taken.into_iter().find(|(_, owner)| *owner != slug) {
            let at = tables.keys().find(|key| key.get_ref() == slug.as_str());
            reading.refuse(
                at.map(Spanned::span).unwrap_or_default(),
                format!("the documents `{owner}` and `{slug}` both read the variable `{name}`"),
                "give one of them another slug",
            );
        }
    }
}

impl Reading<'_> {
    /// Reads the slug of a document or a toolset.
    pub(in crate::config) fn slug(&mut self, name: &Spanned<String>) -> Option<Slug> {
        let slug = self.any_slug(name)?;
        if let Err(error) = judge_slug(slug.as_str()) {
            let help = format!("for example `{slug}-tools`");
            self.refuse(name.span(), error.to_string(), help);
            return None;
        }
        Some(slug)
    }

    /// Reads a slug that stands in no URL and no header.
    pub(in crate::config) fn any_slug(&mut self, name: &Spanned<String>) -> Option<Slug> {
        let text = name.get_ref();
        Slug::parse(text)
            .map_err(|error| {
                let help = match Slug::nearest(text) {
                    Some(slug) => format!("for example `{slug}`"),
                    None => "for example `petstore`".to_owned(),
                };
                self.refuse(name.span(), error.to_string(), help);
            })
            .ok()
    }
}
