//! What clients are told about where to sign in, and that each way in takes its own credential.

use super::*;

#[tokio::test]
async fn clients_are_sent_to_the_providers_own_issuer() {
    let outside = Outside::start(signed()).await;
    let answered = outside
        .site
        .get("/.well-known/oauth-protected-resource/pets/mcp")
        .await;
    assert_eq!(answered.status, StatusCode::OK);
    let metadata = answered.json();
    assert_eq!(metadata["resource"], PETS);
    assert_eq!(metadata["authorization_servers"], json!([ISSUER]));
    assert_eq!(metadata["scopes_supported"], json!(["read", "write"]));
    for path in [
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/pets/mcp",
        "/authorize",
        "/register",
    ] {
        let status = outside.site.get(path).await.status;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_manifest_is_served_again_as_the_toolsets_own() {
    let outside = Outside::start(ManifestSettings {
        republished: true,
        ..signed()
    })
    .await;
    let resource = outside
        .site
        .get("/.well-known/oauth-protected-resource")
        .await;
    assert_eq!(resource.json()["authorization_servers"], json!([PETS]));
    let answered = outside
        .site
        .get("/.well-known/oauth-authorization-server/pets/mcp")
        .await;
    assert_eq!(answered.status, StatusCode::OK);
    let metadata = answered.json();
    assert_eq!(metadata["issuer"], PETS);
    assert_eq!(metadata["x_of_the_provider"], true);
    let endpoint = "https://as.example/authorize";
    assert_eq!(metadata["authorization_endpoint"], endpoint);
}

#[tokio::test]
async fn who_brings_nothing_is_told_where_to_sign_in() {
    let outside = Outside::start(signed()).await;
    outside.publish(&signed(), &[Inbound::External, Inbound::Headers]);
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let request = |header: Option<(&str, &str)>| {
        let mut request = axum::http::Request::post("/pets/mcp")
            .header("content-type", "application/json")
            .header("mcp-protocol-version", "2025-11-25");
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        request.body(Body::from(message.to_string())).unwrap()
    };
    let answered = outside.site.send(request(None)).await;
    assert_eq!(answered.status, StatusCode::UNAUTHORIZED);
    let challenge = answered.header("www-authenticate").unwrap();
    assert!(challenge.contains("resource_metadata="), "{challenge}");
    assert!(!challenge.contains("error="), "{challenge}");
    let own = Some(("mcp-people-access-token", "mine"));
    let answered = outside.site.send(request(own)).await;
    assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
}

#[tokio::test]
async fn an_old_refresh_token_is_good_no_more_where_people_sign_in_elsewhere_now() {
    let outside = Outside::start(signed()).await;
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", "pc_client_gone"),
        (
            "refresh_token",
            "pc_rt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ),
    ];
    let answered = outside.site.token(&fields).await;
    assert_eq!(answered.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answered.json()["error"], "invalid_client");
}
