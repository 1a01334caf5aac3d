//! The end of a sign-in: subjects, connections, browser sessions and remembered consents.

use std::time::Duration;

use portcullis_base::{Digest, SubjectId, Timestamp};
use portcullis_oauth::issuer::client::ClientId;
use portcullis_oauth::issuer::grant::EndReason;
use portcullis_oauth::issuer::person::{
    CONSENT_LIFETIME, Connection, ConnectionStatus, Identity, RememberedConsent, SessionRow,
};
use portcullis_store::{NewSession, SignIn, SignedIn, Store, StoreError};

use super::{on_both_engines, won};
use crate::engines::{Database, NOW};
use crate::people::{
    alice, audited, client, connection_tokens, later, refresh_token_of, scopes, session_of,
    sign_in, with_client,
};
use crate::samples::slug;

on_both_engines! {
    a_person_who_comes_again_is_the_same_subject
    a_person_who_signs_in_eight_times_at_once_is_one_subject
    c_20_people_of_two_issuers_are_never_one
    two_nameless_sign_ins_are_two_subjects_with_connections_of_their_own
    a_sign_in_without_tokens_makes_no_connection
    each_toolset_has_a_connection_of_its_own
    a_later_sign_in_renews_the_connection
    a_failed_sign_in_leaves_nothing_behind
    c_13_a_sign_in_ends_the_session_that_the_browser_had
    a_session_lives_from_use_to_use_until_it_is_ended
    c_06_a_remembered_consent_is_for_exactly_what_was_approved
    c_06_a_consent_is_remembered_for_a_while_and_then_asked_for_again
    c_21_a_person_is_found_by_issuer_and_subject_only
    a_sign_in_leaves_an_audit_row
}

async fn complete(store: &Store, sign_in: SignIn) -> SignedIn {
    store.complete_sign_in(sign_in, NOW).await.unwrap()
}

async fn connection(store: &Store, signed_in: SignedIn) -> Connection {
    let found = store.connection(signed_in.connection.unwrap()).await;
    found.unwrap().unwrap()
}

async fn a_person_who_comes_again_is_the_same_subject(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let first = complete(&store, sign_in("one", &*database.rng)).await;
    let mut renamed = sign_in("two", &*database.rng);
    renamed.identity = Some(Identity {
        label: None,
        ..alice()
    });
    assert_eq!(complete(&store, renamed).await, first);
    let mut elsewhere = sign_in("three", &*database.rng);
    elsewhere.provider = slug("second");
    let elsewhere = complete(&store, elsewhere).await;
    assert_eq!(elsewhere.subject, first.subject);
    assert_ne!(elsewhere.connection, first.connection);
    assert_eq!(connection(&store, elsewhere).await.generation, 1);
}

async fn a_person_who_signs_in_eight_times_at_once_is_one_subject(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let number = std::sync::atomic::AtomicUsize::new(0);
    let done = won(&database, |store| {
        let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let sign_in = sign_in(&format!("at once {number}"), &*database.rng);
        async move { store.complete_sign_in(sign_in, NOW).await.is_ok() }
    });
    assert_eq!(done.await, 8);
    let ninth = complete(&store, sign_in("ninth", &*database.rng)).await;
    assert_eq!(connection(&store, ninth).await.generation, 9);
}

async fn c_20_people_of_two_issuers_are_never_one(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let first = complete(&store, sign_in("one", &*database.rng)).await;
    for (code, issuer, subject) in [
        ("two", "https://other.example.com", "alice"),
        ("three", "https://id.example.com", "Alice"),
    ] {
        let mut other = sign_in(code, &*database.rng);
        other.identity = Some(Identity {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            ..alice()
        });
        let other = complete(&store, other).await;
        assert_ne!(other.subject, first.subject, "{issuer} {subject}");
        assert_ne!(other.connection, first.connection);
    }
}

async fn two_nameless_sign_ins_are_two_subjects_with_connections_of_their_own(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let mut people = Vec::new();
    for code in ["one", "two"] {
        let mut nameless = sign_in(code, &*database.rng);
        nameless.identity = None;
        nameless.tokens = Some(connection_tokens(code, None));
        let signed_in = complete(&store, nameless).await;
        let connection = connection(&store, signed_in).await;
        assert_eq!(connection.subject, signed_in.subject);
        assert_eq!(connection.access.expose(), code);
        people.push(signed_in);
    }
    assert_ne!(people[0].subject, people[1].subject);
    assert_ne!(people[0].connection, people[1].connection);
    let first = connection(&store, people[0]).await;
    assert_eq!(first.access.expose(), "one");
    assert_eq!(first.generation, 1);
}

