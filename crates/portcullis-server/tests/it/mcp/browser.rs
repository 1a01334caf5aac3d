//! A person who opens an endpoint's URL.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use portcullis_store::Inbound;

use super::gateway::Gateway;

fn visit(headers: &[(&str, &str)]) -> Request<Body> {
    let mut builder = Request::builder().method(Method::GET).uri("/pets/mcp");
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn a_visitor_is_told_what_this_is_and_how_to_connect() {
    let gateway = Gateway::start(&[Inbound::ApiKey]).await;
    for headers in [
        &[("sec-fetch-mode", "navigate"), ("accept", "text/html,*/*")][..],
        &[("accept", "text/html,application/xhtml+xml")],
    ] {
        let answered = gateway.send(visit(headers)).await;
        assert_eq!(answered.status, StatusCode::OK);
        assert_eq!(
            answered.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        assert_eq!(answered.header("x-frame-options"), Some("DENY"));
        for expected in [
            "http://localhost:8080/pets/mcp",
            "Authorization: Bearer",
            "MCP-PETS-KEY",
            "Pets &#60;of all kinds&#62;",
        ] {
            assert!(
                answered.text.contains(expected),
                "{expected} not in {}",
                answered.text
            );
        }
        for hidden in ["whoami", "Feed them"] {
            assert!(!answered.text.contains(hidden), "{hidden}");
        }
    }
}

#[tokio::test]
async fn a_visitor_who_goes_astray_is_told_so_and_not_what_else_there_is() {
    let gateway = Gateway::start(&[Inbound::ApiKey]).await;
    for path in ["/", "/nothing/mcp", "/.well-known/oauth-protected-resource"] {
        let mut request = visit(&[("sec-fetch-mode", "navigate")]);
        *request.uri_mut() = path.parse().unwrap();
        let answered = gateway.send(request).await;
        assert_eq!(answered.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(
            answered.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        assert!(answered.text.contains("http://localhost:8080/NAME/mcp"));
        assert!(!answered.text.contains("pets"), "{}", answered.text);
        let mut request = visit(&[]);
        *request.uri_mut() = path.parse().unwrap();
        let answered = gateway.send(request).await;
        assert_eq!(answered.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answered.json()["error"], "not_found");
    }
}

#[tokio::test]
async fn a_script_or_a_client_is_no_visitor() {
    let gateway = Gateway::start(&[Inbound::ApiKey]).await;
    for headers in [
        &[("sec-fetch-mode", "cors"), ("accept", "text/html")][..],
        &[("accept", "text/event-stream")],
        &[],
    ] {
        let answered = gateway.send(visit(headers)).await;
        assert_eq!(answered.status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn a_visitor_of_an_endpoint_with_a_sign_in_is_asked_for_no_key() {
    let gateway = Gateway::start(&[Inbound::OAuth]).await;
    let answered = gateway.send(visit(&[("sec-fetch-mode", "navigate")])).await;
    assert_eq!(answered.status, StatusCode::OK);
    assert!(
        answered.text.contains("where you sign in"),
        "{}",
        answered.text
    );
    assert!(!answered.text.contains("API_KEY"), "{}", answered.text);
}
