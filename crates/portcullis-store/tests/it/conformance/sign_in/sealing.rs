//! Sealed values of signing in, and the change of the master key.

use std::time::Duration;

use portcullis_base::{ConnectionId, Digest};
use portcullis_oauth::issuer::flow::{Flow, FlowState};
use portcullis_oauth::issuer::grant::EndReason;
use portcullis_store::{
    Keyring, LostSecrets, MasterKey, Object, OpenDatabaseError, RotationProgress, SealError,
    SignedIn, Store, StoreError,
};

use super::on_both_engines;
use crate::engines::{Database, NOW};
use crate::people::{
    at_provider, digest, flow, granted, later, refresh_token_of, sign_in, with_client,
};
use crate::samples::{actor, api_key, environment, provider, put};

on_both_engines! {
    l_02_tokens_copied_to_another_connection_do_not_open
    l_02_a_flow_opens_nothing_that_belongs_to_another_column
    a_rotation_covers_every_sealed_column_of_signing_in
    a_replica_opens_what_another_sealed_under_a_new_data_key
    what_is_lost_with_a_master_key_is_counted_and_can_be_given_up
    what_two_lost_data_keys_seal_together_counts_once
}

/// Something sealed in every column.
async fn seal_all(store: &Store, database: &Database) -> (Flow, SignedIn) {
    with_client(store).await;
    let github = provider("github", Some("hunter2"), &*database.rng);
    put(store, vec![Object::Provider(github)]).await;
    let mut flow = flow(&*database.rng);
    flow.state = FlowState::AtProvider(at_provider("state"));
    store.insert_flow(flow.clone()).await.unwrap();
    // Of what this person granted nothing is left but tokens that the provider is to revoke.
    let mut gone = sign_in("gone", &*database.rng);
    gone.identity = None;
    let grant = granted(store, "gone", gone, &*database.rng).await;
    let revoked = store.revoke_grants(vec![grant.id], actor(), NOW).await;
    assert_eq!(revoked.unwrap(), 1);
    let sign_in = sign_in("code", &*database.rng);
    let signed_in = store.complete_sign_in(sign_in, NOW).await.unwrap();
    (flow, signed_in)
}

async fn assert_all_open(store: &Store, (flow, signed_in): &(Flow, SignedIn)) {
    let found = store.flow(&flow.id).await.unwrap();
    assert_eq!(found.as_ref(), Some(flow));
    let connection = signed_in.connection.unwrap();
    let found = store.connection(connection).await.unwrap().unwrap();
    assert_eq!(found.access.expose(), "access-1");
    let refresh = refresh_token_of(store, connection).await.unwrap();
    assert_eq!(refresh.unwrap().expose(), "refresh-1");
    let due = store.claim_revocation(Duration::ZERO, later(1)).await;
    let expected = ["refresh-1", "access-1"];
    assert!(expected.contains(&due.unwrap().unwrap().token.expose()));
    let snapshot = store.snapshot().await.unwrap();
    let secret = snapshot.providers[0].client_secret.as_ref().unwrap();
    assert_eq!(secret.expose(), "hunter2");
}

async fn what_is_lost_with_a_master_key_is_counted_and_can_be_given_up(database: Database) {
    let store = database.open().await;
    seal_all(&store, &database).await;
    let standing = sign_in("standing", &*database.rng);
    let grant = granted(&store, "standing", standing, &*database.rng).await;
    let production = environment("production", "hunter2", &*database.rng);
    let (_, key) = api_key("ci", &*database.rng);
    store.insert_api_key(key, actor(), NOW).await.unwrap();
    put(&store, vec![Object::Environment(production)]).await;
    store.close().await;

    let other = Keyring::new(MasterKey::new(&*database.rng));
    let expected = LostSecrets {
        variables: 1,
        environments: 1,
        providers: 1,
        manifests: 0,
        // That of the person who is gone is kept for a while, empty.
        connections: 2,
        flows: 1,
        revocations: 2,
    };
    match database.try_open(&other).await.unwrap_err() {
        OpenDatabaseError::KeyLost { lost, .. } => assert_eq!(*lost, expected),
        error => panic!("{error}"),
    }
    let abandoned = Store::abandon(
        &database.url,
        other.clone(),
        actor(),
        NOW,
        database.rng.clone(),
    );
    assert_eq!(abandoned.await.unwrap(), expected);
    let store = database.try_open(&other).await.unwrap();
    let snapshot = store.snapshot().await.unwrap();
    assert_eq!(snapshot.providers[0].client_secret, None);
    let left: Vec<&String> = snapshot.environments[0].variables.keys().collect();
    assert_eq!(left, ["URL"]);
    assert_eq!(store.list_api_keys().await.unwrap().len(), 1);
    let token = store.access_token(&digest("standing", "access")).await;
    let ended = token.unwrap().unwrap().grant;
    assert_eq!((ended.id, ended.connection), (grant.id, None));
    assert_eq!(ended.ended.unwrap().reason, EndReason::ConnectionLost);
    // It works on.
    granted(
        &store,
        "anew",
        sign_in("anew", &*database.rng),
        &*database.rng,
    )
    .await;
}

