//! Strings that are read as the JSON that they hold, and those that are not.

use serde_json::{Value, json};

use super::{plan, plan_text, refusal};
use crate::model::body::BodyEncoding;
use crate::model::{Place, Tool};
use crate::sample::{parameter, tool};

fn taking(schema: &Value) -> Tool {
    tool()
        .with(parameter(Place::Query, "q"))
        .checking(&json!({"properties": {"q": schema}}))
}

fn query(schema: &Value, argument: &str) -> (String, usize) {
    let plan = plan(&taking(schema), &json!({"q": argument})).unwrap();
    (plan.query, plan.notes.len())
}

#[test]
fn a_string_is_read_as_json_where_the_schema_wants_something_else() {
    for (schema, argument, expected) in [
        (json!({"type": "integer"}), "5", "q=5"),
        (json!({"type": "number"}), " 1.10 ", "q=1.10"),
        (json!({"type": "boolean"}), "true", "q=true"),
        (
            json!({"type": "array", "items": {"type": "integer"}}),
            "[1, 2]",
            "q=1&q=2",
        ),
        (
            json!({"type": "object"}),
            "{\"a\": 12345678901234567890123}",
            "a=12345678901234567890123",
        ),
        (json!({"type": ["integer", "null"]}), "5", "q=5"),
        (
            json!({"anyOf": [{"type": "integer"}, {"type": "null"}]}),
            "5",
            "q=5",
        ),
        (json!({"enum": [1, 2]}), "2", "q=2"),
        (json!({"const": true}), "true", "q=true"),
    ] {
        assert_eq!(
            query(&schema, argument),
            (expected.to_owned(), 1),
            "{schema}"
        );
    }
}

#[test]
fn a_string_that_the_schema_takes_is_never_read() {
    for schema in [
        json!({"type": "string"}),
        json!({}),
        json!({"type": ["string", "integer"]}),
        json!({"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        json!({"enum": ["5", 5]}),
    ] {
        assert_eq!(query(&schema, "5"), ("q=5".to_owned(), 0), "{schema}");
        if schema != json!({"enum": ["5", 5]}) {
            assert_eq!(
                query(&schema, "[1]"),
                ("q=%5B1%5D".to_owned(), 0),
                "{schema}"
            );
        }
    }
}

#[test]
fn what_does_not_fit_either_is_refused_as_it_came() {
    for (schema, argument) in [
        (json!({"type": "integer"}), "5.5"),
        (json!({"type": "integer", "maximum": 3}), "5"),
        (json!({"type": "integer"}), "five"),
        (json!({"type": "integer"}), "05"),
        (json!({"type": "integer"}), "null"),
        (json!({"type": "object"}), "{\"a\": 1, \"a\": 2}"),
        (json!({"type": "object"}), "[]"),
        (json!({"type": "string", "pattern": "^a"}), "5"),
        (json!({"type": "string", "enum": ["a"]}), "5"),
        (json!({"type": "string", "maxLength": 1}), "55"),
    ] {
        let refused = refusal(&taking(&schema), &json!({"q": argument}));
        assert!(
            refused.starts_with("argument `q` must "),
            "{schema}: {refused}"
        );
    }
    // The nested list of a string is read no deeper than any other.
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    assert!(plan(&taking(&json!({"type": "array"})), &json!({"q": deep})).is_err());
}

#[test]
fn strings_within_the_body_are_read_and_the_rest_keeps_its_text() {
    let schema = json!({
        "type": "object",
        "properties": {
            "n": {"type": "integer"},
            "o": {"type": "object", "properties": {"m": {"type": "boolean"}, "s": {"type": "string"}}},
            "l": {"type": "array", "items": {"type": "integer"}},
        },
    });
    let tool = tool()
        .sending("application/json", BodyEncoding::Json)
        .checking(&json!({"properties": {"body": schema}}));
    let sent = |arguments: &str| {
        let plan = plan_text(&tool, arguments).unwrap();
        let text = String::from_utf8(plan.body.unwrap().bytes).unwrap();
        (text, plan.notes)
    };
    let (text, notes) = sent(r#"{"body": {"x/y": 1.10, "n": "7", "l": [1, "2"]}}"#);
    assert_eq!(text, r#"{"x/y":1.10,"n":7,"l":[1,2]}"#);
    assert_eq!(notes.len(), 2);
    assert!(
        notes[0].contains("`body/n`") && notes[1].contains("`body/l/1`"),
        "{notes:?}"
    );
    let (text, notes) =
        sent(r#"{"body": "{\"o\": \"{\\\"m\\\": \\\"true\\\", \\\"s\\\": \\\"5\\\"}\"}"}"#);
    assert_eq!(text, r#"{"o":{"m":true,"s":"5"}}"#);
    assert_eq!(notes.len(), 3);
    let (text, notes) = sent(r#"{"body": {"n":  7}}"#);
    assert_eq!((text.as_str(), notes.len()), (r#"{"n":  7}"#, 0));
}

#[test]
fn of_several_shapes_the_one_that_fits_is_read() {
    let shapes = json!({"anyOf": [
        {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}},
        {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string", "pattern": "^x"}}},
    ]});
    let plan = plan(&taking(&shapes), &json!({"q": {"a": "1", "b": "2"}})).unwrap();
    assert_eq!(plan.query, "a=1&b=2");
    assert_eq!(plan.notes.len(), 1);
    assert!(plan.notes[0].contains("`q/b`"), "{:?}", plan.notes);
}
