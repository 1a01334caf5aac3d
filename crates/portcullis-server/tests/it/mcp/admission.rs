//! Who is let in, in which order it is judged, and what is told to who is not.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use portcullis_base::{Clock as _, Timestamp};
use portcullis_store::Inbound;
use serde_json::json;

use super::gateway::{Gateway, OPERATORS_KEY, key_of, message, request};

const CHALLENGE: &str = r#"Bearer realm="pets""#;

fn bearer(key: &str) -> String {
    format!("Bearer {key}")
}

#[tokio::test]
async fn every_method_is_challenged_before_anything_else_is_judged() {
    let gateway = Gateway::start(&[Inbound::ApiKey]).await;
    for method in [
        Method::POST,
        Method::GET,
        Method::HEAD,
        Method::DELETE,
        Method::PUT,
    ] {
        let request = request(method.clone(), "/pets/mcp").header("content-type", "text/plain");
        let answered = gateway.send(request.body(Body::from("{")).unwrap()).await;
        assert_eq!(answered.status, StatusCode::UNAUTHORIZED, "{method}");
        assert_eq!(answered.header("www-authenticate"), Some(CHALLENGE));
        assert_eq!(answered.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn n_11_with_a_key_only_post_is_a_method() {
    let gateway = Gateway::start(&[Inbound::ApiKey]).await;
    let key = gateway.key(&[]).await;
    for method in [
        Method::GET,
        Method::HEAD,
        Method::DELETE,
        Method::PUT,
        Method::OPTIONS,
    ] {
        let request =
            request(method.clone(), "/pets/mcp").header("authorization", bearer(key.expose()));
        let answered = gateway.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answered.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(answered.header("allow"), Some("POST"));
    }
    let answered = gateway
        .post(
            &[("authorization", &bearer(key.expose()))],
            message("ping", &json!({})),
        )
        .await;
    assert_eq!(answered.status, StatusCode::OK);
}

#[tokio::test]
async fn j_01_a_key_of_another_toolset_opens_nothing_here() {
    let gateway = Gateway::start(&[Inbound::ApiKey]).await;
    let other = gateway.key(&["other"]).await;
    let here = gateway.key(&["pets"]).await;
    for (key, status) in [
        (other.expose(), StatusCode::UNAUTHORIZED),
        (here.expose(), StatusCode::OK),
        ("ghp_0123456789", StatusCode::UNAUTHORIZED),
    ] {
        let answered = gateway
            .post(
                &[("authorization", &bearer(key))],
                message("ping", &json!({})),
            )
            .await;
        assert_eq!(answered.status, status);
        if status == StatusCode::UNAUTHORIZED {
            let challenge = answered.header("www-authenticate").unwrap();
            assert!(challenge.starts_with(r#"Bearer realm="pets", error="invalid_token""#));
            assert_eq!(answered.json()["error"], "invalid_token");
        }
    }
}

#[tokio::test]
async fn j_10_a_revoked_key_stops_working_within_seconds() {
    let gateway = Gateway::start(&[Inbound::ApiKey]).await;
    let key = gateway.key(&[]).await;
    let authorization = bearer(key.expose());
    let headers = [("authorization", &*authorization)];
    let ping = || gateway.post(&headers, message("ping", &json!({})));
    assert_eq!(ping().await.status, StatusCode::OK);
    gateway.revoke(&key).await;
    gateway.clock.turn(Duration::from_secs(2));
    assert_eq!(ping().await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_key_stops_working_when_it_expires() {
    let gateway = Gateway::start(&[Inbound::ApiKey]).await;
    let key = gateway.key_until(Timestamp::from_millis(1_000)).await;
    let authorization = bearer(key.expose());
    let headers = [("authorization", &*authorization)];
    let ping = || gateway.post(&headers, message("ping", &json!({})));
    assert_eq!(ping().await.status, StatusCode::OK);
    gateway.clock.turn(Duration::from_secs(1));
    assert_eq!(ping().await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_use_of_a_key_is_noted_where_it_lets_somebody_in() {
    let gateway = Gateway::start(&[Inbound::ApiKey]).await;
    gateway.clock.turn(Duration::from_hours(1));
    let refused = gateway.key(&["other"]).await;
    let key = gateway.key(&[]).await;
    for (key, status) in [(&refused, StatusCode::UNAUTHORIZED), (&key, StatusCode::OK)] {
        let authorization = bearer(key.expose());
        let headers = [("authorization", &*authorization)];
        let answered = gateway.post(&headers, message("ping", &json!({}))).await;
        assert_eq!(answered.status, status);
    }
    // Notes are written behind the answers, one after the other.
    while gateway.row(&key).await.last_used_at != Some(gateway.clock.now()) {
        tokio::task::yield_now().await;
    }
    assert_eq!(gateway.row(&refused).await.last_used_at, None);
}

#[tokio::test]
async fn j_07_a_key_counts_once_and_in_the_header_only() {
    let gateway = Gateway::start(&[Inbound::ApiKey]).await;
    let key = gateway.key(&[]).await;
    let authorization = bearer(key.expose());
    let twice = [
        ("authorization", &*authorization),
        ("authorization", &*authorization),
    ];
    let answered = gateway.post(&twice, message("ping", &json!({}))).await;
    assert_eq!(answered.status, StatusCode::BAD_REQUEST);
    let in_url = request(
        Method::POST,
        &format!("/pets/mcp?access_token={}", key.expose()),
    );
    let answered = gateway
        .send(
            in_url
                .body(Body::from(message("ping", &json!({}))))
                .unwrap(),
        )
        .await;
    assert_eq!(answered.status, StatusCode::UNAUTHORIZED);
    assert!(!answered.text.contains(key.expose()));
}

#[tokio::test]
async fn h_07_a_session_id_admits_nobody_and_is_never_given() {
    let gateway = Gateway::start(&[Inbound::ApiKey]).await;
    let session = [("mcp-session-id", "1868a90c")];
    let answered = gateway.post(&session, message("ping", &json!({}))).await;
    assert_eq!(answered.status, StatusCode::UNAUTHORIZED);
    let key = gateway.key(&[]).await;
    let authorization = bearer(key.expose());
    let headers = [
        ("authorization", &*authorization),
        ("mcp-session-id", "1868a90c"),
    ];
    let answered = gateway
        .post(&headers, message("initialize", &json!({})))
        .await;
    assert_eq!(answered.status, StatusCode::OK);
    assert_eq!(answered.header("mcp-session-id"), None);
}

#[tokio::test]
async fn h_12_tricks_with_the_path_change_no_decision() {
    let gateway = Gateway::start(&[Inbound::ApiKey]).await;
    for (path, status) in [
        ("/pets/mcp", StatusCode::UNAUTHORIZED),
        ("/pets/mcp/", StatusCode::UNAUTHORIZED),
        ("/pet%73/mcp", StatusCode::UNAUTHORIZED),
        ("/nowhere/mcp", StatusCode::NOT_FOUND),
        ("/PETS/mcp", StatusCode::NOT_FOUND),
        ("/pets/MCP", StatusCode::NOT_FOUND),
        ("//pets/mcp", StatusCode::NOT_FOUND),
        ("/pets//mcp", StatusCode::NOT_FOUND),
        ("/pets/mcp//", StatusCode::NOT_FOUND),
        ("/pets%2fmcp", StatusCode::NOT_FOUND),
        ("/pets/mcp%2f", StatusCode::NOT_FOUND),
        ("/pets/mcp;a=b", StatusCode::NOT_FOUND),
        ("/pets;a=b/mcp", StatusCode::NOT_FOUND),
        ("/x/../pets/mcp", StatusCode::NOT_FOUND),
        ("/pets/mcp/..;/x", StatusCode::NOT_FOUND),
    ] {
        let answered = gateway
            .send(request(Method::POST, path).body(Body::from("{}")).unwrap())
            .await;
        assert_eq!(answered.status, status, "{path}");
    }
}

#[tokio::test]
async fn an_unknown_toolset_is_not_found_in_json() {
    let gateway = Gateway::start(&[Inbound::Open]).await;
    let answered = gateway
        .send(
            request(Method::POST, "/nowhere/mcp")
                .body(Body::empty())
                .unwrap(),
        )
        .await;
    assert_eq!(answered.header("content-type"), Some("application/json"));
    assert_eq!(answered.json()["error"], "not_found");
}

#[tokio::test]
async fn who_comes_in_by_headers_gets_nothing_from_the_environment() {
    let gateway = Gateway::start(&[Inbound::Headers]).await;
    let without = gateway.call(&[], "whoami", json!({})).await;
    assert_eq!(without["isError"], true);
    assert_eq!(gateway.api.hits(), 0);
    let with = gateway
        .call(&[("mcp-pets-key", "my-own")], "whoami", json!({}))
        .await;
    assert_eq!(with.get("isError"), None, "{with}");
    assert_eq!(gateway.api.keys(), ["my-own"]);
}

#[tokio::test]
async fn who_comes_in_openly_gets_the_operators_key_and_may_bring_his_own() {
    let gateway = Gateway::start(&[Inbound::Open]).await;
    for headers in [&[][..], &[("mcp-pets-key", "my-own")]] {
        gateway.call(headers, "whoami", json!({})).await;
    }
    assert_eq!(gateway.api.keys(), [OPERATORS_KEY, "my-own"]);
}

#[tokio::test]
async fn j_02_o_09_the_callers_own_headers_stay_here() {
    let gateway = Gateway::start(&[Inbound::Open]).await;
    let headers = [
        ("authorization", "Bearer for-somebody-else"),
        ("cookie", "session=1"),
        ("origin", "http://localhost:8080"),
        ("mcp-session-id", "session-of-mine"),
        ("x-forwarded-for", "203.0.113.7"),
        (
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
    ];
    let result = gateway.call(&headers, "whoami", json!({})).await;
    let received = result["content"][0]["text"].as_str().unwrap();
    for (name, value) in headers {
        assert!(
            !received.contains(&format!("\"{name}:")),
            "{name} in {received}"
        );
        assert!(!received.contains(value), "{value} in {received}");
    }
}

#[tokio::test]
async fn o_13_each_toolset_calls_with_its_own_environment() {
    let gateway = Gateway::start(&[Inbound::ApiKey]).await;
    let key = gateway.key(&[]).await;
    for toolset in ["pets", "other", "pets"] {
        let body = message("tools/call", &json!({"name": "whoami"}));
        let sent = request(Method::POST, &format!("/{toolset}/mcp"))
            .header("authorization", bearer(key.expose()))
            .body(Body::from(body));
        assert_eq!(gateway.send(sent.unwrap()).await.status, StatusCode::OK);
    }
    let expected = ["pets", "other", "pets"].map(key_of);
    assert_eq!(gateway.api.keys(), expected);
}
