//! Providers and toolsets that become something else: what people signed in to before is over.

use std::collections::BTreeSet;

use portcullis_base::{Digest, Rng, Secret};
use portcullis_oauth::issuer::flow::FlowState;
use portcullis_oauth::issuer::grant::{EndReason, Grant};
use portcullis_store::{
    Inbound, Object, ObjectId, ProviderEndpoints, Store, Toolset, UpstreamProvider,
};

use super::on_both_engines;
use crate::engines::{Database, NOW};
use crate::people::{
    at_provider, audited, digest, flow, grant, granted, session_of, sign_in, tokens, with_client,
};
use crate::samples::{changes, provider, put, slug, toolset};

on_both_engines! {
    a_provider_that_sits_elsewhere_meets_no_grant_of_the_former
    a_toolset_of_another_provider_meets_no_grant_of_the_former
    a_removed_toolset_takes_its_grants_with_it
    what_a_change_would_end_is_counted_and_not_ended
    a_change_that_leaves_the_provider_what_it_is_ends_nothing
    what_could_still_become_a_grant_goes_too
}

struct World {
    store: Store,
    github: UpstreamProvider,
    pets: Toolset,
}

/// Publishes `pets` and `cars`, to which people sign in at `github` and at `other`.
async fn world(database: &Database) -> World {
    let store = database.open().await;
    with_client(&store).await;
    let rng = &*database.rng;
    let github = provider("github", Some("hunter2"), rng);
    let pets = signed_in_to("pets", "github", rng);
    put(
        &store,
        vec![
            Object::Provider(github.clone()),
            Object::Provider(provider("other", None, rng)),
            Object::Toolset(pets.clone()),
            Object::Toolset(signed_in_to("cars", "other", rng)),
        ],
    )
    .await;
    World {
        store,
        github,
        pets,
    }
}

fn signed_in_to(name: &str, provider: &str, rng: &dyn Rng) -> Toolset {
    let mut toolset = toolset(name, &[], rng);
    toolset.inbound = BTreeSet::from([Inbound::OAuth]);
    toolset.provider = Some(slug(provider));
    toolset
}

impl World {
    /// Signs Alice in to `pets`, with a connection and without one, and to `cars`.
    async fn sign_in(&self, name: &str, rng: &dyn Rng) {
        let mut of_cars = sign_in(&format!("{name} cars"), rng);
        of_cars.provider = slug("other");
        of_cars.code.toolset = slug("cars");
        let code = of_cars.code.digest;
        let signed_in = self.store.complete_sign_in(of_cars, NOW).await.unwrap();
        let of_cars = Grant {
            toolset: slug("cars"),
            ..grant(signed_in, rng)
        };
        let tokens = tokens(&format!("{name} cars"));
        let redeemed = self.store.redeem_code(&code, of_cars, tokens, NOW).await;
        assert!(redeemed.unwrap());
        let mut bare = sign_in(&format!("{name} bare"), rng);
        bare.tokens = None;
        granted(&self.store, &format!("{name} bare"), bare, rng).await;
        let of_pets = sign_in(name, rng);
        granted(&self.store, name, of_pets, rng).await;
    }

    async fn end_of(&self, name: &str) -> Option<EndReason> {
        let row = self.store.access_token(&digest(name, "access")).await;
        row.unwrap().unwrap().grant.ended.map(|ended| ended.reason)
    }

    /// Asserts that all grants at `pets` have ended, that their connection is gone, and that `cars` is as it was.
    async fn assert_ended(&self, name: &str, connections: usize) {
        for it in [name, &format!("{name} bare")] {
            let reason = self.end_of(it).await;
            assert_eq!(reason, Some(EndReason::Reconfigured), "{it}");
        }
        let row = self.store.access_token(&digest(name, "access")).await;
        assert_eq!(row.unwrap().unwrap().grant.connection, None, "{name}");
        assert_eq!(self.end_of(&format!("{name} cars")).await, None, "{name}");
        let removed = audited(&self.store, "connection.removed").await;
        assert_eq!(removed.len(), connections, "{name}");
        let ended = audited(&self.store, "grant.ended").await;
        assert_eq!(ended.len(), 2 * connections, "{name}");
        assert!(
            removed
                .iter()
                .chain(&ended)
                .all(|(actor, _)| actor == "cli")
        );
    }

    async fn code_is_there(&self, code: &str) -> bool {
        let code = self.store.code(&Digest::of(code.as_bytes())).await;
        code.unwrap().is_some()
    }
}

