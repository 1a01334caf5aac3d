//! Which scopes a person's connection must have for a tool.

use portcullis_base::Slug;
use portcullis_oauth::scope::{OFFLINE_ACCESS, Scopes};
use portcullis_openapi::{SchemeKind, SecurityAlternative, SecurityRequirement};

use crate::catalogue::PublishedTool;

/// Returns the scopes that a tool needs of the caller's connection at `provider`, `granted` being those that he has.
///
/// Of several alternatives of the document, one that `granted` suffices for is taken, and otherwise the first; a tool that can do without any credential needs none.
#[must_use]
pub fn needed_scopes(tool: &PublishedTool, provider: &Slug, granted: &Scopes) -> Scopes {
    let mut listed = listed_scopes(tool, provider);
    if let Some(enough) = listed.find(|scopes| scopes.is_subset(granted)) {
        return enough;
    }
    if tool.tool.security.iter().any(Vec::is_empty) {
        return Scopes::default();
    }
    listed_scopes(tool, provider).next().unwrap_or_default()
}

/// Returns, for each alternative that the connection has a part in, the scopes that it lists; in the document's order.
///
/// A tool of which the document says nothing lists none, whatever a sign-in asks for: nobody said which scopes it needs.
pub(crate) fn listed_scopes<'a>(
    tool: &'a PublishedTool,
    provider: &'a Slug,
) -> impl Iterator<Item = Scopes> + 'a {
    let is_bound =
        |requirement: &SecurityRequirement| tool.bound.get(&requirement.scheme) == Some(provider);
    let of_itself = tool.provider.as_ref().filter(|it| *it == provider);
    let of_itself = of_itself.map(|_| Scopes::default());
    let alternatives = tool.tool.security.iter();
    let listed = alternatives
        .filter(move |alternative| alternative.iter().any(is_bound))
        .map(move |alternative| scopes(tool, alternative, is_bound));
    of_itself.into_iter().chain(listed)
}

fn scopes(
    tool: &PublishedTool,
    alternative: &SecurityAlternative,
    is_bound: impl Fn(&SecurityRequirement) -> bool,
) -> Scopes {
    let names_scopes = |requirement: &&SecurityRequirement| {
        let scheme = tool.document.schemes.get(&requirement.scheme);
        // What an `http` scheme lists are roles, of which no authorization server knows.
        scheme.is_some_and(|scheme| scheme.kind != SchemeKind::Bearer)
    };
    alternative
        .iter()
        .filter(|requirement| is_bound(requirement))
        .filter(names_scopes)
        .flat_map(|requirement| &requirement.scopes)
        // It opens nothing at an API; whether to ask a provider for it is not a document's to say.
        .filter(|scope| scope.as_str() != OFFLINE_ACCESS)
        // What cannot be a scope cannot be asked for.
        .filter_map(|scope| Scopes::parse(scope).ok())
        .fold(Scopes::default(), |all, one| all.union(&one))
}