async fn a_sign_in_without_tokens_makes_no_connection(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let mut bare = sign_in("one", &*database.rng);
    bare.tokens = None;
    bare.session = None;
    let signed_in = complete(&store, bare).await;
    assert_eq!(signed_in.connection, None);
    let code = store.code(&Digest::of(b"one")).await.unwrap().unwrap();
    assert_eq!(code.connection, None);
    assert_eq!(store.session(&session_of("one")).await.unwrap(), None);
}

async fn each_toolset_has_a_connection_of_its_own(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let mut people = Vec::new();
    for toolset in ["pets", "cars"] {
        let mut sign_in = sign_in(toolset, &*database.rng);
        sign_in.code.toolset = slug(toolset);
        sign_in.tokens = Some(connection_tokens(toolset, None));
        people.push(complete(&store, sign_in).await);
    }
    assert_eq!(people[0].subject, people[1].subject);
    for (signed_in, toolset) in people.iter().zip(["pets", "cars"]) {
        let connection = connection(&store, *signed_in).await;
        assert_eq!(connection.toolset, slug(toolset));
        assert_eq!(connection.access.expose(), toolset);
        assert_eq!(connection.generation, 1);
    }
}

async fn a_later_sign_in_renews_the_connection(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let first = complete(&store, sign_in("one", &*database.rng)).await;
    let id = first.connection.unwrap();
    let before = connection(&store, first).await;
    let given = connection_tokens("access-1", None);
    assert_eq!(
        before,
        Connection {
            id,
            subject: first.subject,
            provider: slug("github"),
            toolset: slug("pets"),
            status: ConnectionStatus::Active,
            access: given.access,
            expires_at: given.expires_at,
            scopes: given.scopes,
            is_renewable: true,
            generation: 1,
            updated_at: NOW,
        }
    );
    let lost = store.lose_connection(id, 1, EndReason::ConnectionLost, NOW);
    assert!(lost.await.unwrap());
    let dead = connection(&store, first).await;
    assert_eq!(dead.status, ConnectionStatus::NeedsReauthorization);

    // The provider gives a refresh token at the first sign-in only.
    for (code, given, kept) in [
        ("two", None, "refresh-1"),
        ("three", Some("refresh-3"), "refresh-3"),
    ] {
        let mut again = sign_in(code, &*database.rng);
        let mut tokens = connection_tokens(code, given);
        tokens.expires_at = None;
        tokens.scopes = scopes("repo");
        again.tokens = Some(tokens);
        let renewed = store.complete_sign_in(again, later(9)).await.unwrap();
        assert_eq!(renewed, first);
        let after = connection(&store, first).await;
        assert_eq!(after.status, ConnectionStatus::Active);
        assert_eq!(after.access.expose(), code);
        let refresh = refresh_token_of(&store, id).await.unwrap();
        assert_eq!(refresh.unwrap().expose(), kept);
        assert_eq!(after.updated_at, later(9));
        assert_eq!(after.expires_at, None);
        assert_eq!(after.scopes, scopes("repo"));
    }
    assert_eq!(connection(&store, first).await.generation, 3);
}

async fn a_failed_sign_in_leaves_nothing_behind(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let first = sign_in("one", &*database.rng);
    let mut second = sign_in("two", &*database.rng);
    second.code.flow = first.code.flow;
    second.tokens = Some(connection_tokens("access-2", None));
    let signed_in = complete(&store, first).await;
    let refused = store.complete_sign_in(second, NOW).await;
    assert!(matches!(refused, Err(StoreError::Taken(_))), "{refused:?}");
    let connection = connection(&store, signed_in).await;
    assert_eq!(connection.access.expose(), "access-1");
    assert_eq!(store.code(&Digest::of(b"two")).await.unwrap(), None);
    assert_eq!(store.session(&session_of("two")).await.unwrap(), None);
}

async fn c_13_a_sign_in_ends_the_session_that_the_browser_had(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    complete(&store, sign_in("planted", &*database.rng)).await;
    let mut next = sign_in("next", &*database.rng);
    next.session = Some(NewSession {
        digest: session_of("next"),
        replaced: Some(session_of("planted")),
    });
    complete(&store, next).await;
    assert_eq!(store.session(&session_of("planted")).await.unwrap(), None);
    let session = store.session(&session_of("next")).await.unwrap();
    assert!(session.is_some());
}

