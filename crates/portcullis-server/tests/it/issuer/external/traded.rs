//! Tokens that are traded for those that the API takes, and those that stay here.

use portcullis_store::{Delegation, ExchangeActor, ExchangeSettings};

use super::*;

fn trading(delegation: Delegation) -> ManifestSettings {
    ManifestSettings {
        delegation: Some(delegation),
        exchange: ExchangeSettings {
            audience: Some("api".to_owned()),
            resource: None,
            scopes: vec!["api/read".to_owned()],
            actor: None,
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

/// Says what the operator says who is named in what comes of a trade.
fn acting() -> ManifestSettings {
    let mut settings = trading(Delegation::Exchange);
    settings.exchange.actor = Some(ExchangeActor::ClientCredentials);
    settings
}

/// Returns the actors of the trades that the provider was asked for.
fn actors(outside: &Outside) -> Vec<Option<String>> {
    let received = outside.provider.received();
    let trades = received
        .iter()
        .filter(|it| it.field("subject_token").is_some());
    trades.map(|it| it.field("actor_token")).collect()
}

#[tokio::test]
async fn one_token_of_ours_says_who_acts_for_all() {
    let outside = Outside::start(acting()).await;
    outside.change(|says| {
        says.ours = gives("ours");
        says.trade = gives("for-the-api");
    });
    let tokens = ["one", "two"].map(|sub| outside.token(&json!({"sub": sub})));
    for answered in futures_util::future::join_all(tokens.iter().map(|it| outside.whoami(it))).await
    {
        assert_called_with(&answered, "for-the-api");
    }
    assert_eq!(actors(&outside), vec![Some("ours".to_owned()); 2]);
    assert_eq!(outside.asked("/token"), 3);
    // Whoever comes later waits for one trade only, however old our token is.
    turn(&outside, Duration::from_secs(200));
    assert_called_with(&outside.whoami(&tokens[0]).await, "for-the-api");
    assert_eq!(outside.asked("/token"), 3);
    let received = outside.provider.received();
    let with_actor = received.iter().find(|it| it.field("actor_token").is_some());
    let kind = with_actor.unwrap().field("actor_token_type");
    let access_token = "urn:ietf:params:oauth:token-type:access_token";
    assert_eq!(kind.as_deref(), Some(access_token));
    let for_ours = received
        .iter()
        .find(|it| it.field("grant_type").as_deref() == Some("client_credentials"));
    assert_eq!(for_ours.unwrap().field("scope"), None);
}

#[tokio::test]
async fn a_token_of_ours_that_may_be_what_is_refused_is_fetched_anew_once() {
    let outside = Outside::start(acting()).await;
    outside.change(|says| {
        says.ours = gives("ours");
        says.trade = gives("for-the-api");
    });
    let token = outside.token(&json!({}));
    assert_called_with(&outside.whoami(&token).await, "for-the-api");
    turn(&outside, Duration::from_secs(100));
    outside.change(|says| {
        says.ours = gives("ours-anew");
        says.trade = (400, json!({"error": "invalid_request"}));
    });
    let another = outside.token(&json!({"jti": "another"}));
    let answered = outside.whoami(&another).await;
    assert_eq!(answered.json()["result"]["isError"], true, "{answered:?}");
    let expected = ["ours", "ours", "ours-anew"].map(|it| Some(it.to_owned()));
    assert_eq!(actors(&outside), expected);
    // What is new is not what is refused.
    turn(&outside, Duration::from_secs(6));
    outside.whoami(&another).await;
    assert_eq!(actors(&outside).len(), 4);
}

#[tokio::test]
async fn without_a_token_of_ours_nothing_is_traded() {
    let outside = Outside::start(acting()).await;
    outside.change(|says| says.trade = gives("for-the-api"));
    for sub in ["one", "two"] {
        let token = outside.token(&json!({"sub": sub}));
        let answered = outside.whoami(&token).await;
        assert_eq!(answered.json()["result"]["isError"], true, "{answered:?}");
        let told = "no token to act for others with (unauthorized_client)";
        assert!(answered.text.contains(told), "{answered:?}");
    }
    assert_eq!(actors(&outside), Vec::<Option<String>>::new());
    assert_eq!(outside.asked("/token"), 1);
    assert!(outside.api.received().is_empty());
}
