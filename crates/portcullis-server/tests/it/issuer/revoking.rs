//! `/revoke` and `/introspect`: clients that give tokens up, and ask what became of them.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::http::StatusCode;
use portcullis_base::{Clock as _, Digest, Slug};
use portcullis_oauth::issuer::client::{Client, ClientId, ClientOrigin, TokenEndpointAuthMethod};
use portcullis_store::{Actor, Inbound};
use serde_json::{Value, json};

use super::known::{known, register};
use super::person::{Asked, Person, tokens_of};
use super::site::{Answered, ORIGIN, PETS, Site, toolset_at};

const WEB: &str = "https://app.example/cb";
const SECRET: &str = "the secret of the assistant";

/// How long a call may still find what was revoked.
const MEMORY: Duration = Duration::from_secs(2);

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap()
}

async fn revoke(site: &Site, client: &str, token: &str) -> Answered {
    site.form("/revoke", &[("client_id", client), ("token", token)], &[])
        .await
}

fn assert_done(answered: &Answered) {
    assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
    assert_eq!(answered.text, "");
    assert_eq!(answered.header("cache-control"), Some("no-store"));
}

async fn refresh(site: &Site, tokens: &Value) -> Answered {
    site.token(&[
        ("grant_type", "refresh_token"),
        ("client_id", text(tokens, "client")),
        ("refresh_token", text(tokens, "refresh_token")),
        ("resource", PETS),
    ])
    .await
}

async fn status_of(site: &Site, tokens: &Value) -> StatusCode {
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    let token = text(tokens, "access_token");
    site.call("pets", token, &ping).await.status
}

async fn audited(site: &Site, action: &str) -> Vec<String> {
    let audit = site.store.list_audit(None, 1000).await.unwrap();
    let of_action = audit.into_iter().filter(|row| row.action == action);
    of_action.map(|row| row.actor).collect()
}

#[tokio::test]
async fn f_08_a_refresh_token_takes_all_tokens_of_its_grant_along() {
    let site = Site::start().await;
    let first = tokens_of(&site, "ann").await;
    let neighbour = tokens_of(&site, "ann").await;
    let mut second = refresh(&site, &first).await.json();
    second["client"] = first["client"].clone();
    assert_eq!(status_of(&site, &first).await, StatusCode::OK);
    // The hint is wrong, which does not matter.
    let fields = [
        ("client_id", text(&first, "client")),
        ("token", text(&second, "refresh_token")),
        ("token_type_hint", "access_token"),
    ];
    let answered = site
        .form(
            "/revoke",
            &fields,
            &[("origin", "https://elsewhere.example")],
        )
        .await;
    assert_done(&answered);
    assert_eq!(answered.header("access-control-allow-origin"), Some("*"));
    site.clock.turn(MEMORY);
    for tokens in [&first, &second] {
        assert_eq!(status_of(&site, tokens).await, StatusCode::UNAUTHORIZED);
        let refused = refresh(&site, tokens).await;
        assert_eq!(refused.json()["error"], "invalid_grant");
    }
    assert_eq!(status_of(&site, &neighbour).await, StatusCode::OK);
    assert_eq!(
        audited(&site, "grant.ended").await,
        [text(&first, "client")]
    );
    // It was gone already, and is again.
    assert_done(&revoke(&site, text(&first, "client"), text(&first, "refresh_token")).await);
    assert_eq!(audited(&site, "grant.ended").await.len(), 1);
}

