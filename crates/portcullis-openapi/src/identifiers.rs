//! What `OpenAPI` 3.1 and 3.2 name in other ways than by a place becomes references by JSON Pointer, the one way that the rest of the crate reads.
//!
//! `$self` and `$id` give the document and its schemas URIs, `$anchor` and `$dynamicAnchor` give schemas names, and a media type may be a reference to `components/mediaTypes`.
//! A `$dynamicRef` becomes a reference where one schema alone has the name; where several have it, the reader that resolves it is not known, so it constrains nothing, unless it means the schema around it.

use std::collections::HashMap;
use std::rc::Rc;

use serde_json::{Map, Value, json};
use url::Url;

use crate::diagnostic::Diagnostics;
use crate::pointer::{Place, escape, from_fragment, size};
use crate::reference::{reference, target};

/// What relative URIs are relative to in a document that has none.
const NOWHERE: &str = "https://document.invalid/";
/// Values of a schema that is copied; a larger one is referred to.
const SMALL: usize = 16;

/// Rewrites a document in which any of this occurs.
pub(crate) fn normalise(text: &[u8], root: &mut Value, diagnostics: &mut Diagnostics) {
    let names_media_types = root.pointer("/components/mediaTypes").is_some();
    if !names_media_types && !mentions(text) {
        return;
    }
    let own = root.get("$self").and_then(Value::as_str);
    let nowhere = Url::parse(NOWHERE).expect("this is a URL");
    let base = own
        .and_then(|own| nowhere.join(own).ok())
        .unwrap_or(nowhere);
    let base = Rc::new(without_fragment(base));
    let mut index = Index::default();
    index.resources.insert(Rc::clone(&base), String::new());
    each_object(root, &Place::at(""), &base, &mut |object| {
        index.read(object);
    });
    let mut changes = Vec::new();
    let mut rewriting = Rewriting {
        root,
        index: &index,
        changes: &mut changes,
        diagnostics,
    };
    each_object(root, &Place::at(""), &base, &mut |object| {
        rewriting.read(object);
    });
    for Change { at, key, value } in changes {
        if let Some(Value::Object(members)) = root.pointer_mut(&at) {
            match value {
                Some((new, value)) => {
                    if new != key {
                        members.remove(&key);
                    }
                    members.insert(new, value);
                }
                None => drop(members.remove(&key)),
            }
        }
    }
}

/// Tells whether any of the keywords may occur, without reading the document: most have none, and are large.
fn mentions(text: &[u8]) -> bool {
    const KEYWORDS: [&str; 4] = ["self", "id", "anchor", "dynamicAnchor"];
    let Ok(text) = std::str::from_utf8(text) else {
        return false;
    };
    text.match_indices('$').any(|(at, _)| {
        let rest = text.get(at + 1..).unwrap_or_default();
        KEYWORDS.iter().any(|keyword| rest.starts_with(keyword))
    })
}

/// A member that another takes the place of, or that is taken out.
struct Change {
    at: String,
    key: String,
    value: Option<(String, Value)>,
}

/// Where the names are.
#[derive(Default)]
struct Index {
    /// Pointers of what has a URI.
    resources: HashMap<Rc<Url>, String>,
    /// Pointers of what has a name, within what has a URI.
    anchors: HashMap<(Rc<Url>, String), String>,
    /// Pointers of all that have a name that `$dynamicRef` looks for.
    dynamic: HashMap<String, Vec<String>>,
}

impl Index {
    fn read(&mut self, object: &Object<'_>) {
        let &Object {
            members,
            place,
            base,
        } = object;
        if members.get("$id").is_some_and(Value::is_string) {
            let pointer = place.to_string();
            self.resources.entry(Rc::clone(base)).or_insert(pointer);
        }
        for keyword in ["$anchor", "$dynamicAnchor"] {
            if let Some(name) = members.get(keyword).and_then(Value::as_str) {
                let key = (Rc::clone(base), name.to_owned());
                self.anchors.entry(key).or_insert_with(|| place.to_string());
                if keyword == "$dynamicAnchor" {
                    let all = self.dynamic.entry(name.to_owned()).or_default();
                    all.push(place.to_string());
                }
            }
        }
    }

