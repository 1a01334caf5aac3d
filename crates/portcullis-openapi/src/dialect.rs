//! What the vendors of models refuse in a tool's input schema: one schema that a vendor does not take makes a client lose all tools of all servers.
//!
//! [`Tool::input_schema`](crate::Tool::input_schema) is written so that Anthropic and `OpenAI` take every tool; tests hold that with [`refusals`], and `portcullis check` says by [`remarks()`] where it does not come true.
//! Gemini takes less than JSON Schema, and clients rewrite schemas for it; what they have to rewrite is named too.
//!
//! Where the rules come from, as far as anybody outside knows them:
//! - Anthropic: "Define tools" of the Claude API's documentation for the root; the pattern of keys from its error message (claude-code issue 79418, twilio-labs/mcp issue 58); combinators at the root (claude-code issue 5878).
//! - `OpenAI`: "Function calling" of its documentation; arrays without `items` (digitalocean-labs/mcp-digitalocean issue 265), which VS Code says too; the root (langchainjs issue 9804); patterns are compiled by Python's `re` (litellm pull request 40485, shunt pull request 488), and looking around is refused (vercel/ai pull request 21037).
//! - Claude Code takes no boolean where a property's schema is due (modelcontextprotocol/inspector issue 1005).
//! - Gemini: `Schema` of its API reference; `$ref` beside other members (opencode issue 12295), `const` and lists of types (`google_workspace_mcp` issue 1099), numbers in `enum` (azure-devops-mcp issue 139), keywords without a field (9router pull request 3018), nesting (gemini-cli issue 5923).

mod remarks;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

pub use remarks::remarks;

/// A vendor of models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Vendor {
    /// The Messages API, and Claude Code.
    Anthropic,
    /// Function calling without `strict`.
    OpenAi,
    /// `parameters` of function declarations.
    Gemini,
}

/// Schemas within schemas that Gemini is known to take.
const MAX_GEMINI_DEPTH: usize = 10;

/// Keywords that Gemini's `Schema` has no field for.
const UNKNOWN_TO_GEMINI: [&str; 19] = [
    "$defs",
    "additionalProperties",
    "allOf",
    "const",
    "contains",
    "contentEncoding",
    "contentMediaType",
    "dependentRequired",
    "dependentSchemas",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "if",
    "multipleOf",
    "not",
    "oneOf",
    "patternProperties",
    "prefixItems",
    "propertyNames",
    "uniqueItems",
];

/// Why vendors refuse a schema, in the words of a sentence.
type Refusals = BTreeSet<(Vendor, String)>;

/// Says which vendors would refuse a tool with this input schema, and why.
#[must_use]
pub fn refusals(schema: &Value) -> BTreeSet<(Vendor, String)> {
    let mut found = Refusals::new();
    root(schema, &mut found);
    below(schema, 0, &mut found);
    found
}

/// Tells whether a pattern is one that JavaScript, Python and linear-time engines read alike, as far as that can be seen: no vendor refuses it.
pub(crate) fn is_portable(pattern: &str) -> bool {
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        let ahead = rest.as_str();
        let is_sound = match c {
            '\\' => rest.next().is_some_and(|escaped| match escaped {
                'd' | 'D' | 'w' | 'W' | 's' | 'S' | 'b' | 'B' | 'n' | 'r' | 't' | 'f' | 'v' => true,
                'x' => digits(rest.as_str(), 2),
                'u' => digits(rest.as_str(), 4),
                other => other.is_ascii_punctuation(),
            }),
            '(' => !ahead.starts_with('?') || ahead.starts_with("?:"),
            '[' => !ahead.starts_with([']', '[']) && !ahead.starts_with("^]"),
            '*' | '+' | '?' | '}' => !ahead.starts_with('+'),
            _ => true,
        };
        if !is_sound {
            return false;
        }
    }
    true
}

