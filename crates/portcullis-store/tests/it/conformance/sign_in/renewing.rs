//! Connections that are renewed by one process at a time.

use std::time::Duration;

use portcullis_base::{ConnectionId, Secret, Timestamp};
use portcullis_oauth::issuer::grant::EndReason;
use portcullis_oauth::issuer::person::ConnectionTokens;
use portcullis_store::Store;

use super::{on_both_engines, won};
use crate::engines::{Database, NOW};
use crate::people::{later, scopes, sign_in, with_client};

on_both_engines! {
    one_of_eight_claims_a_renewal
    a_claim_that_ran_out_is_anybodys
    the_generation_decides_whose_tokens_count
    a_refresh_token_that_is_spent_is_taken_away
    a_connection_that_ended_is_not_renewed
}

const CLAIM: Duration = Duration::from_secs(30);

async fn connected(database: &Database) -> (Store, ConnectionId) {
    let store = database.open().await;
    with_client(&store).await;
    let sign_in = sign_in("code", &*database.rng);
    let signed_in = store.complete_sign_in(sign_in, NOW).await.unwrap();
    (store, signed_in.connection.unwrap())
}

async fn claim(store: &Store, id: ConnectionId, generation: i64, now: Timestamp) -> bool {
    let claimed = store
        .claim_renewal(id, generation, now.after(CLAIM), now)
        .await;
    claimed.unwrap().is_some()
}

fn next(refresh: Option<&str>) -> ConnectionTokens {
    ConnectionTokens {
        access: Secret::new("access-2".to_owned()),
        refresh: refresh.map(|text| Secret::new(text.to_owned())),
        expires_at: Some(later(3600)),
        scopes: scopes("repo"),
    }
}

async fn one_of_eight_claims_a_renewal(database: Database) {
    let (_, id) = connected(&database).await;
    let won = won(
        &database,
        |store| async move { claim(&store, id, 1, NOW).await },
    );
    assert_eq!(won.await, 1);
}

async fn a_claim_that_ran_out_is_anybodys(database: Database) {
    let (store, id) = connected(&database).await;
    assert!(claim(&store, id, 1, NOW).await);
    let almost = NOW.after(CLAIM).before(Duration::from_millis(1));
    assert!(!claim(&store, id, 1, almost).await);
    let second = NOW.after(CLAIM);
    assert!(claim(&store, id, 1, second).await);
    // Who held it before gives nothing back any more.
    store.give_up_renewal(id, 1, second, false).await.unwrap();
    assert!(!claim(&store, id, 1, second).await);
    let held = second.after(CLAIM);
    store.give_up_renewal(id, 1, held, false).await.unwrap();
    assert!(claim(&store, id, 1, second).await);
}

async fn the_generation_decides_whose_tokens_count(database: Database) {
    let (store, id) = connected(&database).await;
    assert!(claim(&store, id, 1, NOW).await);
    let stored = store.renew_connection(id, 1, next(Some("refresh-2")), later(1));
    assert!(stored.await.unwrap());
    let late = store.renew_connection(id, 1, next(Some("refresh-x")), later(2));
    assert!(!late.await.unwrap());
    let connection = store.connection(id).await.unwrap().unwrap();
    assert_eq!(connection.generation, 2);
    assert_eq!(connection.access.expose(), "access-2");
    assert_eq!(connection.expires_at, Some(later(3600)));
    assert_eq!(
        (connection.updated_at, connection.scopes),
        (later(1), scopes("repo"))
    );
    assert!(!claim(&store, id, 1, later(2)).await);
    for (generation, given) in [(2, None), (3, Some("refresh-4"))] {
        let opened = store
            .claim_renewal(id, generation, later(9), later(9))
            .await;
        assert_eq!(opened.unwrap().unwrap().expose(), "refresh-2");
        let stored = store.renew_connection(id, generation, next(given), later(9));
        assert!(stored.await.unwrap());
    }
    let opened = store.claim_renewal(id, 4, later(9), later(9)).await;
    assert_eq!(opened.unwrap().unwrap().expose(), "refresh-4");
}

async fn a_refresh_token_that_is_spent_is_taken_away(database: Database) {
    let (store, id) = connected(&database).await;
    assert!(claim(&store, id, 1, NOW).await);
    let held = NOW.after(CLAIM);
    store.give_up_renewal(id, 1, held, true).await.unwrap();
    let connection = store.connection(id).await.unwrap().unwrap();
    assert!(!connection.is_renewable);
    assert_eq!(connection.access.expose(), "access-1");
    assert!(!claim(&store, id, 1, later(60)).await);
}

async fn a_connection_that_ended_is_not_renewed(database: Database) {
    let (store, id) = connected(&database).await;
    assert!(claim(&store, id, 1, NOW).await);
    let lost = store.lose_connection(id, 1, EndReason::ConnectionLost, NOW);
    assert!(lost.await.unwrap());
    let stored = store.renew_connection(id, 1, next(None), later(1)).await;
    assert!(!stored.unwrap());
    assert!(!claim(&store, id, 1, later(60)).await);
}
