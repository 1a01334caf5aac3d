//! The XML hints of a schema, compiled so that a body can be written without the document (`OpenAPI` 3.2, "XML Object").
//!
//! A property's element is named after the property unless its schema, or the one that it refers to, has a name of its own, which is how Jackson and Swagger's clients read the hints.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use serde_json::Value;

use crate::model::body::{Xml, XmlKind, XmlNode};
use crate::pointer::unescape;
use crate::reference::{follow, reference};
use crate::schema::{Address, properties};

/// Nodes of one body; what lies beyond is written without hints.
const MAX_NODES: usize = 4_000;
/// Nodes of all bodies of a document; what lies beyond is written without hints, and a body beyond is text.
const MAX_TOTAL_NODES: usize = 200_000;

/// The hints of a document's schemas, compiled once for all bodies that have them.
#[derive(Debug)]
pub(super) struct Plans {
    known: HashMap<Address, Option<Arc<Xml>>>,
    nodes_left: usize,
}

impl Default for Plans {
    fn default() -> Self {
        Self {
            known: HashMap::new(),
            nodes_left: MAX_TOTAL_NODES,
        }
    }
}

impl Plans {
    /// Compiles the hints of a schema; `None` where the document's element has no name, since then none can be written.
    pub(super) fn compile<'d>(&mut self, schema: &'d Value, root: &'d Value) -> Option<Arc<Xml>> {
        let target = follow(root, schema, String::new()).ok()?.value;
        // Hints beside a `$ref` are those of this place alone.
        let is_own = schema.get("xml").is_some();
        let key = Address::of(if is_own { schema } else { target });
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let xml = compile(schema, root, MAX_NODES.min(self.nodes_left)).map(Arc::new);
        let nodes = xml.as_ref().map_or(0, |xml| xml.nodes.len());
        self.nodes_left = self.nodes_left.saturating_sub(nodes);
        self.known.insert(key, xml.clone());
        xml
    }
}

fn compile(schema: &Value, root: &Value, max_nodes: usize) -> Option<Xml> {
    let mut builder = Builder {
        root,
        max_nodes,
        nodes: Vec::new(),
        known: HashMap::new(),
        waiting: VecDeque::new(),
    };
    let index = builder.node(schema)?;
    // Without a name nothing can be written, so the nodes below are not looked for: they would cost nothing of the sum.
    let own = builder.bare(builder.waiting.front()?).name;
    let name = own.or_else(|| component(schema, root))?;
    while let Some(waiting) = builder.waiting.pop_front() {
        builder.fill(&waiting);
    }
    Some(Xml {
        name,
        root: index,
        nodes: builder.nodes,
    })
}

/// The name of the component that a schema refers to.
fn component(schema: &Value, root: &Value) -> Option<String> {
    let text = reference(schema)?;
    let last = follow(root, schema, text.to_owned()).ok()?.pointer;
    let name = last.strip_prefix("/components/schemas/")?;
    (!name.contains('/')).then(|| unescape(name))
}

struct Builder<'d> {
    root: &'d Value,
    max_nodes: usize,
    nodes: Vec<XmlNode>,
    /// The nodes of schemas, by where the schema is in memory.
    known: HashMap<*const Value, usize>,
    /// Nodes that say nothing yet, the nearest to the root first.
    waiting: VecDeque<Waiting<'d>>,
}

/// A node that is yet to be compiled.
struct Waiting<'d> {
    index: usize,
    schema: &'d Value,
    /// Hints beside the `$ref` that led there.
    hints: Option<&'d Value>,
}

impl<'d> Builder<'d> {
    /// Gives a schema a node, which is compiled later: a document decides how many schemas are within each other, and must not decide how deep the stack is.
    fn node(&mut self, schema: &'d Value) -> Option<usize> {
        let target = follow(self.root, schema, String::new()).ok()?.value;
        // Hints beside a `$ref` are those of this place alone.
        let hints = schema.get("xml").filter(|_| reference(schema).is_some());
        let key = std::ptr::from_ref(if hints.is_some() { schema } else { target });
        if let Some(&known) = self.known.get(&key) {
            return Some(known);
        }
        let index = self.nodes.len();
        if index >= self.max_nodes {
            return None;
        }
        self.nodes.push(XmlNode::default());
        self.known.insert(key, index);
        self.waiting.push_back(Waiting {
            index,
            schema: target,
            hints,
        });
        Some(index)
    }

