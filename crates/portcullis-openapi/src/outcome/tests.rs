//! What responses become.

use serde_json::{Value, json};

use crate::model::{Place, Tool};
use crate::sample::{parameter, tool};

use super::{Content, Outcome, Presentation, UpstreamResponse};

mod failures;
mod large;
mod parts;
mod streams;
mod threats;

fn answer<'a>(status: u16, content_type: &'a str, body: &'a [u8]) -> UpstreamResponse<'a> {
    UpstreamResponse {
        status,
        content_type: Some(content_type).filter(|text| !text.is_empty()),
        body,
        ..UpstreamResponse::default()
    }
}

fn outcome(tool: &Tool, status: u16, content_type: &str, body: impl AsRef<[u8]>) -> Outcome {
    given(tool, &answer(status, content_type, body.as_ref()))
}

fn given(tool: &Tool, response: &UpstreamResponse<'_>) -> Outcome {
    tool.outcome(response, &Presentation::default())
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
        ("application/zip", "\u{1}", json!({})),
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
        ("", b"plain", "plain"),
    ] {
        assert_eq!(
            text(&outcome(&tool(), 200, media_type, body)),
            expected,
            "{media_type}"
        );
    }
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

fn block(media_type: &str, body: &[u8]) -> Content {
    let mut outcome = outcome(&tool(), 200, media_type, body);
    assert_eq!(outcome.content.len(), 1);
    outcome.content.remove(0)
}

fn blob(mime: &str) -> Content {
    Content::EmbeddedBlob {
        uri: "answer:sample".to_owned(),
        mime: mime.to_owned(),
        base64: "AP8=".to_owned(),
    }
}

#[test]
fn images_and_audio_are_blocks_and_other_bytes_are_resources() {
    for media_type in ["image/PNG; x=1", "image/*", "application/octet-stream", ""] {
        assert_eq!(
            block(media_type, PNG),
            Content::Image {
                data_base64: "iVBORw0KGgo=".to_owned(),
                mime: "image/png".to_owned()
            },
            "{media_type}"
        );
    }
    assert_eq!(
        block("audio/wav", b"\0\xff"),
        Content::Audio {
            data_base64: "AP8=".to_owned(),
            mime: "audio/wav".to_owned()
        }
    );
    assert_eq!(block("application/pdf", b"\0\xff"), blob("application/pdf"));
    for media_type in ["", "nonsense", "a/b c"] {
        assert_eq!(
            block(media_type, b"\0\xff"),
            blob("application/octet-stream")
        );
    }
}

#[test]
fn o_10_only_what_looks_like_an_image_that_models_see_is_shown_as_one() {
    for media_type in ["image/png", "image/tiff", "image/heic"] {
        assert_eq!(block(media_type, b"\0\xff"), blob(media_type));
    }
    let Content::Image { mime, .. } = block("image/png", b"\xff\xd8\xff\xe0") else {
        panic!("a JPEG is an image");
    };
    assert_eq!(mime, "image/jpeg");
}

#[test]
fn a_file_keeps_the_name_that_the_api_gives_it() {
    let response = UpstreamResponse {
        disposition: Some("attachment; filename=\"Q3 report.pdf\""),
        ..answer(200, "application/octet-stream", b"%PDF-1.7 \0\xff")
    };
    let outcome = given(&tool(), &response);
    let [Content::EmbeddedBlob { uri, mime, .. }] = &outcome.content[..] else {
        panic!("{outcome:?}");
    };
    assert_eq!(
        (uri.as_str(), mime.as_str()),
        ("answer:sample/Q3%20report.pdf", "application/pdf")
    );
}

#[test]
fn where_a_thing_was_made_or_will_be_is_told_without_host_and_query() {
    for (location, expected) in [
        (
            "https://api.example/jobs/7?key=secret",
            "HTTP 202 with an empty body; the API names `/jobs/7` as the place to look at",
        ),
        (
            "/jobs/7",
            "HTTP 202 with an empty body; the API names `/jobs/7` as the place to look at",
        ),
        (
            "//other.example/jobs/7#a",
            "HTTP 202 with an empty body; the API names `/jobs/7` as the place to look at",
        ),
        ("https://other.example", "HTTP 202 with an empty body"),
        ("/a`b", "HTTP 202 with an empty body"),
    ] {
        let response = UpstreamResponse {
            location: Some(location),
            ..answer(202, "", b"")
        };
        assert_eq!(text(&given(&tool(), &response)), expected);
        let with_body = UpstreamResponse {
            body: b"{}",
            ..response
        };
        let blocks = given(&tool(), &with_body).content.len();
        assert_eq!(blocks, if expected.contains("/jobs") { 2 } else { 1 });
    }
}

#[test]
fn an_answer_without_news_is_no_failure() {
    let outcome = outcome(&tool().promising(), 304, "", "");
    assert!(!outcome.is_error);
    assert_eq!(
        text(&outcome),
        "HTTP 304: nothing has changed since what the request named"
    );
    assert_eq!(structured(&outcome), json!({}));
}

#[test]
fn the_next_page_is_told_behind_the_answer() {
    let tool = tool().with(parameter(Place::Query, "page"));
    let response = UpstreamResponse {
        link: Some("<https://api.example/things?page=2>; rel=\"next\""),
        ..answer(200, "application/json", b"[1]")
    };
    let told = Content::Text("There is more: call again with `page: 2`.".to_owned());
    let outcome = given(&tool, &response);
    assert_eq!(
        outcome.content,
        [Content::Text("[1]".to_owned()), told.clone()]
    );
    let csv = UpstreamResponse {
        content_type: Some("text/csv"),
        ..response
    };
    assert_eq!(given(&tool, &csv).content[1], told);
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