    /// Finds the pointer that a reference stands for, where it is not one already.
    fn find(&self, root: &Value, base: &Rc<Url>, text: &str) -> Option<String> {
        let mut url = base.join(text).ok()?;
        let fragment = url.fragment().unwrap_or_default().to_owned();
        url.set_fragment(None);
        let resource = self.resources.get(&url)?;
        let fragment = from_fragment(&fragment)?;
        if fragment.is_empty() {
            return Some(resource.clone());
        }
        if fragment.starts_with('/') {
            let pointer = format!("{resource}{fragment}");
            return root.pointer(&pointer).map(|_| pointer);
        }
        self.anchors.get(&(Rc::new(url), fragment)).cloned()
    }
}

/// Collects what is to be changed.
struct Rewriting<'a> {
    root: &'a Value,
    index: &'a Index,
    changes: &'a mut Vec<Change>,
    diagnostics: &'a mut Diagnostics,
}

impl Rewriting<'_> {
    fn read(&mut self, object: &Object<'_>) {
        let &Object {
            members,
            place,
            base,
        } = object;
        let text = |key: &str| members.get(key).and_then(Value::as_str);
        if let Some(text) = text("$ref") {
            self.refer(text, place, base);
        }
        if let Some(text) = text("$dynamicRef") {
            self.refer_dynamically(text, place, base);
        }
        if let Some(Value::Object(content)) = members.get("content") {
            self.media_types(content, &place.key("content"));
        }
    }

    fn refer(&mut self, text: &str, place: &Place<'_>, base: &Rc<Url>) {
        let found = self.index.find(self.root, base, text);
        if let Some(pointer) = found.map(|pointer| fragment(&pointer))
            && pointer != text
        {
            self.change(place, "$ref", Some(("$ref", json!(pointer))));
        }
    }

    fn refer_dynamically(&mut self, text: &str, place: &Place<'_>, base: &Rc<Url>) {
        let found = self.index.find(self.root, base, text);
        let name = text.split_once('#').map_or("", |(_, name)| name);
        let named = self.index.dynamic.get(name).map_or(0, Vec::len);
        let is_around = found.as_ref().is_some_and(|found| {
            let place = place.to_string();
            place
                .strip_prefix(found)
                .is_some_and(|rest| rest.starts_with('/'))
        });
        match found {
            Some(pointer) if named <= 1 || is_around => {
                let value = json!(fragment(&pointer));
                self.change(place, "$dynamicRef", Some(("$ref", value)));
            }
            Some(_) => {
                self.diagnostics.note(
                    "dynamic-reference",
                    place.key("$dynamicRef"),
                    "several schemas have this name; any value is accepted here",
                );
                self.change(place, "$dynamicRef", None);
            }
            None => {}
        }
    }

    /// Puts the media types that are references in their places; what they hold that is large is referred to.
    fn media_types(&mut self, content: &Map<String, Value>, place: &Place<'_>) {
        for (media_type, value) in content {
            let Some(text) = reference(value).filter(|_| media_type.contains('/')) else {
                continue;
            };
            match target(self.root, text) {
                Ok(found) => {
                    let members = found.value.as_object().into_iter().flatten();
                    let spliced: Map<String, Value> = members
                        .map(|(key, member)| {
                            let pointer = format!("{}/{}", found.pointer, escape(key));
                            let is_large = key == "schema" && size(member, SMALL + 1) > SMALL;
                            let copy = if is_large {
                                json!({"$ref": fragment(&pointer)})
                            } else {
                                member.clone()
                            };
                            (key.clone(), copy)
                        })
                        .collect();
                    let value = Value::Object(spliced);
                    self.change(place, media_type, Some((media_type, value)));
                }
                Err(error) => self.diagnostics.warn(
                    error.code(),
                    place.key(media_type),
                    format!("{error}; any value is accepted here"),
                ),
            }
        }
    }

    fn change(&mut self, place: &Place<'_>, key: &str, value: Option<(&str, Value)>) {
        self.changes.push(Change {
            at: place.to_string(),
            key: key.to_owned(),
            value: value.map(|(key, value)| (key.to_owned(), value)),
        });
    }
}

/// An object of a document.
struct Object<'a> {
    members: &'a Map<String, Value>,
    place: &'a Place<'a>,
    /// The URI that references within it are relative to.
    base: &'a Rc<Url>,
}

