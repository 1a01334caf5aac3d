//! Tokens that are judged by their signatures.

use super::*;

#[tokio::test]
async fn a_good_token_is_passed_on_and_asked_about_once() {
    let outside = Outside::start(signed()).await;
    let token = outside.token(&json!({}));
    assert_called_with(&outside.whoami(&token).await, &token);
    assert_called_with(&outside.whoami(&token).await, &token);
    assert_eq!(outside.asked("/keys"), 1);
    assert_eq!(outside.api.received().len(), 2);
}

#[tokio::test]
async fn j_05_a_token_that_is_not_good_calls_nothing() {
    let outside = Outside::start(signed()).await;
    let stranger = Signer::new("k1");
    let other_kid = Signer::new("k9");
    let none = {
        let header = json!({"alg": "none", "typ": "JWT"});
        let token = outside.signer.signed(&header, &claims(&json!({})));
        format!("{}.", token.rsplit_once('.').unwrap().0)
    };
    let shared = json!({"alg": "HS256", "typ": "JWT", "kid": "k1"});
    for (token, reason) in [
        (stranger.token(&claims(&json!({}))), "signature"),
        (other_kid.token(&claims(&json!({}))), "no key of the id"),
        (none, "algorithm"),
        (
            outside.signer.signed(&shared, &claims(&json!({}))),
            "algorithm",
        ),
        (
            outside.token(&json!({"iss": "https://as.example/"})),
            "issuer",
        ),
        (
            outside.token(&json!({"aud": "https://mcp.example/cars/mcp"})),
            "audience",
        ),
        (outside.token(&json!({"aud": null})), "no audience"),
        (outside.token(&json!({"exp": NOW - 61})), "expired"),
        (outside.token(&json!({"exp": null})), "`exp`"),
        (outside.token(&json!({"nbf": NOW + 61})), "not good yet"),
        (outside.token(&json!({"cnf": {"jkt": "x"}})), "bound"),
        (outside.token(&json!({"nonce": "n"})), "another kind"),
        ("no-token-at-all".to_owned(), "no signed JSON Web Token"),
    ] {
        assert_refused(&outside.whoami(&token).await, reason);
    }
    assert!(outside.api.received().is_empty());
}

#[tokio::test]
async fn clocks_may_differ_by_a_minute() {
    let outside = Outside::start(signed()).await;
    for changes in [json!({"exp": NOW - 59}), json!({"nbf": NOW + 59})] {
        let token = outside.token(&changes);
        assert_called_with(&outside.whoami(&token).await, &token);
    }
}

#[tokio::test]
async fn a_token_that_was_seen_is_refused_once_it_has_expired() {
    let outside = Outside::start(signed()).await;
    let token = outside.token(&json!({"exp": NOW + 60}));
    assert_called_with(&outside.whoami(&token).await, &token);
    turn(&outside, Duration::from_secs(119));
    assert_called_with(&outside.whoami(&token).await, &token);
    turn(&outside, Duration::from_secs(1));
    assert_refused(&outside.whoami(&token).await, "expired");
}

#[tokio::test]
async fn new_keys_are_fetched_for_a_token_that_they_sign() {
    let outside = Outside::start(signed()).await;
    let token = outside.token(&json!({}));
    assert_called_with(&outside.whoami(&token).await, &token);
    turn(&outside, Duration::from_secs(31));
    let new = Signer::new("k2");
    outside.change(|says| says.keys = vec![new.clone()]);
    let token = new.token(&claims(&json!({})));
    assert_called_with(&outside.whoami(&token).await, &token);
    assert_eq!(outside.asked("/keys"), 2);
}

#[tokio::test]
async fn strangers_do_not_have_keys_fetched_again_and_again() {
    let outside = Outside::start(signed()).await;
    for name in ["x1", "x2", "x3"] {
        let token = Signer::new(name).token(&claims(&json!({})));
        assert_refused(&outside.whoami(&token).await, "no key of the id");
    }
    assert_eq!(outside.asked("/keys"), 1);
}

#[tokio::test]
async fn without_keys_nobody_can_tell_and_nobody_is_sent_to_sign_in() {
    let outside = Outside::start(signed()).await;
    outside.change(|says| says.ails = Some(500));
    let token = outside.token(&json!({}));
    let answered = outside.whoami(&token).await;
    assert_eq!(answered.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answered.header("retry-after"), Some("5"));
    assert_eq!(answered.header("www-authenticate"), None);
    let text = answered.json()["error_description"].to_string();
    assert!(text.contains("`idp`") && text.contains("keys"), "{text}");
    assert!(outside.api.received().is_empty());
    outside.change(|says| says.ails = None);
    turn(&outside, Duration::from_secs(6));
    assert_called_with(&outside.whoami(&token).await, &token);
}

