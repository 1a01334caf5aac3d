//! What the model is told when the API refuses or fails.

use super::{outcome, text};
use crate::sample::tool;

#[test]
fn the_apis_own_message_follows_the_status() {
    for (body, expected) in [
        (r#"{"message":"Not Found"}"#, "HTTP 404: Not Found"),
        (r#""gone""#, "HTTP 404: gone"),
        (r#"{"error":"no such pet"}"#, "HTTP 404: no such pet"),
        (
            r#"{"error":{"message":"no","code":7}}"#,
            "HTTP 404: no\n\n{\"error\":{\"message\":\"no\",\"code\":7}}",
        ),
        (
            r#"{"type":"about:blank","title":"T","detail":"D"}"#,
            "HTTP 404: D\n\n{\"type\":\"about:blank\",\"title\":\"T\",\"detail\":\"D\"}",
        ),
        (
            r#"{"errors":[{"message":"m"}]}"#,
            "HTTP 404: m\n\n{\"errors\":[{\"message\":\"m\"}]}",
        ),
        (r#"{"code":7}"#, "HTTP 404: {\"code\":7}"),
        ("[]", "HTTP 404: []"),
        ("{", "HTTP 404: {"),
        ("", "HTTP 404: the answer is empty"),
    ] {
        for media_type in ["application/json", "application/problem+json"] {
            let outcome = outcome(&tool().promising(), 404, media_type, body);
            assert_eq!(text(&outcome), expected);
            assert!(outcome.is_error);
            assert!(outcome.structured.is_none());
        }
    }
}

#[test]
fn a_redirect_is_an_error_that_says_so() {
    let outcome = outcome(&tool(), 302, "", "");
    assert!(outcome.is_error);
    assert_eq!(
        text(&outcome),
        "HTTP 302: the API answers with a redirect, which is not followed: the answer is empty"
    );
}

#[test]
fn an_html_page_is_reduced_to_its_words() {
    let page = "<!DOCTYPE html><html><head><title>502 Bad\n Gateway</title>\
        <STYLE>p { x: y }</STYLE><script>if (a < b) {}</script></head><body><h1>Oops</h1>";
    let outcome = outcome(&tool(), 502, "text/html", page);
    assert_eq!(
        text(&outcome),
        "HTTP 502: an HTML page: 502 Bad Gateway Oops"
    );
}

#[test]
fn an_html_page_never_ends_an_answer() {
    for page in [
        "<",
        "<script",
        "<style>x",
        "a<b",
        &"<p>long word ".repeat(10_000),
    ] {
        let outcome = outcome(&tool(), 500, "text/html; charset=utf-8", page);
        assert!(text(&outcome).len() < 700);
    }
}

#[test]
fn a_long_error_is_cut_and_says_so() {
    let body = format!("{{\"message\":\"m\",\"trace\":\"{}\"}}", "é".repeat(10_000));
    let outcome = outcome(&tool(), 500, "application/json", body);
    assert!(text(&outcome).starts_with("HTTP 500: m\n\n{"));
    assert!(
        text(&outcome).ends_with(" more bytes]"),
        "{}",
        text(&outcome)
    );
    assert!(text(&outcome).len() < 5000);
}

#[test]
fn bytes_in_an_error_are_not_shown() {
    let outcome = outcome(&tool(), 500, "application/pdf", b"\0\xff");
    assert_eq!(text(&outcome), "HTTP 500: the answer is application/pdf");
}
