//! Connections: whose token a call bears, and what ends when it is honoured no more.

use std::time::Duration;

use axum::http::StatusCode;
use portcullis_base::Slug;
use serde_json::{Value, json};

use super::person::{Asked, Person, tokens_of};
use super::site::{Answered, Site};

const WEB: &str = "https://app.example/cb";

fn access(tokens: &Value) -> &str {
    tokens["access_token"].as_str().unwrap()
}

/// Signs `name` in to `cars` by a new client.
async fn tokens_for_cars(site: &Site, name: &str) -> Value {
    let cars = "https://mcp.example/cars/mcp";
    let client = site.client(WEB).await;
    let asked = Asked::new(&client, WEB).with("resource", cars);
    let code = Person::default().sign_in(site, &asked, name).await;
    let answered = site
        .token(&[
            ("grant_type", "authorization_code"),
            ("client_id", &client),
            ("code", &code),
            ("code_verifier", asked.verifier.expose()),
            ("resource", cars),
        ])
        .await;
    assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
    answered.json()
}

/// Asserts that the API's 401 is the result, and that what rests on the connection stays.
fn assert_is_result(answered: &Answered) {
    assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
    let result = &answered.json()["result"];
    assert_eq!(result["isError"], true, "{answered:?}");
    assert!(
        answered.text.contains("HTTP 401: bad credentials"),
        "{answered:?}"
    );
}

