//! Refresh tokens and what comes after them.

use std::time::Duration;

use portcullis_base::{Digest, Plain, RefreshToken, Timestamp};
use portcullis_oauth::issuer::grant::{EndReason, Renewal};
use portcullis_store::{Actor, MasterKey, Store};

use super::{on_both_engines, won};
use crate::engines::{Database, NOW};
use crate::people::{
    REFRESH, digest, granted, later, refresh_token, renewal, sign_in, with_client,
};

on_both_engines! {
    a_refresh_token_gives_its_successor_and_keeps_its_lineage
    f_03_f_04_who_presents_one_token_gets_one_successor
    f_03_a_token_is_good_until_what_came_of_it_is_used_and_a_moment_more
    f_04_who_comes_late_gets_the_newest
    f_04_access_tokens_of_one_successor_expire_together_once_one_is_used
    f_02_the_use_of_an_access_token_confirms_the_one_before
    a_refresh_token_that_is_not_good_gives_nothing
    a_token_has_another_successor_under_another_data_key
}

/// The moment that a token stays good after what came of it is in use.
const MOMENT: Duration = Duration::from_mins(1);

/// Signs somebody in, whose tokens are called `t`.
async fn opened(database: &Database) -> Store {
    let store = database.open().await;
    with_client(&store).await;
    let sign_in = sign_in("t", &*database.rng);
    granted(&store, "t", sign_in, &*database.rng).await;
    store
}

async fn renew(
    store: &Store,
    presented: &Plain<RefreshToken>,
    name: &str,
    now: Timestamp,
) -> Option<Plain<RefreshToken>> {
    let renewed = store
        .renew(presented.clone(), renewal(name, now), now)
        .await;
    renewed.unwrap().map(|renewed| renewed.successor)
}

fn same(one: &Plain<RefreshToken>, other: &Plain<RefreshToken>) -> bool {
    one.digest() == other.digest()
}

async fn a_refresh_token_gives_its_successor_and_keeps_its_lineage(database: Database) {
    let store = opened(&database).await;
    let mut presented = refresh_token("t");
    for generation in 1..=2 {
        let at = later(generation);
        let name = generation.to_string();
        let successor = renew(&store, &presented, &name, at).await.unwrap();
        let replaced = store.refresh_token(&presented.digest()).await;
        let replaced = replaced.unwrap().unwrap();
        assert_eq!(replaced.replaced_at, Some(at));
        assert_eq!(replaced.confirmed_at, None);
        let row = store.refresh_token(&successor.digest()).await;
        let row = row.unwrap().unwrap();
        assert_eq!(row.parent, Some(presented.digest()));
        assert_eq!(u64::from(row.generation), generation);
        assert_eq!((row.created_at, row.replaced_at), (at, None));
        assert_eq!(row.expires_at, at.after(REFRESH));
        let access = store.access_token(&digest(&name, "access")).await;
        let access = access.unwrap().unwrap();
        assert_eq!(access.grant, row.grant);
        assert_eq!(access.unconfirmed, Some(presented.digest()));
        presented = successor;
    }
    let first = store.refresh_token(&refresh_token("t").digest()).await;
    assert_eq!(first.unwrap().unwrap().confirmed_at, Some(later(2)));
}

async fn f_03_f_04_who_presents_one_token_gets_one_successor(database: Database) {
    let store = opened(&database).await;
    let number = std::sync::atomic::AtomicUsize::new(0);
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let won = won(&database, |store| {
        let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let seen = std::sync::Arc::clone(&seen);
        async move {
            let name = number.to_string();
            let successor = renew(&store, &refresh_token("t"), &name, NOW).await;
            let successor = successor.map(|it| it.digest());
            seen.lock().unwrap().push(successor);
            successor.is_some()
        }
    });
    assert_eq!(won.await, 8);
    let seen = seen.lock().unwrap().clone();
    assert!(seen.iter().all(|it| *it == seen[0]));
    // Each got an access token of its own.
    for number in 0..8 {
        let access = digest(&number.to_string(), "access");
        assert!(store.access_token(&access).await.unwrap().is_some());
    }
}

async fn f_03_a_token_is_good_until_what_came_of_it_is_used_and_a_moment_more(database: Database) {
    let store = opened(&database).await;
    let first = refresh_token("t");
    let second = renew(&store, &first, "a", NOW).await.unwrap();
    let hours = NOW.after(Duration::from_hours(5));
    let again = renew(&store, &first, "b", hours).await.unwrap();
    assert!(same(&again, &second));
    renew(&store, &second, "c", hours).await.unwrap();
    let last = hours.after(MOMENT);
    assert!(renew(&store, &first, "d", last).await.is_some());
    let late = last.after(Duration::from_millis(1));
    assert!(renew(&store, &first, "e", late).await.is_none());
    assert_eq!(
        store.access_token(&digest("e", "access")).await.unwrap(),
        None
    );
}

