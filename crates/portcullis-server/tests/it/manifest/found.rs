//! Where manifests are found, and what is none.

use portcullis_base::Digest;
use portcullis_oauth::manifest::check::DocumentKind;
use portcullis_server::compiled::KnownDocuments;
use portcullis_server::manifest::discover::{Found, NotFound, of_issuer, of_schemes, of_url};

use super::*;

/// Returns what is told where nothing is found.
async fn nothing(provider: &Provider, url: &str) -> String {
    let outcome = of_url(&provider.visitor(), url).await;
    outcome.unwrap_err().to_string()
}

#[tokio::test]
async fn metadata_is_found_past_errors_pages_and_other_issuers() {
    let provider = Provider::start().await;
    let issuer = format!("{}/tenant", provider.url());
    let document = metadata(&issuer);
    let other = metadata("https://other.example");
    provider.answer_by(move |received| {
        Some(match received.path_and_query.as_str() {
            "/.well-known/oauth-authorization-server/tenant" => answer(500, &json!({})),
            "/.well-known/openid-configuration/tenant" => page(),
            "/tenant/.well-known/openid-configuration" => answer(404, &json!({})),
            OAUTH => answer(200, &other),
            OPENID => answer(200, &document),
            _ => answer(404, &json!({})),
        })
    });
    let found = of_issuer(&provider.visitor(), &issuer).await.unwrap();
    assert_eq!(found.place, format!("{}{OPENID}", provider.url()));
    assert_eq!(found.kind, DocumentKind::OpenId);
    let kept = serde_json::to_value(&found.manifest).unwrap();
    assert_eq!(kept, metadata(&issuer), "every member is kept");
}

#[tokio::test]
async fn a_slash_at_the_end_is_overlooked_and_the_manifest_says_which_issuer_it_is() {
    let provider = Provider::start().await;
    let typed = format!("{}/", provider.url());
    let found = of_issuer(&provider.visitor(), &typed).await.unwrap();
    assert_eq!(found.manifest.issuer(), provider.url());
}

#[tokio::test]
async fn c_18_metadata_of_another_issuer_is_no_manifest_and_says_whose_it_is() {
    let provider = Provider::start().await;
    provider.serve(|document| document["issuer"] = json!("https://other.example"));
    let told = nothing(&provider, &provider.url()).await;
    assert!(told.contains("issuers are compared"), "{told}");
    assert!(told.ends_with("\"https://other.example\""), "{told}");
}

#[tokio::test]
async fn pages_and_other_documents_are_no_manifest() {
    let provider = Provider::start().await;
    for (body, reason) in [
        ("<html></html>", "it is a web page"),
        ("[]", "it is no JSON object"),
        ("{}", "its `issuer` is missing"),
    ] {
        provider.answer_by(move |_| Some(Response::new(Body::from(body))));
        let told = nothing(&provider, &provider.url()).await;
        assert!(told.contains(reason), "{told}");
    }
}

#[tokio::test]
async fn a_document_without_end_is_not_read_to_the_end() {
    let provider = Provider::start().await;
    let mut document = metadata(&provider.url());
    document["x"] = json!("x".repeat(10 << 20));
    provider.answer_by(move |_| Some(answer(200, &document)));
    let told = nothing(&provider, &provider.url()).await;
    assert!(told.contains("more than 262144 bytes"), "{told}");
}

#[tokio::test]
async fn s_04_a_redirect_of_metadata_is_not_followed() {
    let provider = Provider::start().await;
    let inside = Provider::start().await;
    let to = format!("{}{OAUTH}", inside.url());
    provider.answer_by(move |_| Some(redirect(&to)));
    let told = nothing(&provider, &provider.url()).await;
    assert!(told.contains("none is followed"), "{told}");
    assert_eq!(inside.server.received().len(), 0);
}

#[tokio::test]
async fn s_06_a_provider_inside_the_network_needs_the_operators_word() {
    let provider = Provider::start().await;
    let stranger = Visitor::by(Http::new(EgressPolicy::default(), Duration::from_secs(5)));
    let told = of_url(&stranger, &provider.url()).await.unwrap_err();
    let told = told.to_string();
    assert!(told.contains("leads to a loopback address"), "{told}");
    assert_eq!(told.matches(&provider.url()).count(), 4, "once: {told}");
    assert_eq!(provider.server.received().len(), 0);
}

