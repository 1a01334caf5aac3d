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
