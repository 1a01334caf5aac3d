//! Requests as the API sees them, and what is said when it goes wrong.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Response;
use futures_util::future::BoxFuture;
use portcullis_base::Blame;
use portcullis_server::upstream::http::Resolve;
use portcullis_server::upstream::policy::EgressPolicy;
use serde_json::json;

use super::api::{Received, Server, json as answer};
use super::way::{Told, Way, document};

fn plain(api: &Server) -> Way {
    Way::to(&document(&api.url(), json!([]), json!({})))
}

fn keyed(api: &Server) -> Way {
    let schemes = json!({"key": {"type": "apiKey", "in": "header", "name": "X-Key"}});
    Way::to(&document(&api.url(), json!([{"key": []}]), schemes)).set("API_KEY", "the-key-itself")
}

fn redirect(location: &str) -> Response<Body> {
    Response::builder()
        .status(302)
        .header("location", location)
        .body(Body::empty())
        .unwrap()
}

#[tokio::test]
async fn o_09_the_api_gets_what_is_planned_and_nothing_else() {
    let api = Server::start(|_, _| answer(200, &json!({}))).await;
    keyed(&api).call("list", json!({})).await;
    let received = api.received();
    let mut names: Vec<_> = received[0]
        .headers
        .keys()
        .map(axum::http::HeaderName::as_str)
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["accept", "accept-encoding", "host", "user-agent", "x-key"]
    );
    assert_eq!(received[0].header("x-key"), Some("the-key-itself"));
}

#[tokio::test]
async fn s_04_o_10_a_redirect_is_said_and_not_followed() {
    let internal = Server::start(|_, _| answer(200, &json!({}))).await;
    let location = format!("{}/latest/meta-data", internal.url());
    let api = Server::start(move |_, _| redirect(&location)).await;
    let told = keyed(&api).call("list", json!({})).await;
    assert!(told.is_error);
    assert!(told.text.contains("redirect"), "{told:?}");
    assert_eq!(internal.received().len(), 0);
}

#[tokio::test]
async fn o_10_what_lies_beyond_the_cap_is_left_out_and_said() {
    let api = Server::start(|_, _| answer(200, &json!("x".repeat(5000)))).await;
    let told = plain(&api).call("list", json!({})).await;
    assert!(told.text.len() < 2000, "{}", told.text.len());
    assert!(told.text.contains("1000"), "{told:?}");
}

