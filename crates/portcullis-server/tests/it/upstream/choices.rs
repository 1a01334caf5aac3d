//! Which credentials a call bears and where it goes.

use std::collections::BTreeMap;

use portcullis_base::Blame;
use portcullis_store::SchemeSettings;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::api::{Received, Server, json as answer};
use super::way::{Told, Way, document};
use crate::hand::loopback;

async fn api() -> Server {
    Server::start(|_, _| answer(200, &json!({}))).await
}

fn key(name: &str) -> Value {
    json!({"type": "apiKey", "in": "header", "name": name})
}

/// One way through, and what the API got of it.
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
async fn the_first_alternative_whose_schemes_all_have_values_is_taken() {
    let api = api().await;
    let schemes = json!({"one": key("X-One"), "two": key("X-Two"), "three": key("X-Three")});
    let security = json!([{"one": [], "two": []}, {"three": []}]);
    let described = document(&api.url(), security, schemes);
    let way = || Way::to(&described);

    let both = sent(
        &api,
        way()
            .set("API_ONE", "1")
            .set("API_TWO", "2")
            .set("API_THREE", "3"),
    );
    let both = both.await;
    assert_eq!(both.header("x-one"), Some("1"));
    assert_eq!(both.header("x-two"), Some("2"));
    assert_eq!(both.header("x-three"), None);

    let half = sent(&api, way().set("API_ONE", "1").set("API_THREE", "3")).await;
    assert_eq!(half.header("x-one"), None);
    assert_eq!(half.header("x-three"), Some("3"));
}

#[tokio::test]
async fn without_values_the_call_names_what_is_missing_and_where_it_is_set() {
    let api = api().await;
    let schemes = json!({"one": key("X-One"), "two": key("X-Two"), "three": key("X-Three")});
    let security = json!([{"one": [], "two": []}, {"three": []}]);
    let way = Way::to(&document(&api.url(), security, schemes)).set("API_ONE", "1");
    let told = refused(&api, way.declared(&["API_THREE"])).await;
    assert_eq!(
        told.text,
        "this tool needs a credential that is not set: `API_TWO` (set it in the environment `production`); or else `API_THREE` (set it in the environment `production`, or pass it in the header `MCP-API-THREE`)"
    );
    assert_eq!(told.blame, Some(Blame::Operator));
}

#[tokio::test]
async fn o_08_a_tool_that_needs_nothing_gets_nothing() {
    let api = api().await;
    let mut described = document(
        &api.url(),
        json!([{"one": []}]),
        json!({"one": key("X-One")}),
    );
    described["paths"]["/things"]["get"]["security"] = json!([]);
    let received = sent(&api, Way::to(&described).set("API_ONE", "secret-one")).await;
    assert_eq!(received.header("x-one"), None);
}

#[tokio::test]
async fn o_08_a_credential_goes_to_no_server_that_the_operator_did_not_name() {
    let (own, other) = (api().await, api().await);
    let mut described = document(
        &own.url(),
        json!([{"one": []}]),
        json!({"one": key("X-One")}),
    );
    described["paths"]["/things"]["get"]["servers"] = json!([{"url": other.url()}]);
    let way = || Way::to(&described).set("API_ONE", "the-operators");
    let told = refused(&other, way()).await;
    let setting = format!(
        "`origins = [\"{}\"]` in `[documents.api.schemes.one]`",
        other.url()
    );
    assert!(told.text.contains(&setting), "{told:?}");
    assert_eq!(told.blame, Some(Blame::Operator));
    // What the operator says counts: an origin by its name, or one server for all.
    let settings = SchemeSettings {
        origins: vec![other.url()],
        ..SchemeSettings::default()
    };
    let settings = BTreeMap::from([("one".to_owned(), settings)]);
    let allowed = Way::with(&described, loopback(), settings).set("API_ONE", "the-operators");
    let received = sent(&other, allowed).await;
    assert_eq!(received.header("x-one"), Some("the-operators"));
    let received = sent(&own, way().set_plain("API_SERVER_URL", &own.url())).await;
    assert_eq!(received.header("x-one"), Some("the-operators"));
    // A call without a credential goes where the document says.
    described["paths"]["/things"]["get"]["security"] = json!([]);
    assert_eq!(
        sent(&other, Way::to(&described)).await.header("x-one"),
        None
    );
}