#[tokio::test]
async fn f_08_an_access_token_goes_alone_unless_there_is_no_other() {
    let site = Site::start().await;
    let first = tokens_of(&site, "ann").await;
    let mut second = refresh(&site, &first).await.json();
    second["client"] = first["client"].clone();
    let client = text(&first, "client");
    assert_done(&revoke(&site, client, text(&second, "access_token")).await);
    assert_eq!(status_of(&site, &second).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status_of(&site, &first).await, StatusCode::OK);
    assert_eq!(audited(&site, "access_token.revoked").await, [client]);
    assert_eq!(refresh(&site, &second).await.status, StatusCode::OK);
    assert_eq!(audited(&site, "grant.ended").await, [""; 0]);

    let metadata = json!({
        "redirect_uris": [WEB], "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code"],
    });
    let client = site.register(&metadata).await.json();
    let client = text(&client, "client_id");
    let asked = Asked::new(client, WEB);
    let code = Person::default().sign_in(&site, &asked, "ann").await;
    let only = asked.redeem(&site, &code).await.json();
    assert_done(&revoke(&site, client, text(&only, "access_token")).await);
    assert_eq!(audited(&site, "grant.ended").await, [client]);
}

#[tokio::test]
async fn f_08_the_token_of_another_client_is_left_alone_and_audited() {
    let site = Site::start().await;
    let tokens = tokens_of(&site, "ann").await;
    let other = site.client(WEB).await;
    for kind in ["access_token", "refresh_token"] {
        assert_done(&revoke(&site, &other, text(&tokens, kind)).await);
    }
    site.clock.turn(MEMORY);
    assert_eq!(status_of(&site, &tokens).await, StatusCode::OK);
    assert_eq!(refresh(&site, &tokens).await.status, StatusCode::OK);
    assert_eq!(audited(&site, "revocation.refused").await, [&*other; 2]);
}

#[tokio::test]
async fn f_08_what_nobody_knows_is_revoked_already() {
    let site = Site::start().await;
    let client = site.client(WEB).await;
    let unknown = format!("pc_rt_{}", "A".repeat(43));
    for token in [&*unknown, "pc_at_short", "x", &"x".repeat(10_000)] {
        assert_done(&revoke(&site, &client, token).await);
    }
    let missing = revoke(&site, &client, "").await;
    assert_eq!(missing.status, StatusCode::BAD_REQUEST);
    assert_eq!(missing.json()["error"], "invalid_request");
    let nobody = revoke(&site, "nobody", &unknown).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
    assert_eq!(nobody.json()["error"], "invalid_client");
}

#[tokio::test]
async fn f_08_a_store_out_of_reach_is_no_success() {
    let site = Site::start().await;
    let tokens = tokens_of(&site, "ann").await;
    site.store.close().await;
    for kind in ["access_token", "refresh_token"] {
        let answered = revoke(&site, text(&tokens, "client"), text(&tokens, kind)).await;
        assert_eq!(answered.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answered.header("retry-after"), Some("1"));
        assert_eq!(answered.json()["error"], "temporarily_unavailable");
    }
}

/// Registers the assistant with a secret, and signs `ann` in to it.
async fn assistant(site: &Site, change: impl FnOnce(&mut Client)) -> Value {
    let mut client = known();
    client.metadata.auth_method = TokenEndpointAuthMethod::ClientSecretPost;
    client.metadata.auth_method_defaulted = false;
    client.secret = Some(Digest::of(SECRET.as_bytes()));
    change(&mut client);
    let id = client.id.to_string();
    let is_dynamic = client.origin == ClientOrigin::Dynamic;
    if is_dynamic {
        let now = site.clock.now();
        site.store.insert_client(&client, now).await.unwrap();
    } else {
        register(site, client).await;
    }
    let asked = Asked::new(&id, WEB);
    let code = Person::default().sign_in(site, &asked, "ann").await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", &*id),
        ("client_secret", SECRET),
        ("code", &*code),
        ("code_verifier", asked.verifier.expose()),
    ];
    let answered = site.token(&fields).await;
    assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
    let mut tokens = answered.json();
    tokens["client"] = id.into();
    tokens
}

async fn introspect(site: &Site, client: &str, token: &str) -> Answered {
    let fields = [
        ("client_id", client),
        ("client_secret", SECRET),
        ("token", token),
    ];
    site.form("/introspect", &fields, &[]).await
}

