//! Clients.

use std::time::Duration;

use portcullis_base::Digest;
use portcullis_oauth::issuer::client::{ClientId, ClientOrigin};
use portcullis_store::StoreError;

use super::on_both_engines;
use crate::engines::{Database, NOW};
use crate::people::{audited, client, flow, granted, later, sign_in};

on_both_engines! {
    clients_read_back_as_they_were_registered
    two_clients_cannot_share_an_id
    r_16_clients_that_nobody_granted_anything_go_when_unused
    r_16_a_client_under_way_stays
    clients_are_removed_in_batches
}

async fn clients_read_back_as_they_were_registered(database: Database) {
    let store = database.open().await;
    let mut confidential = client("pc_client_1");
    confidential.secret = Some(Digest::of(b"secret"));
    let mut public = client("pc_client_2");
    public.origin = ClientOrigin::PreRegistered;
    let least = include_str!("../../../fixtures/client_metadata_1_least.json");
    public.metadata = serde_json::from_str(least).unwrap();
    for client in [&confidential, &public] {
        store.insert_client(client, NOW).await.unwrap();
        let found = store.client(&client.id).await.unwrap();
        assert_eq!(found.as_ref(), Some(client));
    }
    let unknown = ClientId::parse("pc_client_3").unwrap();
    assert_eq!(store.client(&unknown).await.unwrap(), None);
    let expected = [("operator", "pc_client_2"), ("pc_client_1", "pc_client_1")];
    let expected = expected.map(|(actor, target)| (actor.to_owned(), target.to_owned()));
    assert_eq!(audited(&store, "client.registered").await, expected);
}

async fn two_clients_cannot_share_an_id(database: Database) {
    let store = database.open().await;
    let client = client("pc_client_1");
    store.insert_client(&client, NOW).await.unwrap();
    let refused = store.insert_client(&client, NOW).await;
    assert!(matches!(refused, Err(StoreError::Taken(_))), "{refused:?}");
}

async fn r_16_clients_that_nobody_granted_anything_go_when_unused(database: Database) {
    let store = database.open().await;
    let mut known = client("pre_registered");
    known.origin = ClientOrigin::PreRegistered;
    store.insert_client(&known, NOW).await.unwrap();
    for id in ["pc_client_1", "touched", "idle"] {
        store.insert_client(&client(id), NOW).await.unwrap();
    }
    granted(
        &store,
        "code",
        sign_in("code", &*database.rng),
        &*database.rng,
    )
    .await;
    // The grant and its code are long gone, and the client is still the person's.
    let much_later = NOW.after(Duration::from_hours(40 * 24));
    store.sweep_sign_in(much_later, 100).await.unwrap();
    // A use within a minute of the registration is not noted.
    store.touch_client(&client("idle").id, later(2));
    store.touch_client(&client("touched").id, later(60_000));
    store.close().await;

    let store = database.open().await;
    let before = later(1);
    let removed = store.delete_unused_clients(NOW, much_later, 100).await;
    assert_eq!(removed.unwrap(), 0, "used at that very time");
    let removed = store.delete_unused_clients(before, much_later, 100).await;
    assert_eq!(removed.unwrap(), 1);
    for (id, stays) in [
        ("pre_registered", true),
        ("pc_client_1", true),
        ("touched", true),
        ("idle", false),
    ] {
        let found = store.client(&client(id).id).await.unwrap();
        assert_eq!(found.is_some(), stays, "{id}");
    }
}

async fn r_16_a_client_under_way_stays(database: Database) {
    let store = database.open().await;
    let client = client("pc_client_1");
    store.insert_client(&client, NOW).await.unwrap();
    let flow = flow(&*database.rng);
    let end = flow.expires_at;
    store.insert_flow(flow.clone()).await.unwrap();
    let removed = store.delete_unused_clients(later(1), later(1), 100).await;
    assert_eq!(removed.unwrap(), 0);
    let removed = store.delete_unused_clients(later(1), end, 100).await;
    assert_eq!(removed.unwrap(), 1);
    assert_eq!(store.flow(&flow.id).await.unwrap(), None);

    // The person has signed in, and the client has not come with its code.
    store.insert_client(&client, NOW).await.unwrap();
    let sign_in = sign_in("code", &*database.rng);
    store.complete_sign_in(sign_in, NOW).await.unwrap();
    let removed = store.delete_unused_clients(later(1), end, 100).await;
    assert_eq!(removed.unwrap(), 0);
}

async fn clients_are_removed_in_batches(database: Database) {
    let store = database.open().await;
    for number in 0..5 {
        let client = client(&format!("pc_client_{number}"));
        store.insert_client(&client, NOW).await.unwrap();
    }
    for expected in [2, 2, 1, 0] {
        let removed = store.delete_unused_clients(later(1), later(1), 2).await;
        assert_eq!(removed.unwrap(), expected);
    }
}
