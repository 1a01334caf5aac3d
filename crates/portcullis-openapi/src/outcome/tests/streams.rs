//! Answers of one value after another.

use serde_json::json;

use super::{UpstreamResponse, answer, given, outcome, structured, text};
use crate::sample::tool;

#[test]
fn lines_of_json_are_a_list() {
    for media_type in [
        "application/x-ndjson",
        "application/jsonl; charset=utf-8",
        "application/json-seq",
    ] {
        let body = "\u{1e}{\"a\":1.10}\r\n\n not json\n[2]";
        let outcome = outcome(&tool().promising(), 200, media_type, body);
        assert_eq!(text(&outcome), r#"[{"a":1.10},"not json",[2]]"#);
        assert_eq!(
            structured(&outcome),
            json!({"result": [{"a": 1.10}, "not json", [2]]})
        );
    }
}

#[test]
fn a_value_over_several_lines_is_itself() {
    let outcome = outcome(&tool(), 200, "application/x-ndjson", "{\n\"a\": [\n1\n]}");
    assert_eq!(structured(&outcome), json!({"a": [1]}));
}

#[test]
fn lines_that_are_no_json_are_text() {
    let outcome = outcome(&tool(), 200, "application/x-ndjson", "a\nb");
    assert_eq!(text(&outcome), "a\nb");
}

#[test]
fn events_are_a_list() {
    let body = ": comment\n\ndata: {\"a\":1}\n\nevent: end\nid: 7\ndata: one\ndata:two\n\nretry: 3\n\ndata: [DONE]";
    let outcome = outcome(&tool(), 200, "text/event-stream; charset=utf-8", body);
    assert_eq!(
        text(&outcome),
        r#"[{"a":1},{"event":"end","id":"7","data":"one\ntwo"},"[DONE]"]"#
    );
}

#[test]
fn a_stream_that_is_no_stream_of_events_is_text() {
    let outcome = outcome(&tool(), 200, "text/event-stream", "hello");
    assert_eq!(text(&outcome), "hello");
}

#[test]
fn o_10_a_stream_that_is_cut_loses_its_last_value() {
    for (media_type, body) in [
        ("application/x-ndjson", "{\"a\":1}\n{\"a\":2}\n{\"a\":3"),
        (
            "text/event-stream",
            "data: {\"a\":1}\n\ndata: {\"a\":2}\n\ndata: {\"a\":3",
        ),
    ] {
        let response = UpstreamResponse {
            truncated_at: Some(body.len()),
            ..answer(200, media_type, body.as_bytes())
        };
        let outcome = given(&tool(), &response);
        let super::Content::Text(text) = &outcome.content[0] else {
            panic!("{outcome:?}")
        };
        assert_eq!(text, r#"[{"a":1},{"a":2}]"#);
        assert_eq!(outcome.content.len(), 2);
    }
}