/// Visits each object of a document, outer ones first.
fn each_object(
    value: &Value,
    place: &Place<'_>,
    base: &Rc<Url>,
    visit: &mut dyn FnMut(&Object<'_>),
) {
    match value {
        Value::Object(members) => {
            let base = inner(members, base);
            visit(&Object {
                members,
                place,
                base: &base,
            });
            for (key, member) in members {
                each_object(member, &place.key(key), &base, visit);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                each_object(item, &place.index(index), base, visit);
            }
        }
        _ => {}
    }
}

/// Returns the URI that references within an object are relative to.
fn inner(members: &Map<String, Value>, base: &Rc<Url>) -> Rc<Url> {
    let own = members.get("$id").and_then(Value::as_str);
    match own.and_then(|own| base.join(own).ok()) {
        Some(url) => Rc::new(without_fragment(url)),
        None => Rc::clone(base),
    }
}

fn without_fragment(mut url: Url) -> Url {
    url.set_fragment(None);
    url
}

/// Writes a pointer as a local reference.
fn fragment(pointer: &str) -> String {
    format!("#{}", pointer.replace('%', "%25"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalised(mut root: Value) -> (Value, Vec<String>) {
        let mut diagnostics = Diagnostics::new(10);
        let text = root.to_string();
        normalise(text.as_bytes(), &mut root, &mut diagnostics);
        let found = diagnostics.finish();
        (root, found.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn names_become_pointers() {
        let schemas = json!({
            "Tree": {"$id": "https://s.example/tree", "$defs": {"leaf": {"$anchor": "Leaf", "type": "string"}},
                "properties": {"a": {"$ref": "#Leaf"}, "b": {"$ref": "#/$defs/leaf"}, "c": {"$ref": "tree"}}},
            "Relative": {"$id": "other/r", "$dynamicAnchor": "node", "items": {"$dynamicRef": "#node"}},
        });
        for (text, expected) in [
            ("https://s.example/tree", "#/schemas/Tree"),
            ("https://s.example/tree#Leaf", "#/schemas/Tree/$defs/leaf"),
            (
                "https://s.example/tree#/$defs/leaf",
                "#/schemas/Tree/$defs/leaf",
            ),
            ("other/r", "#/schemas/Relative"),
            ("https://d.example/api/v1#/schemas/Tree", "#/schemas/Tree"),
            ("v1#/schemas/Tree", "#/schemas/Tree"),
            ("#/schemas/Tree", "#/schemas/Tree"),
            ("elsewhere.json#/a", "elsewhere.json#/a"),
            ("#Unheard", "#Unheard"),
        ] {
            let root = json!({"$self": "https://d.example/api/v1", "schemas": schemas, "use": {"$ref": text}});
            assert_eq!(normalised(root).0["use"]["$ref"], expected, "{text}");
        }
        let (root, found) = normalised(json!({"schemas": schemas}));
        let tree = &root["schemas"]["Tree"]["properties"];
        assert_eq!(tree["a"]["$ref"], "#/schemas/Tree/$defs/leaf");
        assert_eq!(tree["b"]["$ref"], "#/schemas/Tree/$defs/leaf");
        assert_eq!(tree["c"]["$ref"], "#/schemas/Tree");
        assert_eq!(
            root["schemas"]["Relative"]["items"],
            json!({"$ref": "#/schemas/Relative"})
        );
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn a_dynamic_reference_that_several_schemas_answer_constrains_nothing() {
        let item = |schema: Value| json!({"$defs": {"item": schema}});
        let list = json!({"items": {"$dynamicRef": "#item"}, "$defs": {"item": {"$dynamicAnchor": "item", "not": {}}}});
        let strings = item(json!({"$dynamicAnchor": "item", "type": "string"}));
        let (root, found) = normalised(json!({"List": list, "Strings": strings}));
        assert_eq!(root["List"]["items"], json!({}));
        assert!(found[0].starts_with("note[dynamic-reference] /List/items/$dynamicRef"));
    }

    #[test]
    fn media_types_that_are_references_are_put_in_their_places() {
        let large: Vec<_> = (0..20).collect();
        let root = json!({
            "components": {"mediaTypes": {
                "small": {"schema": {"type": "string"}, "encoding": {}},
                "large": {"schema": {"enum": large}}
            }},
            "requestBody": {"content": {
                "a/b": {"$ref": "#/components/mediaTypes/small"},
                "a/c": {"$ref": "#/components/mediaTypes/large"},
                "a/d": {"$ref": "#/components/mediaTypes/missing"}
            }}
        });
        let (root, found) = normalised(root);
        let content = &root["requestBody"]["content"];
        assert_eq!(
            content["a/b"],
            json!({"schema": {"type": "string"}, "encoding": {}})
        );
        assert_eq!(
            content["a/c"]["schema"]["$ref"],
            "#/components/mediaTypes/large/schema"
        );
        assert!(found[0].starts_with("warning[dangling-reference] /requestBody/content/a~1d"));
    }
}
