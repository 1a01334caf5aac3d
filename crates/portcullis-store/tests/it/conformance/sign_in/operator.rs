//! Clients that the operator registers.

use std::time::Duration;

use portcullis_base::Digest;
use portcullis_oauth::issuer::client::{Client, ClientOrigin};
use portcullis_oauth::issuer::person::RememberedConsent;
use portcullis_store::{ApplyError, Object, ObjectId};

use super::on_both_engines;
use crate::engines::{Database, NOW};
use crate::people::{audited, client, digest, flow, granted, later, scopes, sign_in};
use crate::samples::{changes, put, slug};

on_both_engines! {
    a_client_of_the_operators_is_an_object_among_the_others
    a_client_that_registered_itself_is_nobody_elses
    the_grants_of_a_client_end_with_it
    c_06_a_client_that_changes_is_asked_for_again
}

/// A client of the operator's with the id of those that the other tests use.
fn known() -> Client {
    let mut known = client("pc_client_1");
    known.origin = ClientOrigin::PreRegistered;
    known.secret = Some(Digest::of(b"secret"));
    known.remembers_consent = true;
    known
}

/// Who changes objects in these tests, as audit rows name them.
const ACTOR: &str = "cli";

async fn a_client_of_the_operators_is_an_object_among_the_others(database: Database) {
    let store = database.open().await;
    let dynamic = client("pc_client_2");
    store.insert_client(&dynamic, NOW).await.unwrap();
    let mut known = known();
    put(&store, vec![Object::Client(known.clone())]).await;
    assert_eq!(
        store.client(&known.id).await.unwrap().as_ref(),
        Some(&known)
    );
    assert_eq!(store.snapshot().await.unwrap().clients, [known.clone()]);

    known.secret = None;
    known.remembers_consent = false;
    known.metadata.name = "Another".to_owned();
    put(&store, vec![Object::Client(known.clone())]).await;
    assert_eq!(store.snapshot().await.unwrap().clients, [known.clone()]);

    let removal = changes(&store, Vec::new(), vec![ObjectId::Client(known.id.clone())]).await;
    store.apply(removal, NOW).await.unwrap();
    assert_eq!(store.client(&known.id).await.unwrap(), None);
    assert!(store.client(&dynamic.id).await.unwrap().is_some());
    let row = (ACTOR.to_owned(), "pc_client_1".to_owned());
    assert_eq!(
        audited(&store, "client.put").await,
        [row.clone(), row.clone()]
    );
    assert_eq!(audited(&store, "client.removed").await, [row]);
}

async fn a_client_that_registered_itself_is_nobody_elses(database: Database) {
    let store = database.open().await;
    let dynamic = client("pc_client_1");
    store.insert_client(&dynamic, NOW).await.unwrap();
    let taking = changes(&store, vec![Object::Client(known())], Vec::new()).await;
    let refused = store.apply(taking, NOW).await;
    assert!(matches!(refused, Err(ApplyError::ClientTaken(id)) if id == dynamic.id));
    let removal = changes(
        &store,
        Vec::new(),
        vec![ObjectId::Client(dynamic.id.clone())],
    )
    .await;
    store.apply(removal, NOW).await.unwrap();
    assert_eq!(store.client(&dynamic.id).await.unwrap(), Some(dynamic));
}

async fn the_grants_of_a_client_end_with_it(database: Database) {
    let store = database.open().await;
    put(&store, vec![Object::Client(known())]).await;
    let sign_in = sign_in("code", &*database.rng);
    let grant = granted(&store, "code", sign_in, &*database.rng).await;
    let under_way = flow(&*database.rng);
    store.insert_flow(under_way.clone()).await.unwrap();
    // A change ends nothing.
    put(&store, vec![Object::Client(known())]).await;
    let access = digest("code", "access");
    assert!(store.access_token(&access).await.unwrap().is_some());

    let removal = changes(&store, Vec::new(), vec![ObjectId::Client(known().id)]).await;
    store.apply(removal, NOW).await.unwrap();
    assert!(store.access_token(&access).await.unwrap().is_none());
    let refresh = store.refresh_token(&digest("code", "refresh")).await;
    assert!(refresh.unwrap().is_none());
    assert_eq!(store.flow(&under_way.id).await.unwrap(), None);
    let ended = ("cli".to_owned(), grant.id.to_string());
    assert_eq!(audited(&store, "grant.ended").await, [ended]);
    let due = store.claim_revocation(Duration::from_secs(1), NOW).await;
    assert!(due.unwrap().is_some());
}

async fn c_06_a_client_that_changes_is_asked_for_again(database: Database) {
    let store = database.open().await;
    put(&store, vec![Object::Client(known())]).await;
    let mut approved = sign_in("code", &*database.rng);
    approved.remember = Some(scopes("pets:read"));
    let redirect_uri = approved.code.redirect_uri.clone();
    let signed_in = store.complete_sign_in(approved, NOW).await.unwrap();
    let consent = RememberedConsent {
        subject: signed_in.subject,
        client: known().id,
        redirect_uri,
        toolset: slug("pets"),
        scopes: scopes("pets:read"),
    };
    assert!(store.remembers(&consent, later(1)).await.unwrap());
    let mut renamed = known();
    renamed.metadata.name = "Another".to_owned();
    put(&store, vec![Object::Client(renamed)]).await;
    assert!(!store.remembers(&consent, later(1)).await.unwrap());
}
