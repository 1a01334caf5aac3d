//! Which members an argument has by its schema: what is at its top, not what is within them.

use std::collections::{BTreeSet, VecDeque};

use serde_json::Value;

use super::InputSchema;
use crate::schema::definitions::Reached;
use crate::schema::{Detail, Fragment};

/// Definitions that one question looks at.
const MAX_DEFINITIONS: usize = 100;

/// The top of a schema.
#[derive(Default)]
struct Top {
    names: BTreeSet<String>,
    /// References to what applies to the same value.
    referred: BTreeSet<String>,
    /// Whether there may be members of other names.
    is_open: bool,
}

impl InputSchema {
    /// Names the members that an argument may have, where its schema says so: where it names some, and does not speak of others.
    pub(crate) fn members(&self, argument: &str) -> Option<BTreeSet<String>> {
        let argument = self.arguments.iter().find(|it| &*it.name == argument)?;
        let mut top = Top::default();
        let mut reached = Reached::none_of(&self.definitions);
        let mut left = MAX_DEFINITIONS;
        let mut queue = VecDeque::from([&*argument.schema]);
        while let Some(fragment) = queue.pop_front() {
            top.referred.clear();
            top.read(&value(fragment)?);
            for &definition in &fragment.definitions {
                let Some(named) = self.definitions.get(definition) else {
                    continue;
                };
                let is_meant = top.referred.contains(&format!("#/$defs/{}", named.name));
                if is_meant && reached.insert(definition) {
                    left = left.checked_sub(1)?;
                    queue.push_back(&named.fragment);
                }
            }
        }
        (!top.is_open && !top.names.is_empty()).then_some(top.names)
    }
}

fn value(fragment: &Fragment) -> Option<Value> {
    let mut text = Vec::new();
    fragment.write(Detail::Terse, &mut text);
    serde_json::from_slice(&text).ok()
}

impl Top {
    fn read(&mut self, schema: &Value) {
        let Value::Object(keywords) = schema else {
            return;
        };
        for (keyword, value) in keywords {
            match (keyword.as_str(), value) {
                ("properties", Value::Object(named)) => self.names.extend(named.keys().cloned()),
                ("$ref", Value::String(reference)) => {
                    self.referred.insert(reference.clone());
                }
                ("allOf" | "anyOf" | "oneOf", Value::Array(parts)) => {
                    for part in parts {
                        self.read(part);
                    }
                }
                ("then" | "else", part) => self.read(part),
                ("patternProperties" | "dependentSchemas", _) => self.is_open = true,
                ("additionalProperties" | "unevaluatedProperties", others) => {
                    let refuses = *others == Value::Bool(false);
                    self.is_open |= !refuses;
                }
                _ => {}
            }
        }
    }
}
