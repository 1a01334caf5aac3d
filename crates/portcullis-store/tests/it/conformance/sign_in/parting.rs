//! The last grant at a provider ends, and with it what the subject has there.

use std::time::Duration;

use portcullis_oauth::issuer::grant::{EndReason, Grant};
use portcullis_oauth::issuer::person::ConnectionStatus;
use portcullis_store::{Actor, RevokedKind, Store};

use super::{on_both_engines, won};
use crate::engines::{Database, NOW};
use crate::people::{
    ACCESS, audited, connection_tokens, granted, later, refresh_token_of, sign_in, with_client,
};
use crate::samples::slug;

on_both_engines! {
    f_09_the_last_grant_takes_the_connections_at_its_provider_along
    f_09_a_lost_connection_is_not_taken_back
    f_09_of_a_token_that_has_expired_only_what_renews_it_is_revoked
    f_09_tokens_that_come_for_a_revoked_connection_are_revoked_too
    f_09_whoever_comes_back_keeps_what_is_new
    f_09_one_of_eight_asks_the_provider
    f_09_a_provider_that_failed_is_asked_again_later
    f_09_a_code_that_is_still_good_holds_the_connection
}

const CLAIM: Duration = Duration::from_mins(2);

async fn made(database: &Database, names: &[&str]) -> (Store, Vec<Grant>) {
    let store = database.open().await;
    with_client(&store).await;
    let mut grants = Vec::new();
    for name in names {
        let mut sign_in = sign_in(name, &*database.rng);
        if *name == "cars" {
            sign_in.code.toolset = slug("cars");
            sign_in.tokens = Some(connection_tokens("access-cars", None));
        }
        grants.push(granted(&store, name, sign_in, &*database.rng).await);
    }
    (store, grants)
}

async fn revoke(store: &Store, grant: &Grant) {
    let actor = Actor::new("cli");
    let revoked = store.revoke_grants(vec![grant.id], actor, later(1)).await;
    assert_eq!(revoked.unwrap(), 1);
}

/// Claims everything that is due, and forgets it.
async fn due(store: &Store, millis: u64) -> Vec<(RevokedKind, String)> {
    let mut all = Vec::new();
    while let Some(due) = store.claim_revocation(CLAIM, later(millis)).await.unwrap() {
        assert_eq!(due.provider, slug("github"));
        all.push((due.kind, due.token.expose().to_owned()));
        store.finish_revocation(due.id).await.unwrap();
    }
    all.sort_by(|one, other| one.1.cmp(&other.1));
    all
}

fn access(token: &str) -> (RevokedKind, String) {
    (RevokedKind::AccessToken, token.to_owned())
}

fn refresh(token: &str) -> (RevokedKind, String) {
    (RevokedKind::RefreshToken, token.to_owned())
}

async fn status(store: &Store, grant: &Grant) -> ConnectionStatus {
    let id = grant.connection.unwrap();
    store.connection(id).await.unwrap().unwrap().status
}

async fn f_09_the_last_grant_takes_the_connections_at_its_provider_along(database: Database) {
    let (store, grants) = made(&database, &["one", "two", "cars"]).await;
    let [one, two, cars] = &grants[..] else {
        panic!("three grants");
    };
    for grant in [one, two] {
        revoke(&store, grant).await;
        assert_eq!(status(&store, grant).await, ConnectionStatus::Active);
        assert_eq!(due(&store, 1).await, []);
    }
    revoke(&store, cars).await;
    for grant in [one, cars] {
        let connection = store.connection(grant.connection.unwrap()).await;
        let connection = connection.unwrap().unwrap();
        assert_eq!(connection.status, ConnectionStatus::Revoked);
        assert_eq!(
            (connection.access.expose(), connection.is_renewable),
            ("", false)
        );
    }
    assert_eq!(
        due(&store, 1).await,
        [
            access("access-1"),
            access("access-cars"),
            refresh("refresh-1")
        ]
    );
    let told = audited(&store, "connection.revoked").await;
    assert_eq!(told.len(), 2);
    assert!(told.iter().all(|(actor, _)| actor == "cli"));
    // The person signs in again, on the same row.
    let again = sign_in("again", &*database.rng);
    let again = granted(&store, "again", again, &*database.rng).await;
    assert_eq!(again.connection, one.connection);
    assert_eq!(status(&store, &again).await, ConnectionStatus::Active);
    let id = again.connection.unwrap();
    let opened = refresh_token_of(&store, id).await.unwrap();
    assert_eq!(opened.unwrap().expose(), "refresh-1");
}

