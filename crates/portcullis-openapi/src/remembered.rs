//! Names of tools that stay from one revision of a document to the next.
//!
//! A client has a tool's name in its prompts, its permissions and its memory, so that a name means one operation for as long as it is remembered:
//!
//! 1. An operation whose method and path are remembered keeps its name, whatever its `operationId` is now and whoever else would have the name.
//! 2. So does one whose path differs only in what its parameters are called.
//! 3. An operation that is new and bears the method and the `operationId` of one that is gone is that operation at another place, and takes the name over.
//! 4. Every other gets the name that it would get without memory, unless a name that is remembered says the same; then it carries a digest.
//!
//! The name of an operation that is gone is remembered for some revisions, so that one that comes back has it again and no other gets it meanwhile.
//! The outcome depends on what is remembered and on the set of operations alone, never on their order.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::model::Tool;
use crate::names::{ToolSubject, with_digest};

/// For how many revisions the name of an operation that is gone is remembered.
const MAX_GONE: u32 = 10;

/// How many names of operations that are gone are remembered.
const MAX_NAMES_OF_GONE: usize = 5_000;

/// What the operations of a document are called, and those that it had.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RememberedNames(BTreeMap<String, Remembered>);

/// What one operation is called; the key beside it is its method and path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Remembered {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// For how many revisions the operation has been gone.
    #[serde(default, skip_serializing_if = "is_zero")]
    gone: u32,
}

/// Why a text holds no names.
#[derive(Clone, Debug, Error)]
#[error("the names of its tools cannot be read: {0}")]
pub struct UnreadableNames(String);

