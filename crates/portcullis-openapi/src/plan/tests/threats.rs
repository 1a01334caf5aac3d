//! The threats to a request, by their ids.

use serde_json::{Value, json};
use url::form_urlencoded;

use super::{cause, plan, refusal};
use crate::model::body::BodyEncoding;
use crate::model::{PathPart, Place, Style, Tool};
use crate::plan::{PlanError, Unsendable};
use crate::sample::{parameter, styled, tool};
use crate::{Document, Limits};

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
fn o_01_dot_segments_that_come_about_by_joining_are_refused() {
    let label = styled(Place::Path, "p", Style::Label, true);
    let labelled = tool().with(label);
    assert_eq!(
        cause(&labelled, &json!({"p": ["", "/x"]})),
        Unsendable::DotSegment
    );
    let mut tool = tool()
        .with(parameter(Place::Path, "a"))
        .with(parameter(Place::Path, "b"));
    tool.request.path = vec![
        PathPart::Literal("/".to_owned()),
        PathPart::Parameter(0),
        PathPart::Literal("..".to_owned()),
        PathPart::Parameter(1),
    ];
    let plan = plan(&tool, &json!({"a": "x/", "b": "/y"})).unwrap();
    assert_eq!(plan.url("https://api.example"), Err(PlanError::DotSegment));
}

#[test]
fn o_02_an_argument_at_the_start_of_the_path_cannot_choose_the_host() {
    let mut tool = tool().with(parameter(Place::Path, "p"));
    tool.request.path = vec![PathPart::Literal("/".to_owned()), PathPart::Parameter(0)];
    for value in [
        "/evil.example",
        "//evil.example/",
        "https://evil.example/",
        "\\\\evil.example",
        "@evil.example",
        ":80@evil.example",
    ] {
        let plan = plan(&tool, &json!({"p": value})).unwrap();
        let url = plan.url("https://api.example:8443").unwrap();
        assert_eq!(url.host_str(), Some("api.example"));
        assert_eq!(url.port(), Some(8443));
        assert_eq!(url.username(), "");
    }
}

#[test]
fn o_04_header_argument_cannot_add_a_line() {
    let tool = tool().with(parameter(Place::Header, "X-H"));
    for value in ["a\r\nHost: evil", "a\nb", "\0", "é", "\u{7f}", " a", "a\t"] {
        let refused = refusal(&tool, &json!({"X-H": value}));
        assert!(
            refused.starts_with("argument `X-H` is sent as a header"),
            "{refused}"
        );
    }
    let plan = plan(&tool, &json!({"X-H": "a b\tc; d"})).unwrap();
    assert_eq!(plan.headers, [("X-H".to_owned(), "a b\tc; d".to_owned())]);
}

#[test]
fn o_05_query_argument_stays_one_value() {
    let tool = tool().with(parameter(Place::Query, "q"));
    for value in [
        "1&admin=true",
        "1;admin=true",
        "a#b",
        "a+b",
        "a=b",
        "100%",
        "\r\n",
        "a b",
    ] {
        let plan = plan(&tool, &json!({"q": value})).unwrap();
        let url = plan.url("https://api.example").unwrap();
        let pairs: Vec<_> = url.query_pairs().into_owned().collect();
        assert_eq!(pairs, [("q".to_owned(), value.to_owned())]);
        assert!(!plan.query.contains('+'));
    }
}

#[test]
fn o_05_a_members_name_stays_a_name() {
    let filter = styled(Place::Query, "filter", Style::DeepObject, true);
    let tool = tool().with(filter);
    let plan = plan(&tool, &json!({"filter": {"a=b&x": "1"}})).unwrap();
    let pairs: Vec<_> = form_urlencoded::parse(plan.query.as_bytes()).collect();
    assert_eq!(pairs, [("filter[a=b&x]".into(), "1".into())]);
    assert_eq!(
        cause(&tool, &json!({"filter": {"a][b": 1}})),
        Unsendable::Bracket
    );
}

#[test]
fn o_05_a_member_cannot_pass_for_another_parameter() {
    let tool = tool()
        .with(parameter(Place::Query, "filter"))
        .with(parameter(Place::Query, "admin"));
    assert_eq!(
        cause(&tool, &json!({"filter": {"admin": true}})),
        Unsendable::TakesAnotherName
    );
    let own = plan(&tool, &json!({"filter": {"filter": 1}})).unwrap();
    assert_eq!(own.query, "filter=1");
    let mut tool = tool;
    tool.request.query = "action=list".to_owned();
    assert_eq!(
        cause(&tool, &json!({"filter": {"action": "delete"}})),
        Unsendable::TakesAnotherName
    );
}