async fn a_session_lives_from_use_to_use_until_it_is_ended(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let signed_in = complete(&store, sign_in("one", &*database.rng)).await;
    let digest = session_of("one");
    let mut expected = SessionRow {
        digest,
        subject: signed_in.subject,
        provider: slug("github"),
        label: Some("Alice".to_owned()),
        created_at: NOW,
        used_at: NOW,
    };
    let session = store.session(&digest).await.unwrap();
    assert_eq!(session.as_ref(), Some(&expected));
    // A use that is told late does not make it older.
    for (millis, used_at) in [(5, 5), (3, 5)] {
        store.use_session(&digest, later(millis)).await.unwrap();
        expected.used_at = later(used_at);
        let session = store.session(&digest).await.unwrap();
        assert_eq!(session.as_ref(), Some(&expected));
    }
    for _ in 0..2 {
        store.end_session(&digest).await.unwrap();
        assert_eq!(store.session(&digest).await.unwrap(), None);
    }
}

async fn c_06_a_remembered_consent_is_for_exactly_what_was_approved(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let other_client = client("pc_client_2");
    store.insert_client(&other_client, NOW).await.unwrap();
    let unremembered = sign_in("one", &*database.rng);
    let consent = |subject: SubjectId| RememberedConsent {
        subject,
        client: ClientId::parse("pc_client_1").unwrap(),
        redirect_uri: unremembered.code.redirect_uri.clone(),
        toolset: slug("pets"),
        scopes: scopes("pets:read"),
    };
    let subject = complete(&store, unremembered.clone()).await.subject;
    assert!(!store.remembers(&consent(subject), NOW).await.unwrap());
    for code in ["two", "three"] {
        let mut remembered = sign_in(code, &*database.rng);
        // What the provider grants of it is another matter.
        remembered.remember = Some(scopes("pets:read"));
        remembered.code.scopes = scopes("");
        complete(&store, remembered).await;
        assert!(store.remembers(&consent(subject), NOW).await.unwrap());
    }
    let exact = consent(subject);
    for other in [
        consent(SubjectId::new(NOW, &*database.rng)),
        RememberedConsent {
            client: other_client.id,
            ..exact.clone()
        },
        RememberedConsent {
            redirect_uri: format!("{}/", exact.redirect_uri),
            ..exact.clone()
        },
        RememberedConsent {
            toolset: slug("shop"),
            ..exact.clone()
        },
        RememberedConsent {
            scopes: scopes("pets:read pets:write"),
            ..exact.clone()
        },
        RememberedConsent {
            scopes: scopes(""),
            ..exact.clone()
        },
    ] {
        assert!(!store.remembers(&other, NOW).await.unwrap(), "{other:?}");
    }
}

async fn c_06_a_consent_is_remembered_for_a_while_and_then_asked_for_again(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let approve = async |code: &str, at: Timestamp| {
        let mut remembered = sign_in(code, &*database.rng);
        remembered.remember = Some(scopes("pets:read"));
        store.complete_sign_in(remembered, at).await.unwrap()
    };
    let consent = RememberedConsent {
        subject: approve("one", NOW).await.subject,
        client: ClientId::parse("pc_client_1").unwrap(),
        redirect_uri: sign_in("one", &*database.rng).code.redirect_uri,
        toolset: slug("pets"),
        scopes: scopes("pets:read"),
    };
    let end = NOW.after(CONSENT_LIFETIME);
    let before = end.before(Duration::from_millis(1));
    assert!(store.remembers(&consent, before).await.unwrap());
    assert!(!store.remembers(&consent, end).await.unwrap());
    // Approved again, it counts from then.
    approve("two", later(1)).await;
    store.sweep_sign_in(end, 100).await.unwrap();
    assert!(store.remembers(&consent, end).await.unwrap());
    store
        .sweep_sign_in(later(1).after(CONSENT_LIFETIME), 100)
        .await
        .unwrap();
    assert!(!store.remembers(&consent, NOW).await.unwrap());
}

async fn c_21_a_person_is_found_by_issuer_and_subject_only(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    assert_eq!(store.subject(&alice()).await.unwrap(), None);
    let signed_in = complete(&store, sign_in("one", &*database.rng)).await;
    let mut known = alice();
    known.label = None;
    let found = store.subject(&known).await.unwrap();
    assert_eq!(found, Some(signed_in.subject));
    known.issuer = "https://id.example.org".to_owned();
    assert_eq!(store.subject(&known).await.unwrap(), None);
}

async fn a_sign_in_leaves_an_audit_row(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let signed_in = complete(&store, sign_in("one", &*database.rng)).await;
    let expected = (signed_in.subject.to_string(), "github".to_owned());
    assert_eq!(audited(&store, "subject.signed_in").await, [expected]);
}
