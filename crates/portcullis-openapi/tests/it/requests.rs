//! Documents, arguments and the requests that must come of them, held against tables that were made from the specification by hand.

use portcullis_openapi::{Document, Limits, RequestPlan, Tool};
use serde_json::value::RawValue;
use serde_json::{Value, json};

fn tools(text: &str) -> Vec<Tool> {
    let document = Document::parse(text.as_bytes(), &Limits::default()).unwrap();
    document.tools().0
}

fn plan(tools: &[Tool], name: &str, arguments: &Value) -> RequestPlan {
    let tool = tools.iter().find(|tool| tool.name == name).unwrap();
    let arguments = RawValue::from_string(arguments.to_string()).unwrap();
    tool.plan(Some(&arguments)).unwrap()
}

fn pairs(pairs: &[(String, String)]) -> Vec<String> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| format!("{name}={value}"))
        .collect()
}

#[test]
fn every_place_has_its_styles() {
    let tools = tools(include_str!("../documents/parameter-styles.yaml"));
    let arguments = json!({
        "id": [1, 2], "kind": {"a": "b"}, "names": ["a:b", "c/d,e"], "filter": {"x": [1]},
    });
    assert_eq!(
        plan(&tools, "paths", &arguments).path,
        "/matrix;id=1;id=2/label.a,b/a:b,c%2Fd%2Ce/%7B%22x%22%3A%5B1%5D%7D"
    );
    let queries = plan(
        &tools,
        "queries",
        &json!({
            "plain": "a b", "many": ["c", "d"], "joined": ["e", "f"], "members": {"g": 1},
            "spaces": ["h", "i"], "pipes": ["j", "k"], "deep": {"l": {"m": ["n", "o"]}},
            "address": "p:/q?r", "flag": "", "where": {"s": null}, "words": "t+u", "unset": null,
        }),
    );
    let expected = [
        "plain=a%20b",
        "many=c&many=d",
        "joined=e,f",
        "g=1",
        "spaces=h%20i",
        "pipes=j%7Ck",
        "deep%5Bl%5D%5Bm%5D%5B%5D=n&deep%5Bl%5D%5Bm%5D%5B%5D=o",
        "address=p:/q?r",
        "flag=",
        "where=%7B%22s%22%3Anull%7D",
        "words=t%2Bu",
        "unset=",
    ];
    assert_eq!(queries.query, expected.join("&"));
    let whole = json!({"querystring": {"a": "b c", "deep": {"d": 1}}});
    assert_eq!(
        plan(&tools, "whole_query", &whole).query,
        "a=b%20c&deep%5Bd%5D=1"
    );
    assert_eq!(
        plan(
            &tools,
            "whole_query_as_json",
            &json!({"json": {"a": [1, 2]}})
        )
        .query,
        "%7B%22a%22%3A%5B1%2C2%5D%7D"
    );
    let headers = json!({"X-List": ["a", "b"], "X-Members": {"c": 1, "d": 2}, "X-Json": ["é"]});
    assert_eq!(
        pairs(&plan(&tools, "headers", &headers).headers),
        ["X-List=a,b", "X-Members=c=1,d=2", r#"X-Json=["\u00e9"]"#]
    );
    let cookies = json!({
        "form": "a b", "plain": "c%20d", "many": ["e", "f"], "joined": ["g", "h"],
        "members": {"i": 1}, "text": "j",
    });
    assert_eq!(
        pairs(&plan(&tools, "cookies", &cookies).cookies),
        [
            "form=a%20b",
            "plain=c%20d",
            "many=e",
            "many=f",
            "joined=g,h",
            "i=1",
            "text=j"
        ]
    );
}

/// A body's media type and text, with the boundary that the content decides as `B`.
fn body(plan: &RequestPlan) -> (String, String) {
    let body = plan.body.as_ref().unwrap();
    let text = String::from_utf8(body.bytes.clone()).unwrap();
    match body.content_type.split_once("boundary=") {
        None => (body.content_type.clone(), text),
        Some((kind, boundary)) => (
            format!("{kind}boundary=B"),
            text.replace(boundary, "B").replace("\r\n", "|"),
        ),
    }
}

#[test]
fn forms_and_parts_are_written_as_their_encodings_say() {
    let tools = tools(include_str!("../documents/request-bodies.yaml"));
    let form = json!({"body": {
        "items": [{"price": "p", "tags": ["a", "b"]}], "joined": [1, 2], "address": "x:/y z",
        "owner": {"name": "n"}, "plain": [{"a": 1}, 2],
    }});
    let expected = [
        "items%5B0%5D%5Bprice%5D=p",
        "items%5B0%5D%5Btags%5D%5B%5D=a&items%5B0%5D%5Btags%5D%5B%5D=b",
        "joined=1,2",
        "address=x:/y%20z",
        "owner=%7B%22name%22%3A%22n%22%7D",
        "plain=%7B%22a%22%3A1%7D&plain=2",
    ];
    let (kind, text) = body(&plan(&tools, "form", &form));
    assert_eq!(kind, "application/x-www-form-urlencoded");
    assert_eq!(text, expected.join("&"));
    let multipart = json!({"body": {
        "note": "n", "photos": ["QQ==", "data:image/gif;name=b.gif;base64,Qg=="], "icon": "Qw==",
        "details": {"x": 1}, "labels": ["l", "m"],
    }});
    let (kind, text) = body(&plan(&tools, "multipart", &multipart));
    assert_eq!(kind, "multipart/form-data; boundary=B");
    let expected = [
        "--B|Content-Disposition: form-data; name=\"note\"||n|",
        "--B|Content-Disposition: form-data; name=\"photos\"; filename=\"photos\"|Content-Type: application/octet-stream||A|",
        "--B|Content-Disposition: form-data; name=\"photos\"; filename=\"b.gif\"|Content-Type: image/gif||B|",
        "--B|Content-Disposition: form-data; name=\"icon\"; filename=\"icon.png\"|Content-Type: image/png||C|",
        "--B|Content-Disposition: form-data; name=\"details\"|Content-Type: application/vnd.details+json|X-Version: 2||{\"x\":1}|",
        "--B|Content-Disposition: form-data; name=\"labels\"||l|m|",
        "--B--|",
    ];
    assert_eq!(text, expected.concat());
    let mixed = json!({"body": [{"a": 1}, "QQ==", "more"]});
    let (kind, text) = body(&plan(&tools, "mixed", &mixed));
    assert_eq!(kind, "multipart/mixed; boundary=B");
    let expected = "--B|Content-Type: application/json||{\"a\":1}|--B|Content-Type: image/png||A|--B||more|--B--|";
    assert_eq!(text, expected);
}

#[test]
fn lines_xml_and_odd_media_types_are_written_as_what_they_are() {
    let tools = tools(include_str!("../documents/request-bodies.yaml"));
    for (tool, argument, kind, text) in [
        (
            "lines",
            json!([{"a": 1}, {"b": 2}]),
            "application/x-ndjson",
            "{\"a\":1}\n{\"b\":2}\n",
        ),
        (
            "xml",
            json!({"friends": [{"id": 2}], "names": ["a", "<b>"], "id": 1}),
            "application/xml; charset=utf-8",
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
             <p:pet xmlns:p=\"https://pets.example/ns\" id=\"1\"><names><name>a</name>\
             <name>&lt;b&gt;</name></names><p:pet id=\"2\"></p:pet></p:pet>",
        ),
        (
            "get_with_a_body",
            json!({"q": 1}),
            "application/json",
            "{\"q\":1}",
        ),
        (
            "yaml_is_json_too",
            json!({"q": 1}),
            "application/x-yaml",
            "{\"q\":1}",
        ),
        ("any_bytes", json!("QQ=="), "application/octet-stream", "A"),
        (
            "any_bytes",
            json!("data:image/webp;base64,QQ=="),
            "image/webp",
            "A",
        ),
        ("any_text", json!("A"), "text/plain", "A"),
        ("no_media_type", json!({}), "application/json", "{}"),
    ] {
        let plan = plan(&tools, tool, &json!({"body": argument}));
        assert_eq!(body(&plan), (kind.to_owned(), text.to_owned()), "{tool}");
    }
}

#[test]
fn another_media_type_is_offered_where_it_carries_more() {
    let tools = tools(include_str!("../documents/request-bodies.yaml"));
    let offered = |name: &str| {
        let tool = tools.iter().find(|tool| tool.name == name).unwrap();
        let body = tool.request.body.as_ref().unwrap();
        let types = body.choices.iter().map(|choice| choice.media_type.as_str());
        types.collect::<Vec<_>>()
    };
    assert_eq!(
        offered("json_or_file"),
        ["application/json", "multipart/form-data", "text/csv"]
    );
    assert_eq!(offered("pictures"), ["image/png", "image/jpeg"]);
    let patches = [
        "application/merge-patch+json",
        "application/json-patch+json",
    ];
    assert_eq!(offered("patches"), patches);
    let sent = |name: &str, chosen: &str, argument: Value| {
        let arguments = json!({"body": argument, "content_type": chosen});
        body(&plan(&tools, name, &arguments))
    };
    let (kind, text) = sent(
        "json_or_file",
        "multipart/form-data",
        json!({"file": "QQ=="}),
    );
    assert!(
        kind.starts_with("multipart/form-data; ") && text.contains("filename=\"file\""),
        "{text}"
    );
    assert_eq!(
        sent("json_or_file", "text/csv", json!("a,b")),
        ("text/csv".to_owned(), "a,b".to_owned())
    );
    assert_eq!(
        sent("pictures", "image/jpeg", json!("QQ==")),
        ("image/jpeg".to_owned(), "A".to_owned())
    );
    let changes = json!([{"op": "remove", "path": "/a"}]);
    let (kind, _) = sent("patches", patches[1], changes);
    assert_eq!(kind, patches[1]);
}

#[test]
fn a_body_is_held_against_the_schema_of_the_media_type_that_was_chosen() {
    let tools = tools(include_str!("../documents/request-bodies.yaml"));
    let tool = tools
        .iter()
        .find(|tool| tool.name == "json_or_file")
        .unwrap();
    let refused = |arguments: Value| {
        let arguments = serde_json::value::to_raw_value(&arguments).unwrap();
        tool.plan(Some(&arguments)).unwrap_err().to_string()
    };
    let text = refused(json!({"body": "a,b"}));
    assert_eq!(text, "argument `body` must be of type object, not \"a,b\"");
    let named = json!({"body": "a,b", "content_type": "application/json"});
    assert_eq!(refused(named), text);
    for chosen in ["multipart/form-data", "text/csv"] {
        let text = refused(json!({"body": [1], "content_type": chosen}));
        assert!(
            text.starts_with("argument `body` must be of type "),
            "{text}"
        );
    }
    let text = refused(json!({"body": {"name": "a"}, "content_type": "text/xml"}));
    assert!(
        text.starts_with("argument `content_type` must be one of "),
        "{text}"
    );
}
