//! `tools/call`, from the message to the API and back.

use axum::http::StatusCode;
use portcullis_store::Inbound;
use serde_json::{Value, json};

use super::gateway::{Gateway, message, modern_call};

#[tokio::test]
async fn n_10_tools_are_listed_and_called_in_every_version_without_a_handshake() {
    let gateway = Gateway::start(&[Inbound::Open]).await;
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let headers = [("mcp-protocol-version", version)];
        let listed = gateway
            .post(&headers, message("tools/list", &json!({})))
            .await
            .json();
        let names: Vec<_> = listed["result"]["tools"]
            .as_array()
            .unwrap()
            .iter()
            .map(|t| t["name"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(names, ["pets_get", "slow", "whoami"]);
        let result = gateway.call(&headers, "pets_get", json!({"id": 3})).await;
        assert_eq!(
            result["content"],
            json!([{"type": "text", "text": "{\"id\":3}"}])
        );
        let structured = result.get("structuredContent");
        assert_eq!(
            structured,
            (version >= "2025-06-18").then(|| json!({"id": 3})).as_ref()
        );
    }
}

#[tokio::test]
async fn tl_09_an_unknown_tool_is_an_error_of_the_protocol() {
    let gateway = Gateway::start(&[Inbound::Open]).await;
    let params = json!({"name": "pets_eat"});
    let answered = gateway.post(&[], message("tools/call", &params)).await;
    assert_eq!(answered.status, StatusCode::OK);
    assert_eq!(answered.json()["error"]["code"], -32602);
    assert!(answered.text.contains("pets_eat"));
}

#[tokio::test]
async fn tl_09_a_bad_argument_is_a_result_that_names_it_and_reaches_no_api() {
    let gateway = Gateway::start(&[Inbound::Open]).await;
    for arguments in [
        json!({}),
        json!({"id": "../admin"}),
        json!({"id": 1, "extra": 2}),
    ] {
        let result = gateway.call(&[], "pets_get", arguments).await;
        assert_eq!(result["isError"], true, "{result}");
    }
    assert_eq!(gateway.api.hits(), 0);
}

#[tokio::test]
async fn a_number_that_was_given_as_a_string_is_sent_and_the_result_says_so() {
    let gateway = Gateway::start(&[Inbound::Open]).await;
    let result = gateway.call(&[], "pets_get", json!({"id": "3"})).await;
    assert_eq!(result["content"][0]["text"], "{\"id\":3}");
    let note = result["content"][1]["text"].as_str().unwrap();
    assert!(
        note.starts_with("argument `id` was given as a string"),
        "{note}"
    );
}

#[tokio::test]
async fn an_error_of_the_api_is_a_result_that_says_it() {
    let gateway = Gateway::start(&[Inbound::Open]).await;
    let result = gateway.call(&[], "pets_get", json!({"id": 0})).await;
    assert_eq!(result["isError"], true);
    assert!(
        result["content"][0]["text"]
            .as_str()
            .unwrap()
            .contains("no such pet"),
        "{result}"
    );
}

#[tokio::test]
async fn h_06_equal_ids_at_the_same_time_are_not_mixed_up() {
    let gateway = Gateway::start(&[Inbound::Open]).await;
    let calls = (1..=16).map(|id| gateway.call(&[], "slow", json!({"id": id})));
    let release = async {
        let arrived = gateway.api.events.arrived.acquire_many(16).await;
        arrived.unwrap().forget();
        gateway.api.events.release.add_permits(16);
    };
    let (results, ()) = tokio::join!(futures_util::future::join_all(calls), release);
    for (index, result) in results.iter().enumerate() {
        let expected = format!("{{\"id\":{}}}", index + 1);
        assert_eq!(result["content"][0]["text"], Value::from(expected));
    }
}

#[tokio::test]
async fn n_13_a_client_that_goes_away_takes_its_request_to_the_api_with_it() {
    let gateway = Gateway::start(&[Inbound::Open]).await;
    let events = &gateway.api.events;
    let (headers, body) = modern_call("slow", &json!({"id": 1}));
    let headers = headers.each_ref().map(|(name, value)| (*name, &**value));
    tokio::select! {
        answered = gateway.post(&headers, body) => panic!("nothing released the call: {answered:?}"),
        arrived = events.arrived.acquire() => arrived.unwrap().forget(),
    }
    events.abandoned.acquire().await.unwrap().forget();
}

#[tokio::test]
async fn tr_09_in_older_versions_a_client_that_goes_away_cancels_nothing() {
    let gateway = Gateway::start(&[Inbound::Open]).await;
    let events = &gateway.api.events;
    tokio::select! {
        result = gateway.call(&[], "slow", json!({"id": 1})) => panic!("nothing released the call: {result}"),
        arrived = events.arrived.acquire() => arrived.unwrap().forget(),
    }
    events.release.add_permits(1);
    tokio::select! {
        _ = events.abandoned.acquire() => panic!("the call was given up"),
        ended = events.ended.acquire() => ended.unwrap().forget(),
    }
}
