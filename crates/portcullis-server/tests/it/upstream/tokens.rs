//! Tokens by client credentials, from fetching to being refused.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Body;
use axum::http::Response;
use futures_util::future::join_all;
use portcullis_base::{Blame, Origin};
use portcullis_server::upstream::policy::EgressPolicy;
use portcullis_store::SchemeSettings;
use serde_json::{Value, json};

use super::api::{Received, Server, json as answer};
use super::way::{Way, document};
use crate::hand::loopback;

/// An API that takes bearer tokens which begin with `good`.
async fn api() -> Server {
    Server::start(|received, _| match received.header("authorization") {
        Some(value) if value.starts_with("Bearer good") => answer(200, &json!({"ok": value.len()})),
        _ => answer(401, &json!({"message": "who are you?"})),
    })
    .await
}

/// A token endpoint whose tokens are told apart by a number.
async fn endpoint(lifetime: Option<u64>) -> Server {
    Server::start(move |_, before| issued(before, lifetime)).await
}

fn issued(number: usize, lifetime: Option<u64>) -> Response<Body> {
    let mut token = json!({"access_token": format!("good-token-{number}"), "token_type": "bearer"});
    if let Some(lifetime) = lifetime {
        token["expires_in"] = json!(lifetime);
    }
    answer(200, &token)
}

fn described(api: &Server, token_url: &str) -> Value {
    let flow = json!({"clientCredentials": {"tokenUrl": token_url, "scopes": {"things:read": ""}}});
    document(
        &api.url(),
        json!([{"app": ["things:read"]}]),
        json!({"app": {"type": "oauth2", "flows": flow}}),
    )
}

fn way(api: &Server, token_url: &str) -> Way {
    way_with(api, token_url, SchemeSettings::default())
}

fn way_with(api: &Server, token_url: &str, settings: SchemeSettings) -> Way {
    let settings = BTreeMap::from([("app".to_owned(), settings)]);
    Way::with(&described(api, token_url), loopback(), settings)
        .set("API_CLIENT_ID", "client:1")
        .set("API_CLIENT_SECRET", "s3cret & more")
}