fn digits(text: &str, count: usize) -> bool {
    text.get(..count)
        .is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

fn root(schema: &Value, found: &mut Refusals) {
    let both = [Vendor::Anthropic, Vendor::OpenAi];
    let mut refuse = |vendors: &[Vendor], why: &str| {
        found.extend(vendors.iter().map(|&vendor| (vendor, why.to_owned())));
    };
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        refuse(&both, "the root is not `type: object`");
    }
    for combinator in ["oneOf", "anyOf", "allOf", "enum", "not"] {
        if schema.get(combinator).is_some() {
            refuse(&both, "the root has a combinator");
        }
    }
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return refuse(&[Vendor::OpenAi], "the root has no `properties`");
    };
    if properties.keys().any(|name| !is_key(name)) {
        let why = "the name of an argument is not `[A-Za-z0-9_.-]{1,64}`";
        refuse(&[Vendor::Anthropic], why);
    }
    if properties.values().any(Value::is_boolean) {
        refuse(
            &[Vendor::Anthropic],
            "the schema of an argument is a boolean",
        );
    }
}

fn is_key(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    (1..=64).contains(&name.len()) && name.bytes().all(is_plain)
}

/// Looks at a schema and those within it.
fn below(schema: &Value, depth: usize, found: &mut Refusals) {
    let Value::Object(members) = schema else {
        return;
    };
    array(members, found);
    patterns(members, found);
    gemini(members, depth, found);
    for (key, value) in members {
        match (key.as_str(), value) {
            (
                "properties" | "patternProperties" | "$defs" | "dependentSchemas",
                Value::Object(schemas),
            ) => {
                for schema in schemas.values() {
                    below(schema, depth + 1, found);
                }
            }
            ("allOf" | "anyOf" | "oneOf" | "prefixItems", Value::Array(schemas)) => {
                for schema in schemas {
                    below(schema, depth + 1, found);
                }
            }
            (
                "items"
                | "additionalProperties"
                | "contains"
                | "propertyNames"
                | "not"
                | "if"
                | "then"
                | "else"
                | "unevaluatedProperties"
                | "unevaluatedItems",
                schema,
            ) => below(schema, depth + 1, found),
            _ => {}
        }
    }
}

fn array(members: &Map<String, Value>, found: &mut Refusals) {
    let is_array = match members.get("type") {
        Some(Value::String(name)) => name == "array",
        Some(Value::Array(names)) => names.iter().any(|name| name == "array"),
        _ => false,
    };
    if is_array && !members.get("items").is_some_and(Value::is_object) {
        let why = "an array has no `items`";
        found.insert((Vendor::OpenAi, why.to_owned()));
        found.insert((Vendor::Gemini, why.to_owned()));
    }
}

fn patterns(members: &Map<String, Value>, found: &mut Refusals) {
    let names = members.get("patternProperties").and_then(Value::as_object);
    let names = names.into_iter().flat_map(Map::keys).map(String::as_str);
    let own = members.get("pattern").and_then(Value::as_str);
    if own.into_iter().chain(names).any(|it| !is_portable(it)) {
        let why = "a pattern is not one of Python's, or looks around";
        found.insert((Vendor::OpenAi, why.to_owned()));
    }
}

/// Why Gemini does not take a keyword.
fn unknown(keyword: &str) -> String {
    format!("`{keyword}` is unknown")
}

