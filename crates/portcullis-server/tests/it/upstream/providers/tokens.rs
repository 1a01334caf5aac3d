//! Codes redeemed, and what providers make of it.

use portcullis_base::Blame;
use portcullis_server::upstream::providers::{AnswerProblem, Endpoint};

use super::*;

/// A provider with the profile `oauth2`, answered by one function.
async fn oauth2(
    answering: impl Fn(&Received, usize) -> Response<Body> + Send + Sync + 'static,
) -> (Server, Arc<ResolvedProvider>) {
    let server = Server::start(answering).await;
    let provider = provider(at(&server, "oauth2"));
    (server, provider)
}

fn issued() -> Value {
    json!({"access_token": "at-1", "token_type": "Bearer"})
}

#[tokio::test]
async fn a_code_is_redeemed_for_all_that_it_brings() {
    let (server, provider) = oauth2(|_, _| {
        let mut token = issued();
        token["refresh_token"] = json!("rt-1");
        token["expires_in"] = json!("3600");
        token["scope"] = json!("read more");
        answer(200, &token)
    })
    .await;
    let gateway = Gateway::new();
    let brought = gateway
        .redeem(&gateway.ready(&provider).await)
        .await
        .unwrap();
    assert_eq!(brought.tokens.access, secret("at-1"));
    assert_eq!(brought.tokens.refresh, Some(secret("rt-1")));
    let in_an_hour = Timestamp::from_millis(1_003_600_000);
    assert_eq!(brought.tokens.expires_at, Some(in_an_hour));
    assert_eq!(brought.tokens.scopes.to_string(), "more read");
    // `write` was not granted, so our token does not carry it.
    assert_eq!(brought.granted.to_string(), "read");

    let [request] = &server.received()[..] else {
        panic!("{:?}", server.received());
    };
    assert_eq!((request.method.as_str(), path(request)), ("POST", "/token"));
    for (field, value) in [
        ("grant_type", Some("authorization_code")),
        ("code", Some(CODE)),
        ("redirect_uri", Some("https://gw.example/callback/acme")),
        ("code_verifier", Some(VERIFIER)),
        ("client_id", Some("us")),
        ("client_secret", Some(SECRET)),
        ("resource", None),
        ("scope", None),
    ] {
        assert_eq!(request.field(field).as_deref(), value, "{field}");
    }
    assert_eq!(request.header("accept"), Some("application/json"));
    assert_eq!(request.header("authorization"), None);
}

#[tokio::test]
async fn what_the_provider_does_not_say_is_not_invented() {
    let (_server, provider) = oauth2(|_, _| answer(200, &issued())).await;
    let gateway = Gateway::new();
    let brought = gateway
        .redeem(&gateway.ready(&provider).await)
        .await
        .unwrap();
    assert_eq!(
        (brought.tokens.refresh, brought.tokens.expires_at),
        (None, None)
    );
    assert_eq!(brought.granted.to_string(), "read write");
}

#[tokio::test]
async fn a_sign_in_for_the_identity_leaves_our_scopes_alone() {
    let (_server, provider) = oauth2(|_, _| {
        let mut token = issued();
        token["scope"] = json!("openid");
        answer(200, &token)
    })
    .await;
    let gateway = Gateway::new();
    let ready = gateway.ready(&provider).await;
    let brought = gateway
        .redeem_for(&ready, SignInPurpose::Identity)
        .await
        .unwrap();
    assert_eq!(brought.granted.to_string(), "read write");
}

#[tokio::test]
async fn a_provider_that_takes_the_header_only_is_found_out_once() {
    let (server, provider) = oauth2(|received, _| match received.header("authorization") {
        // `us:our+secret+%26+more`
        Some("Basic dXM6b3VyK3NlY3JldCslMjYrbW9yZQ==") => answer(200, &issued()),
        _ => answer(401, &json!({"error": "invalid_client"})),
    })
    .await;
    let gateway = Gateway::new();
    let ready = gateway.ready(&provider).await;
    gateway.redeem(&ready).await.unwrap();
    assert_eq!(server.received().len(), 2);
    gateway.redeem(&ready).await.unwrap();
    assert_eq!(server.received().len(), 3);
    assert_eq!(server.received()[2].field("client_secret"), None);
}

#[tokio::test]
async fn a_code_that_is_refused_is_not_sent_again() {
    let (server, provider) = oauth2(|_, _| answer(400, &json!({"error": "invalid_grant"}))).await;
    let gateway = Gateway::new();
    let error = gateway
        .redeem(&gateway.ready(&provider).await)
        .await
        .unwrap_err();
    assert_eq!(server.received().len(), 1);
    assert_eq!(
        error.to_string(),
        "the provider `acme` gave no token (invalid_grant): the code was used already or is too old; begin again"
    );
}

#[tokio::test]
async fn c_22_a_refusal_tells_nothing_that_was_sent_or_written() {
    let (_server, provider) = oauth2(|received, _| {
        let text = format!("<b>{}</b> {}", received.body, SECRET);
        answer(401, &json!({"error": text, "error_description": text}))
    })
    .await;
    let gateway = Gateway::new();
    let error = gateway
        .redeem(&gateway.ready(&provider).await)
        .await
        .unwrap_err();
    let told = format!("{error} {error:?}");
    for secret in [CODE, VERIFIER, SECRET, "our secret", "<b>"] {
        assert!(!told.contains(secret), "{told}");
    }
    assert_eq!(error.blame(), Blame::Operator);
}

#[tokio::test]
async fn githubs_answers_are_read_as_it_writes_them() {
    let server = Server::start(|received, before| match (path(received), before) {
        ("/token", 0) => Response::new(Body::from(
            "access_token=gho_1&scope=repo%2Cread%3Aorg&token_type=bearer",
        )),
        _ => answer(200, &json!({"error": "bad_verification_code"})),
    })
    .await;
    let gateway = Gateway::new();
    let ready = gateway.ready(&provider(at(&server, "github"))).await;
    let brought = gateway.redeem(&ready).await.unwrap();
    assert_eq!(brought.tokens.scopes.to_string(), "read:org repo");
    let error = gateway.redeem(&ready).await.unwrap_err();
    assert!(
        error.to_string().contains("older than ten minutes"),
        "{error}"
    );
}

#[tokio::test]
async fn s_04_a_redirect_of_the_token_endpoint_is_not_followed() {
    let (server, provider) = oauth2(|_, _| {
        let redirect = Response::builder()
            .status(307)
            .header("location", "/elsewhere");
        redirect.body(Body::empty()).unwrap()
    })
    .await;
    let gateway = Gateway::new();
    let error = gateway
        .redeem(&gateway.ready(&provider).await)
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            ProviderError::Answer {
                endpoint: Endpoint::Token,
                problem: AnswerProblem::NoToken(_),
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(paths(&server), ["/token"]);
}

#[tokio::test]
async fn a_sign_in_runs_on_any_thread() {
    let (_server, provider) = oauth2(|_, _| answer(200, &issued())).await;
    let gateway = Arc::new(Gateway::new());
    let task = tokio::spawn(async move {
        let ready = gateway.ready(&provider).await;
        let tokens = gateway.redeem(&ready).await?;
        gateway
            .providers
            .identify(&ready, &tokens, &secret(NONCE))
            .await
    });
    // The server answers every path the same, and names nobody.
    assert!(matches!(
        task.await.unwrap(),
        Err(ProviderError::NoIdentity { .. })
    ));
}
