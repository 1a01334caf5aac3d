//! Tokens that are traded for those that the API takes, and those that stay here.

use portcullis_store::{Delegation, ExchangeSettings};

use super::*;

fn trading(delegation: Delegation) -> ManifestSettings {
    ManifestSettings {
        delegation: Some(delegation),
        exchange: ExchangeSettings {
            audience: Some("api".to_owned()),
            resource: None,
            scopes: vec!["api/read".to_owned()],
            parameters: std::collections::BTreeMap::new(),
        },
        ..signed()
    }
}

fn gives(token: &str) -> (u16, Value) {
    let issued = "urn:ietf:params:oauth:token-type:access_token";
    let answer = json!({
        "access_token": token, "token_type": "Bearer", "expires_in": 300,
        "issued_token_type": issued,
    });
    (200, answer)
}

#[tokio::test]
async fn the_api_gets_what_the_token_is_traded_for_and_never_the_token() {
    let outside = Outside::start(trading(Delegation::Exchange)).await;
    outside.change(|says| says.trade = gives("for-the-api"));
    // The API's scopes are those of what the token is traded for, and no business of the token's.
    let token = outside.token(&json!({"scope": "access_as_user"}));
    let calls = (0..8).map(|_| outside.whoami(&token));
    for answered in futures_util::future::join_all(calls).await {
        assert_called_with(&answered, "for-the-api");
    }
    assert_eq!(outside.asked("/token"), 1);
    let received = outside.provider.received();
    let asked = received
        .iter()
        .find(|it| it.path_and_query == "/token")
        .unwrap();
    assert_eq!(asked.field("subject_token").as_deref(), Some(&*token));
    assert_eq!(asked.field("audience").as_deref(), Some("api"));
    assert_eq!(asked.field("scope").as_deref(), Some("api/read"));
    let grant = asked.field("grant_type");
    let exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
    assert_eq!(grant.as_deref(), Some(exchange));
    turn(&outside, Duration::from_secs(270));
    outside.change(|says| says.trade = gives("another"));
    assert_called_with(&outside.whoami(&token).await, "another");
}

#[tokio::test]
async fn two_callers_never_share_what_theirs_are_traded_for() {
    let outside = Outside::start(trading(Delegation::Exchange)).await;
    outside.change(|says| says.trade = gives("first"));
    let [first, second] = ["one", "two"].map(|sub| outside.token(&json!({"sub": sub})));
    assert_called_with(&outside.whoami(&first).await, "first");
    outside.change(|says| says.trade = gives("second"));
    assert_called_with(&outside.whoami(&second).await, "second");
    assert_called_with(&outside.whoami(&first).await, "first");
}

#[tokio::test]
async fn entra_is_asked_on_behalf_of_the_caller() {
    let outside = Outside::start(trading(Delegation::OnBehalfOf)).await;
    outside.change(|says| says.trade = gives("for-the-api"));
    let token = outside.token(&json!({}));
    assert_called_with(&outside.whoami(&token).await, "for-the-api");
    let received = outside.provider.received();
    let asked = received.last().unwrap();
    assert_eq!(asked.field("assertion").as_deref(), Some(&*token));
    let on_behalf = asked.field("requested_token_use");
    assert_eq!(on_behalf.as_deref(), Some("on_behalf_of"));
}

#[tokio::test]
async fn a_provider_that_refuses_the_trade_calls_nothing() {
    let outside = Outside::start(trading(Delegation::Exchange)).await;
    let token = outside.token(&json!({}));
    outside.change(|says| says.trade = (400, json!({"error": "invalid_target"})));
    let answered = outside.whoami(&token).await;
    assert_eq!(answered.status, StatusCode::OK);
    assert_eq!(answered.json()["result"]["isError"], true);
    assert!(answered.text.contains("invalid_target"), "{answered:?}");
    assert!(outside.api.received().is_empty());
}

#[tokio::test]
async fn who_is_not_taken_any_more_signs_in_again_and_only_where_he_was_taken_before() {
    let outside = Outside::start(trading(Delegation::Exchange)).await;
    let token = outside.token(&json!({}));
    outside.change(|says| says.trade = gives("for-the-api"));
    assert_called_with(&outside.whoami(&token).await, "for-the-api");
    for (error, token_of) in [("invalid_grant", "a"), ("invalid_request", "b")] {
        let token = outside.token(&json!({"jti": token_of}));
        outside.change(|says| says.trade = gives("for-the-api"));
        assert_called_with(&outside.whoami(&token).await, "for-the-api");
        outside.change(|says| says.trade = (400, json!({"error": error})));
        turn(&outside, Duration::from_secs(270));
        assert_refused(&outside.whoami(&token).await, "not active");
    }
    // Who never was would be refused with another token too.
    let never = outside.token(&json!({"jti": "never"}));
    for _ in 0..2 {
        let answered = outside.whoami(&never).await;
        assert_eq!(answered.status, StatusCode::OK);
        assert_eq!(answered.json()["result"]["isError"], true);
        turn(&outside, Duration::from_secs(61));
    }
}

#[tokio::test]
async fn what_the_api_refuses_is_traded_anew_before_anybody_signs_in() {
    let outside = Outside::start(trading(Delegation::Exchange)).await;
    let token = outside.token(&json!({}));
    outside.change(|says| says.trade = gives("unloved"));
    let answered = outside.whoami(&token).await;
    assert_eq!(answered.json()["result"]["isError"], true, "{answered:?}");
    assert_eq!(outside.asked("/token"), 2);
    outside.change(|says| says.trade = gives("for-the-api"));
    assert_called_with(&outside.whoami(&token).await, "for-the-api");
}

#[tokio::test]
async fn a_token_that_is_not_for_the_api_stays_here() {
    let outside = Outside::start(ManifestSettings {
        delegation: None,
        ..signed()
    })
    .await;
    let token = outside.token(&json!({}));
    let answered = outside.whoami(&token).await;
    assert_eq!(answered.status, StatusCode::OK);
    let received = outside.api.received();
    assert!(
        received
            .iter()
            .all(|it| it.header("authorization").is_none())
    );
}
