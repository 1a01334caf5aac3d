//! Which schemes of a document stand for the provider that people sign in at, and what signing in is then for.
//!
//! A scheme is bound because the operator says so, or because the document names the provider's own URLs.
//! An operation of which the document says nothing is bound itself, where the operator says so of the document.

use std::collections::BTreeMap;
use std::sync::Arc;

use portcullis_base::Slug;
use portcullis_oauth::client::provider::ResolvedProvider;
use portcullis_oauth::issuer::redeem::OwnLifetimes;
use portcullis_oauth::scope::Scopes;
use portcullis_openapi::{Presentation, SchemeFlow, SchemeKind, SecurityScheme, ServerTemplate};
use portcullis_store::{SchemeSettings, Selection, ToolsetDocument};

use super::{PublishedDocument, PublishedTool, SignIn, selection};
use crate::upstream::credentials::listed_scopes;
use crate::upstream::external::ResolvedManifest;

/// What else a toolset publishes beside a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Company {
    /// Nothing: whoever chose the provider chose it for this document.
    Alone,
    /// Other documents, for one of which the provider may be meant.
    Others,
}

impl Company {
    /// Tells what each of a toolset's documents has beside it.
    pub(crate) fn of(documents: &[ToolsetDocument]) -> Self {
        match documents {
            [_] => Self::Alone,
            _ => Self::Others,
        }
    }
}

/// Whose tokens people bring: a provider's at which we are registered, or one's that lets them in itself.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Home<'a> {
    /// People sign in here, and there.
    Provider(&'a ResolvedProvider),
    /// People sign in there alone, and their tokens, or what those are traded for, go to the API.
    Manifest(&'a ResolvedManifest),
}

impl<'a> Home<'a> {
    /// Returns the slug that bindings name.
    pub(crate) fn slug(self) -> &'a Slug {
        match self {
            Self::Provider(provider) => provider.slug(),
            Self::Manifest(manifest) => &manifest.slug,
        }
    }

    fn is_at(self, url: &str) -> bool {
        match self {
            Self::Provider(provider) => provider.is_at(url),
            Self::Manifest(manifest) => manifest.manifest.is_at(url),
        }
    }

    fn is_discovered_at(self, url: &str) -> bool {
        match self {
            Self::Provider(provider) => provider.is_discovered_at(url),
            Self::Manifest(manifest) => manifest.manifest.is_discovered_at(url),
        }
    }

    fn has_host_of(self, url: &str) -> bool {
        match self {
            Self::Provider(provider) => provider.has_host_of(url),
            Self::Manifest(manifest) => manifest.manifest.has_host_of(url),
        }
    }
}

/// Makes the tools of one document that a selection keeps, where people sign in at `home` if they do at all.
pub(crate) fn tools(
    document: &Arc<PublishedDocument>,
    selection: &Selection,
    company: Company,
    home: Option<Home<'_>>,
) -> Vec<PublishedTool> {
    let bound = home.map(|home| bound_schemes(document, home, company));
    let bound = Arc::new(bound.unwrap_or_default());
    let named = document.settings.provider.as_deref();
    let provider = home.map(Home::slug);
    let provider = provider.filter(|slug| named == Some(slug.as_str()));
    let presentation = Arc::new(Presentation::default());
    let selected = document
        .tools
        .iter()
        .filter(|tool| selection::selects(selection, tool));
    selected
        .map(|tool| PublishedTool {
            tool: Arc::clone(tool),
            document: Arc::clone(document),
            bound: Arc::clone(&bound),
            provider: provider.filter(|_| !tool.declares_security).cloned(),
            presentation: Arc::clone(&presentation),
        })
        .collect()
}

/// Returns the provider whose token of the caller is the credential of a scheme, where people sign in at `home`.
///
/// What the operator says of a scheme counts: another provider, or how a client's own token is fetched, leaves it unbound.
/// A document's own word does not suffice beside others: whoever writes one could have people's tokens sent to servers of his own. There its servers must be the provider's, by their host.
fn bound_provider<'a>(
    document: &PublishedDocument,
    scheme: &str,
    home: Home<'a>,
    company: Company,
) -> Option<&'a Slug> {
    let kind = &document.schemes.get(scheme)?.kind;
    let settings = document.scheme_settings.get(scheme);
    let named = settings.and_then(|settings| settings.provider.as_deref());
    let is_trusted = company == Company::Alone || is_at_home(document, home);
    let is_open = is_trusted && !settings.is_some_and(speaks_of_a_client);
    let is_bound = match (named, kind) {
        (
            Some(named),
            SchemeKind::OAuth2 { .. } | SchemeKind::OpenIdConnect { .. } | SchemeKind::Bearer,
        ) => named == home.slug().as_str(),
        (None, SchemeKind::OAuth2 { flows }) if is_open => flows
            .iter()
            .filter_map(persons_endpoint)
            .any(|url| home.is_at(url)),
        (None, SchemeKind::OpenIdConnect { url }) if is_open => home.is_discovered_at(url),
        _ => false,
    };
    is_bound.then_some(home.slug())
}