#[tokio::test]
async fn a_token_is_fetched_once_and_used_for_many_calls() {
    let (api, endpoint) = (api().await, endpoint(Some(3600)).await);
    let way = way(&api, &endpoint.url());
    let calls = join_all((0..20).map(|_| way.call("list", json!({})))).await;
    assert!(calls.iter().all(|told| !told.is_error), "{calls:?}");
    let [request] = &endpoint.received()[..] else {
        panic!("{:?}", endpoint.received());
    };
    assert_eq!(request.method, "POST");
    assert_eq!(
        request.field("grant_type").as_deref(),
        Some("client_credentials")
    );
    assert_eq!(request.field("client_id").as_deref(), Some("client:1"));
    assert_eq!(
        request.field("client_secret").as_deref(),
        Some("s3cret & more")
    );
    assert_eq!(request.field("scope").as_deref(), Some("things:read"));
    assert_eq!(request.header("authorization"), None);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_expires() {
    let (api, endpoint) = (api().await, endpoint(Some(3600)).await);
    let way = way(&api, &endpoint.url());
    way.call("list", json!({})).await;
    way.clock.turn(Duration::from_secs(3600 - 61));
    way.call("list", json!({})).await;
    assert_eq!(endpoint.received().len(), 1);
    way.clock.turn(Duration::from_secs(2));
    way.call("list", json!({})).await;
    assert_eq!(endpoint.received().len(), 2);
}

#[tokio::test]
async fn a_token_without_a_lifetime_is_kept_until_it_is_refused() {
    let (api, endpoint) = (api().await, endpoint(None).await);
    let way = way(&api, &endpoint.url());
    way.call("list", json!({})).await;
    way.clock.turn(Duration::from_hours(24 * 365));
    way.call("list", json!({})).await;
    assert_eq!(endpoint.received().len(), 1);
}

#[tokio::test]
async fn a_token_that_the_api_refuses_is_replaced_and_the_call_made_once_more() {
    let endpoint = endpoint(Some(3600)).await;
    // Takes the first token for two calls.
    let api = Server::start(|received, before| match received.header("authorization") {
        Some("Bearer good-token-0") if before >= 2 => answer(401, &json!({"message": "expired"})),
        _ => answer(200, &json!({"calls": before})),
    })
    .await;
    let way = way(&api, &endpoint.url());
    for _ in 0..2 {
        way.call("create", json!({})).await;
    }
    way.clock.turn(Duration::from_mins(1));
    let told = way.call("create", json!({})).await;
    assert!(!told.is_error, "{told:?}");
    assert_eq!(api.received().len(), 4);
    assert_eq!(endpoint.received().len(), 2);
}

#[tokio::test]
async fn an_api_that_refuses_every_token_is_asked_twice_at_most() {
    let endpoint = endpoint(Some(3600)).await;
    let api = Server::start(|_, _| answer(401, &json!({"message": "never"}))).await;
    let way = way(&api, &endpoint.url());
    let told = way.call("list", json!({})).await;
    assert!(told.is_error && told.text.contains("never"), "{told:?}");
    // A token of this moment would be refused as well.
    assert_eq!((api.received().len(), endpoint.received().len()), (1, 1));
    way.clock.turn(Duration::from_mins(1));
    way.call("list", json!({})).await;
    assert_eq!((api.received().len(), endpoint.received().len()), (3, 2));
}

fn only_basic(received: &Received, before: usize) -> Response<Body> {
    match received.header("authorization") {
        // Both halves are form-encoded: `client%3A1:s3cret+%26+more`.
        Some("Basic Y2xpZW50JTNBMTpzM2NyZXQrJTI2K21vcmU=") => issued(before, Some(100)),
        _ => answer(401, &json!({"error": "invalid_client"})),
    }
}

#[tokio::test]
async fn a_provider_that_takes_basic_only_is_found_out_once() {
    let (api, endpoint) = (api().await, Server::start(only_basic).await);
    let way = way(&api, &endpoint.url());
    let told = way.call("list", json!({})).await;
    assert!(!told.is_error, "{told:?}");
    assert_eq!(endpoint.received().len(), 2);
    way.clock.turn(Duration::from_mins(5));
    way.call("list", json!({})).await;
    assert_eq!(endpoint.received().len(), 3);
    assert_eq!(endpoint.received()[2].field("client_secret"), None);
}

#[tokio::test]
async fn what_the_operator_says_of_the_scheme_is_done() {
    let (api, endpoint) = (api().await, Server::start(only_basic).await);
    let settings = SchemeSettings {
        token_endpoint_auth_method: Some("client_secret_basic".to_owned()),
        resource: Some("https://api.example".to_owned()),
        parameters: BTreeMap::from([
            ("tenant".to_owned(), "7".to_owned()),
            ("grant_type".to_owned(), "password".to_owned()),
        ]),
        ..SchemeSettings::default()
    };
    let way = way_with(&api, &endpoint.url(), settings)
        .set_plain("API_SCOPES", "a b")
        .set_plain("API_AUDIENCE", "things");
    let told = way.call("list", json!({})).await;
    assert!(!told.is_error, "{told:?}");
    let [request] = &endpoint.received()[..] else {
        panic!("{:?}", endpoint.received());
    };
    for (field, value) in [
        ("grant_type", "client_credentials"),
        ("scope", "a b"),
        ("audience", "things"),
        ("resource", "https://api.example"),
        ("tenant", "7"),
    ] {
        assert_eq!(request.field(field).as_deref(), Some(value), "{field}");
    }
}

#[tokio::test]
async fn a_client_with_a_key_sends_an_assertion() {
    let (api, endpoint) = (api().await, endpoint(Some(100)).await);
    let settings = SchemeSettings {
        signing_algorithm: Some("ES256".to_owned()),
        ..SchemeSettings::default()
    };
    let settings = BTreeMap::from([("app".to_owned(), settings)]);
    let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let way = Way::with(&described(&api, &endpoint.url()), loopback(), settings)
        .set("API_CLIENT_ID", "client-1")
        .set("API_PRIVATE_KEY", &key);
    let told = way.call("list", json!({})).await;
    assert!(!told.is_error, "{told:?}");
    let request = &endpoint.received()[0];
    let kind = request.field("client_assertion_type").unwrap();
    assert_eq!(
        kind,
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    );
    assert_eq!(
        request
            .field("client_assertion")
            .unwrap()
            .split('.')
            .count(),
        3
    );
    assert_eq!(request.field("client_secret"), None);
}

#[tokio::test]
async fn a_refusal_is_told_without_the_providers_words_and_not_repeated_at_once() {
    let api = api().await;
    let endpoint = Server::start(|received, _| {
        let secret = received.field("client_secret").unwrap_or_default();
        let text = format!("the secret {secret} is wrong");
        answer(
            400,
            &json!({"error": "invalid_scope", "error_description": text}),
        )
    })
    .await;
    let way = way(&api, &endpoint.url());
    let told = way.call("list", json!({})).await;
    assert!(told.text.contains("invalid_scope"), "{told:?}");
    assert!(!told.text.contains("s3cret"), "{told:?}");
    assert_eq!(told.blame, Some(Blame::Operator));
    assert_eq!(endpoint.received().len(), 1);
    assert_eq!(api.received().len(), 0);

    way.call("list", json!({})).await;
    assert_eq!(endpoint.received().len(), 1, "asked again at once");
    way.clock.turn(Duration::from_secs(1));
    way.call("list", json!({})).await;
    assert_eq!(endpoint.received().len(), 2);
    way.clock.turn(Duration::from_secs(1));
    way.call("list", json!({})).await;
    assert_eq!(endpoint.received().len(), 2, "the pause did not grow");
    let numbers = way.metrics.render();
    assert!(
        numbers.contains("portcullis_token_fetches_total{outcome=\"failed\"} 2"),
        "{numbers}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_endpoint_that_never_answers_leaves_no_doubt_about_the_call() {
    let api = api().await;
    let endpoint = Server::start(|_, _| {
        let never = futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>();
        Response::new(Body::from_stream(never))
    })
    .await;
    let told = way(&api, &endpoint.url()).call("create", json!({})).await;
    assert_eq!(
        told.text,
        "no token came within 5 s; nothing was sent to the API"
    );
    assert_eq!(api.received().len(), 0);
}

#[tokio::test]
async fn s_06_a_token_endpoint_goes_through_the_same_guard() {
    let (api, endpoint) = (api().await, endpoint(None).await);
    let policy = EgressPolicy::default().allow_origin(Origin::parse(&api.url()).unwrap());
    let way = Way::with(&described(&api, &endpoint.url()), policy, BTreeMap::new())
        .set("API_CLIENT_ID", "client-1")
        .set("API_CLIENT_SECRET", "s3cret");
    let told = way.call("list", json!({})).await;
    let setting = format!("--allow-upstream {}", endpoint.url());
    assert!(told.text.contains(&setting), "{told:?}");
    assert_eq!(told.blame, Some(Blame::Operator));
    assert_eq!(endpoint.received().len(), 0);
}

#[tokio::test]
async fn s_08_a_token_endpoint_of_the_callers_gets_no_secret_of_the_operators() {
    let (api, endpoint) = (api().await, endpoint(None).await);
    let way = way(&api, "https://as.example/token").passed(&[("API_TOKEN_URL", &endpoint.url())]);
    let told = way.call("list", json!({})).await;
    assert!(told.text.contains("is not set"), "{told:?}");
    assert_eq!(endpoint.received().len(), 0);
}

#[tokio::test]
async fn o_13_clients_with_different_secrets_never_share_a_token() {
    let (api, endpoint) = (api().await, endpoint(Some(3600)).await);
    let mut way = way(&api, &endpoint.url());
    way.call("list", json!({})).await;
    way = way.passed(&[("API_CLIENT_SECRET", "another secret")]);
    way.call("list", json!({})).await;
    assert_eq!(endpoint.received().len(), 2);
    let used: Vec<_> = api
        .received()
        .iter()
        .map(|received| received.header("authorization").unwrap().to_owned())
        .collect();
    assert_eq!(used, ["Bearer good-token-0", "Bearer good-token-1"]);
}
