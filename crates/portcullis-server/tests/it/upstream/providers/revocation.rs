//! Tokens that providers are asked to revoke.

use super::*;

/// A provider that is asked at `/revoke`, answered by one function.
async fn revoking(
    answering: impl Fn(&Received, usize) -> Response<Body> + Send + Sync + 'static,
) -> (Server, Arc<ResolvedProvider>) {
    let server = Server::start(answering).await;
    let mut settings = at(&server, "oauth2");
    settings.endpoints.revocation = Some(format!("{}/revoke", server.url()));
    (server, provider(settings))
}

async fn revoke(provider: &Arc<ResolvedProvider>) -> Result<bool, ProviderError> {
    revoke_as(provider, "refresh_token").await
}

async fn revoke_as(
    provider: &Arc<ResolvedProvider>,
    hint: &'static str,
) -> Result<bool, ProviderError> {
    let gateway = Gateway::new();
    let ready = gateway.ready(provider).await;
    let token = secret("rt & 1");
    gateway.providers.revoke(&ready, &token, hint).await
}

#[tokio::test]
async fn f_09_our_secret_goes_along_as_the_provider_takes_it() {
    let (server, provider) = revoking(|received, _| {
        let status = if received.header("authorization").is_some() {
            200
        } else {
            401
        };
        answer(status, &json!({}))
    })
    .await;
    assert_eq!(revoke(&provider).await, Ok(true));
    let [by_form, by_header] = &server.received()[..] else {
        panic!("{:?}", server.received());
    };
    assert_eq!(by_form.field("client_secret").as_deref(), Some(SECRET));
    assert_eq!(by_header.field("client_secret"), None);
    for request in [by_form, by_header] {
        assert_eq!(
            (request.method.as_str(), &*request.path_and_query),
            ("POST", "/revoke")
        );
        assert_eq!(request.field("token").as_deref(), Some("rt & 1"));
        assert_eq!(
            request.field("token_type_hint").as_deref(),
            Some("refresh_token")
        );
    }
}

#[tokio::test]
async fn f_09_only_what_is_gone_counts_as_revoked() {
    for (status, error, is_gone) in [
        (200, "", true),
        (204, "", true),
        (400, "invalid_token", true),
        (400, "invalid_grant", true),
        (400, "unsupported_token_type", true),
        (400, "invalid_request", false),
        (401, "invalid_token", false),
        (404, "", false),
        (302, "", false),
        (503, "", false),
    ] {
        let (_server, provider) =
            revoking(move |_, _| answer(status, &json!({"error": error}))).await;
        let outcome = revoke(&provider).await;
        assert_eq!(outcome.is_ok(), is_gone, "{status} {error}: {outcome:?}");
    }
}

#[tokio::test]
async fn f_09_a_provider_without_an_endpoint_is_not_asked() {
    let server = Server::start(|_, _| answer(200, &json!({}))).await;
    assert_eq!(revoke(&provider(at(&server, "oauth2"))).await, Ok(false));
    assert_eq!(server.received().len(), 0);
}

#[tokio::test]
async fn f_09_github_is_asked_in_its_own_way() {
    for (status, is_gone) in [(204, true), (404, true), (422, false), (401, false)] {
        let server = Server::start(move |_, _| answer(status, &json!({}))).await;
        let mut settings = at(&server, "github");
        let path = "/applications/us/token";
        settings.endpoints.revocation = Some(format!("{}{path}", server.url()));
        let provider = provider(settings);
        assert_eq!(revoke_as(&provider, "refresh_token").await, Ok(false));
        let outcome = revoke_as(&provider, "access_token").await;
        assert_eq!(outcome.is_ok(), is_gone, "{status}: {outcome:?}");
        let [request] = &server.received()[..] else {
            panic!("{:?}", server.received());
        };
        assert_eq!(
            (request.method.as_str(), &*request.path_and_query),
            ("DELETE", path)
        );
        assert_eq!(request.body, r#"{"access_token":"rt & 1"}"#);
        assert_eq!(request.header("content-type"), Some("application/json"));
        let authorization = request.header("authorization").unwrap();
        assert!(authorization.starts_with("Basic "));
        assert!(!request.body.contains(SECRET));
    }
}
