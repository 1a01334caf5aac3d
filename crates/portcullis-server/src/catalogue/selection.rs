//! Which tools of a document a toolset publishes, and under which names.

use std::collections::{HashMap, HashSet};

use portcullis_base::Digest;
use portcullis_openapi::Tool;
use portcullis_store::Selection;

use super::PublishedDocument;

/// The longest tool name that clients and models accept.
const MAX_NAME: usize = 64;

/// Tells whether `selection` keeps `tool`.
pub(crate) fn selects(selection: &Selection, tool: &Tool) -> bool {
    (selection.deprecated || !tool.deprecated) && is_meant(selection, tool)
}

/// Tells whether `selection` would keep `tool` if the document did not advise against it.
fn is_meant(selection: &Selection, tool: &Tool) -> bool {
    let keeps = |key: Key| {
        let entries = key.entries(selection);
        entries.is_empty() || entries.iter().any(|entry| key.holds(entry, tool))
    };
    let excluded = selection.exclude.iter();
    Key::KEEPING.into_iter().all(keeps)
        && !excluded
            .into_iter()
            .any(|entry| Key::Exclude.holds(entry, tool))
}

/// The keys of a selection that are lists.
#[derive(Clone, Copy, Debug)]
enum Key {
    Tags,
    Methods,
    Paths,
    Operations,
    Include,
    Exclude,
}

impl Key {
    /// Those that say what is kept.
    const KEEPING: [Self; 5] = [
        Self::Tags,
        Self::Methods,
        Self::Paths,
        Self::Operations,
        Self::Include,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Tags => "tags",
            Self::Methods => "methods",
            Self::Paths => "paths",
            Self::Operations => "operations",
            Self::Include => "include",
            Self::Exclude => "exclude",
        }
    }

    fn entries(self, selection: &Selection) -> &[String] {
        match self {
            Self::Tags => &selection.tags,
            Self::Methods => &selection.methods,
            Self::Paths => &selection.paths,
            Self::Operations => &selection.operations,
            Self::Include => &selection.include,
            Self::Exclude => &selection.exclude,
        }
    }

    /// Tells whether an entry of the key's list speaks of `tool`.
    fn holds(self, entry: &str, tool: &Tool) -> bool {
        match self {
            Self::Tags => tool.tags.iter().any(|tag| tag == entry),
            Self::Methods => tool.request.method.as_str() == entry,
            Self::Paths => matches(entry, &tool.path()),
            Self::Operations => {
                let id = tool.operation_id.as_deref();
                id.is_some_and(|id| matches(entry, id))
            }
            Self::Include | Self::Exclude => matches(entry, &tool.name),
        }
    }
}

/// What the operator should know of a selection.
#[derive(Debug, Default)]
pub(crate) struct Remarks {
    /// What he may not have meant.
    pub(crate) warnings: Vec<String>,
    /// What is left out unless he says otherwise.
    pub(crate) notes: Vec<String>,
}

impl Remarks {
    /// Looks at what `selection` makes of the tools of `document`.
    pub(crate) fn look(&mut self, selection: &Selection, document: &PublishedDocument) {
        let PublishedDocument { slug, tools, .. } = document;
        for key in Key::KEEPING.into_iter().chain([Key::Exclude]) {
            for entry in key.entries(selection) {
                if !tools.iter().any(|tool| key.holds(entry, tool)) {
                    self.warnings.push(format!(
                        "no operation of the document `{slug}` is meant by `{entry}` in `{}` of its selection; `portcullis check` lists its tools",
                        key.name()
                    ));
                }
            }
        }
        let meant = || tools.iter().filter(|tool| is_meant(selection, tool));
        if meant().next().is_none() && !tools.is_empty() {
            self.warnings.push(format!(
                "no operation of the document `{slug}` is selected by all keys of its selection together"
            ));
        }
        let deprecated = meant().filter(|tool| tool.deprecated).count();
        if deprecated > 0 && !selection.deprecated {
            let operations = match deprecated {
                1 => "1 deprecated operation".to_owned(),
                count => format!("{count} deprecated operations"),
            };
            self.notes.push(format!(
                "{operations} of the document `{slug}` left out; `deprecated = true` in its selection publishes them"
            ));
        }
    }
}

