//! What signing in consists of: one of each, and the steps up to a grant.

use std::time::Duration;

use portcullis_base::{
    ConnectionId, Digest, FlowId, GrantId, Plain, RefreshToken, Rng, Secret, Timestamp,
};
use portcullis_oauth::issuer::client::{Client, ClientId, ClientOrigin};
use portcullis_oauth::issuer::code::CODE_LIFETIME;
use portcullis_oauth::issuer::flow::{AtProvider, Flow, FlowState, STEP_LIFETIME};
use portcullis_oauth::issuer::grant::{Grant, NewRefreshToken, NewTokens, Renewal};
use portcullis_oauth::issuer::person::{ConnectionTokens, Identity};
use portcullis_oauth::scope::Scopes;
use portcullis_store::{NewCode, NewSession, SignIn, SignedIn, Store, StoreError};

use crate::engines::NOW;
use crate::samples::slug;

/// How long access tokens of these tests are good.
pub(crate) const ACCESS: Duration = Duration::from_hours(1);

/// How long refresh tokens of these tests are good.
pub(crate) const REFRESH: Duration = Duration::from_hours(24);

pub(crate) fn later(millis: u64) -> Timestamp {
    NOW.after(Duration::from_millis(millis))
}

pub(crate) fn scopes(text: &str) -> Scopes {
    Scopes::parse(text).unwrap()
}

pub(crate) fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

pub(crate) fn client(id: &str) -> Client {
    let metadata = include_str!("../fixtures/client_metadata_1.json");
    Client {
        id: ClientId::parse(id).unwrap(),
        origin: ClientOrigin::Dynamic,
        metadata: serde_json::from_str(metadata).unwrap(),
        secret: None,
        remembers_consent: false,
        created_at: NOW,
    }
}

/// A flow of the client `pc_client_1`, in the browser [`browser`].
pub(crate) fn flow(rng: &dyn Rng) -> Flow {
    let request = include_str!("../fixtures/authorization_request_1.json");
    Flow {
        id: FlowId::new(NOW, rng),
        request: serde_json::from_str(request).unwrap(),
        browser: browser(),
        state: FlowState::Pending,
        created_at: NOW,
        expires_at: NOW.after(STEP_LIFETIME),
    }
}

pub(crate) fn browser() -> Digest {
    Digest::of(b"browser")
}

pub(crate) fn at_provider(state: &str) -> AtProvider {
    AtProvider {
        provider: slug("github"),
        state: Digest::of(state.as_bytes()),
        verifier: secret("canary-of-the-verifier"),
        nonce: secret("canary-of-the-nonce"),
        toolset: slug("pets"),
        scopes: scopes("pets:read"),
        consent_of: None,
    }
}

pub(crate) fn alice() -> Identity {
    Identity {
        issuer: "https://id.example.com".to_owned(),
        subject: "alice".to_owned(),
        label: Some("Alice".to_owned()),
    }
}

pub(crate) fn connection_tokens(access: &str, refresh: Option<&str>) -> ConnectionTokens {
    ConnectionTokens {
        access: secret(access),
        refresh: refresh.map(secret),
        expires_at: Some(NOW.after(ACCESS)),
        scopes: scopes("repo user"),
    }
}

/// A sign-in of Alice that ends in the code `code`, with tokens and a session `session of CODE`.
pub(crate) fn sign_in(code: &str, rng: &dyn Rng) -> SignIn {
    let flow = flow(rng);
    SignIn {
        identity: Some(alice()),
        provider: slug("github"),
        tokens: Some(connection_tokens("access-1", Some("refresh-1"))),
        code: NewCode {
            digest: Digest::of(code.as_bytes()),
            flow: flow.id,
            client: flow.request.client,
            redirect_uri: flow.request.redirect_uri,
            code_challenge: flow.request.code_challenge,
            toolset: slug("pets"),
            scopes: scopes("pets:read"),
            expires_at: NOW.after(CODE_LIFETIME),
        },
        session: Some(NewSession {
            digest: session_of(code),
            replaced: None,
        }),
        remember: None,
    }
}

pub(crate) fn session_of(code: &str) -> Digest {
    Digest::of(format!("session of {code}").as_bytes())
}

pub(crate) fn grant(signed_in: SignedIn, rng: &dyn Rng) -> Grant {
    Grant {
        id: GrantId::new(NOW, rng),
        client: ClientId::parse("pc_client_1").unwrap(),
        subject: signed_in.subject,
        toolset: slug("pets"),
        scopes: scopes("pets:read"),
        connection: signed_in.connection,
        created_at: NOW,
        ended: None,
    }
}

/// The tokens `NAME access` and `NAME refresh`.
pub(crate) fn tokens(name: &str) -> NewTokens {
    NewTokens {
        access: digest(name, "access"),
        scopes: scopes("pets:read"),
        access_expires_at: NOW.after(ACCESS),
        refresh: Some(NewRefreshToken {
            digest: digest(name, "refresh"),
            expires_at: NOW.after(REFRESH),
        }),
    }
}

pub(crate) fn digest(name: &str, kind: &str) -> Digest {
    match kind {
        "refresh" => refresh_token(name).digest(),
        _ => Digest::of(format!("{name} {kind}").as_bytes()),
    }
}

/// The refresh token among the tokens of a name.
pub(crate) fn refresh_token(name: &str) -> Plain<RefreshToken> {
    Plain::of_bytes(Digest::of(name.as_bytes()).as_bytes())
}

/// What a refresh gives beside its successor, with the access token `NAME access`.
pub(crate) fn renewal(name: &str, now: Timestamp) -> Renewal {
    Renewal {
        access: digest(name, "access"),
        scopes: scopes("pets:read"),
        access_expires_at: now.after(ACCESS),
        refresh_expires_at: now.after(REFRESH),
        replaced: Duration::from_mins(1),
    }
}

/// Opens the refresh token of a connection by a claim that nobody has to wait for.
pub(crate) async fn refresh_token_of(
    store: &Store,
    id: ConnectionId,
) -> Result<Option<Secret>, StoreError> {
    let generation = store.connection(id).await?.unwrap().generation;
    store.claim_renewal(id, generation, NOW, NOW).await
}

/// Stores the client `pc_client_1`.
pub(crate) async fn with_client(store: &Store) {
    let client = client("pc_client_1");
    store.insert_client(&client, NOW).await.unwrap();
}

/// Goes all the way: from a sign-in with the code `NAME` to a grant with the tokens of `NAME`.
pub(crate) async fn granted(store: &Store, name: &str, sign_in: SignIn, rng: &dyn Rng) -> Grant {
    let signed_in = store.complete_sign_in(sign_in, NOW).await.unwrap();
    let grant = grant(signed_in, rng);
    let redeemed = store
        .redeem_code(
            &Digest::of(name.as_bytes()),
            grant.clone(),
            tokens(name),
            NOW,
        )
        .await;
    assert!(redeemed.unwrap());
    grant
}

/// Lists what was audited of an action: actors and targets, in order of these, since rows of one instant have none.
pub(crate) async fn audited(store: &Store, action: &str) -> Vec<(String, String)> {
    let rows = store.list_audit(None, 1000).await.unwrap();
    let of_action = rows.into_iter().filter(|row| row.action == action);
    let mut told: Vec<_> = of_action.map(|row| (row.actor, row.target)).collect();
    told.sort();
    told
}