fn gemini(members: &Map<String, Value>, depth: usize, found: &mut Refusals) {
    let mut refuse = |why: String| {
        found.insert((Vendor::Gemini, why));
    };
    for keyword in UNKNOWN_TO_GEMINI {
        if members.contains_key(keyword) {
            refuse(unknown(keyword));
        }
    }
    if members.contains_key("$ref") {
        let beside = |key: &String| !matches!(key.as_str(), "$ref" | "description" | "default");
        refuse(if members.keys().any(beside) {
            "`$ref` stands beside other keywords".to_owned()
        } else {
            unknown("$ref")
        });
    }
    if members.get("type").is_some_and(Value::is_array) {
        refuse("`type` is a list".to_owned());
    }
    let values = members.get("enum").and_then(Value::as_array);
    let is_odd = |value: &Value| value.as_str().is_none_or(str::is_empty);
    if values.is_some_and(|values| values.iter().any(is_odd)) {
        refuse("`enum` has a value that is no text, or an empty one".to_owned());
    }
    let format = members.get("format").and_then(Value::as_str);
    let is_text = members.get("type").is_some_and(|name| name == "string");
    if is_text && !matches!(format, None | Some("date-time" | "enum")) {
        refuse("`format` of a string is neither `date-time` nor `enum`".to_owned());
    }
    if depth > MAX_GEMINI_DEPTH {
        refuse("the nesting is deep".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(vendor: Vendor, schema: &Value) -> Vec<String> {
        let found = refusals(schema).into_iter();
        found
            .filter(|(by, _)| *by == vendor)
            .map(|(_, why)| why)
            .collect()
    }

    #[test]
    fn what_anthropic_refuses_is_named() {
        let fine = json!({"type": "object", "properties": {"a.b-c_1": {}}});
        assert_eq!(of(Vendor::Anthropic, &fine), [""; 0]);
        for bad in [
            json!({"type": "object", "properties": {"$filter": {}}}),
            json!({"type": "object", "properties": {"a".repeat(65): {}}}),
            json!({"type": "object", "properties": {"a": true}}),
            json!({"type": "object", "properties": {}, "anyOf": [{}]}),
            json!({"properties": {}}),
        ] {
            assert_eq!(of(Vendor::Anthropic, &bad).len(), 1, "{bad}");
        }
    }

    #[test]
    fn what_openai_refuses_is_named() {
        let with = |schema: Value| json!({"type": "object", "properties": {"a": schema}});
        let fine = with(json!({"type": "array", "items": {"pattern": "^a\\.b$"}}));
        assert_eq!(of(Vendor::OpenAi, &fine), [""; 0]);
        for bad in [
            json!({"type": "object"}),
            with(json!({"type": "array"})),
            with(json!({"anyOf": [{"type": ["array", "null"]}]})),
            with(json!({"pattern": "^(?!a)"})),
            with(json!({"patternProperties": {"\\p{L}": {}}})),
        ] {
            assert_eq!(of(Vendor::OpenAi, &bad).len(), 1, "{bad}");
        }
    }

    #[test]
    fn what_has_to_be_rewritten_for_gemini_is_named() {
        let with = |schema: Value| json!({"type": "object", "properties": {"a": schema}});
        let fine = with(json!({"type": "string", "enum": ["b"]}));
        assert_eq!(of(Vendor::Gemini, &fine), [""; 0]);
        for bad in [
            json!({"const": 1}),
            json!({"type": ["string", "null"]}),
            json!({"enum": [1]}),
            json!({"enum": [""]}),
            json!({"$ref": "#/a", "title": "b"}),
            json!({"type": "string", "format": "uuid"}),
            json!({"exclusiveMinimum": 0}),
        ] {
            let schema = with(bad);
            assert_eq!(of(Vendor::Gemini, &schema).len(), 1, "{schema}");
        }
    }

    #[test]
    fn patterns_are_portable_or_not() {
        for portable in [
            r"^\d{3}-[a-z]+$",
            r"^a\/b\.c$",
            r"(?:a|b)?[^\s/]+",
            r"\u00e4\x20",
        ] {
            assert!(is_portable(portable), "{portable}");
        }
        for other in [
            r"\p{L}",
            r"(?<name>a)",
            r"(?P<name>a)",
            r"(?=a)",
            r"(?i)a",
            r"\u{1F600}",
            r"\z",
            r"a++",
            r"[]a]",
            r"[[:alpha:]]",
            r"\cA",
            "\\",
        ] {
            assert!(!is_portable(other), "{other}");
        }
    }
}
