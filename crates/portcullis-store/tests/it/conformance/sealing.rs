//! Sealed values and the change of the master key.

use std::time::Duration;

use portcullis_base::Secret;
use portcullis_store::{
    BeginRotationError, Keyring, MasterKey, Object, OpenDatabaseError, RotationProgress, SealError,
    Store, StoreError, VariableValue,
};

use super::on_both_engines;
use crate::engines::{Database, NOW};
use crate::samples::{actor, changes, environment, put};

on_both_engines! {
    l_02_a_sealed_value_copied_to_another_row_does_not_open
    a_master_key_that_does_not_fit_is_named_with_the_one_that_does
    a_rotation_leaves_values_readable_and_the_former_key_useless
    a_rotation_goes_on_after_a_restart_with_either_key
    a_gateway_under_the_former_key_serves_and_writes_during_a_rotation
    values_written_after_a_rotation_began_are_sealed_under_its_key
    a_rotation_that_did_not_begin_does_not_end
    one_of_two_rotations_at_once_is_refused_and_the_other_ends
    a_rotation_runs_once_though_two_commands_have_the_same_key
}

async fn secret_of(store: &Store, name: &str) -> String {
    let snapshot = store.snapshot().await.unwrap();
    let environment = snapshot
        .environments
        .iter()
        .find(|environment| environment.slug.as_str() == name)
        .unwrap();
    match &environment.variables["KEY"].value {
        VariableValue::Secret(secret) => secret.expose().to_owned(),
        VariableValue::Plain(text) => panic!("{text} is in the clear"),
    }
}

async fn finish(store: &Store, key: &MasterKey) {
    while store.continue_rotation(key, actor(), NOW).await.unwrap() != RotationProgress::Done {}
}

async fn l_02_a_sealed_value_copied_to_another_row_does_not_open(database: Database) {
    let store = database.open().await;
    let alice = environment("alice", "hunter2", &*database.rng);
    let bob = environment("bob", "swordfish", &*database.rng);
    let [from, to] = [&alice, &bob].map(|environment| environment.variables["KEY"].id);
    put(
        &store,
        vec![Object::Environment(alice), Object::Environment(bob)],
    )
    .await;
    database
        .execute(&format!(
            "UPDATE variables SET sealed = (SELECT sealed FROM variables WHERE id = '{from}') \
             WHERE id = '{to}'"
        ))
        .await;
    let error = store.snapshot().await.unwrap_err();
    assert!(
        matches!(&error, StoreError::Seal(SealError::Foreign { row, .. }) if *row == to.to_string()),
        "{error:?}"
    );
    assert!(!error.to_string().contains("hunter2"));
}

async fn a_master_key_that_does_not_fit_is_named_with_the_one_that_does(database: Database) {
    database.open().await.close().await;
    let other = Keyring::new(MasterKey::new(&*database.rng));
    let error = database.try_open(&other).await.unwrap_err();
    assert!(
        matches!(
            &error,
            OpenDatabaseError::KeyLost { mismatch: SealError::MasterKeyMismatch { stored, presented }, .. }
                if stored == database.keyring.current.id().as_str()
                    && presented == other.current.id().as_str()
        ),
        "{error}"
    );
    // Nothing was changed: the right key still opens it.
    database.open().await.close().await;
}

async fn a_rotation_leaves_values_readable_and_the_former_key_useless(database: Database) {
    let store = database.open().await;
    let mut objects = Vec::new();
    for number in 0..150 {
        let name = format!("e{number}");
        objects.push(Object::Environment(environment(
            &name,
            &name,
            &*database.rng,
        )));
    }
    put(&store, objects).await;
    let before = store.revision().await.unwrap();
    let new = MasterKey::new(&*database.rng);
    store
        .begin_rotation(new.clone(), actor(), NOW)
        .await
        .unwrap();
    assert!(store.rotation_is_unfinished(&new).await.unwrap());
    let former = &database.keyring.current;
    assert!(!store.rotation_is_unfinished(former).await.unwrap());
    assert!(store.revision().await.unwrap() > before);
    let progress = store.continue_rotation(&new, actor(), NOW).await.unwrap();
    assert_eq!(progress, RotationProgress::Remaining(50));
    assert_eq!(secret_of(&store, "e149").await, "e149");
    finish(&store, &new).await;
    assert!(!store.rotation_is_unfinished(&new).await.unwrap());
    assert_eq!(secret_of(&store, "e0").await, "e0");
    store.close().await;

    assert!(database.try_open(&database.keyring).await.is_err());
    let store = database.try_open(&Keyring::new(new)).await.unwrap();
    assert_eq!(secret_of(&store, "e77").await, "e77");
}

async fn a_rotation_goes_on_after_a_restart_with_either_key(database: Database) {
    let store = database.open().await;
    let mut objects = Vec::new();
    for number in 0..120 {
        let name = format!("e{number}");
        objects.push(Object::Environment(environment(
            &name,
            &name,
            &*database.rng,
        )));
    }
    put(&store, objects).await;
    let new = MasterKey::new(&*database.rng);
    store
        .begin_rotation(new.clone(), actor(), NOW)
        .await
        .unwrap();
    store.continue_rotation(&new, actor(), NOW).await.unwrap();
    store.close().await;

    // The new key had not been put in place yet.
    let store = database.open().await;
    assert_eq!(secret_of(&store, "e5").await, "e5");
    store
        .begin_rotation(new.clone(), actor(), NOW)
        .await
        .unwrap();
    store.close().await;
    // It has been now.
    let store = database.try_open(&Keyring::new(new.clone())).await.unwrap();
    assert_eq!(secret_of(&store, "e5").await, "e5");
    finish(&store, &new).await;
    assert_eq!(secret_of(&store, "e119").await, "e119");
}