/// Tells whether `pattern`, in which `*` stands for any characters, slashes among them, matches the whole of `name`.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
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
    use std::collections::BTreeMap;

    use portcullis_base::Slug;

    use super::*;
    use crate::compiled::KnownDocuments;

    const PETS: &str = r#"{"openapi": "3.1.0", "paths": {
        "/pets": {
            "get": {"operationId": "pets/list", "tags": ["pet"]},
            "post": {"operationId": "pets/add", "tags": ["pet"]}},
        "/pets/{id}": {
            "get": {"operationId": "pets/one", "tags": ["pet"]},
            "delete": {"operationId": "pets/kill", "tags": ["pet"], "deprecated": true}},
        "/store/~now": {"get": {"tags": ["store"]}}
    }}"#;

    fn pets() -> PublishedDocument {
        let known = KnownDocuments::default();
        let compiled = known.document(Digest::of(PETS.as_bytes()), PETS.as_bytes());
        let slug = Slug::parse("pets").unwrap();
        PublishedDocument::new(slug, &compiled.unwrap(), BTreeMap::new())
    }

    fn selection(set: impl FnOnce(&mut Selection)) -> Selection {
        let mut selection = Selection::default();
        set(&mut selection);
        selection
    }

    fn kept(set: impl FnOnce(&mut Selection)) -> String {
        let selection = selection(set);
        let pets = pets();
        let kept = pets.tools.iter().filter(|tool| selects(&selection, tool));
        let names: Vec<_> = kept.map(|tool| tool.name.as_str()).collect();
        names.join(" ")
    }

    fn told(set: impl FnOnce(&mut Selection)) -> (Vec<String>, Vec<String>) {
        let mut remarks = Remarks::default();
        remarks.look(&selection(set), &pets());
        (remarks.warnings, remarks.notes)
    }

    fn list(entries: &[&str]) -> Vec<String> {
        entries.iter().map(|&entry| entry.to_owned()).collect()
    }

    #[test]
    fn each_key_keeps_what_it_means_and_all_keys_hold_together() {
        let everything = "pets_list pets_add pets_one get_store_now";
        assert_eq!(kept(|_| {}), everything);
        assert_eq!(kept(|it| it.tags = list(&["store"])), "get_store_now");
        assert_eq!(kept(|it| it.methods = list(&["POST"])), "pets_add");
        let below = |it: &mut Selection| it.paths = list(&["/pets/*", "/store/~now"]);
        assert_eq!(kept(below), "pets_one get_store_now");
        assert_eq!(kept(|it| it.paths = list(&["/pets/{id}"])), "pets_one");
        assert_eq!(kept(|it| it.operations = list(&["pets/a*"])), "pets_add");
        assert_eq!(
            kept(|it| it.include = list(&["pets_*"])),
            "pets_list pets_add pets_one"
        );
        let narrow = |it: &mut Selection| {
            it.methods = list(&["GET"]);
            it.paths = list(&["/pets*"]);
            it.exclude = list(&["*_one"]);
        };
        assert_eq!(kept(narrow), "pets_list");
    }

    #[test]
    fn deprecated_operations_are_left_out_and_counted_unless_asked_for() {
        let all = kept(|it| it.deprecated = true);
        assert_eq!(all, "pets_list pets_add pets_one pets_kill get_store_now");
        let (warnings, notes) = told(|_| {});
        assert_eq!(warnings, [""; 0]);
        assert_eq!(notes.len(), 1);
        assert!(
            notes[0].starts_with("1 deprecated operation of"),
            "{notes:?}"
        );
        let (_, notes) = told(|it| it.deprecated = true);
        assert_eq!(notes, [""; 0]);
        // Those that are not meant anyway are not counted.
        let (_, notes) = told(|it| it.methods = list(&["GET"]));
        assert_eq!(notes, [""; 0]);
    }

    #[test]
    fn what_means_nothing_is_told() {
        let (warnings, _) = told(|it| {
            it.tags = list(&["pet", "cat"]);
            it.paths = list(&["/pet"]);
            it.exclude = list(&["x*"]);
        });
        let named = [
            "`cat` in `tags`",
            "`/pet` in `paths`",
            "`x*` in `exclude`",
            "no operation of the document `pets` is selected by all keys",
        ];
        assert_eq!(warnings.len(), named.len(), "{warnings:?}");
        for (warning, named) in warnings.iter().zip(named) {
            assert!(warning.contains(named), "{warning}");
        }
        let (warnings, _) = told(|it| {
            it.tags = list(&["store"]);
            it.methods = list(&["POST"]);
        });
        assert_eq!(warnings.len(), 1, "{warnings:?}");
    }

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
