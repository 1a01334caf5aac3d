//! What is called with the token of the person who calls although the document says nothing of credentials.

use portcullis_base::Blame;
use serde_json::{Value, json};

use super::api::{Received, Server, json as answer};
use super::way::{Told, Way, document};

async fn api() -> Server {
    Server::start(|_, _| answer(200, &json!({}))).await
}

/// Describes an API without a word about credentials.
fn silent(api: &Server) -> Value {
    let mut described = document(&api.url(), Value::Null, Value::Null);
    described.as_object_mut().unwrap().remove("security");
    described["components"] = json!({});
    described
}

fn lent(api: &Server) -> Way {
    Way::to(&silent(api)).lent("github", &[])
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
async fn a_document_that_says_nothing_is_called_with_the_persons_token() {
    let api = api().await;
    let received = sent(&api, lent(&api).connected("github", "the-persons")).await;
    assert_eq!(received.header("authorization"), Some("Bearer the-persons"));
}

#[tokio::test]
async fn who_did_not_sign_in_calls_without_a_credential() {
    let api = api().await;
    let received = sent(&api, lent(&api)).await;
    assert_eq!(received.header("authorization"), None);
}

#[tokio::test]
async fn o_08_an_operation_that_needs_nothing_gets_no_token_of_a_person() {
    let api = api().await;
    let mut described = silent(&api);
    described["paths"]["/things"]["get"]["security"] = json!([]);
    let way = Way::to(&described).lent("github", &[]);
    let received = sent(&api, way.connected("github", "the-persons")).await;
    assert_eq!(received.header("authorization"), None);
}

#[tokio::test]
async fn o_08_the_token_of_another_provider_is_not_lent() {
    let api = api().await;
    let told = refused(&api, lent(&api).connected("google", "the-persons")).await;
    assert_eq!(
        told.text,
        "this tool needs a credential that is not set: your own access to `github` (sign in there)"
    );
}

#[tokio::test]
async fn o_08_a_lent_token_goes_to_no_server_that_the_operator_did_not_name() {
    let (own, other) = (api().await, api().await);
    let mut described = silent(&own);
    described["paths"]["/things"]["get"]["servers"] = json!([{"url": other.url()}]);
    let way = |origins: &[&str]| {
        Way::to(&described)
            .lent("github", origins)
            .connected("github", "the-persons")
    };
    let told = refused(&other, way(&[])).await;
    let expected = format!("`origins = [\"{}\"]` in `[documents.api]`", other.url());
    assert!(told.text.contains(&expected), "{told:?}");
    assert_eq!(told.blame, Some(Blame::Operator));
    let url = other.url();
    let received = sent(&other, way(&[&url])).await;
    assert_eq!(received.header("authorization"), Some("Bearer the-persons"));
}

#[tokio::test]
async fn s_08_a_lent_token_goes_to_no_server_that_a_caller_chooses() {
    let (own, other) = (api().await, api().await);
    let url = other.url();
    let way = || {
        let way = lent(&own).declared(&["API_SERVER_URL"]);
        way.passed(&[("API_SERVER_URL", &url)])
    };
    let told = refused(&other, way().connected("github", "the-persons")).await;
    assert!(
        told.text
            .contains("it is not sent to an address that you choose"),
        "{told:?}"
    );
    assert_eq!(own.received().len(), 0);
    // Without a connection there is nothing to keep back.
    let received = sent(&other, way()).await;
    assert_eq!(received.header("authorization"), None);
}

#[tokio::test]
async fn a_lent_token_goes_where_the_operator_has_the_api() {
    let (documented, real) = (api().await, api().await);
    let url = real.url();
    let way = lent(&documented).set_plain("API_SERVER_URL", &url);
    let received = sent(&real, way.connected("github", "the-persons")).await;
    assert_eq!(received.header("authorization"), Some("Bearer the-persons"));
}

#[tokio::test]
async fn o_11_an_answer_is_told_without_the_lent_token() {
    let echo = json!({"echo": "Bearer the-persons-token"});
    let api = Server::start(move |_, _| answer(200, &echo)).await;
    let way = lent(&api).connected("github", "the-persons-token");
    let told = way.call("list", json!({})).await;
    assert!(!told.text.contains("the-persons-token"), "{told:?}");
}

#[tokio::test]
async fn an_api_that_refuses_a_lent_token_ends_the_sign_in() {
    let api = Server::start(|_, _| answer(401, &json!({}))).await;
    let told = lent(&api)
        .connected("github", "the-persons")
        .call("list", json!({}))
        .await;
    assert!(told.refuses_connection, "{told:?}");
}