async fn f_04_who_comes_late_gets_the_newest(database: Database) {
    let store = opened(&database).await;
    let mut newest = refresh_token("t");
    for (number, name) in ["a", "b", "c"].into_iter().enumerate() {
        newest = renew(&store, &newest, name, later(number as u64))
            .await
            .unwrap();
    }
    let late = renew(&store, &refresh_token("t"), "d", later(30))
        .await
        .unwrap();
    assert!(same(&late, &newest));
    let row = store
        .refresh_token(&newest.digest())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((row.generation, row.replaced_at), (3, None));
}

async fn f_04_access_tokens_of_one_successor_expire_together_once_one_is_used(database: Database) {
    let store = opened(&database).await;
    let first = refresh_token("t");
    let expiry = async |name, now: Timestamp| {
        let renewal = Renewal {
            access_expires_at: now.after(Duration::from_hours(1)),
            replaced: Duration::from_hours(2),
            ..renewal(name, now)
        };
        let renewed = store.renew(first.clone(), renewal, now).await;
        let told = renewed.unwrap().unwrap().access_expires_at;
        let row = store.access_token(&digest(name, "access")).await;
        assert_eq!(row.unwrap().unwrap().expires_at, told);
        told
    };
    let lost = expiry("a", NOW).await;
    // Nobody knows whether that one arrived, so it binds nobody.
    let hour = NOW.after(Duration::from_mins(50));
    let used = expiry("b", hour).await;
    assert_eq!(used, hour.after(Duration::from_hours(1)));
    assert!(lost < used);
    store.confirm_access_token(digest("b", "access"), first.digest(), hour);
    let is_noted = async || {
        let row = store.refresh_token(&first.digest()).await;
        row.unwrap().unwrap().confirmed_at.is_some()
    };
    while !is_noted().await {
        tokio::task::yield_now().await;
    }
    let late = hour.after(Duration::from_secs(50));
    assert_eq!(expiry("c", late).await, used);
    // What has expired binds nobody either.
    assert_eq!(expiry("d", used).await, used.after(Duration::from_hours(1)));
}

async fn f_02_the_use_of_an_access_token_confirms_the_one_before(database: Database) {
    let store = opened(&database).await;
    let first = refresh_token("t");
    renew(&store, &first, "a", NOW).await.unwrap();
    let access = store.access_token(&digest("a", "access")).await;
    let refreshed = access.unwrap().unwrap().unconfirmed.unwrap();
    assert_eq!(refreshed, first.digest());
    store.confirm_access_token(digest("a", "access"), refreshed, later(7));
    // It is noted behind the caller's back.
    let confirmed = async || {
        let row = store.refresh_token(&first.digest()).await;
        row.unwrap().unwrap().confirmed_at
    };
    while confirmed().await.is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(confirmed().await, Some(later(7)));
    let access = store.access_token(&digest("a", "access")).await;
    assert_eq!(access.unwrap().unwrap().unconfirmed, None);
    let last = later(7).after(MOMENT);
    assert!(renew(&store, &first, "b", last).await.is_some());
    let late = last.after(Duration::from_millis(1));
    assert!(renew(&store, &first, "c", late).await.is_none());
}

async fn a_refresh_token_that_is_not_good_gives_nothing(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let sign_in = sign_in("t", &*database.rng);
    let grant = granted(&store, "t", sign_in, &*database.rng).await;
    assert!(renew(&store, &refresh_token("x"), "a", NOW).await.is_none());
    let end = NOW.after(REFRESH);
    assert!(renew(&store, &refresh_token("t"), "a", end).await.is_none());
    let ended = store.end_grant(grant.id, EndReason::Revoked, NOW).await;
    assert!(ended.unwrap());
    assert!(renew(&store, &refresh_token("t"), "a", NOW).await.is_none());
    let access = store.access_token(&digest("a", "access")).await;
    assert_eq!(access.unwrap(), None);
    let row = store.refresh_token(&refresh_token("t").digest()).await;
    assert_eq!(row.unwrap().unwrap().replaced_at, None);
}

async fn a_token_has_another_successor_under_another_data_key(database: Database) {
    let store = opened(&database).await;
    let first = refresh_token("t");
    let before = renew(&store, &first, "a", NOW).await.unwrap();
    let new = MasterKey::new(&*database.rng);
    let actor = Actor::new("test".to_owned());
    store.begin_rotation(new, actor, NOW).await.unwrap();
    let after = renew(&store, &first, "b", NOW).await.unwrap();
    assert!(!same(&before, &after));
    // Neither of the two processes is signed out.
    for (token, name) in [(before, "c"), (after, "d")] {
        assert!(renew(&store, &token, name, later(1)).await.is_some());
    }
    let renewal = Renewal {
        replaced: Duration::ZERO,
        ..renewal("e", later(2))
    };
    let gone = store.renew(first, renewal, later(2)).await.unwrap();
    assert!(gone.is_none());
    assert_eq!(store.refresh_token(&Digest::of(b"x")).await.unwrap(), None);
}
