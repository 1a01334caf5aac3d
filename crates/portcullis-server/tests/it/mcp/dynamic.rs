//! A toolset whose tools are searched for instead of listed.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use portcullis_base::Slug;
use portcullis_server::http::request_log::Particulars;
use portcullis_store::Inbound;
use serde_json::{Value, json};

use super::gateway::{Gateway, OPERATORS_KEY, message, modern_call, request};

const FINDER: &str = "/finder/mcp";

async fn call_at(gateway: &Gateway, path: &str, name: &str, arguments: Value) -> Value {
    let params = json!({"name": name, "arguments": arguments});
    let headers = [("mcp-protocol-version", "2025-11-25")];
    let answered = gateway
        .post_to(path, &headers, message("tools/call", &params))
        .await;
    assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
    answered.json()
}

async fn call(gateway: &Gateway, name: &str, arguments: Value) -> Value {
    call_at(gateway, FINDER, name, arguments).await["result"].clone()
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap()
}

#[tokio::test]
async fn three_tools_stand_for_all_and_say_how_they_are_used() {
    let gateway = Gateway::start(&[Inbound::Open]).await;
    let headers = [("mcp-protocol-version", "2025-11-25")];
    let list = message("tools/list", &json!({}));
    let listed = gateway.post_to(FINDER, &headers, list).await.json();
    let tools = listed["result"]["tools"].as_array().unwrap();
    let told: Vec<_> = tools
        .iter()
        .map(|tool| {
            (
                tool["name"].as_str().unwrap(),
                tool["annotations"]["readOnlyHint"] == true,
            )
        })
        .collect();
    let expected = [
        ("call_tool", false),
        ("describe_tools", true),
        ("search_tools", true),
    ];
    assert_eq!(told, expected);
    let about = tools[2]["description"].as_str().unwrap();
    assert!(
        about.contains("there are 3") && about.contains("pets (2)"),
        "{about}"
    );
    let greeted = gateway
        .post_to(FINDER, &headers, message("initialize", &json!({})))
        .await;
    let instructions = greeted.json()["result"]["instructions"].clone();
    let instructions = instructions.as_str().unwrap();
    assert!(
        instructions.starts_with("Feed them.\n\nThis server has 3 tools"),
        "{instructions}"
    );
}

#[tokio::test]
async fn a_tool_is_found_described_and_called() {
    let gateway = Gateway::start(&[Inbound::Open]).await;
    let found = call(&gateway, "search_tools", json!({"query": "get a pet"})).await;
    let first = text(&found).lines().next().unwrap();
    assert_eq!(first, "pets_get(id*) - pets_get");
    let told = call(&gateway, "describe_tools", json!({"names": ["pets_get"]})).await;
    let told: Value = serde_json::from_str(text(&told)).unwrap();
    assert_eq!(told["tools"][0]["inputSchema"]["required"], json!(["id"]));
    let inner = json!({"name": "pets_get", "arguments": {"id": 3}});
    let through = call(&gateway, "call_tool", inner).await;
    let direct = call(&gateway, "pets_get", json!({"id": 3})).await;
    assert_eq!(through, direct);
    assert_eq!(through["structuredContent"], json!({"id": 3}));
}

