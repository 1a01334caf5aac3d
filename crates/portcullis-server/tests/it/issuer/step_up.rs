//! APIs that find a scope missing of which the document does not speak.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::person::{Asked, Person, tokens_of};
use super::site::{Answered, PETS, Site, searched, toolset_at};

const WEB: &str = "https://app.example/cb";

fn access(tokens: &Value) -> &str {
    tokens["access_token"].as_str().unwrap()
}

/// Signs somebody in for these scopes.
async fn tokens_for(site: &Site, name: &str, scope: &str) -> Value {
    let client = site.client(WEB).await;
    let asked = Asked::new(&client, WEB).with("scope", scope);
    let code = Person::default().sign_in(site, &asked, name).await;
    asked.redeem(site, &code).await.json()
}

fn assert_asked_for_all(answered: &Answered) {
    assert_eq!(answered.status, StatusCode::FORBIDDEN, "{answered:?}");
    let challenge = answered.header("www-authenticate").unwrap();
    for part in ["error=\"insufficient_scope\"", "scope=\"read write\""] {
        assert!(challenge.contains(part), "{challenge}");
    }
    // The challenge is ours, and says nothing of what the API said.
    assert!(!challenge.contains("people"), "{challenge}");
}

fn assert_is_result(answered: &Answered) {
    assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
    assert!(
        answered.text.contains("HTTP 403: more, please"),
        "{answered:?}"
    );
}

#[tokio::test]
async fn j_08_what_the_api_finds_missing_is_asked_for_at_once() {
    let site = Site::start().await;
    let tokens = tokens_for(&site, "wanting", "read").await;
    // Whoever has just signed in was asked, and would be asked for ever.
    assert_is_result(&site.tool(access(&tokens), "whoami").await);
    site.clock.turn(Duration::from_mins(1));
    assert_asked_for_all(&site.tool(access(&tokens), "whoami").await);
    assert_eq!(site.api.received().len(), 2);
}

#[tokio::test]
async fn whoever_has_everything_is_not_asked_again() {
    let site = Site::start().await;
    let tokens = tokens_for(&site, "wanting", "read write").await;
    assert_is_result(&site.tool(access(&tokens), "whoami").await);
    site.clock.turn(Duration::from_mins(2));
    assert_is_result(&site.tool(access(&tokens), "whoami").await);
}

#[tokio::test]
async fn what_the_provider_took_back_is_asked_for_once() {
    let site = Site::start().await;
    let client = tokens_of(&site, "narrowed").await;
    site.clock.turn(Duration::from_secs(59 * 60 + 30));
    // Renews the connection, which then carries less than our token says.
    assert_asked_for_all(&site.tool(access(&client), "whoami").await);
    let refreshed = site
        .token(&[
            ("grant_type", "refresh_token"),
            ("client_id", client["client"].as_str().unwrap()),
            ("refresh_token", client["refresh_token"].as_str().unwrap()),
            ("resource", PETS),
        ])
        .await;
    // Nobody is signed out by it.
    assert_eq!(refreshed.status, StatusCode::OK, "{refreshed:?}");
}

/// An endpoint, and the same for a client that wants some of its tools.
const ENDPOINTS: [&str; 2] = ["/pets/mcp", "/pets/mcp?tags=own"];

/// Calls a tool as clients of the dynamic mode do.
async fn tool_within(site: &Site, path: &str, token: &str, tool: &str) -> Answered {
    let message = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "call_tool", "arguments": {"name": tool, "arguments": {}}},
    });
    site.call_at(path, token, &message).await
}

/// Sees that a challenge leads to the metadata of the endpoint as the client names it.
fn assert_leads_to(answered: &Answered, path: &str) {
    let challenge = answered.header("www-authenticate").unwrap();
    let metadata = format!(
        "resource_metadata=\"https://mcp.example/.well-known/oauth-protected-resource{path}\""
    );
    assert!(challenge.contains(&metadata), "{challenge}");
}

#[tokio::test]
async fn j_08_a_call_within_a_call_asks_for_what_the_inner_tool_or_its_api_finds_missing() {
    let site = Site::start().await;
    let tokens = tokens_for(&site, "wanting", "read").await;
    site.publish_only(searched(toolset_at("pets", &site.api)));
    site.clock.turn(Duration::from_mins(1));
    for path in ENDPOINTS {
        let asked = site.api.received().len();
        // The document says so of the first, and the API of the second.
        for (tool, sent) in [("rename", 0), ("whoami", 1)] {
            let answered = tool_within(&site, path, access(&tokens), tool).await;
            assert_asked_for_all(&answered);
            assert_leads_to(&answered, path);
            assert_eq!(site.api.received().len(), asked + sent);
        }
    }
}

#[tokio::test]
async fn a_call_within_a_call_has_whoever_is_refused_sign_in_again() {
    for path in ENDPOINTS {
        let site = Site::start().await;
        let tokens = tokens_for(&site, "lost", "read").await;
        site.publish_only(searched(toolset_at("pets", &site.api)));
        site.clock.turn(Duration::from_mins(1));
        for (token, sent) in [("nobodys", 0), (access(&tokens), 1), (access(&tokens), 1)] {
            let answered = tool_within(&site, path, token, "whoami").await;
            assert_eq!(answered.status, StatusCode::UNAUTHORIZED, "{answered:?}");
            assert_leads_to(&answered, path);
            // What has ended is not tried again.
            assert_eq!(site.api.received().len(), sent);
        }
    }
}