async fn what_two_lost_data_keys_seal_together_counts_once(database: Database) {
    assert_eq!(Store::sealed(&database.url).await.unwrap(), None);
    let store = database.open().await;
    let nothing = LostSecrets::default();
    assert_eq!(Store::sealed(&database.url).await.unwrap(), Some(nothing));
    seal_all(&store, &database).await;
    let production = environment("production", "hunter2", &*database.rng);
    put(&store, vec![Object::Environment(production)]).await;
    let begun = store.begin_rotation(MasterKey::new(&*database.rng), actor(), NOW);
    begun.await.unwrap();
    let staging = environment("staging", "hunter2", &*database.rng);
    put(&store, vec![Object::Environment(staging)]).await;
    store.close().await;
    // Half of what was sealed anew, as where the rotation stopped there.
    let new = "(SELECT id FROM data_keys WHERE retired_at_ms IS NULL)";
    let production = format!("(SELECT environment_id FROM variables WHERE data_key_id <> {new})");
    for statement in [
        format!("UPDATE connections SET refresh_key_id = {new} WHERE refresh_key_id IS NOT NULL"),
        format!("UPDATE flows SET nonce_key_id = {new} WHERE nonce_key_id IS NOT NULL"),
        format!(
            "UPDATE variables SET environment_id = {production}, name = 'OTHER' WHERE data_key_id = {new}"
        ),
    ] {
        assert!(database.execute(&statement).await > 0, "{statement}");
    }

    let other = Keyring::new(MasterKey::new(&*database.rng));
    let expected = LostSecrets {
        variables: 2,
        environments: 1,
        providers: 1,
        manifests: 0,
        // That of the person who is gone is one of them.
        connections: 2,
        flows: 1,
        revocations: 2,
    };
    match database.try_open(&other).await.unwrap_err() {
        OpenDatabaseError::KeyLost { lost, .. } => assert_eq!(*lost, expected),
        error => panic!("{error}"),
    }
    assert_eq!(Store::sealed(&database.url).await.unwrap(), Some(expected));
}

async fn l_02_tokens_copied_to_another_connection_do_not_open(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let mut ids: Vec<ConnectionId> = Vec::new();
    for code in ["one", "two", "three"] {
        let mut nameless = sign_in(code, &*database.rng);
        nameless.identity = None;
        let signed_in = store.complete_sign_in(nameless, NOW).await.unwrap();
        ids.extend(signed_in.connection);
    }
    let from = ids[0];
    for (column, to) in [("access_token", ids[1]), ("refresh_token", ids[2])] {
        database
            .execute(&format!(
                "UPDATE connections SET {column} = \
                 (SELECT {column} FROM connections WHERE id = '{from}') WHERE id = '{to}'"
            ))
            .await;
        let error = match column {
            "access_token" => store.connection(to).await.unwrap_err(),
            _ => refresh_token_of(&store, to).await.unwrap_err(),
        };
        assert!(
            matches!(&error, StoreError::Seal(SealError::Foreign { row, .. }) if *row == to.to_string()),
            "{error:?}"
        );
    }
    assert!(store.connection(from).await.is_ok());
    assert!(refresh_token_of(&store, from).await.is_ok());
}

async fn l_02_a_flow_opens_nothing_that_belongs_to_another_column(database: Database) {
    let store = database.open().await;
    let (flow, _) = seal_all(&store, &database).await;
    database.execute("UPDATE flows SET nonce = verifier").await;
    let error = store.flow(&flow.id).await.unwrap_err();
    assert!(
        matches!(
            &error,
            StoreError::Seal(SealError::Foreign {
                column: "nonce",
                ..
            })
        ),
        "{error:?}"
    );
}

async fn a_rotation_covers_every_sealed_column_of_signing_in(database: Database) {
    let store = database.open().await;
    let sealed = seal_all(&store, &database).await;
    let new = MasterKey::new(&*database.rng);
    store
        .begin_rotation(new.clone(), actor(), NOW)
        .await
        .unwrap();
    assert_all_open(&store, &sealed).await;
    while store.continue_rotation(&new, actor(), NOW).await.unwrap() != RotationProgress::Done {}
    assert_all_open(&store, &sealed).await;
    store.close().await;

    assert!(database.try_open(&database.keyring).await.is_err());
    let store = database.try_open(&Keyring::new(new)).await.unwrap();
    assert_all_open(&store, &sealed).await;
}

async fn a_replica_opens_what_another_sealed_under_a_new_data_key(database: Database) {
    // They have learnt of nothing since they started.
    let [one, two] = [database.open().await, database.open().await];
    let command = database.open().await;
    let new = MasterKey::new(&*database.rng);
    command.begin_rotation(new, actor(), NOW).await.unwrap();
    let (flow, signed_in) = seal_all(&command, &database).await;
    let connection = signed_in.connection.unwrap();
    assert!(one.connection(connection).await.unwrap().is_some());
    let state = Digest::of(b"state");
    assert_eq!(
        two.take_flow_by_state(&state, NOW).await.unwrap(),
        Some(flow)
    );
}