#[tokio::test]
async fn what_is_no_web_address_is_not_asked() {
    let provider = Provider::start().await;
    for url in ["file:///etc/passwd", "acme", "https://a:b@acme.example"] {
        let outcome = of_url(&provider.visitor(), url).await;
        assert!(matches!(outcome, Err(NotFound::Url { .. })), "{url}");
    }
}

#[tokio::test]
async fn an_mcp_server_leads_to_its_authorization_server() {
    let provider = Provider::start().await;
    let server = format!("{}/v2/mcp", provider.url());
    for place in [
        "/.well-known/oauth-protected-resource/v2/mcp",
        "/.well-known/oauth-protected-resource",
        "/elsewhere",
    ] {
        let url = provider.url();
        provider.answer_by(move |received| match received.path_and_query.as_str() {
            path if path == place => Some(answer(
                200,
                &json!({
                    "resource": format!("{url}/v2/mcp"),
                    "authorization_servers": [url],
                    "scopes_supported": ["read"],
                }),
            )),
            "/v2/mcp" => {
                let mut challenge = answer(401, &json!({}));
                let named = format!("Bearer resource_metadata=\"{url}/elsewhere\"");
                let headers = challenge.headers_mut();
                headers.insert("www-authenticate", named.parse().unwrap());
                Some(challenge)
            }
            _ => None,
        });
        let found = of_url(&provider.visitor(), &server).await.unwrap();
        assert_eq!(found.manifest.issuer(), provider.url(), "{place}");
        let remark = &found.remarks[0];
        assert!(remark.contains("/v2/mcp\""), "{remark}");
        assert!(remark.contains("are not tokens for your endpoint"));
    }
}

async fn described(provider: &Provider, scheme: &Value) -> Result<Found, NotFound> {
    let document = json!({
        "openapi": "3.1.0",
        "info": {"title": "Pets", "version": "1"},
        "servers": [{"url": "https://pets.example"}],
        "paths": {},
        "components": {"securitySchemes": {"people": scheme}},
    });
    let content = document.to_string().into_bytes();
    let compiled = KnownDocuments::default().document(Digest::of(&content), &content);
    of_schemes(&provider.visitor(), &compiled.unwrap().schemes).await
}

fn oauth2(url: &str) -> Value {
    json!({"type": "oauth2", "flows": {"authorizationCode": {
        "authorizationUrl": format!("{url}/authorize"),
        "tokenUrl": format!("{url}/token"),
        "scopes": {"pets": "See the pets"},
    }}})
}

#[tokio::test]
async fn a_document_leads_to_the_metadata_of_its_sign_in() {
    let provider = Provider::start().await;
    let found = described(&provider, &oauth2(&provider.url())).await;
    assert_eq!(found.unwrap().manifest.issuer(), provider.url());
    let openid = json!({
        "type": "openIdConnect",
        "openIdConnectUrl": format!("{}{OPENID}", provider.url()),
    });
    let found = described(&provider, &openid).await.unwrap();
    assert_eq!(found.manifest.issuer(), provider.url());
    let key = json!({"type": "apiKey", "in": "header", "name": "X-Key"});
    let outcome = described(&provider, &key).await;
    assert_eq!(outcome, Err(NotFound::NoScheme));
}

#[tokio::test]
async fn where_only_a_document_knows_the_endpoints_the_manifest_says_nothing_else() {
    let provider = Provider::start().await;
    let url = provider.url();
    let mut other = metadata(&url);
    other["authorization_endpoint"] = json!(format!("{url}/other"));
    for served in [other, json!([])] {
        provider.serve(move |document| *document = served.clone());
        let found = described(&provider, &oauth2(&url)).await.unwrap();
        let expected = json!({
            "issuer": url,
            "authorization_endpoint": format!("{url}/authorize"),
            "token_endpoint": format!("{url}/token"),
            "scopes_supported": ["pets"],
        });
        assert_eq!(serde_json::to_value(&found.manifest).unwrap(), expected);
        assert!(found.remarks[1].contains("`registration_endpoint`"));
    }
}
