//! Arguments against the input schema, and what the model is told.

use serde_json::json;

use super::{plan, refusal};
use crate::model::Place;
use crate::model::body::BodyEncoding;
use crate::sample::{parameter, tool};

#[test]
fn a_bad_argument_is_named_with_what_is_allowed() {
    let tool = tool()
        .with(parameter(Place::Query, "limit"))
        .with(parameter(Place::Query, "state"))
        .checking(&json!({"type": "object", "properties": {
            "limit": {"type": "integer", "maximum": 100},
            "state": {"type": "string", "enum": ["open", "closed"]},
        }}));
    assert_eq!(
        refusal(&tool, &json!({"limit": 500, "state": "opne"})),
        "argument `limit` must be at most 100, not 500; \
         argument `state` must be one of [\"open\",\"closed\"], not \"opne\""
    );
    assert_eq!(
        refusal(&tool, &json!({"limit": "x".repeat(1_000_000)})).len(),
        109
    );
}

#[test]
fn the_nearest_alternative_is_shown() {
    let tool = tool()
        .sending("application/json", BodyEncoding::Json)
        .checking(&json!({"properties": {"body": {"oneOf": [
            {"type": "string"},
            {"type": "object", "properties": {"size": {"type": "integer"}}},
        ]}}}));
    assert_eq!(
        refusal(&tool, &json!({"body": {"size": "big"}})),
        "argument `body` fits none of the allowed shapes; for the nearest, \
         argument `body/size` must be of type integer, not \"big\""
    );
}

#[test]
fn an_answer_stays_short_however_much_is_wrong() {
    let options: Vec<_> = (0..10_000).map(|index| format!("option-{index}")).collect();
    let items = json!({"enum": options, "minLength": 1});
    let schema = json!({"properties": {"q": {"type": "array", "items": items}}});
    let tool = tool().with(parameter(Place::Query, "q")).checking(&schema);
    let wrong = vec!["é".repeat(1000); 1000];
    assert!(refusal(&tool, &json!({"q": wrong})).len() < 1024);
}

#[test]
fn members_are_named_that_are_missing_or_unknown() {
    let tool = tool()
        .sending("application/json", BodyEncoding::Json)
        .checking(&json!({"properties": {"body": {
            "required": ["id"],
            "properties": {"id": {}},
            "additionalProperties": false,
        }}}));
    let refused = refusal(&tool, &json!({"body": {"ident": 1}}));
    assert!(
        refused.contains("argument `body` must have \"id\""),
        "{refused}"
    );
    assert!(
        refused.contains("argument `body` must not have `ident`"),
        "{refused}"
    );
}

#[test]
fn a_foreign_pattern_does_not_disable_the_rest_of_the_schema() {
    let tool = tool()
        .with(parameter(Place::Query, "q"))
        .with(parameter(Place::Query, "pattern"))
        .checking(&json!({"properties": {
            "q": {"type": "string", "pattern": "(?<=a)b"},
            "pattern": {"type": "string"},
        }}));
    assert!(plan(&tool, &json!({"q": "b"})).is_ok());
    assert_eq!(
        refusal(&tool, &json!({"q": 1})),
        "argument `q` must be of type string, not 1"
    );
    assert_eq!(
        refusal(&tool, &json!({"pattern": 1})),
        "argument `pattern` must be of type string, not 1"
    );
}

#[test]
fn a_foreign_pattern_costs_no_property_that_is_called_as_a_keyword_is() {
    let foreign = json!({"type": "string", "pattern": "(?<=a)b"});
    let names = [
        "not", "if", "then", "else", "const", "enum", "default", "examples",
    ];
    for name in names {
        let tool = tool()
            .with(parameter(Place::Query, name))
            .sending("application/json", BodyEncoding::Json)
            .checking(&json!({"properties": {
                name: foreign,
                "body": {"properties": {name: foreign}, "additionalProperties": false},
            }}));
        assert!(
            plan(&tool, &json!({name: "b", "body": {name: "b"}})).is_ok(),
            "{name}"
        );
        assert_eq!(
            refusal(&tool, &json!({name: "b", "body": {name: 1}})),
            format!("argument `body/{name}` must be of type string, not 1")
        );
    }
}

#[test]
fn patterns_too_large_for_their_share_leave_the_others() {
    let large = "^(a{1,100}){1,50}$";
    let mut all = vec![json!({"pattern": "^a"}); 200];
    all.push(json!({"pattern": large}));
    let tool = tool()
        .with(parameter(Place::Query, "q"))
        .sending("application/json", BodyEncoding::Json)
        .checking(&json!({"properties": {
            "q": {"type": "string", "allOf": all},
            "body": {"type": "object", "patternProperties": {large: {}}, "additionalProperties": false},
        }}));
    assert!(plan(&tool, &json!({"q": "ab", "body": {"a": 1}})).is_ok());
    let refused = refusal(&tool, &json!({"q": "b", "body": {}}));
    assert!(refused.contains("must match the pattern `^a`"), "{refused}");
    assert_eq!(
        refusal(&tool, &json!({"body": 1})),
        "argument `body` must be of type object, not 1"
    );
}

#[test]
fn a_schema_that_does_not_compile_leaves_the_other_checks() {
    let tool = tool()
        .with(parameter(Place::Query, "q"))
        .checking(&json!({"properties": {"q": {"$ref": "https://example.com/schema"}}}));
    assert!(plan(&tool, &json!({"q": 1})).is_ok());
    assert!(plan(&tool, &json!({"r": 1})).is_err());
}
