//! Which tools of a document a toolset publishes, and under which names.

use std::collections::{HashMap, HashSet};

use portcullis_base::Digest;
use portcullis_openapi::Tool;
use portcullis_store::Selection;

/// The longest tool name that clients and models accept.
const MAX_NAME: usize = 64;

/// Tells whether `selection` keeps `tool`.
pub(crate) fn selects(selection: &Selection, tool: &Tool) -> bool {
    let tagged =
        selection.tags.is_empty() || tool.tags.iter().any(|tag| selection.tags.contains(tag));
    let included = selection.include.is_empty()
        || selection
            .include
            .iter()
            .any(|pattern| matches(pattern, &tool.name));
    tagged
        && included
        && !selection
            .exclude
            .iter()
            .any(|pattern| matches(pattern, &tool.name))
}

/// Tells whether `pattern`, in which `*` stands for any characters, matches the whole of `name`.
fn matches(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| name.strip_prefix(first)) else {
        return false;
    };
    let Some(last) = pieces.next_back() else {
        return rest.is_empty();
    };
    for piece in pieces {
        let Some(at) = rest.find(piece) else {
            return false;
        };
        rest = rest.get(at + piece.len()..).unwrap_or_default();
    }
    rest.ends_with(last)
}

/// Names the tools of several documents: the tool's own name, or, where two documents share it, that name behind the document's slug.
///
/// The answer has the order of `tools` and does not depend on the order of the documents.
pub(crate) fn names(tools: &[(&str, &str)]) -> Vec<String> {
    let mut documents_of: HashMap<&str, HashSet<&str>> = HashMap::new();
    for (document, name) in tools {
        documents_of.entry(name).or_default().insert(document);
    }
    let shared = |name: &str| {
        documents_of
            .get(name)
            .is_some_and(|documents| documents.len() > 1)
    };
    tools
        .iter()
        .map(|(document, name)| {
            if shared(name) {
                let is_taken = |name: &str| documents_of.contains_key(name);
                prefixed(document, name, is_taken)
            } else {
                (*name).to_owned()
            }
        })
        .collect()
}

/// Puts the slug before the name; where that is too long or another tool's own name, a digest of both follows as much of the name as there is room for.
fn prefixed(document: &str, name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let whole = format!("{document}_{name}");
    if whole.len() <= MAX_NAME && !is_taken(&whole) {
        return whole;
    }
    let digest = Digest::of_fields([document.as_bytes(), name.as_bytes()]).fingerprint();
    let kept: String = name.chars().take(MAX_NAME - 1 - digest.len()).collect();
    format!("{kept}_{digest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, name, expected) in [
            ("*", "anything", true),
            ("repos_*", "repos_get", true),
            ("repos_*", "my_repos_get", false),
            ("*_list", "pulls_list", true),
            ("*list*", "pulls_list_files", true),
            ("a*b*c", "a-b-c", true),
            ("a*b*c", "acb", false),
            ("get", "get", true),
            ("get", "get_one", false),
            ("ab*bc", "abc", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn a_name_that_two_documents_share_bears_the_slug_in_both() {
        let tools = [("billing", "list"), ("billing", "pay"), ("crm", "list")];
        assert_eq!(names(&tools), ["billing_list", "pay", "crm_list"]);
        let other_order = [("crm", "list"), ("billing", "list"), ("billing", "pay")];
        assert_eq!(names(&other_order), ["crm_list", "billing_list", "pay"]);
    }

    #[test]
    fn a_prefixed_name_never_takes_another_tools_own() {
        let tools = [
            ("billing", "list"),
            ("crm", "list"),
            ("crm", "billing_list"),
        ];
        let names = names(&tools);
        assert_eq!(names[1..], ["crm_list", "billing_list"]);
        assert!(names[0].starts_with("list_"), "{names:?}");
    }

    #[test]
    fn a_prefixed_name_stays_short_and_unique() {
        let long = "x".repeat(63);
        let [one, other] = ["a-rather-long-slug", "a-rather-long-slug-2"]
            .map(|slug| prefixed(slug, &long, |_| false));
        assert!(one.len() <= MAX_NAME && other.len() <= MAX_NAME);
        assert_ne!(one, other);
    }
}
