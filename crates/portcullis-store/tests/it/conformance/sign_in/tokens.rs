//! Codes, and the tokens that come of them.

use portcullis_base::Digest;
use portcullis_oauth::issuer::code::{CODE_LIFETIME, Code, Redeemed};
use portcullis_oauth::issuer::grant::{AccessTokenRow, NewTokens, RefreshTokenRow};

use super::{on_both_engines, won};
use crate::engines::{Database, NOW};
use crate::people::{
    ACCESS, REFRESH, audited, digest, grant, granted, later, scopes, sign_in, tokens, with_client,
};

on_both_engines! {
    a_code_becomes_a_grant_with_tokens
    p_09_one_of_eight_redemptions_succeeds
    t_12_an_expired_code_is_not_redeemed
    a_code_can_give_an_access_token_alone
    a_token_is_found_as_what_it_is_only
}

async fn a_code_becomes_a_grant_with_tokens(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let sign_in = sign_in("code", &*database.rng);
    let new = sign_in.code.clone();
    let signed_in = store.complete_sign_in(sign_in, NOW).await.unwrap();
    let mut code = Code {
        digest: new.digest,
        flow: new.flow,
        client: new.client,
        redirect_uri: new.redirect_uri,
        code_challenge: new.code_challenge,
        toolset: new.toolset,
        scopes: new.scopes,
        subject: signed_in.subject,
        connection: signed_in.connection,
        created_at: NOW,
        expires_at: new.expires_at,
        redeemed: None,
    };
    let found = store.code(&code.digest).await.unwrap();
    assert_eq!(found.as_ref(), Some(&code));
    assert_eq!(store.code(&Digest::of(b"x")).await.unwrap(), None);

    let grant = grant(signed_in, &*database.rng);
    let at = later(5);
    let mut narrow = tokens("t");
    narrow.scopes = scopes("");
    let redeemed = store.redeem_code(&code.digest, grant.clone(), narrow, at);
    assert!(redeemed.await.unwrap());
    code.redeemed = Some(Redeemed {
        at,
        grant: grant.id,
    });
    let found = store.code(&code.digest).await.unwrap();
    assert_eq!(found.as_ref(), Some(&code));
    assert_eq!(
        store.access_token(&digest("t", "access")).await.unwrap(),
        Some(AccessTokenRow {
            digest: digest("t", "access"),
            grant: grant.clone(),
            scopes: scopes(""),
            created_at: at,
            expires_at: NOW.after(ACCESS),
            unconfirmed: None,
        })
    );
    assert_eq!(
        store.refresh_token(&digest("t", "refresh")).await.unwrap(),
        Some(RefreshTokenRow {
            digest: digest("t", "refresh"),
            grant: grant.clone(),
            parent: None,
            generation: 0,
            created_at: at,
            expires_at: NOW.after(REFRESH),
            replaced_at: None,
            confirmed_at: None,
        })
    );
    let made = (grant.subject.to_string(), grant.id.to_string());
    assert_eq!(audited(&store, "grant.made").await, [made]);
}

async fn p_09_one_of_eight_redemptions_succeeds(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let sign_in = sign_in("code", &*database.rng);
    let signed_in = store.complete_sign_in(sign_in, NOW).await.unwrap();
    let number = std::sync::atomic::AtomicUsize::new(0);
    let won = won(&database, |store| {
        let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let grant = grant(signed_in, &*database.rng);
        async move {
            let tokens = tokens(&number.to_string());
            let code = Digest::of(b"code");
            store.redeem_code(&code, grant, tokens, NOW).await.unwrap()
        }
    });
    assert_eq!(won.await, 1);
    // The others left neither a token nor a grant.
    let mut left = Vec::new();
    for number in 0..8 {
        let access = digest(&number.to_string(), "access");
        left.extend(store.access_token(&access).await.unwrap());
    }
    assert_eq!(left.len(), 1);
    let code = store.code(&Digest::of(b"code")).await.unwrap().unwrap();
    assert_eq!(code.redeemed.unwrap().grant, left[0].grant.id);
    assert_eq!(audited(&store, "grant.made").await.len(), 1);
}

async fn t_12_an_expired_code_is_not_redeemed(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let sign_in = sign_in("code", &*database.rng);
    let signed_in = store.complete_sign_in(sign_in, NOW).await.unwrap();
    let grant = grant(signed_in, &*database.rng);
    let code = Digest::of(b"code");
    let end = NOW.after(CODE_LIFETIME);
    let redeemed = store.redeem_code(&code, grant, tokens("t"), end).await;
    assert!(!redeemed.unwrap());
    let access = store.access_token(&digest("t", "access")).await;
    assert_eq!(access.unwrap(), None);
    let code = store.code(&code).await.unwrap().unwrap();
    assert_eq!(code.redeemed, None);
}

async fn a_code_can_give_an_access_token_alone(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let sign_in = sign_in("code", &*database.rng);
    let signed_in = store.complete_sign_in(sign_in, NOW).await.unwrap();
    let grant = grant(signed_in, &*database.rng);
    let alone = NewTokens {
        refresh: None,
        ..tokens("t")
    };
    let code = Digest::of(b"code");
    assert!(store.redeem_code(&code, grant, alone, NOW).await.unwrap());
    let [access, refresh] = ["access", "refresh"].map(|kind| digest("t", kind));
    assert!(store.access_token(&access).await.unwrap().is_some());
    assert!(store.refresh_token(&refresh).await.unwrap().is_none());
}

async fn a_token_is_found_as_what_it_is_only(database: Database) {
    let store = database.open().await;
    with_client(&store).await;
    let sign_in = sign_in("t", &*database.rng);
    granted(&store, "t", sign_in, &*database.rng).await;
    let [access, refresh] = ["access", "refresh"].map(|kind| digest("t", kind));
    let code = Digest::of(b"t");
    for other in [&refresh, &code] {
        assert_eq!(store.access_token(other).await.unwrap(), None);
    }
    for other in [&access, &code] {
        assert_eq!(store.refresh_token(other).await.unwrap(), None);
    }
}
