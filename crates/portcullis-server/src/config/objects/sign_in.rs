//! Judges whether what a toolset, its documents and its provider say of signing in goes together.
//!
//! What people sign in for is found out as the catalogue does, for the tools that the toolset publishes.

use std::sync::Arc;

use portcullis_base::Slug;
use toml::Spanned;

use super::ToolsetObject;
use super::toolset::Surroundings;
use crate::catalogue::binding::{self, Company, Home};
use crate::catalogue::{PublishedDocument, PublishedTool};
use crate::config::file;
use crate::config::reading::Reading;
use crate::upstream::providers::catalogue::resolve_settings;

/// Judges a toolset that people sign in to.
pub(super) fn judge(
    reading: &mut Reading<'_>,
    table: &file::Toolset,
    toolset: &ToolsetObject,
    surroundings: &Surroundings<'_>,
) {
    let (Some(slug), Some(name)) = (&toolset.provider, &table.provider) else {
        return;
    };
    let provider = surroundings.providers.get(slug).and_then(|provider| {
        let secret = provider.client_secret.as_ref();
        resolve_settings(slug, &provider.settings, secret).ok()
    });
    // What is wrong with the provider itself is said already.
    let Some(provider) = provider else {
        return;
    };
    let tools = tools(toolset, Home::Provider(&provider), surroundings);
    refuse_other_provider(reading, name, &tools);
    if provider.is_open_by_default() && !binding::sign_in(slug, &tools).connects {
        reading.refuse(
            name.span(),
            format!(
                "anybody in the world who has an account at {} could sign in and use your credentials, since no tool is called with the person's own",
                provider.name()
            ),
            format!(
                "say in `[providers.{slug}]` who may come in, by `allow = [\"…\"]`, where `[\"*\"]` means everybody; or bind the document to the provider, so that people call with their own token"
            ),
        );
    }
}

/// Makes the tools of a toolset as the catalogue does.
pub(super) fn tools(
    toolset: &ToolsetObject,
    home: Home<'_>,
    surroundings: &Surroundings<'_>,
) -> Vec<PublishedTool> {
    let company = Company::of(&toolset.documents);
    let documents = toolset.documents.iter().filter_map(|part| {
        let object = surroundings.documents.get(&part.document)?;
        let schemes = object.schemes.clone();
        let published = PublishedDocument::new(part.document.clone(), &object.compiled, schemes);
        let published = Arc::new(published.with_settings(object.settings.clone()));
        Some(binding::tools(
            &published,
            &part.select,
            company,
            Some(home),
        ))
    });
    documents.flatten().collect()
}

/// Refuses a toolset whose people sign in at one provider while its tools want the token of another: they would be called with whatever else is at hand.
pub(super) fn refuse_other_provider(
    reading: &mut Reading<'_>,
    name: &Spanned<String>,
    tools: &[PublishedTool],
) {
    let Some((document, place, other)) = tools.iter().find_map(|tool| other(tool, name.get_ref()))
    else {
        return;
    };
    reading.refuse(
        name.span(),
        format!(
            "people sign in at `{}`, but `{place}` takes their token of `{other}`",
            name.get_ref()
        ),
        format!(
            "name `{other}` as the toolset's provider; or, where its tools shall be called with other credentials, describe the document `{document}` a second time without `provider`"
        ),
    );
}

/// Returns the place in the file where a tool is bound to another provider than `provider`, with the document and that provider.
fn other(tool: &PublishedTool, provider: &str) -> Option<(Slug, String, String)> {
    let document = &tool.document;
    let whole = document.settings.provider.as_ref();
    let whole = whole.filter(|_| !tool.tool.declares_security);
    let whole = whole.map(|named| (format!("documents.{}", document.slug), named));
    let requirements = tool.tool.security.iter().flatten();
    let schemes = requirements.filter_map(|requirement| {
        let scheme = &requirement.scheme;
        let named = document.scheme_settings.get(scheme)?.provider.as_ref()?;
        Some((
            format!("documents.{}.schemes.{scheme}", document.slug),
            named,
        ))
    });
    let mut named = whole.into_iter().chain(schemes);
    let (place, other) = named.find(|(_, named)| *named != provider)?;
    Some((document.slug.clone(), place, other.clone()))
}