async fn a_gateway_under_the_former_key_serves_and_writes_during_a_rotation(database: Database) {
    let gateway = database.open().await;
    let mut served = environment("served", "hunter2", &*database.rng);
    put(&gateway, vec![Object::Environment(served.clone())]).await;

    let command = database.open().await;
    let new = MasterKey::new(&*database.rng);
    command
        .begin_rotation(new.clone(), actor(), NOW)
        .await
        .unwrap();
    assert_eq!(secret_of(&gateway, "served").await, "hunter2");
    let key = served.variables.get_mut("KEY").unwrap();
    key.value = VariableValue::Secret(Secret::new("swordfish".to_owned()));
    put(&gateway, vec![Object::Environment(served)]).await;
    finish(&command, &new).await;
    // What it has learnt it keeps, though its own master key opens nothing any more.
    assert_eq!(secret_of(&gateway, "served").await, "swordfish");
    assert_eq!(secret_of(&command, "served").await, "swordfish");
}

async fn values_written_after_a_rotation_began_are_sealed_under_its_key(database: Database) {
    // A gateway that has learnt of nothing since it started.
    let gateway = database.open().await;
    let command = database.open().await;
    let new = MasterKey::new(&*database.rng);
    command
        .begin_rotation(new.clone(), actor(), NOW)
        .await
        .unwrap();
    let written = environment("written", "hunter2", &*database.rng);
    let change = changes(&gateway, vec![Object::Environment(written)], Vec::new()).await;
    gateway.apply(change, NOW).await.unwrap();
    let progress = command.continue_rotation(&new, actor(), NOW).await.unwrap();
    assert_eq!(progress, RotationProgress::Done);
    assert_eq!(secret_of(&command, "written").await, "hunter2");
}

async fn one_of_two_rotations_at_once_is_refused_and_the_other_ends(database: Database) {
    let stores = [database.open().await, database.open().await];
    let secret = environment("served", "hunter2", &*database.rng);
    put(&stores[0], vec![Object::Environment(secret)]).await;
    let keys = [0, 1].map(|_| MasterKey::new(&*database.rng));
    let (one, two) = tokio::join!(
        stores[0].begin_rotation(keys[0].clone(), actor(), NOW),
        stores[1].begin_rotation(keys[1].clone(), actor(), NOW)
    );
    let (won, refused) = match (one, two) {
        (Ok(()), Err(refused)) => (0, refused),
        (Err(refused), Ok(())) => (1, refused),
        both => panic!("{both:?}"),
    };
    let expected = keys[won].id().as_str();
    assert!(
        matches!(&refused, BeginRotationError::UnderWay { to } if to == expected),
        "{refused}"
    );
    finish(&stores[won], &keys[won]).await;
    let opened = database.try_open(&Keyring::new(keys[won].clone())).await;
    assert_eq!(secret_of(&opened.unwrap(), "served").await, "hunter2");
    // Whoever began it may have gone for good.
    let [first, second] = [0, 1].map(|_| MasterKey::new(&*database.rng));
    let store = &stores[won];
    let begin = |key: &MasterKey, at| store.begin_rotation(key.clone(), actor(), at);
    begin(&first, NOW).await.unwrap();
    assert!(begin(&second, NOW).await.is_err());
    let later = NOW.after(Duration::from_hours(1));
    begin(&second, later).await.unwrap();
    finish(store, &second).await;
    assert!(database.try_open(&Keyring::new(second)).await.is_ok());
}

async fn a_rotation_runs_once_though_two_commands_have_the_same_key(database: Database) {
    let stores = [database.open().await, database.open().await];
    let names: Vec<String> = (0..250).map(|number| format!("e{number}")).collect();
    let of = |name: &String| Object::Environment(environment(name, name, &*database.rng));
    put(&stores[0], names.iter().map(of).collect()).await;
    let new = MasterKey::new(&*database.rng);
    let rotate = async |store: &Store| {
        let begun = store.begin_rotation(new.clone(), actor(), NOW).await;
        begun.unwrap();
        finish(store, &new).await;
    };
    tokio::join!(rotate(&stores[0]), rotate(&stores[1]));
    let audit = stores[0].list_audit(None, 1000).await.unwrap();
    let begun = audit
        .iter()
        .filter(|row| row.action == "master_key.rotation_begun");
    assert_eq!(begun.count(), 1);
    let store = database.try_open(&Keyring::new(new)).await.unwrap();
    for name in [&names[0], &names[249]] {
        assert_eq!(secret_of(&store, name).await, *name);
    }
}

async fn a_rotation_that_did_not_begin_does_not_end(database: Database) {
    let store = database.open().await;
    let new = MasterKey::new(&*database.rng);
    assert!(store.continue_rotation(&new, actor(), NOW).await.is_err());
    store.close().await;
    database.open().await;
}
