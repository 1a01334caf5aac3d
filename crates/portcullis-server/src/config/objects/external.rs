//! Judges toolsets that take a provider's own access tokens: whether what they say of it goes together.

use std::collections::BTreeSet;
use std::ops::Range;

use portcullis_base::Slug;
use portcullis_store::{Inbound, TokenValidation, VariableValue};

use super::ToolsetObject;
use super::sign_in::{refuse_other_provider, tools};
use super::toolset::{Surroundings, find};
use crate::catalogue::binding::{self, Home};
use crate::config::file;
use crate::config::reading::Reading;
use crate::upstream::external::ResolvedManifest;

/// Reads which manifest's tokens a toolset takes, if any.
pub(super) fn manifest(
    reading: &mut Reading<'_>,
    table: &file::Toolset,
    inbound: &BTreeSet<Inbound>,
    surroundings: &Surroundings<'_>,
) -> Option<Slug> {
    let takes_tokens = inbound.contains(&Inbound::External);
    let list = table.inbound.as_ref().filter(|_| takes_tokens);
    if let Some(list) = list.filter(|_| inbound.contains(&Inbound::OAuth)) {
        reading.refuse(
            list.span(),
            "`oauth` and `external` would send clients to two authorization servers",
            "keep one of them, or publish a second toolset with the other",
        );
    }
    let Some(name) = &table.manifest else {
        if let Some(list) = list {
            let slugs: Vec<&str> = surroundings.manifests.keys().map(Slug::as_str).collect();
            let advice = match slugs.as_slice() {
                [] => {
                    "describe one in `[manifests.…]`, and name it by `manifest = \"…\"`".to_owned()
                }
                [only] => format!("add `manifest = \"{only}\"`"),
                all => format!("add `manifest = \"…\"` with one of `{}`", all.join("`, `")),
            };
            let message = "`external` needs the manifest of the provider whose tokens are accepted";
            reading.refuse(list.span(), message, advice);
        }
        return None;
    };
    if !takes_tokens {
        reading.refuse(
            name.span(),
            "no token of the provider's is accepted, since `external` is not among the ways in",
            "add `external` to `inbound`, or leave `manifest` out",
        );
    }
    find(reading, name, "manifest", surroundings.manifests)
}

/// Tells whether a toolset takes tokens that nobody but the API judges.
pub(super) fn is_unjudged(
    table: &file::Toolset,
    inbound: &BTreeSet<Inbound>,
    surroundings: &Surroundings<'_>,
) -> bool {
    let named = table.manifest.as_ref().map(|name| name.get_ref().as_str());
    let mut manifests = surroundings.manifests.iter();
    let named = manifests.find(|(slug, _)| Some(slug.as_str()) == named);
    inbound.contains(&Inbound::External)
        && named.is_some_and(|(_, it)| it.settings.validation == TokenValidation::Upstream)
}

/// Judges a toolset that takes a provider's own tokens.
pub(super) fn judge(
    reading: &mut Reading<'_>,
    span: Range<usize>,
    table: &file::Toolset,
    toolset: &ToolsetObject,
    surroundings: &Surroundings<'_>,
) {
    let (Some(slug), Some(name)) = (&toolset.manifest, &table.manifest) else {
        return;
    };
    // What is wrong with the manifest itself is said already.
    let Some(manifest) = resolved(slug, surroundings) else {
        return;
    };
    if manifest.is_unvalidated() && has_secrets(toolset, surroundings) {
        reading.refuse(
            table.environment.as_ref().map_or(span, toml::Spanned::span),
            format!("nobody but the API judges tokens of `{slug}`, so that the environment's secrets would serve whoever holds any of them"),
            "leave `environment` out, or choose another `validation` in the manifest's table",
        );
    }
    if manifest.delegation.is_none() {
        return;
    }
    let tools = tools(toolset, Home::Manifest(&manifest), surroundings);
    refuse_other_provider(reading, name, &tools);
    if !binding::sign_in(slug, &tools).connects {
        reading.refuse(
            name.span(),
            format!("no tool is called with what `{slug}` has for it, since no scheme of the documents names the provider's URLs"),
            format!("add `provider = \"{slug}\"` to the scheme's table, `[documents.….schemes.…]`, or to the document's where it declares no scheme; or leave `upstream` out of the manifest's table"),
        );
    }
}

fn resolved(slug: &Slug, surroundings: &Surroundings<'_>) -> Option<ResolvedManifest> {
    let object = surroundings.manifests.get(slug)?;
    let secret = object.client_secret.as_ref();
    ResolvedManifest::new(slug, &object.content, &object.settings, secret).ok()
}

fn has_secrets(toolset: &ToolsetObject, surroundings: &Surroundings<'_>) -> bool {
    let environment = toolset.environment.as_ref();
    let environment = environment.and_then(|slug| surroundings.environments.get(slug));
    environment.is_some_and(|environment| {
        let mut values = environment.variables.values();
        values.any(|value| matches!(value, VariableValue::Secret(_)))
    })
}