async fn f_09_a_lost_connection_is_not_taken_back(database: Database) {
    let (store, grants) = made(&database, &["one"]).await;
    let id = grants[0].connection.unwrap();
    let lost = store.lose_connection(id, 1, EndReason::ConnectionLost, later(1));
    assert!(lost.await.unwrap());
    let other = sign_in("two", &*database.rng);
    let other = granted(&store, "two", other, &*database.rng).await;
    let ended = store.end_grant(other.id, EndReason::ConnectionLost, later(1));
    assert!(ended.await.unwrap());
    assert_eq!(due(&store, 1).await, []);
}

async fn f_09_of_a_token_that_has_expired_only_what_renews_it_is_revoked(database: Database) {
    let (store, grants) = made(&database, &["one"]).await;
    let late = NOW.after(ACCESS);
    let reason = EndReason::RefreshTokenReplayed;
    assert!(store.end_grant(grants[0].id, reason, late).await.unwrap());
    let millis = u64::try_from(ACCESS.as_millis()).unwrap();
    assert_eq!(due(&store, millis).await, [refresh("refresh-1")]);
    let told = audited(&store, "connection.revoked").await;
    assert_eq!(told[0].0, "gateway");
}

async fn f_09_tokens_that_come_for_a_revoked_connection_are_revoked_too(database: Database) {
    let (store, grants) = made(&database, &["one"]).await;
    let id = grants[0].connection.unwrap();
    let claimed = store.claim_renewal(id, 1, later(9), NOW).await.unwrap();
    assert!(claimed.is_some());
    revoke(&store, &grants[0]).await;
    let next = connection_tokens("access-2", Some("refresh-2"));
    let stored = store.renew_connection(id, 1, next, later(1)).await;
    assert!(!stored.unwrap());
    let connection = store.connection(id).await.unwrap().unwrap();
    assert_eq!(connection.status, ConnectionStatus::Revoked);
    assert_eq!(connection.access.expose(), "");
    assert_eq!(
        due(&store, 1).await,
        [
            access("access-1"),
            access("access-2"),
            refresh("refresh-1"),
            refresh("refresh-2")
        ]
    );
}

async fn f_09_whoever_comes_back_keeps_what_is_new(database: Database) {
    let (store, grants) = made(&database, &["one"]).await;
    revoke(&store, &grants[0]).await;
    let again = sign_in("again", &*database.rng);
    store.complete_sign_in(again, later(2)).await.unwrap();
    // Some providers would end what they have just given.
    assert_eq!(due(&store, 2).await, []);
    let day = 24 * 60 * 60 * 1000;
    assert_eq!(due(&store, day).await, []);
}

async fn f_09_one_of_eight_asks_the_provider(database: Database) {
    let (store, grants) = made(&database, &["cars"]).await;
    revoke(&store, &grants[0]).await;
    let won = won(&database, |store| async move {
        let claimed = store.claim_revocation(CLAIM, later(1)).await;
        claimed.unwrap().is_some()
    });
    assert_eq!(won.await, 1);
    // Its holder may be gone.
    assert_eq!(due(&store, 119_999).await, []);
    assert_eq!(due(&store, 120_001).await, [access("access-cars")]);
}

async fn f_09_a_provider_that_failed_is_asked_again_later(database: Database) {
    let (store, grants) = made(&database, &["cars"]).await;
    revoke(&store, &grants[0]).await;
    for (millis, attempts) in [(1, 1), (1000, 2), (2000, 3)] {
        let claimed = store.claim_revocation(CLAIM, later(millis)).await;
        let claimed = claimed.unwrap().unwrap();
        assert_eq!(claimed.attempts, attempts);
        let next = later(u64::from(attempts) * 1000);
        store.postpone_revocation(claimed.id, next).await.unwrap();
        let early = next.before(Duration::from_millis(1));
        let early = store.claim_revocation(CLAIM, early).await.unwrap();
        assert!(early.is_none(), "{early:?}");
    }
}

async fn f_09_a_code_that_is_still_good_holds_the_connection(database: Database) {
    let (store, grants) = made(&database, &["one"]).await;
    let begun = sign_in("begun", &*database.rng);
    store.complete_sign_in(begun, NOW).await.unwrap();
    revoke(&store, &grants[0]).await;
    assert_eq!(status(&store, &grants[0]).await, ConnectionStatus::Active);
    assert_eq!(due(&store, 1).await, []);
}
