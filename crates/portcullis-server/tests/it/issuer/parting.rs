//! Access that is given back: ended here at once, then at the provider.

use std::time::Duration;

use axum::http::StatusCode;
use portcullis_base::{Clock as _, Digest};
use portcullis_store::Actor;
use serde_json::Value;

use super::person::tokens_of;
use super::site::{Answered, Site};

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap()
}

/// Lets the client give its refresh token up.
async fn give_up(site: &Site, tokens: &Value) {
    let fields = [
        ("client_id", text(tokens, "client")),
        ("token", text(tokens, "refresh_token")),
    ];
    let answered = site.form("/revoke", &fields, &[]).await;
    assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
}

/// Returns the tokens that the provider was asked to revoke, with what they were said to be.
fn revoked(site: &Site) -> Vec<(String, String)> {
    let received = site.provider.received().into_iter();
    let asked = received.filter(|it| it.path_and_query == "/revoke");
    asked
        .map(|it| {
            let field = |name| it.field(name).unwrap();
            (field("token_type_hint"), field("token"))
        })
        .collect()
}

fn both(person: &str) -> [(String, String); 2] {
    let pair = |hint: &str, token: String| (hint.to_owned(), token);
    [
        pair("refresh_token", format!("refresh-{person}~0")),
        pair("access_token", format!("upstream-{person}")),
    ]
}

async fn whoami(site: &Site, tokens: &Value) -> Answered {
    site.tool(text(tokens, "access_token"), "whoami").await
}

#[tokio::test]
async fn f_09_with_the_last_grant_the_provider_revokes_its_tokens() {
    let site = Site::start().await;
    let revoker = site.revoker();
    let [first, last] = [
        tokens_of(&site, "rolling").await,
        tokens_of(&site, "rolling").await,
    ];
    give_up(&site, &first).await;
    revoker.revoke_due().await.unwrap();
    assert_eq!(revoked(&site), []);
    assert_eq!(whoami(&site, &last).await.status, StatusCode::OK);
    give_up(&site, &last).await;
    site.clock.turn(Duration::from_secs(2));
    // Here it is over whether or not the provider knows.
    assert_eq!(whoami(&site, &last).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(revoked(&site), []);
    let other = site.revoker();
    let (one, two) = tokio::join!(revoker.revoke_due(), other.revoke_due());
    one.and(two).unwrap();
    let mut asked = revoked(&site);
    asked.sort();
    let mut expected = both("rolling");
    expected.sort();
    assert_eq!(asked, expected);
    site.clock.turn(Duration::from_hours(24));
    revoker.revoke_due().await.unwrap();
    assert_eq!(revoked(&site).len(), 2);
}

#[tokio::test]
async fn f_09_a_provider_that_is_ill_is_asked_again_and_not_for_ever() {
    let site = Site::start().await;
    let revoker = site.revoker();
    let tokens = tokens_of(&site, "ailing").await;
    give_up(&site, &tokens).await;
    for count in [2, 2, 4] {
        revoker.revoke_due().await.unwrap();
        assert_eq!(revoked(&site).len(), count);
        site.clock.turn(Duration::from_secs(59));
    }
    for _ in 0..20 {
        site.clock.turn(Duration::from_hours(6));
        revoker.revoke_due().await.unwrap();
    }
    assert_eq!(revoked(&site).len(), 20);
    let provider = tokens_of(&site, "ailing").await;
    let answered = whoami(&site, &provider).await;
    assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
}

#[tokio::test]
async fn f_09_whoever_signs_in_again_at_once_keeps_the_new_tokens() {
    let site = Site::start().await;
    let tokens = tokens_of(&site, "steady").await;
    give_up(&site, &tokens).await;
    let again = tokens_of(&site, "steady").await;
    site.revoker().revoke_due().await.unwrap();
    assert_eq!(revoked(&site), []);
    assert_eq!(whoami(&site, &again).await.status, StatusCode::OK);
}

#[tokio::test]
async fn f_09_a_renewal_under_way_does_not_bring_a_connection_back() {
    let site = Site::start().await;
    let tokens = tokens_of(&site, "rolling").await;
    let digest = Digest::of(text(&tokens, "access_token").as_bytes());
    let grant = site
        .store
        .access_token(&digest)
        .await
        .unwrap()
        .unwrap()
        .grant;
    site.clock.turn(Duration::from_secs(59 * 60 + 30));
    let now = site.clock.now();
    // The call renews the connection while the operator revokes the grant.
    let ended = site
        .store
        .revoke_grants(vec![grant.id], Actor::new("cli"), now);
    let (called, ended) = tokio::join!(whoami(&site, &tokens), ended);
    assert_eq!(ended.unwrap(), 1);
    assert!(called.status == StatusCode::OK || called.status == StatusCode::UNAUTHORIZED);
    site.clock.turn(Duration::from_secs(2));
    assert_eq!(
        whoami(&site, &tokens).await.status,
        StatusCode::UNAUTHORIZED
    );
    let connection = site.store.connection(grant.connection.unwrap()).await;
    let connection = connection.unwrap().unwrap();
    assert_eq!(
        (connection.access.expose(), connection.is_renewable),
        ("", false)
    );
    site.revoker().revoke_due().await.unwrap();
    let asked = revoked(&site);
    // Whatever the provider gave before or meanwhile, the newest is revoked.
    let received = site.provider.received();
    let renewed = received
        .iter()
        .any(|it| it.field("refresh_token").is_some());
    let newest = format!("refresh-rolling~{}", u8::from(renewed));
    assert!(asked.iter().any(|(_, token)| *token == newest), "{asked:?}");
}