#[tokio::test]
async fn an_empty_set_of_keys_signs_nothing() {
    let outside = Outside::start(signed()).await;
    outside.change(|says| says.keys.clear());
    let token = outside.token(&json!({}));
    assert_refused(&outside.whoami(&token).await, "no key of the id");
}

#[tokio::test]
async fn a_token_of_ours_is_not_the_providers_business() {
    let outside = Outside::start(ManifestSettings {
        validation: TokenValidation::Introspection,
        ..signed()
    })
    .await;
    let ours = "pc_at_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let answered = outside.whoami(ours).await;
    assert_eq!(answered.status, StatusCode::UNAUTHORIZED);
    assert!(outside.provider.received().is_empty());
}

#[tokio::test]
async fn a_token_without_a_tools_scope_is_told_which_it_needs() {
    let outside = Outside::start(signed()).await;
    let token = outside.token(&json!({"scope": "read"}));
    assert_called_with(&outside.whoami(&token).await, &token);
    let answered = outside.site.tool(&token, "rename").await;
    assert_eq!(answered.status, StatusCode::FORBIDDEN);
    let challenge = answered.header("www-authenticate").unwrap();
    assert!(challenge.contains("error=\"insufficient_scope\""));
    assert!(challenge.contains("scope=\"read write\""), "{challenge}");
}

#[tokio::test]
async fn a_token_that_the_api_refuses_is_refused_here_and_only_once_it_is_old() {
    let outside = Outside::start(settings(TokenValidation::Upstream)).await;
    let refused_by_api = |answered: &Answered| {
        assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
        assert_eq!(answered.json()["result"]["isError"], true);
    };
    refused_by_api(&outside.whoami("unloved").await);
    turn(&outside, Duration::from_secs(59));
    refused_by_api(&outside.whoami("unloved").await);
    turn(&outside, Duration::from_secs(1));
    assert_refused(&outside.whoami("unloved").await, "the API does not take it");
    // Whoever was answered with an event stream is told with his next request.
    let calls = outside.api.received().len();
    assert_refused(&outside.whoami("unloved").await, "the API does not take it");
    assert_eq!(outside.api.received().len(), calls);
}

#[tokio::test]
async fn a_stranger_who_asks_for_keys_that_nobody_has_keeps_nobody_from_new_ones() {
    let outside = Outside::start(signed()).await;
    let token = outside.token(&json!({}));
    assert_called_with(&outside.whoami(&token).await, &token);
    turn(&outside, Duration::from_secs(31));
    // The provider is ill when it is asked for newer ones: nobody can tell, and nobody is sent to sign in.
    let new = Signer::new("k2");
    outside.change(|says| {
        says.keys = vec![new.clone()];
        says.ails = Some(500);
    });
    let token = new.token(&claims(&json!({})));
    for _ in 0..2 {
        let answered = outside.whoami(&token).await;
        assert_eq!(answered.status, StatusCode::SERVICE_UNAVAILABLE);
        turn(&outside, Duration::from_secs(2));
    }
    outside.change(|says| says.ails = None);
    turn(&outside, Duration::from_secs(6));
    assert_called_with(&outside.whoami(&token).await, &token);
}

#[tokio::test]
async fn j_01_what_is_known_of_a_token_holds_at_its_endpoint_and_under_its_settings_only() {
    let outside = Outside::start(signed()).await;
    let token = outside.token(&json!({}));
    assert_called_with(&outside.whoami(&token).await, &token);
    outside.publish_as("cars", &signed(), &[Inbound::External]);
    let answered = outside.site.tool_of("cars", &token, "whoami").await;
    assert_eq!(answered.status, StatusCode::UNAUTHORIZED, "{answered:?}");
    outside.publish(&signed(), &[Inbound::External]);
    assert_called_with(&outside.whoami(&token).await, &token);
    let other = ManifestSettings {
        audiences: vec!["https://other.example".to_owned()],
        ..signed()
    };
    outside.publish(&other, &[Inbound::External]);
    assert_refused(&outside.whoami(&token).await, "audience");
}