#[tokio::test]
async fn a_search_is_held_to_its_tag_its_limit_and_the_tags_of_the_url() {
    let gateway = Gateway::start(&[Inbound::Open]).await;
    let lines = |result: Value| {
        text(&result)
            .lines()
            .take_while(|line| !line.is_empty())
            .count()
    };
    let query = "pets slow whoami";
    let search = |more: Value| {
        let mut arguments = json!({"query": query});
        arguments
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        arguments
    };
    let all = call(&gateway, "search_tools", search(json!({}))).await;
    assert_eq!(lines(all), 3);
    let tagged = call(&gateway, "search_tools", search(json!({"tag": "PETS"}))).await;
    assert_eq!(lines(tagged), 2);
    let limited = call(&gateway, "search_tools", search(json!({"limit": 1}))).await;
    assert_eq!(lines(limited), 1);
    let narrow = "/finder/mcp?tags=callers";
    let narrowed = call_at(&gateway, narrow, "search_tools", search(json!({}))).await;
    assert_eq!(lines(narrowed["result"].clone()), 1);
    let inner = json!({"name": "pets_get", "arguments": {"id": 3}});
    let outside = call_at(&gateway, narrow, "call_tool", inner).await;
    assert_eq!(outside["result"]["isError"], true, "{outside}");
    let told = call_at(
        &gateway,
        narrow,
        "describe_tools",
        json!({"names": ["slow"]}),
    )
    .await;
    assert!(text(&told["result"]).starts_with("{\"tools\":[]"), "{told}");
    let direct = call_at(&gateway, narrow, "pets_get", json!({"id": 3})).await;
    assert_eq!(direct["error"]["code"], -32602, "{direct}");
    assert_eq!(gateway.api.hits(), 0);
    let none = call(&gateway, "search_tools", json!({"query": "zebra"})).await;
    assert!(
        text(&none).contains("Tags and how many tools have them"),
        "{none}"
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_call_within_a_call_is_told_and_reaches_no_api() {
    let gateway = Gateway::start(&[Inbound::Open]).await;
    for (name, arguments, expected) in [
        (
            "call_tool",
            json!({"name": "get_pets"}),
            "the nearest are `pets_get`",
        ),
        (
            "call_tool",
            json!({"name": "pets_get", "arguments": {}}),
            "id",
        ),
        (
            "call_tool",
            json!({"name": "pets_get", "id": 3}),
            "stands in `arguments`",
        ),
        (
            "call_tool",
            json!({"name": "pets_get", "arguments": [3]}),
            "must be an object",
        ),
        ("call_tool", json!({}), "missing field `name`"),
        (
            "call_tool",
            json!({"name": "call_tool", "arguments": {}}),
            "no tool `call_tool`",
        ),
        ("search_tools", json!({}), "missing field `query`"),
    ] {
        let result = call(&gateway, name, arguments.clone()).await;
        assert_eq!(result["isError"], true, "{arguments}: {result}");
        assert!(text(&result).contains(expected), "{arguments}: {result}");
    }
    assert_eq!(gateway.api.hits(), 0);
    let unknown = call_at(&gateway, FINDER, "pets_eat", json!({})).await;
    assert_eq!(unknown["error"]["code"], -32602);
}

#[tokio::test]
async fn arguments_that_are_written_as_text_are_read() {
    let gateway = Gateway::start(&[Inbound::Open]).await;
    let inner = json!({"name": "pets_get", "arguments": "{\"id\": 3}"});
    let result = call(&gateway, "call_tool", inner).await;
    assert_eq!(result["structuredContent"], json!({"id": 3}), "{result}");
    let note = result["content"][1]["text"].as_str().unwrap();
    assert!(
        note.starts_with("`arguments` was given as a string"),
        "{note}"
    );
    let told = call(&gateway, "describe_tools", json!({"names": "[\"slow\"]"})).await;
    assert!(text(&told).contains("\"name\":\"slow\""), "{told}");
}

#[tokio::test]
async fn a_call_within_a_call_bears_the_credential_of_the_inner_tool() {
    let gateway = Gateway::start(&[Inbound::ApiKey]).await;
    let key = gateway.key(&[]).await;
    let authorization = format!("Bearer {}", key.expose());
    let arguments = json!({"name": "whoami", "arguments": {}});
    let (headers, body) = modern_call("call_tool", &arguments);
    let headers = headers.each_ref().map(|(name, value)| (*name, &**value));
    let headers = [&headers[..], &[("authorization", &*authorization)]].concat();
    let answered = gateway.post_to(FINDER, &headers, body).await;
    assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
    assert_eq!(gateway.api.keys(), ["the-operators-key-of-finder"]);
    assert!(!answered.text.contains(OPERATORS_KEY), "{answered:?}");
}

/// Calls a tool, and gives what the log would say of it.
async fn logged(gateway: &Gateway, name: &str, arguments: Value) -> String {
    let particulars = Particulars::default();
    let params = json!({"name": name, "arguments": arguments});
    let request = request(Method::POST, FINDER)
        .header("mcp-protocol-version", "2025-11-25")
        .extension(particulars.clone())
        .body(Body::from(message("tools/call", &params)));
    let answered = gateway.send(request.unwrap()).await;
    assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
    format!("{particulars:?}")
}

#[tokio::test]
async fn a_call_within_a_call_counts_as_its_tool_and_a_search_as_none() {
    let gateway = Gateway::start(&[Inbound::Open]).await;
    let finder = Slug::parse("finder").unwrap();
    gateway.metrics.publish([&finder]);
    let calls = |outcome: &str| {
        let labels = format!("{{toolset=\"finder\",outcome=\"{outcome}\"}}");
        let line = format!("portcullis_tool_calls_total{labels} ");
        let rendered = gateway.metrics.render();
        let count = rendered.lines().find_map(|it| it.strip_prefix(&*line));
        count.unwrap_or("0").to_owned()
    };
    for (name, arguments, shown) in [
        ("search_tools", json!({"query": "pets"}), "search_tools"),
        ("search_tools", json!({}), "search_tools"),
        (
            "describe_tools",
            json!({"names": ["slow"]}),
            "describe_tools",
        ),
        ("call_tool", json!({"name": "zebra"}), "call_tool"),
    ] {
        let told = logged(&gateway, name, arguments).await;
        assert!(told.contains(&format!("tool: Some(\"{shown}\")")), "{told}");
        assert_eq!([calls("ok"), calls("caller")], ["0", "0"], "{told}");
    }
    let inner = |id| json!({"name": "pets_get", "arguments": {"id": id}});
    let told = logged(&gateway, "call_tool", inner(json!(3))).await;
    assert!(told.contains("tool: Some(\"pets_get\")"), "{told}");
    logged(&gateway, "call_tool", inner(json!("many"))).await;
    assert_eq!([calls("ok"), calls("caller")], ["1", "1"]);
}

#[tokio::test]
async fn a_tool_that_is_named_twice_is_described_once() {
    let gateway = Gateway::start(&[Inbound::Open]).await;
    let mut names = vec!["slow"; 30];
    names.extend(["zebra", "zebra", "whoami"]);
    let told = call(&gateway, "describe_tools", json!({"names": names})).await;
    let told: Value = serde_json::from_str(text(&told)).unwrap();
    let tools = told["tools"].as_array().unwrap().iter();
    let found: Vec<_> = tools.map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(found, ["slow", "whoami"]);
    assert_eq!(told["notes"].as_array().unwrap().len(), 1, "{told}");
}

#[tokio::test]
async fn x_08_the_nearest_are_looked_for_to_a_few_names_only() {
    let gateway = Gateway::start(&[Inbound::Open]).await;
    let names: Vec<String> = (0..9).map(|number| format!("pets_get{number}")).collect();
    let told = call(&gateway, "describe_tools", json!({"names": names})).await;
    let told: Value = serde_json::from_str(text(&told)).unwrap();
    let notes: Vec<_> = told["notes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|note| note.as_str().unwrap())
        .collect();
    assert_eq!(notes.len(), 9, "{told}");
    let near = notes.iter().filter(|it| it.contains("the nearest are"));
    assert_eq!(near.count(), 3, "{told}");
    assert_eq!(
        notes[8],
        "there is no tool `pets_get8`; `search_tools` finds tools"
    );
}
