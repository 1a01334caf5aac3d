//! What clients are told about where to sign in, and that nobody but the configuration has a say in it.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;

use super::person::{Asked, Person};
use super::site::{Answered, ORIGIN, Site, parameter_of};

const WEB: &str = "https://app.example/cb";

/// What proxies write about where a request was sent, here by somebody who is no proxy of ours.
const FORWARDED: [(&str, &str); 6] = [
    ("forwarded", "host=evil.example;proto=http"),
    ("x-forwarded-host", "evil.example"),
    ("x-forwarded-proto", "http"),
    ("x-forwarded-port", "4444"),
    ("x-forwarded-prefix", "/evil.example"),
    ("x-original-url", "https://evil.example/"),
];

async fn with_headers(site: &Site, method: &str, path: &str, headers: &[(&str, &str)]) -> Answered {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    site.send(request.body(Body::empty()).unwrap()).await
}

/// Returns where a challenge says that the metadata is, as a path of ours.
fn metadata_of(answered: &Answered) -> String {
    let challenge = answered.header("www-authenticate").unwrap();
    let (_, rest) = challenge.split_once("resource_metadata=\"").unwrap();
    let url = rest.split_once('"').unwrap().0;
    url.strip_prefix(ORIGIN).unwrap().to_owned()
}

#[tokio::test]
async fn each_toolset_that_takes_our_tokens_has_metadata_where_its_challenge_says() {
    let site = Site::start().await;
    for slug in ["pets", "cars"] {
        let challenge = site
            .call(slug, "pc_at_unknown", &json!({"jsonrpc": "2.0"}))
            .await;
        assert_eq!(challenge.status, StatusCode::UNAUTHORIZED, "{slug}");
        let path = metadata_of(&challenge);
        // RFC 9728 §3.1: the well-known path stands before the path of the resource.
        let expected = format!("/.well-known/oauth-protected-resource/{slug}/mcp");
        assert_eq!(path, expected);
        for path in [path.clone(), format!("{path}/")] {
            let document = site.get(&path).await;
            assert_eq!(document.status, StatusCode::OK, "{path}");
            assert_eq!(document.header("content-type"), Some("application/json"));
            assert_eq!(
                document.json(),
                json!({
                    "resource": format!("{ORIGIN}/{slug}/mcp"),
                    "authorization_servers": [ORIGIN],
                    "scopes_supported": ["read", "write"],
                    "bearer_methods_supported": ["header"],
                    "resource_name": format!("The <{slug}> of people"),
                })
            );
        }
    }
}

#[tokio::test]
async fn the_root_has_metadata_where_one_toolset_only_takes_our_tokens() {
    let site = Site::start().await;
    let root = "/.well-known/oauth-protected-resource";
    // Of two it would say nothing that is true of both.
    assert_eq!(site.get(root).await.status, StatusCode::NOT_FOUND);
    site.publish_pets_only();
    let document = site.get(root).await;
    assert_eq!(document.status, StatusCode::OK);
    assert_eq!(
        document.text,
        site.get(&format!("{root}/pets/mcp")).await.text
    );
    assert_eq!(
        site.get(&format!("{root}/cars/mcp")).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn h_03_no_header_finds_its_way_into_metadata_or_challenges() {
    let site = Site::start().await;
    site.publish_pets_only();
    for (method, path) in [
        ("GET", "/.well-known/oauth-authorization-server"),
        ("GET", "/.well-known/oauth-protected-resource"),
        ("GET", "/.well-known/oauth-protected-resource/pets/mcp"),
        ("POST", "/pets/mcp"),
    ] {
        let plain = with_headers(&site, method, path, &[]).await;
        let forwarded = with_headers(&site, method, path, &FORWARDED).await;
        assert_eq!(forwarded.status, plain.status, "{path}");
        assert_eq!(forwarded.text, plain.text, "{path}");
        assert!(!format!("{forwarded:?}").contains("evil"), "{forwarded:?}");
        let foreign = with_headers(&site, method, path, &[("host", "evil.example")]).await;
        assert_eq!(foreign.status, StatusCode::MISDIRECTED_REQUEST, "{path}");
        assert!(!format!("{foreign:?}").contains("evil"), "{foreign:?}");
        // A port says nothing, and is not repeated either.
        let port = with_headers(&site, method, path, &[("host", "mcp.example:4444")]).await;
        assert_eq!(port.text, plain.text, "{path}");
        assert!(!format!("{port:?}").contains("4444"), "{port:?}");
    }
}

#[tokio::test]
async fn u_10_the_callback_that_a_provider_is_told_is_the_configured_one() {
    let site = Site::start().await;
    let asked = Asked::new(&site.client(WEB).await, WEB);
    let mut person = Person {
        headers: FORWARDED.to_vec(),
        ..Person::default()
    };
    let page = person.consent_page(&site, &asked).await;
    assert!(!page.text.contains("evil"), "{}", page.text);
    let provider = person.approve(&site, &page).await;
    let callback = "https://mcp.example/callback/idp";
    assert_eq!(
        parameter_of(&provider, "redirect_uri").as_deref(),
        Some(callback)
    );
    let back = person.come_back(&site, &provider, "ann").await;
    assert_eq!(back.status, StatusCode::SEE_OTHER, "{back:?}");
    assert_eq!(back.sent_to("iss").as_deref(), Some(ORIGIN));
    let exchange = &site.provider.received()[0];
    assert_eq!(exchange.path_and_query, "/token");
    assert_eq!(exchange.field("redirect_uri").as_deref(), Some(callback));
}
