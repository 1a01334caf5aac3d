//! Tokens and grants that are given up.

use portcullis_base::GrantId;
use portcullis_oauth::issuer::client::ClientId;
use portcullis_oauth::issuer::grant::{EndReason, Ended, Grant};
use portcullis_store::{Actor, GrantPage, GrantSelection, Store};

use super::{on_both_engines, won};
use crate::engines::{Database, NOW};
use crate::people::{
    audited, digest, granted, later, refresh_token, renewal, sign_in, with_client,
};
use crate::samples::slug;

on_both_engines! {
    f_08_an_access_token_ends_by_itself_and_confirms_what_it_came_with
    f_08_a_grant_ends_with_its_last_token
    f_08_grants_that_are_given_up_end_once
    grants_are_found_by_whatever_is_said_of_them
}

fn me() -> Actor {
    Actor::new("pc_client_1")
}

async fn end_of(store: &Store, name: &str) -> Option<EndReason> {
    let row = store.refresh_token(&digest(name, "refresh")).await;
    let ended: Option<Ended> = row.unwrap().unwrap().grant.ended;
    ended.map(|ended| ended.reason)
}

async fn f_08_an_access_token_ends_by_itself_and_confirms_what_it_came_with(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let sign_in = sign_in("a", &*database.rng);
    granted(&store, "a", sign_in, &*database.rng).await;
    let presented = refresh_token("a");
    let renewed = store.renew(presented, renewal("b", NOW), NOW).await;
    renewed.unwrap().unwrap();
    let access = digest("b", "access");
    let revoke = |at| store.revoke_access_token(access, me(), at);
    assert!(revoke(later(1)).await.unwrap());
    assert!(!revoke(later(2)).await.unwrap());
    let row = store.access_token(&access).await.unwrap().unwrap();
    assert_eq!((row.expires_at, row.unconfirmed), (later(1), None));
    let parent = store.refresh_token(&digest("a", "refresh")).await;
    assert_eq!(parent.unwrap().unwrap().confirmed_at, Some(later(1)));
    let other = store.access_token(&digest("a", "access")).await;
    assert!(other.unwrap().unwrap().expires_at > later(1));
    assert_eq!(end_of(&store, "a").await, None);
    let told = audited(&store, "access_token.revoked").await;
    let grant = row.grant.id.to_string();
    assert_eq!(told, [("pc_client_1".to_owned(), grant)]);
}

async fn f_08_a_grant_ends_with_its_last_token(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let sign_in = sign_in("a", &*database.rng);
    granted(&store, "a", sign_in, &*database.rng).await;
    database.execute("DELETE FROM refresh_tokens").await;
    let access = digest("a", "access");
    assert!(
        store
            .revoke_access_token(access, me(), later(1))
            .await
            .unwrap()
    );
    let row = store.access_token(&access).await.unwrap().unwrap();
    assert_eq!(row.grant.ended.unwrap().reason, EndReason::Revoked);
    assert_eq!(audited(&store, "grant.ended").await.len(), 1);
}

async fn f_08_grants_that_are_given_up_end_once(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let mut ids = vec![GrantId::new(NOW, &*database.rng)];
    for name in ["a", "b", "c"] {
        let sign_in = sign_in(name, &*database.rng);
        ids.push(granted(&store, name, sign_in, &*database.rng).await.id);
    }
    let kept = ids.pop().unwrap();
    let wanted = ids.clone();
    let ended = won(&database, move |store| {
        let ids = ids.clone();
        async move { store.revoke_grants(ids, me(), later(1)).await.unwrap() == 2 }
    });
    assert_eq!(ended.await, 1);
    for (name, reason) in [
        ("a", Some(EndReason::Revoked)),
        ("b", Some(EndReason::Revoked)),
        ("c", None),
    ] {
        assert_eq!(end_of(&store, name).await, reason, "{name}");
    }
    let told = audited(&store, "grant.ended").await;
    let mut expected: Vec<_> = wanted[1..].iter().map(ToString::to_string).collect();
    expected.sort();
    assert_eq!(
        told,
        expected
            .into_iter()
            .map(|id| ("pc_client_1".to_owned(), id))
            .collect::<Vec<_>>()
    );
    assert!(!told.iter().any(|(_, id)| *id == kept.to_string()));
}

/// What is said of the grants that are looked for.
type Change<'a> = &'a dyn Fn(&mut GrantSelection);

async fn grants_are_found_by_whatever_is_said_of_them(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        let mut sign_in = sign_in(name, &*database.rng);
        if name == "c" {
            sign_in.identity = None;
            sign_in.provider = slug("acme");
        }
        ids.push(granted(&store, name, sign_in, &*database.rng).await);
    }
    store
        .revoke_grants(vec![ids[0].id], me(), later(1))
        .await
        .unwrap();
    let (alices, nobodys) = (&ids[1], &ids[2]);
    let all = GrantSelection::default();
    let cases: [(Change<'_>, &[&Grant]); 10] = [
        (&|_| {}, &[alices, nobodys]),
        (&|it| it.id = Some(alices.id), &[alices]),
        (&|it| it.id = Some(ids[0].id), &[]),
        (
            &|it| it.client = Some(alices.client.clone()),
            &[alices, nobodys],
        ),
        (&|it| it.client = Some(ClientId::parse("x").unwrap()), &[]),
        (&|it| it.subject = Some(nobodys.subject), &[nobodys]),
        (&|it| it.toolset = Some(slug("pets")), &[alices, nobodys]),
        (&|it| it.toolset = Some(slug("cars")), &[]),
        (&|it| it.provider = Some(slug("acme")), &[nobodys]),
        (
            &|it| {
                it.provider = Some(slug("github"));
                it.subject = Some(nobodys.subject);
            },
            &[],
        ),
    ];
    for (number, (change, expected)) in cases.into_iter().enumerate() {
        let mut selection = all.clone();
        change(&mut selection);
        let page = store.list_grants(&selection, None).await.unwrap();
        let mut found: Vec<_> = page.grants.iter().map(|it| &it.grant).collect();
        found.sort_by_key(|grant| grant.id != alices.id);
        assert_eq!(found, expected, "{number}");
        assert_eq!(page.next, None);
    }
    let page = store.list_grants(&all, None).await.unwrap();
    let of = |grant: &Grant| {
        page.grants
            .iter()
            .find(|it| it.grant.id == grant.id)
            .unwrap()
    };
    assert_eq!(of(alices).label.as_deref(), Some("Alice"));
    assert_eq!(
        (&of(nobodys).label, &of(nobodys).provider),
        (&None, &Some(slug("acme")))
    );
    let last = page.grants.last().unwrap().grant.id;
    assert_eq!(
        store.list_grants(&all, Some(last)).await.unwrap(),
        GrantPage::default()
    );
}
