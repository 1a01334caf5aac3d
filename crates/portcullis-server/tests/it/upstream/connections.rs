//! The token of the person who calls: which tools it is for, and where it goes.

use std::collections::BTreeMap;

use portcullis_base::Blame;
use portcullis_store::SchemeSettings;
use serde_json::{Value, json};

use super::api::{Received, Server, json as answer};
use super::way::{Told, Way, document};
use crate::hand::loopback;

async fn api() -> Server {
    Server::start(|_, _| answer(200, &json!({}))).await
}

fn bearer() -> Value {
    json!({"type": "http", "scheme": "bearer"})
}

/// Describes an API with one scheme that is bound, and says so.
fn bound(api: &Server) -> Way {
    let described = document(
        &api.url(),
        json!([{"login": []}]),
        json!({"login": bearer()}),
    );
    Way::to(&described).bound("login", "github")
}

async fn sent(api: &Server, way: Way) -> Received {
    let told = way.call("list", json!({})).await;
    assert!(!told.is_error, "{told:?}");
    api.received().pop().unwrap()
}

async fn refused(api: &Server, way: Way) -> Told {
    let told = way.call("list", json!({})).await;
    assert!(told.is_error, "{told:?}");
    assert_eq!(api.received().len(), 0, "something was sent");
    told
}

#[tokio::test]
async fn a_call_bears_the_token_of_the_person_who_makes_it() {
    let api = api().await;
    let way = bound(&api).set("API_LOGIN", "the-operators");
    let received = sent(&api, way.connected("github", "the-persons")).await;
    assert_eq!(received.header("authorization"), Some("Bearer the-persons"));
}

#[tokio::test]
async fn for_who_did_not_sign_in_the_variables_count() {
    let api = api().await;
    let way = bound(&api).set("API_LOGIN", "the-operators");
    let received = sent(&api, way).await;
    let expected = Some("Bearer the-operators");
    assert_eq!(received.header("authorization"), expected);
    let told = refused(&self::api().await, bound(&self::api().await)).await;
    assert_eq!(
        told.text,
        "this tool needs a credential that is not set: your own access to `github` (connect without an API key, and sign in); or, without signing in, `API_LOGIN` (set it in the environment `production`)"
    );
    assert_eq!(told.blame, Some(Blame::Operator));
}

#[tokio::test]
async fn o_08_a_token_of_another_provider_is_not_sent() {
    let api = api().await;
    let told = refused(&api, bound(&api).connected("google", "the-persons")).await;
    assert!(
        told.text.contains("your own access to `github`"),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_scheme_that_is_not_bound_never_gets_the_token() {
    let api = api().await;
    let described = document(
        &api.url(),
        json!([{"login": []}]),
        json!({"login": bearer()}),
    );
    let told = refused(&api, Way::to(&described).connected("github", "the-persons")).await;
    assert!(!told.text.contains("sign in"), "{told:?}");
}

#[tokio::test]
async fn who_signed_in_acts_as_himself_where_the_document_leaves_a_choice() {
    let api = api().await;
    let key = json!({"type": "apiKey", "in": "header", "name": "X-Key"});
    let described = document(
        &api.url(),
        json!([{"key": []}, {"login": [], "key": []}, {"login": []}]),
        json!({"key": key, "login": bearer()}),
    );
    let way = || Way::to(&described).bound("login", "github");
    let alone = sent(&api, way().connected("github", "the-persons")).await;
    assert_eq!(alone.header("authorization"), Some("Bearer the-persons"));
    let keyed = || way().set("API_KEY", "the-operators");
    let both = sent(&api, keyed().connected("github", "the-persons")).await;
    assert_eq!(both.header("authorization"), Some("Bearer the-persons"));
    assert_eq!(both.header("x-key"), Some("the-operators"));
    let without = sent(&api, keyed()).await;
    assert_eq!(without.header("authorization"), None);
    assert_eq!(without.header("x-key"), Some("the-operators"));
}

#[tokio::test]
async fn o_08_the_persons_token_goes_to_no_server_that_the_operator_did_not_name() {
    let (own, other) = (api().await, api().await);
    let mut described = document(
        &own.url(),
        json!([{"login": []}]),
        json!({"login": bearer()}),
    );
    described["paths"]["/things"]["get"]["servers"] = json!([{"url": other.url()}]);
    let way = |settings: BTreeMap<String, SchemeSettings>| {
        Way::with(&described, loopback(), settings)
            .bound("login", "github")
            .connected("github", "the-persons")
    };
    let told = refused(&other, way(BTreeMap::new())).await;
    assert!(
        told.text.contains("[documents.api.schemes.login]"),
        "{told:?}"
    );
    let settings = SchemeSettings {
        origins: vec![other.url()],
        ..SchemeSettings::default()
    };
    let allowed = way(BTreeMap::from([("login".to_owned(), settings)]));
    let received = sent(&other, allowed).await;
    assert_eq!(received.header("authorization"), Some("Bearer the-persons"));
}

#[tokio::test]
async fn s_08_the_persons_token_goes_to_no_server_that_a_caller_chooses() {
    let (own, other) = (api().await, api().await);
    let way = bound(&own).declared(&["API_SERVER_URL"]);
    let way = way.connected("github", "the-persons");
    let url = other.url();
    let told = refused(&other, way.passed(&[("API_SERVER_URL", &url)])).await;
    assert!(
        told.text
            .contains("it is not sent to an address that you choose"),
        "{told:?}"
    );
    assert_eq!(own.received().len(), 0);
}

#[tokio::test]
async fn an_answer_is_told_without_the_persons_token() {
    let api = Server::start(|_, _| answer(200, &json!({"echo": "Bearer the-persons-token"}))).await;
    let way = bound(&api).connected("github", "the-persons-token");
    let told = way.call("list", json!({})).await;
    assert!(!told.text.contains("the-persons-token"), "{told:?}");
}

#[tokio::test]
async fn only_a_401_to_the_persons_token_alone_is_a_refusal_of_it() {
    let key = json!({"type": "apiKey", "in": "header", "name": "X-Key"});
    let both = json!({"login": [], "key": []});
    for (status, security, is_refusal) in [
        (401, json!({"login": []}), true),
        (403, json!({"login": []}), false),
        (401, both, false),
        (401, json!({"key": []}), false),
    ] {
        let api = Server::start(move |_, _| answer(status, &json!({}))).await;
        let described = document(
            &api.url(),
            json!([security]),
            json!({"key": key, "login": bearer()}),
        );
        let way = Way::to(&described).bound("login", "github");
        let way = way.set("API_KEY", "the-operators");
        let way = way.connected("github", "the-persons");
        let told = way.call("list", json!({})).await;
        assert!(told.is_error, "{told:?}");
        assert_eq!(told.refuses_connection, is_refusal, "{status} {security}");
    }
}