#[tokio::test]
async fn a_client_with_a_secret_is_told_of_its_own_tokens() {
    let site = Site::start().await;
    let tokens = assistant(&site, |_| {}).await;
    let others = tokens_of(&site, "ann").await;
    for kind in ["access_token", "refresh_token"] {
        let answered = introspect(&site, "assistant", text(&tokens, kind)).await;
        assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
        assert_eq!(answered.header("cache-control"), Some("no-store"));
        let told = answered.json();
        assert_eq!(told["active"], true, "{told}");
        assert_eq!(told["client_id"], "assistant");
        assert_eq!((&told["aud"], &told["iss"]), (&json!(PETS), &json!(ORIGIN)));
        assert_eq!(told["scope"], tokens["scope"]);
        assert!(told["sub"].as_str().unwrap().starts_with("sub_"));
    }
    let inactive = json!({"active": false});
    for token in [
        text(&others, "access_token"),
        text(&others, "refresh_token"),
        "x",
    ] {
        let answered = introspect(&site, "assistant", token).await;
        assert_eq!(answered.status, StatusCode::OK);
        assert_eq!(answered.json(), inactive, "{token}");
    }
    let fields = [
        ("client_id", "assistant"),
        ("client_secret", SECRET),
        ("token", text(&tokens, "refresh_token")),
    ];
    assert_done(&site.form("/revoke", &fields, &[]).await);
    let answered = introspect(&site, "assistant", text(&tokens, "access_token")).await;
    assert_eq!(answered.json(), inactive);
}

#[tokio::test]
async fn whoever_nobody_vouches_for_is_told_nothing_of_tokens() {
    let site = Site::start().await;
    let public = tokens_of(&site, "ann").await;
    let fields = [
        ("client_id", text(&public, "client")),
        ("token", text(&public, "access_token")),
    ];
    let by_public = site.form("/introspect", &fields, &[]).await;
    let dynamic = assistant(&site, |client| {
        client.origin = ClientOrigin::Dynamic;
        client.id = ClientId::parse("pc_client_dynamic").unwrap();
    });
    let dynamic = dynamic.await;
    let token = text(&dynamic, "access_token");
    let by_dynamic = introspect(&site, "pc_client_dynamic", token).await;
    for answered in [by_public, by_dynamic] {
        assert_eq!(answered.status, StatusCode::UNAUTHORIZED, "{answered:?}");
        assert_eq!(answered.json()["error"], "invalid_client");
    }
}

#[tokio::test]
async fn tokens_can_be_refused_and_revoked_where_no_toolset_takes_them_any_more() {
    let site = Site::start().await;
    let tokens = assistant(&site, |_| {}).await;
    let mut toolset = toolset_at("pets", &site.api);
    toolset.inbound = BTreeSet::from([Inbound::ApiKey]);
    toolset.sign_in = None;
    assert_eq!(toolset.slug, Slug::parse("pets").unwrap());
    site.publish_only(toolset);
    let grants = site.store.access_token(&access_digest(&tokens)).await;
    let grant = grants.unwrap().unwrap().grant;
    let ended = site
        .store
        .revoke_grants(vec![grant.id], Actor::new("cli"), site.clock.now());
    assert_eq!(ended.await.unwrap(), 1);
    let credentials = [("client_id", "assistant"), ("client_secret", SECRET)];
    let refresh_token = ("refresh_token", text(&tokens, "refresh_token"));
    let mut fields = vec![("grant_type", "refresh_token"), refresh_token];
    fields.extend(credentials);
    let refused = site.token(&fields).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{refused:?}");
    assert_eq!(refused.json()["error"], "invalid_grant");
    let mut fields = vec![("token", refresh_token.1)];
    fields.extend(credentials);
    assert_done(&site.form("/revoke", &fields, &[]).await);
    let told = introspect(&site, "assistant", refresh_token.1).await;
    assert_eq!(told.json(), json!({"active": false}));
}

fn access_digest(tokens: &Value) -> Digest {
    Digest::of(text(tokens, "access_token").as_bytes())
}
