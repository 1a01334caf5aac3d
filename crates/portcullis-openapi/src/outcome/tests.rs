//! What responses become.

use serde_json::{Value, json};

use crate::model::Tool;
use crate::sample::tool;

use super::{Content, Outcome, UpstreamResponse};

fn answer<'a>(status: u16, content_type: &'a str, body: &'a [u8]) -> UpstreamResponse<'a> {
    UpstreamResponse {
        status,
        content_type: Some(content_type).filter(|text| !text.is_empty()),
        body,
        truncated_at: None,
        declared_length: None,
    }
}

fn outcome(tool: &Tool, status: u16, content_type: &str, body: impl AsRef<[u8]>) -> Outcome {
    tool.outcome(&answer(status, content_type, body.as_ref()))
}

fn text(outcome: &Outcome) -> &str {
    match outcome.content.as_slice() {
        [Content::Text(text)] => text,
        other => panic!("not one text: {other:?}"),
    }
}

fn structured(outcome: &Outcome) -> Value {
    let raw = outcome.structured.as_ref().map_or("null", |raw| raw.get());
    serde_json::from_str(raw).unwrap()
}

#[test]
fn a_json_object_is_text_and_structured_content() {
    for media_type in [
        "application/json",
        "Application/JSON; charset=utf-8",
        "text/json",
        "application/hal+json",
        "",
    ] {
        let outcome = outcome(&tool(), 200, media_type, br#" {"a": 1.10}"#);
        assert!(!outcome.is_error);
        assert_eq!(text(&outcome), r#"{"a": 1.10}"#);
        assert_eq!(outcome.structured.unwrap().get(), r#"{"a": 1.10}"#);
    }
}

#[test]
fn a_promised_object_is_always_given() {
    let tool = tool().promising();
    for (media_type, body, expected) in [
        ("application/json", "[1,2]", json!({"result": [1, 2]})),
        ("application/json", "null", json!({"result": null})),
        ("application/json", "{\"a\":", json!({"result": "{\"a\":"})),
        ("text/plain", "hello", json!({"result": "hello"})),
        ("image/png", "\u{1}", json!({})),
        ("application/json", "", json!({})),
    ] {
        assert_eq!(
            structured(&outcome(&tool, 200, media_type, body)),
            expected,
            "{media_type} {body}"
        );
    }
}
