//! What is made is allowed, reaches the bounds, and is the same each time.

use serde_json::{Value, json};

use super::{Alphabet, Generator, Variant};
use crate::requests::validator;

fn made(schema: &Value, variant: Variant) -> Value {
    let made = Generator::new(schema, variant, Alphabet::Any, 1).value(schema);
    made.unwrap_or_else(|cause| panic!("{variant:?} of {schema}: {cause}"))
}

/// What is made for each of these is valid, in every variant.
#[test]
fn what_is_made_is_allowed() {
    let definitions = json!({
        "tree": { "type": "object", "required": ["name"], "properties": {
            "name": { "type": "string", "minLength": 3 },
            "children": { "type": "array", "items": { "$ref": "#/$defs/tree" } },
        } },
        "cat": { "type": "object", "required": ["kind", "lives"], "properties": { "kind": { "const": "cat" }, "lives": { "type": "integer", "minimum": 1, "maximum": 9 } } },
        "dog": { "type": "object", "required": ["kind"], "properties": { "kind": { "const": "dog" } } },
    });
    let schemas = [
        json!({ "$ref": "#/$defs/tree" }),
        json!({ "oneOf": [{ "$ref": "#/$defs/cat" }, { "$ref": "#/$defs/dog" }] }),
        json!({ "allOf": [{ "$ref": "#/$defs/cat" }, { "properties": { "lives": { "multipleOf": 2 } } }] }),
        json!({ "anyOf": [{ "type": "null" }, { "type": "string", "format": "date-time" }] }),
        json!({ "oneOf": [{ "type": "integer" }, { "type": "number" }, { "type": "string" }] }),
        json!({ "properties": { "a": { "type": "integer" }, "b": { "type": "integer" } }, "oneOf": [{ "required": ["a"] }, { "required": ["b"] }] }),
        json!({ "type": ["null", "string"], "maxLength": 2 }),
        json!({ "type": "string", "pattern": "^[A-Z]{2}-\\d{3,5}(?:-x)?$" }),
        json!({ "type": "string", "pattern": "^(a|b)+$", "minLength": 4, "maxLength": 6 }),
        json!({ "type": "array", "items": { "enum": ["a", "b", "c"] }, "uniqueItems": true, "minItems": 3 }),
        json!({ "type": "array", "items": { "type": "string" }, "uniqueItems": true, "minItems": 2 }),
        json!({ "type": "number", "exclusiveMinimum": 0, "maximum": 0.5, "multipleOf": 0.25 }),
        json!({ "type": "integer", "minimum": 16, "multipleOf": 10, "maximum": 25 }),
        json!({ "type": "object", "additionalProperties": { "type": "integer" }, "minProperties": 2, "maxProperties": 3 }),
        json!({ "type": "object", "propertyNames": { "pattern": "^k_[a-z]$" }, "additionalProperties": true, "minProperties": 1 }),
        json!({ "type": "array", "prefixItems": [{ "type": "integer" }, { "type": "string" }], "minItems": 2 }),
        json!({ "enum": [null, "a", 7] }),
        json!(true),
    ];
    for mut schema in schemas {
        if let Some(members) = schema.as_object_mut() {
            members.insert("$defs".to_owned(), definitions.clone());
        }
        let validator = validator(&schema).expect("a schema");
        for variant in Variant::EACH {
            let value = made(&schema, variant);
            assert!(
                validator.is_valid(&value),
                "{variant:?}: {value} by {schema}"
            );
        }
    }
}

#[test]
fn only_what_is_required_is_there_where_nothing_else_is_asked_for() {
    let schema = json!({ "type": "object", "required": ["a"], "properties": { "a": { "type": "integer" }, "b": { "type": "integer" } } });
    assert_eq!(made(&schema, Variant::Required), json!({ "a": 1 }));
    assert_eq!(made(&schema, Variant::All), json!({ "a": 10, "b": 10 }));
}

#[test]
fn boundaries_are_reached() {
    let number = json!({ "type": "integer", "minimum": -3, "maximum": 44 });
    assert_eq!(made(&number, Variant::Smallest), json!(-3));
    assert_eq!(made(&number, Variant::Largest), json!(44));
    let text = json!({ "type": "string", "minLength": 2, "maxLength": 50 });
    assert_eq!(made(&text, Variant::Smallest), json!("aa"));
    let largest = made(&text, Variant::Largest);
    assert_eq!(largest.as_str().map(|it| it.chars().count()), Some(50));
}

#[test]
fn the_same_seed_makes_the_same() {
    let schema = json!({ "type": "string", "pattern": "^[a-z]{30}$" });
    let made = |seed| Generator::new(&schema, Variant::All, Alphabet::Any, seed).value(&schema);
    assert_eq!(made(7), made(7));
    assert_ne!(made(7), made(8));
}

#[test]
fn what_cannot_be_made_is_told() {
    let endless = json!({ "$ref": "#/$defs/a", "$defs": { "a": { "type": "object", "required": ["a"], "properties": { "a": { "$ref": "#/$defs/a" } } } } });
    for schema in [json!(false), endless, json!({ "enum": [] })] {
        let made = Generator::new(&schema, Variant::Required, Alphabet::Any, 1).value(&schema);
        assert!(made.is_err(), "{schema}");
    }
}
