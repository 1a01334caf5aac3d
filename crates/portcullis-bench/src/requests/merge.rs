//! Two schemas become one that allows what both allow, as far as values can be made from it.

use serde_json::{Map, Value};

/// Merges two schemas; where they contradict each other, the second counts.
pub(super) fn merged(one: &Value, other: &Value) -> Value {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let mut whole = one.clone();
            for (key, value) in other {
                let value = match whole.get(key) {
                    Some(before) => both(key, before, value),
                    None => value.clone(),
                };
                whole.insert(key.clone(), value);
            }
            Value::Object(whole)
        }
        (Value::Bool(false), _) | (_, Value::Bool(false)) => Value::Bool(false),
        (schema, Value::Bool(true)) | (_, schema) => schema.clone(),
    }
}

/// Two values of one keyword.
fn both(key: &str, one: &Value, other: &Value) -> Value {
    match key {
        "properties" => properties(one, other),
        "required" => listed(one, other, |_, _| true),
        "allOf" => listed(one, other, |_, _| true),
        "enum" => listed(one, other, <[Value]>::contains),
        "type" => types(one, other),
        "minimum" | "minLength" | "minItems" | "minProperties" => {
            if one.as_f64() > other.as_f64() {
                one.clone()
            } else {
                other.clone()
            }
        }
        "maximum" | "maxLength" | "maxItems" | "maxProperties" => {
            if one.as_f64() < other.as_f64() {
                one.clone()
            } else {
                other.clone()
            }
        }
        _ => other.clone(),
    }
}

/// The members of both; one that both have is as both say.
fn properties(one: &Value, other: &Value) -> Value {
    let (Value::Object(one), Value::Object(other)) = (one, other) else {
        return other.clone();
    };
    let mut whole = one.clone();
    for (name, schema) in other {
        let schema = match whole.get(name) {
            Some(before) if before != schema => {
                let parts = vec![before.clone(), schema.clone()];
                Value::Object(Map::from_iter([("allOf".to_owned(), Value::Array(parts))]))
            }
            _ => schema.clone(),
        };
        whole.insert(name.clone(), schema);
    }
    Value::Object(whole)
}

/// The values of both lists once, or those of the second that `keep` takes, where it takes not all.
fn listed(one: &Value, other: &Value, keep: impl Fn(&[Value], &Value) -> bool) -> Value {
    let (Value::Array(one), Value::Array(other)) = (one, other) else {
        return other.clone();
    };
    let kept: Vec<Value> = other.iter().filter(|it| keep(one, it)).cloned().collect();
    if kept.len() < other.len() {
        return Value::Array(kept);
    }
    let mut whole = one.clone();
    whole.extend(kept.into_iter().filter(|it| !one.contains(it)));
    Value::Array(whole)
}

fn types(one: &Value, other: &Value) -> Value {
    let list = |value: &Value| match value {
        Value::Array(list) => list.clone(),
        single => vec![single.clone()],
    };
    let allowed = list(one);
    let kept: Vec<Value> = list(other)
        .into_iter()
        .filter(|it| allowed.contains(it))
        .collect();
    if kept.is_empty() {
        other.clone()
    } else {
        Value::Array(kept)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bounds_get_narrower_and_members_more() {
        let one = json!({ "minimum": 1, "maximum": 9, "required": ["a"], "properties": { "a": { "type": "string" } }, "type": ["object", "null"] });
        let other = json!({ "minimum": 3, "maximum": 12, "required": ["b", "a"], "properties": { "a": { "minLength": 2 }, "b": true }, "type": "object" });
        let expected = json!({
            "minimum": 3, "maximum": 9, "required": ["a", "b"],
            "properties": { "a": { "allOf": [{ "type": "string" }, { "minLength": 2 }] }, "b": true },
            "type": ["object"],
        });
        assert_eq!(merged(&one, &other), expected);
    }

    #[test]
    fn an_enum_keeps_what_both_have() {
        let merged = merged(
            &json!({ "enum": ["a", "b"] }),
            &json!({ "enum": ["b", "c"] }),
        );
        assert_eq!(merged, json!({ "enum": ["b"] }));
    }
}
