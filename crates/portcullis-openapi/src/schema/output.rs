//! Output schemas: what a document says of an answer, in words.
//!
//! Clients hold a result against the output schema and refuse one that does not conform, while real answers stray from their documents: a member is null, one is missing, an enumeration has grown.
//! So the published schema says `type: object`, names the members and describes each by its type in words, which is an annotation and constrains nothing.
//! Without combinators, references and unknown formats there is also nothing in it that a client's validator could warn about or fail to compile.

use std::collections::HashSet;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::keyword::{is_hidden, is_true};
use super::writer::JsonWriter;
use super::{Address, Flow};
use crate::diagnostic::Diagnostics;
use crate::reference::{Base, reference, target_near};
use crate::text::clean;

/// Longest description of one member, in bytes.
const MAX_WORDS: usize = 240;
/// Objects within objects that a description shows the members of.
const MAX_LEVELS: usize = 2;
/// Members of an object within the answer that are named.
const MAX_MEMBERS: usize = 12;
/// Alternatives and values of an enumeration that are named.
const MAX_CHOICES: usize = 8;
/// Longest value of an enumeration and longest name of a member that are shown, in characters.
const MAX_NAME: usize = 64;
/// Schemas that are looked into for the members of one object.
const MAX_VISITS: usize = 100;
/// `$ref`s of `$ref`s that are followed.
const MAX_HOPS: usize = 8;
/// Schemas within schemas that one description looks into, whether or not they say anything.
const MAX_DEPTH: usize = 32;

/// Describes the answers that a schema has, in at most about `limit` bytes.
pub(crate) fn output(
    root: &Value,
    schema: &Value,
    pointer: &str,
    limit: usize,
    diagnostics: &mut Diagnostics,
) -> Box<RawValue> {
    let base = Base {
        schema,
        pointer: pointer.to_owned(),
    };
    let mut words = Words {
        root,
        base,
        diagnostics,
        depth: MAX_DEPTH,
    };
    let mut out = JsonWriter::default();
    out.open(b'{');
    out.member("type", "object");
    let members = words.members(schema, usize::MAX);
    let mut left = limit;
    let mut described = members
        .into_iter()
        .map(|(name, property)| (name, words.of(property)))
        .take_while(|(name, words)| {
            let size = name.len() + words.len() + 24;
            left.checked_sub(size)
                .inspect(|rest| left = *rest)
                .is_some()
        })
        .peekable();
    if described.peek().is_some() {
        out.key("properties");
        out.open(b'{');
        for (name, words) in described {
            out.key(name);
            out.open(b'{');
            out.member("description", &words);
            out.close(b'}');
        }
        out.close(b'}');
    }
    out.close(b'}');
    let (text, _) = out.finish();
    RawValue::from_string(text).expect("every bracket was closed")
}

/// Puts schemas into words, in the notation of type declarations that models know best.
struct Words<'a, 'd> {
    root: &'d Value,
    base: Base<'d>,
    diagnostics: &'a mut Diagnostics,
    /// Schemas within the present one that may still be looked into.
    depth: usize,
}

