//! What a request meets before and after the router, and the line that is written of it.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use portcullis_server::telemetry::logging::{LogFormat, lossy, subscriber};
use tokio::io::AsyncWriteExt as _;

use super::peer::{connect, exchange, settings, start, status};

fn request(method: &str, path: &str, headers: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n")
}

#[tokio::test]
async fn h_01_h_02_foreign_hosts_and_origins_do_not_reach_the_router() {
    let gateway = start(settings()).await;
    for (headers, expected) in [
        ("Host: evil.example\r\n", 421),
        ("Host: localhost\r\nOrigin: https://evil.example\r\n", 403),
        (
            "Host: localhost\r\nOrigin: null\r\nAuthorization: Bearer x\r\n",
            403,
        ),
        ("Host: localhost\r\nHost: localhost\r\n", 400),
        ("", 400),
        ("Host: localhost\r\nOrigin: http://localhost:6274\r\n", 500),
    ] {
        let answer = exchange(
            gateway.address,
            request("GET", "/panic", headers).as_bytes(),
        )
        .await;
        assert_eq!(status(&answer), Some(expected), "{headers}: {answer}");
        assert!(!answer.contains("evil.example"), "{answer}");
    }
}

#[tokio::test]
async fn h_01_an_unknown_path_is_judged_as_well() {
    let gateway = start(settings()).await;
    let evil = request("GET", "/nowhere", "Host: evil.example\r\n");
    let answer = exchange(gateway.address, evil.as_bytes()).await;
    assert_eq!(status(&answer), Some(421), "{answer}");
}

#[tokio::test]
async fn h_14_a_preflight_is_answered_without_credentials() {
    let gateway = start(settings()).await;
    let headers = "Host: localhost\r\nOrigin: http://localhost:6274\r\nAccess-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-type,mcp-protocol-version\r\n";
    let preflight = request("OPTIONS", "/petstore/mcp", headers);
    let answer = exchange(gateway.address, preflight.as_bytes())
        .await
        .to_lowercase();
    assert!(answer.starts_with("http/1.1 204"), "{answer}");
    assert!(answer.contains("access-control-allow-origin: http://localhost:6274\r\n"));
    assert!(answer.contains("mcp-protocol-version"));
    assert!(answer.contains("vary: origin"));
    assert!(!answer.contains("allow-credentials"));

    let call = request(
        "GET",
        "/petstore/mcp",
        "Host: localhost\r\nOrigin: http://localhost:6274\r\n",
    );
    let answer = exchange(gateway.address, call.as_bytes())
        .await
        .to_lowercase();
    assert!(answer.contains("access-control-expose-headers: www-authenticate, mcp-session-id"));
}

#[tokio::test]
async fn h_15_a_clients_trace_and_request_id_are_not_adopted() {
    let gateway = start(settings()).await;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let headers = format!(
        "Host: localhost\r\ntraceparent: {trace}\r\nbaggage: a=b\r\nx-request-id: req_mine\r\n"
    );
    let call = request("GET", "/petstore/mcp", &headers);
    let answer = exchange(gateway.address, call.as_bytes()).await;
    assert!(answer.contains("x-request-id: req_"), "{answer}");
    assert!(
        !answer.contains("req_mine") && !answer.contains(trace),
        "{answer}"
    );
}

#[tokio::test]
async fn l_09_a_panic_is_a_plain_500_with_the_requests_id() {
    let gateway = start(settings()).await;
    let call = request("GET", "/panic", "Host: localhost\r\n");
    let answer = exchange(gateway.address, call.as_bytes()).await;
    assert_eq!(status(&answer), Some(500), "{answer}");
    assert!(
        !answer.contains("SELECT") && !answer.contains("/srv"),
        "{answer}"
    );
    let id = answer
        .split_once("x-request-id: ")
        .and_then(|(_, rest)| rest.split_once("\r\n"))
        .map(|(id, _)| id)
        .expect("an id");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    assert!(body.contains(id), "{answer}");
}

#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("unpoisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Page {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("unpoisoned").clone()).expect("UTF-8")
    }
}

fn request_lines(page: &str) -> Vec<serde_json::Value> {
    page.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .filter(|line: &serde_json::Value| line["target"] == "portcullis::request")
        .collect()
}

#[tokio::test]
async fn a_request_whose_peer_goes_away_is_logged_as_given_up() {
    let page = Page::default();
    let (lines, log) = lossy(page.clone(), LogFormat::Json, 64).expect("a thread");
    let _scope = tracing::subscriber::set_default(subscriber("info", lines).expect("a filter"));
    let gateway = start(settings()).await;
    let mut stream = connect(gateway.address).await;
    let call = request("GET", "/slow", "Host: localhost\r\n");
    stream.write_all(call.as_bytes()).await.expect("sent");
    gateway.slow_begun.notified().await;
    drop(stream);
    gateway.shutdown.cancel();
    gateway.served.await.expect("served");
    drop(log);
    let lines = request_lines(&page.text());
    assert_eq!(lines[0]["status"], 499);
    assert_eq!(lines[0]["given_up"], true);
}

#[tokio::test]
async fn l_04_the_log_line_has_no_path_query_header_or_body() {
    let page = Page::default();
    let (lines, log) = lossy(page.clone(), LogFormat::Json, 64).expect("a thread");
    let _scope = tracing::subscriber::set_default(subscriber("trace", lines).expect("a filter"));
    let gateway = start(settings()).await;
    let headers = "Host: localhost\r\nAuthorization: Bearer canary-1\r\nCookie: canary-2\r\nMCP-PETSTORE-API-KEY: canary-3\r\nContent-Length: 8\r\n";
    let call = request("POST", "/petstore/mcp?code=canary-4", headers) + "canary-5";
    let answer = exchange(gateway.address, call.as_bytes()).await;
    assert_eq!(status(&answer), Some(200), "{answer}");
    let lost = request("GET", "/canary-6", "Host: localhost\r\n");
    exchange(gateway.address, lost.as_bytes()).await;
    gateway.shutdown.cancel();
    gateway.served.await.expect("served");
    drop(log);

    let page = page.text();
    assert!(!page.contains("canary"), "{page}");
    let lines = request_lines(&page);
    assert_eq!(lines.len(), 2, "{page}");
    assert_eq!(lines[0]["route"], "/{toolset}/mcp");
    assert_eq!(lines[0]["status"], 200);
    assert_eq!(lines[0]["method"], "POST");
    assert_eq!(lines[0]["size_bytes"], 8);
    assert_eq!(lines[0]["client.address"], "127.0.0.1");
    assert_eq!(lines[1]["route"], "(none)");
}
