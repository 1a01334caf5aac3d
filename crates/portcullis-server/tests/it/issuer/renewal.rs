//! Connections whose tokens are renewed at the provider before anybody notices.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::Value;

use super::person::tokens_of;
use super::site::{Answered, PETS, Site};

/// When the provider's token is about to expire, and ours is still good.
const LATE: Duration = Duration::from_secs(59 * 60 + 30);

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap()
}

async fn whoami(site: &Site, tokens: &Value) -> Answered {
    site.tool(text(tokens, "access_token"), "whoami").await
}

/// Refreshes our tokens.
async fn refreshed(site: &Site, client: &Value, tokens: &Value) -> Answered {
    site.token(&[
        ("grant_type", "refresh_token"),
        ("client_id", text(client, "client")),
        ("refresh_token", text(tokens, "refresh_token")),
        ("resource", PETS),
    ])
    .await
}

/// Returns the refresh tokens that the provider was asked with.
fn presented(site: &Site) -> Vec<String> {
    let received = site.provider.received();
    let presented = received.iter().filter_map(|it| it.field("refresh_token"));
    presented.collect()
}

fn assert_person(answered: &Answered, person: &str) {
    assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
    let told = &answered.json()["result"]["structuredContent"];
    assert_eq!(told["person"], person, "{answered:?}");
}

/// Signs somebody in whose token has expired at the provider, and is good here.
async fn expired(site: &Site, person: &str) -> Value {
    let client = tokens_of(site, person).await;
    site.clock.turn(LATE);
    let tokens = refreshed(site, &client, &client).await.json();
    site.clock.turn(Duration::from_secs(31));
    tokens
}

#[tokio::test]
async fn an_expired_token_is_renewed_once_for_all_calls_that_need_it() {
    let site = Site::start().await;
    let tokens = expired(&site, "rolling").await;
    let calls = (0..8).map(|_| whoami(&site, &tokens));
    for answered in futures_util::future::join_all(calls).await {
        assert_person(&answered, "rolling~1");
    }
    assert_eq!(presented(&site), ["refresh-rolling~0"]);
}

#[tokio::test]
async fn two_replicas_renew_a_token_once() {
    let site = Site::start().await;
    let other = site.replica();
    let tokens = expired(&site, "rolling").await;
    let calls = (0..8).map(|number| {
        let gateway = if number % 2 == 0 { &site } else { &other };
        whoami(gateway, &tokens)
    });
    for answered in futures_util::future::join_all(calls).await {
        assert_person(&answered, "rolling~1");
    }
    assert_eq!(presented(&site), ["refresh-rolling~0"]);
}

#[tokio::test]
async fn a_token_that_is_about_to_expire_is_renewed_by_one_call_and_keeps_no_other_waiting() {
    let site = Site::start().await;
    let tokens = tokens_of(&site, "rolling").await;
    assert_person(&whoami(&site, &tokens).await, "rolling");
    site.clock.turn(LATE);
    let calls = (0..8).map(|_| whoami(&site, &tokens));
    for answered in futures_util::future::join_all(calls).await {
        assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
    }
    assert_person(&whoami(&site, &tokens).await, "rolling~1");
    assert_eq!(presented(&site), ["refresh-rolling~0"]);
}

#[tokio::test]
async fn a_refresh_token_goes_to_no_other_provider_than_its_own() {
    let site = Site::start().await;
    let tokens = tokens_of(&site, "rolling").await;
    site.publish_pets(|sign_in| sign_in.provider = portcullis_base::Slug::parse("other").unwrap());
    site.clock.turn(LATE);
    let answered = whoami(&site, &tokens).await;
    assert_eq!(answered.status, StatusCode::UNAUTHORIZED, "{answered:?}");
    assert!(presented(&site).is_empty());
}

#[tokio::test]
async fn the_provider_is_asked_with_the_newest_refresh_token() {
    for (person, asked) in [
        ("rolling", ["refresh-rolling~0", "refresh-rolling~1"]),
        ("steady", ["refresh-steady~0", "refresh-steady~0"]),
    ] {
        let site = Site::start().await;
        let client = tokens_of(&site, person).await;
        let mut tokens = client.clone();
        for _ in 0..2 {
            site.clock.turn(LATE);
            let answered = whoami(&site, &tokens).await;
            assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
            tokens = refreshed(&site, &client, &tokens).await.json();
        }
        assert_eq!(presented(&site), asked);
    }
}