impl<'d> Words<'_, 'd> {
    fn of(&mut self, schema: &'d Value) -> String {
        let mut out = String::new();
        self.value(schema, MAX_LEVELS, &mut out);
        if out.len() > MAX_WORDS {
            out.truncate(out.floor_char_boundary(MAX_WORDS));
            out.push('…');
        }
        out
    }

    /// Lists the properties of an object, of its parts and of its alternatives, each name once; those that answers do not have are left out.
    fn members(&mut self, schema: &'d Value, max: usize) -> Vec<(&'d str, &'d Value)> {
        let mut found = Vec::new();
        let mut names = HashSet::new();
        let mut parts = vec![schema];
        let mut seen = HashSet::new();
        let mut next = 0;
        while let Some(&part) = parts.get(next) {
            next += 1;
            if next > MAX_VISITS {
                break;
            }
            if !seen.insert(Address::of(part)) {
                continue;
            }
            let properties = part.get("properties").and_then(Value::as_object);
            for (name, property) in properties.into_iter().flatten() {
                if found.len() >= max {
                    return found;
                }
                if !is_hidden(self.root, property, Flow::Response) && names.insert(name.as_str()) {
                    found.push((name.as_str(), property));
                }
            }
            parts.extend(self.target(part));
            for keyword in ["allOf", "oneOf", "anyOf"] {
                parts.extend(
                    part.get(keyword)
                        .and_then(Value::as_array)
                        .into_iter()
                        .flatten()
                        .take(MAX_VISITS),
                );
            }
        }
        found
    }

    /// Finds what a schema's `$ref` names; one that names nothing is reported.
    fn target(&mut self, schema: &'d Value) -> Option<&'d Value> {
        let text = reference(schema)?;
        match target_near(self.root, &self.base, text) {
            Ok((target, _)) => Some(target.value),
            Err(error) => {
                let message = format!("{error}; that part of the answer is not described");
                self.diagnostics
                    .warn(error.code(), &self.base.pointer, message);
                None
            }
        }
    }

    /// Describes a schema, or calls it anything where it is too deep: one that is part of itself writes nothing that could end it.
    fn value(&mut self, schema: &'d Value, levels: usize, out: &mut String) {
        if out.len() > MAX_WORDS {
            return;
        }
        let Some(depth) = self.depth.checked_sub(1) else {
            return out.push_str("any");
        };
        let before = std::mem::replace(&mut self.depth, depth);
        self.end_of(schema, levels, out);
        self.depth = before;
    }

    /// Describes what a schema's references lead to.
    fn end_of(&mut self, schema: &'d Value, levels: usize, out: &mut String) {
        let mut end = schema;
        for _ in 0..MAX_HOPS {
            match self.target(end) {
                Some(target) => end = target,
                None => break,
            }
        }
        let Value::Object(schema) = end else {
            return out.push_str("any");
        };
        let constant = schema.get("const").map(std::slice::from_ref);
        let values = schema.get("enum").and_then(Value::as_array);
        match values.map(Vec::as_slice).or(constant) {
            Some(values) if !values.is_empty() => choices(values, out),
            _ => self.typed(end, schema, levels, out),
        }
        if (is_true(schema, "nullable") || is_true(schema, "x-nullable")) && !out.ends_with("null")
        {
            out.push_str(" | null");
        }
    }

    fn typed(
        &mut self,
        value: &'d Value,
        schema: &'d Map<String, Value>,
        levels: usize,
        out: &mut String,
    ) {
        let named: Vec<&str> = match schema.get("type") {
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        for (index, name) in named.iter().take(MAX_CHOICES).enumerate() {
            if index > 0 {
                out.push_str(" | ");
            }
            match *name {
                "object" => self.object(value, levels, out),
                "array" => self.list(schema, levels, out),
                "file" => out.push_str("string"),
                _ => scalar(name, schema, out),
            }
        }
        if !named.is_empty() {
            return;
        }
        let members = |key: &str| schema.get(key).and_then(Value::as_array);
        if schema.contains_key("properties") {
            self.object(value, levels, out);
        } else if let Some(all) = members("oneOf").or_else(|| members("anyOf")) {
            for (index, one) in all.iter().take(MAX_CHOICES).enumerate() {
                if index > 0 {
                    out.push_str(" | ");
                }
                self.value(one, levels.saturating_sub(1), out);
            }
        } else if let Some(all) = members("allOf") {
            match all.as_slice() {
                [one] => self.value(one, levels, out),
                _ => self.object(value, levels, out),
            }
        } else if schema.contains_key("items") {
            self.list(schema, levels, out);
        } else {
            out.push_str("any");
        }
    }

    fn object(&mut self, schema: &'d Value, levels: usize, out: &mut String) {
        let Some(levels) = levels.checked_sub(1) else {
            return out.push_str("object");
        };
        let members = self.members(schema, MAX_MEMBERS + 1);
        if members.is_empty() {
            return out.push_str("object");
        }
        out.push_str("{ ");
        for (index, (name, member)) in members.iter().enumerate() {
            if index > 0 {
                out.push_str(", ");
            }
            if index == MAX_MEMBERS || out.len() > MAX_WORDS {
                out.push('…');
                break;
            }
            out.push_str(&clean(name, MAX_NAME));
            out.push_str(": ");
            self.value(member, levels, out);
        }
        out.push_str(" }");
    }

    /// Names a list before its items, so that a description that is cut still says that it is one.
    fn list(&mut self, schema: &'d Map<String, Value>, levels: usize, out: &mut String) {
        out.push_str("list of ");
        match schema.get("items") {
            Some(items @ Value::Object(_)) => {
                let start = out.len();
                self.value(items, levels, out);
                let item = out.get(start..).unwrap_or_default();
                if item.contains(" | ") && !item.starts_with('{') {
                    out.insert(start, '(');
                    out.push(')');
                }
            }
            _ => out.push_str("any"),
        }
    }
}

fn scalar(name: &str, schema: &Map<String, Value>, out: &mut String) {
    out.push_str(&clean(name, MAX_NAME));
    let format = schema.get("format").and_then(Value::as_str);
    if let Some(format) = format.filter(|format| name == "string" && format.len() <= 20) {
        out.push_str(" (");
        out.push_str(&clean(format, 20));
        out.push(')');
    }
}

/// Names the values of an enumeration.
fn choices(values: &[Value], out: &mut String) {
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.push_str(" | ");
        }
        if index == MAX_CHOICES || out.len() > MAX_WORDS {
            return out.push('…');
        }
        match value {
            Value::String(text) => {
                out.push_str(&Value::from(clean(text, MAX_NAME)).to_string());
            }
            Value::Array(_) => out.push_str("list"),
            Value::Object(_) => out.push_str("object"),
            scalar => out.push_str(&scalar.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn described(root: &Value) -> Value {
        let mut diagnostics = Diagnostics::new(10);
        let text = output(root, &root["answer"], "/answer", 8_000, &mut diagnostics);
        serde_json::from_str(text.get()).unwrap()
    }

    #[test]
    fn members_are_described_by_their_types_in_words() {
        let root = json!({
            "answer": {"type": "object", "required": ["id"], "properties": {
                "id": {"type": "integer"},
                "at": {"type": "string", "format": "date-time", "nullable": true},
                "state": {"type": "string", "enum": ["open", "closed"]},
                "owner": {"$ref": "#/user"},
                "tags": {"type": "array", "items": {"type": ["string", "null"]}},
                "secret": {"type": "string", "writeOnly": true},
                "either": {"oneOf": [{"type": "string"}, {"$ref": "#/user"}]},
                "what": {},
            }},
            "user": {"properties": {"login": {"type": "string"}, "friends": {"type": "array", "items": {"$ref": "#/user"}}}},
        });
        let expected = json!({"type": "object", "properties": {
            "id": {"description": "integer"},
            "at": {"description": "string (date-time) | null"},
            "state": {"description": "\"open\" | \"closed\""},
            "owner": {"description": "{ login: string, friends: list of { login: string, friends: list of object } }"},
            "tags": {"description": "list of (string | null)"},
            "either": {"description": "string | { login: string, friends: list of object }"},
            "what": {"description": "any"},
        }});
        assert_eq!(described(&root), expected);
    }

    #[test]
    fn parts_and_alternatives_of_the_answer_count_as_its_members() {
        let root = json!({"answer": {
            "allOf": [{"properties": {"a": {"type": "string"}}}],
            "oneOf": [{"properties": {"b": {"type": "string"}}}, {"properties": {"a": {}, "c": {"type": "boolean"}}}],
        }});
        let members = json!({"a": {"description": "string"}, "b": {"description": "string"}, "c": {"description": "boolean"}});
        assert_eq!(described(&root)["properties"], members);
    }

    #[test]
    fn an_answer_without_members_is_an_object() {
        assert_eq!(
            described(&json!({"answer": {"type": "object"}})),
            json!({"type": "object"})
        );
    }

    #[test]
    fn x_01_circles_and_fans_end() {
        let fan: Vec<_> = (0..50).map(|_| json!({"$ref": "#/answer"})).collect();
        let properties: Map<String, Value> = (0..500)
            .map(|index| (format!("p{index}"), json!({"$ref": "#/answer"})))
            .collect();
        let root = json!({"answer": {"type": "object", "allOf": fan, "properties": properties}});
        let text = described(&root).to_string();
        assert!(text.len() < 9_000, "{}", text.len());
    }

    #[test]
    fn x_01_a_member_that_is_part_of_itself_is_anything() {
        for keyword in ["allOf", "anyOf", "oneOf"] {
            let root = json!({
                "answer": {"type": "object", "properties": {"x": {"$ref": "#/a"}}},
                "a": {keyword: [{"$ref": "#/a"}]},
            });
            let expected = json!({"x": {"description": "any"}});
            assert_eq!(described(&root)["properties"], expected, "{keyword}");
        }
    }

    #[test]
    fn x_01_a_long_chain_of_parts_ends() {
        let mut root = json!({"answer": {"type": "object", "properties": {"x": {"$ref": "#/s0"}}}});
        for index in 0..100_000 {
            let next = format!("#/s{}", index + 1);
            root[format!("s{index}")] = json!({"allOf": [{"$ref": next}]});
        }
        let expected = json!({"x": {"description": "any"}});
        assert_eq!(described(&root)["properties"], expected);
    }

    #[test]
    fn a_reference_that_leads_nowhere_is_reported() {
        let root = json!({"answer": {"properties": {"a": {"$ref": "#/nothing"}}}});
        let mut diagnostics = Diagnostics::new(10);
        let text = output(&root, &root["answer"], "/answer", 8_000, &mut diagnostics);
        assert!(
            text.get().contains(r#""a":{"description":"any"}"#),
            "{text}"
        );
        let found = diagnostics.finish();
        assert_eq!(
            (found[0].code, found[0].pointer.as_str()),
            ("dangling-reference", "/answer")
        );
    }
}