#[test]
fn o_05_an_argument_cannot_take_the_name_of_an_api_key() {
    let tool = tool().with(parameter(Place::Query, "filter"));
    for name in [
        "api_key",
        "API_key",
        "api_key[]",
        "api.key",
        " api key[x][y]",
    ] {
        let mut plan = plan(&tool, &json!({"filter": {name: "evil"}})).unwrap();
        assert_eq!(
            plan.append_query("api_key", "secret"),
            Err(PlanError::NameTaken)
        );
        assert!(!plan.query.contains("secret"));
    }
    let mut plan = plan(&tool, &json!({"filter": {"api_key2": 1}})).unwrap();
    plan.append_query("api_key", "s&t").unwrap();
    assert_eq!(plan.query, "api_key2=1&api_key=s%26t");
}

#[test]
fn o_06_cookie_argument_cannot_add_a_cookie() {
    let plain = tool().with(styled(Place::Cookie, "c", Style::Cookie, true));
    let form = tool().with(parameter(Place::Cookie, "c"));
    for value in ["a; admin=1", "a b", "a,b", "\"a\"", "a\\", "é", "\r\n"] {
        for argument in [
            json!({"c": value}),
            json!({"c": [value]}),
            json!({"c": {"a": value}}),
        ] {
            assert_eq!(cause(&plain, &argument), Unsendable::NotCookieText);
            let sent = plan(&form, &argument).unwrap().cookies;
            let [(_, text)] = &sent[..] else {
                panic!("{sent:?}")
            };
            assert!(
                !text.contains([';', ',', ' ', '"', '\\', '\r', '\n']),
                "{text}"
            );
            let decoded = form_urlencoded::parse(text.as_bytes()).next().unwrap().0;
            assert_eq!(
                decoded,
                value.replace('=', "%3D").split("%3D").next().unwrap()
            );
        }
    }
}

#[test]
fn o_06_a_members_name_is_the_name_of_a_cookie_of_its_own() {
    let tool = tool()
        .with(parameter(Place::Cookie, "c"))
        .with(parameter(Place::Cookie, "session"));
    for name in ["a; admin", "a=b", "é", "", "a b"] {
        let refused = cause(&tool, &json!({"c": {name: 1}}));
        assert_eq!(refused, Unsendable::NotCookieName, "{name}");
    }
    for name in ["session", "SESSION", "session[x]"] {
        let refused = cause(&tool, &json!({"c": {name: 1}}));
        assert_eq!(refused, Unsendable::TakesAnotherName, "{name}");
    }
    let sent = plan(&tool, &json!({"c": {"R": 100, "c": 1}})).unwrap();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(sent.cookies, [pair("R", "100"), pair("c", "1")]);
}

#[test]
fn o_05_a_whole_query_keeps_clear_of_other_names() {
    let mut whole = parameter(Place::QueryString, "p");
    whole.content = Some(BodyEncoding::Form([].into()));
    let mut tool = tool().with(whole).with(parameter(Place::Query, "admin"));
    tool.request.query = "action=list".to_owned();
    for name in ["admin", "ADMIN[x]", "action"] {
        let refused = cause(&tool, &json!({"p": {name: 1}}));
        assert_eq!(refused, Unsendable::TakesAnotherName, "{name}");
    }
    let mut sent = plan(&tool, &json!({"p": {"a=b&c": "1&admin=2"}})).unwrap();
    assert_eq!(sent.query, "action=list&a%3Db%26c=1%26admin%3D2");
    let mut keyed = sent.clone();
    assert_eq!(sent.append_query("a=b&c", "k"), Err(PlanError::NameTaken));
    keyed.append_query("key", "k").unwrap();
}

#[test]
fn o_07_a_part_cannot_end_itself() {
    let tool = tool().sending("multipart/form-data", BodyEncoding::Multipart([].into()));
    let body = |value: &str| {
        let plan = plan(&tool, &json!({"body": {"a\"\r\nX: y": value}})).unwrap();
        let body = plan.body.unwrap();
        let boundary = body
            .content_type
            .split_once("boundary=")
            .unwrap()
            .1
            .to_owned();
        (boundary, String::from_utf8(body.bytes).unwrap())
    };
    let (boundary, _) = body("x");
    assert_ne!(boundary, body("y").0);
    let (other, text) = body(&format!("\r\n--{boundary}--\r\n"));
    assert_ne!(boundary, other);
    assert_eq!(text.matches(&other).count(), 2);
    assert!(text.contains("name=\"a%22%0D%0AX: y\"\r\n"));
}

