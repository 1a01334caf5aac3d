//! Schemas that apply themselves to the same value (`A: {allOf: [{$ref: A}]}`) describe nothing and send validators round for ever.

use std::collections::HashSet;

use serde_json::Value;

use super::Address;
use crate::reference::{Base, reference, target_near};

/// Schemas looked at for one reference; what is larger counts as a cycle.
const MAX_VISITS: usize = 1_000;

/// Keywords whose schemas apply to the same value as the schema around them.
const SAME_VALUE: [&str; 7] = ["allOf", "anyOf", "oneOf", "not", "if", "then", "else"];

/// Tells whether applying `from` to a value applies `to` to the same value.
pub(super) fn applies(root: &Value, base: &Base<'_>, from: &Value, to: &Value) -> bool {
    let mut visited = HashSet::new();
    let mut stack = vec![from];
    while let Some(schema) = stack.pop() {
        if std::ptr::eq(schema, to) || visited.len() >= MAX_VISITS {
            return true;
        }
        if !visited.insert(Address::of(schema)) {
            continue;
        }
        stack.extend(
            reference(schema)
                .and_then(|text| target_near(root, base, text).ok())
                .map(|(target, _)| target.value),
        );
        for keyword in SAME_VALUE {
            match schema.get(keyword) {
                Some(Value::Array(members)) => stack.extend(members),
                Some(member @ Value::Object(_)) => stack.push(member),
                _ => {}
            }
        }
        if let Some(Value::Object(dependent)) = schema.get("dependentSchemas") {
            stack.extend(dependent.values());
        }
    }
    false
}
