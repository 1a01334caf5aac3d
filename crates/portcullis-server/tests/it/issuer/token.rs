//! `/token`, and what its tokens open.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::person::{Asked, Person, tokens_of};
use super::site::{Answered, PETS, Site};

const WEB: &str = "https://app.example/cb";

async fn refresh(site: &Site, client: &str, token: &str) -> Answered {
    site.token(&[
        ("grant_type", "refresh_token"),
        ("client_id", client),
        ("refresh_token", token),
        ("resource", PETS),
    ])
    .await
}

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap()
}

fn ping() -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "ping"})
}

#[tokio::test]
async fn p_08_a_replay_is_refused_and_revokes_unless_the_answer_was_lost() {
    let site = Site::start().await;
    let asked = Asked::new(&site.client(WEB).await, WEB);
    let code = Person::default().sign_in(&site, &asked, "ann").await;
    let tokens = asked.redeem(&site, &code).await.json();
    let token = text(&tokens, "access_token");
    // The same client, the right verifier, at once: it lost the answer.
    let repeated = asked.redeem(&site, &code).await;
    assert_eq!(repeated.status, StatusCode::BAD_REQUEST);
    assert_eq!(repeated.json()["error"], "invalid_grant");
    assert_eq!(
        site.call("pets", token, &ping()).await.status,
        StatusCode::OK
    );
    site.clock.turn(std::time::Duration::from_secs(11));
    asked.redeem(&site, &code).await;
    site.clock.turn(std::time::Duration::from_secs(3));
    let after = site.call("pets", token, &ping()).await;
    assert_eq!(after.status, StatusCode::UNAUTHORIZED);
    let refreshed = refresh(&site, &asked.client, text(&tokens, "refresh_token")).await;
    assert_eq!(refreshed.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn p_08_another_client_that_presents_a_spent_code_ends_nothing() {
    let site = Site::start().await;
    let asked = Asked::new(&site.client(WEB).await, WEB);
    let other = site.client(WEB).await;
    let code = Person::default().sign_in(&site, &asked, "ann").await;
    let tokens = asked.redeem(&site, &code).await.json();
    site.clock.turn(std::time::Duration::from_secs(11));
    let replayed = site
        .token(&[
            ("grant_type", "authorization_code"),
            ("client_id", &other),
            ("code", &code),
            ("code_verifier", asked.verifier.expose()),
        ])
        .await;
    assert_eq!(replayed.json()["error"], "invalid_grant");
    site.clock.turn(std::time::Duration::from_secs(3));
    let token = text(&tokens, "access_token");
    let after = site.call("pets", token, &ping()).await;
    assert_eq!(after.status, StatusCode::OK);
    let audit = site.store.list_audit(None, 100).await.unwrap();
    let told = audit.iter().filter(|row| row.action == "code.replayed");
    assert_eq!(told.count(), 1);
}

#[tokio::test]
async fn p_09_of_eight_redemptions_at_once_one_succeeds() {
    let site = Site::start().await;
    let asked = Asked::new(&site.client(WEB).await, WEB);
    let code = Person::default().sign_in(&site, &asked, "ann").await;
    let redemptions = (0..8).map(|_| asked.redeem(&site, &code));
    let answers = futures_util::future::join_all(redemptions).await;
    let good = answers.iter().filter(|it| it.status == StatusCode::OK);
    assert_eq!(good.count(), 1);
    let refused = answers.iter().filter(|it| it.status != StatusCode::OK);
    for answered in refused {
        assert_eq!(answered.json()["error"], "invalid_grant");
    }
}

#[tokio::test]
async fn p_07_p_04_u_07_p_11_a_failed_redemption_leaves_the_code_good() {
    let site = Site::start().await;
    let asked = Asked::new(&site.client(WEB).await, WEB);
    let other = site.client(WEB).await;
    let code = Person::default().sign_in(&site, &asked, "ann").await;
    let good = [
        ("grant_type", "authorization_code"),
        ("client_id", &*asked.client),
        ("code", &*code),
        ("redirect_uri", WEB),
        ("code_verifier", asked.verifier.expose()),
        ("resource", PETS),
    ];
    for (name, value, error) in [
        ("client_id", &*other, "invalid_grant"),
        ("code_verifier", "", "invalid_grant"),
        ("code_verifier", &"x".repeat(43), "invalid_grant"),
        ("redirect_uri", "https://app.example/other", "invalid_grant"),
        ("resource", "https://mcp.example/cars/mcp", "invalid_target"),
    ] {
        let fields = good.map(|(known, it)| (known, if known == name { value } else { it }));
        let answered = site.token(&fields).await;
        assert_eq!(answered.status, StatusCode::BAD_REQUEST, "{name}={value}");
        assert_eq!(answered.json()["error"], error, "{name}={value}");
    }
    assert_eq!(asked.redeem(&site, &code).await.status, StatusCode::OK);
}

#[tokio::test]
async fn p_10_a_code_is_good_for_a_minute() {
    let site = Site::start().await;
    let asked = Asked::new(&site.client(WEB).await, WEB);
    let code = Person::default().sign_in(&site, &asked, "ann").await;
    site.clock.turn(std::time::Duration::from_mins(1));
    let answered = asked.redeem(&site, &code).await;
    assert_eq!(answered.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn t_01_t_02_t_03_t_04_a_client_authenticates_as_it_registered() {
    let site = Site::start().await;
    let metadata = json!({
        "redirect_uris": [WEB],
        "token_endpoint_auth_method": "client_secret_basic",
    });
    let registered = site.register(&metadata).await.json();
    let (id, secret) = (
        text(&registered, "client_id"),
        text(&registered, "client_secret"),
    );
    let public = site.client(WEB).await;
    let basic = |pair: String| format!("Basic {}", STANDARD.encode(pair));
    let right = basic(format!("{id}:{secret}"));
    let grant = ("grant_type", "authorization_code");
    let code = ("code", "pc_ac_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    for (fields, authorization, status, error) in [
        // Everything is right but the code.
        (vec![grant, code], Some(&*right), 400, "invalid_grant"),
        (
            vec![grant, code, ("client_id", id)],
            None,
            401,
            "invalid_client",
        ),
        (
            vec![grant, code],
            Some(&*basic(format!("{id}:wrong"))),
            401,
            "invalid_client",
        ),
        (vec![grant, code], Some("Basic %%%"), 401, "invalid_client"),
        (vec![grant, code], Some("Bearer x"), 401, "invalid_client"),
        (
            vec![grant, code, ("client_secret", "")],
            Some(&*right),
            400,
            "invalid_request",
        ),
        (
            vec![
                grant,
                code,
                ("client_id", &public),
                ("client_secret", "made-up"),
            ],
            None,
            401,
            "invalid_client",
        ),
        (
            vec![grant, code, ("client_id", "nobody")],
            None,
            401,
            "invalid_client",
        ),
        (vec![grant, code], None, 401, "invalid_client"),
    ] {
        let headers: Vec<_> = authorization
            .iter()
            .map(|value| ("authorization", *value))
            .collect();
        let answered = site.token_with(&fields, &headers).await;
        assert_eq!(
            answered.status.as_u16(),
            status,
            "{fields:?} {authorization:?}: {answered:?}"
        );
        assert_eq!(
            answered.json()["error"],
            error,
            "{fields:?} {authorization:?}"
        );
        assert_eq!(answered.header("cache-control"), Some("no-store"));
        if status == 401 && authorization.is_some() {
            let challenge = answered.header("www-authenticate").unwrap_or_default();
            assert!(challenge.starts_with("Basic "), "{answered:?}");
        }
    }
}

#[tokio::test]
async fn t_06_t_08_malformed_requests_are_named_and_never_a_failure_of_ours() {
    let site = Site::start().await;
    let client = site.client(WEB).await;
    for (fields, error) in [
        (vec![("client_id", &*client)], "invalid_request"),
        (
            vec![("client_id", &client), ("grant_type", "password")],
            "unsupported_grant_type",
        ),
        (
            vec![("client_id", &client), ("grant_type", "client_credentials")],
            "unsupported_grant_type",
        ),
        (
            vec![
                ("client_id", &client),
                ("client_id", &client),
                ("grant_type", "refresh_token"),
            ],
            "invalid_request",
        ),
    ] {
        let answered = site.token(&fields).await;
        assert_eq!(answered.status, StatusCode::BAD_REQUEST, "{fields:?}");
        assert_eq!(answered.json()["error"], error, "{fields:?}");
    }
    let request = Request::post("/token").header("content-type", "application/json");
    let answered = site.send(request.body(Body::from("{}")).unwrap()).await;
    assert_eq!(answered.json()["error"], "invalid_request");
    assert_eq!(
        site.get("/token").await.status,
        StatusCode::METHOD_NOT_ALLOWED
    );
}

#[tokio::test]
async fn f_01_refresh_tokens_rotate_and_an_old_one_ends_the_family() {
    let site = Site::start().await;
    let tokens = tokens_of(&site, "ann").await;
    let client = text(&tokens, "client");
    let first = text(&tokens, "refresh_token");
    let second = refresh(&site, client, first).await;
    assert_eq!(second.status, StatusCode::OK, "{second:?}");
    let second = second.json();
    assert_ne!(second["refresh_token"], tokens["refresh_token"]);
    assert_eq!(second["scope"], "read write");
    let access = text(&second, "access_token");
    assert_eq!(
        site.call("pets", access, &ping()).await.status,
        StatusCode::OK
    );
    // Another process that shares the first, a moment later.
    let shared = refresh(&site, client, first).await;
    assert_eq!(shared.status, StatusCode::OK, "{shared:?}");
    site.clock.turn(std::time::Duration::from_secs(61));
    let replayed = refresh(&site, client, first).await;
    assert_eq!(replayed.json()["error"], "invalid_grant");
    let ended = refresh(&site, client, text(&second, "refresh_token")).await;
    assert_eq!(ended.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn f_05_f_07_a_refresh_token_is_its_clients_and_no_other_kind_of_token() {
    let site = Site::start().await;
    let tokens = tokens_of(&site, "ann").await;
    let other = site.client(WEB).await;
    let own = text(&tokens, "client");
    let token = text(&tokens, "refresh_token");
    for (client, token) in [
        (&*other, token),
        (own, text(&tokens, "access_token")),
        (own, "pc_rt_short"),
        (own, "x"),
    ] {
        let answered = refresh(&site, client, token).await;
        assert_eq!(answered.status, StatusCode::BAD_REQUEST, "{token}");
        assert_eq!(answered.json()["error"], "invalid_grant", "{token}");
    }
    assert_eq!(refresh(&site, own, token).await.status, StatusCode::OK);
}

#[tokio::test]
async fn j_01_j_02_j_06_a_token_opens_its_own_toolset_and_nothing_else_does() {
    let site = Site::start().await;
    let tokens = tokens_of(&site, "ann").await;
    let good = text(&tokens, "access_token");
    assert_eq!(
        site.call("pets", good, &ping()).await.status,
        StatusCode::OK
    );
    assert_eq!(
        site.call("cars", good, &ping()).await.status,
        StatusCode::UNAUTHORIZED
    );
    // Whatever the last character is, this is another.
    let last = if good.ends_with('A') { 'E' } else { 'A' };
    let tampered = format!("{}{last}", &good[..good.len() - 1]);
    for token in [
        text(&tokens, "refresh_token"),
        &tampered,
        &good.to_uppercase(),
        "upstream-ann",
        "pc_key_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "eyJhbGciOiJub25lIn0.e30.",
    ] {
        let answered = site.call("pets", token, &ping()).await;
        assert_eq!(answered.status, StatusCode::UNAUTHORIZED, "{token}");
        let challenge = answered.header("www-authenticate").unwrap();
        assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
        assert!(!answered.text.contains(token));
    }
    site.clock.turn(std::time::Duration::from_hours(1));
    assert_eq!(
        site.call("pets", good, &ping()).await.status,
        StatusCode::UNAUTHORIZED
    );
}
