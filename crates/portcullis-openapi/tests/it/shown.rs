//! What models are shown, and what calls are held against: neither refuses what the document accepts.

use portcullis_openapi::{Document, Limits, Tool};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

/// The tool of a document whose one operation takes a body of this schema, shown within so many bytes.
fn tool(schema: &Value, schemas: &Value, bytes: usize) -> (Tool, Vec<&'static str>) {
    let body = json!({"required": true, "content": {"application/json": {"schema": schema}}});
    let document = json!({
        "openapi": "3.1.0",
        "paths": {"/a": {"post": {"operationId": "a", "requestBody": body}}},
        "components": {"schemas": schemas},
    });
    let limits = Limits {
        max_input_schema_bytes: bytes,
        ..Limits::default()
    };
    let document = Document::parse(document.to_string().as_bytes(), &limits).unwrap();
    let (mut tools, findings) = document.tools();
    let codes = findings.iter().map(|finding| finding.code).collect();
    (tools.pop().unwrap(), codes)
}

fn arguments(body: &Value) -> Box<RawValue> {
    to_raw_value(&json!({"body": body})).unwrap()
}

fn takes(schema: &RawValue, body: &Value) -> bool {
    let schema = serde_json::from_str(schema.get()).unwrap();
    jsonschema::is_valid(&schema, &json!({"body": body}))
}

#[test]
fn what_is_shown_takes_all_that_calls_are_held_against() {
    let words = |name: &str| format!("{name}{}", "_of_many_letters".repeat(8));
    let large = json!({"type": "object", "properties": {
        words("a"): {"type": "string"}, words("b"): {"enum": [words("c")]}, "d": {"$ref": "#/components/schemas/L"},
    }});
    let schemas =
        json!({"L": large, "S": {"type": "string"}, "N": {"type": "integer", "maximum": 9}});
    let l = json!({"$ref": "#/components/schemas/L"});
    let s = json!({"$ref": "#/components/schemas/S"});
    let n = json!({"$ref": "#/components/schemas/N"});
    let a = words("a");
    for (schema, accepted) in [
        (
            json!({"allOf": [l], "unevaluatedProperties": false}),
            vec![json!({&a: "x"})],
        ),
        (
            json!({"anyOf": [l, s], "oneOf": [s, n, l]}),
            vec![json!("x"), json!({&a: "x"})],
        ),
        (json!({"oneOf": [s, n]}), vec![json!("x"), json!(3)]),
        (
            json!({"not": {"oneOf": [{"type": "string"}, {"type": "string", "minLength": 2}]}}),
            vec![json!("xy"), json!(1)],
        ),
        (
            json!({"not": {"type": "string", "pattern": r"\p{Greek}"}}),
            vec![json!("x")],
        ),
        (json!({"not": n}), vec![json!("x"), json!(10)]),
        (
            json!({"if": l, "then": {"required": [&a]}, "else": {"type": "string"}}),
            vec![json!({&a: "x"}), json!("x")],
        ),
        (
            json!({"type": "array", "contains": n, "maxContains": 1}),
            vec![json!([1, "x"])],
        ),
        (
            json!({"type": "array", "prefixItems": [s], "unevaluatedItems": false}),
            vec![json!(["x"])],
        ),
        (
            json!({"patternProperties": {r"^\p{Greek}+$": s}, "additionalProperties": false}),
            vec![json!({"π": "x"})],
        ),
        (
            json!({"type": ["object", "null"], "properties": {&a: l, words("e"): l, words("f"): l}}),
            vec![json!(null), json!({&a: {}})],
        ),
        (
            json!({"properties": {&a: s, words("e"): s}, "required": [&a]}),
            vec![json!("x"), json!({&a: "x"})],
        ),
    ] {
        for bytes in (150..1_500).step_by(25) {
            let (tool, _) = tool(&schema, &schemas, bytes);
            let shown = tool.input_schema();
            for body in &accepted {
                let planned = tool.plan(Some(&arguments(body)));
                assert!(planned.is_ok(), "{schema} {body}: {planned:?}");
                assert!(takes(&shown, body), "{schema} {body} in {bytes}: {shown}");
            }
        }
    }
}

#[test]
fn what_is_left_out_of_a_schema_refuses_nothing_around_it() {
    // Look-ahead does not run in linear time.
    let dropped = json!({"type": "string", "pattern": "^(?=a)"});
    let schemas = json!({
        "Dropped": dropped,
        "Through": {"allOf": [{"$ref": "#/components/schemas/Dropped"}]},
        "Lost": {"$ref": "#/components/schemas/Missing"},
        "Odd": {"type": "strange"},
    });
    let refer = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let (pattern, reference) = ("pattern-dropped", "dangling-reference");
    for (schema, body, code) in [
        (json!({"not": dropped}), json!("b"), pattern),
        (json!({"not": refer("Through")}), json!("b"), pattern),
        (json!({"if": dropped, "then": false}), json!("b"), pattern),
        (
            json!({"oneOf": [dropped, {"type": "string"}]}),
            json!("b"),
            pattern,
        ),
        (
            json!({"oneOf": [refer("Through"), {"type": "string"}]}),
            json!("b"),
            pattern,
        ),
        (
            json!({"properties": {"a": {"oneOf": [refer("Dropped"), {"minLength": 1}]}}}),
            json!({"a": "b"}),
            pattern,
        ),
        (
            json!({"contains": dropped, "maxContains": 1}),
            json!(["a", "b"]),
            pattern,
        ),
        (
            json!({"patternProperties": {"^(?=a)": {}}, "additionalProperties": false}),
            json!({"a": 1}),
            pattern,
        ),
        (
            json!({"allOf": [{"patternProperties": {"^(?=a)": {}}}], "unevaluatedProperties": false}),
            json!({"a": 1}),
            pattern,
        ),
        (json!({"not": refer("Missing")}), json!(1), reference),
        (
            json!({"oneOf": [refer("Lost"), {"type": "string"}]}),
            json!("b"),
            reference,
        ),
        (json!({"not": refer("Odd")}), json!(1), "unknown-type"),
        (json!({"not": {"enum": "a"}}), json!(1), "bad-enum"),
    ] {
        let (tool, codes) = tool(&schema, &schemas, 16 << 10);
        let planned = tool.plan(Some(&arguments(&body)));
        assert!(planned.is_ok(), "{schema}: {planned:?}");
        assert!(takes(&tool.input_schema(), &body), "{schema}");
        assert!(codes.contains(&code), "{schema}: {codes:?}");
    }
}

#[test]
fn what_is_whole_is_held_whatever_else_is_left_out() {
    let schemas = json!({"S": {"type": "string"}, "N": {"type": "string", "minLength": 3}});
    let refer = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let schema = json!({
        "properties": {
            "one": {"oneOf": [refer("S"), refer("N")]},
            "not": {"not": refer("N")},
        },
        "unevaluatedProperties": false,
    });
    let (tool, _) = tool(&schema, &schemas, 16 << 10);
    for (body, is_taken) in [
        (json!({"one": "ab", "not": "ab"}), true),
        (json!({"one": "abc"}), false),
        (json!({"not": "abc"}), false),
        (json!({"other": 1}), false),
    ] {
        assert_eq!(
            tool.plan(Some(&arguments(&body))).is_ok(),
            is_taken,
            "{body}"
        );
    }
}