#[tokio::test]
async fn an_optional_credential_is_used_where_there_is_one() {
    let api = api().await;
    let security = json!([{}, {"one": []}]);
    let described = document(&api.url(), security, json!({"one": key("X-One")}));
    let without = sent(&api, Way::to(&described)).await;
    assert_eq!(without.header("x-one"), None);
    let with = sent(&api, Way::to(&described).set("API_ONE", "1")).await;
    assert_eq!(with.header("x-one"), Some("1"));
}

#[tokio::test]
async fn each_scheme_is_written_where_it_belongs() {
    let api = api().await;
    for (scheme, values, expected) in [
        (
            json!({"type": "http", "scheme": "bearer"}),
            &[("API_S", "t")][..],
            ("authorization", "Bearer t"),
        ),
        (
            json!({"type": "http", "scheme": "basic"}),
            &[("API_USERNAME", "me"), ("API_PASSWORD", "")],
            ("authorization", "Basic bWU6"),
        ),
        (
            json!({"type": "oauth2", "flows": {}}),
            &[("API_ACCESS_TOKEN", "t")],
            ("authorization", "Bearer t"),
        ),
        (
            json!({"type": "apiKey", "in": "cookie", "name": "sid"}),
            &[("API_S", "t")],
            ("cookie", "sid=t"),
        ),
    ] {
        let described = document(&api.url(), json!([{"s": []}]), json!({"s": scheme}));
        let way = values
            .iter()
            .fold(Way::to(&described), |way, (name, value)| {
                way.set(name, value)
            });
        let received = sent(&api, way).await;
        assert_eq!(received.header(expected.0), Some(expected.1), "{scheme}");
    }
    let in_query = json!({"type": "apiKey", "in": "query", "name": "k"});
    let described = document(&api.url(), json!([{"s": []}]), json!({"s": in_query}));
    let received = sent(&api, Way::to(&described).set("API_S", "t&u")).await;
    assert_eq!(received.path_and_query, "/things?k=t%26u");
}

#[tokio::test]
async fn s_08_who_chooses_the_server_gets_no_secret_of_the_operators() {
    let (operators, callers) = (api().await, api().await);
    let described = document(
        &operators.url(),
        json!([{"one": []}]),
        json!({"one": key("X-One")}),
    );
    let url = callers.url();
    let way = Way::to(&described)
        .set("API_ONE", "the-operators")
        .declared(&["API_ONE", "API_SERVER_URL"]);
    let told = refused(&callers, way.passed(&[("API_SERVER_URL", &url)])).await;
    assert!(told.text.contains("MCP-API-ONE"), "{told:?}");

    let way = Way::to(&described)
        .set("API_ONE", "the-operators")
        .passed(&[("API_SERVER_URL", &url), ("API_ONE", "the-callers")]);
    let received = sent(&callers, way).await;
    assert_eq!(received.header("x-one"), Some("the-callers"));
    assert_eq!(operators.received().len(), 0);
}

/// A port of loopback where whoever connects is hung up on.
async fn silent_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    port
}

async fn closed_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test]
async fn s_13_who_chooses_the_server_learns_nothing_about_the_network() {
    let described = document("https://api.example", json!([]), json!({}));
    let mut told = Vec::new();
    for url in [
        format!("http://127.0.0.1:{}", silent_port().await),
        format!("http://127.0.0.1:{}", closed_port().await),
        "http://10.0.0.1".to_owned(),
        "http://127.0.0.1:22".to_owned(),
        "https://name.invalid".to_owned(),
    ] {
        let way = Way::to(&described).passed(&[("API_SERVER_URL", &url)]);
        told.push(way.call("list", json!({})).await.text);
        let numbers = way.metrics.render();
        assert!(
            numbers.contains("{status=\"none\"} 1"),
            "repeated: {numbers}"
        );
    }
    told.dedup();
    assert_eq!(told, ["no answer came from the address that you chose"]);
}

#[tokio::test]
async fn an_address_that_the_operator_keeps_secret_is_not_told() {
    let described = document("https://api.example", json!([]), json!({}));
    let way = Way::to(&described).set("API_SERVER_URL", "http://10.11.12.13:8080");
    let told = way.call("list", json!({})).await;
    assert_eq!(told.blame, Some(Blame::Operator));
    assert!(told.cause.contains("private"), "{told:?}");
    for text in [&told.text, &told.cause] {
        assert!(!text.contains("10.11.12.13"), "{told:?}");
    }
}

