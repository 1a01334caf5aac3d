//! What authors write in place of a type or a number, read as they mean it.

use serde_json::{Number, Value};

/// What a name that is no type of JSON Schema means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meant {
    Type(&'static str),
    AnyType,
    Unknown,
}

/// Reads such a name; one that says a format and could be several types, as `timestamp` does, means nothing certain.
pub(super) fn meant(name: &str) -> Meant {
    Meant::Type(match name.to_ascii_lowercase().as_str() {
        "integer" | "int" | "int32" | "int64" | "long" | "short" => "integer",
        "number" | "float" | "double" | "decimal" | "numeric" => "number",
        "boolean" | "bool" => "boolean",
        "string" | "str" | "text" | "char" | "date" | "datetime" | "date-time" | "uuid"
        | "guid" | "uri" | "url" | "email" | "password" | "file" => "string",
        "array" | "list" => "array",
        "object" | "map" | "dict" | "dictionary" | "hash" => "object",
        "null" | "nil" | "none" => "null",
        "any" | "mixed" => return Meant::AnyType,
        _ => return Meant::Unknown,
    })
}

/// Reads a number, which authors write with and without quotes.
pub(super) fn number(value: &Value) -> Option<Number> {
    match value {
        Value::Number(number) => Some(number.clone()),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Reads a number that counts something.
pub(super) fn count(value: &Value) -> Option<u64> {
    let number = number(value)?;
    number.as_u64().or_else(|| {
        let text = number.to_string();
        text.strip_suffix(".0")?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn types_are_read_as_they_are_meant() {
        for (name, expected) in [
            ("int", Meant::Type("integer")),
            ("String", Meant::Type("string")),
            ("DateTime", Meant::Type("string")),
            ("Map", Meant::Type("object")),
            ("any", Meant::AnyType),
            ("timestamp", Meant::Unknown),
            ("Pet", Meant::Unknown),
        ] {
            assert_eq!(meant(name), expected, "{name}");
        }
    }

    #[test]
    fn numbers_are_read_with_and_without_quotes() {
        assert_eq!(number(&json!("-1.5")), Number::from_f64(-1.5));
        assert_eq!(number(&json!("20 - high")), None);
        assert_eq!(number(&json!(true)), None);
        assert_eq!(count(&json!("20")), Some(20));
        assert_eq!(count(&json!(3.0)), Some(3));
        assert_eq!(count(&json!(3.5)), None);
        assert_eq!(count(&json!(-1)), None);
    }
}
