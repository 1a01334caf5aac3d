//! Which expressions are taken, what they make of answers, and how much work they may be.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Projection, Unprojected};
use crate::outcome::{Content, Presentation, UpstreamResponse};
use crate::sample::tool;

fn apply(expression: &str, answer: &Value) -> Result<Value, Unprojected> {
    let projected = Projection::compile(expression)
        .unwrap()
        .apply(&answer.to_string())?;
    Ok(serde_json::from_str(&projected).unwrap())
}

fn refused(expression: &str) -> (usize, String) {
    let error = Projection::compile(expression).unwrap_err();
    (error.offset, error.reason)
}

fn given(expression: &str, body: &str) -> Vec<String> {
    let presentation = Presentation {
        projection: Some(Projection::compile(expression).unwrap()),
        ..Presentation::default()
    };
    let response = UpstreamResponse {
        status: 200,
        content_type: Some("application/json"),
        body: body.as_bytes(),
        ..UpstreamResponse::default()
    };
    let outcome = tool().promising().outcome(&response, &presentation);
    assert!(!outcome.is_error);
    let texts = outcome.content.into_iter().map(|content| match content {
        Content::Text(text) => text,
        other => format!("{other:?}"),
    });
    texts.collect()
}

#[test]
fn an_answer_is_given_as_the_expression_says() {
    let issues = json!([
        {"title": "a", "user": {"login": "x", "id": 1}, "labels": [{"name": "bug"}]},
        {"title": "b", "user": {"login": "y", "id": 2}, "labels": []},
    ]);
    for (expression, expected) in [
        ("[].title", json!(["a", "b"])),
        (
            "[].{title: title, by: user.login, labels: labels[].name}",
            json!([{"title": "a", "by": "x", "labels": ["bug"]}, {"title": "b", "by": "y", "labels": []}]),
        ),
        ("[?user.id > `1`].title | [0]", json!("b")),
        ("sort_by(@, &user.id)[-1].title", json!("b")),
        ("join(', ', [].title)", json!("a, b")),
    ] {
        assert_eq!(
            apply(expression, &issues).unwrap(),
            expected,
            "{expression}"
        );
    }
}

#[test]
fn what_is_no_expression_is_refused_with_its_place() {
    for (expression, offset, reason) in [
        ("", 0, "an expression is empty"),
        ("a.", 2, "the expression ends where more of it is expected"),
        ("[].{name name}", 9, "expected ':' to follow key"),
        ("a..b", 2, "expected identifier"),
        ("]", 0, "a name, a list or an object is expected here"),
        ("a b", 2, "this does not go with what stands before it"),
        ("nosuch(@)", 6, "JMESPath has no function `nosuch`"),
        ("length()", 6, "`length` takes 1 arguments, and 0 are given"),
        ("&a", 0, "`&` stands only before an argument of a function"),
        ("[::0]", 4, "the step of a slice is not 0"),
        ("[1::2147483647]", 14, "the step of a slice"),
        (
            "join(to_string(@), keys(@))",
            4,
            "the first argument of `join` has to be a literal",
        ),
    ] {
        let (at, said) = refused(expression);
        assert!(
            said.starts_with(reason) && at == offset,
            "{expression}: {at} {said}"
        );
    }
}

#[test]
fn x_09_an_expression_that_multiplies_is_refused() {
    let doubling = "[@,@]|[]|".repeat(6) + "@";
    let escaping = "to_string(".repeat(30) + "@" + &")".repeat(30);
    for expression in [doubling, escaping, format!("[{}@]", "@,".repeat(20))] {
        let (_, reason) = refused(&expression);
        assert!(reason.contains("copies"), "{reason}");
    }
    for expression in [
        "(".repeat(500),
        "!".repeat(500),
        "a.".repeat(500) + "a",
        "[*]".repeat(500),
    ] {
        assert_eq!(refused(&expression).1, "the expression nests too deeply");
    }
    assert!(refused(&"a".repeat(5000)).1.contains("at most 4096 bytes"));
    let wide: Vec<String> = (0..60).map(|n| format!("a{n}: b{n}")).collect();
    assert!(Projection::compile(&format!("[].{{{}}}", wide.join(", "))).is_ok());
}

#[test]
fn o_10_an_answer_that_would_be_too_much_work_is_not_projected() {
    let many = format!("[{}1]", "1,".repeat(100_000));
    let wide = "[*].{a: a, b: b, c: c, d: d, e: e, f: f, g: g, h: h, i: i, j: j}";
    assert_eq!(
        Projection::compile(wide).unwrap().apply(&many),
        Err(Unprojected::TooLarge)
    );
    assert!(
        Projection::compile("length(@)")
            .unwrap()
            .apply(&many)
            .is_ok()
    );
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    assert_eq!(
        Projection::compile("@").unwrap().apply(&deep),
        Err(Unprojected::Unsound)
    );
}

#[test]
fn a_projection_that_fails_leaves_the_answer_and_says_so() {
    let note = "The operator's projection of this tool's answers is not applied: it finds nothing in this answer.";
    assert_eq!(given("items[].id", "{\"a\":1}"), ["{\"a\":1}", note]);
    let failed = given("sort(@)", "{\"a\":1}");
    assert_eq!(failed[0], "{\"a\":1}");
    assert!(failed[1].contains("expects type array"), "{failed:?}");
    assert_eq!(given("[].a", "[{\"a\":1,\"b\":2}]"), ["[1]"]);
}

#[test]
fn the_next_page_is_found_in_what_the_projection_leaves_out() {
    let paging = tool().with(crate::sample::parameter(
        crate::model::Place::Query,
        "cursor",
    ));
    let presentation = Presentation {
        projection: Some(Projection::compile("items").unwrap()),
        ..Presentation::default()
    };
    let response = UpstreamResponse {
        status: 200,
        content_type: Some("application/json"),
        body: br#"{"items":[1],"next_cursor":"x"}"#,
        ..UpstreamResponse::default()
    };
    let outcome = paging.outcome(&response, &presentation);
    let text = |text: &str| Content::Text(text.to_owned());
    let more = "There is more: call again with `cursor: \"x\"`.";
    assert_eq!(outcome.content, [text("[1]"), text(more)]);
}

proptest! {
    #[test]
    fn no_expression_and_no_answer_upsets_it(
        pieces in prop::collection::vec(prop::sample::select(&[
            "@", "a", "*", "[]", "[*]", "[0]", "[::-1]", "[?a]", ".", "|", "{a: a}", "[a,@]", "sort(@)", "to_string(@)",
            "sort_by(@, &a)", "map(&a, @)", "!", "&&", "==", "`1`", "'x'", "(", ")", "keys(@)", "reverse(@)", "\"", "`",
        ]), 0..12),
        answer in prop::sample::select(&[
            "[1,2,3]", "{\"a\":[{\"a\":1},{\"a\":\"x\"}]}", "null", "\"x\"", "[[1],[2,[3]]]", "{\"a\":{\"a\":{}}}", "[\"b\",\"a\"]",
        ]),
    ) {
        if let Ok(projection) = Projection::compile(&pieces.concat())
            && let Ok(projected) = projection.apply(answer)
        {
            prop_assert!(serde_json::from_str::<Value>(&projected).is_ok());
        }
    }
}
