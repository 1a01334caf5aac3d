//! Keywords that constrain a value by themselves: types, enumerations, bounds, patterns, formats.

use serde_json::{Map, Value};

use super::Converter;
use super::lenient::{Meant, count, meant, number};
use crate::dialect::is_portable;
use crate::pointer::Place;
use crate::schema::fragment::Kind;
use crate::schema::keyword::is_true;

/// The types of JSON Schema.
const TYPES: [&str; 7] = [
    "null", "boolean", "object", "array", "number", "string", "integer",
];

impl<'d> Converter<'_, 'd> {
    /// Writes one keyword; returns whether it is one of this kind.
    pub(super) fn assertion(
        &mut self,
        key: &str,
        value: &'d Value,
        schema: &'d Map<String, Value>,
        nullable: bool,
        place: &Place<'_>,
    ) -> bool {
        match key {
            "type" => self.types(value, schema, nullable, place),
            "enum" => self.enumeration(value, nullable, place),
            "const" if nullable && !value.is_null() => {
                self.out.member("enum", &[value, &Value::Null]);
            }
            "const" => self.out.member("const", value),
            "minimum" | "maximum" => self.bound(key, value, schema),
            "exclusiveMinimum" | "exclusiveMaximum" if !value.is_boolean() => {
                self.number(key, value, |_| true);
            }
            "multipleOf" => self.number(key, value, |step| step > 0.0),
            "minLength" | "maxLength" if self.is_base64(schema) => {}
            "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties"
            | "maxProperties" | "minContains" => {
                if let Some(count) = count(value) {
                    self.out.member(key, &count);
                }
            }
            "maxContains" => {
                if let Some(count) = count(value) {
                    self.out.optional(Kind::Fragile, key, &count);
                }
            }
            // Kubernetes says it of everything.
            "uniqueItems" if value.is_boolean() && !is_scalar(schema) => {
                self.out.member(key, value);
            }
            "uniqueItems" => {}
            "pattern" => self.pattern(value, schema, place),
            "format" => self.format(value, schema),
            "contentMediaType" if value.is_string() => self.out.member(key, value),
            "contentEncoding" if value.is_string() && !self.is_base64(schema) => {
                self.out.member(key, value);
            }
            "dependentRequired" if is_dependent_required(value) => {
                self.out.member(key, value);
            }
            _ => return false,
        }
        true
    }

    fn types(
        &mut self,
        value: &'d Value,
        schema: &Map<String, Value>,
        nullable: bool,
        place: &Place<'_>,
    ) {
        let named: Vec<&str> = match value {
            Value::String(name) => vec![name],
            Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let mut types: Vec<&str> = Vec::with_capacity(named.len() + 1);
        for name in named {
            let known = TYPES.iter().find(|known| **known == name).copied();
            let Some(name) = known.or_else(|| self.meant(name, place)) else {
                return;
            };
            if !types.contains(&name) {
                types.push(name);
            }
        }
        if nullable && !types.is_empty() && !types.contains(&"null") {
            types.push("null");
        }
        match types.as_slice() {
            [] => {}
            [one] => self.out.member("type", one),
            several => self.out.member("type", several),
        }
        // Some vendors of models take no array without `items`.
        let has_items = matches!(schema.get("items"), Some(Value::Object(_) | Value::Bool(_)));
        if types.contains(&"array") && !has_items {
            self.out.member("items", &Map::new());
        }
    }

    /// Reads a type that JSON Schema does not have; `None` where it may be any.
    fn meant(&mut self, name: &str, place: &Place<'_>) -> Option<&'static str> {
        if name == "file" {
            return Some("string");
        }
        let shown = name.escape_debug();
        match meant(name) {
            Meant::Type(meant) => {
                let message = format!("`{shown}` is not a type of JSON Schema; `{meant}` is meant");
                self.diagnostics.note("unknown-type", place, message);
                Some(meant)
            }
            Meant::AnyType => None,
            Meant::Unknown => {
                let message =
                    format!("`{shown}` is not a type of JSON Schema; any type is accepted here");
                self.leave_open("unknown-type", place, message);
                None
            }
        }
    }

    fn number(&mut self, key: &str, value: &Value, is_sound: impl Fn(f64) -> bool) {
        if let Some(number) = number(value)
            && number.as_f64().is_some_and(is_sound)
        {
            self.out.member(key, &number);
        }
    }

    fn enumeration(&mut self, value: &Value, nullable: bool, place: &Place<'_>) {
        match value.as_array() {
            Some(values) if !values.is_empty() => {
                self.out.key("enum");
                self.out.open(b'[');
                for value in values {
                    self.out.value(value);
                }
                if nullable && !values.contains(&Value::Null) {
                    self.out.value(&Value::Null);
                }
                self.out.close(b']');
            }
            _ => {
                let message = "`enum` must be a list with values; it is left out";
                self.leave_open("bad-enum", place, message);
            }
        }
    }

    /// Writes a bound, exclusive where 3.0's boolean beside it says so.
    fn bound(&mut self, key: &str, value: &Value, schema: &Map<String, Value>) {
        let exclusive = if key == "minimum" {
            "exclusiveMinimum"
        } else {
            "exclusiveMaximum"
        };
        let key = if is_true(schema, exclusive) {
            exclusive
        } else {
            key
        };
        self.number(key, value, |_| true);
    }

    fn pattern(&mut self, value: &Value, schema: &Map<String, Value>, place: &Place<'_>) {
        let Some(pattern) = value.as_str() else {
            return;
        };
        if self.is_base64(schema) {
            return;
        }
        if self.schemas.patterns.compiles(pattern) {
            if is_portable(pattern) {
                self.out.member("pattern", pattern);
            } else {
                self.out.optional(Kind::Foreign, "pattern", pattern);
            }
        } else {
            self.drop_pattern(place);
        }
    }

    /// Tells of a pattern that is left out.
    pub(super) fn drop_pattern(&mut self, place: &Place<'_>) {
        let message = "the pattern does not compile, or not to run in linear time; it is left out";
        self.leave_open("pattern-dropped", place, message);
    }

    fn format(&mut self, value: &Value, schema: &Map<String, Value>) {
        let Some(format) = value.as_str() else { return };
        if self.is_base64(schema) {
            // Written for every kind of binary field, with the annotations.
        } else if format == "byte" && !schema.contains_key("contentEncoding") {
            self.out.member("contentEncoding", "base64");
        } else {
            self.out.member("format", format);
        }
    }
}

/// Tells whether all values of a schema are texts, numbers or booleans.
fn is_scalar(schema: &Map<String, Value>) -> bool {
    schema.get("type").is_some_and(|named| {
        ["string", "integer", "number", "boolean"]
            .iter()
            .any(|scalar| named == scalar)
    })
}

fn is_dependent_required(value: &Value) -> bool {
    value.as_object().is_some_and(|all| {
        all.values().all(|names| {
            names
                .as_array()
                .is_some_and(|names| names.iter().all(Value::is_string))
        })
    })
}
