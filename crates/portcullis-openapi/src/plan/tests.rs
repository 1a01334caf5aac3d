//! What arguments become, and what they cannot do.

use serde_json::{Value, json};

use crate::model::body::BodyEncoding;
use crate::model::{PathPart, Place, Tool};
use crate::sample::{parameter, raw, tool};

use super::{ArgumentError, PlanError, RequestPlan, Unsendable};

mod bodies;
mod healing;
mod properties;
mod schemas;
mod styles;
mod table;
mod threats;
mod xml;

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

/// Plans from arguments as they are on the wire.
fn plan_text(tool: &Tool, arguments: &str) -> Result<RequestPlan, ArgumentError> {
    tool.plan(Some(serde_json::from_str(arguments).unwrap()))
}

#[test]
fn no_arguments_are_an_empty_object() {
    let plan = tool().plan(None).unwrap();
    assert_eq!(plan.path, "/things");
    assert_eq!(plan.query, "");
    assert_eq!(plan.body, None);
}

#[test]
fn numbers_keep_the_digits_they_came_with() {
    let tool = tool().with(parameter(Place::Query, "p"));
    let arguments = r#"{"p": [12345678901234567890123, 1.10, 1e3]}"#;
    let plan = plan_text(&tool, arguments).unwrap();
    assert_eq!(plan.query, "p=12345678901234567890123&p=1.10&p=1e3");
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
fn the_list_of_known_arguments_is_bounded() {
    let mut tool = tool();
    for index in 0..500 {
        tool = tool.with(parameter(Place::Query, &format!("argument-{index}")));
    }
    let name = "é".repeat(10_000);
    assert!(refusal(&tool, &json!({name: 1})).len() < 1024);
}

#[test]
fn arguments_that_are_not_an_object_are_refused() {
    for arguments in ["[]", "1", "\"{}\"", "null"] {
        let refused = plan_text(&tool(), arguments).unwrap_err();
        assert!(matches!(refused, ArgumentError::NotAnObject));
    }
}

#[test]
fn arguments_nested_beyond_reason_are_refused() {
    let tool = tool().with(parameter(Place::Query, "p"));
    let arguments = format!("{{\"p\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
    let refused = plan_text(&tool, &arguments).unwrap_err();
    assert!(matches!(refused, ArgumentError::Malformed(_)));
}

#[test]
fn a_member_given_twice_is_refused_at_every_level() {
    let tool = tool().with(parameter(Place::Query, "p"));
    for arguments in [r#"{"p":1,"p":2}"#, r#"{"p":[{"a":1,"\u0061":2}]}"#] {
        let refused = plan_text(&tool, arguments).unwrap_err().to_string();
        assert!(refused.contains("given twice"), "{refused}");
    }
}

#[test]
fn a_missing_required_argument_is_named() {
    let tool = tool().with(parameter(Place::Path, "owner"));
    assert_eq!(refusal(&tool, &json!({})), "argument `owner` is required");
}

#[test]
fn an_optional_argument_that_is_null_is_left_out() {
    let tool = tool()
        .with(parameter(Place::Query, "q"))
        .with(parameter(Place::Header, "X-H"))
        .with(parameter(Place::Cookie, "c"))
        .checking(&json!({"properties": {"q": {"type": "string"}}}));
    let plan = plan(&tool, &json!({"q": null, "X-H": null, "c": null})).unwrap();
    assert_eq!(plan, tool.plan(None).unwrap());
}

#[test]
fn a_json_parameter_is_sent_as_json_text() {
    let mut filter = parameter(Place::Query, "filter");
    filter.content = Some(BodyEncoding::Json);
    let plan = plan(&tool().with(filter), &json!({"filter": {"a": [1]}})).unwrap();
    assert_eq!(plan.query, "filter=%7B%22a%22%3A%5B1%5D%7D");
}

#[test]
fn the_url_lies_below_the_servers() {
    let tool = tool().with(parameter(Place::Query, "q"));
    let plan = plan(&tool, &json!({"q": "a b"})).unwrap();
    for (server, url) in [
        ("https://api.example", "https://api.example/things?q=a%20b"),
        ("https://api.example/", "https://api.example/things?q=a%20b"),
        (
            "http://localhost:8080/v1",
            "http://localhost:8080/v1/things?q=a%20b",
        ),
        ("https://[::1]/a%20b/", "https://[::1]/a%20b/things?q=a%20b"),
    ] {
        assert_eq!(plan.url(server).unwrap().as_str(), url);
    }
    for server in [
        "api.example",
        "/v1",
        "ftp://api.example",
        "https://user@api.example",
        "https://api.example?x=1",
        "https://api.example/#x",
        "https://api.example/#",
        "https://api.example/?",
        "data:text/plain,x",
    ] {
        assert_eq!(plan.url(server).unwrap_err(), PlanError::Server, "{server}");
    }
}

#[test]
fn a_template_that_leads_astray_has_no_url() {
    for (literal, refused) in [
        ("/a/../b", PlanError::DotSegment),
        ("/a/%2e%2E/b", PlanError::DotSegment),
        ("/a%2f..%5cb", PlanError::DotSegment),
        ("/a\\b", PlanError::Strayed),
        ("/a#b", PlanError::Strayed),
        ("/a?b=1", PlanError::Strayed),
        (".evil.example/", PlanError::Strayed),
        ("@evil.example/", PlanError::Strayed),
        ("", PlanError::Strayed),
    ] {
        let mut tool = tool();
        tool.request.path = vec![PathPart::Literal(literal.to_owned())];
        let plan = tool.plan(None).unwrap();
        assert_eq!(
            plan.url("https://api.example/v1").unwrap_err(),
            refused,
            "{literal}"
        );
    }
}
