//! How messages travel.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use futures_util::StreamExt as _;
use portcullis_store::Inbound;
use serde_json::{Value, json};

use super::gateway::{Gateway, message, modern_call, request};

#[tokio::test]
async fn h_13_only_json_is_taken() {
    let gateway = Gateway::start(&[Inbound::Open]).await;
    for (kind, status) in [
        (Some("application/json"), StatusCode::OK),
        (Some("application/json; charset=utf-8"), StatusCode::OK),
        (Some("Application/JSON"), StatusCode::OK),
        (Some("text/plain"), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (
            Some("text/plain; application/json"),
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
        (
            Some("application/x-www-form-urlencoded"),
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
        (
            Some("application/jsonx"),
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
        (None, StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ] {
        let mut sent = request(Method::POST, "/pets/mcp")
            .body(Body::from(message("ping", &json!({}))))
            .unwrap();
        sent.headers_mut().remove("content-type");
        if let Some(kind) = kind {
            sent.headers_mut()
                .insert("content-type", kind.parse().unwrap());
        }
        assert_eq!(gateway.send(sent).await.status, status, "{kind:?}");
    }
}

#[tokio::test]
async fn h_10_a_body_that_is_too_large_is_refused() {
    let gateway = Gateway::start(&[Inbound::Open]).await;
    let large = message("ping", &json!({"x": "y".repeat(5 << 20)}));
    let answered = gateway.post(&[], large).await;
    assert_eq!(answered.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn answers_are_plain_json_that_nobody_keeps() {
    let gateway = Gateway::start(&[Inbound::Open]).await;
    for (body, status) in [
        (message("ping", &json!({})), StatusCode::OK),
        (message("tools/eat", &json!({})), StatusCode::OK),
        ("{".to_owned(), StatusCode::BAD_REQUEST),
    ] {
        let answered = gateway.post(&[], body).await;
        assert_eq!(answered.status, status);
        assert_eq!(answered.header("content-type"), Some("application/json"));
        assert_eq!(answered.header("cache-control"), Some("no-store"));
        assert_eq!(answered.header("x-content-type-options"), Some("nosniff"));
    }
}

#[tokio::test]
async fn any_accept_header_is_borne_with() {
    let gateway = Gateway::start(&[Inbound::Open]).await;
    for accept in [
        "*/*",
        "application/json",
        "text/event-stream",
        "text/html",
        "",
    ] {
        let mut sent = request(Method::POST, "/pets/mcp")
            .body(Body::from(message("ping", &json!({}))))
            .unwrap();
        sent.headers_mut().insert("accept", accept.parse().unwrap());
        assert_eq!(gateway.send(sent).await.status, StatusCode::OK, "{accept}");
    }
}

#[tokio::test]
async fn tr_03_notifications_are_accepted_without_a_body() {
    let gateway = Gateway::start(&[Inbound::Open]).await;
    let initialized = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    let answered = gateway.post(&[], initialized.to_owned()).await;
    assert_eq!(
        (answered.status, &*answered.text),
        (StatusCode::ACCEPTED, "")
    );
    assert_eq!(answered.header("content-type"), None);
}

#[tokio::test]
async fn h_05_a_request_whose_headers_differ_reaches_no_api() {
    let gateway = Gateway::start(&[Inbound::Open]).await;
    let (_, body) = modern_call("pets_get", &json!({"id": 1}));
    let version = ("mcp-protocol-version", "2026-07-28");
    for headers in [
        &[version][..],
        &[
            version,
            ("mcp-method", "tools/list"),
            ("mcp-name", "pets_get"),
        ],
        &[
            version,
            ("mcp-method", "tools/call"),
            ("mcp-name", "whoami"),
        ],
        &[
            version,
            ("mcp-method", "tools/call"),
            ("mcp-name", "pets_get"),
            ("mcp-name", "pets_get"),
        ],
        &[("mcp-method", "tools/call"), ("mcp-name", "pets_get")],
    ] {
        let answered = gateway.post(headers, body.clone()).await;
        assert_eq!(answered.status, StatusCode::BAD_REQUEST);
        assert_eq!(answered.json()["error"]["code"], -32020);
    }
    assert_eq!(gateway.api.hits(), 0);
    let right = [
        version,
        ("mcp-method", "tools/call"),
        ("mcp-name", "pets_get"),
    ];
    let answered = gateway.post(&right, body).await;
    assert_eq!(answered.json()["result"]["resultType"], "complete");
    assert_eq!(gateway.api.hits(), 1);
}

#[tokio::test]
async fn tr_04_the_calls_of_a_batch_are_answered_in_its_order() {
    let gateway = Gateway::start(&[Inbound::Open]).await;
    let batch: Vec<_> = (1..=20)
        .map(|id| json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "pets_get", "arguments": {"id": id}}}))
        .collect();
    let answered = gateway
        .post(&[], Value::from(batch).to_string())
        .await
        .json();
    for (index, reply) in answered.as_array().unwrap().iter().enumerate() {
        assert_eq!(reply["id"], index + 1);
        assert_eq!(
            reply["result"]["content"][0]["text"],
            format!("{{\"id\":{}}}", index + 1)
        );
    }
}

#[tokio::test]
async fn n_12_tl_15_a_long_call_is_told_of_over_an_event_stream() {
    let gateway = Gateway::start(&[Inbound::Open]).await;
    let params = json!({"name": "slow", "arguments": {"id": 5}, "_meta": {"progressToken": "t"}});
    let sent = request(Method::POST, "/pets/mcp").body(Body::from(message("tools/call", &params)));
    let response = gateway.respond(sent.unwrap()).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.headers()["cache-control"], "no-store");
    let mut events = response.into_body().into_data_stream();
    let progress = events.next().await.unwrap().unwrap();
    assert!(progress.starts_with(
        b"event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\""
    ));
    gateway.api.events.release.add_permits(1);
    let mut last = events.next().await.unwrap().unwrap();
    while let Some(event) = events.next().await {
        last = event.unwrap();
    }
    let text = String::from_utf8(last.to_vec()).unwrap();
    let data = text.strip_prefix("event: message\ndata: ").unwrap();
    let json: Value = serde_json::from_str(data.trim()).unwrap();
    assert_eq!(json["result"]["content"][0]["text"], r#"{"id":5}"#);
}

#[tokio::test]
async fn a_long_call_whose_client_takes_no_events_is_answered_as_json() {
    let gateway = Gateway::start(&[Inbound::Open]).await;
    gateway.api.events.release.add_permits(1);
    let params = json!({"name": "slow", "arguments": {"id": 5}, "_meta": {"progressToken": "t"}});
    let mut sent = request(Method::POST, "/pets/mcp")
        .body(Body::from(message("tools/call", &params)))
        .unwrap();
    sent.headers_mut()
        .insert("accept", "application/json".parse().unwrap());
    let answered = gateway.send(sent).await;
    assert_eq!(answered.header("content-type"), Some("application/json"));
}
