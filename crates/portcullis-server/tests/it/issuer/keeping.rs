//! Connections that nobody uses, at a provider that would forget them.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::Value;

use super::person::tokens_of;
use super::site::Site;

const DAY: Duration = Duration::from_hours(24);

/// Returns the refresh tokens that the provider was asked with, in order.
fn presented(site: &Site) -> Vec<String> {
    let received = site.provider.received();
    let mut presented: Vec<_> = received
        .iter()
        .filter(|it| it.path_and_query == "/token")
        .filter_map(|it| it.field("refresh_token"))
        .collect();
    presented.sort();
    presented
}

async fn give_up(site: &Site, tokens: &Value) {
    let field = |name: &str| tokens[name].as_str().unwrap();
    let fields = [
        ("client_id", field("client")),
        ("token", field("refresh_token")),
    ];
    let answered = site.form("/revoke", &fields, &[]).await;
    assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
}

#[tokio::test]
async fn nothing_is_kept_alive_unless_the_operator_says_so() {
    let site = Site::start().await;
    tokens_of(&site, "rolling").await;
    site.clock.turn(20 * DAY);
    assert_eq!(site.keeper().look().await.unwrap(), 0);
    assert!(presented(&site).is_empty());
}

#[tokio::test]
async fn a_connection_that_rests_is_renewed_once_and_in_time() {
    let site = Site::start().await;
    site.keep_alive(10 * DAY);
    tokens_of(&site, "rolling").await;
    let (mut one, mut other) = (site.keeper(), site.keeper());
    site.clock.turn(9 * DAY + DAY * 23 / 24);
    assert_eq!(one.look().await.unwrap(), 0);
    site.clock.turn(DAY / 24);
    let (first, second) = tokio::join!(one.look(), other.look());
    assert!(first.unwrap() + second.unwrap() >= 1);
    assert_eq!(one.look().await.unwrap(), 0);
    assert_eq!(presented(&site), ["refresh-rolling~0"]);
    site.clock.turn(10 * DAY);
    assert_eq!(one.look().await.unwrap(), 1);
    assert_eq!(presented(&site), ["refresh-rolling~0", "refresh-rolling~1"]);
}

#[tokio::test]
async fn what_no_client_can_use_any_more_is_left_to_rest() {
    let site = Site::start().await;
    site.keep_alive(10 * DAY);
    tokens_of(&site, "rolling").await;
    let given_up = tokens_of(&site, "steady").await;
    give_up(&site, &given_up).await;
    // Our refresh tokens are good for thirty days.
    site.clock.turn(30 * DAY);
    assert_eq!(site.keeper().look().await.unwrap(), 0);
    assert!(presented(&site).is_empty());
}

#[tokio::test]
async fn one_connection_that_fails_holds_up_no_other() {
    let site = Site::start().await;
    site.keep_alive(10 * DAY);
    for person in ["ailing", "rolling", "quitting", "steady"] {
        tokens_of(&site, person).await;
    }
    site.clock.turn(10 * DAY);
    let mut keeper = site.keeper();
    let mut renewed = 0;
    for _ in 0..3 {
        renewed += keeper.look().await.unwrap();
    }
    assert_eq!(renewed, 2);
    // The one that failed is asked for again after a round.
    assert!(presented(&site).contains(&"refresh-ailing~0".to_owned()));
}
