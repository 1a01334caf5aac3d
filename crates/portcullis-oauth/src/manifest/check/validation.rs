//! Whether the tokens that the provider issues can be told to be for us.

use super::{CheckInput, Finding, Manifest, ResourceVerdict, SIGN_IN_HERE, Severity};
use crate::resource::Resource;

pub(super) fn findings(manifest: &Manifest, input: &CheckInput<'_>) -> Vec<Finding> {
    [
        means(manifest),
        listed(manifest, input.our_resource),
        verdict(input.resource_verdict),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn means(manifest: &Manifest) -> Option<Finding> {
    let has = |name| manifest.text(name).is_some();
    if has("jwks_uri") || has("introspection_endpoint") {
        return None;
    }
    Some(Finding::new(
        Severity::Warning,
        "validation-means",
        "there is neither `jwks_uri` nor `introspection_endpoint`, so tokens can be judged neither by signature nor by introspection",
        "configure a probe whose answer names an audience or a client id",
    ))
}

/// `protected_resources` names resources that can be used with the authorization server (RFC 9728 §4); it need not be complete.
fn listed(manifest: &Manifest, ours: Option<&Resource>) -> Option<Finding> {
    let ours = ours?;
    let resources = manifest.texts("protected_resources")?;
    let is_ours = |resource: &&str| Resource::parse(resource).is_ok_and(|it| it == *ours);
    if resources.iter().any(is_ours) {
        return None;
    }
    Some(Finding::new(
        Severity::Warning,
        "resource-unlisted",
        format!("`protected_resources` lacks {ours}, which clients send as `resource`"),
        "register our URL as a resource at the provider",
    ))
}

fn verdict(verdict: ResourceVerdict) -> Option<Finding> {
    match verdict {
        ResourceVerdict::Untried | ResourceVerdict::Accepted => None,
        ResourceVerdict::Ignored => Some(Finding::new(
            Severity::Warning,
            "resource-ignored",
            "the provider ignores `resource`: its tokens do not name our URL as their audience",
            "register our URL as a resource at the provider, or accept the audience that it writes, if no other service takes tokens with it",
        )),
        ResourceVerdict::Refused => Some(Finding::new(
            Severity::Error,
            "resource-refused",
            "the provider refuses our URL as `resource`, and MCP clients always send it",
            SIGN_IN_HERE,
        )),
    }
}
