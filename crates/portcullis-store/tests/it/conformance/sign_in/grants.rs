//! The end of grants.

use portcullis_base::{ConnectionId, Digest, GrantId, Slug};
use portcullis_oauth::issuer::grant::{EndReason, Ended};
use portcullis_oauth::issuer::person::ConnectionStatus;

use super::on_both_engines;
use crate::engines::{Database, NOW};
use crate::people::{
    audited, connection_tokens, digest, grant, granted, later, sign_in, tokens, with_client,
};

on_both_engines! {
    p_08_a_grant_ends_once_and_its_tokens_with_it
    the_grants_of_a_toolset_are_counted_until_they_end
    the_grants_of_a_connection_end_together
    tokens_that_were_replaced_meanwhile_end_nothing
    a_grant_made_on_an_ended_connection_ends_too
    p_08_a_replayed_code_is_audited_even_where_its_grant_stays
}

async fn the_grants_of_a_toolset_are_counted_until_they_end(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let mut grants = Vec::new();
    for name in ["a", "b"] {
        let sign_in = sign_in(name, &*database.rng);
        grants.push(granted(&store, name, sign_in, &*database.rng).await);
    }
    let count = async |toolset: &Slug| store.count_grants(toolset).await.unwrap();
    let other = Slug::parse("elsewhere").unwrap();
    assert_eq!(
        (count(&grants[0].toolset).await, count(&other).await),
        (2, 0)
    );
    let ended = store.end_grant(grants[0].id, EndReason::Revoked, later(1));
    assert!(ended.await.unwrap());
    assert_eq!(count(&grants[0].toolset).await, 1);
}

async fn p_08_a_grant_ends_once_and_its_tokens_with_it(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    for (name, reason, cause) in [
        ("a", EndReason::CodeReplayed, Some("code.replayed")),
        (
            "b",
            EndReason::RefreshTokenReplayed,
            Some("refresh_token.replayed"),
        ),
        ("c", EndReason::ConnectionLost, None),
        ("d", EndReason::Revoked, None),
    ] {
        let sign_in = sign_in(name, &*database.rng);
        let grant = granted(&store, name, sign_in, &*database.rng).await;
        assert!(store.end_grant(grant.id, reason, later(1)).await.unwrap());
        let again = store.end_grant(grant.id, EndReason::Revoked, later(2));
        assert!(!again.await.unwrap());
        let ended = Some(Ended {
            at: later(1),
            reason,
        });
        let access = store.access_token(&digest(name, "access")).await;
        assert_eq!(access.unwrap().unwrap().grant.ended, ended);
        let refresh = store.refresh_token(&digest(name, "refresh")).await;
        assert_eq!(refresh.unwrap().unwrap().grant.ended, ended);

        let row = ("gateway".to_owned(), grant.id.to_string());
        for action in cause.into_iter().chain(["grant.ended"]) {
            let rows = audited(&store, action).await;
            assert!(rows.contains(&row), "{action}");
        }
    }
    for (action, count) in [
        ("code.replayed", 1),
        ("refresh_token.replayed", 1),
        ("grant.ended", 4),
    ] {
        assert_eq!(audited(&store, action).await.len(), count, "{action}");
    }
    let unknown = GrantId::new(NOW, &*database.rng);
    assert!(
        !store
            .end_grant(unknown, EndReason::Revoked, NOW)
            .await
            .unwrap()
    );
}

async fn the_grants_of_a_connection_end_together(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let mut grants = Vec::new();
    for name in ["a", "b", "c"] {
        let sign_in = sign_in(name, &*database.rng);
        grants.push(granted(&store, name, sign_in, &*database.rng).await);
    }
    let mut nameless = sign_in("other", &*database.rng);
    nameless.identity = None;
    nameless.tokens = Some(connection_tokens("other", None));
    granted(&store, "other", nameless, &*database.rng).await;

    let early = store.end_grant(grants[0].id, EndReason::Revoked, NOW).await;
    assert!(early.unwrap());
    let connection = grants[0].connection.unwrap();
    let unknown = ConnectionId::new(NOW, &*database.rng);
    for id in [unknown, connection, connection] {
        let lost = store.lose_connection(id, 3, EndReason::ConnectionLost, later(1));
        assert!(lost.await.unwrap());
    }
    let dead = store.connection(connection).await.unwrap().unwrap();
    assert_eq!(dead.status, ConnectionStatus::NeedsReauthorization);
    for (name, reason) in [
        ("a", Some(EndReason::Revoked)),
        ("b", Some(EndReason::ConnectionLost)),
        ("c", Some(EndReason::ConnectionLost)),
        ("other", None),
    ] {
        let access = store.access_token(&digest(name, "access")).await;
        let ended = access.unwrap().unwrap().grant.ended;
        assert_eq!(ended.map(|ended| ended.reason), reason, "{name}");
    }
    assert_eq!(audited(&store, "grant.ended").await.len(), 3);
}

async fn p_08_a_replayed_code_is_audited_even_where_its_grant_stays(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let sign_in = sign_in("a", &*database.rng);
    let grant = granted(&store, "a", sign_in, &*database.rng).await;
    store.note_replayed_code(grant.id, later(1)).await.unwrap();
    let row = ("gateway".to_owned(), grant.id.to_string());
    assert_eq!(audited(&store, "code.replayed").await, [row]);
    let access = store.access_token(&digest("a", "access")).await;
    assert_eq!(access.unwrap().unwrap().grant.ended, None);
}

async fn tokens_that_were_replaced_meanwhile_end_nothing(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    for name in ["before", "after"] {
        let sign_in = sign_in(name, &*database.rng);
        let grant = granted(&store, name, sign_in, &*database.rng).await;
        let connection = grant.connection.unwrap();
        let lost = store.lose_connection(connection, 0, EndReason::ConnectionLost, later(1));
        assert!(!lost.await.unwrap());
        let row = store.connection(connection).await.unwrap().unwrap();
        assert_eq!(row.status, ConnectionStatus::Active);
        let stale = row.generation - 1;
        let lost = store.lose_connection(connection, stale, EndReason::ConnectionLost, later(1));
        assert!(!lost.await.unwrap());
    }
    for name in ["before", "after"] {
        let access = store.access_token(&digest(name, "access")).await;
        assert_eq!(access.unwrap().unwrap().grant.ended, None, "{name}");
    }
    assert_eq!(audited(&store, "grant.ended").await, []);
}

async fn a_grant_made_on_an_ended_connection_ends_too(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let sign_in = sign_in("a", &*database.rng);
    let signed_in = store.complete_sign_in(sign_in, NOW).await.unwrap();
    let connection = signed_in.connection.unwrap();
    let lose = || store.lose_connection(connection, 1, EndReason::ConnectionLost, later(1));
    assert!(lose().await.unwrap());
    let code = Digest::of(b"a");
    let grant = grant(signed_in, &*database.rng);
    let redeemed = store.redeem_code(&code, grant, tokens("a"), NOW).await;
    assert!(redeemed.unwrap());
    assert!(lose().await.unwrap());
    let access = store.access_token(&digest("a", "access")).await;
    let ended = access.unwrap().unwrap().grant.ended.unwrap();
    assert_eq!(ended.reason, EndReason::ConnectionLost);
}