#[tokio::test]
async fn o_03_a_server_variable_is_no_argument() {
    let api = api().await;
    let mut described = document(&api.url(), json!([]), json!({}));
    described["servers"] = json!([{
        "url": "http://{host}",
        "variables": {"host": {"default": format!("127.0.0.1:{}", api.port)}},
    }]);
    let way = Way::to(&described);
    assert!(!way.arguments("list").contains("host"));
    sent(&api, way).await;
}

/// A document whose server is `http://127.0.0.1:{port}/{version}`; the port has no default.
fn with_variables() -> Value {
    let mut described = document("/", json!([{"one": []}]), json!({"one": key("X-One")}));
    described["servers"] = json!([{
        "url": "http://127.0.0.1:{port}/{version}",
        "variables": {"version": {"default": "v1", "enum": ["v1", "v2"]}},
    }]);
    described
}

#[tokio::test]
async fn o_03_an_operator_sets_the_servers_variables() {
    let api = api().await;
    let described = with_variables();
    let port = api.port.to_string();
    let way = || Way::to(&described).set("API_ONE", "the-operators");
    let told = refused(&api, way()).await;
    assert!(told.text.contains("`API_SERVER_PORT`"), "{told:?}");
    assert_eq!(told.blame, Some(Blame::Operator));
    let set = || way().set_plain("API_SERVER_PORT", &port);
    let received = sent(&api, set()).await;
    assert_eq!(received.path_and_query, "/v1/things");
    assert_eq!(received.header("x-one"), Some("the-operators"));
    let received = sent(&api, set().set_plain("API_SERVER_VERSION", "v2")).await;
    assert_eq!(received.path_and_query, "/v2/things");
}

#[tokio::test]
async fn o_03_a_servers_variable_takes_no_other_part_of_the_url() {
    let api = api().await;
    let described = with_variables();
    let port = api.port.to_string();
    for (version, value) in [
        ("v3", &port),
        ("v1/x", &port),
        ("v1", &format!("{port}/x?")),
    ] {
        let way = Way::to(&described)
            .set("API_ONE", "the-operators")
            .set_plain("API_SERVER_PORT", value)
            .set_plain("API_SERVER_VERSION", version);
        let told = refused(&api, way).await;
        assert!(told.text.contains("of the server URL must"), "{told:?}");
    }
}

#[tokio::test]
async fn s_08_who_chooses_a_part_of_the_server_gets_no_secret_of_the_operators() {
    let api = api().await;
    let described = with_variables();
    let port = api.port.to_string();
    let way = Way::to(&described)
        .set("API_ONE", "the-operators")
        .declared(&["API_ONE", "API_SERVER_PORT"]);
    let told = refused(&api, way.passed(&[("API_SERVER_PORT", &port)])).await;
    assert!(told.text.contains("MCP-API-ONE"), "{told:?}");
}

#[tokio::test]
async fn the_operators_server_counts_more_than_the_documents() {
    let api = api().await;
    let described = document("https://api.example/v1", json!([]), json!({}));
    let url = format!("{}/v2/", api.url());
    let received = sent(&api, Way::to(&described).set_plain("API_SERVER_URL", &url)).await;
    assert_eq!(received.path_and_query, "/v2/things");
}

#[tokio::test]
async fn who_comes_in_by_headers_gets_the_address_but_no_secret() {
    let api = api().await;
    let described = document(
        "/relative",
        json!([{"one": []}]),
        json!({"one": key("X-One")}),
    );
    let way = || {
        Way::to(&described)
            .set_plain("API_SERVER_URL", &api.url())
            .set("API_ONE", "the-operators")
            .by_headers()
    };
    let told = refused(&api, way().declared(&["API_ONE"])).await;
    assert!(
        told.text.contains("pass it in the header `MCP-API-ONE`"),
        "{told:?}"
    );
    assert_eq!(told.blame, Some(Blame::Caller));
    let received = sent(&api, way().passed(&[("API_ONE", "mine")])).await;
    assert_eq!(received.header("x-one"), Some("mine"));
}

#[tokio::test]
async fn an_unknown_server_is_said_with_the_variable_that_sets_it() {
    let api = api().await;
    let told = refused(&api, Way::to(&document("/v1", json!([]), json!({})))).await;
    assert!(told.text.contains("`API_SERVER_URL`"), "{told:?}");
    assert_eq!(told.blame, Some(Blame::Operator));
}
