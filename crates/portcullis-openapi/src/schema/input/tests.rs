//! What models are shown of an input schema, and what is held against arguments.

use serde_json::{Value, json};

use super::*;
use crate::schema::fragment::{Kind, Span};

/// A schema whose text ends in a description.
fn described(schema: &Value, kind: Kind, definitions: &[u32]) -> Fragment {
    let text = schema.to_string();
    let start = text.find(",\"description\"").expect("described");
    let [start, end] = [start, text.len() - 1].map(|at| u32::try_from(at).unwrap());
    let definitions = definitions.iter().map(|&it| Definition(it)).collect();
    Fragment::new(text, vec![Span { start, end, kind }], definitions)
}

/// A tool with one argument, whose schema leads from definition to definition.
fn chain(length: u32, budget: usize) -> InputSchema {
    let words = "words ".repeat(20);
    let named = |index: u32| {
        let next = format!("#/$defs/D{}", index + 1);
        let schema =
            json!({"type": "object", "properties": {"next": {"$ref": next}}, "description": words});
        let referred: &[u32] = if index + 1 < length {
            &[index + 1]
        } else {
            &[]
        };
        Named {
            name: format!("D{index}").into(),
            fragment: described(&schema, Kind::Lore, referred),
        }
    };
    let mut all: Vec<Named> = (0..length).map(named).collect();
    if let Some(last) = all.last_mut() {
        last.fragment = Fragment::plain("{}");
    }
    let argument = json!({"$ref": "#/$defs/D0", "description": "The body"});
    let mut schema = InputSchema::new(vec![Argument {
        name: "body".into(),
        is_required: true,
        schema: Arc::new(described(&argument, Kind::Head, &[0])),
    }]);
    schema.refer_to(&Arc::new(Definitions::new(all, budget)));
    schema
}

fn shown(schema: &InputSchema) -> Value {
    let bytes = schema.shown();
    assert!(bytes.len() <= schema.definitions.budget, "{}", bytes.len());
    assert!(bytes.len() <= schema.outline().size);
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn what_fits_is_shown_whole() {
    let schema = chain(4, 10_000);
    let whole: Value = serde_json::from_slice(&schema.whole()).unwrap();
    assert_eq!(shown(&schema), whole);
    assert!(!schema.outline().is_lean);
}

#[test]
fn descriptions_of_what_is_far_go_first() {
    let schema = chain(6, 800);
    let shown = shown(&schema);
    let is_described = |name: &str| shown["$defs"][name].get("description").is_some();
    assert!(is_described("D0") && !is_described("D4"), "{shown}");
    assert_eq!(shown["$defs"]["D4"]["type"], "object");
    assert_eq!(shown["properties"]["body"]["description"], "The body");
    let outline = schema.outline();
    assert!(outline.is_lean && outline.cut == 0);
}

#[test]
fn what_is_beyond_the_budget_or_too_deep_says_that_it_is_cut() {
    for (length, budget) in [(8, 500), (40, 100_000)] {
        let schema = chain(length, budget);
        let shown = shown(&schema);
        let defined = shown["$defs"].as_object().unwrap();
        let (_, last) = defined.iter().next_back().unwrap();
        assert_eq!(last.to_string(), STUB);
        assert!(defined.len() < length as usize);
        assert_eq!(schema.outline().cut, 1);
    }
}

#[test]
fn arguments_are_held_against_all_of_it() {
    let schema = chain(40, 500);
    let whole: Value = serde_json::from_slice(&schema.strict()).unwrap();
    let definitions = whole["$defs"].as_object().unwrap();
    assert_eq!(definitions.len(), 40);
    assert!(!whole.to_string().contains("description"));
}

#[test]
fn large_arguments_share_what_small_ones_leave() {
    let long: Vec<_> = (0..200).map(|index| format!("value {index}")).collect();
    let long = json!({"type": "string", "enum": long}).to_string();
    let argument = |name: &str, text: &str| Argument {
        name: name.into(),
        is_required: false,
        schema: Arc::new(Fragment::plain(text)),
    };
    let mut schema = InputSchema::new(vec![
        argument("a", &long),
        argument("b", r#"{"type":"integer"}"#),
        argument("c", r#"{"enum":["d"]}"#),
    ]);
    let budget = 600;
    let all = Vec::new();
    schema.refer_to(&Arc::new(Definitions::new(all, budget)));
    let shown = shown(&schema);
    assert_eq!(shown["properties"]["b"], json!({"type": "integer"}));
    let cut = shown["properties"]["a"]["description"].as_str().unwrap();
    assert!(cut.starts_with("Cut: "));
    assert_eq!(schema.outline().cut, 1);
}

#[test]
fn the_members_of_an_argument_are_those_that_its_schema_names() {
    let members = |schema: &Value| {
        let definition = |name: &str, schema: &Value, definitions: &[u32]| Named {
            name: name.into(),
            fragment: Fragment::new(
                schema.to_string(),
                Vec::new(),
                definitions.iter().map(|&it| Definition(it)).collect(),
            ),
        };
        let round = json!({"allOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}]});
        let all = vec![
            definition(
                "A",
                &json!({"properties": {"a": {"$ref": "#/$defs/C"}}}),
                &[2],
            ),
            definition(
                "B",
                &json!({"properties": {"b": {}}, "anyOf": [round]}),
                &[0, 1],
            ),
            definition("C", &json!({"properties": {"c": {}}}), &[]),
        ];
        let argument = definition("body", schema, &[0, 1, 2]);
        let mut schema = InputSchema::new(vec![Argument {
            name: argument.name,
            is_required: true,
            schema: Arc::new(argument.fragment),
        }]);
        schema.refer_to(&Arc::new(Definitions::new(all, 1_000)));
        let found = schema.members("body")?;
        Some(found.into_iter().collect::<Vec<_>>().join(" "))
    };
    for (schema, expected) in [
        (
            json!({"properties": {"d": {"properties": {"e": {}}}}}),
            Some("d"),
        ),
        (json!({"$ref": "#/$defs/B"}), Some("a b")),
        (
            json!({"$ref": "#/$defs/A", "oneOf": [{"$ref": "#/$defs/C"}, {"properties": {"d": {}}}]}),
            Some("a c d"),
        ),
        (
            json!({"properties": {"d": {}}, "additionalProperties": false}),
            Some("d"),
        ),
        (
            json!({"properties": {"d": {}}, "additionalProperties": {}}),
            None,
        ),
        (
            json!({"properties": {"d": {}}, "patternProperties": {}}),
            None,
        ),
        (
            json!({"type": "array", "items": {"properties": {"d": {}}}}),
            None,
        ),
        (json!({}), None),
    ] {
        assert_eq!(members(&schema).as_deref(), expected, "{schema}");
    }
}
