//! What goes by itself.

use std::time::Duration;

use portcullis_base::{ConnectionId, Digest};
use portcullis_oauth::issuer::code::CODE_LIFETIME;
use portcullis_oauth::issuer::grant::{EndReason, NewTokens, Renewal};
use portcullis_oauth::issuer::person::{SESSION_IDLE, SESSION_LIFETIME};
use portcullis_store::Store;

use super::on_both_engines;
use crate::engines::{Database, NOW};
use crate::people::{
    ACCESS, REFRESH, digest, flow, grant, granted, later, refresh_token, renewal, session_of,
    sign_in, tokens, with_client,
};
use crate::samples::slug;

on_both_engines! {
    nothing_goes_before_its_time
    flows_go_when_they_expire
    tokens_go_when_they_expire_and_codes_after_a_day
    sessions_go_when_they_no_longer_stand
    an_ended_grant_stays_thirty_days
    a_grant_goes_with_its_last_token
    a_nameless_subject_goes_with_its_last_grant
    a_connection_that_nothing_rests_on_goes_after_a_day
    p_08_a_redeemed_code_is_remembered_for_a_day_even_without_its_grant
    a_sweep_takes_no_more_than_it_is_told
}

const DAY: Duration = Duration::from_hours(24);
const MILLISECOND: Duration = Duration::from_millis(1);

async fn is_connected(store: &Store, id: Option<ConnectionId>) -> bool {
    store.connection(id.unwrap()).await.unwrap().is_some()
}

async fn nothing_goes_before_its_time(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    store.insert_flow(flow(&*database.rng)).await.unwrap();
    let sign_in = sign_in("a", &*database.rng);
    granted(&store, "a", sign_in, &*database.rng).await;
    assert_eq!(store.sweep_sign_in(later(599_999), 100).await.unwrap(), 0);
}

async fn flows_go_when_they_expire(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let flow = flow(&*database.rng);
    store.insert_flow(flow.clone()).await.unwrap();
    let swept = store.sweep_sign_in(flow.expires_at, 100).await;
    assert_eq!(swept.unwrap(), 1);
    assert_eq!(store.flow(&flow.id).await.unwrap(), None);
}

async fn tokens_go_when_they_expire_and_codes_after_a_day(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let mut sign_in = sign_in("a", &*database.rng);
    sign_in.session = None;
    granted(&store, "a", sign_in, &*database.rng).await;
    let [access, refresh] = ["access", "refresh"].map(|kind| digest("a", kind));
    let code = Digest::of(b"a");

    let now = NOW.after(ACCESS);
    let early = now.before(MILLISECOND);
    assert_eq!(store.sweep_sign_in(early, 100).await.unwrap(), 0);
    assert_eq!(store.sweep_sign_in(now, 100).await.unwrap(), 1);
    assert_eq!(store.access_token(&access).await.unwrap(), None);
    assert!(store.refresh_token(&refresh).await.unwrap().is_some());

    // Refresh tokens of these tests are good for a day, as long as codes are remembered.
    assert_eq!(REFRESH, DAY);
    let now = NOW.after(DAY);
    let early = now.before(MILLISECOND);
    assert_eq!(store.sweep_sign_in(early, 100).await.unwrap(), 0);
    assert!(store.code(&code).await.unwrap().is_some());
    let swept = store.sweep_sign_in(now, 100).await.unwrap();
    assert_eq!(
        swept, 4,
        "the refresh token, its grant, its connection, and the code"
    );
    assert_eq!(store.refresh_token(&refresh).await.unwrap(), None);
    assert_eq!(store.code(&code).await.unwrap(), None);
}

async fn sessions_go_when_they_no_longer_stand(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    for code in ["idle", "used"] {
        let sign_in = sign_in(code, &*database.rng);
        store.complete_sign_in(sign_in, NOW).await.unwrap();
    }
    let [idle, used] = ["idle", "used"].map(session_of);
    let end = NOW.after(SESSION_LIFETIME);
    store.use_session(&used, end).await.unwrap();
    let now = NOW.after(SESSION_IDLE);
    assert_eq!(store.sweep_sign_in(now, 100).await.unwrap(), 1);
    assert_eq!(store.session(&idle).await.unwrap(), None);
    let kept = store.session(&used).await.unwrap().unwrap();
    assert!(kept.is_good(end.before(MILLISECOND)) && !kept.is_good(end));
    let early = end.before(MILLISECOND);
    assert_eq!(store.sweep_sign_in(early, 100).await.unwrap(), 0);
    assert_eq!(store.sweep_sign_in(end, 100).await.unwrap(), 1);
    assert_eq!(store.session(&used).await.unwrap(), None);
}

async fn an_ended_grant_stays_thirty_days(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let signed_in = sign_in("a", &*database.rng);
    let grant = granted(&store, "a", signed_in, &*database.rng).await;
    // The successor outlives the grant.
    let lasting = Renewal {
        refresh_expires_at: NOW.after(100 * DAY),
        ..renewal("b", NOW)
    };
    let renewed = store.renew(refresh_token("a"), lasting, NOW).await;
    let refresh = renewed.unwrap().unwrap().successor.digest();
    let ended = store.end_grant(grant.id, EndReason::Revoked, NOW).await;
    assert!(ended.unwrap());

    let end = NOW.after(30 * DAY);
    store
        .sweep_sign_in(end.before(MILLISECOND), 100)
        .await
        .unwrap();
    let row = store.refresh_token(&refresh).await.unwrap();
    assert!(row.unwrap().grant.ended.is_some());
    assert_eq!(store.sweep_sign_in(end, 100).await.unwrap(), 1);
    assert_eq!(store.refresh_token(&refresh).await.unwrap(), None);
}