async fn a_provider_that_sits_elsewhere_meets_no_grant_of_the_former(database: Database) {
    let mut world = world(&database).await;
    let changes: [fn(&mut UpstreamProvider); 5] = [
        |it| it.settings.issuer = Some("https://evil.example.com".to_owned()),
        |it| it.settings.client_id = "another".to_owned(),
        |it| it.settings.tenant = Some("another".to_owned()),
        |it| it.settings.profile = "oauth2".to_owned(),
        |it| {
            it.settings.endpoints = ProviderEndpoints {
                token: Some("https://evil.example.com/token".to_owned()),
                ..ProviderEndpoints::default()
            }
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let name = number.to_string();
        world.sign_in(&name, &*database.rng).await;
        change(&mut world.github);
        put(&world.store, vec![Object::Provider(world.github.clone())]).await;
        world.assert_ended(&name, number + 1).await;
    }
    // The name goes to somebody else.
    world.sign_in("name", &*database.rng).await;
    world.github.slug = slug("formerly");
    let successor = provider("github", None, &*database.rng);
    put(
        &world.store,
        vec![
            Object::Provider(world.github.clone()),
            Object::Provider(successor),
        ],
    )
    .await;
    world.assert_ended("name", 6).await;
}

async fn a_toolset_of_another_provider_meets_no_grant_of_the_former(database: Database) {
    let mut world = world(&database).await;
    world.sign_in("a", &*database.rng).await;
    world.pets.provider = Some(slug("other"));
    put(&world.store, vec![Object::Toolset(world.pets.clone())]).await;
    world.assert_ended("a", 1).await;
}

async fn a_removed_toolset_takes_its_grants_with_it(database: Database) {
    let world = world(&database).await;
    world.sign_in("a", &*database.rng).await;
    let removed = vec![
        ObjectId::Toolset(world.pets.id),
        ObjectId::Provider(world.github.id),
    ];
    let removal = changes(&world.store, Vec::new(), removed).await;
    world.store.apply(removal, NOW).await.unwrap();
    world.assert_ended("a", 1).await;
}

async fn a_change_that_leaves_the_provider_what_it_is_ends_nothing(database: Database) {
    let mut world = world(&database).await;
    world.sign_in("a", &*database.rng).await;
    world.github.client_secret = Some(Secret::new("swordfish".to_owned()));
    world.github.settings.scopes = vec!["profile".to_owned()];
    // Nothing is called there but for the end of tokens.
    world.github.settings.endpoints.revocation = Some("https://a.example/revoke".to_owned());
    world.github.settings.allow = vec!["alice@example.com".to_owned()];
    world.pets.title = Some("Cats".to_owned());
    put(
        &world.store,
        vec![
            Object::Provider(world.github.clone()),
            Object::Toolset(world.pets.clone()),
        ],
    )
    .await;
    for name in ["a", "a bare", "a cars"] {
        assert_eq!(world.end_of(name).await, None, "{name}");
    }
    assert!(
        world
            .store
            .session(&session_of("a"))
            .await
            .unwrap()
            .is_some()
    );
}

async fn what_could_still_become_a_grant_goes_too(database: Database) {
    let mut world = world(&database).await;
    let store = &world.store;
    let mut under_way = flow(&*database.rng);
    under_way.state = FlowState::AtProvider(at_provider("state"));
    store.insert_flow(under_way.clone()).await.unwrap();
    for (name, provider, toolset) in [("a", "github", "pets"), ("b", "other", "cars")] {
        let mut sign_in = sign_in(name, &*database.rng);
        sign_in.provider = slug(provider);
        sign_in.code.toolset = slug(toolset);
        if name == "a" {
            // It rests on no connection.
            sign_in.tokens = None;
        }
        store.complete_sign_in(sign_in, NOW).await.unwrap();
    }
    world.github.settings.client_id = "another".to_owned();
    put(&world.store, vec![Object::Provider(world.github.clone())]).await;
    assert_eq!(world.store.flow(&under_way.id).await.unwrap(), None);
    for (name, stays) in [("a", false), ("b", true)] {
        assert_eq!(world.code_is_there(name).await, stays, "{name}");
        let session = world.store.session(&session_of(name)).await.unwrap();
        assert_eq!(session.is_some(), stays, "{name}");
    }
}

async fn what_a_change_would_end_is_counted_and_not_ended(database: Database) {
    let world = world(&database).await;
    let rng = &*database.rng;
    world.sign_in("a", rng).await;
    let mut elsewhere = world.pets.clone();
    elsewhere.inbound = BTreeSet::from([Inbound::ApiKey]);
    elsewhere.provider = None;
    let mut renamed = world.pets.clone();
    renamed.title = Some("Other pets".to_owned());
    for (toolset, ended) in [(elsewhere, vec![(slug("pets"), 2)]), (renamed, vec![])] {
        let change = changes(&world.store, vec![Object::Toolset(toolset)], vec![]).await;
        let counted = world.store.grants_ended_by(&change).await.unwrap();
        assert_eq!(counted.into_iter().collect::<Vec<_>>(), ended);
    }
    assert_eq!(world.end_of("a").await, None);
}
