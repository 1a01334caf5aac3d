//! Questions about schemas as the document writes them, through `$ref` and `allOf`.

use serde_json::{Map, Value};

use super::Flow;
use crate::reference::{reference, target};

/// Schemas that one question looks at; hostile documents have circles and fans of `$ref` and `allOf`.
const MAX_VISITS: usize = 200;
/// Lists and alternatives within each other that one question looks into.
const MAX_NESTED: usize = 3;

/// Tells whether a property does not travel this way.
pub(super) fn is_hidden(root: &Value, property: &Value, flow: Flow) -> bool {
    let keyword = match flow {
        Flow::Request | Flow::Multipart => "readOnly",
        Flow::Response => "writeOnly",
    };
    any(root, property, &mut |schema| is_true(schema, keyword))
}

/// Collects the names of properties that do not travel this way, from a schema and its `allOf`.
pub(super) fn hidden_properties<'d>(
    root: &'d Value,
    schema: &'d Map<String, Value>,
    flow: Flow,
) -> Vec<&'d str> {
    let mut names = Vec::new();
    each(root, schema, &mut |part| {
        if let Some(properties) = part.get("properties").and_then(Value::as_object) {
            let hidden = properties
                .iter()
                .filter(|(_, property)| is_hidden(root, property, flow));
            names.extend(hidden.map(|(name, _)| name.as_str()));
        }
    });
    names
}

/// Collects the properties of an object schema, from itself, what it refers to, and its `allOf`.
pub(crate) fn properties<'d>(root: &'d Value, schema: &'d Value) -> Vec<(&'d str, &'d Value)> {
    let mut found: Vec<(&str, &Value)> = Vec::new();
    if let Value::Object(schema) = schema {
        each(root, schema, &mut |part| {
            if let Some(properties) = part.get("properties").and_then(Value::as_object) {
                found.extend(
                    properties
                        .iter()
                        .map(|(name, property)| (name.as_str(), property)),
                );
            }
        });
    }
    found
}

/// Tells whether all values of a schema are objects, as far as the schema says.
pub(crate) fn is_object_like(root: &Value, schema: &Value) -> bool {
    fn object_like(root: &Value, schema: &Value, visits: &mut usize) -> bool {
        let Some(left) = visits.checked_sub(1) else {
            return false;
        };
        *visits = left;
        if let Some(target) = reference(schema).and_then(|text| target(root, text).ok()) {
            return object_like(root, target.value, visits);
        }
        let members = |key: &str| {
            schema
                .get(key)
                .and_then(Value::as_array)
                .filter(|all| !all.is_empty())
        };
        match schema.get("type") {
            Some(Value::String(name)) => name == "object",
            Some(Value::Array(names)) => names.iter().any(|name| name == "object"),
            _ => {
                schema.get("properties").is_some()
                    || members("allOf").is_some_and(|all| {
                        all.iter().any(|member| object_like(root, member, visits))
                    })
                    || members("oneOf")
                        .or_else(|| members("anyOf"))
                        .is_some_and(|all| {
                            all.iter().all(|member| object_like(root, member, visits))
                        })
            }
        }
    }
    object_like(root, schema, &mut MAX_VISITS.clone())
}

/// Tells whether a field of a multipart body holds bytes, a list of them, or either beside something else.
pub(crate) fn holds_binary(root: &Value, field: &Value) -> bool {
    // Alternatives of alternatives multiply, and may be the schema itself.
    fn holds(root: &Value, field: &Value, depth: usize, visits: &mut usize) -> bool {
        let (Some(depth), Some(left)) = (depth.checked_sub(1), visits.checked_sub(1)) else {
            return false;
        };
        *visits = left;
        any(root, field, &mut |schema| {
            let alternatives = ["anyOf", "oneOf"]
                .into_iter()
                .filter_map(|key| schema.get(key)?.as_array());
            is_binary(schema)
                || schema
                    .get("items")
                    .into_iter()
                    .chain(alternatives.flatten())
                    .any(|part| holds(root, part, depth, visits))
        })
    }
    holds(root, field, MAX_NESTED, &mut MAX_VISITS.clone())
}

/// Tells whether a schema's values are bytes: `format: binary`, `type: file`, or 3.1's `contentMediaType` without an encoding.
pub(super) fn is_binary(schema: &Map<String, Value>) -> bool {
    let text = |key: &str| schema.get(key).and_then(Value::as_str);
    match text("type") {
        Some("file") => true,
        Some("string") | None => {
            text("format") == Some("binary")
                || text("contentEncoding").is_none()
                    && text("contentMediaType").is_some_and(|media_type| {
                        !media_type.starts_with("text/") && !media_type.contains("json")
                    })
        }
        Some(_) => false,
    }
}

/// Tells whether a boolean keyword is set.
pub(super) fn is_true(schema: &Map<String, Value>, keyword: &str) -> bool {
    schema.get(keyword) == Some(&Value::Bool(true))
}

fn any(root: &Value, schema: &Value, holds: &mut dyn FnMut(&Map<String, Value>) -> bool) -> bool {
    let mut found = false;
    if let Value::Object(schema) = schema {
        each(root, schema, &mut |part| found = found || holds(part));
    }
    found
}

/// Visits a schema, what its `$ref` names and the members of its `allOf`, each once, nearest first.
fn each<'d>(
    root: &'d Value,
    schema: &'d Map<String, Value>,
    visit: &mut dyn FnMut(&'d Map<String, Value>),
) {
    visit(schema);
    if !schema.contains_key("$ref") && !schema.contains_key("allOf") {
        return;
    }
    let mut parts = vec![schema];
    let mut next = 0;
    while let Some(&part) = parts.get(next) {
        next += 1;
        let referred = part
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|text| target(root, text).ok());
        let members = part
            .get("allOf")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        for part in referred
            .map(|target| target.value)
            .into_iter()
            .chain(members)
            .filter_map(Value::as_object)
        {
            if parts.len() < MAX_VISITS && !parts.iter().any(|known| std::ptr::eq(*known, part)) {
                visit(part);
                parts.push(part);
            }
        }
    }
}