async fn a_grant_goes_with_its_last_token(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let signed_in = sign_in("a", &*database.rng);
    let grant = granted(&store, "a", signed_in, &*database.rng).await;
    let end = |now| store.end_grant(grant.id, EndReason::Revoked, now);
    let lasting = Renewal {
        refresh_expires_at: NOW.after(2 * DAY),
        ..renewal("b", NOW)
    };
    let renewed = store.renew(refresh_token("a"), lasting, NOW).await;
    let refresh = renewed.unwrap().unwrap().successor.digest();
    store.sweep_sign_in(NOW.after(DAY), 100).await.unwrap();
    let row = store.refresh_token(&refresh).await.unwrap();
    assert_eq!(row.unwrap().grant, grant);
    store.sweep_sign_in(NOW.after(2 * DAY), 100).await.unwrap();
    assert!(!end(NOW).await.unwrap(), "it is no longer there");
}

async fn a_nameless_subject_goes_with_its_last_grant(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let mut people = Vec::new();
    for (name, redeemed) in [("a", true), ("b", false)] {
        let mut nameless = sign_in(name, &*database.rng);
        nameless.identity = None;
        if redeemed {
            let grant = granted(&store, name, nameless, &*database.rng).await;
            let ended = store.end_grant(grant.id, EndReason::ConnectionLost, NOW);
            assert!(ended.await.unwrap());
            people.push(grant.subject);
        } else {
            let signed_in = store.complete_sign_in(nameless, NOW).await.unwrap();
            people.push(signed_in.subject);
        }
    }
    let known = sign_in("c", &*database.rng);
    people.push(store.complete_sign_in(known, NOW).await.unwrap().subject);
    for (now, expected) in [
        (NOW.after(DAY).before(MILLISECOND), [1, 1, 1]),
        (NOW.after(DAY), [1, 0, 1]),
        (NOW.after(30 * DAY).before(MILLISECOND), [1, 0, 1]),
        (NOW.after(30 * DAY), [0, 0, 1]),
    ] {
        store.sweep_sign_in(now, 100).await.unwrap();
        for (subject, expected) in people.iter().zip(expected) {
            let touch = format!("UPDATE subjects SET label = label WHERE id = '{subject}'");
            assert_eq!(database.execute(&touch).await, expected, "{now:?}");
        }
    }
}

async fn a_connection_that_nothing_rests_on_goes_after_a_day(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let mut connections = Vec::new();
    for name in ["ended", "standing", "code alone"] {
        let mut sign_in = sign_in(name, &*database.rng);
        sign_in.code.toolset = slug(&name.replace(' ', "-"));
        if name == "code alone" {
            let signed_in = store.complete_sign_in(sign_in, NOW).await.unwrap();
            connections.push(signed_in.connection);
            continue;
        }
        let grant = granted(&store, name, sign_in, &*database.rng).await;
        connections.push(grant.connection);
        if name == "ended" {
            let ended = store.end_grant(grant.id, EndReason::Revoked, NOW).await;
            assert!(ended.unwrap());
        }
    }
    let early = NOW.after(DAY).before(MILLISECOND);
    store.sweep_sign_in(early, 100).await.unwrap();
    for connection in &connections {
        assert!(is_connected(&store, *connection).await);
    }
    let long_ago = NOW.before(DAY).as_millis();
    let aged = format!("UPDATE connections SET updated_at_ms = {long_ago}");
    database.execute(&aged).await;
    for (now, expected) in [
        (NOW, [false, true, true]),
        (NOW.after(CODE_LIFETIME), [false, true, false]),
    ] {
        store.sweep_sign_in(now, 100).await.unwrap();
        for (connection, expected) in connections.iter().zip(expected) {
            let connected = is_connected(&store, *connection).await;
            assert_eq!(connected, expected, "{now:?}");
        }
    }
    // The grant is still there to say why it ended.
    let refresh = store.refresh_token(&digest("ended", "refresh")).await;
    let grant = refresh.unwrap().unwrap().grant;
    assert_eq!(grant.ended.unwrap().reason, EndReason::Revoked);
    assert_eq!(grant.connection, None);
}

async fn p_08_a_redeemed_code_is_remembered_for_a_day_even_without_its_grant(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let mut nameless = sign_in("a", &*database.rng);
    nameless.identity = None;
    let signed_in = store.complete_sign_in(nameless, NOW).await.unwrap();
    let alone = NewTokens {
        refresh: None,
        ..tokens("a")
    };
    let code = Digest::of(b"a");
    let grant = grant(signed_in, &*database.rng);
    let redeemed = store.redeem_code(&code, grant.clone(), alone, NOW).await;
    assert!(redeemed.unwrap());
    store.sweep_sign_in(NOW.after(ACCESS), 100).await.unwrap();
    let ended = store.end_grant(grant.id, EndReason::Revoked, NOW).await;
    assert!(!ended.unwrap(), "it is no longer there");
    let known = store.code(&code).await.unwrap().unwrap();
    assert_eq!(known.redeemed.unwrap().grant, grant.id);
    store.sweep_sign_in(NOW.after(DAY), 100).await.unwrap();
    assert_eq!(store.code(&code).await.unwrap(), None);
    assert!(!is_connected(&store, signed_in.connection).await);
}

async fn a_sweep_takes_no_more_than_it_is_told(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    for _ in 0..5 {
        store.insert_flow(flow(&*database.rng)).await.unwrap();
    }
    for expected in [2, 2, 1, 0] {
        let swept = store.sweep_sign_in(later(600_000), 2).await;
        assert_eq!(swept.unwrap(), expected);
    }
}