#[tokio::test]
async fn a_refresh_token_that_is_not_honoured_does_not_end_a_token_that_is_still_good() {
    let site = Site::start().await;
    let client = tokens_of(&site, "quitting").await;
    site.clock.turn(LATE);
    for _ in 0..3 {
        assert_person(&whoami(&site, &client).await, "quitting");
    }
    assert_eq!(presented(&site).len(), 1);
    let tokens = refreshed(&site, &client, &client).await.json();
    site.clock.turn(Duration::from_secs(31));
    let answered = whoami(&site, &tokens).await;
    assert_eq!(answered.status, StatusCode::UNAUTHORIZED, "{answered:?}");
    // Otherwise the client would refresh our token and come again for ever.
    let again = refreshed(&site, &client, &tokens).await;
    assert_eq!(again.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn a_provider_that_is_ill_signs_nobody_out() {
    let site = Site::start().await;
    let client = tokens_of(&site, "ailing").await;
    site.clock.turn(LATE);
    for _ in 0..3 {
        assert_person(&whoami(&site, &client).await, "ailing");
    }
    assert_eq!(presented(&site).len(), 1, "it is left alone for a moment");
    let tokens = refreshed(&site, &client, &client).await.json();
    site.clock.turn(Duration::from_secs(31));
    let answered = whoami(&site, &tokens).await;
    assert_eq!(answered.status, StatusCode::SERVICE_UNAVAILABLE);
    // After the second failure in a row the provider is left alone for two seconds.
    assert_eq!(answered.header("retry-after"), Some("2"));
    assert_eq!(answered.header("www-authenticate"), None);
    assert_eq!(answered.json()["error"], "temporarily_unavailable");
    let again = refreshed(&site, &client, &tokens).await;
    assert_eq!(again.status, StatusCode::OK, "{again:?}");
}

#[tokio::test]
async fn a_provider_is_left_alone_for_as_long_as_it_asks() {
    let site = Site::start().await;
    let client = tokens_of(&site, "throttled").await;
    site.clock.turn(LATE);
    let tokens = refreshed(&site, &client, &client).await.json();
    site.clock.turn(Duration::from_secs(31));
    for (turned, left, asked) in [(0, "90", 1), (89, "1", 1), (1, "90", 2)] {
        site.clock.turn(Duration::from_secs(turned));
        let answered = whoami(&site, &tokens).await;
        assert_eq!(answered.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answered.header("retry-after"), Some(left));
        assert_eq!(presented(&site).len(), asked);
    }
}

#[tokio::test]
async fn a_provider_that_asks_to_be_left_alone_is_asked_for_nobody() {
    let site = Site::start().await;
    let throttled = tokens_of(&site, "throttled").await;
    let steady = tokens_of(&site, "steady").await;
    site.clock.turn(LATE);
    assert_person(&whoami(&site, &throttled).await, "throttled");
    assert_person(&whoami(&site, &steady).await, "steady");
    assert_eq!(presented(&site), ["refresh-throttled~0"]);
}

#[tokio::test]
async fn a_token_that_the_api_refuses_is_renewed_and_the_call_made_again() {
    let site = Site::start().await;
    let tokens = tokens_of(&site, "spent").await;
    site.clock.turn(Duration::from_secs(5));
    assert_person(&whoami(&site, &tokens).await, "spent~1");
    assert_eq!(presented(&site), ["refresh-spent~0"]);
    assert_eq!(site.api.received().len(), 2);
    assert_person(&whoami(&site, &tokens).await, "spent~1");
    assert_eq!(presented(&site).len(), 1);
}

#[tokio::test]
async fn a_new_token_that_the_api_refuses_is_not_renewed() {
    let site = Site::start().await;
    let tokens = tokens_of(&site, "spent").await;
    let answered = whoami(&site, &tokens).await;
    assert_eq!(answered.json()["result"]["isError"], true, "{answered:?}");
    assert!(presented(&site).is_empty());
}
