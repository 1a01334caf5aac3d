//! What responses become.

use serde_json::{Value, json};

use crate::model::Tool;
use crate::sample::tool;

use super::{Content, Outcome, UpstreamResponse};

mod failures;
mod parts;
mod threats;

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

#[test]
fn other_json_is_text_unless_an_object_was_promised() {
    for body in ["[1,2]", "null", "\"x\"", "3"] {
        let outcome = outcome(&tool(), 200, "application/json", body);
        assert_eq!(text(&outcome), body);
        assert!(outcome.structured.is_none());
    }
}

#[test]
fn a_byte_order_mark_is_skipped() {
    let outcome = outcome(&tool(), 200, "application/json", "\u{feff}{}");
    assert_eq!(text(&outcome), "{}");
    assert_eq!(structured(&outcome), json!({}));
}

#[test]
fn what_is_called_json_but_is_not_is_text() {
    let outcome = outcome(&tool(), 200, "application/json", "{\"a\":");
    assert_eq!(text(&outcome), "{\"a\":");
    assert!(outcome.structured.is_none());
    assert!(!outcome.is_error);
}

#[test]
fn text_is_read_in_its_charset() {
    for (media_type, body, expected) in [
        ("text/plain", "é".as_bytes(), "é"),
        ("text/csv; charset=\"UTF-8\"", "\u{feff}é".as_bytes(), "é"),
        ("text/plain; charset=iso-8859-1", b"\xe9 \x80", "é €"),
        ("text/plain;x=\"a;b\\\"\"; charset=latin1", b"\xe9", "é"),
        ("text/plain; charset=utf-16", b"\xfe\xff\0a\x20\xac", "a€"),
        ("text/plain; charset=utf-16le", b"a\0\xac\x20", "a€"),
        ("application/xml", b"<a/>", "<a/>"),
        ("application/atom+xml", b"<a/>", "<a/>"),
        ("image/svg+xml", b"<svg/>", "<svg/>"),
        ("text/html", b"<p>x</p>", "<p>x</p>"),
        ("application/x-ndjson", b"{}\n{}", "{}\n{}"),
        ("", b"plain", "plain"),
    ] {
        assert_eq!(
            text(&outcome(&tool(), 200, media_type, body)),
            expected,
            "{media_type}"
        );
    }
}

#[test]
fn images_and_audio_are_blocks_and_other_bytes_are_resources() {
    let block = |media_type: &str, body: &[u8]| {
        let mut outcome = outcome(&tool(), 200, media_type, body);
        assert_eq!(outcome.content.len(), 1);
        outcome.content.remove(0)
    };
    let (data_base64, base64) = ("AP8=".to_owned(), "AP8=".to_owned());
    let mime = |mime: &str| mime.to_owned();
    let uri = "answer:sample".to_owned();
    assert_eq!(
        block("image/PNG; x=1", b"\0\xff"),
        Content::Image {
            data_base64: data_base64.clone(),
            mime: mime("image/png")
        }
    );
    assert_eq!(
        block("audio/wav", b"\0\xff"),
        Content::Audio {
            data_base64,
            mime: mime("audio/wav")
        }
    );
    assert_eq!(
        block("application/pdf", b"\0\xff"),
        Content::EmbeddedBlob {
            uri: uri.clone(),
            mime: mime("application/pdf"),
            base64: base64.clone()
        }
    );
    for media_type in ["", "nonsense", "a/b c"] {
        assert_eq!(
            block(media_type, b"\0\xff"),
            Content::EmbeddedBlob {
                uri: uri.clone(),
                mime: mime("application/octet-stream"),
                base64: base64.clone()
            }
        );
    }
}

#[test]
fn an_empty_answer_is_said_to_be_empty() {
    assert_eq!(
        text(&outcome(&tool(), 204, "", "")),
        "HTTP 204 with an empty body"
    );
    let outcome = outcome(&tool(), 200, "image/png", "");
    assert_eq!(text(&outcome), "HTTP 200 with an empty body");
    assert!(!outcome.is_error && outcome.structured.is_none());
}
