//! Tokens that the provider is asked about.

use super::*;

fn asking() -> ManifestSettings {
    settings(TokenValidation::Introspection)
}

fn active(changes: &Value) -> (u16, Value) {
    let mut members = claims(changes);
    members["active"] = json!(true);
    (200, members)
}

#[tokio::test]
async fn a_token_is_asked_about_once_while_the_answer_is_believed() {
    let outside = Outside::start(asking()).await;
    outside.change(|says| says.introspection = active(&json!({})));
    let calls = (0..8).map(|_| outside.whoami("opaque"));
    for answered in futures_util::future::join_all(calls).await {
        assert_called_with(&answered, "opaque");
    }
    assert_eq!(outside.asked("/introspect"), 1);
    let received = outside.provider.received();
    let asked = received.last().unwrap();
    assert_eq!(asked.field("token").as_deref(), Some("opaque"));
    assert_eq!(
        asked.header("authorization"),
        Some("Basic dXM6b3VyK3NlY3JldA==")
    );
    turn(&outside, Duration::from_mins(1));
    assert_called_with(&outside.whoami("opaque").await, "opaque");
    assert_eq!(outside.asked("/introspect"), 2);
}

#[tokio::test]
async fn a_token_that_is_revoked_opens_nothing_once_the_answer_is_old() {
    let outside = Outside::start(asking()).await;
    outside.change(|says| says.introspection = active(&json!({})));
    assert_called_with(&outside.whoami("opaque").await, "opaque");
    outside.change(|says| says.introspection = (200, json!({"active": false})));
    turn(&outside, Duration::from_mins(1));
    assert_refused(&outside.whoami("opaque").await, "not active");
}

#[tokio::test]
async fn that_a_token_is_not_good_is_remembered_for_a_moment() {
    let outside = Outside::start(asking()).await;
    for _ in 0..3 {
        assert_refused(&outside.whoami("opaque").await, "not active");
    }
    assert_eq!(outside.asked("/introspect"), 1);
    outside.change(|says| says.introspection = active(&json!({})));
    turn(&outside, Duration::from_secs(10));
    assert_called_with(&outside.whoami("opaque").await, "opaque");
}

#[tokio::test]
async fn a_token_for_somebody_else_or_for_nobody_is_refused() {
    let outside = Outside::start(asking()).await;
    for (token, changes, reason) in [
        ("a", json!({"aud": "https://other.example"}), "audience"),
        ("b", json!({"aud": null}), "no audience"),
        ("c", json!({"iss": "https://other.example"}), "issuer"),
        ("d", json!({"token_type": "DPoP"}), "bound"),
        ("e", json!({"exp": NOW - 61}), "expired"),
    ] {
        outside.change(|says| says.introspection = active(&changes));
        assert_refused(&outside.whoami(token).await, reason);
    }
    assert!(outside.api.received().is_empty());
}

#[tokio::test]
async fn a_client_that_the_operator_named_needs_no_audience() {
    let outside = Outside::start(ManifestSettings {
        clients_without_audience: vec!["assistant".to_owned()],
        delegation: None,
        ..asking()
    })
    .await;
    outside.change(|says| says.introspection = active(&json!({"aud": null})));
    assert_eq!(outside.whoami("a").await.status, StatusCode::OK);
    outside.change(|says| {
        says.introspection = active(&json!({"aud": null, "client_id": "another"}));
    });
    assert_refused(&outside.whoami("b").await, "no audience");
}

#[tokio::test]
async fn where_the_provider_does_not_answer_nobody_can_tell() {
    let outside = Outside::start(asking()).await;
    for (token, answer) in [
        ("a", (500, json!({}))),
        ("b", (401, json!({"error": "invalid_client"}))),
        ("c", (200, json!("<html>"))),
    ] {
        outside.change(|says| says.introspection = answer.clone());
        let answered = outside.whoami(token).await;
        assert_eq!(answered.status, StatusCode::SERVICE_UNAVAILABLE, "{token}");
        assert_eq!(answered.header("www-authenticate"), None);
    }
    outside.change(|says| says.ails = Some(503));
    let answered = outside.whoami("d").await;
    assert_eq!(answered.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(outside.api.received().is_empty());
}

#[tokio::test]
async fn a_token_is_not_believed_beyond_its_end() {
    let outside = Outside::start(asking()).await;
    outside.change(|says| says.introspection = active(&json!({"exp": NOW + 10})));
    assert_called_with(&outside.whoami("opaque").await, "opaque");
    outside.change(|says| says.introspection = (200, json!({"active": false})));
    turn(&outside, Duration::from_secs(9));
    assert_called_with(&outside.whoami("opaque").await, "opaque");
    turn(&outside, Duration::from_secs(1));
    assert_refused(&outside.whoami("opaque").await, "not active");
}