impl RememberedNames {
    /// Reads what [`RememberedNames::to_text`] wrote; an empty text holds no names.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(text: &str) -> Result<Self, UnreadableNames> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_str(text).map_err(|error| UnreadableNames(error.to_string()))
    }

    /// Writes the names; the same names give the same text.
    #[must_use]
    pub fn to_text(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    /// Gives the tools of a document the names that they have by what is remembered.
    #[must_use]
    pub fn apply(&self, tools: &[Arc<Tool>]) -> Vec<Arc<Tool>> {
        let (names, _) = self.assign(tools);
        let renamed = |(tool, name): (&Arc<Tool>, String)| {
            if tool.name == name {
                return Arc::clone(tool);
            }
            let mut tool = Tool::clone(tool);
            tool.name = name;
            Arc::new(tool)
        };
        tools.iter().zip(names).map(renamed).collect()
    }

    /// Returns what is remembered once the document has these operations, named without memory.
    #[must_use]
    pub fn next(&self, tools: &[Arc<Tool>]) -> Self {
        let (names, matched) = self.assign(tools);
        let there = tools.iter().zip(names).map(|(tool, name)| {
            let remembered = Remembered {
                name,
                id: tool.operation_id.clone(),
                gone: 0,
            };
            (key(tool), remembered)
        });
        let mut next: BTreeMap<_, _> = there.collect();
        let gone = self
            .0
            .iter()
            .filter(|(key, _)| !matched.contains(key.as_str()));
        let mut gone: Vec<_> = gone
            .map(|(key, it)| (it.gone.saturating_add(1), key, it))
            .filter(|(gone, ..)| *gone <= MAX_GONE)
            .collect();
        gone.sort_by_key(|(gone, key, _)| (*gone, *key));
        for (gone, key, it) in gone.into_iter().take(MAX_NAMES_OF_GONE) {
            let it = Remembered { gone, ..it.clone() };
            next.entry(key.clone()).or_insert(it);
        }
        Self(next)
    }

    /// Names the tools in their order, and says which remembered operations they are.
    fn assign(&self, tools: &[Arc<Tool>]) -> (Vec<String>, HashSet<&str>) {
        let same = self.same(tools);
        let matched = same.iter().flatten().copied().collect();
        let mut taken: HashSet<String> = self.0.values().map(|it| folded(&it.name)).collect();
        let mut names: Vec<Option<String>> = same
            .iter()
            .map(|key| Some(self.0.get((*key)?)?.name.clone()))
            .collect();
        // Names without memory are each there once, so that only a remembered one can stand in the way.
        for (name, tool) in names.iter_mut().zip(tools) {
            if name.is_none() && taken.insert(folded(&tool.name)) {
                *name = Some(tool.name.clone());
            }
        }
        let mut rest: Vec<_> = names.iter_mut().zip(tools).collect();
        rest.retain(|(name, _)| name.is_none());
        rest.sort_by_key(|(_, tool)| key(tool));
        for (name, tool) in rest {
            let path = tool.path();
            let subject = ToolSubject {
                operation_id: tool.operation_id.as_deref(),
                method: tool.request.method.as_str(),
                path: &path,
            };
            *name = Some(with_digest(&subject, &mut taken));
        }
        (names.into_iter().flatten().collect(), matched)
    }

    /// Finds for each tool the operation that it is among the remembered ones.
    fn same(&self, tools: &[Arc<Tool>]) -> Vec<Option<&str>> {
        let mut same: Vec<Option<&str>> = tools
            .iter()
            .map(|tool| {
                self.0
                    .get_key_value(&key(tool))
                    .map(|(key, _)| key.as_str())
            })
            .collect();
        self.pair(
            tools,
            &mut same,
            |tool| Some(nameless(&key(tool))),
            |key, _| Some(nameless(key)),
        );
        self.pair(
            tools,
            &mut same,
            |tool| marked(&key(tool), tool.operation_id.as_deref()),
            |key, it| marked(key, it.id.as_deref()),
        );
        same
    }

    /// Pairs tools and remembered operations that have no other half yet and agree in a mark that nobody else bears.
    fn pair<'n>(
        &'n self,
        tools: &[Arc<Tool>],
        same: &mut [Option<&'n str>],
        of_tool: impl Fn(&Tool) -> Option<String>,
        of_remembered: impl Fn(&str, &Remembered) -> Option<String>,
    ) {
        let matched: BTreeSet<&str> = same.iter().flatten().copied().collect();
        let left = self
            .0
            .iter()
            .filter(|(key, _)| !matched.contains(key.as_str()));
        let left = only(left.map(|(key, it)| (of_remembered(key, it), key.as_str())));
        let free = same.iter().enumerate().filter(|(_, key)| key.is_none());
        let free = free.filter_map(|(index, _)| Some((of_tool(tools.get(index)?), index)));
        for (mark, index) in only(free) {
            if let (Some(key), Some(slot)) = (left.get(&mark), same.get_mut(index)) {
                *slot = Some(key);
            }
        }
    }
}

/// Returns what bears its mark alone, by the mark.
fn only<T>(marked: impl Iterator<Item = (Option<String>, T)>) -> HashMap<String, T> {
    let mut found: HashMap<String, Option<T>> = HashMap::new();
    for (mark, value) in marked {
        let Some(mark) = mark else { continue };
        let slot = found.entry(mark);
        slot.and_modify(|several| *several = None)
            .or_insert(Some(value));
    }
    found
        .into_iter()
        .filter_map(|(mark, value)| Some((mark, value?)))
        .collect()
}

/// The method and the path as the document writes it.
pub(crate) fn key(tool: &Tool) -> String {
    format!("{} {}", tool.request.method.as_str(), tool.path())
}

/// The method of a key and an `operationId`: what was allowed to read is not the same once it deletes.
fn marked(key: &str, id: Option<&str>) -> Option<String> {
    let (method, _) = key.split_once(' ')?;
    Some(format!("{method} {}", id?))
}

/// A method and path, whatever the path's parameters are called.
pub(crate) fn nameless(key: &str) -> String {
    let mut text = String::with_capacity(key.len());
    let mut rest = key;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((_, after)) = after.split_once('}') else {
            break;
        };
        text.push_str(before);
        text.push_str("{}");
        rest = after;
    }
    text.push_str(rest);
    text
}

