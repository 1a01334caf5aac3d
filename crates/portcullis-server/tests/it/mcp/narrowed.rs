//! `?tags=…` in the URL of an endpoint.

use axum::body::Body;
use axum::http::Method;
use http_body::Body as _;
use portcullis_store::Inbound;
use serde_json::{Value, json};

use super::gateway::{Gateway, message, request};

async fn post(gateway: &Gateway, path: &str, method: &str, params: Value) -> Value {
    let headers = [("mcp-protocol-version", "2025-11-25")];
    let answered = gateway
        .post_to(path, &headers, message(method, &params))
        .await;
    answered.json()
}

async fn names(gateway: &Gateway, path: &str) -> Vec<String> {
    let listed = post(gateway, path, "tools/list", json!({})).await;
    let tools = listed["result"]["tools"].as_array().unwrap();
    let names = tools.iter().map(|tool| tool["name"].as_str().unwrap());
    names.map(str::to_owned).collect()
}

#[tokio::test]
async fn tags_in_the_url_narrow_what_is_listed() {
    let gateway = Gateway::start(&[Inbound::Open]).await;
    for (query, expected) in [
        ("", &["pets_get", "slow", "whoami"][..]),
        ("?tags=", &["pets_get", "slow", "whoami"]),
        ("?x=pets", &["pets_get", "slow", "whoami"]),
        ("?tags=pets", &["pets_get", "slow"]),
        ("?tags=callers", &["whoami"]),
        ("?tags=pets,Callers", &["pets_get", "slow", "whoami"]),
        ("?tags=pets&tags=callers", &["pets_get", "slow", "whoami"]),
        ("?tags=callers%2Cpets&x=1", &["pets_get", "slow", "whoami"]),
        ("?tags=slow%2C%20but+sure", &["slow"]),
        ("?tags=callers,nothing", &["whoami"]),
    ] {
        let path = format!("/pets/mcp{query}");
        assert_eq!(names(&gateway, &path).await, expected, "{path}");
    }
}

#[tokio::test]
async fn a_tool_outside_the_tags_is_unknown() {
    let gateway = Gateway::start(&[Inbound::Open]).await;
    let call = json!({"name": "pets_get", "arguments": {"id": 1}});
    let outside = post(
        &gateway,
        "/pets/mcp?tags=callers",
        "tools/call",
        call.clone(),
    )
    .await;
    assert_eq!(outside["error"]["code"], -32602, "{outside}");
    assert_eq!(gateway.api.hits(), 0);
    let inside = post(&gateway, "/pets/mcp?tags=pets", "tools/call", call).await;
    assert_eq!(inside["result"]["structuredContent"]["id"], 1, "{inside}");
}

#[tokio::test]
async fn tags_that_no_tool_has_are_told_instead_of_an_empty_list() {
    let gateway = Gateway::start(&[Inbound::Open]).await;
    for method in ["initialize", "tools/list"] {
        let answered = post(&gateway, "/pets/mcp?tags=dogs", method, json!({})).await;
        assert_eq!(answered["error"]["code"], -32602, "{answered}");
        let text = answered["error"]["message"].as_str().unwrap();
        assert!(
            text.ends_with("there are `Callers`, `pets`, `slow, but sure`"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_batch_is_narrowed_too() {
    let gateway = Gateway::start(&[Inbound::Open]).await;
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let headers = [("mcp-protocol-version", "2025-03-26")];
    let body = json!([list]).to_string();
    let answered = gateway
        .post_to("/pets/mcp?tags=callers", &headers, body)
        .await;
    let tools = &answered.json()[0]["result"]["tools"];
    assert_eq!(tools.as_array().unwrap().len(), 1, "{tools}");
}

#[tokio::test]
async fn the_length_of_a_list_is_known_before_it_is_sent() {
    let gateway = Gateway::start(&[Inbound::Open]).await;
    let list = message("tools/list", &json!({}));
    let sent = request(Method::POST, "/pets/mcp")
        .body(Body::from(list))
        .unwrap();
    let response = gateway.respond(sent).await;
    assert_eq!(response.headers()["content-type"], "application/json");
    let known = response.body().size_hint().exact().unwrap();
    let sent = request(Method::POST, "/pets/mcp");
    let sent = sent
        .body(Body::from(message("tools/list", &json!({}))))
        .unwrap();
    let answered = gateway.send(sent).await;
    assert_eq!(answered.text.len() as u64, known);
}

#[tokio::test]
async fn x_08_of_tags_without_number_the_first_hundred_are_looked_up() {
    let gateway = Gateway::start(&[Inbound::Open]).await;
    let path = |count: usize| format!("/pets/mcp?{}tags=callers", "tags=dogs&".repeat(count));
    assert_eq!(names(&gateway, &path(49)).await, ["whoami"]);
    let answered = post(&gateway, &path(50), "tools/list", json!({})).await;
    assert_eq!(answered["error"]["code"], -32602, "{answered}");
}