/// Tells whether all servers of a document are hosts of the provider's.
fn is_at_home(document: &PublishedDocument, home: Home<'_>) -> bool {
    document
        .tools
        .iter()
        .all(|tool| match &tool.request.server {
            ServerTemplate::Url(url) => home.has_host_of(url),
            ServerTemplate::Unknown(_) => false,
        })
}

/// Returns where a flow sends people, if it sends any.
fn persons_endpoint(flow: &SchemeFlow) -> Option<&str> {
    matches!(flow.kind.as_str(), "authorizationCode" | "implicit")
        .then_some(flow.authorization_url.as_deref())?
}

/// Tells whether the operator says how a token is fetched with a client's own credentials.
fn speaks_of_a_client(settings: &SchemeSettings) -> bool {
    let SchemeSettings {
        origins: _,
        token_endpoint_auth_method,
        resource,
        parameters,
        key_id,
        signing_algorithm,
        provider: _,
    } = settings;
    let texts = [
        token_endpoint_auth_method,
        resource,
        key_id,
        signing_algorithm,
    ];
    texts.into_iter().any(Option::is_some) || !parameters.is_empty()
}

/// Returns every scheme of a document that is bound, with the provider.
fn bound_schemes(
    document: &PublishedDocument,
    home: Home<'_>,
    company: Company,
) -> BTreeMap<String, Slug> {
    let schemes = document.schemes.keys();
    schemes
        .filter_map(|scheme| {
            let slug = bound_provider(document, scheme, home, company)?;
            Some((scheme.clone(), slug.clone()))
        })
        .collect()
}

/// Says what people sign in for: what the tools need of the schemes that are bound.
pub(crate) fn sign_in(provider: &Slug, tools: &[PublishedTool]) -> SignIn {
    let mut scopes = Scopes::default();
    let mut connects = false;
    for tool in tools {
        // Of several ways that a document leaves open, the first is asked for.
        if let Some(first) = listed_scopes(tool, provider).next() {
            connects = true;
            scopes = scopes.union(&first);
        }
        if tool.provider.is_some() {
            let named = tool.document.settings.scopes.iter();
            let named = named.filter_map(|scope| Scopes::parse(scope).ok());
            scopes = named.fold(scopes, |all, one| all.union(&one));
        }
    }
    SignIn {
        provider: provider.clone(),
        descriptions: descriptions(&scopes, tools),
        scopes,
        connects,
        lifetimes: OwnLifetimes::default(),
    }
}

/// Finds what documents say of scopes; the first that says anything counts, since all of them speak of one provider's.
fn descriptions(scopes: &Scopes, tools: &[PublishedTool]) -> BTreeMap<String, String> {
    let mut descriptions = BTreeMap::new();
    let mut documents: Vec<&PublishedTool> = Vec::new();
    for tool in tools {
        if !documents
            .iter()
            .any(|it| it.document.slug == tool.document.slug)
        {
            documents.push(tool);
        }
    }
    for PublishedTool {
        document, bound, ..
    } in documents
    {
        for scheme in bound.keys().filter_map(|name| document.schemes.get(name)) {
            for (scope, text) in told(scheme) {
                let text = text.trim();
                if scopes.contains(scope) && !text.is_empty() {
                    let taken = descriptions.entry(scope.clone());
                    taken.or_insert_with(|| text.to_owned());
                }
            }
        }
    }
    descriptions
}

fn told(scheme: &SecurityScheme) -> impl Iterator<Item = (&String, &String)> {
    let flows = match &scheme.kind {
        SchemeKind::OAuth2 { flows } => flows.as_slice(),
        _ => &[],
    };
    flows.iter().flat_map(|flow| &flow.scopes)
}

#[cfg(test)]
mod tests;
