//! Shows the near part of a schema that is too large for a model, and says that there is more.

use serde_json::{Map, Value, json};

/// What stands for a schema that is not shown.
pub(super) const STUB: &str = r#"{"description":"Cut: any value; see the API's documentation."}"#;
const CUT: &str = "Cut: any value; see the API's documentation.";
const MORE: &str = "Cut: there are more properties; see the API's documentation.";
/// Schemas within schemas that are tried to be shown.
const MAX_DEPTH: usize = 5;
/// Enumerations that are longer, in bytes of JSON, are not shown where there is no room.
const MAX_ENUM_BYTES: usize = 400;

/// Cuts a schema to `limit` bytes; what stands for it is never longer than the stub.
pub(super) fn trimmed(schema: &[u8], limit: usize) -> String {
    let schema: Value = serde_json::from_slice(schema).unwrap_or_default();
    let fits = |text: &String| text.len() <= limit;
    let shallow = |depth| to_depth(&schema, depth).to_string();
    (1..=MAX_DEPTH)
        .rev()
        .map(shallow)
        .find(fits)
        .or_else(|| some_properties(&schema, limit))
        .or_else(|| Some(shallow(0)).filter(fits))
        .or_else(|| Some(stub(&schema).to_string()).filter(fits))
        .unwrap_or_else(|| STUB.to_owned())
}

/// Copies a schema without what lies deeper; what it refers to counts as deeper.
fn to_depth(schema: &Value, depth: usize) -> Value {
    let Value::Object(members) = schema else {
        return schema.clone();
    };
    if members.contains_key("$ref") {
        return stub(schema);
    }
    let mut shown = Map::new();
    for (key, value) in members {
        let next = depth.checked_sub(1);
        let below = |value: &Value| match next {
            Some(depth) => to_depth(value, depth),
            None => stub(value),
        };
        let value = match (key.as_str(), value) {
            ("properties" | "patternProperties" | "dependentSchemas", Value::Object(schemas)) => {
                let Some(depth) = next else {
                    return stub(schema);
                };
                let schemas = schemas.iter();
                schemas
                    .map(|(name, schema)| (name.clone(), to_depth(schema, depth)))
                    .collect()
            }
            ("allOf" | "anyOf" | "prefixItems", Value::Array(schemas)) => {
                if next.is_none() {
                    return stub(schema);
                }
                schemas.iter().map(below).collect()
            }
            (
                "items" | "additionalProperties" | "contains" | "propertyNames",
                value @ Value::Object(_),
            ) => below(value),
            // Beside something that is cut, and so accepts more, these would refuse more than the whole.
            (
                "not"
                | "if"
                | "then"
                | "else"
                | "maxContains"
                | "unevaluatedProperties"
                | "unevaluatedItems",
                _,
            ) => continue,
            // Alternatives that are cut cannot be told apart.
            ("oneOf", _) => return stub(schema),
            ("enum", values) if values.to_string().len() > MAX_ENUM_BYTES => return stub(schema),
            (_, value) => value.clone(),
        };
        shown.insert(key.clone(), value);
    }
    Value::Object(shown)
}

/// Shows as many properties of an object as fit, those that must be given first.
fn some_properties(schema: &Value, limit: usize) -> Option<String> {
    let properties = schema.get("properties")?.as_object()?;
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let is_required = |name: &str| required.contains(&name);
    let (first, then): (Vec<_>, Vec<_>) =
        properties.iter().partition(|(name, _)| is_required(name));
    let mut frame = stub(schema);
    let members = frame.as_object_mut()?;
    members.insert("description".to_owned(), json!(MORE));
    members.insert("properties".to_owned(), json!({}));
    members.insert("required".to_owned(), json!(required));
    let mut left = limit.checked_sub(frame.to_string().len())?;
    let mut shown = Map::new();
    for (name, property) in first.into_iter().chain(then) {
        let property = to_depth(property, 0);
        let size = name.len() + property.to_string().len() + 6;
        let Some(rest) = left.checked_sub(size) else {
            break;
        };
        left = rest;
        shown.insert(name.clone(), property);
    }
    *frame.get_mut("properties")? = Value::Object(shown);
    Some(frame.to_string())
}

/// What stands for a schema: its type, where it says one, and that it is cut.
fn stub(schema: &Value) -> Value {
    match schema.get("type") {
        // An array without `items` is no array to OpenAI.
        Some(r#type) if r#type.to_string().contains("array") => {
            json!({"type": r#type, "items": {}, "description": CUT})
        }
        Some(r#type) => json!({"type": r#type, "description": CUT}),
        None => json!({"description": CUT}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(schema: &Value, limit: usize) -> Value {
        let text = trimmed(schema.to_string().as_bytes(), limit);
        assert!(
            text.len() <= limit.max(STUB.len()),
            "{}: {text}",
            text.len()
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn the_near_part_is_shown_and_the_rest_said_to_be_cut() {
        let deep = json!({"type": "object", "required": ["a"], "properties": {
            "a": {"type": "string"},
            "b": {"type": "object", "properties": {"c": {"type": "object", "properties": {"d": {"const": "x".repeat(300)}}}}},
        }});
        let shown = cut(&deep, 250);
        assert_eq!(shown["properties"]["a"], json!({"type": "string"}));
        assert_eq!(shown["required"], json!(["a"]));
        let expected = json!({"type": "object", "description": CUT});
        assert_eq!(shown["properties"]["b"]["properties"]["c"], expected);
    }

    #[test]
    fn required_properties_are_shown_before_others() {
        let properties: Map<String, Value> = (0..100)
            .map(|index| (format!("property_{index}"), json!({"type": "string"})))
            .collect();
        let wide = json!({"type": "object", "properties": properties, "required": ["property_99"], "additionalProperties": false});
        let shown = cut(&wide, 600);
        assert_eq!(
            shown["properties"]["property_99"],
            json!({"type": "string"})
        );
        assert_eq!(shown["description"], json!(MORE));
        assert!(shown.get("additionalProperties").is_none());
    }

    #[test]
    fn properties_of_what_may_be_something_else_do_not_make_it_an_object() {
        let properties: Map<String, Value> = (0..100)
            .map(|index| (format!("property_{index}"), json!({"type": "string"})))
            .collect();
        for (kind, items) in [
            (json!({"type": ["object", "null"]}), None),
            (json!({"type": ["object", "array"]}), Some(json!({}))),
            (json!({}), None),
        ] {
            let mut wide = kind.clone();
            wide["properties"] = Value::Object(properties.clone());
            let shown = cut(&wide, 600);
            assert!(shown["properties"].get("property_0").is_some());
            assert_eq!(shown.get("type"), kind.get("type"));
            assert_eq!(shown.get("items"), items.as_ref());
        }
    }

    #[test]
    fn what_refuses_more_beside_a_cut_is_not_shown() {
        let deep = json!({"properties": {"a": {"const": "x".repeat(300)}}});
        let shown = cut(
            &json!({"allOf": [deep], "unevaluatedProperties": false, "maxContains": 1, "not": {"required": ["a"]}}),
            150,
        );
        let keys: Vec<_> = shown.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["allOf"], "{shown}");
    }

    #[test]
    fn where_nothing_fits_the_type_remains() {
        let values: Vec<_> = (0..1_000).collect();
        let shown = cut(&json!({"type": "integer", "enum": values}), 100);
        assert_eq!(shown, json!({"type": "integer", "description": CUT}));
        assert_eq!(
            cut(&json!({"enum": values}), 10),
            json!({"description": CUT})
        );
    }
}
