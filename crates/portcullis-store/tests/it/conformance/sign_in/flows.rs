//! Flows.

use portcullis_base::{Digest, SubjectId};
use portcullis_oauth::issuer::flow::FlowState;
use portcullis_store::{InsertFlowError, MAX_OPEN_FLOWS, StoreError};

use super::{on_both_engines, won};
use crate::engines::{Database, NOW};
use crate::people::{at_provider, browser, flow, later, with_client};

on_both_engines! {
    a_flow_reads_back_at_every_step
    a_flow_needs_a_client
    c_25_only_so_many_flows_are_open_at_once
    c_24_a_flow_goes_on_in_its_own_browser_only
    an_expired_flow_does_not_go_on
    c_09_an_ended_flow_does_not_go_on
    c_05_a_state_is_good_once_and_unknown_ones_never
    p_09_one_of_eight_answers_of_a_provider_gets_the_flow
    approving_again_makes_the_former_state_worthless
}

async fn a_flow_reads_back_at_every_step(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let mut flow = flow(&*database.rng);
    store.insert_flow(flow.clone()).await.unwrap();
    assert_eq!(store.flow(&flow.id).await.unwrap(), Some(flow.clone()));

    flow.expires_at = later(900_000);
    flow.state = FlowState::AtProvider(at_provider("state"));
    let approved = store
        .approve_flow(
            &flow.id,
            &browser(),
            at_provider("state"),
            flow.expires_at,
            NOW,
        )
        .await;
    assert!(approved.unwrap());
    assert_eq!(store.flow(&flow.id).await.unwrap(), Some(flow.clone()));

    let ended = store.end_flow(&flow.id, &browser(), NOW).await;
    assert!(ended.unwrap());
    flow.state = FlowState::Ended;
    assert_eq!(store.flow(&flow.id).await.unwrap(), Some(flow));

    // One that skips the consent page.
    let mut remembered = crate::people::flow(&*database.rng);
    let mut approved = at_provider("another state");
    approved.consent_of = Some(SubjectId::new(NOW, &*database.rng));
    remembered.state = FlowState::AtProvider(approved);
    store.insert_flow(remembered.clone()).await.unwrap();
    let found = store.flow(&remembered.id).await.unwrap();
    assert_eq!(found, Some(remembered));
}

async fn a_flow_needs_a_client(database: Database) {
    let store = database.open().await;
    let refused = store.insert_flow(flow(&*database.rng)).await;
    assert!(
        matches!(
            refused,
            Err(InsertFlowError::Store(StoreError::Constraint(_)))
        ),
        "{refused:?}"
    );
}

async fn c_25_only_so_many_flows_are_open_at_once(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let first = flow(&*database.rng);
    let end = first.expires_at;
    store.insert_flow(first.clone()).await.unwrap();
    // The others come past the store, which would take its time; ended ones do not count.
    let (blob, count) = (database.blob_of("b"), MAX_OPEN_FLOWS - 1);
    for (kind, status, count) in [("open", "pending", count), ("ended", "ended", 5)] {
        database
            .execute(&format!(
                "WITH RECURSIVE numbers(n) AS \
                 (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count}) \
                 INSERT INTO flows \
                 (id, client_id, request, browser, status, created_at_ms, expires_at_ms) \
                 SELECT '{kind}_' || n, 'pc_client_1', '', {blob}, '{status}', 0, {end} \
                 FROM numbers",
                end = end.as_millis()
            ))
            .await;
    }
    let full = store.insert_flow(flow(&*database.rng)).await;
    assert!(matches!(full, Err(InsertFlowError::FlowsFull)), "{full:?}");

    // One that ends makes room for one, and all of them make room when they expire.
    let ended = store.end_flow(&first.id, &browser(), NOW).await;
    assert!(ended.unwrap());
    store.insert_flow(flow(&*database.rng)).await.unwrap();
    assert!(store.insert_flow(flow(&*database.rng)).await.is_err());
    let mut late = flow(&*database.rng);
    late.created_at = end;
    store.insert_flow(late).await.unwrap();
}

