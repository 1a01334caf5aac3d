//! What arguments become, and what they cannot do.

use serde_json::{Value, json};

use crate::model::{BodyEncoding, Parameter, Place, Style, Tool};
use crate::sample::{parameter, raw, styled, tool};

use super::{ArgumentError, RequestPlan, Unsendable};

fn plan(tool: &Tool, arguments: &Value) -> Result<RequestPlan, ArgumentError> {
    tool.plan(Some(&raw(arguments)))
}

fn refusal(tool: &Tool, arguments: &Value) -> String {
    plan(tool, arguments).unwrap_err().to_string()
}

fn cause(tool: &Tool, arguments: &Value) -> Unsendable {
    match plan(tool, arguments) {
        Err(ArgumentError::Unsendable { cause, .. }) => cause,
        other => panic!("not refused for its spelling: {other:?}"),
    }
}

fn path(parameter: Parameter, value: &Value) -> String {
    let tool = tool().with(parameter);
    plan(&tool, &json!({"p": value})).unwrap().path
}

fn query(parameter: Parameter, value: &Value) -> String {
    let tool = tool().with(parameter);
    plan(&tool, &json!({"p": value})).unwrap().query
}

#[test]
fn no_arguments_are_an_empty_object() {
    let plan = tool().plan(None).unwrap();
    assert_eq!(plan.path, "/things");
    assert_eq!(plan.query, "");
    assert_eq!(plan.body, None);
}

#[test]
fn o_01_path_argument_stays_one_segment() {
    let tool = tool().with(parameter(Place::Path, "p"));
    for (value, segment) in [
        ("a/b", "a%2Fb"),
        ("..%2fadmin", "..%252fadmin"),
        ("%2e%2e/x", "%252e%252e%2Fx"),
        ("a?x=1", "a%3Fx%3D1"),
        ("a#f", "a%23f"),
        (";v", "%3Bv"),
        ("\\", "%5C"),
        ("//evil.example/", "%2F%2Fevil.example%2F"),
        ("https://evil.example/", "https%3A%2F%2Fevil.example%2F"),
        ("é", "%C3%A9"),
    ] {
        let plan = plan(&tool, &json!({"p": value})).unwrap();
        assert_eq!(plan.path, format!("/things/{segment}/end"));
        let url = plan.url("https://api.example/v1/").unwrap();
        assert_eq!(url.path_segments().unwrap().count(), 4);
    }
}

#[test]
fn o_01_dot_segments_empty_values_and_control_characters_are_refused() {
    let tool = tool().with(parameter(Place::Path, "p"));
    for value in ["..", ".", "../admin", "a/..", "a\\..\\b", "a/./b"] {
        assert_eq!(cause(&tool, &json!({"p": value})), Unsendable::DotSegment);
    }
    for value in ["\0", "a\r\nb", "\u{7f}", "\u{85}"] {
        assert_eq!(cause(&tool, &json!({"p": value})), Unsendable::Control);
    }
    for value in [json!(""), json!([]), json!([""]), json!({}), json!([null])] {
        assert_eq!(cause(&tool, &json!({"p": value})), Unsendable::EmptyInPath);
    }
}

#[test]
fn path_styles_write_what_openapi_shows() {
    let array = json!(["blue", "black"]);
    let object = json!({"R": 100, "G": 200});
    for (style, explode, of_scalar, of_array, of_object) in [
        (Style::Simple, false, "blue", "blue,black", "R,100,G,200"),
        (Style::Simple, true, "blue", "blue,black", "R=100,G=200"),
        (Style::Label, false, ".blue", ".blue,black", ".R,100,G,200"),
        (Style::Label, true, ".blue", ".blue.black", ".R=100.G=200"),
        (
            Style::Matrix,
            false,
            ";p=blue",
            ";p=blue,black",
            ";p=R,100,G,200",
        ),
        (
            Style::Matrix,
            true,
            ";p=blue",
            ";p=blue;p=black",
            ";R=100;G=200",
        ),
    ] {
        let parameter = || styled(Place::Path, "p", style, explode);
        assert_eq!(
            path(parameter(), &json!("blue")),
            format!("/things/{of_scalar}/end")
        );
        assert_eq!(path(parameter(), &array), format!("/things/{of_array}/end"));
        assert_eq!(
            path(parameter(), &object),
            format!("/things/{of_object}/end")
        );
    }
}

#[test]
fn query_styles_write_what_openapi_shows() {
    let array = json!(["blue", "black"]);
    let object = json!({"R": 100, "G": 200});
    for (style, explode, of_array, of_object) in [
        (Style::Form, false, "p=blue,black", "p=R,100,G,200"),
        (Style::Form, true, "p=blue&p=black", "R=100&G=200"),
        (
            Style::SpaceDelimited,
            false,
            "p=blue%20black",
            "p=R%20100%20G%20200",
        ),
        (
            Style::PipeDelimited,
            false,
            "p=blue%7Cblack",
            "p=R%7C100%7CG%7C200",
        ),
        (
            Style::DeepObject,
            true,
            "p%5B0%5D=blue&p%5B1%5D=black",
            "p%5BR%5D=100&p%5BG%5D=200",
        ),
    ] {
        let parameter = || styled(Place::Query, "p", style, explode);
        assert_eq!(query(parameter(), &json!(true)), "p=true");
        assert_eq!(query(parameter(), &array), of_array);
        assert_eq!(query(parameter(), &object), of_object);
    }
}

#[test]
fn numbers_keep_the_digits_they_came_with() {
    let tool = tool().with(parameter(Place::Query, "p"));
    let arguments = r#"{"p": [12345678901234567890123, 1.10, 1e3]}"#;
    let plan = tool
        .plan(Some(serde_json::from_str(arguments).unwrap()))
        .unwrap();
    assert_eq!(plan.query, "p=12345678901234567890123&p=1.10&p=1e3");
}

#[test]
fn a_json_body_is_sent_as_it_was_written() {
    let tool = tool().sending("application/json", BodyEncoding::Json);
    let arguments = r#"{"body": {"b": 1.10,  "a":[ ]}}"#;
    let plan = tool
        .plan(Some(serde_json::from_str(arguments).unwrap()))
        .unwrap();
    let body = plan.body.unwrap();
    assert_eq!(body.content_type, "application/json");
    assert_eq!(body.bytes, br#"{"b": 1.10,  "a":[ ]}"#);
}

#[test]
fn an_unknown_argument_is_answered_with_the_known_ones() {
    let tool = tool().with(parameter(Place::Query, "limit"));
    assert_eq!(
        refusal(&tool, &json!({"limti": 3})),
        "unknown argument `limti`; this tool takes `limit`"
    );
    assert_eq!(
        refusal(&crate::sample::tool(), &json!({"x": 3})),
        "unknown argument `x`; this tool takes none"
    );
}

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
        101
    );
}