/// Clients compare names without regard to case.
fn folded(name: &str) -> String {
    name.to_ascii_lowercase()
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::shortened;
    use crate::{Document, Limits};
    use proptest::prelude::*;

    /// Compiles operations, each as path, method and `operationId`.
    fn tools(operations: &[(&str, &str, &str)]) -> Vec<Arc<Tool>> {
        let mut paths: BTreeMap<&str, BTreeMap<&str, serde_json::Value>> = BTreeMap::new();
        for (path, method, id) in operations {
            let operation = if id.is_empty() {
                serde_json::json!({})
            } else {
                serde_json::json!({ "operationId": id })
            };
            paths.entry(path).or_default().insert(method, operation);
        }
        let text = serde_json::json!({"openapi": "3.1.0", "paths": paths}).to_string();
        let document = Document::parse(text.as_bytes(), &Limits::default()).expect("a document");
        document.tools().0.into_iter().map(Arc::new).collect()
    }

    fn names(remembered: &RememberedNames, tools: &[Arc<Tool>]) -> Vec<(String, String)> {
        let told = remembered.apply(tools);
        let mut names: Vec<_> = told.iter().map(|it| (key(it), it.name.clone())).collect();
        names.sort();
        names
    }

    fn named(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = pairs
            .iter()
            .map(|(key, name)| ((*key).to_owned(), (*name).to_owned()));
        owned.collect()
    }

    fn after(operations: &[(&str, &str, &str)]) -> RememberedNames {
        RememberedNames::default().next(&tools(operations))
    }

    #[test]
    fn a_tool_keeps_its_name_when_its_operation_id_changes() {
        let first = after(&[("/pets", "get", "listPets"), ("/pets", "post", "addPet")]);
        let second = tools(&[("/pets", "get", "findPets"), ("/pets", "post", "addPet")]);
        let expected = named(&[("GET /pets", "listPets"), ("POST /pets", "addPet")]);
        assert_eq!(names(&first, &second), expected);
        assert_eq!(names(&first.next(&second), &second), expected);
    }

    #[test]
    fn a_tool_keeps_its_name_when_another_comes_that_would_clash() {
        let first = after(&[("/pets", "get", "list")]);
        let second = tools(&[("/pets", "get", "list"), ("/shops", "get", "List")]);
        let found = names(&first, &second);
        assert_eq!(found[0].1, "list");
        assert!(found[1].1.starts_with("List_"), "{found:?}");
    }

    #[test]
    fn what_path_parameters_are_called_does_not_matter() {
        let first = after(&[("/pets/{id}", "get", "getPet")]);
        let second = tools(&[("/pets/{petId}", "get", "fetchPet")]);
        assert_eq!(
            names(&first, &second),
            named(&[("GET /pets/{petId}", "getPet")])
        );
        // Where two operations could be meant, neither is.
        let both = tools(&[("/pets/{a}", "get", "one"), ("/pets/{b}", "get", "two")]);
        let expected = named(&[("GET /pets/{a}", "one"), ("GET /pets/{b}", "two")]);
        assert_eq!(names(&first, &both), expected);
    }

    #[test]
    fn an_operation_that_moves_with_its_id_takes_its_name_along() {
        let first = after(&[("/v1/pets", "get", "list.pets")]);
        let second = tools(&[("/v2/pets", "get", "list.pets")]);
        assert_eq!(
            names(&first, &second),
            named(&[("GET /v2/pets", "list_pets")])
        );
        // One that stays beside it is another operation.
        let both = tools(&[
            ("/v1/pets", "get", "list.pets"),
            ("/v2/pets", "get", "list.pets"),
        ]);
        let found = names(&first, &both);
        assert_eq!(found[0].1, "list_pets");
        assert!(found[1].1.starts_with("list_pets_"), "{found:?}");
    }

    #[test]
    fn m_06_the_name_of_an_operation_that_is_gone_is_given_to_no_other() {
        let first = after(&[("/pets", "get", "read"), ("/pets", "delete", "drop")]);
        let harmless = tools(&[("/pets", "get", "read")]);
        let mut remembered = first.next(&harmless);
        // Another operation that calls itself as a tool did that people allowed.
        let hostile = tools(&[("/pets", "get", "other"), ("/all", "delete", "read")]);
        let found = names(&remembered, &hostile);
        assert_eq!(found[1], ("GET /pets".to_owned(), "read".to_owned()));
        assert!(found[0].1.starts_with("read_"), "{found:?}");
        for _ in 0..MAX_GONE - 1 {
            remembered = remembered.next(&harmless);
        }
        let back = tools(&[("/pets", "get", "read"), ("/pets", "delete", "remove")]);
        assert_eq!(names(&remembered, &back)[0].1, "drop");
        remembered = remembered.next(&harmless);
        assert_eq!(names(&remembered, &back)[0].1, "remove");
    }

    #[test]
    fn m_06_an_operation_of_another_method_does_not_inherit_a_name() {
        let first = after(&[("/pets", "get", "read")]);
        let found = names(&first, &tools(&[("/all", "delete", "read")]));
        assert!(found[0].1.starts_with("read_"), "{found:?}");
        let found = names(&first, &tools(&[("/all", "get", "read")]));
        assert_eq!(found, named(&[("GET /all", "read")]));
    }

    #[test]
    fn m_06_a_revision_that_takes_every_digest_is_named_all_the_same() {
        let shops = ToolSubject {
            operation_id: Some("list"),
            method: "GET",
            path: "/shops",
        };
        let digests: Vec<_> = (1..=9).map(|times| shortened(&shops, times)).collect();
        let paths: Vec<_> = (1..=9).map(|index| format!("/{index}")).collect();
        let mut operations = vec![("/pets", "get", "other"), ("/shops", "get", "list")];
        let others = paths.iter().zip(&digests);
        operations.extend(others.map(|(path, id)| (path.as_str(), "get", id.as_str())));
        let hostile = tools(&operations);
        let found = names(&after(&[("/pets", "get", "list")]), &hostile);
        let unique: HashSet<_> = found.iter().map(|(_, name)| name).collect();
        assert_eq!((unique.len(), found.len()), (11, 11), "{found:?}");
    }

    #[test]
    fn names_read_back_as_they_were_written_and_nothing_else_is_read() {
        let first = after(&[("/pets", "get", "listPets"), ("/pets", "post", "")]);
        let second = first.next(&tools(&[("/pets", "get", "listPets")]));
        for names in [RememberedNames::default(), first, second] {
            assert_eq!(RememberedNames::parse(&names.to_text()).unwrap(), names);
        }
        assert_eq!(
            RememberedNames::parse("").unwrap(),
            RememberedNames::default()
        );
        assert!(RememberedNames::parse("[]").is_err());
    }

    fn operations() -> impl Strategy<Value = Vec<(String, String)>> {
        let path = prop::sample::select(vec!["/a", "/b", "/a/{x}", "/a/{y}", "/c"]);
        let id = prop::sample::select(vec!["one", "ONE", "two", "", "get_a"]);
        prop::collection::vec(
            (path.prop_map(str::to_owned), id.prop_map(str::to_owned)),
            0..6,
        )
    }

    proptest! {
        #[test]
        fn names_are_unique_and_independent_of_order_over_revisions(revisions in prop::collection::vec(operations(), 1..6)) {
            let mut remembered = RememberedNames::default();
            let mut before: BTreeMap<String, String> = BTreeMap::new();
            for operations in revisions {
                let operations: Vec<_> = operations.iter().map(|(path, id)| (path.as_str(), "get", id.as_str())).collect();
                let mut tools = tools(&operations);
                let found = names(&remembered, &tools);
                let unique: HashSet<_> = found.iter().map(|(_, name)| folded(name)).collect();
                prop_assert_eq!(unique.len(), tools.len());
                tools.reverse();
                prop_assert_eq!(&names(&remembered, &tools), &found);
                for (key, name) in &found {
                    prop_assert!(before.get(key).is_none_or(|it| it == name), "{} {:?}", key, before);
                }
                remembered = remembered.next(&tools);
                prop_assert_eq!(&names(&remembered, &tools), &found);
                before = found.into_iter().collect();
            }
        }
    }
}
