//! What the model is told when the API refuses or fails.

use serde_json::json;

use super::{outcome, text};
use crate::model::body::BodyEncoding;
use crate::model::{Parameter, Place};
use crate::sample::{parameter, tool};

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

#[test]
fn an_error_that_names_values_is_told_by_the_tools_own_arguments() {
    let tool = tool()
        .with(Parameter {
            argument: "page_size".to_owned(),
            ..parameter(Place::Query, "page[size]")
        })
        .with(parameter(Place::Header, "X-Tenant"))
        .sending("application/json", BodyEncoding::Json);
    for (body, expected) in [
        (
            r##"{"errors":[{"detail":"a","pointer":"#/user/a~1b%20c"}]}"##,
            "`body/user/a/b c`",
        ),
        (
            r#"{"errors":[{"source":{"pointer":"/data/0"}},{"source":{"parameter":"page[size]"}}]}"#,
            "`body/data/0`, `page_size`",
        ),
        (
            r#"{"errors":[{"source":{"header":"x-tenant"}}]}"#,
            "`X-Tenant`",
        ),
        (
            r#"{"invalid-params":[{"name":"age","reason":"a"},{"name":"age"}]}"#,
            "`body/age`",
        ),
        (
            r#"{"detail":[{"loc":["query","page[size]"],"msg":"a"},{"loc":["body","user",0]}]}"#,
            "`page_size`, `body/user/0`",
        ),
        (
            r#"{"errors":{"page[size]":["a"],"user.name":["b"],"$.items[2].id":[]}}"#,
            "`page_size`, `body/user/name`, `body/items/2/id`",
        ),
        (
            r#"{"error":{"details":[{"field":"user.name"}]}}"#,
            "`body/user/name`",
        ),
    ] {
        let outcome = outcome(&tool, 422, "application/problem+json", body);
        let said = text(&outcome);
        let end = format!("\n\nThe API speaks of these arguments: {expected}.");
        assert!(said.ends_with(&end), "{said}");
    }
    for body in [
        r#"{"errors":[{"source":{"parameter":"other"}},{"pointer":"a"},{"loc":["query","other"]},{"loc":["x"]}]}"#,
        r#"{"errors":["a",3],"detail":"page[size]"}"#,
        r#"{"errors":{"not plain!":["a"]}}"#,
        r#"{"errors":{"code":1,"message":"bad","items":[{"id":1}]}}"#,
    ] {
        let outcome = outcome(&tool, 422, "application/json", body);
        assert!(
            !text(&outcome).contains("The API speaks of"),
            "{}",
            text(&outcome)
        );
    }
    let many: Vec<_> = (0..100)
        .map(|it| format!(r#"{{"field":"f{it}"}}"#))
        .collect();
    let body = format!(r#"{{"errors":[{}]}}"#, many.join(","));
    let outcome = outcome(&tool, 422, "application/json", body);
    assert!(text(&outcome).ends_with("`body/f9`."), "{}", text(&outcome));
}

#[test]
fn what_is_no_member_of_the_body_is_not_told_of() {
    let tool = tool()
        .with(parameter(Place::Query, "page"))
        .sending("application/json", BodyEncoding::Json)
        .checking(&json!({"properties": {"body": {"properties": {"title": {}, "user": {}}}}}));
    for (body, expected) in [
        (r#"{"errors":[{"path":"/v1/x"}]}"#, None),
        (r#"{"errors":{"base":["a"],"page":["b"]}}"#, Some("`page`")),
        (r#"{"errors":[{"pointer":"/data/title"}]}"#, None),
        (
            r#"{"errors":{"Title":["a"],"user.name":["b"]}}"#,
            Some("`body/title`, `body/user/name`"),
        ),
        (
            r#"{"detail":[{"loc":["body"]},{"loc":["body","name"]}]}"#,
            Some("`body`"),
        ),
    ] {
        let outcome = outcome(&tool, 422, "application/json", body);
        let said = text(&outcome);
        let told = said.split_once("The API speaks of these arguments: ");
        let told = told.map(|(_, told)| told.trim_end_matches('.'));
        assert_eq!(told, expected, "{said}");
    }
}