async fn c_24_a_flow_goes_on_in_its_own_browser_only(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let flow = flow(&*database.rng);
    store.insert_flow(flow.clone()).await.unwrap();
    let other = Digest::of(b"other");
    let end = flow.expires_at;
    let approved = store
        .approve_flow(&flow.id, &other, at_provider("state"), end, NOW)
        .await;
    assert!(!approved.unwrap());
    assert!(!store.end_flow(&flow.id, &other, NOW).await.unwrap());
    assert_eq!(store.flow(&flow.id).await.unwrap(), Some(flow));
    let state = Digest::of(b"state");
    assert_eq!(store.take_flow_by_state(&state, NOW).await.unwrap(), None);
}

async fn an_expired_flow_does_not_go_on(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let flow = flow(&*database.rng);
    store.insert_flow(flow.clone()).await.unwrap();
    let end = flow.expires_at;
    let approve = |now| store.approve_flow(&flow.id, &flow.browser, at_provider("state"), end, now);
    assert!(!approve(end).await.unwrap());
    assert!(approve(NOW).await.unwrap());
    assert!(!store.end_flow(&flow.id, &browser(), end).await.unwrap());
    let state = Digest::of(b"state");
    assert_eq!(store.take_flow_by_state(&state, end).await.unwrap(), None);
    let taken = store.take_flow_by_state(&state, end.before(std::time::Duration::from_millis(1)));
    assert!(taken.await.unwrap().is_some());
}

async fn c_09_an_ended_flow_does_not_go_on(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let flow = flow(&*database.rng);
    store.insert_flow(flow.clone()).await.unwrap();
    let approve = || {
        store.approve_flow(
            &flow.id,
            &flow.browser,
            at_provider("s"),
            flow.expires_at,
            NOW,
        )
    };
    assert!(approve().await.unwrap());
    assert!(store.end_flow(&flow.id, &browser(), NOW).await.unwrap());
    assert!(!store.end_flow(&flow.id, &browser(), NOW).await.unwrap());
    assert!(!approve().await.unwrap());
    let state = Digest::of(b"s");
    assert_eq!(store.take_flow_by_state(&state, NOW).await.unwrap(), None);
}

async fn c_05_a_state_is_good_once_and_unknown_ones_never(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let mut flow = flow(&*database.rng);
    flow.state = FlowState::AtProvider(at_provider("state"));
    store.insert_flow(flow.clone()).await.unwrap();
    let [state, unknown] = [Digest::of(b"state"), Digest::of(b"unknown")];
    assert_eq!(store.take_flow_by_state(&unknown, NOW).await.unwrap(), None);
    // It comes as it was, and is over.
    let taken = store.take_flow_by_state(&state, NOW).await.unwrap();
    assert_eq!(taken, Some(flow.clone()));
    assert_eq!(store.take_flow_by_state(&state, NOW).await.unwrap(), None);
    let over = store.flow(&flow.id).await.unwrap().unwrap();
    assert_eq!(over.state, FlowState::Ended);
}

async fn p_09_one_of_eight_answers_of_a_provider_gets_the_flow(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let mut flow = flow(&*database.rng);
    flow.state = FlowState::AtProvider(at_provider("state"));
    store.insert_flow(flow).await.unwrap();
    let won = won(&database, |store| async move {
        let state = Digest::of(b"state");
        let taken = store.take_flow_by_state(&state, NOW).await;
        taken.unwrap().is_some()
    });
    assert_eq!(won.await, 1);
}

async fn approving_again_makes_the_former_state_worthless(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let flow = flow(&*database.rng);
    store.insert_flow(flow.clone()).await.unwrap();
    for state in ["first", "second"] {
        let approved = at_provider(state);
        let approved = store
            .approve_flow(&flow.id, &browser(), approved, flow.expires_at, NOW)
            .await;
        assert!(approved.unwrap());
    }
    for (state, good) in [("first", false), ("second", true)] {
        let state = Digest::of(state.as_bytes());
        let taken = store.take_flow_by_state(&state, NOW).await.unwrap();
        assert_eq!(taken.is_some(), good);
    }
}
