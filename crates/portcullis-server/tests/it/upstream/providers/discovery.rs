//! Metadata: where it is looked for, whose it must be, and for how long it is believed.

use axum::http::StatusCode;
use futures_util::future::join_all;
use portcullis_base::{Blame, Origin};
use portcullis_oauth::client::metadata::InvalidMetadata;
use portcullis_oauth::client::profile::SecretMethod;
use portcullis_oauth::client::ready::NotReady;
use portcullis_server::upstream::providers::{AnswerProblem, Endpoint};

use super::*;

const OIDC: &str = "/.well-known/openid-configuration";
const RFC_8414: &str = "/.well-known/oauth-authorization-server";

fn page(status: u16) -> Response<Body> {
    Response::builder()
        .status(StatusCode::from_u16(status).unwrap())
        .header("location", "/elsewhere")
        .body(Body::from("<html>"))
        .unwrap()
}

async fn refusal(gateway: &Gateway, server: &Server) -> ProviderError {
    gateway
        .providers
        .ready(&discovering(server))
        .await
        .expect_err("no provider")
}

#[tokio::test]
async fn metadata_is_asked_for_once_in_ten_minutes() {
    let server = Server::start(|received, _| metadata(received, &json!({}))).await;
    let (gateway, provider) = (Gateway::new(), discovering(&server));
    let all = join_all((0..10).map(|_| gateway.ready(&provider))).await;
    assert_eq!(
        all[0].token().as_url().as_str(),
        format!("{}/token", server.url())
    );
    assert_eq!(paths(&server), [OIDC]);
    gateway.clock.turn(Duration::from_secs(599));
    gateway.ready(&provider).await;
    assert_eq!(server.received().len(), 1);
    gateway.clock.turn(Duration::from_secs(1));
    gateway.ready(&provider).await;
    assert_eq!(server.received().len(), 2);
}

#[tokio::test]
async fn what_metadata_says_is_done() {
    let members = json!({
        "authorization_response_iss_parameter_supported": true,
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "scopes_supported": ["openid"]
    });
    let server = Server::start(move |received, _| metadata(received, &members)).await;
    let ready = Gateway::new().ready(&discovering(&server)).await;
    assert!(ready.sends_iss());
    assert_eq!(ready.secret_method(), Some(SecretMethod::Basic));
    assert_eq!(ready.offline_scope(), None);
}

#[tokio::test]
async fn metadata_is_looked_for_at_a_second_place() {
    for status in [200, 302, 404, 500] {
        let server = Server::start(move |received, _| match path(received) {
            RFC_8414 => metadata(received, &json!({})),
            _ => page(status),
        })
        .await;
        Gateway::new().ready(&discovering(&server)).await;
        assert_eq!(paths(&server), [OIDC, RFC_8414], "{status}");
    }
}

#[tokio::test]
async fn a_provider_with_all_endpoints_is_asked_nothing() {
    let server = Server::start(|_, _| page(404)).await;
    let settings = ProviderSettings {
        issuer: Some("https://as.example".to_owned()),
        ..at(&server, "oidc")
    };
    Gateway::new().ready(&provider(settings)).await;
    assert_eq!(paths(&server), [""; 0]);
}

#[tokio::test]
async fn c_18_the_metadata_of_another_issuer_is_not_used() {
    let server = Server::start(|received, _| match path(received) {
        OIDC => metadata(received, &json!({"issuer": "https://evil.example"})),
        _ => page(404),
    })
    .await;
    let error = refusal(&Gateway::new(), &server).await;
    assert!(
        matches!(
            error,
            ProviderError::Metadata {
                reason: InvalidMetadata::OtherIssuer,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(error.blame(), Blame::Operator);
    assert!(error.to_string().contains("compare `issuer`"), "{error}");
    assert!(!error.to_string().contains("evil"), "{error}");
}

#[tokio::test]
async fn a_failure_is_told_again_for_five_seconds_only() {
    let server = Server::start(|received, before| match before {
        0..2 => page(500),
        _ => metadata(received, &json!({})),
    })
    .await;
    let gateway = Gateway::new();
    let first = refusal(&gateway, &server).await;
    assert!(
        matches!(
            first,
            ProviderError::Answer {
                endpoint: Endpoint::Metadata,
                problem: AnswerProblem::Status(500),
                ..
            }
        ),
        "{first}"
    );
    assert_eq!(refusal(&gateway, &server).await, first);
    assert_eq!(server.received().len(), 2);
    gateway.clock.turn(Duration::from_secs(5));
    gateway.ready(&discovering(&server)).await;
    assert_eq!(server.received().len(), 3);
}

#[tokio::test]
async fn s_06_a_provider_on_loopback_needs_the_operators_word() {
    let server = Server::start(|received, _| metadata(received, &json!({}))).await;
    let error = refusal(&Gateway::with(EgressPolicy::default()), &server).await;
    let setting = format!("add \"{}\" to `allow` in `[upstream]`", server.url());
    assert!(error.to_string().contains(&setting), "{error}");
    assert_eq!(error.blame(), Blame::Operator);
    assert_eq!(server.received().len(), 0);

    let origin = Origin::parse(&server.url()).unwrap();
    let allowed = Gateway::with(EgressPolicy::default().allow_origin(origin));
    allowed.ready(&discovering(&server)).await;
}

#[tokio::test]
async fn what_metadata_leaves_out_is_named() {
    let server =
        Server::start(|received, _| metadata(received, &json!({"token_endpoint": null}))).await;
    let error = refusal(&Gateway::new(), &server).await;
    assert!(
        matches!(
            error,
            ProviderError::NotReady {
                reason: NotReady::Missing("token_endpoint"),
                ..
            }
        ),
        "{error}"
    );
    assert!(
        error.to_string().contains("set `token_endpoint`"),
        "{error}"
    );
}

#[tokio::test]
async fn too_large_a_document_is_not_read() {
    let server = Server::start(|_, _| Response::new(Body::from(vec![b' '; 300_000]))).await;
    let error = refusal(&Gateway::new(), &server).await;
    assert!(
        matches!(
            error,
            ProviderError::Answer {
                problem: AnswerProblem::TooLarge(_),
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_never_answers_is_given_up() {
    let server = Server::start(|_, _| {
        let never = futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>();
        Response::new(Body::from_stream(never))
    })
    .await;
    let error = refusal(&Gateway::new(), &server).await;
    assert!(
        matches!(error, ProviderError::Unreachable { .. }),
        "{error}"
    );
    // The second place is at the same server.
    assert_eq!(server.received().len(), 1);
}