    /// Compiles the hints of a schema.
    fn fill(&mut self, waiting: &Waiting<'d>) {
        let &Waiting { index, schema, .. } = waiting;
        let mut node = self.bare(waiting);
        for (name, property) in self.members(schema) {
            if let Some(member) = self.node(property) {
                node.members.entry(name.to_owned()).or_insert(member);
            }
        }
        let below = |key: &str| schema.get(key).filter(|schema| schema.is_object());
        node.items = below("items").and_then(|items| self.node(items));
        node.others = below("additionalProperties").and_then(|others| self.node(others));
        if let Some(slot) = self.nodes.get_mut(index) {
            *slot = node;
        }
    }

    /// The node without those within it.
    fn bare(&self, waiting: &Waiting<'d>) -> XmlNode {
        let hints = waiting.hints.or_else(|| self.hints(waiting.schema));
        hinted(hints, waiting.schema)
    }

    /// The hints of a schema or of the first part of its `allOf` that has any.
    fn hints(&self, schema: &'d Value) -> Option<&'d Value> {
        let parts = schema.get("allOf").and_then(Value::as_array);
        schema.get("xml").or_else(|| {
            parts.into_iter().flatten().find_map(|part| {
                follow(self.root, part, String::new())
                    .ok()?
                    .value
                    .get("xml")
            })
        })
    }

    /// The properties of a schema and of its alternatives.
    fn members(&self, schema: &'d Value) -> Vec<(&'d str, &'d Value)> {
        let mut members = properties(self.root, schema);
        for alternative in ["oneOf", "anyOf"]
            .iter()
            .filter_map(|key| schema.get(key)?.as_array())
            .flatten()
        {
            members.extend(properties(self.root, alternative));
        }
        members
    }
}

fn hinted(hints: Option<&Value>, schema: &Value) -> XmlNode {
    let text = |key: &str| {
        let text = hints.and_then(|hints| hints.get(key)?.as_str());
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let is = |key: &str| hints.and_then(|hints| hints.get(key)) == Some(&Value::Bool(true));
    let is_list =
        schema.get("type").is_some_and(|name| name == "array") || schema.get("items").is_some();
    let kind = match text("nodeType").as_deref() {
        Some("attribute") => XmlKind::Attribute,
        Some("text") => XmlKind::Text,
        Some("cdata") => XmlKind::Cdata,
        Some("none") => XmlKind::None,
        None if is("attribute") => XmlKind::Attribute,
        None if is_list && !is("wrapped") => XmlKind::None,
        _ => XmlKind::Element,
    };
    let names_itself = !is_list || kind == XmlKind::Element;
    XmlNode {
        name: text("name").filter(|_| names_itself),
        prefix: text("prefix"),
        namespace: text("namespace"),
        kind,
        wrapped: is_list && kind == XmlKind::Element,
        ..XmlNode::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn x_01_hints_of_a_chain_of_schemas_take_no_stack() {
        let mut root = json!({});
        for index in 0..MAX_NODES {
            let next = format!("#/s{}", index + 1);
            root[format!("s{index}")] =
                json!({"xml": {"name": "n"}, "properties": {"a": {"$ref": next}}});
        }
        let work = move || compile(&root["s0"], &root, MAX_NODES).map(|xml| xml.nodes.len());
        let thread = std::thread::Builder::new().stack_size(128 << 10);
        assert_eq!(thread.spawn(work).unwrap().join().unwrap(), Some(4_000));
    }

    #[test]
    fn x_01_bodies_share_the_hints_that_they_refer_to_and_have_a_sum() {
        let refer = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
        let part = json!({"properties": {"a": {"type": "string"}, "b": {"type": "string"}}});
        let root = json!({
            "one": refer("A"), "other": refer("A"), "third": refer("B"), "fourth": refer("C"),
            "components": {"schemas": {"A": part, "B": part, "C": part}},
        });
        let mut plans = Plans {
            nodes_left: 4,
            ..Plans::default()
        };
        let one = plans.compile(&root["one"], &root).unwrap();
        let other = plans.compile(&root["other"], &root).unwrap();
        assert!(Arc::ptr_eq(&one, &other));
        assert_eq!((one.name.as_str(), one.nodes.len()), ("A", 3));
        let third = plans.compile(&root["third"], &root).unwrap();
        assert_eq!((third.name.as_str(), third.nodes.len()), ("B", 1));
        assert!(plans.compile(&root["fourth"], &root).is_none());
    }
}