async fn assert_ended(site: &Site, tokens: &Value) {
    let again = site.tool(access(tokens), "whoami").await;
    assert_eq!(again.status, StatusCode::UNAUTHORIZED, "{again:?}");
    // Otherwise the client would refresh our token and come again for ever.
    let refreshed = refresh(site, tokens).await;
    assert_eq!(refreshed.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn one_person_has_a_token_for_each_toolset() {
    let site = Site::start().await;
    let pets = tokens_of(&site, "ann~pets").await;
    let cars = tokens_for_cars(&site, "ann~cars").await;
    for (slug, tokens) in [("pets", &pets), ("cars", &cars), ("pets", &pets)] {
        let answered = site.tool_of(slug, access(tokens), "whoami").await;
        let told = &answered.json()["result"]["structuredContent"];
        assert_eq!(told["person"], format!("ann~{slug}"));
    }
}

#[tokio::test]
async fn a_token_that_dies_at_one_toolset_ends_nothing_at_another() {
    let site = Site::start().await;
    let pets = tokens_of(&site, "lost").await;
    let cars = tokens_for_cars(&site, "lost~not").await;
    site.clock.turn(Duration::from_mins(2));
    assert_eq!(
        site.tool(access(&pets), "whoami").await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_ended(&site, &pets).await;
    let answered = site.tool_of("cars", access(&cars), "whoami").await;
    assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
}

#[tokio::test]
async fn a_refusal_of_the_old_token_does_not_end_a_fresh_sign_in() {
    let site = Site::start().await;
    let first = tokens_of(&site, "lost").await;
    site.clock.turn(Duration::from_mins(2));
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    assert_eq!(
        site.call("pets", access(&first), &ping).await.status,
        StatusCode::OK
    );
    // The old token is still remembered when the person signs in again.
    let second = tokens_of(&site, "lost~not").await;
    assert_is_result(&site.tool(access(&first), "whoami").await);
    for tokens in [&first, &second] {
        let answered = site.tool(access(tokens), "whoami").await;
        assert_eq!(
            answered.json()["result"]["structuredContent"]["person"],
            "lost~not"
        );
        assert_eq!(refresh(&site, tokens).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn an_api_that_refuses_a_new_token_would_refuse_the_next_one_too() {
    let site = Site::start().await;
    let tokens = tokens_of(&site, "lost").await;
    assert_is_result(&site.tool(access(&tokens), "whoami").await);
    site.clock.turn(Duration::from_secs(59));
    assert_is_result(&site.tool(access(&tokens), "whoami").await);
    site.clock.turn(Duration::from_secs(1));
    let answered = site.tool(access(&tokens), "whoami").await;
    assert_eq!(answered.status, StatusCode::UNAUTHORIZED, "{answered:?}");
    assert_ended(&site, &tokens).await;
}

#[tokio::test]
async fn a_grant_without_a_connection_ends_where_tools_need_one() {
    let site = Site::start().await;
    site.publish_pets(|sign_in| sign_in.connects = false);
    let tokens = tokens_of(&site, "ann").await;
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    let pinged = site.call("pets", access(&tokens), &ping).await;
    assert_eq!(pinged.status, StatusCode::OK);
    site.publish_pets(|_| ());
    let answered = site.tool(access(&tokens), "whoami").await;
    assert_eq!(answered.status, StatusCode::UNAUTHORIZED, "{answered:?}");
    let challenge = answered.header("www-authenticate").unwrap();
    assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    assert_ended(&site, &tokens).await;
    assert_eq!(site.api.received().len(), 0);
}

#[tokio::test]
async fn a_grant_with_a_connection_to_another_provider_ends() {
    let site = Site::start().await;
    let tokens = tokens_of(&site, "ann").await;
    assert_eq!(
        site.tool(access(&tokens), "whoami").await.status,
        StatusCode::OK
    );
    site.publish_pets(|sign_in| sign_in.provider = Slug::parse("other").unwrap());
    assert_ended(&site, &tokens).await;
    assert_eq!(site.api.received().len(), 1);
}

#[tokio::test]
async fn an_answer_of_the_provider_that_the_toolset_had_before_gives_no_code() {
    let site = Site::start().await;
    let asked = Asked::new(&site.client(WEB).await, WEB);
    let mut person = Person::default();
    let form = person.consent_page(&site, &asked).await;
    let provider = person.approve(&site, &form).await;
    site.publish_pets(|sign_in| sign_in.provider = Slug::parse("other").unwrap());
    let back = person.come_back(&site, &provider, "ann").await;
    assert_eq!(back.status, StatusCode::BAD_REQUEST, "{back:?}");
    assert_eq!(back.header("location"), None);
    assert_eq!(site.provider.received().len(), 0);
}

#[tokio::test]
async fn a_connection_that_the_api_does_not_honour_ends_what_rests_on_it() {
    let site = Site::start().await;
    let tokens = tokens_of(&site, "lost").await;
    site.clock.turn(Duration::from_mins(1));
    let token = tokens["access_token"].as_str().unwrap();
    let answered = site.tool(token, "whoami").await;
    assert_eq!(answered.status, StatusCode::UNAUTHORIZED, "{answered:?}");
    let challenge = answered.header("www-authenticate").unwrap();
    assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    // Otherwise the client would refresh our token and come again for ever.
    let refreshed = refresh(&site, &tokens).await;
    assert_eq!(refreshed.json()["error"], "invalid_grant");
    let again = site.tool(token, "whoami").await;
    assert_eq!(again.status, StatusCode::UNAUTHORIZED);
    assert_eq!(site.api.received().len(), 1);
}

#[tokio::test]
async fn a_connection_whose_token_has_expired_ends_what_rests_on_it() {
    let site = Site::start().await;
    let tokens = tokens_of(&site, "short").await;
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(site.tool(token, "whoami").await.status, StatusCode::OK);
    site.clock.turn(Duration::from_mins(2));
    assert_eq!(
        site.tool(token, "whoami").await.status,
        StatusCode::UNAUTHORIZED
    );
    let refreshed = refresh(&site, &tokens).await;
    assert_eq!(refreshed.json()["error"], "invalid_grant");
}

async fn refresh(site: &Site, tokens: &Value) -> Answered {
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    let client = tokens["client"].as_str().unwrap_or_default();
    site.token(&[
        ("grant_type", "refresh_token"),
        ("client_id", client),
        ("refresh_token", refresh_token),
    ])
    .await
}