#[test]
fn o_07_a_body_has_the_media_type_of_the_document() {
    let tool = tool().sending("application/xml", BodyEncoding::Text);
    let text = "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><x>&e;</x>";
    let body = plan(&tool, &json!({"body": text})).unwrap().body.unwrap();
    assert_eq!(body.content_type, "application/xml");
    assert_eq!(body.bytes, text.as_bytes());
}

#[test]
fn x_05_a_pattern_cannot_take_more_than_linear_time() {
    let tool = tool()
        .with(parameter(Place::Query, "q"))
        .checking(&json!({"properties": {"q": {"pattern": "^(a+)+$"}}}));
    let refused = refusal(&tool, &json!({"q": format!("{}!", "a".repeat(100_000))}));
    assert!(
        refused.starts_with("argument `q` must match the pattern"),
        "{refused}"
    );
    let look_around = "^(?=(a|a)*$)b";
    let too_large = "^(?:a{1,250}){1,250}$";
    for pattern in [look_around, too_large] {
        let schema = json!({"properties": {"q": {"pattern": pattern}}});
        let tool = crate::sample::tool()
            .with(parameter(Place::Query, "q"))
            .checking(&schema);
        assert!(
            plan(&tool, &json!({"q": "c"})).is_ok(),
            "{pattern} is left out"
        );
    }
    let large = json!({"pattern": "^(?:a{1,99}){1,99}c?$"});
    let all_of = |patterns: Vec<Value>| {
        crate::sample::tool()
            .with(parameter(Place::Query, "q"))
            .checking(&json!({"properties": {"q": {"allOf": patterns}}}))
    };
    let alone = all_of(vec![large.clone()]);
    assert!(
        plan(&alone, &json!({"q": "b"})).is_err(),
        "alone it is held"
    );
    let mut many = vec![large; 99];
    many.push(json!({"pattern": "^[ab]"}));
    let many = all_of(many);
    assert!(
        plan(&many, &json!({"q": "b"})).is_ok(),
        "together they are too large"
    );
    assert!(
        plan(&many, &json!({"q": "c"})).is_err(),
        "the small one is held"
    );
}

#[test]
fn o_01_the_assembled_url_is_checked_again() {
    let mut plan = tool().plan(None).unwrap();
    plan.path = "/things/../admin".to_owned();
    assert_eq!(plan.url("https://api.example"), Err(PlanError::DotSegment));
}

#[test]
fn o_05_a_member_of_a_field_cannot_pass_for_another_field() {
    let fields = json!({"type": "object", "properties": {
        "role": {"enum": ["user"]},
        "profile": {"type": "object"},
    }});
    let encoding = json!({"profile": {"style": "form"}});
    let content = json!({"schema": fields, "encoding": encoding});
    let whole = json!({"in": "querystring", "name": "q",
        "content": {"application/x-www-form-urlencoded": content}});
    let forms = ["application/x-www-form-urlencoded", "multipart/form-data"];
    let bodies = forms.map(|form| json!({"requestBody": {"content": {form: content}}}));
    let queries = [json!({"parameters": [whole]})];
    for operation in bodies.into_iter().chain(queries) {
        let tool = imported(&operation);
        let argument = if operation.get("parameters").is_some() {
            "q"
        } else {
            "body"
        };
        let given = |value| json!({argument: value});
        for refused in [
            json!({"role": "user", "profile": {"role": "admin"}}),
            json!({"profile": {"Role": "admin"}}),
            json!({"profile": {"role[]": "admin"}}),
            json!({"profile": {"x": "admin"}, "x": "user"}),
        ] {
            assert_eq!(cause(&tool, &given(refused)), Unsendable::TakesAnotherName);
        }
        let allowed = json!({"role": "user", "profile": {"profile": "a", "b": "c"}});
        assert!(plan(&tool, &given(allowed)).is_ok());
    }
}

/// The tool of an operation.
fn imported(operation: &Value) -> Tool {
    let document = json!({"openapi": "3.2.0", "paths": {"/a": {"post": operation}}});
    let document = Document::parse(document.to_string().as_bytes(), &Limits::default()).unwrap();
    document.tools().0.remove(0)
}
