//! What stands around the gateway: the provider that people sign in at, and the API behind its tools.

use axum::body::Body;
use axum::http::Response;
use portcullis_base::Secret;
use portcullis_oauth::pkce::CodeChallenge;
use serde_json::json;

use crate::upstream::api::{Received, Server, json as answer};

/// The secret of our registration at the provider.
pub(super) const PROVIDER_SECRET: &str = "secret-at-the-provider";

/// The provider: its code says who signed in and what the request was proved with, and its token who it was.
///
/// Names that differ behind a `~` are one account with several tokens.
pub(super) fn provider(received: &Received) -> Response<Body> {
    if received.path_and_query == "/token" {
        let basic = received.header("authorization").is_some();
        let code = received.field("code").unwrap_or_default();
        if basic || received.field("client_secret").as_deref() != Some(PROVIDER_SECRET) {
            return answer(401, &json!({"error": "invalid_client"}));
        }
        if received.field("grant_type").as_deref() == Some("refresh_token") {
            return next_tokens(&received.field("refresh_token").unwrap_or_default());
        }
        let verifier = received.field("code_verifier").unwrap_or_default();
        let challenge = CodeChallenge::of(&Secret::new(verifier));
        let code = code
            .strip_prefix("code-of-")
            .and_then(|it| it.split_once('.'));
        let Some((person, _)) = code.filter(|(_, proof)| *proof == challenge.as_str()) else {
            return answer(400, &json!({"error": "invalid_grant"}));
        };
        let mut tokens =
            json!({"access_token": format!("upstream-{person}"), "token_type": "bearer"});
        if person == "short" {
            tokens["expires_in"] = json!(60);
        }
        if RENEWED.contains(&person) {
            tokens["expires_in"] = json!(3600);
            tokens["refresh_token"] = json!(format!("refresh-{person}~0"));
        }
        if person == "reader" {
            tokens["scope"] = json!("read");
        }
        return answer(200, &tokens);
    }
    if received.path_and_query == "/revoke" {
        return revoked(received);
    }
    match person_of(received) {
        Some(person) => {
            let account = person.split('~').next().unwrap_or_default();
            let name = format!("Name of {account}");
            answer(200, &json!({"sub": account, "name": name}))
        }
        None => answer(401, &json!({})),
    }
}

/// Tokens are revoked, be they known or not; those of `ailing` never.
fn revoked(received: &Received) -> Response<Body> {
    if received.field("client_secret").as_deref() != Some(PROVIDER_SECRET) {
        return answer(401, &json!({"error": "invalid_client"}));
    }
    let token = received.field("token").unwrap_or_default();
    let status = if token.contains("ailing") { 503 } else { 200 };
    answer(status, &json!({}))
}

/// People whose tokens can be renewed, or so it seems.
const RENEWED: [&str; 7] = [
    "rolling",
    "steady",
    "quitting",
    "ailing",
    "spent",
    "narrowed",
    "throttled",
];

/// What a refresh token is traded for: a token that counts, and another refresh token unless it is that of `steady`.
fn next_tokens(refresh_token: &str) -> Response<Body> {
    let presented = refresh_token.strip_prefix("refresh-");
    let (person, count) = presented.and_then(|it| it.split_once('~')).unwrap();
    match person {
        "quitting" => return answer(400, &json!({"error": "invalid_grant"})),
        "throttled" => {
            let mut refused = answer(429, &json!({"error": "slow_down"}));
            let headers = refused.headers_mut();
            headers.insert("retry-after", "90".parse().unwrap());
            return refused;
        }
        "ailing" => return answer(503, &json!({"error": "temporarily_unavailable"})),
        _ => {}
    }
    let next = count.parse::<u32>().unwrap() + 1;
    let mut tokens = json!({
        "access_token": format!("upstream-{person}~{next}"),
        "token_type": "bearer", "expires_in": 3600,
    });
    if person == "narrowed" {
        tokens["scope"] = json!("read");
    }
    if person != "steady" {
        tokens["refresh_token"] = json!(format!("refresh-{person}~{next}"));
    }
    answer(200, &tokens)
}

/// Returns whose token of the provider a request bears.
pub(in crate::issuer) fn person_of(received: &Received) -> Option<String> {
    let token = received
        .header("authorization")?
        .strip_prefix("Bearer upstream-")?;
    Some(token.to_owned())
}

/// The API: it says whose token it was called with, and honours none of the person `lost`, and the first of `spent` no more; of some it wants more than they brought.
pub(super) fn api(received: &Received) -> Response<Body> {
    match person_of(received).as_deref() {
        None | Some("lost" | "spent") => answer(401, &json!({"message": "bad credentials"})),
        Some("wanting" | "narrowed~1") => {
            let mut refused = answer(403, &json!({"message": "more, please"}));
            let challenge =
                "Bearer realm=\"people\", error=\"insufficient_scope\", scope=\"write\"";
            let headers = refused.headers_mut();
            headers.insert("www-authenticate", challenge.parse().unwrap());
            refused
        }
        Some(person) => answer(200, &json!({"person": person})),
    }
}

pub(super) fn document(api: &Server) -> Vec<u8> {
    let operation = |scope: &str| {
        json!({
            "summary": "An operation",
            "tags": ["own"],
            "security": [{"login": [scope]}],
            "responses": {"200": {"description": "who"}},
        })
    };
    let mut read = operation("read");
    read["operationId"] = json!("whoami");
    let mut write = operation("write");
    write["operationId"] = json!("rename");
    json!({
        "openapi": "3.1.0",
        "info": {"title": "People", "version": "1"},
        "servers": [{"url": api.url()}],
        "paths": {"/me": {"get": read, "post": write}},
        "components": {"securitySchemes": {"login": {"type": "oauth2", "flows": {"authorizationCode": {
            "authorizationUrl": "https://idp.example/authorize",
            "tokenUrl": "https://idp.example/token",
            "scopes": {"read": "see who you are", "write": "change your name"},
        }}}}},
    })
    .to_string()
    .into_bytes()
}