/// An API whose answers never end.
async fn endless() -> Server {
    Server::start(|_, _| {
        let never = futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>();
        Response::new(Body::from_stream(never))
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn x_06_a_call_too_many_is_told_to_come_again() {
    let api = endless().await;
    let way = plain(&api);
    let calls = (0..33).map(|_| way.call("list", json!({})));
    let told = futures_util::future::join_all(calls).await;
    let refused = |told: &&Told| told.text.contains("nothing was sent, so try again");
    assert_eq!(told.iter().filter(refused).count(), 1, "{told:?}");
    let after = way.call("list", json!({})).await;
    assert_eq!(after.text, "the API did not answer within 5 s");
}

#[tokio::test]
async fn an_answer_that_cannot_be_decompressed_is_no_success() {
    for body in ["no", "longer than the header of a gzip stream"] {
        let api = Server::start(move |_, _| {
            Response::builder()
                .header("content-encoding", "gzip")
                .body(Body::from(body))
                .unwrap()
        })
        .await;
        let told = plain(&api).call("list", json!({})).await;
        assert!(
            told.is_error && told.text.contains("decompressed"),
            "{told:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn o_10_an_api_that_never_answers_is_given_up() {
    let api = endless().await;
    let told = plain(&api).call("list", json!({})).await;
    assert_eq!(told.text, "the API did not answer within 5 s");
    assert_eq!(told.blame, Some(Blame::Upstream));
    let told = plain(&api).call("create", json!({})).await;
    assert!(told.text.contains("not known whether"), "{told:?}");
}

#[tokio::test]
async fn o_11_a_credential_that_the_api_repeats_reaches_nobody() {
    fn echo(received: &Received, _: usize) -> Response<Body> {
        let headers = format!("{:?}", received.headers);
        answer(500, &json!({"error": format!("cannot serve {headers}")}))
    }
    let api = Server::start(echo).await;
    let told = keyed(&api).call("list", json!({})).await;
    assert!(told.text.contains("[redacted]"), "{told:?}");
    assert!(!told.text.contains("the-key-itself"), "{told:?}");

    let schemes = json!({"login": {"type": "http", "scheme": "basic"}});
    let way = Way::to(&document(&api.url(), json!([{"login": []}]), schemes))
        .set("API_LOGIN_USERNAME", "some-long-key")
        .set("API_LOGIN_PASSWORD", "");
    let told = way.call("list", json!({})).await;
    // The pair in Base64 is what the API repeats.
    assert_eq!(
        api.received()[1].header("authorization"),
        Some("Basic c29tZS1sb25nLWtleTo=")
    );
    assert!(!told.text.contains("c29tZS1sb25nLWtleTo"), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_safe_request_is_sent_again_after_a_failure_that_passes() {
    let api = Server::start(|_, before| match before {
        0 => answer(503, &json!({})),
        1 => answer(502, &json!({})),
        _ => answer(200, &json!({"n": before})),
    })
    .await;
    let way = plain(&api);
    let told = way.call("list", json!({})).await;
    assert!(told.text.contains("n\\\":2"), "{told:?}");
    assert_eq!(api.received().len(), 3);
    let numbers = way.metrics.render();
    for line in ["{status=\"5xx\"} 2", "{status=\"2xx\"} 1"] {
        let line = format!("portcullis_upstream_requests_total{line}");
        assert!(numbers.contains(&line), "{numbers}");
    }
}

#[tokio::test]
async fn a_request_that_changes_something_is_sent_once() {
    let api = Server::start(|_, _| answer(503, &json!({"message": "busy"}))).await;
    let told = plain(&api).call("create", json!({})).await;
    assert!(told.is_error);
    assert_eq!(api.received().len(), 1);
}

#[tokio::test]
async fn s_14_a_refusal_names_the_setting_and_nothing_is_sent() {
    let api = Server::start(|_, _| answer(200, &json!({}))).await;
    let document = document(&api.url(), json!([]), json!({}));
    let way = Way::with(&document, EgressPolicy::default(), BTreeMap::default());
    let told = way.call("list", json!({})).await;
    let setting = format!("--allow-upstream {}", api.url());
    assert!(told.text.contains(&setting), "{told:?}");
    assert_eq!(told.blame, Some(Blame::Operator));
    assert_eq!(api.received().len(), 0);
}

#[tokio::test]
async fn s_02_no_spelling_of_an_internal_address_is_called() {
    for host in [
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "127.0.0.1.",
        "%31%32%37.0.0.1",
        "\u{ff11}27.0.0.1",
        "127\u{3002}0\u{3002}0\u{3002}1",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:127.0.0.1]",
    ] {
        let server = format!("https://{host}:8443");
        let document = document(&server, json!([]), json!({}));
        let way = Way::with(&document, EgressPolicy::default(), BTreeMap::default());
        let told = way.call("list", json!({})).await;
        assert!(
            told.text.contains("the call was not made"),
            "{host}: {told:?}"
        );
        assert!(told.text.contains("loopback"), "{host}: {told:?}");
    }
}

/// Resolves every name to one address.
struct Everywhere(std::net::IpAddr);

impl Resolve for Everywhere {
    fn resolve<'a>(&'a self, _: &'a str) -> BoxFuture<'a, std::io::Result<Vec<std::net::IpAddr>>> {
        Box::pin(async { Ok(vec![self.0]) })
    }
}

#[tokio::test]
async fn s_11_an_internal_address_is_not_even_connected_to() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let port = listener.local_addr().unwrap().port();
    let http = portcullis_server::upstream::http::Http::with_resolver(
        EgressPolicy::default(),
        Duration::from_secs(2),
        Arc::new(Everywhere([127, 0, 0, 1].into())),
    );
    let request = http::Request::get(format!("https://api.example:{port}/"))
        .body(http_body_util::Full::default())
        .unwrap();
    let refused = http.exchange(request, 100).await.unwrap_err();
    assert!(refused.to_string().contains("loopback"), "{refused}");
    let connected = tokio::time::timeout(Duration::from_millis(100), listener.accept()).await;
    assert!(connected.is_err(), "somebody connected");
}

#[test]
fn s_12_proxy_variables_are_not_read() {
    // The variables of this very process cannot be changed while other tests run.
    let mut test = std::process::Command::new(std::env::current_exe().unwrap());
    for name in [
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "all_proxy",
    ] {
        test.env(name, "http://127.0.0.1:1");
    }
    let output = test
        .args([
            "--exact",
            "upstream::calls::o_09_the_api_gets_what_is_planned_and_nothing_else",
        ])
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{report}");
    assert!(report.contains("1 passed"), "{report}");
}
